"""Connections with the fast lane: requests that it can answer never become tasks of the event loop."""

import asyncio
from functools import partial
from typing import Any

from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from stubserver.errors import Refusal
from stubserver.lane.connection import Connection
from stubserver.pipeline.answer import Headers


class Protocol(Connection):
    """A connection with the lane. Every request that starts while uvicorn's parser has nothing left to read is offered
    to the lane first; whatever it declines is passed to uvicorn unchanged, with all that follows."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._lane = self.config.app.lane  # type: ignore[union-attr]
        self._begun = b""
        """A request for the lane whose body is incomplete."""
        self._answers: list[bytes] = []
        """Answers of the lane that have not been sent yet."""
        self._size = 0
        """Their total size, in bytes."""
        self._last_used = 0.0
        """When the connection began or the lane last answered, by the event loop's clock."""
        self._waits = False
        """Whether a request waits for its turn; what follows it is in `_begun`."""
        self._ends = False
        """Whether the connection closes after the request that waits."""
        self._has_all = False
        """Whether the client had sent all by then."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin, and wait for a first request no longer than for the next one."""
        super().connection_made(transport)
        self._last_used = self.loop.time()
        self._close_if_idle_for(self.timeout_keep_alive)

    def data_received(self, data: bytes) -> None:
        """Offer received data to the lane, and pass what it leaves to uvicorn's parser."""
        if self._waits:
            self._begun += data
            if len(self._begun) > HIGH_WATER_LIMIT:
                self.flow.pause_reading()
            return
        if self._lane is not None and self._between:
            data = self._offer_to_lane(self._begun + data)
        if data:
            super().data_received(data)

    def eof_received(self) -> bool:  # type: ignore[override]
        """Send what is buffered before the connection closes."""
        self._send()
        if self._waits:
            self._has_all = True
            return True
        return super().eof_received()

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
                self._await_more()
                return b""
            if end <= len(data) and self._lane.takes_turns:
                self._waits, self._begun = True, data[end:]
                self._lane.offer(head, data[body:end], self._write, partial(self._resume, data[start:end]))
                return b""
            if end > len(data) or not self._lane.answer(head, data[body:end], self._write):
                break
            start = end
        return data[start:]

    def _resume(self, sent: bytes, answered: bool) -> None:
        """Go on after a request has had its turn; if the lane could not answer it, the stack does."""
        self._waits = False
        if self.transport.is_closing():
            return
        following, self._begun = self._begun, b""
        self.flow.resume_reading()
        if not answered:
            super().data_received(sent)
        if following:
            self.data_received(following)
        if self._waits:
            return
        if self._has_all and not self.eof_received():
            self.transport.close()
        elif self._ends:
            self.shutdown()

    def _write(self, status: int, headers: Headers, body: bytes) -> None:
        """Buffer an answer of the lane, formatted as uvicorn would. It is sent once all connections with pending input
        have been read: doing all the work before all the writing is cheapest for both sides."""
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
        if left > 0 or self._waits:
            self._close_if_idle_for(max(left, 1))
        else:
            super().timeout_keep_alive_handler()

    def shutdown(self) -> None:
        """Send what is buffered, pass an incomplete request to uvicorn, and shut down."""
        self._send()
        self._ends = True
        if self._waits:
            return
        begun, self._begun = self._begun, b""
        if begun:
            super().data_received(begun)
        super().shutdown()

    def _is_incomplete(self) -> bool:
        return (bool(self._begun) and not self._waits) or super()._is_incomplete()

    def _is_idle(self) -> bool:
        return not self._waits and super()._is_idle()

    def _send_refusal(self, refused: Refusal) -> None:
        self._send()
        super()._send_refusal(refused)
