"""A store as one process uses it: with copies of the documents that it has seen, and without waiting. Two of them at
the same data stand for two processes."""

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import orjson
import pytest

from stubserver.stores.opening import store_at
from stubserver.stores.store import (
    NO_ENTRIES,
    Changes,
    Commit,
    Entries,
    Found,
    Kept,
    Result,
    Store,
    Unavailable,
    Unknown,
    Version,
    Wanted,
)
from tests.support.commands import PATIENCE

MAX_REQUESTS = 5
"""How many entries a journal keeps."""
Entry = tuple[int, bytes]
"""A number, and a text without |."""
_T = TypeVar("_T")


@dataclass(frozen=True)
class Copy:
    """What a process knows of a document."""

    version: Version
    content: Mapping[str, bytes]
    asked: int


class Process:
    """One of the processes that use a store."""

    def __init__(self, url: str, runner: asyncio.Runner, max_requests: int = MAX_REQUESTS) -> None:
        """Raises ValueError for a URL that cannot be."""
        store = store_at(url, max_requests)
        assert store is not None, f"{url} is no store"
        self.store: Store = store
        self.patience: float = PATIENCE
        """How long it waits for the store, in seconds."""
        self._runner = runner
        self._copies: dict[str, Copy] = {}

    def run(self, call: Coroutine[Any, Any, _T]) -> _T:
        """The result of a call of the store."""
        self.store.deadline = time.monotonic() + self.patience
        return self._runner.run(call)

    # What it sees

    def look(self, *names: str, numbers: int = 0) -> Mapping[str, Found]:
        """Begin a turn: bring the copies of these documents up to date, and take so many numbers in each."""
        known = {name: copy.version for name, copy in self._copies.items()}
        found = self.run(self.store.refresh({name: Wanted(known.get(name), numbers) for name in names}))
        for name, document in found.items():
            self._take(name, document)
        return found

    def _take(self, name: str, found: Found) -> None:
        before = self._copies.pop(name, None)
        if found.version is None:
            return
        if found.whole is not None:
            content = dict(found.whole)
        else:
            assert before is not None, f"{name} is not known, and the store says that nothing has changed"
            content = dict(before.content)
            for commit in found.commits:
                content = changed(content, {key: as_json(value) for key, value in orjson.loads(commit).items()})
        self._copies[name] = Copy(found.version, content, found.asked)

    def copy(self, name: str) -> Copy:
        """What it knows of a document. Raises KeyError if it knows none."""
        return self._copies[name]

    def read(self, name: str) -> Mapping[str, bytes] | None:
        """The content of a document as it is now, in a turn of its own; None if there is none."""
        self.look(name)
        self.release()
        return self._copies[name].content if name in self._copies else None

    # What it does

    def whole(self, name: str, content: Changes, *entries: Entry, held: int = 0, asked: int = 0) -> Commit:
        """A commit that makes a document, or makes it anew."""
        version, known = Version.first(), self._known(name)
        return Commit(name, known, version, content, whole=True, held=held, asked=asked, entries=batch(entries))

    def change(self, name: str, changes: Changes, *entries: Entry, held: int = 0, clears: bool = False) -> Commit:
        """A commit that changes a document; without changes, it only adds entries. It takes the numbers up to that of
        the last entry."""
        copy = self.copy(name)
        version = copy.version.next() if changes else copy.version
        asked = max([copy.asked, *(number for number, _ in entries)])
        new = batch(entries)
        return Commit(name, copy.version, version, changes, held=held, asked=asked, entries=new, clears=clears)

    def deletion(self, name: str) -> Commit:
        """A commit that deletes a document."""
        return Commit(name, self._known(name), None)

    def _known(self, name: str) -> Version | None:
        return self._copies[name].version if name in self._copies else None

    def commit(self, *commits: Commit, counted: Mapping[str, int] | None = None, reset: str = "") -> Result:
        """End a turn."""
        result = self.run(self.store.commit(commits, counted or {}, reset))
        for commit in commits:
            if commit.name not in result.conflicts:
                self._note(commit)
        return result

    def _note(self, commit: Commit) -> None:
        before = self._copies.pop(commit.name, None)
        if commit.version is not None:
            content = {} if commit.whole or before is None else before.content
            self._copies[commit.name] = Copy(commit.version, changed(content, commit.changes), commit.asked)

    def make(self, name: str, content: Changes | None = None, *entries: Entry, held: int = 0, asked: int = 0) -> Result:
        """Make a document, or make it anew, in a turn of its own."""
        self.look(name)
        return self.commit(self.whole(name, content or {}, *entries, held=held, asked=asked))

    def alter(self, name: str, changes: Changes, *entries: Entry, held: int = 0, clears: bool = False) -> Result:
        """Change a document in a turn of its own."""
        self.look(name, numbers=len(entries))
        return self.commit(self.change(name, changes, *entries, held=held, clears=clears))

    def delete(self, name: str) -> Result:
        """Delete a document in a turn of its own."""
        self.look(name)
        return self.commit(self.deletion(name))

    # What the store knows

    def agree(self, facts: Mapping[str, str]) -> Mapping[str, str]:
        return self.run(self.store.agree(facts))

    def release(self) -> None:
        self.run(self.store.release())

    def entries(self, name: str) -> Sequence[bytes]:
        found = self.run(self.store.entries(name))
        return [text for packed in found for text in packed.split(b"|")][-MAX_REQUESTS:]

    def kept(self) -> Mapping[str, Kept]:
        return self.run(self.store.kept())

    def evict(self, *names: str, reason: str = "max_worlds") -> None:
        self.run(self.store.evict(names, reason))

    def trim(self, name: str, size: int, reason: str = "max_journal") -> None:
        self.run(self.store.trim(name, size, reason))

    def counters(self) -> Mapping[str, int]:
        return self.run(self.store.counters())

    def close(self) -> None:
        self.run(self.store.close())

    def why_not(self, call: Coroutine[Any, Any, Any]) -> str:
        """Why the store cannot do something, in one line; nothing has happened then."""
        return self._failure(Unavailable, call)

    def what_unknown(self, call: Coroutine[Any, Any, Any]) -> str:
        """Why nobody knows what has happened, in one line."""
        return self._failure(Unknown, call)

    def _failure(self, kind: type[Unavailable], call: Coroutine[Any, Any, Any]) -> str:
        with pytest.raises(Unavailable) as raised:
            self.run(call)
        assert type(raised.value) is kind
        (line,) = str(raised.value).splitlines()
        return line


def batch(entries: Sequence[Entry]) -> Entries:
    """Entries that are added together."""
    return Entries(entries[0][0], len(entries), b"|".join(text for _, text in entries)) if entries else NO_ENTRIES


def changed(content: Mapping[str, bytes], changes: Changes) -> dict[str, bytes]:
    """The content of a document after changes."""
    after: dict[str, bytes | None] = {**content, **changes}
    return {key: value for key, value in after.items() if value is not None}


def as_json(value: Any) -> bytes | None:
    """A value of a packed change as it is kept."""
    return None if value is None else orjson.dumps(value)


def count(path: Path) -> dict[str, int]:
    """Table -> how many rows it has, as another program sees them; but for the totals, which have one."""
    with contextlib.closing(sqlite3.connect(path)) as other:
        tables = [name for (name,) in other.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        counted = {name: other.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in tables}  # noqa: S608
        del counted["totals"], counted["sqlite_sequence"]
        return counted
