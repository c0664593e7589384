"""The scripts in Redis, one by one: what each answers, and which keys it touches."""

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import redis as client

from stubserver.stores.redis_scripts import ALL, COMMIT, DIGEST, EVICT, READ, TRIM
from tests.stores.servers import Redis

pytestmark = pytest.mark.slow
_NUMBERS = itertools.count()
DAY = 86_400_000
ALL_KEYS = ("version", "contents", "commits", "journal", "count", "lost")
KEYS = {
    COMMIT: ALL_KEYS,
    READ: ("version", "contents", "commits", "lost", "count"),
    EVICT: ALL_KEYS,
    TRIM: ("journal", "count"),
}


class Document:
    """The keys of a document, and the scripts on them, as a user who may touch no others."""

    def __init__(self, server: Redis, name: str) -> None:
        self.name = name
        server.tell("ACL", "SETUSER", name, "on", ">secret", f"~p:{{{name}}}:*", "+@all")
        self._client: Any = client.Redis(port=server.port, username=name, password="secret")

    def run(self, script: str, *values: str | int) -> Any:
        keys = [self.key(kind) for kind in KEYS[script]]
        return self._client.eval(script, len(keys), *keys, *values)

    def commit(
        self,
        expected: str,
        new: str,
        kept: Sequence[str] = (),
        gone: Sequence[str] = (),
        entries: tuple[int, int, str] = (0, 0, ""),
        reasons: Sequence[str | int] = (),
        whole: int = 0,
        clears: int = 0,
    ) -> Any:
        """`entries` are their first number, how many there are, and what they are. A journal keeps three."""
        counts = len(kept) // 2, len(gone), len(reasons) // 2
        values = (
            expected,
            new,
            whole,
            clears,
            7,
            3,
            DAY,
            f"to {''.join(kept[1:])}",
            *entries,
            *counts,
            *kept,
            *gone,
            *reasons,
        )
        return self.run(COMMIT, *values)

    def key(self, kind: str) -> str:
        return f"p:{{{self.name}}}:{kind}"

    def ask(self, name: str, kind: str, *values: str | int) -> Any:
        return self._client.execute_command(name, self.key(kind), *values)

    def close(self) -> None:
        self._client.close()


@pytest.fixture
def document(server: Redis) -> Any:
    document = Document(server, f"d{next(_NUMBERS)}")
    yield document
    document.close()
    server.tell("ACL", "DELUSER", document.name)


@pytest.mark.parametrize("text", [*DIGEST])
def test_redis_knows_a_script_by_the_digest(server: Redis, text: str) -> None:
    assert server.tell("SCRIPT", "LOAD", text) == DIGEST[text]
    assert ALL[DIGEST[text]] == text


def test_a_document_is_made_changed_and_deleted(document: Document) -> None:
    assert document.commit("", "L:1:a", ["x", "1", "y", "2"], [], (1, 1, "one"), whole=1) == [1, 0, 0, 0]
    assert document.ask("HGETALL", "contents") == {b"x": b"1", b"y": b"2"}
    assert document.commit("L:1:a", "L:2:b", ["x", "3"], ["y"], (2, 1, "two")) == [1, 0, 0, 0]
    assert document.ask("HGETALL", "contents") == {b"x": b"3"}
    assert document.ask("GET", "version") == b"L:2:b"
    assert document.ask("HGETALL", "count") == {b"asked": b"7", b"entries": b"2", b"bytes": b"6"}
    assert document.commit("L:2:b", "") == [1, 0, 2, 6]
    assert not any(document.ask("EXISTS", kind) for kind in ALL_KEYS)


@pytest.mark.parametrize(
    ("expected", "new", "whole"),
    [
        ("", "M:1:a", 1),
        ("L:1:z", "L:2:z", 0),
        ("L:2:b", "L:3:c", 0),
        ("M:1:a", "M:1:a", 0),
        ("L:1:z", "", 0),
        ("", "", 0),
    ],
)
def test_a_commit_on_another_version_does_nothing(document: Document, expected: str, new: str, whole: int) -> None:
    document.commit("", "L:1:a", ["x", "1"], whole=1)
    before = [document.ask("DUMP", kind) for kind in ALL_KEYS]
    assert document.commit(expected, new, ["x", "2"], [], (1, 1, "one"), whole=whole) == [0, b"L:1:a"]
    assert [document.ask("DUMP", kind) for kind in ALL_KEYS] == before


@pytest.mark.parametrize("version", ["L:1:a", "L:1:other", "L:9:z"])
def test_entries_alone_need_the_same_document_only(document: Document, version: str) -> None:
    document.commit("", "L:1:a", ["x", "1"], whole=1)
    assert document.commit(version, version, entries=(1, 1, "one")) == [1, 0, 0, 0]
    assert (document.ask("GET", "version"), document.ask("XLEN", "commits")) == (b"L:1:a", 0)


@pytest.mark.parametrize(("version", "now"), [("L:1:a", b""), ("", b"")])
def test_what_is_not_there_has_no_entries(document: Document, version: str, now: bytes) -> None:
    assert document.commit(version or "L:1:a", "L:1:a", entries=(1, 1, "one")) == [0, now]
    assert document.ask("EXISTS", "journal") == 0


