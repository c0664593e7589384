"""The link of a process to Redis: commands out, replies in, and exact about what may have happened if they do not come.

It never repeats a command by itself. Nothing here knows what is kept in Redis.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from redis.exceptions import NoPermissionError, RedisError

from stubserver.stores.redis_url import Address, read_url
from stubserver.stores.wire import CLOSED, Command, Lost, Wire, failure, pack, too_late


class Unreachable(Exception):
    """No command was sent, so certainly nothing happened. The message says in one line what and where."""


class Interrupted(Exception):
    """Commands were or may have been sent, and their replies did not all come: what happened is unknown. The message
    says in one line what and where."""


class Link:
    """A server of Redis, and one connection to it: opened when first needed, and again after it was lost."""

    def __init__(self, where: str | Address) -> None:
        """`where` is a URL, or the address that read_url made of one. Raises ValueError, with one line, for a URL that
        cannot be. Nothing is opened yet."""
        self.address = read_url(where) if isinstance(where, str) else where
        self._wire: Wire | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_busy = self._is_closed = False

    async def ask(self, commands: Sequence[Command], patience: float) -> list[Any]:
        """Send all commands in one write and return their replies in order: bytes, int, list, None, or, in the place of
        a reply, the exception of redis-py for an error (a ResponseError, or BusyLoadingError). Each command has exactly
        one reply: no SUBSCRIBE, MONITOR, CLIENT REPLY. `patience`, in seconds, bounds the whole call, connecting
        included.

        Raises Unreachable or Interrupted, and after the latter the connection is not used again; TypeError or
        ValueError for what is no command; RuntimeError if another call is under way, or was made in another loop."""
        packed = pack(commands)
        if not commands:
            return []
        if not patience > 0:
            raise ValueError(f"Patience is a number of seconds above 0, not {patience}.")
        return await self.send(packed, len(commands), asyncio.get_running_loop().time() + patience, patience)

    async def send(self, packed: bytes, count: int, deadline: float, patience: float) -> list[Any]:
        """The same for `count` commands that are packed, until a time of the loop; the patience is for messages."""
        self._enter()
        try:
            wire = self._wire
            if wire is None or wire.lost:
                wire = await self._open(deadline, patience)
            return await wire.ask(packed, count, deadline, patience)
        except Lost as lost:
            raise Interrupted(f"{self.address} {lost}.") from None
        finally:
            self._is_busy = False

    async def close(self) -> None:
        """End the connection for good; a call that is under way raises."""
        self._is_closed = True
        if self._wire is not None:
            await self._wire.close("is no longer asked: the link was closed")

    def _enter(self) -> None:
        loop = asyncio.get_running_loop()
        if self._is_busy:
            raise RuntimeError(f"Another call is under way on the link to {self.address}.")
        if self._loop is not loop and self._wire is not None and not self._wire.lost:
            raise RuntimeError(f"The link to {self.address} is open in another event loop.")
        self._loop, self._is_busy = loop, True

    async def _open(self, deadline: float, patience: float) -> Wire:
        """A new connection, logged in. Raises Unreachable."""
        if self._is_closed:
            raise Unreachable(f"{self.address} is no longer asked: the link was closed.")
        wire = self._wire = Wire()
        try:
            async with asyncio.timeout_at(deadline):
                await self.address.connect(lambda: wire)
            await self._greet(wire, deadline, patience)
            if wire.lost:  # since the last reply
                raise Unreachable(f"{self.address} {wire.lost}.")
        except BaseException as error:
            wire.end("was left while it was connected")
            self._wire = None
            if isinstance(error, TimeoutError):
                hint = " If it does without TLS, the URL begins with redis://." if self.address.tls else ""
                raise Unreachable(f"{self.address} {too_late(patience)}.{hint}") from None
            if isinstance(error, OSError):
                raise Unreachable(f"{self.address} {failure(error)}.") from None
            raise
        return wire

    async def _greet(self, wire: Wire, deadline: float, patience: float) -> None:
        """Log in, select the database, give the connection a name. Raises Unreachable."""
        greeting = self.address.greeting()
        try:
            replies = await wire.ask(pack(greeting), len(greeting), deadline, patience)
        except Lost as lost:
            hint = _HINTS[self.address.tls is not None] if str(lost) == CLOSED else ""
            raise Unreachable(f"{self.address} {lost}.{hint}") from None
        for (command, *_), reply in zip(greeting, replies, strict=True):
            if isinstance(reply, RedisError) and not _is_harmless(reply):
                text = str(reply).partition(". ")[0].removesuffix(".")
                raise Unreachable(f"{self.address} {_REFUSALS[command]}: {text}.")


_HINTS = {
    False: " If it wants TLS, the URL begins with rediss://.",
    True: " If it wants a certificate, the URL needs ssl_certfile and ssl_keyfile.",
}
"""What a server that closes the connection at once may want, by whether TLS is used."""
_REFUSALS = {
    "AUTH": "refused the login",
    "SELECT": "refused the database",
    "CLIENT": "refused the connection",
}
"""What a server did that answers a command of the greeting with an error."""


def _is_harmless(error: RedisError) -> bool:
    """Whether the server only withholds a command: a user may not name connections, or a proxy does not know how."""
    return isinstance(error, NoPermissionError) or "unknown command" in str(error).lower()
