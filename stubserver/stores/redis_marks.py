"""Marks of the processes that may hold entries which are not in Redis yet.

Each has a number that differs from all before. A process that has stored all that it held changes its number, or
removes its mark.
"""

import asyncio
import time
from collections.abc import Mapping

from stubserver.stores.redis_calls import RedisCalls
from stubserver.stores.redis_directory import pairs
from stubserver.stores.store import new_life
from stubserver.stores.wire import Command

_DEAD = 2.0
"""Seconds after which a mark that has not changed is that of a process that was killed."""
_WAIT = 0.003
"""Seconds between two looks at the marks."""


class Marks:
    """The mark of this process, and those of others."""

    def __init__(self, calls: RedisCalls, key: str, ttl: int) -> None:
        """They are under one key, which lives for `ttl` seconds after a mark was left."""
        self._calls = calls
        self._key, self._ttl = key, ttl
        self._process = new_life()
        self._number = 0
        self.is_left = False
        """Whether there is one of this process."""
        self.is_wanted = False
        """Whether there should be one."""

    def leaving(self) -> list[Command]:
        """What leaves a mark, if one is wanted; `is_left` is to be set once it was carried out."""
        if self.is_left or not self.is_wanted:
            return []
        return self._changing()

    def _changing(self) -> list[Command]:
        self._number += 1
        return [["HSET", self._key, self._process, self._number], ["EXPIRE", self._key, self._ttl]]

    async def settle(self) -> None:
        """Change the mark if it is still wanted, or else remove it. Raises Unavailable."""
        if self.is_wanted:
            await self._calls.read(self._changing())
            self.is_left = True
        else:
            await self.remove()
        self.is_wanted = False

    async def remove(self) -> None:
        """Remove the mark, so that nobody waits for this process. Raises Unavailable."""
        await self._calls.read([["HDEL", self._key, self._process]])
        self.is_left = self.is_wanted = False

    async def wait(self) -> None:
        """Wait until each mark of another process has changed or gone. Time does not count against the deadline. Raises
        Unavailable."""
        started, marks = time.monotonic(), await self._others()
        while marks and time.monotonic() < started + _DEAD:
            await asyncio.sleep(_WAIT)
            self._calls.deadline += _WAIT
            now = await self._others()
            marks = {process: number for process, number in marks.items() if now.get(process) == number}
        if marks:
            await self._calls.read([["HDEL", self._key, *marks]])

    async def _others(self) -> Mapping[bytes, bytes]:
        (found,) = await self._calls.read([["HGETALL", self._key]])
        marks = dict(pairs(found))
        marks.pop(self._process.encode(), None)
        return marks
