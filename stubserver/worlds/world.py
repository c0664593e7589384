"""A world, the unit of state and isolation: its rows, counters, clock, faults and journal, over a shared fixture."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from operator import is_
from typing import Any, NamedTuple, TypeVar

from stubserver.errors import Refusal, refusal
from stubserver.settings import Settings
from stubserver.worlds.base import Changes, Key
from stubserver.worlds.clock import Clock, Setting
from stubserver.worlds.fault import Fault
from stubserver.worlds.log import Log, LogEntry
from stubserver.worlds.snapshot import Fixture, Snapshot
from stubserver.worlds.table import Change, Table
from stubserver.worlds.variant import SIZE, Variant

WORLD = 8 * 1024
"""What a world takes besides its changed rows, in bytes."""
LOGGED = 1024
"""What an entry of its `fault_log` or `variant_log` takes, in bytes."""
_T = TypeVar("_T")


class State(NamedTuple):
    """What a world has besides rows. None of it is ever changed, only replaced."""

    clock: Setting
    strict: bool
    faults: Mapping[int, Fault]
    faulted: int
    fault_log: Sequence[Mapping[str, Any]]
    variants: Mapping[int, Variant]
    varied: int
    variant_log: Sequence[Mapping[str, Any]]
    origin: Snapshot | None


class World:
    """One isolated state of the community."""

    users: Table
    categories: Table
    courses: Table
    sections: Table
    lessons: Table
    memberships: Table
    completions: Table
    questions: Table
    answers: Table
    attempts: Table
    comments: Table
    medias: Table
    uploads: Table
    pieces: Table
    pictures: Table
    apps: Table
    grants: Table

    def __init__(
        self,
        name: str,
        fixture: Fixture,
        settings: Settings | None = None,
        changes: Mapping[str, Changes] | None = None,
    ) -> None:
        """The world starts as its fixture, overlaid by `changes` if it comes from a snapshot."""
        self.name = name
        self.fixture = fixture
        self.settings = settings or _DEFAULTS
        self.preferences = fixture.preferences
        self.features = fixture.features
        self.tokens = fixture.tokens
        self.personas = fixture.names
        self.strict = self.settings.strict
        """Whether it refuses what the contract's types do not allow, though the real API's framework accepts it."""
        self.clock = Clock()
        if self.settings.freeze_at is not None:
            self.clock.freeze(self.settings.freeze_at)
        self.journal: Any = None
        """Its requests and their responses; None until there is one."""
        self.forgotten: dict[str, int] = {}
        """Setting that was too small -> how many of its requests the journal lost for that."""
        self.asked = 0
        """How many requests it has ever received."""
        self.shared = False
        """Whether other processes have it, too, so that what a turn changes is stored or undone as a whole."""
        self.life = ""
        """Differs for each shared world that ever had its name."""
        self.resized: Callable[[World], None] = _ignore
        """Called when its size may have changed."""
        self.faults: Mapping[int, Fault] = {}
        """Fault id -> its active fault."""
        self.faulted = 0
        """How many faults it has ever had."""
        self.fault_log: Sequence[Mapping[str, Any]] = []
        """What was done to its faults, in order: the entries of `faults` of a Case in the control plane's contract."""
        self.variants: Mapping[int, Variant] = {}
        """Variant id -> what is different in its answers."""
        self.varied = 0
        """How many variants it has ever had."""
        self.variant_log: Sequence[Mapping[str, Any]] = []
        """What was done to its variants, in order: the entries of `variants` of a Case."""
        self._origin: Snapshot | None = None
        self._derived: dict[Any, tuple[Sequence[Sequence[Key]], Any]] = {}
        self.log = Log()
        taken = changes or {}
        self.log.size = sum(changed.size for changed in taken.values())
        self.tables = {name: Table(name, base, self.log, taken.get(name)) for name, base in fixture.tables.items()}
        vars(self).update(self.tables)

    @classmethod
    def of(cls, name: str, snapshot: Snapshot, settings: Settings | None = None) -> "World":
        """A world that starts in the state of the snapshot."""
        world = cls(name, snapshot.fixture, settings, snapshot.changes)
        world.clock = snapshot.clock.copy()
        world._origin = snapshot
        return world

    @property
    def state(self) -> State:
        """What it has besides rows."""
        faults = self.faults, self.faulted, self.fault_log
        variants = self.variants, self.varied, self.variant_log
        return State(self.clock.setting, self.strict, *faults, *variants, self._origin)

    @state.setter
    def state(self, state: State) -> None:
        self.clock = Clock.of(state.clock)
        self.strict, self.faults, self.faulted, self.fault_log = state[1:5]
        self.variants, self.varied, self.variant_log, self._origin = state[5:]

    def snapshot(self) -> Snapshot:
        """The current rows and clock of the world."""
        changes = {name: table.snapshot() for name, table in self.tables.items()}
        return Snapshot(self.fixture, self.clock.copy(), changes)

    @property
    def origin(self) -> Snapshot:
        """The state before the first request in its journal."""
        return self._origin or Snapshot(self.fixture, Clock(), {})

    def start_over(self) -> None:
        """Take the current state as the origin, because the journal has been cleared."""
        self._origin = self.snapshot()
        self.resized(self)

    @property
    def changed(self) -> int:
        """How many rows differ from the fixture."""
        return sum(len(table.differences) for table in self.tables.values())

    @property
    def size(self) -> int:
        """About what its changed rows, its faults and its variants take, in bytes."""
        logged = len(self.fault_log) + len(self.variant_log)
        if not logged:
            return self.log.size
        faults = sum(fault.size for fault in self.faults.values())
        return self.log.size + faults + len(self.variants) * SIZE + logged * LOGGED

    @property
    def is_plain(self) -> bool:
        """Whether nothing is wanted of its answers but what its rows say: it has neither faults nor variants."""
        return not self.faults and not self.variants

    @property
    def held(self) -> int:
        """About what it keeps in memory in all, in bytes: with the state before the first request in its journal."""
        return WORLD + self.size + (self._origin.size if self._origin else 0)

    def add_variant(self, wanted: Mapping[str, Any]) -> Variant:
        """Have something be different in its answers; `wanted` is a VariantCreate of the control plane's contract."""
        self.varied += 1
        variant = Variant(self.varied, wanted)
        self.variants = {**self.variants, variant.id: variant}
        return variant

    def check_size(self, more_rows: bool = False) -> None:
        """Raises a 503 refusal if the world exceeds its bounds, that on rows only if there are `more_rows` than before;
        if not, its new size counts."""
        bounds = self.settings
        if more_rows and self.changed > bounds.max_rows:
            much = f"World {self.name} already differs from its fixture in {bounds.max_rows} rows, the maximum."
            option = "--max-rows"
        elif self.size > bounds.max_world:
            much = f"World {self.name} would take more than {bounds.max_world} bytes, the maximum."
            option = "--max-world"
        else:
            self.resized(self)
            return
        raise refusal(503, f"{much} Reset it, or start the server with a larger {option}.")

    @property
    def writes(self) -> int:
        """How often its rows have changed in any way; as long as this stays the same, so do they."""
        return self.log.writes

    def derived(self, name: Any, sources: Sequence[Sequence[Key]], make: Callable[[], _T]) -> _T:
        """The cached result of `make`, recomputed only once one of the lists of keys in `sources` has been replaced.

        `name` is the key under which it is cached."""
        known = self._derived.get(name)
        if known is None or not all(map(is_, known[0], sources)):
            known = self._derived[name] = (sources, make())
        found: _T = known[1]
        return found

    def token(self, what: str) -> str:
        """A token that looks random but is the same in every run; `what` distinguishes it from others. Not a secret."""
        return hashlib.sha256(f"{self.settings.seed} {self.name} {what}".encode()).hexdigest()[:32]

    def close(self) -> None:
        """Let go of the last transaction, which refers to the tables that refer to it: a world that is gone would keep
        its rows until the collector runs."""
        self.log.clear()

    def undo(self, start: int, state: State) -> None:
        """Undo the writes from a place in the log on, and put the state back."""
        if len(self.log) > start:
            self.log.undo(start)
        self.state = state

    def transaction(self) -> "Transaction":
        """A transaction for one operation, as a context manager."""
        return Transaction(self, self.log)


