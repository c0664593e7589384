"""The interface of stores, with each of them and two processes: what one of them does, the other one sees."""

import asyncio
import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest

import stubserver.stores.redis
import stubserver.stores.redis_directory
import stubserver.stores.sqlite
import stubserver.stores.sqlite_journals
from stubserver.stores.store import LOGGED, Changes, Found, Version, Wanted, packed
from tests.stores.processes import MAX_REQUESTS, Process
from tests.stores.servers import Redis

_NUMBERS = itertools.count()
REDIS = ("redis", "cluster")
Pair = tuple[Process, Process]


@pytest.fixture
def redis_url(server: Redis) -> str:
    """An empty store in Redis."""
    return f"{server.url}?prefix=test-{next(_NUMBERS)}"


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """An empty store in a file."""
    return f"sqlite:{tmp_path / 'worlds.db'}"


@pytest.fixture
def cluster_url(nodes: list[Redis]) -> str:
    """An empty store in a cluster of Redis."""
    return f"{nodes[0].url}?cluster=true&prefix=test-{next(_NUMBERS)}"


@pytest.fixture(params=["sqlite_url", *(pytest.param(f"{kind}_url", marks=pytest.mark.slow) for kind in REDIS)])
def url(request: pytest.FixtureRequest) -> str:
    """An empty store."""
    found: str = request.getfixturevalue(request.param)
    return found


@contextmanager
def two(url: str, runner: asyncio.Runner) -> Iterator[Pair]:
    one, other = Process(url, runner), Process(url, runner)
    yield one, other
    one.close()
    other.close()


@pytest.fixture
def pair(url: str, runner: asyncio.Runner) -> Iterator[Pair]:
    """Two processes at the same store."""
    with two(url, runner) as pair:
        yield pair


@pytest.fixture(autouse=True)
def _time_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look at the clock shows another second, so that documents are in order of use; and what a process knows of
    the totals is never young enough to be used again."""
    seconds = itertools.count(1_900_000_000)
    clock = SimpleNamespace(time=lambda: float(next(seconds)), monotonic=time.monotonic)
    monkeypatch.setattr(stubserver.stores.sqlite, "time", clock)
    monkeypatch.setattr(stubserver.stores.redis_directory, "time", clock)
    monkeypatch.setattr(stubserver.stores.redis, "_SUMMED", -1.0)


@pytest.fixture(autouse=True)
def _journals_are_short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Entries that are too many are deleted as soon as they can be."""
    monkeypatch.setattr(stubserver.stores.sqlite_journals, "_SPARE", 0)


def text(number: int) -> bytes:
    """The value that is written as the commit with this number."""
    return b'"value %d"' % number


# Versions and changes


def test_a_version_is_read_as_it_was_written() -> None:
    version = Version.first().next()
    assert (Version.read(str(version)), version.number) == (version, 2)


def test_no_version_comes_twice() -> None:
    first = Version.first()
    assert first.next() != first.next()
    assert first.next().life == first.life != Version.first().life


def test_changes_are_packed_as_one_json_object() -> None:
    assert packed({"a": b'{"b":[1.50]}', "c": None, "ü": b"null"}) == '{"a":{"b":[1.50]},"c":null,"ü":null}'.encode()
    assert packed({}) == b"{}"


# Facts


def test_processes_agree_on_the_facts_of_the_first_one(pair: Pair) -> None:
    one, other = pair
    assert one.agree({"seed": "1", "fixture": "default"}) == {"seed": "1", "fixture": "default"}
    assert other.agree({"seed": "2", "format": "1"}) == {"seed": "1", "fixture": "default", "format": "1"}
    assert one.agree({}) == {"seed": "1", "fixture": "default", "format": "1"}


def test_facts_outlive_the_process(pair: Pair, url: str, runner: asyncio.Runner) -> None:
    pair[0].agree({"seed": "1"})
    pair[0].close()
    later = Process(url, runner)
    assert later.agree({"seed": "2"}) == {"seed": "1"}
    later.close()


# What is new in a document