def test_entries_that_go_are_counted(document: Document) -> None:
    """Those that are forgotten, and by how many the journal shrinks; of both, only whole batches are deleted."""
    assert document.commit("", "L:1:a", entries=(1, 2, "12"), whole=1) == [1, 0, 0, 0]
    assert document.commit("L:1:a", "L:1:a", entries=(3, 2, "34")) == [1, 1, 1, 0]
    assert [document.ask("HGET", "count", name) for name in ("max_requests", "entries", "bytes")] == [b"1", b"4", b"4"]
    assert document.commit("L:1:a", "L:1:a", entries=(5, 1, "5")) == [1, 1, 1, 2]
    assert document.commit("L:1:a", "L:1:a", entries=(6, 5, "678910")) == [1, 5, 5, 3]
    assert [document.ask("HGET", "count", name) for name in ("max_requests", "entries", "bytes")] == [b"7", b"5", b"6"]
    assert document.commit("L:1:a", "L:1:a", entries=(11, 1, "11"), clears=1) == [1, 0, 3, 6]
    assert document.ask("HGETALL", "count") == {b"asked": b"7", b"entries": b"1", b"bytes": b"2"}
    assert document.commit("L:1:a", "M:1:a", whole=1) == [1, 0, 1, 2]
    assert document.ask("HGETALL", "count") == {b"asked": b"7"}


def test_reasons_are_kept_until_the_journal_is_emptied(document: Document) -> None:
    document.commit("", "L:1:a", reasons=["max_worlds", 4, "max_journal", 5], whole=1)
    assert document.ask("HGETALL", "count") == {b"asked": b"7", b"max_worlds": b"4", b"max_journal": b"5"}
    document.commit("L:1:a", "L:1:a", clears=1)
    assert document.ask("HGETALL", "count") == {b"asked": b"7"}


def test_all_keys_live_equally_long(document: Document) -> None:
    document.commit("", "L:1:a", ["x", "1"], [], (1, 1, "one"), whole=1)
    document.commit("L:1:a", "L:2:b", ["x", "2"])
    ends = {document.ask("PEXPIRETIME", kind) for kind in ALL_KEYS[:-1]}
    assert len(ends) == 1
    assert 0 < document.ask("PTTL", "version") <= DAY


READS: dict[str, tuple[str, Any]] = {
    "unknown": ("", "whole"),
    "the same": ("L:3:c", "whole"),
    "the one before": ("L:2:b", [b"to 2"]),
    "the first": ("L:1:a", [b"to 1", b"to 2"]),
    "another one with the same number": ("L:2:z", "whole"),
    "a later one": ("L:4:d", "whole"),
    "of another life": ("M:2:b", "whole"),
}


@pytest.mark.parametrize("kind", READS)
def test_what_has_changed_since_a_version(document: Document, kind: str) -> None:
    known, expected = READS[kind]
    document.commit("", "L:1:a", ["x", "0"], whole=1)
    document.commit("L:1:a", "L:2:b", ["x", "1"])
    document.commit("L:2:b", "L:3:c", ["x", "2"])
    now, form, found = document.run(READ, known)
    assert now == b"L:3:c"
    assert (form, found) == (b"whole", [b"x", b"2"]) if expected == "whole" else (b"commits", expected)


def test_what_is_not_there_has_no_count(document: Document) -> None:
    document.ask("HINCRBY", "count", "asked", 3)
    assert document.run(READ, "") == [b"", b""]
    assert document.ask("EXISTS", "count") == 0


def test_an_evicted_document_is_remembered_by_what_was_lost(document: Document) -> None:
    assert document.run(EVICT, "max_worlds", DAY) == 0
    document.commit("", "L:1:a", ["x", "1"], [], (1, 1, "one"), ["max_worlds", 2], whole=1)
    assert document.run(EVICT, "max_worlds", DAY) == 1
    assert [kind for kind in ALL_KEYS if document.ask("EXISTS", kind)] == ["lost"]
    assert document.run(READ, "L:1:a") == [b"", b"max_worlds=9"]
    assert document.run(EVICT, "max_worlds", DAY) == 0
    assert 0 < document.ask("PTTL", "lost") <= DAY
    document.commit("", "L:1:a", whole=1)
    assert document.ask("EXISTS", "lost") == 0


@pytest.mark.parametrize(("size", "expected"), [(0, [0, 0]), (1, [1, 3]), (3, [1, 3]), (4, [2, 5]), (99, [3, 6])])
def test_a_journal_is_trimmed_by_at_least_so_many_bytes(document: Document, size: int, expected: list[int]) -> None:
    document.commit("", "L:1:a", entries=(1, 1, "333"), whole=1)
    for entries in ((2, 1, "22"), (3, 1, "1")):
        document.commit("L:1:a", "L:1:a", entries=entries)
    assert document.run(TRIM, size, "max_journal", 3) == expected
    lost = expected[0]
    assert document.ask("XLEN", "journal") == 3 - lost
    assert document.ask("HGET", "count", "max_journal") == (b"%d" % lost if lost else None)


def test_what_is_not_there_is_not_trimmed(document: Document) -> None:
    assert document.run(TRIM, 5, "max_journal", 3) == [0, 0]
    assert not any(document.ask("EXISTS", kind) for kind in ALL_KEYS)


CALLS: dict[str, Callable[[Document], Any]] = {
    "commit": lambda document: document.commit("", "L:1:a", ["x", "1"], [], (1, 1, "one"), ["max_worlds", 1], whole=1),
    "read": lambda document: document.run(READ, ""),
    "evict": lambda document: document.run(EVICT, "max_worlds", DAY),
    "trim": lambda document: document.run(TRIM, 5, "max_journal", 3),
}


@pytest.mark.parametrize("call", CALLS)
def test_no_script_touches_keys_of_other_documents(document: Document, server: Redis, call: str) -> None:
    """A user who may not see another document may run it; one who may not see this one may not."""
    CALLS[call](document)
    server.tell("ACL", "SETUSER", document.name, "resetkeys", "~other:*")
    with pytest.raises(client.exceptions.NoPermissionError):
        CALLS[call](document)
