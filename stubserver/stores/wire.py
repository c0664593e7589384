"""One connection to Redis: bytes out, replies in. It ends at the first sign that replies may be out of step."""

import asyncio
import contextlib
import errno
import socket
import ssl
from collections.abc import Callable, Sequence
from typing import Any, cast

import hiredis
from redis.connection import DefaultParser
from redis.exceptions import RedisError, ResponseError

MAX_REPLIES = 1024 * 1024 * 1024
"""Maximum size of the replies to one call, in bytes: twice what Redis allows for one value."""
_CLOSING = 1
"""Seconds that a socket is given to close; it hardly needs any."""
CLOSED = "closed the connection"
_NO_REDIS = "does not speak the protocol of Redis"
_MORE = object()
_KEEPALIVE = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3}
"""Seconds and probes after which an idle connection to a dead host is found out; not every system has all of them."""

Command = Sequence[str | bytes | int]
_parse_error = cast(Callable[[str], RedisError], DefaultParser.parse_error)
_pack_command = cast(Callable[[Command], bytes], hiredis.pack_command)  # its own type is that of a tuple of one


class Lost(Exception):
    """The connection has ended, and the replies have not all come. The message continues the server's name."""


def pack(commands: Sequence[Command]) -> bytes:
    """The bytes of some commands. Raises TypeError or ValueError for what is no command."""
    for command in commands:
        if isinstance(command, str | bytes):
            raise TypeError(
                f"A command is a sequence of its parts, such as ('GET', 'key'), not {type(command).__name__}."
            )
        if not command:
            raise ValueError("A command has at least its name, and one is empty.")
    return b"".join([_pack_command(tuple(command)) for command in commands])


def too_late(patience: float) -> str:
    """What a server did that has used up all patience, in seconds."""
    return f"did not answer within {round(patience, 3):g} second{'s' * (patience != 1)}"


def failure(error: OSError) -> str:
    """Why there is no connection, as the continuation of the server's name."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"has a certificate that is not accepted: {error.verify_message.removesuffix('.')}"
    if isinstance(error, ssl.SSLError):
        return f"refused TLS: {getattr(error, 'reason', '') or error.args[-1]}"
    if isinstance(error, socket.gaierror):
        return f"cannot be found: {error.strerror}"
    if f"[Errno {errno.ECONNREFUSED}]" in str(error):
        return "refused the connection"  # the text is that of several addresses, none of which listens
    return CLOSED if isinstance(error, ConnectionError) else f"cannot be reached: {error.strerror or error}"


def _refusal(text: str) -> RedisError:
    """redis-py's exception for an error reply."""
    try:
        return _parse_error(text)
    except ValueError:  # a redirection to nowhere
        return ResponseError(text)


class Wire(asyncio.Protocol):
    """One connection, from its opening to its end. `lost` says why it ended; it is empty until then."""

    def __init__(self) -> None:
        self.lost = ""
        self._is_gone = asyncio.Event()
        self._transport: asyncio.Transport | None = None
        self._reader = hiredis.Reader(replyError=_refusal, notEnoughData=_MORE)
        self._replies: list[Any] = []
        self._count = self._size = 0
        self._waiter: asyncio.Future[bool] | None = None

    async def ask(self, packed: bytes, count: int, deadline: float, patience: float) -> list[Any]:
        """Send `count` commands, packed, and return their replies. The deadline is a time of the loop; the patience is
        for the message. Raises Lost. Whatever it raises, CancelledError included, the connection has ended."""
        if self._transport is None or self.lost:
            raise Lost(self.lost)
        loop = asyncio.get_running_loop()
        self._replies, self._count, self._size = [], count, 0
        self._waiter = loop.create_future()
        timer = loop.call_at(deadline, self._expire, patience)
        try:
            self._transport.write(packed)
            is_complete = await self._waiter
        except BaseException:
            self.end("was left while it answered")
            raise
        finally:
            timer.cancel()
        if not is_complete:
            raise Lost(self.lost)
        return self._replies

    def end(self, reason: str) -> None:
        """End the connection at once, for a reason that continues the server's name."""
        self.lost = self.lost or reason
        if self._transport is not None:
            self._transport.abort()
        self._settle(is_complete=False)

    async def close(self, reason: str) -> None:
        """End the connection, and wait until the socket is closed."""
        self.end(reason)
        if self._transport is not None:
            with contextlib.suppress(TimeoutError):  # uvloop never tells if the call was cancelled just when connected
                await asyncio.wait_for(self._is_gone.wait(), _CLOSING)

    def _expire(self, patience: float) -> None:
        self.end(too_late(patience))

    def _settle(self, is_complete: bool) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(is_complete)

    # What the loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        _keep_alive(transport.get_extra_info("socket"))
        if self.lost:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._size += len(data)
        if self._waiter is None or self._waiter.done():
            self.end("sent what nobody had asked for")
        elif self._size > MAX_REPLIES:
            self.end(f"answered with more than {MAX_REPLIES} bytes")
        else:
            self._read(data)

    def eof_received(self) -> None:
        self.end(CLOSED)

    def connection_lost(self, error: Exception | None) -> None:
        self.end(failure(error) if isinstance(error, OSError) else CLOSED)
        self._is_gone.set()

    def _read(self, data: bytes) -> None:
        self._reader.feed(data)
        try:
            while (reply := self._reader.gets()) is not _MORE:
                self._replies.append(reply)
        except (hiredis.ProtocolError, MemoryError):  # the latter for the length of a list that cannot be
            self.end(_NO_REDIS)
            return
        missing = self._count - len(self._replies)
        if missing < 0:
            self.end("sent more replies than there were commands")
        elif not missing:
            self._settle(is_complete=True)


def _keep_alive(plug: socket.socket) -> None:
    """Have the system find out that the host is gone, while nothing is asked."""
    with contextlib.suppress(OSError):  # a Unix socket has none of this
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in _KEEPALIVE.items():
            if hasattr(socket, name):
                plug.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