def test_what_is_not_there(pair: Pair) -> None:
    for process in pair:
        assert process.look("a", "b", numbers=2) == {"a": Found(None), "b": Found(None)}
        process.release()
        assert process.look() == {}
        process.release()
        assert (process.entries("a"), process.kept(), process.counters()) == ([], {}, {})


def test_a_process_reads_all_that_it_does_not_know(pair: Pair) -> None:
    one, other = pair
    content = {"a/1": b"1", "b/[1,2]": b'{"x":"\\u00fc"}', "@c": b"[null]", "ü#": b"false", "": b'""'}
    one.make("a", content, asked=3)
    assert other.look("a")["a"] == Found(one.copy("a").version, 3, whole=content)


def test_a_document_may_be_empty(pair: Pair) -> None:
    one, other = pair
    one.make("a")
    assert other.look("a")["a"].whole == {}


def test_nothing_is_read_of_a_document_that_has_not_changed(pair: Pair) -> None:
    one, other = pair
    one.make("a", {"x": b"1"})
    other.read("a")
    for process in pair:
        assert process.look("a")["a"] == Found(one.copy("a").version)
        process.release()


def test_a_process_reads_the_commits_since_its_version(pair: Pair) -> None:
    one, other = pair
    one.make("a", {"x": b"1", "y": b"2"})
    other.read("a")
    changes: list[Changes] = [{"x": b"3", "z": b"[4]"}, {"y": None}, {"y": b"5", "nothing": None}]
    for change in changes:
        one.alter("a", change)
    found = other.look("a")["a"]
    assert [*found.commits] == [packed(change) for change in changes]
    assert (found.version, found.whole) == (one.copy("a").version, None)
    other.release()
    assert other.copy("a").content == {"x": b"3", "z": b"[4]", "y": b"5"} == one.copy("a").content


def test_processes_change_a_document_in_turn(pair: Pair) -> None:
    pair[0].make("a")
    for number in range(6):
        pair[number % 2].alter("a", {f"x{number % 4}": text(number)})
    expected = {f"x{number % 4}": text(number) for number in range(6)}
    assert [process.read("a") for process in pair] == [expected, expected]


@pytest.mark.parametrize(("commits", "is_remembered"), [(LOGGED - 1, True), (3 * LOGGED, False)])
def test_a_process_that_lags_far_behind_reads_all(pair: Pair, commits: int, is_remembered: bool) -> None:
    one, other = pair
    one.make("a", {"x": b"0"})
    other.read("a")
    for number in range(commits):
        one.alter("a", {"x": text(number)})
    found = other.look("a")["a"]
    assert (len(found.commits) == commits, found.whole is None) == (is_remembered, is_remembered)
    assert other.copy("a").content == {"x": text(commits - 1)}


def test_a_deleted_document_is_gone(pair: Pair) -> None:
    one, other = pair
    one.make("a", {"x": b"1"}, (1, b"1"))
    other.read("a")
    one.delete("a")
    for process in pair:
        assert process.look("a")["a"] == Found(None)
        process.release()
    assert (one.entries("a"), one.kept()) == ([], {})


@pytest.mark.parametrize("is_deleted", [True, False])
def test_a_document_that_is_made_anew_is_another_one(pair: Pair, is_deleted: bool) -> None:
    """Whatever was known of the old one is not taken for a part of the new one."""
    one, other = pair
    for number in (1, 2):
        one.make("a", {"x": text(number), f"only in {number}": b"0"}, (number, b"0"), asked=number)
        for _ in range(number):  # the second time, it gets farther than what is known of the first one
            one.alter("a", {"y": text(number)})
        found = other.look("a")["a"]
        other.release()
        assert found.whole == {"x": text(number), f"only in {number}": b"0", "y": text(number)}
        assert (found.asked, other.entries("a")) == (number, [b"0"])
        if is_deleted:
            one.delete("a")


