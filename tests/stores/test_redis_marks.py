"""Marks: whoever wants to know waits for those that may hold something, and for nobody else."""

import asyncio
import itertools
from collections.abc import Iterator

import pytest

from stubserver.stores import redis_marks
from stubserver.stores.redis import RedisStore
from stubserver.stores.redis_marks import Marks
from tests.stores.processes import Process
from tests.stores.servers import Redis

pytestmark = pytest.mark.slow
_NUMBERS = itertools.count()
Pair = tuple[Process, Process]


@pytest.fixture
def prefix() -> str:
    return f"marks-{next(_NUMBERS)}"


@pytest.fixture
def pair(server: Redis, prefix: str, runner: asyncio.Runner) -> Iterator[Pair]:
    """Two processes at the same Redis, which has a document."""
    url = f"{server.url}?prefix={prefix}&ttl=5000"
    one, other = Process(url, runner), Process(url, runner)
    one.make("a")
    yield one, other
    one.close()
    other.close()


def store(process: Process) -> RedisStore:
    assert isinstance(process.store, RedisStore)
    return process.store


def marks(process: Process) -> Marks:
    return store(process)._marks


def left(server: Redis, prefix: str) -> list[str]:
    """The numbers of all marks."""
    return server.tell("HVALS", f"{prefix}:marks").split()


def hold(process: Process) -> None:
    """Have a process hold something: it leaves a mark with a commit first."""
    assert not store(process).hold()
    process.look("a", numbers=1)
    process.commit(process.change("a", {}))
    assert store(process).hold()


async def gathered(process: Process) -> bool:
    """Whether a process needs not wait for the other."""
    try:
        async with asyncio.timeout(0.1):
            await process.store.gather()
    except TimeoutError:
        await process.store.close()
        return False
    return True


def test_nothing_is_held_before_there_is_a_mark(pair: Pair, server: Redis, prefix: str) -> None:
    one, _ = pair
    assert (store(one).hold(), store(one).is_ahead, left(server, prefix)) == (False, False, [])
    hold(one)
    assert (store(one).is_ahead, left(server, prefix)) == (True, ["1"])
    assert 0 < int(server.tell("TTL", f"{prefix}:marks")) <= 5000


def test_without_marks_nobody_waits(pair: Pair) -> None:
    for process in pair:
        assert process.run(gathered(process))


def test_a_process_does_not_wait_for_itself(pair: Pair, server: Redis, prefix: str) -> None:
    """Nor anybody for it, while it waits for others."""
    one, _ = pair
    hold(one)
    assert process_waits(one) == "no"
    assert (store(one).is_ahead, left(server, prefix)) == (False, [])


def process_waits(process: Process) -> str:
    return "no" if process.run(gathered(process)) else "yes"


def test_others_wait_until_a_mark_has_changed(pair: Pair) -> None:
    one, other = pair
    hold(one)
    assert process_waits(other) == "yes"

    async def both() -> None:
        waiting = asyncio.create_task(other.store.gather())
        await asyncio.sleep(0.02)
        assert not waiting.done()
        await one.store.settle()
        async with asyncio.timeout(60):
            await waiting

    other.run(both())


def test_a_mark_goes_if_it_is_not_needed_any_more(pair: Pair, server: Redis, prefix: str) -> None:
    one, other = pair
    hold(one)
    one.run(one.store.settle())
    assert left(server, prefix) == ["2"]
    one.run(one.store.settle())
    assert (left(server, prefix), store(one).is_ahead) == ([], False)
    assert process_waits(other) == "no"
    one.run(one.store.settle())
    hold(one)
    assert left(server, prefix) == ["3"]


def test_the_mark_of_a_process_that_was_killed_is_removed(
    pair: Pair, server: Redis, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a while, by whoever has waited, so that nobody else does."""
    one, other = pair
    hold(one)
    assert process_waits(other) == "yes"
    monkeypatch.setattr(redis_marks, "_DEAD", 0.01)
    other.run(other.store.gather())
    assert left(server, prefix) == []


def test_a_process_that_ends_leaves_no_mark(pair: Pair, server: Redis, prefix: str) -> None:
    one, _ = pair
    hold(one)
    one.close()
    assert left(server, prefix) == []


def test_waiting_for_others_does_not_count_as_waiting_for_the_store(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = pair
    hold(one)
    monkeypatch.setattr(redis_marks, "_DEAD", 0.05)

    async def waits() -> float:
        before = other.store.deadline
        await other.store.gather()
        return other.store.deadline - before

    assert other.run(waits()) >= redis_marks._WAIT
