"""Worlds in a file of SQLite: they outlive the process, and several processes of one machine share them.

What a turn of the event loop asks for is one transaction of the file, from `refresh` to `commit`, which may be that of
a later turn. Nobody else writes meanwhile, so there are no conflicts. A write is safe from the end of its process, by
whatever signal, though the last ones may be lost if the machine itself loses power.
"""

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import orjson

from stubserver.stores.sqlite_ahead import Ahead
from stubserver.stores.sqlite_file import SqliteFile
from stubserver.stores.sqlite_journals import SqliteJournals
from stubserver.stores.sqlite_schema import SCHEMA
from stubserver.stores.store import LOGGED, Commit, Found, Kept, Result, Totals, Version, Wanted, packed

_CHANGED = """
UPDATE documents SET version = ?, asked = max(asked, ?), used = ?, held = ?, journal = journal + ?,
    entries = entries + ?, spilled = spilled + max(0, min(?, entries + ? - ?))
WHERE name = ? RETURNING entries, version, asked, forgotten, spilled
"""
_EMPTIED = "UPDATE documents SET journal = 0, entries = 0, forgotten = '{}', spilled = 0 WHERE name = ?"
_SPELL, _SPELL_OF_MANY = 0.03, 0.01
"""Seconds for which a process stays ahead of the file: alone, and if others use it, too."""
_LOST = 10_000
"""How many evicted documents are remembered."""
_APART = 256
"""How many times a process adds to the counters before it sums them up: a turn then writes one page, not several."""
_Row = tuple[str, int, str, int]
"""Version, number of the last request, what the journal has lost, how many of its entries were too many."""


