"""A proxy in front of one server: passes every request on as it is, and has an observer judge what has passed.

Bodies are streamed; a copy is kept for the observer as long as it is small. Nothing is sent to any other host, and
nothing is followed, so this is no way out for anybody who finds the port.
"""

import asyncio
import contextlib
import logging
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from types import FrameType
from typing import Any

import httpx
import uvicorn

from stubserver.checking.observed import Exchange
from stubserver.checking.observer import Observer
from stubserver.errors import Refusal, refusal
from stubserver.pipeline.visitors import Visitors
from stubserver.settings import Settings

Message = Mapping[str, Any]
Headers = Sequence[tuple[bytes, bytes]]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Told = Callable[[Exchange, int], None]
"""Called with each exchange, and how much in it the contract does not allow."""

_HOP_BY_HOP = frozenset(
    b"connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer transfer-encoding "
    b"upgrade expect".split()
)
"""Headers that are about one connection only. `Expect` is answered here."""
_TIMEOUT = httpx.Timeout(300.0, connect=10.0)
"""Seconds that the server may be silent."""
_CONNECTIONS = 100
"""Requests that are passed on at the same time; others wait."""
_ROOM = 128 * 1024 * 1024
"""Bytes of bodies that are kept at the same time, over all requests."""
_GRACE = 5
"""Seconds that requests have to end when the proxy does."""


class _Gone(Exception):
    """The client has closed its connection."""


