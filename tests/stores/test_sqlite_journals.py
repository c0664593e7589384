"""The journals in a file: the oldest entries go, together with those that were added with them."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from stubserver.stores import sqlite_journals
from stubserver.stores.sqlite import SqliteStore
from tests.stores.processes import MAX_REQUESTS, Process


@pytest.fixture
def process(tmp_path: Path, runner: asyncio.Runner) -> Iterator[Process]:
    process = Process(f"sqlite:{tmp_path / 'worlds.db'}", runner)
    process.make("a")
    yield process
    process.close()


def add(process: Process, first: int, count: int) -> None:
    process.alter("a", {}, *((number, b"%d" % number) for number in range(first, first + count)))


def texts(process: Process) -> list[bytes]:
    return [text for packed in process.run(process.store.entries("a")) for text in packed.split(b"|")]


def journals(process: Process) -> sqlite_journals.SqliteJournals:
    assert isinstance(process.store, SqliteStore)
    return process.store._journals


def test_some_entries_may_be_too_many(process: Process) -> None:
    add(process, 1, MAX_REQUESTS + 2)
    assert journals(process).kept("a") == MAX_REQUESTS
    assert len(texts(process)) == MAX_REQUESTS + 2


def test_many_that_are_too_many_go(process: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_journals, "_SPARE", 1)
    for first in (1, 3, 5, 7):
        add(process, first, 2)
    assert texts(process) == [b"%d" % number for number in range(3, 9)]


def test_of_a_journal_that_is_not_there_nothing_is_kept(process: Process) -> None:
    assert journals(process).kept("b") == 0


def test_trimming_tells_what_is_lost(process: Process) -> None:
    add(process, 1, 2)
    add(process, 3, 1)
    assert [journals(process).trim("a", size) for size in (0, 1, 1, 1)] == [0, 2, 1, 0]
    assert texts(process) == []