def test_a_version_that_the_store_does_not_know_is_no_beginning(pair: Pair) -> None:
    """As after Redis has lost its last commits: another commit may have the same number by now."""
    one, other = pair
    one.make("a", {"x": b"1"})
    one.alter("a", {"x": b"2"})
    version = one.copy("a").version
    for known in (version._replace(commit="lost"), version.next(), version._replace(life="other")):
        found = other.run(other.store.refresh({"a": Wanted(known)}))["a"]
        other.release()
        assert (found.version, found.commits or (), found.whole) == (version, (), {"x": b"2"})


# Numbers


def test_processes_take_numbers_in_turn(pair: Pair) -> None:
    pair[0].make("a")
    taken = []
    for turn in range(6):
        process, count = pair[turn % 2], 1 + turn % 3
        first = process.look("a", numbers=count)["a"].asked + 1
        numbers = [*range(first, first + count)]
        process.commit(process.change("a", {}, *((number, b"0") for number in numbers)))
        taken += numbers
    assert taken == [*range(1, 13)]


def test_numbers_are_those_of_one_document(pair: Pair) -> None:
    one, other = pair
    one.make("a", asked=7)
    one.make("b")
    assert {name: found.asked for name, found in other.look("a", "b", numbers=3).items()} == {"a": 7, "b": 0}


def test_a_document_that_is_made_anew_counts_from_its_own_number(pair: Pair) -> None:
    one, other = pair
    one.make("a", asked=7)
    other.look("a", numbers=2)
    other.release()
    other.make("a", asked=1)
    assert one.look("a", numbers=1)["a"].asked == 1


# Commits


def test_several_documents_are_committed_together(pair: Pair) -> None:
    one, other = pair
    one.make("a", {"x": b"1"})
    one.make("b", {"x": b"1"})
    one.look("a", "b", "c")
    commits = one.change("a", {"x": b"2"}), one.deletion("b"), one.whole("c", {"x": b"3"})
    assert one.commit(*commits).conflicts == frozenset()
    assert [other.read(name) for name in "abc"] == [{"x": b"2"}, None, {"x": b"3"}]


def test_whoever_is_slower_is_told(pair: Pair) -> None:
    one, other = pair
    for name in "ab":
        one.make(name, {"x": b"1"})
    one.look("a", "b")
    other.alter("a", {"x": b"2"})
    result = one.commit(one.change("a", {"x": b"3"}, (1, b"0")), one.change("b", {"x": b"3"}, (1, b"0")))
    assert (result.conflicts, one.read("a"), one.entries("a")) == (frozenset("a"), {"x": b"2"}, [])
    assert (other.read("b"), one.entries("b")) == ({"x": b"3"}, [b"0"])


CONFLICTS: dict[str, Any] = {
    "change": lambda process: process.change("a", {"x": b"2"}, (1, b"0")),
    "entry of a new document": lambda process: process.change("a", {}, (1, b"0")),
    "made anew": lambda process: process.whole("a", {"x": b"2"}, (1, b"0"), held=70),
    "deletion": lambda process: process.deletion("a"),
    "cleared": lambda process: process.change("a", {"y": b"2"}, clears=True),
}


@pytest.mark.parametrize("kind", CONFLICTS)
@pytest.mark.parametrize("then", ["made anew", "deleted"])
def test_a_commit_in_conflict_leaves_nothing_behind(pair: Pair, kind: str, then: str) -> None:
    one, other = pair
    one.make("a", {"x": b"1"}, (1, b"00"), held=50)
    one.look("a")
    commit = CONFLICTS[kind](one)
    if then == "deleted":
        other.delete("a")
    else:
        other.make("a", {"z": b"1"}, (1, b"000"), held=60)
    before = other.kept(), other.entries("a")
    assert one.commit(commit).conflicts == {"a"}
    assert one.read("a") == (None if then == "deleted" else {"z": b"1"})
    one.release()
    assert (one.kept().keys(), one.entries("a")) == (before[0].keys(), before[1])
    sizes = {name: (kept.journal, kept.entries) for name, kept in one.kept().items()}
    assert sizes == {name: (kept.journal, kept.entries) for name, kept in before[0].items()}


