"""HTTP as uvicorn speaks it, with two additions: what the fast lane can answer never becomes a task of the event loop,
and the application can drop the connection, for a fault."""

from typing import Any

from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from stubserver.pipeline.answer import Headers
from stubserver.pipeline.faults import CONNECTION


class Protocol(HttpToolsProtocol):
    """uvicorn's protocol. The lane is offered every request that begins where uvicorn's parser has nothing left to
    read; what it does not want, uvicorn gets as it came, with all that follows."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._lane = self.config.app.lane  # type: ignore[union-attr]
        self._between = True
        """Whether the parser is between two requests."""
        self._begun = b""
        """A request for the lane whose body has not come to its end."""
        self._answers: list[bytes] = []
        """What the lane has answered and is not sent yet."""
        self._size = 0
        """Bytes of these."""
        self._last_used = 0.0
        """When the lane last answered, by the clock of the event loop."""

    def data_received(self, data: bytes) -> None:
        """Read a piece of what the client sends."""
        if self._lane is not None and self._between:
            data = self._left_by_the_lane(self._begun + data)
        if data:
            super().data_received(data)

    def _left_by_the_lane(self, data: bytes) -> bytes:
        """Let the lane answer the first requests; what follows is for uvicorn."""
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
        """Whether uvicorn has nothing to answer."""
        return self.cycle is None or self.cycle.response_complete

    def _write(self, status: int, headers: Headers, body: bytes) -> None:
        """Take an answer of the lane, as uvicorn would write it. It goes out as soon as all connections have been read
        that there is something to read from: first all the work and then all the writing is the cheapest for both
        sides, and what is broken further on ends the connection as it does without the lane."""
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
        """Send what the lane has answered."""
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
        """Close a connection that nobody has used for long. One timer serves many answers of the lane, for a timer
        costs as much as a tenth of one."""
        left = self._last_used + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self._close_if_idle_for(left)
        else:
            super().timeout_keep_alive_handler()

    def shutdown(self) -> None:
        """End what has begun, and close."""
        self._send()
        begun, self._begun = self._begun, b""
        if begun:
            super().data_received(begun)
        super().shutdown()

    # What the parser calls

    def on_message_begin(self) -> None:
        """Note that the parser has begun with a request."""
        self._between = False
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Start the task that answers; it runs later, so it sees the extension."""
        super().on_headers_complete()
        cycle = self.cycle

        def drop() -> None:
            cycle.disconnected = True  # so that nobody misses the answer
            self.transport.abort()

        self.scope["extensions"] = {CONNECTION: {"drop": drop}}

    def on_message_complete(self) -> None:
        """Note that the parser has come to the end of it."""
        self._between = True
        super().on_message_complete()
