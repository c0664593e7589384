"""A file of SQLite that several processes use: what is said if it is locked, lost, or not what it should be."""

import asyncio
import contextlib
import os
import sqlite3
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from stubserver.stores import sqlite_file
from stubserver.stores.sqlite_file import SqliteFile
from stubserver.stores.store import Unavailable
from tests.support.commands import PATIENCE

SCHEMA = "CREATE TABLE IF NOT EXISTS things (name TEXT PRIMARY KEY);"
LOCKED = "the file has been locked by another process for too long"
LOST = "the file: it was moved, deleted or replaced while it was in use"


@pytest.fixture
def make(path: Path) -> Iterator[Callable[[], SqliteFile]]:
    """Makes files as different processes have them."""
    made: list[SqliteFile] = []

    def new() -> SqliteFile:
        made.append(SqliteFile(str(path), "the file", SCHEMA))
        return made[-1]

    yield new
    for file in made:
        file.close()


@pytest.fixture
def file(make: Callable[[], SqliteFile]) -> SqliteFile:
    return make()


def run(call: Coroutine[Any, Any, Any]) -> None:
    asyncio.run(call)


def lock(file: SqliteFile) -> None:
    run(file.lock(time.monotonic() + PATIENCE))


def refusal(file: SqliteFile) -> str:
    """Why a transaction cannot begin, if nobody waits for it."""
    with pytest.raises(Unavailable) as raised:
        run(file.lock(0))
    assert type(raised.value) is Unavailable
    return str(raised.value)


def add(file: SqliteFile, name: str) -> None:
    lock(file)
    file.all("INSERT INTO things VALUES (?)", name)
    file.commit()


def names(path: Path) -> list[str]:
    """What another program sees in the file."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return [name for (name,) in connection.execute("SELECT name FROM things ORDER BY name")]


# Transactions


def test_a_transaction_takes_effect_at_its_end(file: SqliteFile, path: Path) -> None:
    lock(file)
    file.many("INSERT INTO things VALUES (?)", [("a",), ("b",)])
    lock(file)  # the same one
    assert names(path) == []
    file.commit()
    assert (names(path), file.all("SELECT count(*) FROM things")) == (["a", "b"], [(2,)])


def test_a_transaction_that_is_rolled_back_has_no_effect(file: SqliteFile, path: Path) -> None:
    file.roll_back()
    add(file, "a")
    lock(file)
    file.all("INSERT INTO things VALUES ('b')")
    file.roll_back()
    file.roll_back()
    add(file, "c")
    assert names(path) == ["a", "c"]


def test_a_transaction_that_fails_has_no_effect(file: SqliteFile, path: Path) -> None:
    add(file, "a")
    lock(file)
    with pytest.raises(Unavailable, match=r"^the file: UNIQUE constraint failed: things.name$"), file.failing():
        file.many("INSERT INTO things VALUES (?)", [("b",), ("a",)])
    add(file, "c")
    assert names(path) == ["a", "c"]


def test_what_is_no_failure_of_sqlite_is_no_failure_of_the_file(file: SqliteFile) -> None:
    lock(file)
    with pytest.raises(ZeroDivisionError), file.failing():
        raise ZeroDivisionError
    file.all("INSERT INTO things VALUES ('a')")
    file.commit()


def test_a_file_that_is_closed_in_a_transaction_forgets_it(make: Callable[[], SqliteFile], path: Path) -> None:
    file, other = make(), make()
    file.close()
    lock(file)
    file.all("INSERT INTO things VALUES ('a')")
    file.close()
    add(other, "b")
    add(file, "c")
    assert names(path) == ["b", "c"]


def test_only_one_process_is_in_a_transaction(make: Callable[[], SqliteFile]) -> None:
    file, other = make(), make()
    lock(file)
    assert refusal(other) == LOCKED
    file.commit()
    lock(other)
    assert refusal(file) == LOCKED


@pytest.mark.parametrize("kind", ["IMMEDIATE", "EXCLUSIVE"])
def test_a_process_waits_for_another_program(file: SqliteFile, path: Path, kind: str) -> None:
    """And does other things meanwhile, such as what ends the wait here."""
    add(file, "a")

    async def test() -> None:
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute(f"BEGIN {kind}")
            waiting = asyncio.create_task(file.lock(time.monotonic() + PATIENCE))
            for _ in range(3):
                await asyncio.sleep(0)
            assert not waiting.done()
            other.execute("INSERT INTO things VALUES ('b')")
            other.execute("COMMIT")
            await waiting
        assert file.all("SELECT count(*) FROM things") == [(2,)]

    run(test())


def test_a_new_file_may_be_locked_too(file: SqliteFile, path: Path) -> None:
    """Its tables cannot be made as long as another program keeps it."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert refusal(file) == LOCKED
        other.execute("COMMIT")
    add(file, "a")
    assert names(path) == ["a"]


