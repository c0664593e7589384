"""What worlds start from: the tables there are, fixtures, and snapshots, which are states over a fixture."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from stubserver.worlds.base import Changes, Field, FixtureTable
from stubserver.worlds.clock import EARLIEST, Clock

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
    "pieces": (("upload_id", "start"), ("upload_id",)),  # of these files, from the byte `start` on
    "pictures": (("folder", "number"), (("folder", "name"),)),  # uploaded pictures of rows of other tables
    "apps": (("client_id",), ()),
    "grants": (("id",), ("code", "access_token", "refresh_token")),  # access that users have granted to apps
}
"""Table -> the fields that identify a row, and the fields that it has an index on."""

APART: Mapping[str, tuple[str, ...]] = {"memberships": ("last_active_at",), "completions": ("at",)}
"""Table -> the fields that are kept apart (`FixtureTable`)."""
FILES = ("pieces", "pictures")
"""Tables whose rows have the content of a file, or a part of it, in the field `content`."""


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
    files: tuple[Path, ...] = ()
    """The files that it was loaded from."""
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
