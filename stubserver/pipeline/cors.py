"""Which pages may call: those on localhost, and those on origins that were named."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stubserver.addressing import BASE_PATH, CONTROL, LOCAL_HOST, REQUEST_HEADER
from stubserver.call import REFUSAL_KEY
from stubserver.errors import Refusal, refusal

LOCAL_ORIGINS = rf"https?://{LOCAL_HOST}"
"""Origins of pages that a developer's own machine serves; others must be named."""


_CONTROL = re.compile(rf"({BASE_PATH.pattern})?{CONTROL}")
"""The control plane, in a world or not: no page of another origin has any business there."""


class Cors(CORSMiddleware):
    """CORS for pages on localhost and on the origins that were named; its refusals in the vendor's shape."""

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
        """Serve the request, with CORS headers where it is for the API."""
        if scope["type"] == "http" and _CONTROL.match(scope["path"]):
            await self.app(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)

    def added(self, request_headers: Headers) -> list[tuple[bytes, bytes]]:
        """The headers that the answer to such a request gets."""
        origin = request_headers.get("origin")
        headers = MutableHeaders(self.simple_headers if origin is not None else None)
        if origin is not None and not self.allow_all_origins and self.is_allowed_origin(origin):
            self.allow_explicit_origin(headers, origin)
        else:
            headers["Vary"] = "Origin"
        return headers.raw

    async def send(self, message: Message, send: Send, request_headers: Headers) -> None:
        """Pass a message of the answer on; its start gets the headers."""
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", []), *self.added(request_headers)]
        await send(message)

    def preflight_response(self, request_headers: Any) -> Response:
        """As the library answers, but a refusal says in the vendor's shape what to do."""
        response = super().preflight_response(request_headers)
        if response.status_code < 400:
            return response
        message = (
            f"{bytes(response.body).decode()}: pages of {request_headers['origin']} may not call this. "
            "Start the server with --cors-origin to allow another origin."
        )
        headers = {k: v for k, v in response.headers.items() if k.startswith(("access-control", "vary"))}
        return _RefusedPreflight(refusal(400, message, "invalid"), headers)


class _RefusedPreflight(Response):
    """A refusal that comes before there is a call; it leaves its reason for the log."""

    def __init__(self, refused: Refusal, headers: Mapping[str, str]) -> None:
        super().__init__(refused.body(), refused.status, headers, "application/json")
        self._refused = refused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        scope[REFUSAL_KEY] = self._refused
        await super().__call__(scope, receive, send)
