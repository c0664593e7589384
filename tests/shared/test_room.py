"""Room for all processes together: which worlds and which entries of journals go."""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pytest

from stubserver.settings import WORLDS, Settings
from stubserver.shared.room import Room
from stubserver.shared.turn import JOURNAL, SNAPSHOT
from stubserver.stores.store import Kept, Totals
from stubserver.worlds.world import WORLD
from tests.support.stored import Process, note


class Recorded:
    """A store that only notes what it is asked to delete."""

    def __init__(self, kept: Mapping[str, Kept]) -> None:
        self._kept = kept
        self.evicted: list[str] = []
        self.trimmed: dict[str, int] = {}
        self.reasons: set[str] = set()

    async def kept(self) -> Mapping[str, Kept]:
        return self._kept

    async def evict(self, names: list[str], reason: str) -> None:
        self.evicted += names
        self.reasons.add(reason)

    async def trim(self, name: str, size: int, reason: str) -> None:
        self.trimmed[name] = size
        self.reasons.add(reason)


def made(
    runner: asyncio.Runner,
    worlds: Mapping[str, int] | None = None,
    journals: Mapping[str, int] | None = None,
    used: str = "",
    **bounds: int,
) -> Recorded:
    """What goes, if worlds and snapshots hold so much, the one that is idle longest first, or journals take so much."""
    sizes = {name: (size, 0) for name, size in (worlds or {}).items()}
    sizes |= {name: (0, size) for name, size in (journals or {}).items()}
    kept = {name: Kept(at, held, journal, 1) for at, (name, (held, journal)) in enumerate(sizes.items())}
    store = Recorded(kept)
    totals = Totals(len(kept), sum(one.held for one in kept.values()), sum(one.journal for one in kept.values()))
    room = Room(store, Settings(max_world=1, **bounds))  # type: ignore[arg-type]
    runner.run(room.make(totals, {used}))
    return store


# Which worlds go


@pytest.mark.parametrize(
    ("names", "used", "gone"),
    [
        ("abc", "", ""),
        ("abcd", "", "a"),
        ("abcde", "", "ab"),
        ("abcde", "a", "bc"),
        ("abcd", "abcd", ""),
    ],
)
def test_the_worlds_that_have_been_idle_longest_go(runner: asyncio.Runner, names: str, used: str, gone: str) -> None:
    kept = Recorded({name: Kept(at, 1, 0, 0) for at, name in enumerate(names)})
    room = Room(kept, Settings(max_worlds=3))  # type: ignore[arg-type]
    runner.run(room.make(Totals(len(names), len(names), 0), {*used}))
    assert kept.evicted == [*gone]
    assert kept.reasons == ({"max_worlds"} if gone else set())


def test_the_default_world_and_snapshots_stay(runner: asyncio.Runner) -> None:
    held = {"default": 1, f"{SNAPSHOT}s": 1, f"{SNAPSHOT}t": 1, "a": 1, "b": 1, "c": 1}
    assert made(runner, held, max_worlds=3).evicted == ["a"]
    assert made(runner, held, max_worlds=4).evicted == []


@pytest.mark.parametrize(
    ("held", "gone"),
    [
        ({"a": 30, "b": 30, "c": 30, f"{SNAPSHOT}s": 10}, []),
        ({"a": 30, "b": 30, "c": 30, f"{SNAPSHOT}s": 20}, ["a"]),
        ({"a": 30, "b": 31, "c": 60}, ["a"]),
        ({"a": 10, "b": 60, "c": 60}, ["a", "b"]),
        ({"a": 10, "b": 40, f"{SNAPSHOT}s": 90}, []),  # worlds may always take half
        ({"a": 10, "b": 41, f"{SNAPSHOT}s": 90}, ["a"]),
    ],
)
def test_worlds_go_if_all_hold_too_much(runner: asyncio.Runner, held: dict[str, int], gone: list[str]) -> None:
    assert made(runner, held, max_memory=100).evicted == gone


# Which entries go


@pytest.mark.parametrize(
    ("sizes", "lost"),
    [
        ({"a": 800}, {}),
        ({"a": 801}, {"a": 101}),
        ({"a": 500, "b": 301}, {"a": 101}),
        ({"a": 500, "b": 401}, {"a": 150, "b": 51}),
        ({"a": 300, "b": 300, "c": 300}, {"a": 67, "b": 67, "c": 67}),
        ({"a": 1000, "b": 1, "c": 1}, {"a": 302}),
    ],
)
def test_the_largest_journals_lose_their_oldest_entries(
    runner: asyncio.Runner, sizes: dict[str, int], lost: dict[str, int]
) -> None:
    """Down to a common size, until an eighth of the room is free."""
    store = made(runner, journals=sizes, max_journal=800)
    assert store.trimmed == lost
    left = sum(sizes.values()) - sum(lost.values())
    assert left <= 700 or not lost
    assert store.reasons == ({"max_journal"} if lost else set())