def test_a_document_is_made_once(pair: Pair) -> None:
    one, other = pair
    for process in pair:
        process.look("a", numbers=1)
    assert one.commit(one.whole("a", {"x": b"1"}, asked=1)).conflicts == frozenset()
    assert other.commit(other.whole("a", {"x": b"2"}, asked=1)).conflicts == {"a"}
    assert other.read("a") == {"x": b"1"}


def test_who_only_read_is_in_no_conflict_with_a_change(pair: Pair) -> None:
    one, other = pair
    one.make("a", {"x": b"1"})
    one.look("a", numbers=1)
    first = one.change("a", {}, (1, b"1"), held=5)
    other.look("a", numbers=1)
    other.commit(other.change("a", {"x": b"2"}, (2, b"2"), held=6))
    assert one.commit(first).conflicts == frozenset()
    assert (one.entries("a"), one.read("a"), sizes(one)) == ([b"1", b"2"], {"x": b"2"}, [("a", 6, 2, 2)])


def test_nothing_may_be_committed(pair: Pair) -> None:
    assert pair[0].commit().totals == (0, 0, 0)


# Journals


def test_a_journal_is_in_the_order_of_the_numbers(pair: Pair) -> None:
    one, other = pair
    one.make("a", {}, (2, b'"\\u00fc"'), (3, b"3"), asked=4)
    other.alter("a", {"x": b"1"}, (4, b"4"))
    one.alter("a", {}, (1, b"{}"))
    assert [process.entries("a") for process in pair] == [[b"{}", b'"\\u00fc"', b"3", b"4"]] * 2
    assert one.entries("b") == []


def test_a_journal_loses_its_oldest_entries(pair: Pair) -> None:
    one, other = pair
    one.make("a", {}, *((number, b"%d" % number) for number in range(1, 4)), asked=3)
    for number in range(4, MAX_REQUESTS + 3):
        other.alter("a", {}, (number, b"%d" % number))
    one.look("a")
    one.release()
    assert one.entries("a") == [b"%d" % number for number in range(3, MAX_REQUESTS + 3)]
    for process in pair:
        assert process.look("a")["a"].forgotten == {"max_requests": 2}
        process.release()
    assert one.counters() == {"forgotten": 2}


def test_entries_that_were_added_together_go_together(pair: Pair) -> None:
    """Until then, those that are too many are not told; they still take room."""
    one, other = pair
    one.make("a", {}, (1, b"1"), (2, b"2"), (3, b"3"), asked=3)
    other.alter("a", {}, (4, b"4"), (5, b"5"), (6, b"6"))
    assert [len(one.run(one.store.entries("a"))), sizes(one)] == [2, [("a", 0, 10, 5)]]
    one.alter("a", {}, (7, b"7"))
    assert [len(one.run(one.store.entries("a"))), sizes(other)] == [3, [("a", 0, 11, 5)]]
    other.alter("a", {}, (8, b"8"))
    assert [len(one.run(one.store.entries("a"))), sizes(one)] == [3, [("a", 0, 7, 5)]]
    assert one.entries("a") == [b"4", b"5", b"6", b"7", b"8"]
    assert one.look("a")["a"].forgotten == {"max_requests": 3}


def test_entries_that_are_too_many_are_not_lost_again(pair: Pair) -> None:
    one, other = pair
    one.make("a", {}, (1, b"1"), (2, b"2"), (3, b"3"), asked=3)
    one.alter("a", {}, (4, b"4"), (5, b"5"), (6, b"6"))
    other.trim("a", 1)
    assert (one.entries("a"), one.counters()) == ([b"4", b"5", b"6"], {"forgotten": 3})
    assert one.look("a")["a"].forgotten == {"max_requests": 1, "max_journal": 2}


def test_one_turn_may_bring_more_entries_than_a_journal_keeps(pair: Pair) -> None:
    one, other = pair
    one.make("a", {}, *((number, b"%d" % number) for number in range(1, MAX_REQUESTS + 5)), asked=MAX_REQUESTS + 4)
    assert other.entries("a") == [b"%d" % number for number in range(5, MAX_REQUESTS + 5)]
    assert other.look("a")["a"].forgotten == {"max_requests": 4}


