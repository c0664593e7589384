"""What goes to the store: the commits of a turn, what it counts, and what is held from turns before."""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress

from stubserver.settings import Settings
from stubserver.shared.copies import Copies
from stubserver.shared.held import Held
from stubserver.shared.room import Room
from stubserver.shared.turn import Turn, summed
from stubserver.stores.store import Commit, Result, Store, Unavailable


class Commits:
    """The way of one process to its store."""

    def __init__(self, store: Store, copies: Copies, settings: Settings) -> None:
        self._store = store
        self._copies = copies
        self._room = Room(store, settings)
        self.held = Held()
        self.owed = Counter[str]()
        """What the store has counted for requests whose commits failed; the next commit takes it back."""

    @property
    def is_ahead(self) -> bool:
        """Whether there is something to settle."""
        return bool(self.held) or self._store.is_ahead

    def hold(self, turn: Turn, is_busy: bool) -> bool:
        """Hold what a turn does, which only adds to journals and counters, if that may be and is worth while. Returns
        whether it is held."""
        is_worth_while = bool(turn.entries) and (is_busy or bool(self.held))
        if not (is_worth_while and self.held.has_room(turn) and self._store.hold()):
            return False
        self._copies.hold(turn, self.held)
        return True

    async def store(self, turn: Turn) -> Result:
        """Commit what a turn has done. Raises Unavailable."""
        commits, counted = [*self._copies.commits(turn)], summed(turn.counted.values())
        reset = turn.reset
        counted.subtract({name: n for name, n in self.owed.items() if not (reset and name.startswith(reset))})
        result = await self._commit(commits, counted, reset)
        self.owed = summed(turn.counted.get(name, {}) for name in result.conflicts)
        for commit in commits:
            if commit.name in result.conflicts:
                self._copies.undo(commit.name, turn)
            else:
                self._copies.committed(commit)
        return result

    async def flush(self) -> None:
        """Commit what is held. Raises Unavailable."""
        if self.held:
            await self._commit([], Counter())

    async def settle(self) -> None:
        """Commit what is held, and let other processes know. Raises Unavailable."""
        await self.flush()
        await self._store.settle()

    async def _commit(self, commits: Sequence[Commit], counted: Counter[str], reset: str = "") -> Result:
        """Commit what is held, and more. If that fails, it is still held."""
        counted.update(self.held.counted)
        added = {name: n for name, n in counted.items() if n}
        everything = [*self.held.commits(self._copies.versions), *commits]
        result = await self._store.commit(everything, added, reset)
        self.held = Held()
        with suppress(Unavailable):  # what was or is to be answered is stored, and the next commit makes room, too
            await self._room.make(result.totals, {commit.name for commit in everything})
        return result
