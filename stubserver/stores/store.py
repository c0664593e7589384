"""The interface of stores: documents with versions, their journals, and counters, shared by many processes.

A document is a world or a snapshot: keys and values, changed by one commit after another. Whoever commits names the
version that it has seen; if another commit was faster, that is a conflict, and nothing is stored.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple, Protocol

import orjson

Changes = Mapping[str, bytes | None]
"""Key -> its new value, which is JSON other than null, or None if the document no longer has the key."""
FORMAT = "2"
"""Version of what is stored, and how."""
LOGGED = 128
"""How many of its last commits a store remembers of each document, at least, for processes that lag behind."""


class Unavailable(Exception):
    """The store does not answer, or cannot keep anything; the message says which one, and why. Nothing has happened."""


class Unknown(Unavailable):
    """The store stopped answering during a commit, which may have taken effect or not."""


def new_life() -> str:
    """The `life` of a new document."""
    return secrets.token_hex(8)


class Version(NamedTuple):
    """The version of a document. None ever comes again, also if the document is deleted and made anew."""

    life: str
    """Differs for each document that ever had the same name."""
    number: int
    """Number of its commits."""
    commit: str
    """Differs for each commit, so that a process finds out whether the last one was its own."""

    @classmethod
    def first(cls, life: str = "") -> "Version":
        """The version of a new document."""
        return cls(life or new_life(), 1, secrets.token_hex(4))

    def next(self) -> "Version":
        """The version after one more commit."""
        return Version(self.life, self.number + 1, secrets.token_hex(4))

    def __str__(self) -> str:
        return f"{self.life}:{self.number}:{self.commit}"

    @classmethod
    def read(cls, text: str) -> "Version":
        """The version that was written as this text."""
        life, number, commit = text.split(":")
        return cls(life, int(number), commit)


class Wanted(NamedTuple):
    """What a process wants to know about a document."""

    known: Version | None
    """The version that it has; None if it has none."""
    numbers: int = 0
    """How many numbers of requests it takes."""
    losses: bool = True
    """Whether it wants to know what the journal has lost."""


class Found(NamedTuple):
    """A document as it is now."""

    version: Version | None
    """None if there is no such document."""
    asked: int = 0
    """Number of the last request before those that are taken now."""
    forgotten: Mapping[str, int] = MappingProxyType({})
    """Setting that was too small -> how many of its requests the journal lost for that; may be empty if that was not
    wanted."""
    commits: Sequence[bytes] = ()
    """The changes of the commits since the known version, packed."""
    whole: Mapping[str, bytes] | None = None
    """All keys and values, if the commits since then are not remembered."""


@dataclass(frozen=True)
class Entries:
    """Entries of a journal that are added together, and deleted together. A store does not look into them."""

    number: int
    """Number of the first of their requests."""
    count: int
    packed: bytes


NO_ENTRIES = Entries(0, 0, b"")


@dataclass
class Commit:
    """A change of a document, and the entries of the requests that used it."""

    name: str
    expected: Version | None
    """The version that was changed; None for a new document."""
    version: Version | None
    """The version that it becomes: the same if nothing changes, None if it is deleted."""
    changes: Changes = field(default_factory=dict)
    whole: bool = False
    """Whether the changes are all that it has from now on: what it had before is gone, and so is its journal."""
    held: int = 0
    """What it takes, in bytes."""
    asked: int = 0
    """Number of the last request."""
    entries: Entries = NO_ENTRIES
    """New entries of its journal."""
    clears: bool = False
    """Whether its journal is emptied first."""
    forgotten: Mapping[str, int] = field(default_factory=dict)
    """What its journal has lost before, as in `Found`, if this is a whole."""


@dataclass(frozen=True)
class Kept:
    """What a store knows of each document."""

    used: float
    """When it was last used, in seconds since 1970."""
    held: int
    """What it takes, in bytes."""
    journal: int
    """What its journal takes, in bytes."""
    entries: int
    """How many entries its journal has, without those that are too many."""


class Totals(NamedTuple):
    """What a store holds in all."""

    documents: int
    held: int
    """What all documents take, in bytes."""
    journal: int
    """What all journals take, in bytes."""


@dataclass(frozen=True)
class Result:
    """What became of commits."""

    conflicts: frozenset[str]
    """Names of the documents that another process had changed; nothing of these commits was stored."""
    totals: Totals


def packed(changes: Changes) -> bytes:
    """The changes as one JSON object. A key that the document no longer has is null."""
    return orjson.dumps({key: None if value is None else orjson.Fragment(value) for key, value in changes.items()})


class Store(Protocol):
    """Keeps documents. All methods raise Unavailable; `commit` may raise Unknown."""

    name: str
    """What it is called in messages: `SQLite file worlds.db`."""
    deadline: float
    """When waiting for it ends, by the monotonic clock. Whoever uses it sets this."""

    async def agree(self, facts: Mapping[str, str]) -> Mapping[str, str]:
        """The facts on which all processes agree: those of the first one that asked."""

    async def refresh(self, wanted: Mapping[str, Wanted]) -> Mapping[str, Found]:
        """What these documents are now."""

    async def commit(self, commits: Sequence[Commit], counted: Mapping[str, int], reset: str = "") -> Result:
        """Store all commits that are in no conflict, each as a whole, and add to counters. Those whose names begin with
        `reset` are deleted first, unless it is empty."""

    def give_back(self, asked: Mapping[str, int]) -> None:
        """The numbers that `refresh` took after these, the last ones of documents, were taken in vain. The store may
        give them again, unless another process has taken more since."""

    async def release(self) -> None:
        """Let go of what `refresh` may have locked until the commit, because there is none."""

    # Being ahead

    beat: float
    """Seconds without a turn after which a process stores what it holds."""
    spell: float
    """Seconds after which it does so in any case."""

    @property
    def is_ahead(self) -> bool:
        """Whether others may wait for `settle`."""

    def hold(self) -> bool:
        """Whether what only adds to journals and counters may be committed later, instead of now. If so, `settle` must
        follow in the end; if not, it may be so after the next commit."""

    async def settle(self) -> None:
        """Let others know that all that was held has been committed."""

    async def gather(self) -> None:
        """Make sure that what other processes hold from before has been committed. This one holds nothing."""

    # What is known of all documents

    async def entries(self, name: str) -> Sequence[bytes]:
        """The entries of a document's journal, as they were packed, by the numbers of their first requests. The first
        of them may be too many, because they were added together with others."""

    async def kept(self) -> Mapping[str, Kept]:
        """All documents, by name, those first that have not been used for longest."""

    async def evict(self, names: Sequence[str], reason: str) -> None:
        """Delete documents for want of room. `reason` is a counter of the requests lost, as in `Found.forgotten`."""

    async def trim(self, name: str, size: int, reason: str) -> None:
        """Delete the oldest entries of a document's journal, of so many bytes or a little more. `reason` as before."""

    async def counters(self) -> Mapping[str, int]:
        """All counters."""

    async def close(self) -> None:
        """Let go of files and connections."""
