"""What is particular to the store in a file: locks, failures, and what stays in the file."""

import asyncio
import contextlib
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stubserver.stores import sqlite, sqlite_holding
from tests.stores.processes import MAX_REQUESTS, Process, count
from tests.support.commands import PATIENCE

# Locks

CALLS: dict[str, Callable[[Process], Any]] = {
    "agree": lambda process: process.store.agree({"seed": "1"}),
    "commit": lambda process: process.store.commit([], {"n": 1}),
    "evict": lambda process: process.store.evict(["a"], "max_worlds"),
    "trim": lambda process: process.store.trim("a", 1, "max_journal"),
}


@pytest.mark.parametrize("call", CALLS)
def test_whoever_cannot_write_gives_up_in_the_end(process: Process, path: Path, call: str) -> None:
    process.make("a", {"x": b"1"}, (1, b"0"), asked=1)
    before = count(path)
    process.patience = 0.01
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        expected = f"SQLite file {path} has been locked by another process for too long"
        assert process.why_not(CALLS[call](process)) == expected
        other.execute("ROLLBACK")
    assert count(path) == before
    process.patience = PATIENCE
    process.run(CALLS[call](process))


def test_who_writes_keeps_nobody_from_reading(process: Process, path: Path, runner: asyncio.Runner) -> None:
    process.make("a", {"x": b"1"}, (1, b"0"))
    process.commit(counted={"n": 1})
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("DELETE FROM documents")
        assert process.read("a") == {"x": b"1"}
        assert (process.entries("a"), [*process.kept()], process.counters()) == ([b"0"], ["a"], {"n": 1})


def test_after_a_conflict_nobody_else_writes_until_the_commit(process: Process, other: Process) -> None:
    for name in "ab":
        process.make(name)
        other.read(name)
    process.look("a")
    other.alter("a", {"x": b"1"})
    assert process.commit(process.change("a", {"x": b"2"})).conflicts == {"a"}
    process.look("a")
    other.patience = 0.01
    commit = other.change("b", {"x": b"1"})
    assert "has been locked" in other.why_not(other.store.commit([commit], {}))
    assert process.commit(process.change("a", {"x": b"2"})).conflicts == frozenset()
    process.look("a")
    assert other.commit(commit).conflicts == frozenset()


def test_a_turn_that_has_locked_the_file_holds_nothing(process: Process, other: Process) -> None:
    """Or else it would go on to keep others waiting."""
    process.make("a")
    other.read("a")
    process.look("a")
    assert process.store.hold()
    other.look("a")
    process.alter("a", {"x": b"1"})
    assert other.commit(other.change("a", {"x": b"2"})).conflicts == {"a"}
    other.look("a")
    assert not other.store.hold()
    other.release()
    assert process.commit(process.change("a", {"x": b"3"})).conflicts == frozenset()


def test_where_there_are_no_locks_of_files_a_turn_is_one_transaction(
    process: Process, other: Process, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "CAN_LOCK", False)
    monkeypatch.setattr(sqlite_holding, "CAN_LOCK", False)
    for one in (process, other):
        one.store.__init__(str(path), MAX_REQUESTS)  # type: ignore[misc]
    process.make("a")
    for number in range(1, 4):
        assert process.look("a", numbers=1)["a"].asked == number - 1
        assert not process.store.hold()
        other.patience = 0.01
        assert "has been locked" in other.why_not(other.store.refresh({}))
        process.run(process.store.gather())
        assert process.commit(process.change("a", {}, (number, b"0"))).conflicts == frozenset()
    process.evict("a")
    assert process.look("a")["a"].forgotten == {"max_worlds": 3}


DYING = """
import asyncio, os, sys
from stubserver.stores.sqlite import SqliteStore
store = SqliteStore(sys.argv[1], 5)
asyncio.run(store._begin())
store._file.all("UPDATE contents SET value = '2'")
os._exit(7)
"""


