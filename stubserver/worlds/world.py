"""A world, the unit of state and isolation: its rows, counters, clock, faults and journal, over a shared fixture."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from operator import is_
from typing import Any, TypeVar

from stubserver.errors import Refusal, refusal
from stubserver.settings import Settings
from stubserver.worlds.clock import EARLIEST, Clock
from stubserver.worlds.table import Change, Changes, Field, FixtureTable, Key, Log, Table

TABLES: Mapping[str, tuple[tuple[str, ...], tuple[Field, ...]]] = {
    "users": (("id",), ("username",)),
    "categories": (("id",), ()),
    "courses": (("id",), ("name", "slug", "privacy")),
    "sections": (("id",), ("course_id",)),
    "lessons": (("id",), ("section_id",)),
    "memberships": (("course_id", "user_id"), ("course_id", "user_id", ("user_id", "status"))),
    "completions": (("user_id", "lesson_id"), ("lesson_id", "user_id")),
    "questions": (("id",), ("lesson_id",)),
    "answers": (("id",), ()),  # stored in their question; this table only allocates their ids
    "attempts": (("id",), ("lesson_id",)),
    "comments": (("id",), ("lesson_id", "parent")),
    "medias": (("id",), ()),
    "uploads": (("upload_id",), ()),  # files that are still being uploaded
    "pictures": (("folder", "number"), (("folder", "name"),)),  # uploaded pictures of rows of other tables
    "apps": (("client_id",), ()),
    "grants": (("id",), ("code", "access_token", "refresh_token")),  # access that users have granted to apps
}
"""Table -> the fields that identify a row, and the fields that it has an index on."""

FILES = ("uploads", "pictures")
"""Tables whose rows have the content of a file, as text, in the field `content`."""
WORLD = 8 * 1024
"""What a world takes besides its changed rows, in bytes."""
LOGGED = 1024
"""What an entry of its `fault_log` takes, in bytes."""
_T = TypeVar("_T")


@dataclass(frozen=True)
class Fixture:
    """A loaded fixture, which worlds start from. Immutable, and shared by all of its worlds."""

    name: str
    tables: Mapping[str, FixtureTable]
    preferences: Mapping[str, Any]
    """`section.name` -> value."""
    tokens: Mapping[str, int]
    """Opaque token -> user id."""
    features: tuple[str, ...] = ()
    """Names of the features that are on."""
    personas: tuple[Mapping[str, Any], ...] = ()
    moment: datetime = EARLIEST
    """The time that its relative times are relative to."""
    digest: str = ""
    """Distinguishes it from other fixtures of the same name: a digest of what its file says."""
    text_digest: str = ""
    """A digest of how its file says it, which snapshots without a format have."""

    @cached_property
    def names(self) -> Mapping[int, str]:
        """User id -> the token that stands for the user."""
        return {user: token for token, user in self.tokens.items()}


@dataclass(frozen=True)
class Snapshot:
    """The state of a world at some time. Immutable; taking one costs the same however much has changed."""

    fixture: Fixture
    clock: Clock
    changes: Mapping[str, Changes]
    """Table -> what differs from the fixture."""

    @property
    def changed(self) -> int:
        """How many rows differ from the fixture."""
        return sum(len(changes.rows) for changes in self.changes.values())

    @cached_property
    def size(self) -> int:
        """About what these rows take, in bytes; what it shares with worlds and other snapshots counts for each."""
        return sum(changes.size for changes in self.changes.values())


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
        self.resized: Callable[[World], None] = _ignore
        """Called when its size may have changed."""
        self.faults: dict[int, Any] = {}
        """Fault id -> its active fault."""
        self.faulted = 0
        """How many faults it has ever had."""
        self.fault_log: list[Mapping[str, Any]] = []
        """What was done to its faults, in order: the entries of `faults` of a Case in the control plane's contract."""
        self._origin: Snapshot | None = None
        self._derived: dict[Any, tuple[Sequence[Sequence[Key]], Any]] = {}
        self._log = Log()
        taken = changes or {}
        self._log.size = sum(changed.size for changed in taken.values())
        self._tables = {name: Table(name, base, self._log, taken.get(name)) for name, base in fixture.tables.items()}
        vars(self).update(self._tables)

    @classmethod
    def of(cls, name: str, snapshot: Snapshot, settings: Settings | None = None) -> "World":
        """A world that starts in the state of the snapshot."""
        world = cls(name, snapshot.fixture, settings, snapshot.changes)
        world.clock = snapshot.clock.copy()
        world._origin = snapshot
        return world

    def snapshot(self) -> Snapshot:
        """The current state of the world."""
        changes = {name: table.snapshot() for name, table in self._tables.items()}
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
        return sum(table.changed for table in self._tables.values())

    @property
    def size(self) -> int:
        """About what its changed rows and its faults take, in bytes."""
        if not self.fault_log:
            return self._log.size
        faults: int = sum(fault.size for fault in self.faults.values())
        return self._log.size + faults + len(self.fault_log) * LOGGED

    @property
    def held(self) -> int:
        """About what it keeps in memory in all, in bytes: with the state before the first request in its journal."""
        return WORLD + self.size + (self._origin.size if self._origin else 0)

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
        """How many writes its tables have ever had; as long as this stays the same, so do its rows."""
        return self._log.writes

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
        self._log.clear()

    def transaction(self) -> "Transaction":
        """A transaction for one operation, as a context manager."""
        return Transaction(self, self._log)


class Transaction:
    """The writes of one operation to a world: all of them take effect or, if it raises, none."""

    __slots__ = ("_log", "_size", "_world")

    def __init__(self, world: World, log: Log) -> None:
        self._world = world
        self._log = log
        self._size = 0

    def __enter__(self) -> "Transaction":
        self.begin()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.commit()
        else:
            self.roll_back()

    def begin(self) -> None:
        """Start a new log of writes."""
        self._log.clear()
        self._size = self._log.size

    def commit(self) -> None:
        """Make the writes permanent. Raises a 503 refusal, and rolls back, if the world would exceed its bound."""
        more_rows = False
        for entry in self._log:
            entry.commit()
            more_rows = more_rows or entry.grows
        if more_rows or self._log.size != self._size:
            try:
                self._world.check_size(more_rows)
            except Refusal:
                self.roll_back()
                raise

    def roll_back(self) -> None:
        """Undo all writes of the operation."""
        while self._log:
            self._log.pop().roll_back()

    def changes(self) -> list[Change]:
        """The changes of rows, available until the world's next transaction begins."""
        return [entry for entry in self._log if isinstance(entry, Change)]


def _ignore(_: World) -> None:
    pass


_DEFAULTS = Settings()