def test_a_journal_is_emptied_with_what_is_known_of_its_past(pair: Pair) -> None:
    one, other = pair
    one.make("a", {"x": b"1"}, *((number, b"0") for number in range(1, MAX_REQUESTS + 3)), asked=MAX_REQUESTS + 2)
    one.trim("a", 1)
    other.alter("a", {"y": b"2"}, (MAX_REQUESTS + 3, b"new"), clears=True)
    assert one.entries("a") == [b"new"]
    found = one.look("a")["a"]
    assert (found.forgotten, found.asked) == ({}, MAX_REQUESTS + 3)
    assert one.copy("a").content == {"x": b"1", "y": b"2"}


def test_a_journal_may_be_emptied_alone(pair: Pair) -> None:
    one, other = pair
    one.make("a", {}, (1, b"0"), asked=1)
    other.look("a")
    other.commit(other.change("a", {}, clears=True))
    assert (one.entries("a"), one.kept()["a"].entries) == ([], 0)


def test_the_oldest_entries_are_trimmed(pair: Pair) -> None:
    one, other = pair
    one.make("a", {}, (1, b"0" * 10), asked=1)
    for number in range(2, 6):
        other.alter("a", {}, (number, b"0" * 10))
    one.make("b", {}, (1, b"0" * 10))
    one.trim("a", 11)
    assert [len(other.entries(name)) for name in "ab"] == [3, 1]
    assert other.look("a")["a"].forgotten == {"max_journal": 2}
    other.release()
    one.trim("a", 10, "max_requests")
    assert other.look("a")["a"].forgotten == {"max_journal": 2, "max_requests": 1}
    other.release()
    one.trim("a", 1000)
    assert (other.entries("a"), other.counters()) == ([], {"forgotten": 5})


@pytest.mark.parametrize(("name", "size"), [("a", 0), ("a", 5), ("none", 5)])
def test_there_may_be_nothing_to_trim(pair: Pair, name: str, size: int) -> None:
    one, other = pair
    one.make("a")
    before = one.kept()
    one.trim(name, size)
    assert (other.kept(), other.counters()) == (before, {})
    assert other.look("a")["a"].forgotten == {}


# Counters


def test_processes_count_together(pair: Pair) -> None:
    one, other = pair
    one.commit(counted={"a": 2, "coverage/x": 1})
    other.commit(counted={"a": 1, "ü": 2**40})
    assert one.counters() == other.counters() == {"a": 3, "coverage/x": 1, "ü": 2**40}


@pytest.mark.parametrize(
    "act",
    [
        lambda process: process.evict("b"),
        lambda process: process.trim("b", 1),
        lambda process: process.commit(counted={"n": 1}),
    ],
    ids=["evict", "trim", "commit"],
)
def test_another_process_is_seen_whatever_one_does_first(pair: Pair, act: Callable[[Process], None]) -> None:
    one, other = pair
    one.make("a", {"x": b"1"})
    assert other.read("a") == {"x": b"1"}
    one.alter("a", {"x": b"2"})
    act(other)
    assert other.read("a") == {"x": b"2"}


def test_counters_are_reset_by_the_beginning_of_their_names(pair: Pair) -> None:
    one, other = pair
    one.commit(counted={"cover_%": 1, "cover_%*/y": 2, "coverage": 3, "Cover_%": 4, "x/cover_%": 5})
    other.commit(reset="cover_%")
    assert one.counters() == {"coverage": 3, "Cover_%": 4, "x/cover_%": 5}
    other.commit(reset="none")
    other.commit(counted={"x/new": 1}, reset="x/")
    assert one.counters() == {"coverage": 3, "Cover_%": 4, "x/new": 1}


# What is kept


def sizes(process: Process) -> list[tuple[str, int, int, int]]:
    """Name, size, size of the journal and number of its entries of all documents, in order of use."""
    kept = process.kept()
    assert [*kept.values()] == sorted(kept.values(), key=lambda one: one.used)
    return [(name, one.held, one.journal, one.entries) for name, one in kept.items()]