class Proxy:
    """The ASGI application."""

    def __init__(
        self,
        upstream: str,
        observer: Observer,
        told: Told,
        settings: Settings | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """`upstream` is the URL of the server, without a slash at its end. The settings bound the bodies that are kept,
        and say under which hosts the proxy answers. Requests take a `transport`, if one is given. Raises ValueError for
        settings that make no sense."""
        self._url = httpx.URL(upstream)
        self._prefix = self._url.raw_path.rstrip(b"/")
        self._observer = observer
        self._told = told
        self._settings = settings or Settings()
        self._visitors = Visitors(self._settings)
        self._room = _Room(_ROOM)
        limits = httpx.Limits(max_connections=_CONNECTIONS, keepalive_expiry=5.0)
        self._client = httpx.AsyncClient(timeout=_TIMEOUT, limits=limits, trust_env=False, transport=transport)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one request."""
        begun = time.monotonic()
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        try:
            self._check(scope, headers)
        except Refusal as refused:
            await _refuse(send, refused)
            return
        exchange = Exchange(scope["method"], scope["path"], scope["query_string"].decode("latin-1"), headers)
        with self._copy() as body, self._copy() as answer:
            client = _Client(receive, body)
            try:
                await self._pass_on(exchange, self._request(scope, client), client, send, answer)
            except _Gone:
                return  # what has passed is no whole exchange
            finally:
                client.close()
            exchange.body, exchange.answer = body.content, answer.content
        exchange.seconds = time.monotonic() - begun
        self._told(exchange, self._observer.note(exchange))

    def _copy(self) -> "contextlib.closing[_Copy]":
        return contextlib.closing(_Copy(self._room, self._settings.max_body))

    def _check(self, scope: Message, headers: Mapping[str, str]) -> None:
        """Raises a refusal of what is not passed on."""
        if not scope["raw_path"].startswith(b"/"):
            raise refusal(400, "This proxy stands for one server: name a path of it, not a URL.")
        self._visitors.check_host(headers.get("host", ""))
        if headers.get("upgrade", "").lower() == "websocket":
            raise refusal(501, "This proxy does not pass on WebSockets.")

    def _request(self, scope: Message, client: "_Client") -> httpx.Request:
        headers, query = scope["headers"], scope["query_string"]
        is_chunked = any(name == b"transfer-encoding" for name, _ in headers)
        has_body = is_chunked or any(name == b"content-length" for name, _ in headers)
        sent = _passed(headers, b"host", *([b"content-length"] if is_chunked else []))
        return httpx.Request(
            scope["method"],
            self._url,
            headers=[(b"Host", self._url.netloc), *sent],
            content=client.body() if has_body else None,
            extensions={
                "target": self._prefix + scope["raw_path"] + (b"?" + query if query else b""),
                "timeout": _TIMEOUT.as_dict(),
            },
        )

    async def _pass_on(
        self, exchange: Exchange, request: httpx.Request, client: "_Client", send: Send, copy: "_Copy"
    ) -> None:
        """Have the server answer, and pass that on as it comes. Raises _Gone."""
        try:
            response = await self._client.send(request, stream=True, follow_redirects=False)
        except httpx.HTTPError as error:
            exchange.failure = _reason(error)
            status, code = (504, "gateway_timeout") if isinstance(error, httpx.ReadTimeout) else (502, "bad_gateway")
            await _refuse(send, refusal(status, f"{self._url.host} gave no answer: {exchange.failure}.", code))
            return
        exchange.status, raw = response.status_code, response.headers.raw
        exchange.answer_headers = [(name.lower(), value) for name, value in raw]
        try:
            await send({"type": "http.response.start", "status": exchange.status, "headers": _passed(raw)})
            async for piece in response.aiter_raw():
                client.check()
                copy.add(piece)
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        except httpx.HTTPError as error:
            # The answer stays without an end, so uvicorn cuts the connection, and the client sees what we have seen.
            exchange.failure = f"the answer broke off: {_reason(error)}"
        finally:
            await response.aclose()

    async def close(self) -> None:
        """Close the connections to the server."""
        await self._client.aclose()


class _Client:
    """What a client sends, and whether it is still there."""

    def __init__(self, receive: Receive, copy: "_Copy") -> None:
        self._receive = receive
        self._copy = copy
        self._leaving: asyncio.Task[None] | None = None

    async def body(self) -> AsyncIterator[bytes]:
        """The body of its request, which is copied. Raises _Gone."""
        more = True
        while more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise _Gone
            more = message.get("more_body", False)
            if piece := message.get("body", b""):
                self._copy.add(piece)
                yield piece

    def check(self) -> None:
        """Raises _Gone if it has left while it was being answered."""
        if self._leaving is None:
            self._leaving = asyncio.create_task(self._leave())
        if self._leaving.done():
            raise _Gone

    async def _leave(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass

    def close(self) -> None:
        """Wait for it no longer."""
        if self._leaving is not None:
            self._leaving.cancel()


class _Room:
    """How many bytes of bodies may still be kept."""

    def __init__(self, free: int) -> None:
        self.free = free


class _Copy:
    """A copy of a body that passes: the whole of it, or nothing if it is too large."""

    def __init__(self, room: _Room, most: int) -> None:
        self._room = room
        self._most = most
        self._pieces: list[bytes] = []
        self._size = 0
        self._is_whole = True

    def add(self, piece: bytes) -> None:
        """Keep a piece, or give up."""
        if not self._is_whole:
            return
        if self._size + len(piece) > self._most or len(piece) > self._room.free:
            self.close()
            self._is_whole = False
            return
        self._pieces.append(piece)
        self._size += len(piece)
        self._room.free -= len(piece)

    @property
    def content(self) -> bytes | None:
        """The body; None if it was too large to be kept."""
        return b"".join(self._pieces) if self._is_whole else None

    def close(self) -> None:
        """Forget it."""
        self._room.free += self._size
        self._pieces.clear()
        self._size = 0


def _passed(headers: Headers, *without: bytes) -> Headers:
    """The headers that are for the other side."""
    named = b",".join(value for name, value in headers if name.lower() == b"connection").lower()
    dropped = {*_HOP_BY_HOP, *without, *(name.strip() for name in named.split(b","))}
    return [(name, value) for name, value in headers if name.lower() not in dropped]


async def _refuse(send: Send, refused: Refusal) -> None:
    """Answer in the shape of the API's errors."""
    body = refused.body()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": refused.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _reason(error: httpx.HTTPError) -> str:
    return str(error) or type(error).__name__


class Server(uvicorn.Server):
    """Serves a proxy until a signal ends it; a second one ends it at once. Unlike uvicorn's, it survives the signal,
    because there is a report to write."""

    def __init__(self, proxy: Proxy, ready: Callable[[], None] = lambda: None) -> None:
        """`ready` is called when it serves, and a signal would end it."""
        config = uvicorn.Config(
            proxy,
            http="h11",  # unlike httptools, it bounds the head of a request, and shows the target as it was sent
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            timeout_graceful_shutdown=_GRACE,
        )
        super().__init__(config)
        self._proxy = proxy
        self._ready = ready
        logging.getLogger("uvicorn.error").addFilter(_is_news)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to end."""
        self.force_exit = self.should_exit
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to serve."""
        await super().startup(sockets)
        self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop serving, and close the connections to the server behind."""
        await super().shutdown(sockets)
        await self._proxy.close()


_NO_NEWS = ("without completing response", "Unsupported upgrade request", "No supported WebSocket library")
"""Parts of messages of uvicorn's about what is meant so, and told otherwise."""


def _is_news(record: logging.LogRecord) -> bool:
    return not any(part in str(record.msg) for part in _NO_NEWS)
