"""A file of SQLite that several processes use: opened when it is first needed, locked for a transaction, and left alone
if it is not what it should be."""

import asyncio
import random
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from stubserver.stores.store import Unavailable

_OURS = int.from_bytes(b"stub")
"""The number by which SQLite's files say whose they are."""
_LOCKED = ("database is locked", "database table is locked", "database schema is locked")
_TRIES, _SOON = 8, 0.00005
"""How often something is tried again at once, after so many seconds: hardly any transaction takes longer."""
_WAIT = 0.001
"""Seconds to wait at most before trying again later; SQLite itself would block the event loop."""
_STILL = 0.5
"""Seconds that a wait cannot take: after more, this process was suspended, perhaps with those that it waits for."""
_LOG, _COMMITS = 64 * 1024 * 1024, 64
"""Bytes that SQLite's log of writes may have, and after how many commits that is looked at. SQLite itself begins it
anew only if nobody uses it, which never happens to busy processes."""
_T = TypeVar("_T")


class SqliteFile:
    """A file, and the connection of this process to it."""

    def __init__(self, path: str, name: str, schema: str) -> None:
        """Messages call it by its `name`. The statements of the schema make what is not there yet."""
        self._path, self._name = Path(path).absolute(), name
        self._log = self._path.with_name(f"{self._path.name}-wal")
        self._commits = 0
        """How many there were since the size of the log was looked at."""
        self._schema = f"PRAGMA application_id = {_OURS};\n{schema}"
        self._open: sqlite3.Connection | None = None
        self.openings = 0
        """How often it was opened: another file may have its name each time."""
        self._identity: tuple[int, int] | None = None
        """Which file is open: another one may have its name by now."""
        self._seen: int | None = None
        """SQLite's number that changes with each commit of another process; None if the file was just opened."""

    # Transactions

    @property
    def is_locked(self) -> bool:
        """Whether a transaction has begun."""
        return self._open is not None and self._open.in_transaction

    async def lock(self, deadline: float) -> None:
        """Begin a transaction, unless one has begun. Raises Unavailable, also if another process keeps the file locked
        until a time of the monotonic clock."""
        if not self.is_locked:
            await self.succeed(self._begin, deadline)

    async def succeed(self, attempt: Callable[[], _T | None], deadline: float) -> _T:
        """What an attempt returns that is not None, and does not find the file locked. Raises Unavailable."""
        for _ in range(_TRIES):
            if (result := self._tried(attempt)) is not None:
                return result
            time.sleep(_SOON)
        while (result := self._tried(attempt)) is None:
            if time.monotonic() > deadline:
                raise Unavailable(f"{self._name} has been locked by another process for too long")
            before = time.monotonic()
            await self._wait()
            if (lapse := time.monotonic() - before) > _STILL:
                deadline += lapse
        return result

    def _tried(self, attempt: Callable[[], _T | None]) -> _T | None:
        try:
            return attempt()
        except (sqlite3.Error, OSError) as error:
            if str(error) in _LOCKED:
                return None
            self._fail(error)

    async def _wait(self) -> None:
        await asyncio.sleep(random.uniform(0, _WAIT))  # noqa: S311 (so that processes do not keep pace)

    def _begin(self) -> bool:
        self.all("BEGIN IMMEDIATE")
        if self._identity != _identity(self._path):
            raise sqlite3.OperationalError("it was moved, deleted or replaced while it was in use")
        return True

    def has_changed(self) -> bool:
        """Whether another process may have committed since this was asked last."""
        ((number,),) = self.all("PRAGMA data_version")
        before, self._seen = self._seen, number
        return bool(number != before)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """A transaction that only reads, unless one has begun: all of it sees the same state of the file."""
        if self.is_locked:
            yield
            return
        self.all("BEGIN")
        try:
            yield
        finally:
            if self.is_locked:  # not after some failures
                self.all("COMMIT")

    def commit(self) -> None:
        """End the transaction."""
        self.all("COMMIT")
        self._commits += 1
        if self._commits >= _COMMITS:
            self._bound_log()

    def _bound_log(self) -> None:
        """Begin SQLite's log of writes anew if it is large; if that is not possible, the next commit tries again."""
        is_in_use = False
        with suppress(OSError, sqlite3.Error):  # what was committed is safe in any case
            if self._log.stat().st_size > _LOG:
                ((is_in_use, *_),) = self.all("PRAGMA wal_checkpoint(TRUNCATE)")
        if not is_in_use:
            self._commits = 0

    def roll_back(self) -> None:
        """End the transaction, if there is one, with nothing changed. Raises Unavailable."""
        if self.is_locked:
            with self.failing():
                self.all("ROLLBACK")

    # Statements

    def all(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """All rows at once: a cursor that is not read to its end would keep an old state of the file."""
        if self._open is None:
            self._open = self._connected()
        return self._open.execute(statement, values).fetchall()

    def many(self, statement: str, rows: Iterable[Sequence[object]]) -> None:
        """Execute a statement for each row."""
        assert self._open is not None  # noqa: S101 (it is locked)
        self._open.executemany(statement, rows)

    @contextmanager
    def failing(self) -> Iterator[None]:
        """Whatever SQLite or the system complains about becomes Unavailable, and nothing is half done."""
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            self._fail(error)

    def _fail(self, error: Exception) -> NoReturn:
        self.close()  # which rolls back
        raise Unavailable(f"{self._name}: {error}") from None

    # The connection

    def close(self) -> None:
        """Close the file; it is opened again when it is needed."""
        if self._open is not None:
            self._open.close()
            self._open = self._seen = None

    def _connected(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=0, isolation_level=None)
        try:
            self._check(connection)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.executescript(self._schema)
        except BaseException:
            connection.close()
            raise
        self._identity = _identity(self._path)
        self.openings += 1
        return connection

    @staticmethod
    def _check(connection: sqlite3.Connection) -> None:
        """Raises sqlite3.DatabaseError for the file of another program."""
        ((tables,),) = connection.execute("SELECT count(*) FROM sqlite_master").fetchall()
        ((owner,),) = connection.execute("PRAGMA application_id").fetchall()
        if tables and owner != _OURS:
            raise sqlite3.DatabaseError("it has the tables of another program")


def _identity(path: Path) -> tuple[int, int] | None:
    """Which file has this path; None if there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
