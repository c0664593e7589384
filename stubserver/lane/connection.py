"""HTTP/1.1 connections: uvicorn's protocol without its gaps. Upgrades are ignored, what is no HTTP is refused in the
API's error shape and in its turn, and no client can make the server wait or keep data without bound."""

import asyncio
import weakref
from collections.abc import Iterable, Sized
from contextvars import Context
from functools import partial
from typing import Any

import httptools
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from stubserver.errors import Refusal, refusal
from stubserver.pipeline.answer import JSON, encoded, with_length
from stubserver.pipeline.exchange import CONNECTION

MAX_HEAD = 64 * 1024
"""Maximum size of a head (request line and headers), in bytes."""
READ_TIMEOUT = 30.0
"""Seconds to wait for the next bytes of a request that has begun."""
WRITE_TIMEOUT = 30.0
"""Seconds to wait for a client to take any byte of the answers that are ready for it."""
LINGER = 2.0
"""Seconds to discard what still arrives after a refusal; a connection closed at once is reset, and the refusal lost."""

_AROUND_HEADER = len(":\r\n")
"""Bytes of a header besides its name and value, at least."""


class Connection(HttpToolsProtocol):
    """A connection that answers requests in their order and ends with the first one that cannot be read."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._between = True
        """Whether the parser is between two requests."""
        self._head_size = 0
        """Bytes of the incomplete head, not counting those that arrived with the end of what came before it."""
        self._last_read = 0.0
        """When part of an incomplete request last arrived, by the event loop's clock."""
        self._patience: asyncio.TimerHandle | None = None
        self._unread = 0
        """Bytes of answers that the client had not taken when we last looked."""
        self._last_taken = 0.0
        """When it had last taken some, or none were there, by the event loop's clock."""
        self._refused: Refusal | None = None
        """What the connection ends with, as soon as earlier requests have been answered."""
        self._answering: Any = None
        """uvicorn's cycle of the request that is being answered, or was last; later ones may have been read."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin, with our own control of the flow."""
        super().connection_made(transport)
        self.flow = _Flow(transport, self.pipeline)

    def connection_lost(self, exc: Exception | None) -> None:
        """End, and wait for nothing more. uvicorn tells only the request that was read last, so what answers an earlier
        one would go on writing."""
        if self._answering is not None and not self._answering.response_complete:
            self._answering.disconnected = True
            self._answering.message_event.set()
        super().connection_lost(exc)
        if self._patience is not None:
            self._patience.cancel()
        # They refer to this connection, too: each would keep the other until the collector runs, which is seldom.
        self.cycle = self._answering = self.scope = None  # type: ignore[assignment]
        self.pipeline.clear()

    def eof_received(self) -> bool:  # type: ignore[override]
        """Close, but first answer all requests: a client may end its half as soon as it has asked."""
        is_answering = self._between and not self._is_idle()
        if is_answering:
            self.cycle.keep_alive = False
        return is_answering

    def data_received(self, data: bytes) -> None:
        """Read, or refuse what cannot be read."""
        if self._refused is not None:
            return
        self._unset_keepalive_if_required()
        begun = self.scope
        try:
            self._read(data)
            if self._is_in_head and self.scope is begun:
                self._head_size += len(data)
                _check_size(self._head_size)
        except Refusal as refused:
            refused.__traceback__ = refused.__context__ = None  # whose frames refer to this connection
            self._refuse(refused)
        else:
            if not self._between:
                self._await_more()

    def _read(self, data: bytes | memoryview) -> None:
        """Feed the parser. Raises a refusal."""
        while data:
            try:
                self.parser.feed_data(data)
                return
            except httptools.HttpParserUpgrade as stopped:
                self._read_without_upgrade()
                data = memoryview(data)[stopped.args[0] :]
            except httptools.HttpParserError as error:
                raise self._refusal(error) from None

    def _read_without_upgrade(self) -> None:
        """Read the head again, without the header at which the parser stopped and after which it reads no body. RFC
        9110, 7.8: a server may ignore it."""
        before, url, headers = self.parser, self.url, self.headers
        lines = [b"%b %b HTTP/%b" % (before.get_method(), url, before.get_http_version().encode())]
        lines += [b"%b: %b" % header for header in headers if header[0] != b"upgrade"]
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn does
        self._read(b"\r\n".join([*lines, b"", b""]))
        self.scope["headers"] = headers

    def _refusal(self, error: httptools.HttpParserError) -> Refusal:
        """The refusal for an error of the parser, or the one that was raised in its callbacks."""
        if isinstance(error.__context__, Refusal):
            return error.__context__
        if self.parser.get_method() == b"PRI":
            return _other_version()
        return refusal(400, f"This is not a valid request in HTTP/1.1: {error.__context__ or error}.")

    @property
    def _is_in_head(self) -> bool:
        """Whether the head of a request is incomplete."""
        return not self._between and (self.cycle is None or self.cycle.scope is not self.scope)

    # Waiting for the rest of a request

    def _is_incomplete(self) -> bool:
        """Whether a request has begun and not ended."""
        return not self._between

    def _await_more(self) -> None:
        """Wait for the rest of a request. One timer serves all its parts."""
        self._last_read = self.loop.time()
        if self._patience is None:
            self._patience = self.loop.call_later(READ_TIMEOUT, self._look_for_more)

    def _look_for_more(self) -> None:
        self._patience = None
        if not self._is_incomplete() or self._refused is not None or self.transport.is_closing():
            return
        if self.flow.read_paused:  # it is not the client that is slow
            self._last_read = self.loop.time()
        left = self._last_read + READ_TIMEOUT - self.loop.time()
        if left > 0:
            self._patience = self.loop.call_later(left, self._look_for_more)
        else:
            self._refuse(refusal(408, f"The rest of the request did not arrive within {READ_TIMEOUT:g} seconds."))

    # Waiting for a reader

    def look_for_reader(self, now: float) -> None:
        """Drop the connection if its client takes nothing of what it has asked for; called now and then, with the time
        of the event loop. What is added in the meantime does not count: flow control bounds it."""
        before, self._unread = self._unread, self.transport.get_write_buffer_size()
        if not before or self._unread < before:
            self._last_taken = now
        elif now - self._last_taken >= WRITE_TIMEOUT:
            self.logger.warning(
                "Dropped %s, which has not read its answers for %g seconds.", self._sender, WRITE_TIMEOUT
            )
            self.transport.abort()

    # Refusing

    def _refuse(self, refused: Refusal) -> None:
        """End the connection with a refusal, in its turn: requests before it are answered first."""
        self.logger.warning("Refused what %s sent: %s", self._sender, refused.reason)
        in_body, self._between, self._refused = not self._between and not self._is_in_head, False, refused
        if not in_body:
            if self._is_idle():
                self._send_refusal(refused)
        elif self.pipeline and self.pipeline[0][0] is self.cycle:
            self.pipeline.popleft()  # its turn has not come yet
        elif self.cycle.response_complete:
            self._hang_up()
        elif self.cycle.response_started:
            self.cycle.keep_alive = False
        else:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
            self._send_refusal(refused)

    @property
    def _sender(self) -> str:
        return "{}:{}".format(*self.client) if self.client else "a client"

    def _is_idle(self) -> bool:
        """Whether there is no request to answer."""
        return self.cycle is None or self.cycle.response_complete

    def on_response_complete(self) -> None:
        """Go on with the next request, or with the refusal, if it is next: in a new context, because the one of this
        request has its scope, where Connexion has put it."""
        is_last = not self.pipeline
        Context().run(super().on_response_complete)
        if is_last and self._refused is not None and not self.transport.is_closing():
            self._send_refusal(self._refused)

    def _send_refusal(self, refused: Refusal) -> None:
        """Answer with a refusal, formatted as uvicorn would, and hang up."""
        body = refused.body()
        content = [STATUS_LINE[refused.status]]
        headers = with_length(encoded({"Connection": "close"}, JSON), refused.status, body)
        for name, value in (*self.server_state.default_headers, *headers):
            content += (name, b": ", value, b"\r\n")
        self.transport.write(b"".join((*content, b"\r\n", body)))
        self._hang_up()

    def _hang_up(self) -> None:
        """End our half of the connection, and soon the other one."""
        self.flow.resume_reading()
        self.transport.write_eof()
        self.loop.call_later(LINGER, self.transport.close)

    # Callbacks of the parser

    def on_message_begin(self) -> None:
        """Note that the parser is inside a request."""
        self._between = False
        self._head_size = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Have the request answered, unless it is about to be read again. The task that answers runs later, so it sees
        the extension that is set here. Raises a refusal."""
        if self.parser.get_http_version() not in ("1.1", "1.0"):
            raise _other_version()
        if self.parser.get_method() == b"CONNECT":
            raise refusal(501, "This server is not a proxy, so it does not support CONNECT.")
        _check_size(len(self.url) + sum(len(name) + len(value) + _AROUND_HEADER for name, value in self.headers))
        _check_coding(value for name, value in self.headers if name == b"transfer-encoding")
        if self.parser.should_upgrade():
            return
        super().on_headers_complete()
        self.headers = []  # trailers go there, and are dropped
        answering = weakref.ref(self.cycle)  # whose scope has this function, so that each would keep the other

        def drop() -> None:
            if (cycle := answering()) is not None:
                cycle.disconnected = True  # so that uvicorn does not complain about a missing answer
            self.transport.abort()

        self.scope["extensions"] = {CONNECTION: {"drop": drop}}

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        self._answering = cycle
        super()._start_asgi_task(cycle, partial(_until_cancelled, app))

    def on_message_complete(self) -> None:
        """Note that the parser is between requests again."""
        if not self.parser.should_upgrade():
            self._between = True
            super().on_message_complete()


class _Flow(FlowControl):
    """uvicorn's control of the flow, which reads on only when all that has been read is being answered."""

    def __init__(self, transport: asyncio.Transport, waiting: Sized) -> None:
        super().__init__(transport)
        self._waiting = waiting

    def resume_reading(self) -> None:
        """Read on, unless requests are waiting."""
        if not self._waiting:
            super().resume_reading()


async def _until_cancelled(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Run the application; drop the connection if the server cannot wait for it any longer."""
    try:
        await app(scope, receive, send)
    except asyncio.CancelledError:
        scope["extensions"][CONNECTION]["drop"]()


def _other_version() -> Refusal:
    return refusal(505, "This server speaks HTTP/1.1 only.")


def _check_size(size: int) -> None:
    """Raises a 431 refusal if a head is too large."""
    if size > MAX_HEAD:
        raise refusal(431, f"The request line and headers are larger than {MAX_HEAD} bytes together.")


def _check_coding(codings: Iterable[bytes]) -> None:
    """Raises a 501 refusal if a body is sent in any other way than in plain chunks."""
    for coding in codings:
        if coding.lower() != b"chunked":
            raise refusal(501, f"Transfer-Encoding must be chunked, not {coding.decode('latin-1')!r}.")