def test_a_short_wait_lets_nothing_else_happen(file: SqliteFile, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Most transactions are over before anything else could be begun."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        ends: list[Callable[[], object]] = [lambda: other.execute("COMMIT"), lambda: None]
        clock = SimpleNamespace(monotonic=time.monotonic, sleep=lambda _: ends.pop()())
        monkeypatch.setattr(sqlite_file, "time", clock)
        monkeypatch.setattr(file, "_wait", None)
        run(file.lock(0))
    assert (file.is_locked, ends) == (True, [])


def test_a_process_that_was_suspended_has_not_waited(
    file: SqliteFile, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever has the lock may have been suspended, too, and needs a moment."""
    now = [time.monotonic()]
    monkeypatch.setattr(sqlite_file, "time", SimpleNamespace(monotonic=lambda: now[0], sleep=lambda _: None))
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        ends: list[Callable[[], object]] = [lambda: other.execute("COMMIT"), lambda: now.append(now.pop() + 60)]

        async def wait() -> None:
            ends.pop()()

        monkeypatch.setattr(file, "_wait", wait)
        run(file.lock(now[0] + 1))
    assert (file.is_locked, ends) == (True, [])


def test_the_log_of_writes_is_begun_anew_as_soon_as_nobody_uses_it(
    file: SqliteFile, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite itself writes on into the same one for ever, if other processes are always looking at it."""
    monkeypatch.setattr(sqlite_file, "_LOG", 50_000)
    monkeypatch.setattr(sqlite_file, "_COMMITS", 2)
    log = Path(f"{path}-wal")
    add(file, "a")
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN")
        other.execute("SELECT * FROM things").fetchall()
        for letter in "bcd":
            add(file, letter * 50_000)
        assert log.stat().st_size > 150_000
        other.execute("COMMIT")
        add(file, "e")
        assert log.stat().st_size == 0
        add(file, "f")
        assert 0 < log.stat().st_size < 50_000
    assert len(names(path)) == 6


def test_a_log_that_cannot_be_begun_anew_is_no_failure(
    file: SqliteFile, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_file, "_COMMITS", 1)
    add(file, "a")
    Path(f"{path}-wal").unlink()
    add(file, "b")
    assert file.all("SELECT name FROM things") == [("a",), ("b",)]


# Files that cannot be


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    file = SqliteFile(str(tmp_path / "none" / "worlds.db"), "the file", SCHEMA)
    assert refusal(file) == "the file: unable to open database file"
    assert [*tmp_path.iterdir()] == []


def test_a_folder_is_no_file(file: SqliteFile, path: Path) -> None:
    path.mkdir()
    assert refusal(file) == "the file: unable to open database file"


@pytest.mark.parametrize("content", [b"hello", b"SQLite format 3\0" + bytes(range(256)) * 40, b"x" * 100_000])
def test_a_file_of_another_kind_is_left_as_it_is(file: SqliteFile, path: Path, content: bytes) -> None:
    path.write_bytes(content)
    assert refusal(file) == "the file: file is not a database"
    assert path.read_bytes() == content


def test_an_empty_file_is_a_beginning(file: SqliteFile, path: Path) -> None:
    path.touch()
    add(file, "a")
    assert names(path) == ["a"]


@pytest.mark.parametrize("table", ["things", "documents", "auth_user"])
def test_a_file_of_another_program_is_left_as_it_is(file: SqliteFile, path: Path, table: str) -> None:
    with contextlib.closing(sqlite3.connect(path)) as other:
        other.execute(f"CREATE TABLE {table} (name TEXT)")
    before = path.read_bytes()
    assert refusal(file) == "the file: it has the tables of another program"
    assert path.read_bytes() == before
    assert [*path.parent.iterdir()] == [path]


def test_a_file_that_is_damaged_is_told(file: SqliteFile, path: Path) -> None:
    for name in "ab":
        add(file, name * 10_000)
    file.close()
    content = path.read_bytes()
    path.write_bytes(content[:8192] + b"\x07" * (len(content) - 8192))
    lock(file)
    with pytest.raises(Unavailable, match=r"^the file: database disk image is malformed$"), file.failing():
        file.all("SELECT * FROM things")


def test_a_full_disk_is_told_and_nothing_is_half_done(file: SqliteFile, path: Path) -> None:
    add(file, "a")
    file.all("PRAGMA max_page_count = 20")
    lock(file)
    with pytest.raises(Unavailable, match=r"^the file: database or disk is full$"), file.failing():
        file.many("INSERT INTO things VALUES (?)", [("b",), ("c" * 1_000_000,)])
    assert names(path) == ["a"]
    add(file, "d")
    assert names(path) == ["a", "d"]


@pytest.fixture
def foreign() -> Iterator[Path]:
    """A file in a folder that anybody can read, and nobody but us can write to."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder) / "worlds.db"


@contextlib.contextmanager
def unprivileged() -> Iterator[None]:
    """Root may write whatever the modes of files say."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_file_that_may_not_be_written_is_told(foreign: Path) -> None:
    file = SqliteFile(str(foreign), "the file", SCHEMA)
    add(file, "a")
    file.close()
    foreign.chmod(0o444)
    foreign.parent.chmod(0o555)
    with unprivileged():
        assert refusal(file) == "the file: attempt to write a readonly database"
    foreign.parent.chmod(0o755)
    foreign.chmod(0o644)
    add(file, "b")
    assert names(foreign) == ["a", "b"]
    file.close()


# Files that do not stay


def moved(path: Path) -> None:
    path.rename(path.with_name("moved.db"))


def deleted(path: Path) -> None:
    for each in path.parent.glob(f"{path.name}*"):
        each.unlink()


def replaced(path: Path) -> None:
    copy = path.with_name("copy.db")
    copy.write_bytes(path.read_bytes())
    copy.replace(path)


@pytest.mark.parametrize("lose", [moved, deleted, replaced])
def test_a_file_that_is_lost_is_told_once(file: SqliteFile, path: Path, lose: Callable[[Path], None]) -> None:
    """SQLite itself would go on to write into what has no name any more. Then the process uses what is there."""
    add(file, "a")
    lose(path)
    assert refusal(file) == LOST
    add(file, "b")
    assert names(path)[-1] == "b"


def test_a_file_stays_when_the_process_moves(tmp_path: Path, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file = SqliteFile(path.name, "the file", SCHEMA)
    add(file, "a")
    monkeypatch.chdir("/")
    add(file, "b")
    file.close()
    add(file, "c")
    file.close()
    assert names(path) == ["a", "b", "c"]


def test_writes_outlive_the_process_without_waiting_for_the_disk(file: SqliteFile, path: Path) -> None:
    """They are in the log of writes, which others read, and no write waits until the disk has it."""
    add(file, "a")
    assert file.all("PRAGMA synchronous") == [(1,)]  # NORMAL
    assert b"a" in Path(f"{path}-wal").read_bytes()
