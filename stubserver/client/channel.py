"""The control plane of a server, as the handles call it: the right server at the right URL, or a reason in one line."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import httpx

from stubserver.addressing import CONTROL, PRODUCT, WORLD_HEADER

__tracebackhide__ = True  # pytest ends the traceback of a failure at the line of the test

TIMEOUT = 30.0
"""Timeout of a request, in seconds."""
PAGE = 100
"""The most rows that a page of a list has."""
_SHOWN = 60
"""Characters that a message shows of a header."""
_LAST_PORT = 65535
_RIGHT = "http://127.0.0.1:8765"


class StubError(Exception):
    """The server cannot be reached, or its control plane refuses; the message says why in one line."""

    def __init__(self, message: str, status: int | None = None) -> None:
        """`status` is that of a refusal."""
        super().__init__(message)
        self.status = status


class Channel:
    """The way to the control plane of one server."""

    def __init__(self, url: str, token: str | None, transport: httpx.BaseTransport) -> None:
        """Raises StubError if `url` is not that of a server, or for a token that cannot be sent."""
        self.url = _checked(url)
        self._headers = bearer(token)
        self._transport = transport
        self._is_known = False
        """Whether a stub server has answered."""

    def call(self, method: str, path: str, world: str | None = None, **options: Any) -> Any:
        """Call the control plane; `options` are those of `httpx.Request`, and `timeout` in seconds. Returns the parsed
        JSON answer, or None if it is empty. Raises StubError."""
        if not self._is_known:
            self._recognize()
        answer = self._send(method, path, {WORLD_HEADER: world} if world else {}, **options)
        if answer.is_error:
            raise StubError(f"{method} {path}: {_reason(answer) or _shown(answer)}", answer.status_code)
        try:
            return answer.json() if answer.content else None
        except ValueError:
            raise StubError(f"{method} {path}: the answer is not JSON but {_shown(answer)}") from None

    def _recognize(self) -> None:
        """Raise StubError unless a stub server answers, if only to ask for its token."""
        answer = self._send("GET", "/version", {})
        is_refusal = answer.status_code in (401, 403) and _reason(answer)
        if not is_refusal and _name(answer) != PRODUCT:
            raise StubError(
                f"{self.url} is not a stub server: GET {CONTROL}version was answered with {_shown(answer)}. "
                "`stubserver serve` starts one and prints its URL."
            )
        self._is_known = True

    def _send(
        self, method: str, path: str, headers: dict[str, str], timeout: float = TIMEOUT, **options: Any
    ) -> httpx.Response:
        """Send a request by the transport alone: a test may have replaced what httpx's clients do."""
        url, limits = f"{self.url}{CONTROL}{path.removeprefix('/')}", httpx.Timeout(timeout).as_dict()
        sent = {**self._headers, **headers}
        try:
            request = httpx.Request(method, url, headers=sent, extensions={"timeout": limits}, **options)
            answer = self._transport.handle_request(request)
            answer.read()
        except (httpx.InvalidURL, httpx.LocalProtocolError) as error:
            raise StubError(f"{method} {path!r} cannot be sent: {error}") from None
        except httpx.HTTPError as error:
            raise StubError(f"no stub server answers at {self.url}: {_why(error, self.url)}") from None
        return answer


def rows(ask: Callable[[Mapping[str, Any]], Any], filters: Mapping[str, Any]) -> list[Any]:
    """The rows of a list that filters pick: all of them or, with a `limit`, at most so many, from an `offset` on. `ask`
    gets a page, and raises StubError."""
    if "limit" in filters:
        return list(ask(filters)["results"])
    query, found = {"offset": 0, **filters, "limit": PAGE}, list[Any]()
    while True:
        page = ask(query)
        found += page["results"]
        if not page["next"]:
            return found
        query = {**query, "offset": int(query["offset"]) + len(page["results"])}


def bearer(token: str | None) -> dict[str, str]:
    """The header that carries a token, if there is one. Raises StubError if no header can."""
    if token and not (token.isascii() and token.isprintable()):
        raise StubError("A token consists of printable ASCII characters; this one has others.")
    return {"Authorization": f"Bearer {token}"} if token else {}


def _checked(url: str) -> str:
    """The URL without a slash at its end. Raises StubError unless it is that of a server."""
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, TypeError) as error:
        raise StubError(f"{url!r} is not the URL of a server, such as {_RIGHT}: {error}") from None
    if parsed.scheme not in ("http", "https") or not parsed.host or (parsed.port or 0) > _LAST_PORT:
        right = f"http://{url}" if re.fullmatch(r"[\w.-]+(:\d{1,5})?", str(url)) else _RIGHT
        raise StubError(f"{str(url)!r} is not the URL of a server, such as {right}.")
    root = f"{parsed.scheme}://{parsed.netloc.decode('ascii')}"
    if parsed.userinfo:
        raise StubError(f"The URL of a server has no user or password: use {root}, and token= for its control plane.")
    if parsed.raw_path != b"/" or parsed.fragment:
        raise StubError(
            f"{str(url)!r} is more than the URL of a server: use {root}, and .world(NAME) for a world of it."
        )
    return root


def _name(answer: httpx.Response) -> Any:
    """What the server calls itself, if it says so."""
    try:
        return answer.json()["name"]
    except (ValueError, KeyError, TypeError):
        return None


def _why(error: httpx.HTTPError, url: str) -> str:
    """Why there is no answer, and what would be right if the URL has the wrong scheme."""
    if getattr(error.__cause__, "reason", "") in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST"):
        return f"it does not speak TLS; use http://{url.partition('://')[2]}"
    return str(error) or type(error).__name__


def _shown(answer: httpx.Response) -> str:
    """An answer that no stub server gives, in a few words."""
    media, server = (answer.headers.get(name, "")[:_SHOWN] for name in ("Content-Type", "Server"))
    return " ".join(filter(None, (f"status {answer.status_code}", media, server and f"from {server}")))


def _reason(answer: httpx.Response) -> str:
    """The reason for a refusal of a stub server, in one line; empty if the answer is not such a refusal."""
    try:
        errors = answer.json()["errors"]
        messages = [message["message"] for entry in errors for message in entry.get("messages", [entry])]
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""
    return " ".join(map(str, messages))
