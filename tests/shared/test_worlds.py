"""The worlds of a store within a turn: what is asked for is brought up to date, and what is done is seen at once."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from stubserver.errors import Refusal
from stubserver.shared.turn import COUNTERS, DOCUMENTS, JOURNAL, SNAPSHOT, Missing
from stubserver.shared.worlds import SharedWorlds
from stubserver.stores.store import NO_ENTRIES, Kept
from stubserver.worlds.snapshot import Fixture
from tests.support.default import NOW
from tests.support.stored import Process, note


def missed(process: Process, work: Callable[[], Any]) -> tuple[str, ...]:
    """What some work misses at first, outside of all turns."""
    process.worlds.begin()
    with pytest.raises(Missing) as missing:
        work()
    found: tuple[str, ...] = missing.value.names
    return found


# What is missing


@pytest.mark.parametrize(
    ("ask", "name"),
    [
        (lambda worlds: worlds.get("w"), "w"),
        (lambda worlds: worlds.touch("w", "empty"), "w"),
        (lambda worlds: worlds.peek("w"), "w"),
        (lambda worlds: "w" in worlds, "w"),
        (lambda worlds: worlds.reset("w"), "w"),
        (lambda worlds: worlds.delete("w"), "w"),
        (lambda worlds: worlds.snapshot("s"), f"{SNAPSHOT}s"),
        (lambda worlds: worlds.delete_snapshot("s"), f"{SNAPSHOT}s"),
        (lambda worlds: worlds.known(f"{JOURNAL}w"), f"{JOURNAL}w"),
        (len, DOCUMENTS),
        (list, DOCUMENTS),
        (lambda worlds: worlds.snapshot_sizes, DOCUMENTS),
        (lambda worlds: worlds.all_snapshots(), DOCUMENTS),
        (lambda worlds: worlds.size, DOCUMENTS),
        (lambda worlds: worlds.evicted, COUNTERS),
        (lambda worlds: worlds.new_name(), COUNTERS),
    ],
)
def test_what_a_turn_does_not_know_is_missing(one: Process, ask: Callable[[SharedWorlds], Any], name: str) -> None:
    """Even if there is a copy of it, which may be old."""
    one.do(one.world)
    assert missed(one, partial(ask, one.worlds)) == (name,)


def test_all_that_is_missing_is_told_at_once(one: Process) -> None:
    assert missed(one, lambda: one.worlds.need("a", "b")) == ("a", "b")


def test_what_is_asked_for_is_used(one: Process) -> None:
    """A job is done again if that changes."""

    def work() -> set[str]:
        used = one.worlds.turn.used
        used.clear()
        one.worlds.need("a", "b")
        return {*used}

    assert one.do(work, names=["a", "b"]) == [{"a", "b"}]


# Worlds of one process, seen by another


def test_a_world_is_made_on_first_use(one: Process, other: Process) -> None:
    assert one.do(lambda: "w" in one.worlds) == [False]
    assert one.do(lambda: one.world() is one.world() is one.worlds.peek("w")) == [True]
    assert (one.names(), other.names()) == (["w"], ["w"])


def test_a_world_is_not_made_by_looking(one: Process) -> None:
    assert one.do(lambda: one.worlds.peek("w").name, lambda: one.worlds.delete("w"), lambda: len(one.worlds)) == [
        "w",
        None,
        0,
    ]
    assert one.store.committed == []


def test_worlds_are_listed_by_name_whoever_made_them(one: Process, other: Process) -> None:
    for process, name in ((one, "c"), (other, "a"), (one, "b")):
        process.do(partial(process.world, name), names=[name])
    assert one.names() == other.names() == ["a", "b", "c"]
    assert one.do(lambda: len(one.worlds)) == [3]
    other.do(lambda: other.worlds.delete("b"), names=["b"])
    assert one.names() == ["a", "c"]


def test_a_list_has_what_its_turn_has_done(one: Process) -> None:
    """Before it is stored."""
    one.do(partial(one.world, "old"), names=["old"])
    found = one.do(
        lambda: one.worlds.delete("old"),
        lambda: one.world("new").name,
        lambda: [world.name for world in one.worlds],
        names=["old", "new"],
    )
    assert found == [None, "new", ["new"]]


def test_a_world_may_go_and_come_again_in_a_turn(one: Process, other: Process) -> None:
    one.do(partial(one.add, 101))
    found = one.do(partial(one.add, 102), lambda: one.worlds.delete("w"), partial(one.add, 103))
    assert found == [[101, 102], None, [103]]
    assert other.do(other.added) == [[103]]
    one.do(partial(one.add, 104), lambda: one.worlds.delete("w"))
    assert (other.names(), other.do(lambda: "w" in other.worlds)) == ([], [False])


def test_a_world_that_comes_and_goes_in_a_turn_was_never_there(one: Process, other: Process) -> None:
    one.do(one.world, lambda: one.worlds.delete("w"))
    assert (one.names(), other.names()) == ([], [])


def test_a_world_that_is_made_anew_is_as_strict_as_before(one: Process, other: Process) -> None:
    one.do(lambda: setattr(one.world(), "strict", True))
    assert other.do(lambda: other.worlds.reset("w").strict) == [True]
    assert one.do(lambda: one.world().strict) == [True]


def test_what_a_turn_has_done_to_a_world_goes_with_it(one: Process) -> None:
    def work() -> None:
        one.world()
        note(one.worlds.turn, "w", 1)
        one.worlds.turn.cleared.add("w")

    one.do(work, lambda: one.worlds.reset("w"))
    (commit,) = one.store.committed[-1]
    assert (commit.entries, commit.clears) == (NO_ENTRIES, False)


def test_each_world_has_a_life_of_its_own(one: Process, other: Process) -> None:
    lives = [one.do(lambda: one.world().life)[0]]
    assert other.do(lambda: other.world().life) == lives
    for _ in range(2):
        lives += one.do(lambda: one.worlds.reset("w").life)
    assert len({*lives, ""}) == 4
    assert other.do(lambda: other.world().life) == lives[-1:]


def test_a_fixture_is_that_of_the_first_request(one: Process, other: Process, default_fixture: Fixture) -> None:
    empty = replace(default_fixture, name="empty")
    one.fixtures["empty"] = other.fixtures["empty"] = empty
    one.do(lambda: one.worlds.touch("w", "empty"))
    assert other.do(lambda: other.world().fixture.name) == ["empty"]
    (refused,) = other.do(lambda: other.worlds.touch("w", "default"))
    assert isinstance(refused, Refusal)
    assert refused.status == 400


# Names that are given


def test_names_given_by_two_processes_never_collide(one: Process, other: Process) -> None:
    given: list[str] = []
    for process in (one, other, one, one, other):
        made = process.do(*[lambda process=process: process.world(process.worlds.new_name()).name] * 2, names=[])
        given += made
    assert sorted(given) == sorted({f"world-{number}" for number in range(1, 11)})
    assert sorted(one.names()) == sorted(given)


def test_a_name_is_not_given_if_a_world_has_it(one: Process, other: Process) -> None:
    for name in ("world-1", "world-3"):
        other.do(partial(other.world, name), names=[name])
    assert one.do(lambda: one.world(one.worlds.new_name()).name, names=[]) == ["world-2"]
    assert other.do(lambda: other.worlds.new_name(), names=[]) == ["world-4"]


def test_a_name_is_not_given_again(one: Process, other: Process) -> None:
    (name,) = one.do(lambda: one.world(one.worlds.new_name()).name, names=[])
    other.do(lambda: other.worlds.delete(name), names=[name])
    assert other.do(lambda: other.worlds.new_name(), names=[]) == ["world-2"]


# Snapshots


def test_snapshots_are_shared(one: Process, other: Process) -> None:
    one.do(partial(one.add, 101))
    one.do(partial(one.keep, "s"))
    assert other.do(lambda: other.worlds.restore("v", other.worlds.snapshot("s")).changed, names=[]) == [1]
    assert other.do(lambda: [name for name, _ in other.worlds.all_snapshots()], names=[]) == [["s"]]
    (size,), same = one.do(lambda: one.worlds.snapshot_sizes), other.do(lambda: other.worlds.snapshot_sizes)
    assert [size] == same
    assert size["s"] > 0
    other.do(lambda: other.worlds.delete_snapshot("s"), names=[])
    (gone,) = one.do(lambda: one.worlds.snapshot("s"), names=[])
    assert (gone.status, gone.problems[0].message) == (404, "There is no snapshot s.")
    assert one.do(lambda: (one.worlds.snapshot_sizes, one.worlds.snapshots), names=[]) == [({}, {})]


def test_snapshots_of_a_turn_are_seen_in_it(one: Process) -> None:
    """Before they are stored."""

    def work() -> list[Any]:
        worlds, found = one.worlds, list[Any]()
        for _ in range(2):
            one.add(101 + len(found))
            one.keep("s")
            found.append((worlds.snapshot("s").changed, [*worlds.snapshot_sizes], len(list(worlds.all_snapshots()))))
        worlds.delete_snapshot("s")
        return [*found, worlds.snapshot_sizes, worlds.all_snapshots()]

    assert one.do(work, names=["w", f"{SNAPSHOT}s"]) == [[(1, ["s"], 1), (2, ["s"], 1), {}, []]]
    assert one.do(lambda: one.worlds.snapshot_sizes) == [{}]


def test_snapshots_and_worlds_may_have_the_same_name(one: Process, other: Process) -> None:
    one.do(partial(one.add, 101))
    one.do(partial(one.keep, "w"))
    one.do(lambda: one.worlds.delete("w"))
    assert other.names() == []
    assert other.do(lambda: other.worlds.snapshot("w").changed, names=[]) == [1]


def test_snapshots_are_not_worlds_in_sums(one: Process) -> None:
    one.do(partial(one.add, 101))
    one.do(partial(one.keep, "s"))
    kept: dict[str, Kept] = one.do(lambda: one.worlds.documents, names=[])[0]
    assert kept.keys() == {"w", f"{SNAPSHOT}s"}
    assert one.do(lambda: one.worlds.size, lambda: one.worlds.snapshots_size, names=[]) == [
        kept["w"].held,
        kept[f"{SNAPSHOT}s"].held,
    ]


# Counters


def test_a_counter_has_what_its_turn_has_added(one: Process, other: Process) -> None:
    def count(process: Process) -> int:
        process.worlds.turn.count("w", "n")
        return process.worlds.counter("n")

    assert one.do(*[partial(count, one)] * 2) == [1, 2]
    assert other.do(*[partial(count, other)] * 2) == [3, 4]
    assert one.do(lambda: one.worlds.counter("n"), lambda: one.worlds.counter("m")) == [4, 0]


def test_what_is_owed_is_taken_back_once(one: Process) -> None:
    """Unless its counter is reset: then there is nothing left to take back."""
    one.do(lambda: one.worlds.turn.counted.update(w=Counter({"n": 5, "old/n": 5})))
    one.worlds.commits.owed = Counter({"n": 1, "old/n": 1})

    def count() -> None:
        one.worlds.turn.count("w", "n")
        one.worlds.turn.reset = "old/"

    one.do(count)
    one.do(lambda: one.worlds.turn.count("w", "n"))
    assert one.do(lambda: one.worlds.counter("n"), lambda: one.worlds.counter("old/n")) == [6, 0]


# Fixtures that have changed


def test_a_world_whose_fixture_has_changed_is_refused_in_words(
    one: Process, other: Process, default_fixture: Fixture
) -> None:
    """One that another version of the package has made, for instance. All others work."""
    one.fixtures["empty"] = replace(default_fixture, name="empty")
    other.fixtures["empty"] = replace(default_fixture, name="empty", digest="newer")
    one.do(lambda: one.worlds.keep_snapshot("s", one.worlds.touch("w", "empty").snapshot()))
    one.do(partial(one.add, 101))
    for ask, what in (
        (other.world, "World w"),
        (lambda: other.worlds.peek("w"), "World w"),
        (lambda: "w" in other.worlds, "World w"),
        (lambda: other.worlds.reset("w"), "World w"),
        (lambda: list(other.worlds), "World w"),
        (lambda: other.worlds.snapshot("s"), "Snapshot s"),
        (lambda: list(other.worlds.all_snapshots()), "Snapshot s"),
    ):
        (refused,) = other.do(ask, names=[])
        assert isinstance(refused, Refusal)
        (problem,) = refused.problems
        assert (refused.status, problem.code) == (409, "conflict")
        assert problem.message == (
            f"{what} was made from a fixture that has changed since, as {other.store.name} says. Use another store, "
            "or the fixture of then."
        )
    one.do(partial(one.add, 102))
    assert other.do(lambda: other.world("v").name, names=["v"]) == ["v"]
    assert other.do(other.world)[0].status == 409
    one.do(lambda: one.worlds.reset("w"))
    assert other.do(other.added) == [[]]


# Copies


def test_copies_that_are_not_used_are_forgotten(process: Callable[..., Process]) -> None:
    """Those that have been idle longest, once there are too many; nothing is lost with them."""
    one = process(max_worlds=3)
    for number, name in enumerate("abcabad"):
        one.do(partial(one.add, 101 + number, name), names=[name])
    assert list(one.worlds._worlds) == ["b", "a", "d"]
    other = process(max_worlds=9)
    for name in "efgh":
        other.do(partial(other.world, name), names=[name])
    assert one.do(lambda: one.added("b"), names=["b"]) == [[102, 105]]
    assert len(one.worlds._worlds) <= 3


def test_time_of_a_world_is_shared(one: Process, other: Process) -> None:
    one.do(lambda: one.world().clock.freeze(NOW))
    assert other.do(lambda: other.world().clock.now()) == [NOW]