class Transaction:
    """The writes of one operation to a world: all of them take effect or, if it raises, none."""

    __slots__ = ("_log", "_size", "_start", "_world")

    def __init__(self, world: World, log: Log) -> None:
        self._world = world
        self._log = log
        self._start = self._size = 0

    def __enter__(self) -> "Transaction":
        self.begin()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.commit()
        else:
            self.roll_back()

    def begin(self) -> None:
        """Start a new log of writes; in a world that is shared, go on with that of the turn, which may undo it all."""
        if not self._world.shared:
            self._log.clear()
        self._start, self._size = len(self._log), self._log.size

    def commit(self) -> None:
        """Make the writes permanent. Raises a 503 refusal, and rolls back, if the world would exceed its bound."""
        more_rows = False
        for entry in self._entries():
            entry.commit()
            more_rows = more_rows or entry.grows
        if more_rows or self._log.size != self._size:
            try:
                self._world.check_size(more_rows)
            except Refusal:
                self.roll_back()
                raise

    def _entries(self) -> Sequence[LogEntry]:
        return self._log[self._start :] if self._start else self._log

    def roll_back(self) -> None:
        """Undo all writes of the operation."""
        self._log.undo(self._start)

    def changes(self) -> list[Change]:
        """The changes of rows, available until the world's next transaction begins."""
        return [entry for entry in self._entries() if isinstance(entry, Change)]


def _ignore(_: World) -> None:
    pass


_DEFAULTS = Settings()