def test_documents_are_kept_in_the_order_of_their_use(pair: Pair) -> None:
    one, other = pair
    for name in ("c", "a", "b"):
        one.make(name)
    assert [*other.kept()] == ["c", "a", "b"]
    other.alter("c", {"x": b"1"})
    assert [*one.kept()] == ["a", "b", "c"]
    one.look("a")
    one.commit(one.change("a", {}, (1, b"0")))
    assert [*other.kept()] == ["b", "c", "a"]


def test_reading_alone_is_no_use(pair: Pair) -> None:
    one, other = pair
    one.make("a")
    one.make("b")
    other.read("a")
    assert [*other.kept()] == ["a", "b"]


def test_sizes_are_right_after_commits_of_all_kinds(pair: Pair) -> None:
    one, other = pair
    one.make("a", {"x": b"1"}, (1, b"123"), held=10, asked=1)
    one.make("b", {"x": b"1"}, held=20)
    assert sizes(other) == [("a", 10, 3, 1), ("b", 20, 0, 0)]
    other.alter("a", {"x": b"2"}, (2, b"1234"), (3, b"1"), held=15)
    assert sizes(one) == [("b", 20, 0, 0), ("a", 15, 9, 3)]
    one.alter("a", {}, (4, b"12"), held=15)
    assert sizes(other) == [("b", 20, 0, 0), ("a", 15, 11, 4)]
    other.alter("a", {}, (5, b"0"), (6, b"0"), (7, b"0"), held=15)  # two are too many, and one goes, with 3 bytes
    assert sizes(one) == [("b", 20, 0, 0), ("a", 15, 13, 5)]
    one.alter("a", {"y": b"1"}, (8, b"12345"), held=16, clears=True)
    assert sizes(other) == [("b", 20, 0, 0), ("a", 16, 5, 1)]
    other.make("b", {}, (1, b"1"), held=30)
    assert sizes(one) == [("a", 16, 5, 1), ("b", 30, 1, 1)]
    one.make("b", {}, (2, b"12"), held=8)
    assert sizes(other) == [("a", 16, 5, 1), ("b", 8, 2, 1)]
    other.delete("a")
    assert sizes(one) == [("b", 8, 2, 1)]
    one.make("a", held=1)
    assert sizes(other) == [("b", 8, 2, 1), ("a", 1, 0, 0)]
    for number in (1, 2, 1):
        pair[number - 1].alter("a", {"x": text(number)}, held=number)
        assert sizes(one) == [("b", 8, 2, 1), ("a", number, 0, 0)]


def test_sizes_are_right_after_others_were_faster(pair: Pair) -> None:
    """Whatever was tried, the next commit of the document puts its size right."""
    one, other = pair
    for kind, attempt in CONFLICTS.items():
        one.make(kind)
        one.make("a", {"x": b"1"}, (1, b"00"), (2, b"0"), held=50)
        one.look("a")
        commit = attempt(one)
        other.make("a", {}, (3, b"0000"), held=60)
        assert one.commit(commit).conflicts == {"a"}
        one.alter("a", {"x": b"1"}, (4, b"0"), held=65)
        assert (sizes(other)[-1], len(other.kept())) == (("a", 65, 5, 2), 1 + [*CONFLICTS].index(kind) + 1), kind


def test_totals_are_those_of_all_processes(pair: Pair) -> None:
    one, other = pair
    assert one.make("a", {}, (1, b"123"), held=10).totals == (1, 10, 3)
    assert other.make("b", {}, (1, b"1"), held=20).totals == (2, 30, 4)
    assert one.alter("a", {}, (2, b"1"), held=10).totals == (2, 30, 5)
    assert other.alter("a", {"x": b"1"}, held=5).totals == (2, 25, 5)
    other.trim("a", 1)
    assert one.alter("b", {}, held=20, clears=True).totals == (2, 25, 1)
    one.evict("a")
    assert other.make("c", held=1).totals == (2, 21, 0)
    assert other.delete("b").totals == (1, 1, 0)


# Eviction


