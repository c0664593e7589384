"""Calls of Redis: scripts by their digests, errors in words, and what has time until the next call."""

import re
import time
from collections.abc import Iterable, Sequence
from typing import Any

from redis.exceptions import NoScriptError

from stubserver.stores.cluster import ClusterLink, link
from stubserver.stores.link import Interrupted, Unreachable
from stubserver.stores.redis_scripts import ALL, DIGEST
from stubserver.stores.store import Unavailable
from stubserver.stores.wire import Command

_LEAST = 0.05
"""Seconds to wait for an answer at least."""


class RedisCalls:
    """What a store asks of its Redis."""

    def __init__(self, url: str) -> None:
        """Raises ValueError for a URL that cannot be."""
        self._url = url
        self._link = link(url)
        self.name = str(self._link.address)
        """What it is called in messages."""
        self.deadline = 0.0
        """When waiting ends, by the monotonic clock."""
        self.later: list[Command] = []
        """Commands that go with whatever is asked next; nobody needs their replies."""

    async def ask(self, commands: Sequence[Command], spare: float = 0.0) -> list[Any]:
        """The replies to commands, errors among them, `spare` seconds before the deadline. Raises Unavailable if none
        was carried out, and Interrupted."""
        later, self.later = self.later, []
        try:
            replies = (await self._link.ask([*later, *commands], self._left(spare)))[len(later) :]
        except Unreachable as error:
            self.later = later
            raise Unavailable(line(error)) from None
        if any(isinstance(reply, NoScriptError) for reply in replies):
            replies = await self._again(commands, replies)
        return replies

    async def _again(self, commands: Sequence[Command], replies: Sequence[Any]) -> list[Any]:
        """Have done what Redis could not do without the text of a script, which it keeps from then on. Raises
        Interrupted, since other commands were carried out."""
        failed = [number for number, reply in enumerate(replies) if isinstance(reply, NoScriptError)]
        with_text: list[Command] = [["EVAL", ALL[str(commands[number][1])], *commands[number][2:]] for number in failed]
        try:
            answers = await self._link.ask(with_text, self._left())
        except Unreachable as error:
            raise Interrupted(str(error)) from None
        merged = list(replies)
        for number, answer in zip(failed, answers, strict=True):
            merged[number] = answer
        return merged

    def _left(self, spare: float = 0.0) -> float:
        return max(self.deadline - time.monotonic() - spare, _LEAST)

    async def read(self, commands: Sequence[Command]) -> list[Any]:
        """Replies to commands that may be lost without harm. Raises Unavailable, also for errors in replies."""
        try:
            replies = await self.ask(commands)
        except Interrupted as error:
            raise Unavailable(line(error)) from None
        if told := self.error(replies):
            raise Unavailable(told)
        return replies

    async def note(self, commands: Iterable[Command]) -> list[Any]:
        """Note, or sum up, what has been done. If that fails, it does so without harm, and there are no replies."""
        try:
            return await self.read([*commands])
        except Unavailable:
            return []

    def error(self, replies: Sequence[Any]) -> str:
        """The first error in replies, in words; empty if there is none."""
        return next((f"{self.name}: {line(reply)}" for reply in replies if isinstance(reply, Exception)), "")

    async def check(self) -> None:
        """Raises Unavailable if this Redis cannot be trusted with worlds: it would drop keys as it likes, or has only
        some of them. A Redis that does not tell is trusted."""
        (told,) = await self.note([["INFO"]]) or [b""]
        policy = re.search(r"maxmemory_policy:(\S+)", told.decode(errors="replace"))
        if policy and policy[1] != "noeviction":
            message = f"maxmemory-policy is {policy[1]}, so it may drop parts of a world"
            raise Unavailable(f"{self.name}: {message}; set it to noeviction")
        if b"cluster_enabled:1" in told and not isinstance(self._link, ClusterLink):
            raise Unavailable(f"{self.name} is a node of a cluster: add the option cluster=true to the URL")

    async def close(self) -> None:
        """Let go of connections; they are opened again when they are needed."""
        await self._link.close()
        self._link = link(self._url)  # the old one is closed for good


def script(text: str, keys: Sequence[str], *values: str | bytes | int) -> Command:
    """The command that runs a script."""
    return ["EVALSHA", DIGEST[text], len(keys), *keys, *values]


def line(error: Exception) -> str:
    """What an error says, as a part of a line."""
    return " ".join(str(error).split()).rstrip(".")