def test_nothing_is_read_while_there_is_room(runner: asyncio.Runner) -> None:
    class Unread(Recorded):
        async def kept(self) -> Mapping[str, Kept]:
            raise AssertionError

    room = Room(Unread({}), Settings())  # type: ignore[arg-type]
    runner.run(room.make(Totals(10_000, 256 * 1024 * 1024, 64 * 1024 * 1024), set()))


# Two processes


def test_a_world_of_one_process_goes_for_one_of_another(process: Callable[..., Process]) -> None:
    one, other = (process(max_worlds=2) for _ in range(2))
    for each, name in ((one, "a"), (other, "b"), (one, "a"), (other, "c")):
        each.do(partial(each.add, 101 if name != "a" else 102, name), names=[name])
    assert one.names() == other.names() == ["a", "c"]
    assert one.do(lambda: one.worlds.evicted, names=[]) == [1]
    assert other.do(lambda: other.added("b"), names=["b"]) == [[]]


def test_worlds_go_for_want_of_memory(process: Callable[..., Process]) -> None:
    size = 2 * WORLD
    one, other = (process(max_world=size, max_memory=WORLDS * size) for _ in range(2))
    for number in range(WORLDS + 5):
        each, name = (one, other)[number % 2], f"w{number}"
        each.do(partial(_fill, each, name), names=[name])
    left = one.names()
    assert left == sorted(f"w{number}" for number in range(WORLDS + 5 - len(left), WORLDS + 5))
    (taken,), (held,) = other.do(lambda: other.worlds.size, names=[]), other.do(lambda: other.world(left[0]).held)
    assert (taken, taken + held > WORLDS * size) == (len(left) * held, True)
    assert taken <= WORLDS * size


def _fill(process: Process, name: str) -> None:
    process.world(name).categories.put({"id": 101, "text": "x" * (WORLD // 2)})


def test_a_world_that_was_evicted_remembers_how_many_requests_it_lost(process: Callable[..., Process]) -> None:
    """In all turns after it, for every process, and also if it is evicted again; but not if it is made anew."""
    one, other = (process(max_worlds=1) for _ in range(2))

    def ask(each: Process, name: str, count: int = 1) -> Any:
        def work() -> Any:
            world = each.world(name)
            world.asked += 1
            note(each.worlds.turn, name, world.asked)
            return {**world.forgotten}

        for _ in range(count):
            (forgotten,) = each.do(work, names=[name], number=1)
        return forgotten

    ask(one, "a", 3)
    ask(other, "b")
    assert ask(one, "a") == {"max_worlds": 3}
    assert [ask(other, "a"), ask(one, "a")] == [{"max_worlds": 3}] * 2
    ask(other, "b")
    assert ask(other, "a") == {"max_worlds": 6}
    assert one.do(lambda: {**one.worlds.reset("a").forgotten}, names=["a"]) == [{}]
    ask(other, "b")
    assert ask(other, "a") == {}


def test_a_world_that_was_deleted_remembers_nothing(process: Callable[..., Process]) -> None:
    one = process(max_worlds=1)

    def ask(name: str) -> Any:
        world = one.world(name)
        world.asked += 1
        return {**world.forgotten}

    for name in "aba":
        one.do(partial(ask, name), names=[name])
    one.do(lambda: one.worlds.delete("a"), names=["a"])
    assert one.do(partial(ask, "a"), names=["a"]) == [{}]


def test_journals_lose_entries_of_all_processes(process: Callable[..., Process]) -> None:
    one, other = (process(max_journal=8000) for _ in range(2))

    def ask(each: Process, name: str) -> None:
        world = each.world(name)
        world.asked += 1
        note(each.worlds.turn, name, world.asked, b"%3d" % world.asked + b"x" * 497)

    for number in range(20):
        each = (one, other)[number % 2]
        each.do(partial(ask, each, "large"), names=["large"])
        if number % 8 == 0:
            each.do(partial(ask, each, "small"), names=["small"])
    for each in (one, other):
        large, small = (entries(each, name) for name in ("large", "small"))
        assert large == [*range(21 - len(large), 21)]
        assert len(small) == 3
        assert len(large) + len(small) <= 16
        assert forgotten(each, "large") == ({"max_journal": 20 - len(large)}, 20 - len(large))


def entries(process: Process, name: str) -> list[int]:
    """The numbers of the requests in the journal of a world."""
    (found,) = process.do(lambda: process.worlds.known(JOURNAL + name), names=[])
    return [int(entry[:3]) for entry in found]


def forgotten(process: Process, name: str) -> tuple[Any, ...]:
    """What is told about requests that a world has lost, and how many entries have gone in all."""
    lost, count = lambda: {**process.world(name).forgotten}, lambda: process.worlds.counter("forgotten")
    return (*process.do(lost, names=[name]), *process.do(count, names=[]))
