"""Who may touch the control plane: nothing that a foreign page makes a browser send, and only who has the token.

On loopback no token is needed, so the Host header must say loopback: a page that had its own name resolved to this
machine would say another. Any other bind needs the token. Whatever is refused is refused before anything happens.
"""

import hmac
import re
from collections.abc import Mapping

from stubserver.addressing import LOCAL_HOST, bearer_token
from stubserver.errors import refusal, unauthenticated

_LOOPBACK = re.compile(LOCAL_HOST, re.ASCII | re.IGNORECASE)
_OWN_SITES = ("same-origin", "none")
"""What browsers call a page of ours, and an address that somebody typed."""


def check(method: str, headers: Mapping[str, str], origin: str, token: str | None) -> None:
    """Raises a 401, 403 or 415 refusal. `origin` is the server's own, `token` the one that it asks for."""
    if headers.get("origin", origin) != origin:
        raise refusal(403, f"Pages of {headers['origin'][:100]} may not use the control plane.")
    if headers.get("sec-fetch-site", "none") not in _OWN_SITES:
        raise refusal(403, "Pages of another site may not use the control plane.")
    if token is None and not _LOOPBACK.fullmatch(headers.get("host", "")):
        raise refusal(403, "Without a token the control plane answers to localhost, 127.0.0.1 and [::1] only.")
    sent = bearer_token(headers.get("authorization", ""))
    if token is not None and not hmac.compare_digest(sent.encode(), token.encode()):
        raise unauthenticated("The control plane needs Authorization: Bearer TOKEN, with the token printed at start.")
    media = headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if method not in ("GET", "HEAD") and media != "application/json":
        raise refusal(415, "The control plane reads application/json only.")
