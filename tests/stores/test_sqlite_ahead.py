"""Being ahead of a file of SQLite: others wait, and whoever comes after a process that was killed finds that out."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stubserver.stores import sqlite_ahead, sqlite_file
from stubserver.stores.sqlite import SqliteStore
from stubserver.stores.store import MOST_HELD
from tests.stores.processes import Process


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "worlds.db"


@pytest.fixture
def start(path: Path, runner: asyncio.Runner) -> Iterator[Callable[[], Process]]:
    """Starts processes at the same file."""
    started: list[Process] = []

    def start() -> Process:
        started.append(Process(f"sqlite:{path}", runner))
        return started[-1]

    yield start
    for process in started:
        process.close()


def store(process: Process) -> SqliteStore:
    assert isinstance(process.store, SqliteStore)
    return process.store


def kill(process: Process) -> None:
    """End a process in a way that leaves nothing but what is in files."""
    store(process)._file.close()
    process.close()


def asked(process: Process) -> int:
    """The last number of a request that may have been given."""
    found = process.look("a")["a"].asked
    process.release()
    return found


def test_others_wait_for_a_process_that_is_ahead(start: Callable[[], Process]) -> None:
    one, other = start(), start()
    one.make("a", asked=1)
    one.look("a", numbers=1)
    assert (store(one).hold(), store(one).is_ahead) == (True, True)
    one.release()
    other.patience = 0.01
    assert "has been locked" in other.why_not(other.store.refresh({}))
    assert (store(one).is_ours, store(one).is_ahead) == (True, True)
    one.commit(one.change("a", {}, (2, b"0")))
    assert (store(one).is_ours, store(one).is_ahead) == (False, False)
    assert (asked(other), other.entries("a")) == (2, [b"0"])


@pytest.mark.parametrize("long", [-1, 3600])
def test_others_have_a_chance_after_a_long_time(
    start: Callable[[], Process], monkeypatch: pytest.MonkeyPatch, long: int
) -> None:
    monkeypatch.setattr(sqlite_ahead, "_LONG", long)
    one = start()
    one.make("a")
    one.look("a", numbers=1)
    assert store(one).hold()
    one.commit(one.change("a", {}, (1, b"0")))
    assert (store(one)._file._left_until > 0) == (long < 0)


def test_numbers_of_a_process_that_was_killed_are_skipped_once(start: Callable[[], Process]) -> None:
    one, other = start(), start()
    one.make("a", asked=5)
    one.make("b", asked=1)
    one.look("a", numbers=1)
    assert store(one).hold()
    kill(one)
    assert [asked(other), asked(other), asked(start())] == [5 + MOST_HELD] * 3
    assert other.look("b")["b"].asked == 1 + MOST_HELD


def test_nothing_is_skipped_if_all_was_committed(start: Callable[[], Process]) -> None:
    for number in range(1, 4):
        one = start()
        if number == 1:
            one.make("a")
        one.look("a", numbers=1)
        assert store(one).hold()
        one.commit(one.change("a", {}, (number, b"0")))
        kill(one)
        assert asked(start()) == number


def test_what_is_undone_while_a_process_is_ahead_is_a_failure(start: Callable[[], Process]) -> None:
    """A commit that stopped half-way is rolled back, so that the rest is not stored with the next one."""
    one = start()
    one.make("a", {"x": b"1"}, asked=1)
    one.look("a")
    assert store(one).hold()
    change = one.change("a", {"x": b"2"})
    change.held = object()  # type: ignore[assignment]
    with pytest.raises(Exception, match=r"type 'object' is not supported|probably unsupported type"):
        one.run(one.store.commit([change], {}))
    one.release()
    assert not store(one).is_ours
    assert start().read("a") == {"x": b"1"}


def test_nobody_is_ahead_without_a_note(start: Callable[[], Process], path: Path) -> None:
    Path(f"{path}-ahead").mkdir()
    one = start()
    one.make("a", asked=1)
    one.look("a", numbers=1)
    assert (store(one).hold(), store(one).is_ahead) == (False, False)
    one.release()
    assert asked(start()) == 1


@pytest.mark.parametrize("content", [b"", b"\x01", b"nonsense"])
def test_a_note_that_says_nothing_does_no_harm(start: Callable[[], Process], path: Path, content: bytes) -> None:
    """At worst, numbers are skipped that nobody has given."""
    start().make("a", asked=1)
    Path(f"{path}-ahead").write_bytes(content)
    one = start()
    assert asked(one) in (1, 1 + MOST_HELD)
    assert asked(one) == asked(start())


def test_a_hold_is_shorter_if_others_use_the_file(
    start: Callable[[], Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_file, "_POLITE", 3600)
    one, other = start(), start()
    one.make("a")
    store(one)._file._shared_until = 0.0  # it has just opened the file, so it might have been used by others
    alone = store(one).spell
    other.make("b")
    one.look("a")
    one.release()
    assert store(one).spell < alone
