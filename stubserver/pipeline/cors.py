"""CORS: the API may be called by pages on localhost, and by pages on the origins that the server was given."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stubserver.addressing import BASE_PATH, CONTROL, LOCAL_HOST, REQUEST_HEADER
from stubserver.call import REFUSAL_KEY
from stubserver.errors import Refusal, refusal

LOCAL_ORIGINS = rf"https?://{LOCAL_HOST}"
"""Pattern of the origins on a developer's own machine, which are always allowed."""


_CONTROL = re.compile(rf"({BASE_PATH.pattern})?{CONTROL.rstrip('/')}(/|\Z)")
"""Paths of the control plane, with or without a world: pages of other origins have no business there."""


_ORIGIN = re.compile(r"https?://[^/\s?#@]+|null", re.ASCII)
"""What browsers send; `null` is a page in a file."""


def check_origins(origins: Iterable[str]) -> None:
    """Raises ValueError for an origin that no page can have, which would let nobody in without a word."""
    for origin in origins:
        if origin != "*" and not _ORIGIN.fullmatch(origin):
            raise ValueError(f"{origin!r} is not an origin: write it as https://app.example, without a path, or *")


class Cors(CORSMiddleware):
    """CORS for pages on localhost and on `origins`, with refusals in the vendor's shape."""

    def __init__(self, app: ASGIApp, origins: Sequence[str]) -> None:
        anywhere = "*" in origins
        super().__init__(
            app,
            allow_origins=origins,
            allow_origin_regex=None if anywhere else LOCAL_ORIGINS,
            allow_methods=["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"],
            allow_headers=["*"],
            allow_credentials=not anywhere,
            expose_headers=["Allow", "Preference-Applied", "Retry-After", "WWW-Authenticate", REQUEST_HEADER],
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request, with CORS headers unless it is for the control plane."""
        if scope["type"] == "http" and _CONTROL.match(scope["path"]):
            await self.app(scope, receive, send)
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
        message = (
            f"{bytes(response.body).decode()}: pages of {request_headers['origin']} may not call this server. "
            "Start the server with --cors-origin to allow another origin."
        )
        headers = {k: v for k, v in response.headers.items() if k.startswith(("access-control", "vary"))}
        return _RefusedPreflight(refusal(400, message, "invalid"), headers)


class _RefusedPreflight(Response):
    """A refusal sent before there is a call; it leaves its reason in the scope, for the log."""

    def __init__(self, refused: Refusal, headers: Mapping[str, str]) -> None:
        super().__init__(refused.body(), refused.status, headers, "application/json")
        self._refused = refused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[REFUSAL_KEY] = self._refused
        await super().__call__(scope, receive, send)
