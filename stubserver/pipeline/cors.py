"""CORS: the API may be called by pages on localhost, and by pages on the origins that the server was given.

The control plane has origins of its own, and none by default. Neither list opens what the other one is for.
"""

import re
from collections.abc import Collection, Sequence
from ipaddress import AddressValueError, IPv6Address
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stubserver.addressing import BASE_PATH, CONTROL, FIXTURE_HEADER, LOCAL_HOST, REQUEST_HEADER, WORLD_HEADER
from stubserver.call import REFUSAL_KEY
from stubserver.errors import Refusal, refusal
from stubserver.settings import Settings

LOCAL_ORIGINS = rf"https?://{LOCAL_HOST}"
"""Pattern of the origins on a developer's own machine, which are always allowed."""


_CONTROL = re.compile(rf"({BASE_PATH.pattern})?{CONTROL.rstrip('/')}(/|\Z)")
"""Paths of the control plane, with or without a world."""
_METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
_CONTROL_HEADERS = ("Authorization", "Content-Type", WORLD_HEADER, FIXTURE_HEADER)
"""Request headers that the control plane reads."""
_EXPOSED = ("Allow", "Preference-Applied", "Retry-After", "WWW-Authenticate", REQUEST_HEADER)


_ORIGIN = re.compile(r"(https?)://([a-z0-9._-]+|\[[0-9a-f:]+\])(?::([1-9][0-9]{0,4}))?", re.ASCII)
"""What browsers send, in their spelling: lower case, and no default port."""
_START = re.compile(r"\s*((https?)://[^/?#,\s]+)")
"""Where an origin may be in what was written instead."""
_DEFAULT_PORTS = {"http": "80", "https": "443"}


def check_origins(settings: Settings) -> None:
    """Raises ValueError for an origin that no page can have, which would let nobody in without a word."""
    _check("--cors-origin", settings.cors_origins, ("*", "null"), ", or *")  # null is a page in a file
    _check("--control-origin", settings.control_origins, (), "; * and null are not allowed here")


def _check(option: str, origins: Sequence[str], also: Collection[str], right: str) -> None:
    if isinstance(origins, str):
        raise ValueError(f"{option}: {origins!r} must be in a tuple or list of origins")
    for origin in origins:
        if origin not in also and not is_origin(origin):
            like = corrected(origin) or "https://app.example"
            raise ValueError(f"{option}: {origin!r} is not an origin: write it as {like}, without a path{right}")


def is_origin(text: str) -> bool:
    """Whether it is an origin as browsers write it."""
    found = _ORIGIN.fullmatch(text)
    if found is None:
        return False
    scheme, host, port = found.groups()
    return port != _DEFAULT_PORTS[scheme] and int(port or 1) < 2**16 and (host[0] != "[" or _is_address(host[1:-1]))


def _is_address(text: str) -> bool:
    try:
        return str(IPv6Address(text)) == text
    except AddressValueError:
        return False


def corrected(text: str) -> str:
    """The origin that was probably meant; empty if that cannot be told."""
    found = _START.match(text.lower())
    origin = found[1].removesuffix(f":{_DEFAULT_PORTS[found[2]]}") if found else ""
    return origin if is_origin(origin) else ""


def may_call(settings: Settings, origin: str | None) -> bool:
    """Whether pages of the origin may call the API; None is a page that does not tell its origin."""
    is_local = origin is not None and re.fullmatch(LOCAL_ORIGINS, origin) is not None
    return is_local or "*" in settings.cors_origins or origin in settings.cors_origins


class Cors(CORSMiddleware):
    """CORS for pages on localhost and on the server's `cors_origins`, with refusals in the vendor's shape."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        anywhere = "*" in settings.cors_origins
        super().__init__(
            app,
            allow_origins=settings.cors_origins,
            allow_origin_regex=None if anywhere else LOCAL_ORIGINS,
            allow_methods=_METHODS,
            allow_headers=["*"],
            allow_credentials=not anywhere,
            allow_private_network=True,  # a page that may call may be on the internet, and this machine is not
            expose_headers=_EXPOSED,
        )
        self._control = ControlCors(app, settings.control_origins) if settings.control_origins else app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request, with the CORS headers of the API or of the control plane."""
        if scope["type"] == "http" and _CONTROL.match(scope["path"]):
            await self._control(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)

    def added(self, request_headers: Headers) -> list[tuple[bytes, bytes]]:
        """The CORS headers for the answer to a request with these headers."""
        origin = request_headers.get("origin")
        headers = MutableHeaders(self.simple_headers if origin is not None else None)
        if origin is not None and not self.allow_all_origins and self.is_allowed_origin(origin):
            self.allow_explicit_origin(headers, origin)
        else:
            headers["Vary"] = "Origin"
        return headers.raw

    async def send(self, message: Message, send: Send, request_headers: Headers) -> None:
        """Pass on a message of the answer, adding the CORS headers to its start."""
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", []), *self.added(request_headers)]
        await send(message)

    def preflight_response(self, request_headers: Any) -> Response:
        """The library's answer, but a refusal takes the vendor's shape and says what to do."""
        response = super().preflight_response(request_headers)
        if response.status_code < 400:
            return response
        if self.is_allowed_origin(request_headers["origin"]):
            return _RefusedPreflight(response, f"the API allows the methods {', '.join(_METHODS)}.")
        return _RefusedPreflight(
            response,
            f"pages of {request_headers['origin']} may not call this server. "
            "Start the server with --cors-origin to allow another origin.",
        )


class ControlCors(CORSMiddleware):
    """CORS for the pages that may use the control plane; `protection` refuses all others.

    Without credentials: pages send the token in a header, so nothing is gained by what a browser adds by itself.
    """

    def __init__(self, app: ASGIApp, origins: Sequence[str]) -> None:
        super().__init__(
            app,
            allow_origins=origins,
            allow_methods=_METHODS,
            allow_headers=_CONTROL_HEADERS,
            allow_private_network=True,  # a page that was named may reach this machine
            expose_headers=_EXPOSED,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request, with CORS headers for pages of the named origins."""
        if self.is_allowed_origin(Headers(scope=scope).get("origin", "")):
            await super().__call__(scope, receive, send)
        else:
            await self.simple_response(scope, receive, send, Headers())

    def preflight_response(self, request_headers: Any) -> Response:
        """The library's answer, but a refusal takes the vendor's shape and says what is allowed."""
        response = super().preflight_response(request_headers)
        if response.status_code < 400:
            return response
        allowed = f"the methods {', '.join(_METHODS)} and the headers {', '.join(_CONTROL_HEADERS)}"
        return _RefusedPreflight(response, f"the control plane allows {allowed}.")


class _RefusedPreflight(Response):
    """A refusal sent before there is a call; it leaves its reason in the scope, for the log."""

    def __init__(self, answer: Response, message: str) -> None:
        """`answer` is the library's; `message` goes on after its reason."""
        self._refused: Refusal = refusal(400, f"{bytes(answer.body).decode()}: {message}", "invalid")
        headers = {name: value for name, value in answer.headers.items() if name.startswith(("access-control", "vary"))}
        headers.pop("access-control-allow-private-network", None)  # the library grants it to every origin
        super().__init__(self._refused.body(), self._refused.status, headers, "application/json")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[REFUSAL_KEY] = self._refused
        await super().__call__(scope, receive, send)
