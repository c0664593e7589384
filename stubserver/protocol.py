"""HTTP as uvicorn speaks it, with two additions: what the fast lane can answer never becomes a task of the event loop,
and the application can drop the connection, for a fault."""

from typing import Any

from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from stubserver.faults import CONNECTION
from stubserver.wire import Headers


class Protocol(HttpToolsProtocol):
    """uvicorn's protocol. A request is held back until it is complete, then offered to the lane, and passed on as it
    came where the lane does not want it."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._lane = self.config.app.lane  # type: ignore[union-attr]
        self._held: bytes | None = None
        """The body of a request that is held back, as far as it has come."""

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
            and not self.expect_100_continue
            and not self.flow.write_paused
            and parser.should_keep_alive()
            and not parser.should_upgrade()
            and parser.get_http_version() == "1.1"
        )

    def _pass_on(self) -> None:
        """Let uvicorn have the request; the task that it starts runs later, so it sees the extension."""
        held, self._held = self._held, None
        super().on_headers_complete()
        cycle = self.cycle

        def drop() -> None:
            cycle.disconnected = True  # so that nobody misses the answer
            self.transport.abort()

        self.scope["extensions"] = {CONNECTION: {"drop": drop}}
        if held:
            super().on_body(held)

    def on_body(self, body: bytes) -> None:
        """Keep what was held back together, as long as it is small."""
        if self._held is None:
            super().on_body(body)
            return
        self._held += body
        if len(self._held) > HIGH_WATER_LIMIT:
            self._pass_on()

    def on_message_complete(self) -> None:
        """Let the lane answer, or else uvicorn."""
        if self._held is not None:
            reply = self._lane.reply(self.parser.get_method(), self.url, self.headers, self._held)
            if reply is not None:
                self._held = None
                self._send(*reply)
                return
            self._pass_on()
        super().on_message_complete()

    def _send(self, status: int, headers: Headers, body: bytes) -> None:
        """Write an answer as uvicorn would."""
        content = [STATUS_LINE[status]]
        for name, value in (*self.server_state.default_headers, *headers):
            content += (name, b": ", value, b"\r\n")
        content += (b"\r\n", body)
        self.transport.write(b"".join(content))
        self.on_response_complete()
