"""uvicorn's HTTP protocol with two additions: requests that the fast lane can answer never become tasks of the event
loop, and the application can drop the connection, for a fault."""

import weakref
from contextvars import Context
from typing import Any

from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from stubserver.pipeline.answer import Headers
from stubserver.pipeline.exchange import CONNECTION


class Protocol(HttpToolsProtocol):
    """uvicorn's protocol. Every request that starts while uvicorn's parser has nothing left to read is offered to the
    lane first; whatever it declines is passed to uvicorn unchanged, with all that follows."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._lane = self.config.app.lane  # type: ignore[union-attr]
        self._between = True
        """Whether the parser is between two requests."""
        self._begun = b""
        """A request for the lane whose body is incomplete."""
        self._answers: list[bytes] = []
        """Answers of the lane that have not been sent yet."""
        self._size = 0
        """Their total size, in bytes."""
        self._last_used = 0.0
        """When the lane last answered, by the event loop's clock."""

    def data_received(self, data: bytes) -> None:
        """Offer received data to the lane, and pass what it leaves to uvicorn's parser."""
        if self._lane is not None and self._between:
            data = self._offer_to_lane(self._begun + data)
        if data:
            super().data_received(data)

    def _offer_to_lane(self, data: bytes) -> bytes:
        """Let the lane answer as many requests as it can, in order; returns the rest, which is for uvicorn."""
        start, self._begun = 0, b""
        while start < len(data) and self._is_idle() and self._size < HIGH_WATER_LIMIT and not self.flow.write_paused:
            body = data.find(b"\r\n\r\n", start) + 4
            head = self._lane.heads.find(data[start:body]) if body > start + 4 else None
            if head is None:
                break
            end = body + head.length
            if end > len(data) and end - start <= HIGH_WATER_LIMIT:
                self._begun = data[start:]
                self._unset_keepalive_if_required()
                return b""
            if end > len(data) or not self._lane.answer(head, data[body:end], self._write):
                break
            start = end
        return data[start:]

    def _is_idle(self) -> bool:
        """Whether uvicorn has no request to answer."""
        return self.cycle is None or self.cycle.response_complete

    def _write(self, status: int, headers: Headers, body: bytes) -> None:
        """Buffer an answer of the lane, formatted as uvicorn would. It is sent once all connections with pending input
        have been read: doing all the work before all the writing is cheapest for both sides, and bad input later on
        ends the connection just as it would without the lane."""
        if not self._answers:
            self._last_used = self.loop.time()
            self.loop.call_soon(self._send)
        content = [STATUS_LINE[status]]
        for name, value in (*self.server_state.default_headers, *headers):
            content += (name, b": ", value, b"\r\n")
        content += (b"\r\n", body)
        self._answers.append(b"".join(content))
        self._size += len(self._answers[-1])

    def _send(self) -> None:
        """Send the buffered answers."""
        if self._answers and not self.transport.is_closing():
            self.transport.write(b"".join(self._answers))
        self.server_state.total_requests += len(self._answers)
        self._answers.clear()
        self._size = 0
        if self.timeout_keep_alive_task is None and not self._begun and self._is_idle():
            self._close_if_idle_for(self.timeout_keep_alive)

    def _close_if_idle_for(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(seconds, self.timeout_keep_alive_handler)

    def timeout_keep_alive_handler(self) -> None:
        """Close a connection that has been idle for too long. One timer serves many answers of the lane, because each
        timer costs a tenth as much as an answer."""
        left = self._last_used + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self._close_if_idle_for(left)
        else:
            super().timeout_keep_alive_handler()

    def shutdown(self) -> None:
        """Send what is buffered, pass an incomplete request to uvicorn, and shut down."""
        self._send()
        begun, self._begun = self._begun, b""
        if begun:
            super().data_received(begun)
        super().shutdown()

    def on_response_complete(self) -> None:
        """Go on with the next request, or start the timer of an idle connection: in a new context, because the one of
        the request has its scope, where Connexion has put it."""
        Context().run(super().on_response_complete)

    # Callbacks of the parser

    def on_message_begin(self) -> None:
        """Note that the parser is inside a request."""
        self._between = False
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Start the task that answers; it runs later, so it sees the extension that is set here."""
        super().on_headers_complete()
        answering = weakref.ref(self.cycle)  # whose scope has this function, so that each would keep the other

        def drop() -> None:
            if (cycle := answering()) is not None:
                cycle.disconnected = True  # so that uvicorn does not complain about a missing answer
            self.transport.abort()

        self.scope["extensions"] = {CONNECTION: {"drop": drop}}

    def on_message_complete(self) -> None:
        """Note that the parser is between requests again."""
        self._between = True
        super().on_message_complete()
