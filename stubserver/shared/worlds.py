"""The worlds of a store, as one process sees them: copies, which each turn brings up to date, and commits.

Within a turn, operations find the same registry as ever. Whatever they ask for that the turn has not brought up to date
makes them start again, once it has.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from stubserver.errors import refusal
from stubserver.settings import Settings
from stubserver.shared.copies import Copies
from stubserver.shared.room import Room
from stubserver.shared.turn import COUNTERS, DOCUMENTS, JOURNAL, SNAPSHOT, Missing, Savepoint, Turn
from stubserver.stores.store import Kept, Store, Unavailable, Unknown, Wanted, new_life
from stubserver.worlds.registry import Load, Worlds
from stubserver.worlds.snapshot import Fixture, Snapshot
from stubserver.worlds.world import World

_NAMES_GIVEN = "names"
"""The counter of names that were made up for worlds."""


class SharedWorlds(Worlds):
    """The worlds and snapshots of a store."""

    is_shared = True

    def __init__(self, store: Store, fixture: Fixture, settings: Settings, load: Load) -> None:
        super().__init__(fixture, settings, load)
        self.store = store
        self.turn = Turn()
        self._owed = Counter[str]()
        """What the store has counted for requests whose commits failed; the next commit takes it back."""
        self._copies = Copies(settings, self.load_fixture, self._worlds, self.snapshots)
        self._room = Room(store, settings)

    # What operations use

    def need(self, *names: str) -> None:
        """Make sure that these documents are known as they are now. Raises Missing, and a 409 refusal."""
        self.turn.used.update(names)
        if not self.turn.fresh.issuperset(names):
            raise Missing(*(name for name in names if name not in self.turn.fresh))
        if not self._copies.foreign.isdisjoint(names):
            foreign = next(name for name in names if name in self._copies.foreign)
            what = f"Snapshot {foreign.removeprefix(SNAPSHOT)}" if foreign.startswith(SNAPSHOT) else f"World {foreign}"
            message = f"{what} was made from a fixture that has changed since, as {self.store.name} says."
            raise refusal(409, f"{message} Use another store, or the fixture of then.", "conflict")

    def known(self, name: str) -> Any:
        """A journal, the list of documents, or the counters. Raises Missing."""
        if name not in self.turn.found:
            raise Missing(name)
        return self.turn.found[name]

    def counter(self, name: str) -> int:
        """A counter as it is now, with what the turn has added."""
        found: int = self.known(COUNTERS).get(name, 0)
        return found + sum(counted.get(name, 0) for counted in self.turn.counted.values())

    @property
    def documents(self) -> Mapping[str, Kept]:
        """All documents, with what the store knows of them."""
        found: Mapping[str, Kept] = self.known(DOCUMENTS)
        return found

    def _names(self) -> set[str]:
        worlds = {name for name in self.documents if not name.startswith(SNAPSHOT)}
        return worlds - self.turn.gone | self.turn.replaced

    def __iter__(self) -> Iterator[World]:
        names = sorted(self._names())
        self.need(*names)
        return iter([self._worlds[name] for name in names if name in self._worlds])

    def __len__(self) -> int:
        return len(self._names())

    def __contains__(self, name: str) -> bool:
        self.need(name)
        return name in self._worlds

    def get(self, name: str = "default") -> World:
        """See Worlds."""
        self.need(name)
        return super().get(name)

    def touch(self, name: str, fixture: str | None) -> World:
        """See Worlds."""
        self.need(name)
        return super().touch(name, fixture)

    def peek(self, name: str) -> World:
        """See Worlds."""
        self.need(name)
        return super().peek(name)

    def new_name(self) -> str:
        """See Worlds."""
        while True:
            name = f"world-{self.counter(_NAMES_GIVEN) + 1}"
            self.turn.count(name, _NAMES_GIVEN)
            if name not in self:
                return name

    def _new(self, name: str, fixture: Fixture) -> World:
        world = World(name, fixture, self.settings)
        world.forgotten = dict(self.turn.lost.get(name, {}))
        return world

    def delete(self, name: str) -> None:
        """See Worlds."""
        self.need(name)
        if name in self._worlds:
            self._remove(name)
            self.turn.gone.add(name)

    def _add(self, world: World) -> World:
        name = world.name
        self.need(name)
        if (replaced := self._worlds.get(name)) is not None:
            world.strict = replaced.strict
        self._remove(name)
        world.shared, world.life = True, new_life()
        self._worlds[name] = world
        self.turn.replaced.add(name)
        return world

    def _remove(self, name: str) -> None:
        """Forget what the turn has done to a world that is deleted or replaced."""
        self._worlds.pop(name, None)
        for names in (self.turn.replaced, self.turn.gone, self.turn.cleared):
            names.discard(name)
        self.turn.entries.pop(name, None)

    # Snapshots

    def _snapshot_names(self) -> set[str]:
        names = {name.removeprefix(SNAPSHOT) for name in self.documents if name.startswith(SNAPSHOT)}
        stored = self.turn.snapshots
        return names - {name for name in stored if stored[name] is None} | {name for name in stored if stored[name]}

    @property
    def snapshot_sizes(self) -> Mapping[str, int]:
        """See Worlds."""
        kept, stored = self.documents, self.turn.snapshots
        sizes = {}
        for name in self._snapshot_names():
            snapshot = stored.get(name)
            sizes[name] = snapshot.size if snapshot else kept[SNAPSHOT + name].held
        return sizes

    def all_snapshots(self) -> Iterable[tuple[str, Snapshot]]:
        """See Worlds."""
        names = sorted(self._snapshot_names())
        self.need(*(SNAPSHOT + name for name in names))
        return [(name, self.snapshots[name]) for name in names if name in self.snapshots]

    def snapshot(self, name: str) -> Snapshot:
        """See Worlds."""
        self.need(SNAPSHOT + name)
        return super().snapshot(name)

    def _keep_snapshot(self, name: str, snapshot: Snapshot) -> None:
        self.need(SNAPSHOT + name)
        self.snapshots[name] = self.turn.snapshots[name] = snapshot

    def delete_snapshot(self, name: str) -> None:
        """See Worlds."""
        self.snapshot(name)
        del self.snapshots[name]
        self.turn.snapshots[name] = None

    # Sizes

    @property
    def size(self) -> int:
        """See Worlds."""
        return sum(kept.held for name, kept in self.documents.items() if not name.startswith(SNAPSHOT))

    @property
    def evicted(self) -> int:
        """See Worlds."""
        return self.counter("evicted")

    def _make_room(self, used: str = "") -> None:
        """The turn does that, for all processes together."""

    # Turns

    def begin(self) -> None:
        """Begin a turn, in which nothing is known to be fresh."""
        self.turn = Turn()

    async def refresh(self, numbers: Mapping[str, int]) -> None:
        """Find out what is now: of documents, journals, or lists. Of each world, so many numbers of requests are taken.
        Raises Unavailable."""
        documents = {
            name: Wanted(self._copies.versions.get(name), count)
            for name, count in numbers.items()
            if name not in (DOCUMENTS, COUNTERS) and not name.startswith(JOURNAL)
        }
        for name, found in (await self.store.refresh(documents)).items():
            self._copies.take(name, found)
            if found.version is None:
                self.turn.lost[name] = found.forgotten
        self.turn.fresh.update(numbers)  # a list, too: a request may take its name for that of a world
        for name in numbers.keys() - documents.keys():
            self.turn.found[name] = await self._fetched(name)

    async def _fetched(self, name: str) -> Any:
        if name == DOCUMENTS:
            return await self.store.kept()
        if name == COUNTERS:
            return await self.store.counters()
        return await self.store.entries(name.removeprefix(JOURNAL))

    async def commit(self) -> frozenset[str]:
        """Commit what the turn has done. Returns the names of the documents in which that was not possible, because
        another process had changed them; all is undone there. Raises Unavailable."""
        turn = self.turn
        commits, counted = [*self._copies.commits(turn)], _sum(turn.counted.values())
        if not (commits or counted or turn.reset):
            await self.store.release()
            return frozenset()
        result = await self.store.commit(commits, self._counted(counted), turn.reset)
        self._owed = _sum(turn.counted.get(name, {}) for name in result.conflicts)
        for commit in commits:
            if commit.name in result.conflicts:
                self._copies.undo(commit.name, turn)
            else:
                self._copies.committed(commit)
        with suppress(Unavailable):  # what is to be answered is stored, and the next commit makes room, too
            await self._room.make(result.totals, {commit.name for commit in commits})
        return result.conflicts

    def _counted(self, counted: Counter[str]) -> Mapping[str, int]:
        """What the turn adds to counters, less what is owed."""
        if self._owed:
            reset = self.turn.reset
            counted.subtract({name: n for name, n in self._owed.items() if not (reset and name.startswith(reset))})
        return {name: n for name, n in counted.items() if n}

    def abandon(self, error: Unavailable) -> None:
        """Undo all that the turn has not committed; if that is unknown, forget the copies."""
        turn = self.turn
        for name in {*turn.fresh, *turn.replaced, *turn.gone, *(SNAPSHOT + name for name in turn.snapshots)}:
            if isinstance(error, Unknown):
                self._copies.forget(name)
            else:
                self._copies.undo(name, turn)

    def savepoint(self) -> Savepoint:
        """What can be returned to within the turn, of which nothing has been done yet."""
        return Savepoint(self.turn, self._worlds, self.snapshots, self._copies.states)

    def return_to(self, savepoint: Savepoint) -> None:
        """Undo what was done in the turn since."""
        self.turn = savepoint.restore()

    def trim_copies(self) -> None:
        """Forget copies that have not been used for long, as long as there are too many."""
        while len(self._worlds) > self.settings.max_worlds:
            self._copies.forget(next(iter(self._worlds)))


def _sum(counts: Iterable[Mapping[str, int]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for some in counts:
        for name, count in some.items():
            total[name] += count
    return total
