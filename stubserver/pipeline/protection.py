"""Guards the control plane: it refuses what pages of other sites make a browser send, and clients without the token.

Pages. A browser says who sends a request (Origin, Sec-Fetch-Site), and asks before it sends one that a form could not
send. So pages of other origins are refused, whether they ask or not, and so is every media type of a form. Pages of the
origins that the server was started with (`--control-origin`) are let in, compared letter by letter.

Hosts. On loopback no token is needed, but the Host header must name loopback: a page whose own domain was made to
resolve to this machine (DNS rebinding) would send its own name. On any other address the token is required.

The token. It is required unless the contract says `security: []`, as it does for what load balancers ask and tells no
secret. It travels in `Authorization: Bearer`, which a page has to be told; a browser never sends it by itself.

Metrics. A scraper is given a token of its own (`--metrics-token`), which opens nothing else. Then the metrics
require it, or the token of the control plane, on loopback, too.

Documents. People open them by their address, where a browser cannot send a Bearer token, and a token in a URL would end
up in histories, logs and Referer headers. So the documents alone ask for HTTP Basic, with the token as the password. A
browser repeats that by itself, even in requests that another site provokes (CSRF). That gains nothing: Basic opens only
GET and HEAD of documents, which change nothing, hold no secret and cannot be read across origins. For the operations
on the page, people paste the token into "Authorize".

A refusal comes before anything has happened.
"""

import hmac
import re
from collections.abc import Collection, Iterable, Mapping

from stubserver.addressing import CONTROL, LOCAL_HOST, METRICS, basic_credentials, bearer_token
from stubserver.contract.contract import Contract
from stubserver.errors import Refusal, refusal, unauthenticated
from stubserver.pipeline.proxies import Address
from stubserver.settings import Settings

_LOOPBACK = re.compile(LOCAL_HOST, re.ASCII | re.IGNORECASE)
_OWN_SITES = ("same-origin", "none")
"""Sec-Fetch-Site of requests by our own pages, and of addresses that the user typed."""
_DOCUMENT = re.compile(rf"{CONTROL}(openapi\.json|docs(/.*)?)")
"""Paths that people open in a browser."""
_TOKEN = re.compile(r"[!-~]+")
"""What a client can send as a token."""
_READING = ("GET", "HEAD")
_CHALLENGE = {"WWW-Authenticate": 'Basic realm="control plane of the stub server", charset="UTF-8"'}


class Protection:
    """Decides who may use the control plane of a server."""

    def __init__(self, control: Contract, settings: Settings) -> None:
        """Raises ValueError for a token that no client could send, or that everybody sends."""
        self._control = control
        self._token = settings.control_token
        self._metrics_token = settings.metrics_token
        self._origins = settings.control_origins
        for name, token in (("control", self._token), ("metrics", self._metrics_token)):
            if token is not None and not _TOKEN.fullmatch(token):
                message = f"the {name} token must not be empty, and may have only printable ASCII without blanks"
                raise ValueError(message)

    def check(self, method: str, path: str, headers: Mapping[str, str], used: Address, public: Address) -> None:
        """Raises a 401, 403 or 415 refusal. `path` is without the base path. The client has used one address of the
        server, and the other one is in answers."""
        self._check_site(headers, {used.origin, public.origin})
        needed = self._token, self._metrics_token if path == METRICS else None
        tokens = [token for token in needed if token is not None]
        if not tokens and not all(map(_LOOPBACK.fullmatch, (headers.get("host", ""), used.host))):
            raise refusal(
                403,
                "Without a token, the control plane only answers to localhost, 127.0.0.1 and [::1]. "
                "Start the server with --control-token to use it under other hosts.",
            )
        if tokens:
            self._check_token(tokens, method, path, headers.get("authorization", ""))
        media = headers.get("content-type", "application/json").partition(";")[0].strip().lower()
        if method not in _READING and media != "application/json":
            raise refusal(415, "The control plane accepts only application/json.")

    def _check_site(self, headers: Mapping[str, str], own: Collection[str]) -> None:
        sender = headers.get("origin")
        if sender in self._origins:
            return
        if sender is not None and sender not in own:
            raise refusal(
                403,
                f"Pages of {sender[:100]!r} may not use the control plane, "
                "unless the server is started with --control-origin for exactly this origin.",
            )
        if headers.get("sec-fetch-site", "none") not in _OWN_SITES:
            raise refusal(403, "Pages of another site may not use the control plane.")

    def _check_token(self, tokens: Iterable[str], method: str, path: str, header: str) -> None:
        operation = self._control.find(method, path)
        if operation is not None and not operation.secured:
            return
        is_document = method in _READING and _DOCUMENT.fullmatch(path) is not None
        sent = bearer_token(header) or (_password(header) if is_document else "")
        if not any(hmac.compare_digest(sent.encode(), token.encode()) for token in tokens):
            raise _no_token(is_document, path == METRICS and self._metrics_token is not None)


def _password(header: str) -> str:
    """The password in an Authorization header with the scheme Basic; empty in any other header."""
    try:
        credentials = basic_credentials(header)
    except ValueError:
        return ""
    return credentials[1] if credentials else ""


def _no_token(is_document: bool, for_metrics: bool) -> Refusal:
    if for_metrics:
        return unauthenticated(
            "The metrics need Authorization: Bearer TOKEN, with the token of --metrics-token or --control-token."
        )
    message = "The control plane needs Authorization: Bearer TOKEN, with the token printed at startup"
    if is_document:
        return refusal(401, f"{message}; in a browser, enter it as the password, with any name.", **_CHALLENGE)
    return unauthenticated(f"{message}; on the page of its docs, enter it under Authorize.")
