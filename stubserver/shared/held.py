"""What this process has answered but not stored: requests of turns that only read, since storing costs more than that.

A change is stored before it is answered. What a turn that only reads adds to journals and counters may be held, and is
stored with the next change, or after some milliseconds, and at the end. Whoever wants to know what is in a journal or a
counter first has all processes settle: each stores what it holds. With SQLite, processes that hold something share the
lock of a file, and whoever wants to know waits until it has it alone. With Redis, a process leaves a mark before it
first answers like that, and changes the mark whenever it has stored all; whoever wants to know waits until every mark
has changed or gone, and removes one that stays as it is for two seconds, since its process is dead. Numbers of requests
come from the store, as ever, so none is given twice. Thus a process that is killed takes along the entries of reads
that it answered in its last milliseconds, and nothing else.
"""

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from stubserver.shared.batch import Batch
from stubserver.shared.turn import Counted, Turn, summed
from stubserver.stores.store import Commit, Version
from stubserver.worlds.world import World

_MOST = 512
"""How many requests may be held."""
_ROOM = 8 * 1024 * 1024
"""How many bytes what is held may take, about."""


@dataclass
class _Requests:
    """Those of one world."""

    world: World
    version: Version
    batch: Batch


class Held:
    """What a process holds."""

    def __init__(self) -> None:
        self._requests: dict[str, _Requests] = {}
        """Name of a world -> its requests."""
        self._counted: Counted = {}
        self.count = 0
        """How many requests there are."""
        self._size = 0
        self.since = time.monotonic()
        """When the first of them was answered, by the monotonic clock."""

    def __bool__(self) -> bool:
        return self.count > 0

    def has_room(self, turn: Turn) -> bool:
        """Whether the requests of a turn can be held, too."""
        batches = turn.entries.values()
        count, size = sum(map(len, batches)), sum(batch.size for batch in batches)
        return self.count + count <= _MOST and self._size + size <= _ROOM

    def add(self, turn: Turn, world: World, version: Version) -> None:
        """Hold what a turn adds to the journal of a world."""
        if not self.count:
            self.since = time.monotonic()
        batch, known = turn.entries[world.name], self._requests.get(world.name)
        if known is None or known.version.life != version.life:  # the journal of before is gone
            self._requests[world.name] = _Requests(world, version, batch)
        else:
            known.world, known.version = world, version
            known.batch.extend(batch)
        self.count += len(batch)
        self._size += batch.size

    def count_up(self, turn: Turn) -> None:
        """Hold what a turn adds to counters."""
        for counts in turn.counted.values():
            for names, count in counts.items():
                self._counted[names] = self._counted.get(names, 0) + count

    def commits(self, known: Mapping[str, Version]) -> Iterator[Commit]:
        """What there is to store, but for worlds that are `known` to have been made anew: their journals of before are
        gone. The versions may be older than those in the store: nothing changes."""
        for name, held in self._requests.items():
            world, version = held.world, held.version
            if known.get(name, version).life != version.life:
                continue
            yield Commit(name, version, version, held=world.held, asked=world.asked, entries=held.batch.packed())

    @property
    def counted(self) -> Counter[str]:
        """What there is to add to counters."""
        return summed([self._counted])
