"""A request and its answer in the hands of faults: wait, hold the answer back, shape it, drop the connection."""

import asyncio
from collections.abc import Awaitable, Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stubserver.call import Call

CONNECTION = "stubserver.connection"
"""The ASGI extension that can `drop` the connection; what comes over a socket has it."""
_PIECES = 20
"""Number of pieces in which a dripping answer is sent."""


class Exchange:
    """A request on its way to the next hops, and the answer on its way back."""

    def __init__(self, app: ASGIApp, call: Call, scope: Scope, receive: Receive, send: Send) -> None:
        self.call = call
        self._app = app
        self._scope = scope
        self._receive = receive
        self._send = send
        self._answer: tuple[Message, bytes] | None = None
        """Start and whole body of the answer, once there is one."""
        self._is_dropped = False
        self._is_cut = False
        self._pieces = 1
        self._seconds = 0.0

    async def wait(self, seconds: float) -> None:
        """Let time pass, for this request only."""
        await asyncio.sleep(seconds)

    async def hold(self, answering: Callable[[Send], Awaitable[None]]) -> None:
        """Take what `answering` sends as the answer, and hold it back."""
        messages: list[Message] = []

        async def collect(message: Message) -> None:
            messages.append(message)

        await answering(collect)
        body = b"".join(message.get("body", b"") for message in messages[1:])
        self._answer = messages[0], b"" if self.call.method == "HEAD" else body

    async def go_on(self) -> None:
        """Unless there is an answer already, let the next hops answer, and hold their answer back."""
        if self._answer is None:
            await self.hold(lambda send: self._app(self._scope, self._receive, send))

    def cut(self) -> None:
        """Have the connection dropped in the middle of the body, or before the answer if it has none."""
        self._is_cut = True

    def slow_down(self, seconds: float) -> None:
        """Have the answer sent in pieces, over `seconds` longer than before."""
        self._pieces = _PIECES
        self._seconds += seconds

    async def deliver(self) -> None:
        """Send the answer in the way it was decided; nothing, if the connection has been dropped."""
        if self._is_dropped:
            return
        await self.go_on()
        assert self._answer is not None  # noqa: S101 (there is one by now)
        start, body = self._answer
        arrives = bool(body) or not self._is_cut
        if arrives:
            await self._send(start)
        await self._send_body(body[: len(body) // 2] if self._is_cut else body, arrives)
        if self._is_cut:
            await self.drop()

    async def _send_body(self, body: bytes, arrives: bool) -> None:
        """Send the body at the decided pace; if nothing of it is to arrive, let only the time pass."""
        size = max(1, -(-len(body) // self._pieces))
        starts = range(0, max(1, len(body)), size)
        for at in starts:
            if self._seconds:
                await self.wait(self._seconds / len(starts))
            if arrives:
                more = self._is_cut or at + size < len(body)
                await self._send({"type": "http.response.body", "body": body[at : at + size], "more_body": more})

    async def drop(self) -> None:
        """Drop the connection. Raises ConnectionResetError if the server has none."""
        self._is_dropped = True
        connection = self._scope.get("extensions", {}).get(CONNECTION)
        if connection is None:
            raise ConnectionResetError("a fault of the stub server dropped the connection")
        await self.wait(0.01)  # lets what has been sent before go out
        connection["drop"]()