def test_evicted_documents_are_gone_and_told(pair: Pair) -> None:
    one, other = pair
    one.make("a", {"x": b"1"}, (1, b"0"), (2, b"0"), asked=2)
    one.make("b", {"x": b"1"})
    one.make("c", {"x": b"1"}, asked=5)
    other.evict("a", "b")
    assert one.look("a", "b", "c") == {
        "a": Found(None, forgotten={"max_worlds": 2}),
        "b": Found(None),
        "c": Found(one.copy("c").version, 5),
    }
    one.release()
    assert [one.entries(name) for name in "ab"] == [[], []]
    assert (one.counters(), [*one.kept()]) == ({"evicted": 2}, ["c"])


def test_nothing_is_evicted_twice(pair: Pair) -> None:
    """Two processes may find at the same time that there is no room."""
    one, other = pair
    one.evict("a")
    assert one.counters() == {}
    one.make("a", {"x": b"1"}, asked=3)
    one.evict("a")
    other.evict("a", "none")
    assert one.look("a")["a"].forgotten == {"max_worlds": 3}
    one.release()
    assert one.counters() == {"evicted": 1}


def test_what_an_eviction_lost_is_told_until_the_document_is_deleted(pair: Pair) -> None:
    """Who made the document anew says so (`forgotten`), because of a reset, nothing is lost."""
    one, other = pair
    one.make("a", {"x": b"1"}, asked=3)
    other.evict("a")
    lost = one.look("a")["a"].forgotten
    again = one.whole("a", {"x": b"2"}, asked=1)
    again.forgotten = lost
    one.commit(again)
    other.alter("a", {"x": b"3"}, (2, b"0"))
    for process in pair:
        assert process.look("a")["a"].forgotten == {"max_worlds": 3}
        process.release()
    other.evict("a")
    assert one.look("a")["a"].forgotten == {"max_worlds": 5}
    one.release()
    one.make("a", {"x": b"2"})
    assert other.look("a")["a"].forgotten == {}
    other.release()
    one.delete("a")
    assert other.look("a")["a"].forgotten == {}


def test_an_emptied_journal_forgets_what_an_eviction_lost(pair: Pair) -> None:
    one, other = pair
    again = one.whole("a", {"x": b"2"}, asked=1)
    again.forgotten = {"max_worlds": 3}
    one.commit(again)
    other.look("a")
    other.commit(other.change("a", {}, clears=True))
    assert one.look("a")["a"].forgotten == {}


# Ends


def test_a_store_goes_on_after_it_was_closed(pair: Pair) -> None:
    one, other = pair
    one.make("a", {"x": b"1"}, (1, b"0"), held=3)
    one.close()
    one.close()
    assert one.look("a")["a"] == Found(one.copy("a").version)
    one.commit(one.change("a", {"x": b"2"}), counted={"n": 1})
    one.close()
    assert (other.read("a"), other.entries("a"), other.counters()) == ({"x": b"2"}, [b"0"], {"n": 1})


def test_a_turn_that_ends_without_a_commit_changes_nothing(pair: Pair) -> None:
    one, other = pair
    one.release()
    one.make("a", {"x": b"1"}, held=3)
    one.look("a")
    one.release()
    one.release()
    assert (other.read("a"), sizes(other)) == ({"x": b"1"}, [("a", 3, 0, 0)])


def test_a_turn_that_is_closed_changes_nothing(pair: Pair) -> None:
    one, other = pair
    one.make("a", {"x": b"1"})
    one.look("a")
    one.close()
    assert other.alter("a", {"x": b"2"}).conflicts == frozenset()


def test_documents_of_any_size_are_kept(pair: Pair) -> None:
    one, other = pair
    content = {f"x/{number}": b'"%s"' % (b"x" * 100) for number in range(20_000)} | {"y": b'"%s"' % (b"x" * 5_000_000)}
    one.make("a", content)
    assert other.read("a") == content


def test_a_store_has_a_name(pair: Pair, url: str) -> None:
    assert pair[0].store.name in (f"SQLite file {url.removeprefix('sqlite:')}", f"Redis at {urlsplit(url).netloc}")
