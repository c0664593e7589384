"""HTTP as uvicorn speaks it, with two additions: what the fast lane can answer never becomes a task of the event loop,
and the application can drop the connection, for a fault."""

from typing import Any

from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from stubserver.faults import CONNECTION
from stubserver.wire import Headers


class Protocol(HttpToolsProtocol):
    """uvicorn's protocol. A request that comes whole in one piece is held back and offered to the lane; where the lane
    does not want it, uvicorn gets it as it came."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._lane = self.config.app.lane  # type: ignore[union-attr]
        self._held: bytes | None = None
        """The body of the request that is held back."""
        self._answers: list[bytes] = []
        """What the lane has answered to the piece that is being read."""
        self._size = 0
        """Bytes of these."""

    def data_received(self, data: bytes) -> None:
        """Read a piece of what the client sends. Answers go out at its end, so that what is broken further on ends the
        connection as it does without the lane."""
        super().data_received(data)
        if self._held is not None:
            self._pass_on()
        if self._answers:
            self._send()

    def on_headers_complete(self) -> None:
        """Hold the request back, if it is one that the lane might answer."""
        if self._lane is not None and self._is_plain():
            self._held = b""
        else:
            self._pass_on()

    def _is_plain(self) -> bool:
        """Whether it is HTTP/1.1 with nothing special, on a connection that nobody else is using or waiting for."""
        idle = self.cycle is None or self.cycle.response_complete
        parser = self.parser
        return (
            idle
            and self._size < HIGH_WATER_LIMIT
            and not self.flow.write_paused
            and not self.expect_100_continue
            and parser.should_keep_alive()
            and not parser.should_upgrade()
            and parser.get_http_version() == "1.1"
            and all(name != b"transfer-encoding" for name, _ in self.headers)  # more headers may follow a chunked body
        )

    def _pass_on(self) -> None:
        """Let uvicorn have the request; the task that it starts runs later, so it sees the extension."""
        held, self._held = self._held, None
        self._unset_keepalive_if_required()
        super().on_headers_complete()
        cycle = self.cycle

        def drop() -> None:
            cycle.disconnected = True  # so that nobody misses the answer
            self.transport.abort()

        self.scope["extensions"] = {CONNECTION: {"drop": drop}}
        if held:
            super().on_body(held)

    def on_body(self, body: bytes) -> None:
        """Keep what was held back together."""
        if self._held is None:
            super().on_body(body)
        else:
            self._held += body

    def on_message_complete(self) -> None:
        """Let the lane answer, or else uvicorn."""
        if self._held is not None:
            if self._lane.answer(self.parser.get_method(), self.url, self.headers, self._held, self._answered):
                self._held = None
                return
            self._pass_on()
        super().on_message_complete()

    def _answered(self, status: int, headers: Headers, body: bytes) -> None:
        """Take an answer of the lane, as uvicorn would write it."""
        content = [STATUS_LINE[status]]
        for name, value in (*self.server_state.default_headers, *headers):
            content += (name, b": ", value, b"\r\n")
        content += (b"\r\n", body)
        self._answers.append(b"".join(content))
        self._size += len(self._answers[-1])

    def _send(self) -> None:
        """Write what the lane has answered."""
        if not self.transport.is_closing():
            self.transport.write(b"".join(self._answers))
        self.server_state.total_requests += len(self._answers) - 1
        self._answers.clear()
        self._size = 0
        if self.cycle is None or self.cycle.response_complete:
            self.on_response_complete()
        else:
            self.server_state.total_requests += 1
