"""A world: the unit of state and isolation. Its rows, counters, clock, faults and journal, over a shared fixture."""

import hashlib
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from operator import is_
from typing import TYPE_CHECKING, Any, TypeVar

from stubserver.errors import Refusal, refusal
from stubserver.settings import Settings
from stubserver.worlds.table import Base, Change, Changes, Field, Key, Log, Table

TABLES: Mapping[str, tuple[tuple[str, ...], tuple[Field, ...]]] = {
    "users": (("id",), ("username",)),
    "categories": (("id",), ()),
    "courses": (("id",), ("name", "slug", "privacy")),
    "sections": (("id",), ("course_id",)),
    "lessons": (("id",), ("section_id",)),
    "memberships": (("course_id", "user_id"), ("course_id", "user_id", ("user_id", "status"))),
    "completions": (("user_id", "lesson_id"), ("lesson_id", "user_id")),
    "questions": (("id",), ("lesson_id",)),
    "answers": (("id",), ()),  # they live in their question; this table only gives out their ids
    "attempts": (("id",), ("lesson_id",)),
    "comments": (("id",), ("lesson_id", "parent")),
    "medias": (("id",), ()),
    "uploads": (("upload_id",), ()),  # files on their way to become medias
    "apps": (("client_id",), ()),
    "grants": (("id",), ("code", "access_token", "refresh_token")),  # what users have granted to apps
}
"""Table -> the fields that identify a row, and the fields that rows are looked up by."""


_T = TypeVar("_T")

EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
"""Between these a clock may be, so that a century of drip days can be counted on."""


class Clock:
    """The time of one world: the real one until it is frozen, set or advanced."""

    __slots__ = ("_ahead", "_frozen", "since", "until")

    def __init__(self) -> None:
        self._frozen: datetime | None = None
        self._ahead = timedelta()
        self.since, self.until = EARLIEST, LATEST

    def now(self) -> datetime:
        """The moment, in UTC."""
        self.until = EARLIEST
        return self._frozen if self._frozen is not None else datetime.now(UTC) + self._ahead

    def watch(self) -> datetime:
        """The moment, too. From here on `since` and `until` tell between which moments all that has been asked of
        the clock would have had the same answer."""
        now = self.now()
        self.since, self.until = EARLIEST, LATEST
        return now

    def has_come(self, moment: datetime) -> bool:
        """Whether it is this moment, or later."""
        since, until = self.since, self.until
        has_come = moment <= self.now()
        self.since = max(since, moment) if has_come else since
        self.until = until if has_come else min(until, moment)
        return has_come

    def freeze(self, moment: datetime | None = None) -> None:
        """Stop at `moment` (default: now)."""
        self._frozen = (moment or self.now()).astimezone(UTC)

    def advance(self, by: timedelta) -> None:
        """Move on by `by`, frozen or not."""
        if self._frozen is not None:
            self._frozen += by
        else:
            self._ahead += by

    def set(self, moment: datetime) -> None:
        """Run on from `moment`, or stand still there if frozen."""
        if self._frozen is not None:
            self.freeze(moment)
        else:
            self._ahead = moment - datetime.now(UTC)

    def release(self) -> None:
        """Run with the real time again."""
        self._frozen, self._ahead = None, timedelta()

    @property
    def frozen(self) -> bool:
        """Whether it stands still."""
        return self._frozen is not None

    @property
    def ahead(self) -> timedelta:
        """How far it is before the real time; nothing where it stands still."""
        return timedelta() if self.frozen else self._ahead

    def copy(self) -> "Clock":
        """Another clock that shows the same."""
        copied = Clock()
        copied._frozen, copied._ahead = self._frozen, self._ahead
        return copied


@dataclass(frozen=True)
class Seed:
    """What worlds start from: a loaded fixture. Immutable and shared by all of its worlds."""

    name: str
    tables: Mapping[str, Base]
    preferences: Mapping[str, Any]
    """`section.name` -> value."""
    tokens: Mapping[str, int]
    """Opaque token -> user id."""
    features: tuple[str, ...] = ()
    """Names of the features that are on."""
    personas: tuple[Mapping[str, Any], ...] = ()
    moment: datetime = EARLIEST
    """From when its relative times count."""
    digest: str = ""
    """What tells it from another fixture of the same name."""

    @cached_property
    def names(self) -> Mapping[int, str]:
        """User id -> the token of this persona."""
        return {user: token for token, user in self.tokens.items()}