@pytest.mark.slow
@pytest.mark.untraced
def test_a_process_that_dies_in_a_turn_leaves_nothing_behind(process: Process, path: Path) -> None:
    process.make("a", {"x": b"1"})
    done = subprocess.run([sys.executable, "-c", DYING, path], capture_output=True, text=True, timeout=PATIENCE)
    assert (done.returncode, done.stderr) == (7, "")
    assert process.read("a") == {"x": b"1"}


# Failures


def test_a_commit_that_stops_half_way_leaves_nothing_behind(process: Process) -> None:
    for name in "ab":
        process.make(name, {"x": b"1"})
    process.look("a", "b")
    change, bad = (process.change(name, {"x": b"2"}) for name in "ab")
    bad.held = object()  # type: ignore[assignment]
    with pytest.raises(Exception, match=r"type 'object' is not supported|probably unsupported type"):
        process.run(process.store.commit([change, bad], {}))
    process.release()
    assert process.commit(change).conflicts == frozenset()
    assert [process.read(name) for name in "ab"] == [{"x": b"2"}, {"x": b"1"}]


def test_a_turn_that_does_not_fit_on_the_disk_leaves_nothing_behind(process: Process, path: Path) -> None:
    process.make("a", {"x": b"1"}, (1, b"0"), held=5)
    process.look("a", "b")
    before = count(path)
    process.store._file.all("PRAGMA max_page_count = 60")  # type: ignore[attr-defined]
    large = process.whole("b", {"x": b'"%s"' % (b"x" * 1_000_000)})
    commits = [process.change("a", {"x": b"2"}, (2, b"0"), held=7), large]
    told = process.why_not(process.store.commit(commits, {"n": 1}))
    assert told == f"SQLite file {path}: database or disk is full"
    assert (process.read("a"), process.read("b"), process.counters()) == ({"x": b"1"}, None, {})
    assert (count(path), process.kept()["a"].held) == (before, 5)


def test_a_file_that_is_deleted_is_told_and_begun_anew(process: Process, path: Path) -> None:
    process.make("a", {"x": b"1"})
    for each in path.parent.glob(f"{path.name}*"):
        each.unlink()
    assert process.read("a") == {"x": b"1"}  # whoever only looks does not notice
    told = process.why_not(process.store.commit([], {"n": 1}))
    assert told == f"SQLite file {path}: it was moved, deleted or replaced while it was in use"
    assert process.read("a") is None
    process.make("b")
    assert [*process.kept()] == ["b"]


# What stays in the file


def test_nothing_of_a_deleted_document_stays(process: Process, path: Path) -> None:
    process.agree({"seed": "1"})
    before = count(path)
    for leave in (process.delete, process.evict):
        process.make("a", {"x": b"1"}, (1, b"0"))
        process.alter("a", {"y": b"1"})
        assert before.items() ^ count(path).items() == {
            *((table, 0) for table in ("documents", "contents", "commits", "journal")),
            *(("documents", 1), ("contents", 2), ("commits", 1), ("journal", 1)),
        }
        leave("a")
        assert {**count(path), "counted": 0, "lost": 0} == before


def test_what_is_remembered_of_evicted_documents_does_not_pile_up(
    process: Process, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "_LOST", 2)
    for name in ("a", "b", "a", "c", "d"):
        process.make(name, asked=1)
        process.evict(name)
    assert count(path)["lost"] == 2
    assert {name: process.look(name)[name].forgotten for name in "acd"} == {
        "a": {},
        "c": {"max_worlds": 1},
        "d": {"max_worlds": 1},
    }


@pytest.mark.parametrize("name", ["a'b", 'a"b', "a%", "a_", "", "a\nb", "ü", "a;--"])
def test_names_are_only_names(process: Process, name: str) -> None:
    process.make("a", {"x": b"1"}, (1, b"0"))
    process.make(name, {name: b"2"}, (1, b"00"), held=3)
    process.commit(counted={name: 1, "b": 1})
    assert (process.read(name), process.entries(name), process.counters()) == ({name: b"2"}, [b"00"], {name: 1, "b": 1})
    process.trim(name, 1)
    process.evict(name)
    assert (process.read(name), [*process.kept()], process.read("a")) == (None, ["a"], {"x": b"1"})
