"""Worlds in a file of SQLite: they outlive the process, and several processes of one machine share them.

A look at documents keeps nobody waiting, and nor does giving numbers to requests. A commit is one transaction of the
file, which finds out what is in conflict; the turn after a conflict has the file from its look until its commit, so
that it is in none. A write is safe from the end of its process, by whatever signal, though the last ones may be lost if
the machine itself loses power.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import orjson

from stubserver.stores.file_lock import CAN_LOCK
from stubserver.stores.sqlite_contents import SqliteContents
from stubserver.stores.sqlite_counters import SqliteCounters
from stubserver.stores.sqlite_file import SqliteFile
from stubserver.stores.sqlite_holding import SqliteHolding
from stubserver.stores.sqlite_journals import SqliteJournals
from stubserver.stores.sqlite_numbers import Place, SqliteNumbers
from stubserver.stores.sqlite_schema import SCHEMA
from stubserver.stores.store import Commit, Found, Kept, Result, Totals, Version, Wanted

_CHANGED = """
UPDATE documents SET version = ?, asked = max(asked, ?), used = ?, held = coalesce(?, held), journal = journal + ?,
    entries = entries + ?, spilled = spilled + max(0, min(?, entries + ? - ?))
WHERE name = ? RETURNING entries, place, version, asked, forgotten, spilled
"""
_SELECTED = "SELECT place, version, asked, forgotten, spilled FROM documents WHERE name = ?"
_EMPTIED = "UPDATE documents SET journal = 0, entries = 0, forgotten = '{}', spilled = 0 WHERE name = ?"
_LOST = 10_000
"""How many evicted documents are remembered."""


class _Row(NamedTuple):
    """What the file has of a document."""

    version: Version
    place: Place
    forgotten: Mapping[str, int]
    """What its journal has lost, by the reasons."""


class SqliteStore:
    """A store in a file."""

    def __init__(self, path: str, max_requests: int) -> None:
        """A journal keeps `max_requests` entries."""
        self.name = f"SQLite file {path}"
        self.deadline = 0.0
        self._file = SqliteFile(path, self.name, SCHEMA)
        self._numbers = SqliteNumbers(path)
        self._holding = SqliteHolding(path)
        self._contents = SqliteContents(self._file)
        self._counters = SqliteCounters(self._file)
        self._journals = SqliteJournals(self._file, max_requests)
        self._max_requests = max_requests
        self._rows: dict[str, _Row] = {}
        """Name of a document -> what the file has of it, as long as no other process commits."""
        self._openings = 0
        self._insists = not CAN_LOCK
        """Whether the next turn has the file from its look until its commit."""

    async def _begin(self) -> None:
        """Begin a transaction, unless one has begun. Raises Unavailable."""
        if not self._file.is_locked:
            await self._file.lock(self.deadline)
            with self._file.failing():
                self._notice_changes()

    def _notice_changes(self) -> None:
        """Forget what is known of documents if others may have changed them."""
        if self._file.has_changed():
            self._rows.clear()
        if self._file.openings != self._openings:
            self._openings = self._file.openings
            ((origin,),) = self._file.all("SELECT name FROM origin")
            self._numbers.belong_to(origin)
            self._holding.close()

    async def agree(self, facts: Mapping[str, str]) -> Mapping[str, str]:
        """See Store."""
        await self._begin()
        with self._file.failing():
            self._file.many("INSERT OR IGNORE INTO facts VALUES (?, ?)", facts.items())
            agreed = dict(self._file.all("SELECT name, value FROM facts"))
            self._file.commit()
        return agreed

    async def refresh(self, wanted: Mapping[str, Wanted]) -> Mapping[str, Found]:
        """See Store."""
        if self._insists:
            await self._begin()
        return await self._file.succeed(lambda: self._look(wanted), self.deadline)

    def _look(self, wanted: Mapping[str, Wanted]) -> Mapping[str, Found] | None:
        """What there is now; None if others are taking numbers at this moment."""
        self._notice_changes()
        if all(name in self._rows and self._rows[name].version == want.known for name, want in wanted.items()):
            return self._found(wanted)
        with self._file.reading():
            self._notice_changes()
            return self._found(wanted)

    def _found(self, wanted: Mapping[str, Wanted]) -> Mapping[str, Found] | None:
        rows = {name: row for name in wanted if (row := self._row(name)) is not None}
        asked: Sequence[int] | None = [row.place.given for row in rows.values()]
        if CAN_LOCK and rows:
            asked = self._numbers.take([(row.place, wanted[name].numbers) for name, row in rows.items()])
        if asked is None:
            return None
        found = {name: self._changed(name, wanted[name].known, last) for name, last in zip(rows, asked, strict=True)}
        return found if len(rows) == len(wanted) else {**found, **self._lost(wanted.keys() - rows.keys())}

    def _row(self, name: str) -> _Row | None:
        """What the file has of a document; None if there is none."""
        if name not in self._rows:
            for row in self._file.all(_SELECTED, name):
                self._rows[name] = _row(*row)
        return self._rows.get(name)

    def _changed(self, name: str, known: Version | None, asked: int) -> Found:
        version, _, forgotten = self._rows[name]
        if version == known:
            return Found(version, asked, forgotten)
        commits = self._contents.since(name, known, version)
        whole = None if commits else self._contents.whole(name)
        return Found(version, asked, forgotten, commits, whole)

    def _lost(self, names: Iterable[str]) -> Mapping[str, Found]:
        """What is remembered of documents that do not exist."""
        lost = "SELECT reason, number FROM lost WHERE name = ?"
        return {name: Found(None, forgotten=dict(self._file.all(lost, name))) for name in names}

    async def commit(self, commits: Sequence[Commit], counted: Mapping[str, int], reset: str = "") -> Result:
        """See Store."""
        await self._begin()
        with self._file.failing():
            if reset:
                self._counters.reset(reset)
            conflicts = frozenset(commit.name for commit in commits if self._is_outdated(commit))
            forgotten = sum(self._apply(commit) for commit in commits if commit.name not in conflicts)
            self._counters.add({**counted, "forgotten": forgotten})
            ((documents, held, journal),) = self._file.all("SELECT documents, held, journal FROM totals")
            self._file.commit()
            self._holding.end()
        self._insists = bool(conflicts) or not CAN_LOCK
        return Result(conflicts, Totals(documents, held, journal))

    def _is_outdated(self, commit: Commit) -> bool:
        """Whether another process has changed the document; if the commit only adds to its journal, whether there is
        another document by now."""
        row, expected = self._row(commit.name), commit.expected
        now = None if row is None else row.version
        if commit.version == expected and now is not None and expected is not None:
            return now.life != expected.life
        return now != expected

    def _apply(self, commit: Commit) -> int:
        """Store a commit. Returns how many entries of the journal are forgotten for it."""
        name, version = commit.name, commit.version
        if commit.whole or version is None:
            self._delete(name)
        if version is None:
            return 0
        if commit.whole:
            made = "INSERT INTO documents (name, version, asked, held, forgotten) VALUES (?, ?, 0, 0, ?)"
            self._file.all(made, name, str(version), orjson.dumps(commit.forgotten).decode())
        if commit.clears:
            self._file.all("DELETE FROM journal WHERE name = ?", name)
            self._file.all(_EMPTIED, name)
        self._contents.change(commit, version)
        new, size = commit.entries, len(commit.entries.packed)
        adds = version == commit.expected
        now, held = (self._rows[name].version, None) if adds else (version, commit.held)
        values = str(now), commit.asked, time.time(), held, size, new.count
        ((entries, *row),) = self._file.all(_CHANGED, *values, new.count, new.count, self._max_requests, name)
        self._rows[name] = _row(*row)
        if new.count:
            added = "INSERT INTO journal VALUES (?, ?, ?, ?, ?)"
            self._file.all(added, name, new.number, new.count, size, new.packed)
        spare: int = entries - self._max_requests
        self._journals.shorten(name, spare)
        return max(0, min(new.count, spare))

    def _delete(self, name: str) -> None:
        self._rows.pop(name, None)
        for table in ("documents", "contents", "commits", "journal", "lost"):
            self._file.all(f"DELETE FROM {table} WHERE name = ?", name)  # noqa: S608 (no text of anybody else)

    def give_back(self, asked: Mapping[str, int]) -> None:
        """See Store. Without locks of files, only numbers that are stored were taken."""
        if CAN_LOCK:
            rows = ((self._rows.get(name), last) for name, last in asked.items())
            with suppress(OSError):
                self._numbers.give_back([Place(row.place.slot, last) for row, last in rows if row is not None])

    async def release(self) -> None:
        """See Store."""
        if self._file.is_locked:
            self._rows.clear()  # they may be those of a commit that has failed
            self._file.roll_back()

    # Being ahead

    beat, spell = 0.002, 0.03

    @property
    def is_ahead(self) -> bool:
        """See Store."""
        return self._holding.has_begun

    def hold(self) -> bool:
        """See Store. A turn that has locked the file commits, so that others need not wait."""
        return not self._file.is_locked and self._holding.begin()

    async def settle(self) -> None:
        """See Store. The commit has let them know."""

    async def gather(self) -> None:
        """See Store."""
        await self._holding.gather(lambda attempt: self._file.succeed(lambda: attempt() or None, self.deadline))

    async def entries(self, name: str) -> Sequence[bytes]:
        """See Store."""
        rows = await self._all("SELECT entries FROM journal WHERE name = ? ORDER BY number", name)
        return [packed for (packed,) in rows]

    async def kept(self) -> Mapping[str, Kept]:
        """See Store."""
        kept = "SELECT name, used, held, journal, min(entries, ?) FROM documents ORDER BY used"
        return {name: Kept(*values) for name, *values in await self._all(kept, self._max_requests)}

    async def _all(self, statement: str, value: object) -> Sequence[Sequence[Any]]:
        return await self._file.succeed(lambda: self._file.all(statement, value), self.deadline)

    async def evict(self, names: Sequence[str], reason: str) -> None:
        """See Store."""
        await self._begin()
        with self._file.failing():
            self._counters.add({"evicted": sum(self._evict(name, reason) for name in names)})
            self._file.commit()

    def _evict(self, name: str, reason: str) -> bool:
        """Evict a document, and note how many requests were lost with it. Returns whether there was one."""
        if (row := self._row(name)) is not None:
            asked = self._numbers.last(row.place) if CAN_LOCK else row.place.given
            self._delete(name)
            if lost := asked + row.forgotten.get(reason, 0):
                self._file.all("INSERT INTO lost (name, reason, number) VALUES (?, ?, ?)", name, reason, lost)
                self._file.all("DELETE FROM lost WHERE id <= (SELECT max(id) FROM lost) - ?", _LOST)
        return row is not None

    async def trim(self, name: str, size: int, reason: str) -> None:
        """See Store."""
        await self._begin()
        with self._file.failing():
            self._lose(name, self._journals.trim(name, size), reason)
            self._file.commit()

    def _lose(self, name: str, count: int, reason: str) -> None:
        """Note that entries of a journal were deleted, if there were any."""
        if not count:
            return
        for (forgotten,) in self._file.all("SELECT forgotten FROM documents WHERE name = ?", name):
            self._rows.pop(name, None)
            counts = orjson.loads(forgotten)
            noted = orjson.dumps({**counts, reason: counts.get(reason, 0) + count}).decode()
            self._file.all("UPDATE documents SET forgotten = ? WHERE name = ?", noted, name)
        self._counters.add({"forgotten": count})

    async def counters(self) -> Mapping[str, int]:
        """See Store."""
        return await self._file.succeed(self._counters.all, self.deadline)

    async def close(self) -> None:
        """See Store."""
        self._file.close()
        self._numbers.close()
        self._holding.close()


def _row(place: int, version: str, asked: int, forgotten: str, spilled: int) -> _Row:
    """A row as SQLite has it; `spilled` are the entries of the journal that were too many."""
    counts: dict[str, int] = orjson.loads(forgotten)
    if spilled:
        counts["max_requests"] = counts.get("max_requests", 0) + spilled
    return _Row(Version.read(version), Place(place, asked), counts)