@dataclass(frozen=True)
class Snapshot:
    """A world as it was at some moment. Immutable; taking one costs the same whatever has changed."""

    seed: Seed
    clock: Clock
    changes: Mapping[str, Changes]
    """Table -> what differs from the fixture."""

    @property
    def changed(self) -> int:
        """How many rows differ from the fixture."""
        return sum(len(changes.rows) for changes in self.changes.values())


class World:
    """One isolated state of the community."""

    def __init__(
        self, name: str, seed: Seed, settings: Settings | None = None, changes: Mapping[str, Changes] | None = None
    ) -> None:
        """It begins as its fixture `seed`, or, with `changes`, as it was when these were taken."""
        self.name = name
        self.seed = seed
        self.settings = settings or _DEFAULTS
        self.preferences = seed.preferences
        self.features = seed.features
        self.tokens = seed.tokens
        self.personas = seed.names
        self.clock = Clock()
        self.journal: deque[Any] | None = None
        """What was asked of it, the oldest first; None until something is."""
        self.asked = 0
        """How many requests it has ever got."""
        self.faults: dict[int, Any] = {}
        """What goes wrong in it, by number."""
        self.faulted = 0
        """How many faults it has ever had."""
        self._derived: dict[Any, tuple[Sequence[Sequence[Key]], Any]] = {}
        self._log = Log()
        taken = changes or {}
        self._tables = {name: Table(name, base, self._log, taken.get(name)) for name, base in seed.tables.items()}
        self.__dict__.update(self._tables)

    @classmethod
    def of(cls, name: str, snapshot: Snapshot, settings: Settings | None = None) -> "World":
        """A world that begins as the snapshot."""
        world = cls(name, snapshot.seed, settings, snapshot.changes)
        world.clock = snapshot.clock.copy()
        return world

    if TYPE_CHECKING:

        def __getattr__(self, table: str) -> Table:
            """Every table is an attribute."""

    def snapshot(self) -> Snapshot:
        """The world as it is now."""
        changes = {name: table.snapshot() for name, table in self._tables.items()}
        return Snapshot(self.seed, self.clock.copy(), changes)

    @property
    def changed(self) -> int:
        """How many rows differ from the fixture."""
        return sum(table.changed for table in self._tables.values())

    @property
    def writes(self) -> int:
        """How much was ever done to its tables: while that stays the same, so do its rows."""
        return self._log.writes

    def derived(self, name: Any, sources: Sequence[Sequence[Key]], make: Callable[[], _T]) -> _T:
        """What `make` made of lists of keys, made anew only when one of them has changed; `name` tells what it is."""
        known = self._derived.get(name)
        if known is None or not all(map(is_, known[0], sources)):
            known = self._derived[name] = (sources, make())
        found: _T = known[1]
        return found

    def token(self, what: str) -> str:
        """A text that looks random and is the same in every run; `what` tells one from the next. No secret."""
        return hashlib.sha256(f"{self.settings.seed} {self.name} {what}".encode()).hexdigest()[:32]

    def change(self) -> "Span":
        """The span of one operation: when it raises, nothing it did remains. Raises a 503 refusal where the world
        would grow beyond its bound."""
        return Span(self)

    def begin(self) -> None:
        """From here on it is known what is done."""
        self._log.clear()

    def keep(self) -> None:
        """What was done stays."""
        for entry in self._log:
            entry.settle()
        if any(entry.grows for entry in self._log):
            self._check_size()

    def undo(self) -> None:
        """Take back what was done."""
        while self._log:
            self._log.pop().undo()

    def _check_size(self) -> None:
        most = self.settings.max_rows
        if self.changed > most:
            message = f"World {self.name} differs from its fixture in {most} rows already, the most that it may."
            raise refusal(503, f"{message} Reset it, or start the server with a larger --max-rows.")

    def done(self) -> list[Change]:
        """What the last change did."""
        return [entry for entry in self._log if isinstance(entry, Change)]


class Span:
    """What one operation does to a world: all or nothing."""

    __slots__ = ("_world",)

    def __init__(self, world: World) -> None:
        self._world = world

    def __enter__(self) -> None:
        self._world.begin()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self._world.undo()
            return
        try:
            self._world.keep()
        except Refusal:
            self._world.undo()
            raise


_DEFAULTS = Settings()
