"""A link to Redis that loses what it is told to lose: answers, commands, or the connection."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Literal

from stubserver.stores.cluster import ClusterLink
from stubserver.stores.link import Interrupted, Link, Unreachable
from stubserver.stores.redis_calls import RedisCalls
from stubserver.stores.wire import Command

Event = Literal["answer", "commands", "connection", "nothing"] | int | Callable[[], Awaitable[object]]
"""What happens in a call: the answer is lost; the commands are lost, and nobody knows that; there is no connection;
nothing; only so many of the commands arrive; or somebody else is faster."""


class Lossy:
    """Stands for the link of a store."""

    def __init__(self, link: Link | ClusterLink, events: Sequence[Event]) -> None:
        """The events are those of the next calls; after them, nothing happens."""
        self._link = link
        self.events = [*events]
        self.asked: list[Sequence[Command]] = []
        """The commands of all calls."""

    async def ask(self, commands: Sequence[Command], patience: float) -> list[Any]:
        """See Link."""
        self.asked.append(commands)
        event = self.events.pop(0) if self.events else "nothing"
        if event == "connection":
            raise Unreachable("Redis is\nnot there.")
        if callable(event):
            await event()
        arrived = {"commands": 0, "answer": len(commands)}.get(event, event) if isinstance(event, str) else event
        if isinstance(arrived, int):
            await self._link.ask(commands[:arrived], patience)
            raise Interrupted("Redis closed\nthe connection.")
        return await self._link.ask(commands, patience)

    async def close(self) -> None:
        """See Link."""
        await self._link.close()


def lose(calls: RedisCalls, *events: Event) -> Lossy:
    """Let these events happen in the next calls."""
    link = calls._link
    calls._link = lossy = Lossy(link._link if isinstance(link, Lossy) else link, events)  # type: ignore[assignment]
    return lossy