class SqliteStore:
    """A store in a file."""

    def __init__(self, path: str, max_requests: int) -> None:
        """A journal keeps `max_requests` entries."""
        self.name = f"SQLite file {path}"
        self.deadline = 0.0
        self._file = SqliteFile(path, self.name, SCHEMA)
        self._ahead = Ahead(self._file, path)
        self._journals = SqliteJournals(self._file, max_requests)
        self._max_requests = max_requests
        self._rows: dict[str, _Row] = {}
        """Name of a document -> what the file has of it, as long as no other process commits."""
        self._is_writing = False
        """Whether a commit has begun, and not ended."""
        self._apart = 0
        """How many additions to the counters this process has not summed up."""

    async def _begin(self) -> None:
        """Begin a transaction, unless one has begun. Raises Unavailable."""
        if self._file.is_locked:
            return
        is_begun = self._is_writing = False
        while not is_begun:
            await self._file.lock(self.deadline)
            with self._file.failing():
                is_begun = self._ahead.begin()
            if self._file.is_changed or not is_begun:
                self._rows.clear()

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
        await self._begin()
        with self._file.failing():
            return {name: self._found(name, want) for name, want in wanted.items()}

    def _row(self, name: str) -> _Row | None:
        """What the file has of a document; None if there is none."""
        if name not in self._rows:
            for row in self._file.all("SELECT version, asked, forgotten, spilled FROM documents WHERE name = ?", name):
                self._rows[name] = row
        return self._rows.get(name)

    def _has(self, name: str, life: str) -> bool:
        """Whether there still is a document, and it has not been made anew."""
        row = self._row(name)
        return row is not None and Version.read(row[0]).life == life

    def _found(self, name: str, want: Wanted) -> Found:
        if (row := self._row(name)) is None:
            lost = self._file.all("SELECT reason, number FROM lost WHERE name = ?", name)
            return Found(None, forgotten=dict(lost))
        version, asked, forgotten = Version.read(row[0]), row[1], _counts(*row[2:])
        if version == want.known:
            return Found(version, asked, forgotten)
        commits = self._since(name, want.known, version)
        whole = None if commits else dict(self._file.all("SELECT key, value FROM contents WHERE name = ?", name))
        return Found(version, asked, forgotten, commits, whole)

    def _since(self, name: str, known: Version | None, version: Version) -> Sequence[bytes]:
        """The commits after a known version; none if one of them is no longer remembered."""
        if known is None or known.life != version.life:
            return ()
        rows = self._file.all(
            "SELECT changes FROM commits WHERE name = ? AND number > ? ORDER BY number", name, known.number
        )
        return [changes for (changes,) in rows] if len(rows) == version.number - known.number else ()

    async def commit(self, commits: Sequence[Commit], counted: Mapping[str, int], reset: str = "") -> Result:
        """See Store. There are never any conflicts."""
        await self._begin()
        self._is_writing = True
        with self._file.failing():
            if reset:
                self._sum_up()
                self._file.all("DELETE FROM counters WHERE substr(name, 1, ?) = ?", len(reset), reset)
            forgotten = sum(self._apply(commit) for commit in commits)
            self._count({**counted, "forgotten": forgotten})
            ((documents, held, journal),) = self._file.all("SELECT documents, held, journal FROM totals")
            self._ahead.commit()
        self._is_writing = False
        return Result(frozenset(), Totals(documents, held, journal))

    def _apply(self, commit: Commit) -> int:
        """Store a commit. Returns how many entries of the journal are forgotten for it."""
        name, version = commit.name, commit.version
        if commit.whole or version is None:
            self._delete(name)
        if version is None or (version == commit.expected and not self._has(name, version.life)):
            return 0
        if commit.whole:
            forgotten = orjson.dumps(commit.forgotten).decode()
            self._file.all("INSERT INTO documents (name, asked, held, forgotten) VALUES (?, 0, 0, ?)", name, forgotten)
        if commit.clears:
            self._file.all("DELETE FROM journal WHERE name = ?", name)
            self._file.all(_EMPTIED, name)
        self._change(commit, version)
        new, size = commit.entries, len(commit.entries.packed)
        values = (
            self._rows[name][0] if version == commit.expected else str(version),
            commit.asked,
            time.time(),
            commit.held,
            size,
            new.count,
        )
        ((entries, *row),) = self._file.all(_CHANGED, *values, new.count, new.count, self._max_requests, name)
        self._rows[name] = tuple(row)
        if new.count:
            added = "INSERT INTO journal VALUES (?, ?, ?, ?, ?)"
            self._file.all(added, name, new.number, new.count, size, new.packed)
        spare: int = entries - self._max_requests
        self._journals.shorten(name, spare)
        return max(0, min(new.count, spare))

    def _change(self, commit: Commit, version: Version) -> None:
        if not commit.changes:
            return
        name, changes = commit.name, commit.changes
        gone = [(name, key) for key, value in changes.items() if value is None]
        self._file.many("DELETE FROM contents WHERE name = ? AND key = ?", gone)
        kept = ((name, key, value) for key, value in changes.items() if value is not None)
        put = "INSERT INTO contents VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value"
        self._file.many(put, kept)
        if not commit.whole:
            self._file.all("INSERT INTO commits VALUES (?, ?, ?)", name, version.number, packed(changes))
        if version.number % LOGGED == 0:
            self._file.all("DELETE FROM commits WHERE name = ? AND number <= ?", name, version.number - LOGGED)

    def _delete(self, name: str) -> None:
        self._rows.pop(name, None)
        for table in ("documents", "contents", "commits", "journal", "lost"):
            self._file.all(f"DELETE FROM {table} WHERE name = ?", name)  # noqa: S608 (no text of anybody else)

    def _count(self, counted: Mapping[str, int]) -> None:
        if any(counted.values()):
            self._file.all("INSERT INTO counted (counts) VALUES (?)", orjson.dumps(counted))
            self._apart += 1
        if self._apart >= _APART:
            self._sum_up()

    def _sum_up(self) -> None:
        """Add to the counters what has been counted apart from them."""
        self._apart = 0
        apart = self._file.all("DELETE FROM counted RETURNING counts")
        added = "INSERT INTO counters VALUES (?, ?) ON CONFLICT DO UPDATE SET value = value + excluded.value"
        self._file.many(added, (count for count in _sum(apart).items() if count[1]))

    async def release(self) -> None:
        """See Store."""
        if self._is_writing or not self._ahead.is_ahead:
            self._file.roll_back()

    # Being ahead

    beat = 0.002

    @property
    def spell(self) -> float:
        """See Store."""
        return _SPELL_OF_MANY if self._file.is_shared else _SPELL

    @property
    def is_ours(self) -> bool:
        """See Store."""
        return self._file.is_locked

    @property
    def is_ahead(self) -> bool:
        """See Store."""
        return self._ahead.is_ahead

    def hold(self) -> bool:
        """See Store. The transaction goes on, so others cannot see, or give, what this process has not committed."""
        return self._ahead.go()

    async def settle(self) -> None:
        """See Store. The commit has ended the transaction."""

    async def gather(self) -> None:
        """See Store. Nobody else holds anything while this process has the lock."""

    async def entries(self, name: str) -> Sequence[bytes]:
        """See Store."""
        with self._file.failing():
            rows = self._file.all("SELECT entries FROM journal WHERE name = ? ORDER BY number", name)
        return [packed for (packed,) in rows]

    async def kept(self) -> Mapping[str, Kept]:
        """See Store."""
        with self._file.failing():
            kept = "SELECT name, used, held, journal, min(entries, ?) FROM documents ORDER BY used"
            rows = self._file.all(kept, self._max_requests)
        return {name: Kept(*values) for name, *values in rows}

    async def evict(self, names: Sequence[str], reason: str) -> None:
        """See Store."""
        await self._begin()
        with self._file.failing():
            self._count({"evicted": sum(self._evict(name, reason) for name in names)})
            self._file.commit()

    def _evict(self, name: str, reason: str) -> bool:
        """Evict a document, and note how many requests were lost with it. Returns whether there was one."""
        rows = self._file.all("SELECT asked, forgotten FROM documents WHERE name = ?", name)
        for asked, forgotten in rows:
            self._delete(name)
            if lost := asked + orjson.loads(forgotten).get(reason, 0):
                self._file.all("INSERT INTO lost (name, reason, number) VALUES (?, ?, ?)", name, reason, lost)
                self._file.all("DELETE FROM lost WHERE id <= (SELECT max(id) FROM lost) - ?", _LOST)
        return bool(rows)

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
        self._count({"forgotten": count})

    async def counters(self) -> Mapping[str, int]:
        """See Store."""
        with self._file.failing():  # one statement, so that nobody sums up in between
            rows = self._file.all("SELECT name, value FROM counters UNION ALL SELECT NULL, counts FROM counted")
        found = Counter({name: value for name, value in rows if name is not None})
        found.update(_sum((counts,) for name, counts in rows if name is None))
        return {name: value for name, value in found.items() if value}

    async def close(self) -> None:
        """See Store."""
        self._file.close()
        self._ahead.close()


def _sum(rows: Iterable[tuple[bytes]]) -> Counter[str]:
    """What was counted in all."""
    total: Counter[str] = Counter()
    for (counts,) in rows:
        total.update(orjson.loads(counts))
    return total


def _counts(forgotten: str, spilled: int) -> Mapping[str, int]:
    """What a journal has lost, by the reasons; `spilled` are the entries that were too many."""
    counts: dict[str, int] = orjson.loads(forgotten)
    return {**counts, "max_requests": counts.get("max_requests", 0) + spilled} if spilled else counts
