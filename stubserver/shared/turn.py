"""What one turn has seen and done so far: what it may rely on, and what it will commit."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from stubserver.shared.batch import Batch
from stubserver.worlds.snapshot import Snapshot
from stubserver.worlds.world import State, World

SNAPSHOT = "snapshot:"
"""Prefix of the names of documents that are snapshots; no world has such a name."""
JOURNAL = "journal:"
"""Prefix of what stands for the journal of a world."""
DOCUMENTS, COUNTERS = "*", "#"
"""What stands for the list of all documents, and for all counters."""
SETTLED = "!"
"""What stands for the certainty that journals and counters have all requests that were answered before."""
Counted = dict[str | tuple[str, ...], int]
"""Counter, or several of them -> what is added to each."""
_T = TypeVar("_T")


class Missing(BaseException):
    """Something is not known as it is now. The turn finds it out, and does the work again, so no hop may catch this."""

    def __init__(self, *names: str) -> None:
        super().__init__(*names)
        self.names = names


@dataclass
class Turn:
    """A turn."""

    fresh: set[str] = field(default_factory=set)
    """The documents that are known as they are now."""
    found: dict[str, Any] = field(default_factory=dict)
    """What is known besides documents: journals, the list of documents, counters, that all is settled."""
    taken: dict[str, int] = field(default_factory=dict)
    """Name of a world -> the last of the numbers of requests that were taken for it."""
    lost: dict[str, Mapping[str, int]] = field(default_factory=dict)
    """Name of a world that was evicted -> why, and how many of its requests were lost."""
    used: set[str] = field(default_factory=set)
    """The documents that the current piece of work has used."""
    replaced: set[str] = field(default_factory=set)
    """The worlds that were made, or made anew."""
    gone: set[str] = field(default_factory=set)
    """The worlds that were deleted."""
    snapshots: dict[str, Snapshot | None] = field(default_factory=dict)
    """Name -> the snapshot that was stored under it; None if it was deleted."""
    cleared: set[str] = field(default_factory=set)
    """The worlds whose journals were emptied."""
    entries: dict[str, Batch] = field(default_factory=dict)
    """World -> new entries of its journal."""
    counted: dict[str, Counted] = field(default_factory=dict)
    """World -> what its requests have added to counters."""
    reset: str = ""
    """Prefix of the counters that were reset."""

    @property
    def only_adds(self) -> bool:
        """Whether it does nothing but add to journals and counters, as far as it is known here."""
        return not (self.replaced or self.gone or self.snapshots or self.cleared or self.reset)

    def count(self, world: str, name: str) -> None:
        """Add one to a counter, unless the world's commit fails."""
        counts = self.counted.setdefault(world, {})
        counts[name] = counts.get(name, 0) + 1

    def drop(self, world: str) -> None:
        """Forget what was to be committed for a world."""
        for names in (self.replaced, self.gone, self.cleared, self.fresh):
            names.discard(world)
        self.entries.pop(world, None)
        self.counted.pop(world, None)
        if world.startswith(SNAPSHOT):
            self.snapshots.pop(world.removeprefix(SNAPSHOT), None)


class Savepoint:
    """What a turn has found, to return to if a piece of work misses something. One is enough for all pieces: hardly any
    misses anything, and the others can be done again."""

    def __init__(
        self, turn: Turn, worlds: dict[str, World], snapshots: dict[str, Snapshot], states: Mapping[str, State]
    ) -> None:
        """Nothing has been done yet, neither in the turn nor in the copies: `states` are those of the worlds."""
        self._turn = turn
        self._copies = worlds, snapshots
        self._worlds = {name: worlds.get(name) for name in turn.fresh if not name.startswith(SNAPSHOT)}
        stored = [name.removeprefix(SNAPSHOT) for name in turn.fresh if name.startswith(SNAPSHOT)]
        self._snapshots = {name: snapshots.get(name) for name in stored}
        self._before = [
            (world, states[name], world.asked, world.forgotten) for name, world in self._worlds.items() if world
        ]

    def restore(self) -> Turn:
        """Undo all that was done since. Returns a turn that knows as much."""
        worlds, snapshots = self._copies
        _put_back(worlds, self._worlds)
        _put_back(snapshots, self._snapshots)
        for world, state, asked, forgotten in self._before:
            world.undo(0, state)
            world.asked, world.forgotten = asked, forgotten
        return Turn(fresh=self._turn.fresh, found=self._turn.found, taken=self._turn.taken, lost=self._turn.lost)


def summed(counts: Iterable[Mapping[Any, int]]) -> Counter[str]:
    """What was counted in all, by the counters."""
    total: Counter[str] = Counter()
    for some in counts:
        for names, count in some.items():
            for name in (names,) if isinstance(names, str) else names:
                total[name] += count
    return total


def _put_back(copies: dict[str, _T], before: Mapping[str, _T | None]) -> None:
    for name, copy in before.items():
        if copy is None:
            copies.pop(name, None)
        else:
            copies[name] = copy
