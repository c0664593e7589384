"""Worlds: the unit of state and isolation. Each has its rows, counters and clock, over a shared fixture."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from stubserver.store import Base, Table

TABLES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "users": (("id",), ("username",)),
    "categories": (("id",), ()),
    "courses": (("id",), ("name", "slug")),
    "sections": (("id",), ("course_id",)),
    "lessons": (("id",), ("section_id",)),
    "memberships": (("course_id", "user_id"), ("course_id", "user_id")),
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


class Clock:
    """The time of one world: the real one until it is frozen, set or advanced."""

    def __init__(self) -> None:
        self._frozen: datetime | None = None
        self._ahead = timedelta()

    def now(self) -> datetime:
        """The moment, in UTC."""
        return self._frozen if self._frozen is not None else datetime.now(UTC) + self._ahead

    def freeze(self, moment: datetime | None = None) -> None:
        """Stop at `moment` (default: now)."""
        self._frozen = (moment or self.now()).astimezone(UTC)

    def advance(self, by: timedelta) -> None:
        """Move on by `by`, frozen or not."""
        if self._frozen is not None:
            self._frozen += by
        else:
            self._ahead += by

    def release(self) -> None:
        """Run with the real time again."""
        self._frozen, self._ahead = None, timedelta()


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


class World:
    """One isolated state of the community."""

    def __init__(self, name: str, seed: Seed, number: int = 0, jwt_secret: str | None = None) -> None:
        """`number` seeds whatever looks random; JWTs are signed with `jwt_secret`, if there is one."""
        self.name = name
        self.number = number
        self.jwt_secret = jwt_secret
        self.preferences = seed.preferences
        self.features = seed.features
        self.tokens = seed.tokens
        self.personas = {user: token for token, user in seed.tokens.items()}
        self.clock = Clock()
        self._undo: list[Callable[[], None]] = []
        self._tables = {table: Table(base, self._undo) for table, base in seed.tables.items()}

    def __getattr__(self, table: str) -> Table:
        try:
            return self.__dict__["_tables"][table]  # type: ignore[no-any-return]
        except KeyError:
            raise AttributeError(f"a world has no {table}") from None

    def token(self, what: str) -> str:
        """A text that looks random and is the same in every run; `what` tells one from the next. No secret."""
        return hashlib.sha256(f"{self.number} {self.name} {what}".encode()).hexdigest()[:32]

    @contextmanager
    def change(self) -> Iterator[None]:
        """The span of one operation: when it raises, nothing it did remains."""
        self._undo.clear()
        try:
            yield
        except BaseException:
            while self._undo:
                self._undo.pop()()
            raise
        self._undo.clear()


class Worlds:
    """All worlds of one server; the seam through which operations reach state."""

    def __init__(self, seed: Seed, number: int = 0, jwt_secret: str | None = None) -> None:
        self._seed = seed
        self._number = number
        self._jwt_secret = jwt_secret
        self._worlds: dict[str, World] = {}

    def get(self, name: str = "default") -> World:
        """The world `name`, forked from the fixture on first touch."""
        return self._worlds.get(name) or self.reset(name)

    def reset(self, name: str = "default", seed: Seed | None = None) -> World:
        """The world `name` anew, from its fixture or from `seed`."""
        self._worlds[name] = World(name, seed or self._seed, self._number, self._jwt_secret)
        return self._worlds[name]
