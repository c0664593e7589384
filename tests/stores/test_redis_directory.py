"""The directory of documents in Redis: what is written with commits, and what is put right when their replies come."""

from collections.abc import Iterable, Sequence
from types import SimpleNamespace

import pytest

from stubserver.stores import redis_directory
from stubserver.stores.redis_directory import Directory, kept, pairs
from stubserver.stores.store import Commit, Entries, Kept, Totals, Version
from stubserver.stores.wire import Command

FIRST = Version.first()
CHANGE = Commit("a", FIRST, FIRST.next(), {"x": b"1"}, held=5, entries=Entries(1, 2, b"1234"))
READ = Commit("a", FIRST, FIRST, held=6, entries=Entries(3, 1, b"12345"))
WHOLE = Commit("b", None, FIRST, {"x": b"1"}, whole=True, held=7)
DELETION = Commit("c", FIRST, None)
GONE = ["ZREM p:used c", "HDEL p:held c", "HDEL p:journals c", "HDEL p:entries c"]


@pytest.fixture
def directory(monkeypatch: pytest.MonkeyPatch) -> Directory:
    monkeypatch.setattr(redis_directory, "time", SimpleNamespace(time=lambda: 1_900_000_000.5))
    return Directory("p", 100)


def written(commands: Iterable[Command]) -> list[str]:
    return [" ".join(map(str, command)) for command in commands]


def corrected(directory: Directory, commits: Sequence[Commit], *replies: Sequence[int | bytes]) -> list[str]:
    return written(directory.corrections(commits, replies))


def test_what_there_is_after_commits_is_written_with_them(directory: Directory) -> None:
    assert written(directory.of([CHANGE, READ, WHOLE])) == [
        "ZADD p:used 1900000000.5 a",
        "HSET p:held a 5",
        "HINCRBY p:journals a 4",
        "HINCRBY p:entries a 2",
        "ZADD p:used 1900000000.5 a",
        "HINCRBY p:journals a 5",
        "HINCRBY p:entries a 1",
        "ZADD p:used 1900000000.5 b",
        "HSET p:held b 7",
    ]


def test_what_is_deleted_goes_once_it_is_certain(directory: Directory) -> None:
    assert written(directory.of([DELETION])) == []
    assert corrected(directory, [DELETION], [1, 0, 3, 50]) == GONE
    assert corrected(directory, [DELETION], [0, b"other"]) == []


def test_a_size_is_written_though_it_seems_to_be_the_same(directory: Directory) -> None:
    """Another process may have changed it in the meantime."""
    for _ in range(2):
        assert "HSET p:held a 5" in written(directory.of([CHANGE]))
        corrected(directory, [CHANGE], [1, 0, 0, 0])


def test_entries_of_a_commit_that_failed_are_taken_back(directory: Directory) -> None:
    back = ["HINCRBY p:journals a -4", "HINCRBY p:entries a -2"]
    assert corrected(directory, [CHANGE, WHOLE], [0, b"other"], [0, b"other"]) == back
    assert corrected(directory, [CHANGE], [0, b"?"]) == back


def test_a_document_that_is_gone_is_not_listed(directory: Directory) -> None:
    """Whoever wanted to change it has just written that it was used."""
    expected = [command.replace(" c", " a") for command in GONE]
    assert corrected(directory, [CHANGE], [0, b""]) == expected


def test_entries_that_went_are_taken_off(directory: Directory) -> None:
    assert corrected(directory, [CHANGE], [1, 0, 0, 0]) == []
    assert corrected(directory, [CHANGE], [1, 2, 2, 0])[:2] == ["HINCRBY p:journals a 0", "HINCRBY p:entries a -2"]
    assert corrected(directory, [CHANGE], [1, 0, 0, 40])[:2] == ["HINCRBY p:journals a -40", "HINCRBY p:entries a 0"]
    assert corrected(directory, [CHANGE, WHOLE], [1, 2, 3, 40], [1, 0, 9, 80]) == [
        "HINCRBY p:journals a -40",
        "HINCRBY p:entries a -3",
        "HINCRBY p:counters forgotten 2",
        "HINCRBY p:journals b -80",
        "HINCRBY p:entries b -9",
    ]


def test_totals_are_followed_between_two_sums(directory: Directory) -> None:
    corrected(directory, [CHANGE, WHOLE], [1, 0, 0, 0], [1, 0, 0, 0])
    assert directory.totals == Totals(0, 12, 4)
    corrected(directory, [CHANGE, DELETION], [1, 1, 1, 3], [0, b"other"])
    assert directory.totals == Totals(0, 12, 5)
    corrected(directory, [Commit("b", FIRST, None)], [1, 0, 1, 2])
    assert directory.totals == Totals(0, 5, 3)
    directory.sum_up(3, [b"10", b"20"], [b"7"], 1, 1)
    assert directory.totals == Totals(3, 30, 7)
    directory.sum_up(0, [], [])
    assert directory.totals == Totals(0, 0, 0)


def test_counters_are_added_to_and_deleted(directory: Directory) -> None:
    assert written(directory.counted({"a": 2, "b": 0})) == ["HINCRBY p:counters a 2"]
    assert written(directory.counted({"a": 1}, ["a", "b"])) == ["HDEL p:counters a b", "HINCRBY p:counters a 1"]
    assert written(directory.counted({})) == []


def test_the_directory_lives_a_little_longer_than_documents(directory: Directory) -> None:
    assert written(directory.prolonged("used", "facts")) == ["EXPIRE p:used 160", "EXPIRE p:facts 160"]
    kinds = ("facts", "used", "counters", "held", "journals", "entries")
    reading = ["ZCARD p:used", "HVALS p:held", "HVALS p:journals"]
    assert written(directory.sizes()) == [*reading, *(f"EXPIRE p:{kind} 160" for kind in kinds)]


def test_what_was_used_longer_ago_than_documents_live_has_expired(directory: Directory) -> None:
    assert directory.oldest() == 1_900_000_000.5 - 100


def test_what_is_known_of_all_documents_is_put_together() -> None:
    used = [b"b", b"1.5", b"\xc3\xbc", b"2"]
    found = kept([used, [b"b", b"10", b"gone", b"1"], [b"\xc3\xbc", b"20"], [b"\xc3\xbc", b"3"]])
    assert [*found.items()] == [("b", Kept(1.5, 10, 0, 0)), ("ü", Kept(2, 0, 20, 3))]
    assert kept([[], [], [], []]) == {}


def test_all_is_read_in_the_order_in_which_it_is_put_together(directory: Directory) -> None:
    hashes = [f"HGETALL p:{kind}" for kind in ("held", "journals", "entries")]
    assert written(directory.all()) == ["ZRANGE p:used 0 -1 WITHSCORES", *hashes]


def test_names_and_values_come_in_turn() -> None:
    assert [*pairs([b"a", 1, b"b", 2])] == [(b"a", 1), (b"b", 2)]
    with pytest.raises(ValueError, match="shorter"):
        [*pairs([b"a"])]
