"""Worlds in a file of SQLite: they outlive the process, and several processes of one machine share them.

What a turn of the event loop asks for is one transaction of the file, from `refresh` to `commit`. Nobody else writes
meanwhile, so there are no conflicts. A write is safe from the end of its process, by whatever signal, though the last
ones may be lost if the machine itself loses power.
"""

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate

import orjson

from stubserver.stores.sqlite_file import SqliteFile
from stubserver.stores.store import LOGGED, Commit, Found, Kept, Result, Totals, Version, Wanted, packed

# Only tables of small rows are without rowids: of others, such a table has no more than four on a page.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS documents (
    name TEXT PRIMARY KEY, version TEXT, asked INT, used REAL, held INT,
    journal INT DEFAULT 0, entries INT DEFAULT 0, forgotten TEXT DEFAULT '{}', spilled INT DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS contents (name TEXT, key TEXT, value BLOB, PRIMARY KEY (name, key));
CREATE TABLE IF NOT EXISTS commits (name TEXT, number INT, changes BLOB, PRIMARY KEY (name, number));
CREATE TABLE IF NOT EXISTS journal (
    name TEXT, number INT, count INT, size INT, entries BLOB, PRIMARY KEY (name, number)
);
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS counted (id INTEGER PRIMARY KEY, counts BLOB);
CREATE TABLE IF NOT EXISTS totals (id INTEGER PRIMARY KEY, documents INT, held INT, journal INT);
INSERT OR IGNORE INTO totals VALUES (1, 0, 0, 0);
CREATE TRIGGER IF NOT EXISTS added AFTER INSERT ON documents BEGIN
    UPDATE totals SET documents = documents + 1, held = held + new.held, journal = journal + new.journal;
END;
CREATE TRIGGER IF NOT EXISTS changed AFTER UPDATE OF held, journal ON documents BEGIN
    UPDATE totals SET held = held + new.held - old.held, journal = journal + new.journal - old.journal;
END;
CREATE TRIGGER IF NOT EXISTS deleted AFTER DELETE ON documents BEGIN
    UPDATE totals SET documents = documents - 1, held = held - old.held, journal = journal - old.journal;
END;
CREATE TABLE IF NOT EXISTS lost (id INTEGER PRIMARY KEY, name TEXT UNIQUE, reason TEXT, number INT);
"""
_CHANGED = """
UPDATE documents SET version = ?, asked = ?, used = ?, held = ?, journal = journal + ?, entries = entries + ?,
    spilled = spilled + max(0, min(?, entries + ? - ?))
WHERE name = ? RETURNING entries, version, asked, forgotten, spilled
"""
_EMPTIED = "UPDATE documents SET journal = 0, entries = 0, forgotten = '{}', spilled = 0 WHERE name = ?"
_SPARE, _AT_ONCE = 256, 64
"""How many entries a journal may have too many before some are deleted, and how many batches then go at once."""
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
        self._file = SqliteFile(path, self.name, _SCHEMA)
        self._max_requests = max_requests
        self._rows: dict[str, _Row] = {}
        """Name of a document -> what the file has of it, as long as no other process commits."""
        self._apart = 0
        """How many additions to the counters this process has not summed up."""

    async def _begin(self) -> None:
        """Begin a transaction, unless one has begun. Raises Unavailable."""
        await self._file.lock(self.deadline)
        if self._file.is_changed:
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

    def _found(self, name: str, want: Wanted) -> Found:
        if (row := self._rows.get(name)) is None:
            rows = self._file.all("SELECT version, asked, forgotten, spilled FROM documents WHERE name = ?", name)
            if not rows:
                lost = self._file.all("SELECT reason, number FROM lost WHERE name = ?", name)
                return Found(None, forgotten=dict(lost))
            row = self._rows[name] = rows[0]
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
        with self._file.failing():
            if reset:
                self._sum_up()
                self._file.all("DELETE FROM counters WHERE substr(name, 1, ?) = ?", len(reset), reset)
            forgotten = sum(self._apply(commit) for commit in commits)
            self._count({**counted, "forgotten": forgotten})
            ((documents, held, journal),) = self._file.all("SELECT documents, held, journal FROM totals")
            self._file.commit()
        return Result(frozenset(), Totals(documents, held, journal))

    def _apply(self, commit: Commit) -> int:
        """Store a commit. Returns how many entries of the journal are forgotten for it."""
        name, version = commit.name, commit.version
        if commit.whole or version is None:
            self._delete(name)
        if version is None:
            return 0
        if commit.whole:
            forgotten = orjson.dumps(commit.forgotten).decode()
            self._file.all("INSERT INTO documents (name, held, forgotten) VALUES (?, 0, ?)", name, forgotten)
        if commit.clears:
            self._file.all("DELETE FROM journal WHERE name = ?", name)
            self._file.all(_EMPTIED, name)
        self._change(commit, version)
        new, size = commit.entries, len(commit.entries.packed)
        values = (str(version), commit.asked, time.time(), commit.held, size, new.count)
        ((entries, *row),) = self._file.all(_CHANGED, *values, new.count, new.count, self._max_requests, name)
        self._rows[name] = tuple(row)
        if new.count:
            added = "INSERT INTO journal VALUES (?, ?, ?, ?, ?)"
            self._file.all(added, name, new.number, new.count, size, new.packed)
        spare: int = entries - self._max_requests
        if spare > _SPARE:
            self._shorten(name, spare)
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

    def _shorten(self, name: str, spare: int) -> None:
        """Delete the oldest batches of entries of a journal, of which `spare` are too many."""
        oldest = self._oldest(name)
        counts = accumulate(count for _, count, _ in oldest)
        self._forget(name, [batch for batch, count in zip(oldest, counts, strict=True) if count <= spare])

    def _oldest(self, name: str) -> Sequence[tuple[int, int, int]]:
        """The oldest batches of entries of a journal: number, count, size."""
        oldest = "SELECT number, count, size FROM journal WHERE name = ? ORDER BY number LIMIT ?"
        return self._file.all(oldest, name, _AT_ONCE)

    def _forget(self, name: str, batches: Sequence[tuple[int, int, int]]) -> None:
        """Delete the oldest batches of entries of a journal."""
        if not batches:
            return
        numbers, counts, sizes = zip(*batches, strict=True)
        self._file.all("DELETE FROM journal WHERE name = ? AND number <= ?", name, numbers[-1])
        shrunk = "UPDATE documents SET journal = journal - ?, entries = entries - ? WHERE name = ?"
        self._file.all(shrunk, sum(sizes), sum(counts), name)

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
        self._file.roll_back()

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
            before = self._entries(name)
            while size > 0 and (oldest := self._oldest(name)):
                sizes = [0, *accumulate(length for _, _, length in oldest)]
                self._forget(name, [batch for batch, gone in zip(oldest, sizes, strict=False) if gone < size])
                size -= sizes[-1]
            self._lose(name, before - self._entries(name), reason)
            self._file.commit()

    def _entries(self, name: str) -> int:
        """How many entries a journal has, without those that are too many."""
        rows = self._file.all("SELECT min(entries, ?) FROM documents WHERE name = ?", self._max_requests, name)
        return sum(count for (count,) in rows)

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
