"""The worlds of a store, as one process sees them: copies, which each turn brings up to date, and commits.

Within a turn, operations find the same registry as ever. Whatever they ask for that the turn has not brought up to date
makes them start again, once it has.
"""

from collections.abc import Iterable, Iterator, Mapping, Set
from typing import Any

from stubserver.errors import refusal
from stubserver.settings import Settings
from stubserver.shared.commits import Commits
from stubserver.shared.copies import Copies
from stubserver.shared.turn import COUNTERS, DOCUMENTS, JOURNAL, SETTLED, SNAPSHOT, Missing, Savepoint, Turn
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
        self._copies = Copies(settings, self.load_fixture, self._worlds, self.snapshots)
        self.commits = Commits(store, self._copies, settings)

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
        """A journal, the list of documents, the counters, or that all is settled. Raises Missing."""
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

    async def refresh(self, numbers: Mapping[str, int], losses: Set[str] = frozenset()) -> None:
        """Find out what is now: of documents, journals, or lists. Of each world, so many numbers of requests are taken;
        of those in `losses`, the work may want to know what the journal has lost. Raises Unavailable."""
        if SETTLED in numbers:
            await self.commits.flush()
            await self.store.gather()
        await self._find_out(numbers, losses)
        self.turn.fresh.update(numbers)  # a list, too: a request may take its name for that of a world

    async def _find_out(self, numbers: Mapping[str, int], losses: Set[str]) -> None:
        versions = self._copies.versions
        await self._look_at(
            {name: Wanted(versions.get(name), n, name in losses) for name, n in numbers.items() if not _is_list(name)}
        )
        for name in filter(_is_list, numbers):
            self.turn.found[name] = await self._fetched(name)

    async def _look_at(self, documents: Mapping[str, Wanted]) -> None:
        for name, found in (await self.store.refresh(documents)).items():
            if found.version is None:
                self.turn.lost[name] = found.forgotten
            elif numbers := documents[name].numbers:
                self.turn.taken[name] = found.asked + numbers
            self._copies.take(name, found, documents[name].losses)

    async def _fetched(self, name: str) -> Any:
        if name == DOCUMENTS:
            return await self.store.kept()
        if name == COUNTERS:
            return await self.store.counters()
        return name == SETTLED or await self.store.entries(name.removeprefix(JOURNAL))

    async def commit(self, is_busy: bool = False) -> frozenset[str]:
        """Commit what the turn has done, or hold it if that may be, and if it `is_busy`. Returns the names of the
        documents in which that was not possible, because another process had changed them; all is undone there. Raises
        Unavailable."""
        conflicts = await self._commit(is_busy)
        self._give_back()
        return conflicts

    async def _commit(self, is_busy: bool) -> frozenset[str]:
        turn = self.turn
        if self._copies.only_adds(turn):
            if not (turn.entries or turn.counted):
                await self.store.release()
                return frozenset()
            if self.commits.hold(turn, is_busy):
                return frozenset()
        return (await self.commits.store(turn)).conflicts

    def _give_back(self) -> None:
        """Give back the numbers of requests that the turn has taken in vain."""
        worlds, taken = self._worlds, self.turn.taken
        vain = {name: worlds[name].asked for name in taken if name in worlds and worlds[name].asked < taken[name]}
        if vain:
            self.store.give_back(vain)

    def abandon(self, error: Unavailable) -> None:
        """Undo all that the turn has not committed; if that is unknown, forget the copies."""
        turn = self.turn
        for name in {*turn.fresh, *turn.replaced, *turn.gone, *(SNAPSHOT + name for name in turn.snapshots)}:
            if isinstance(error, Unknown):
                self._copies.forget(name)
            else:
                self._copies.undo(name, turn)
        self._give_back()

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


def _is_list(name: str) -> bool:
    """Whether this stands for something else than a document."""
    return name in (DOCUMENTS, COUNTERS, SETTLED) or name.startswith(JOURNAL)
