"""Work aside from the event loop: it lets others run, one piece at a time, and nobody has to wait for it."""

import asyncio
import threading
from collections.abc import Callable

import pytest

from stubserver.pipeline.aside import SMALL, aside
from tests.support.commands import PATIENCE


def waiting_for(event: threading.Event) -> Callable[[], str]:
    """Work that ends once the event is set."""

    def work() -> str:
        assert event.wait(PATIENCE)
        return threading.current_thread().name

    return work


def test_small_work_is_done_at_once() -> None:
    assert asyncio.run(aside(lambda: threading.current_thread().name, SMALL - 1)) == threading.current_thread().name


def test_large_work_lets_others_run() -> None:
    """What it waits for is done by the loop."""
    event = threading.Event()

    async def main() -> str:
        asyncio.get_running_loop().call_soon(event.set)
        return await aside(waiting_for(event), SMALL)

    assert asyncio.run(main()) == "stubserver-aside"


def test_what_work_raises_is_raised_to_whoever_waits() -> None:
    with pytest.raises(ZeroDivisionError):
        asyncio.run(aside(lambda: 1 // 0, SMALL))


def test_one_thread_works_at_a_time() -> None:
    at_work: list[int] = []
    most: list[int] = []

    def work() -> None:
        at_work.append(1)
        most.append(len(at_work))
        threading.Event().wait(0.005)
        at_work.pop()

    async def main() -> None:
        await asyncio.gather(*(aside(work, SMALL) for _ in range(8)))

    asyncio.run(main())
    assert most == [1] * 8


def test_work_that_nobody_waits_for_is_not_begun_and_ends_quietly() -> None:
    """The server stops, for example."""
    event, done = threading.Event(), list[int]()

    async def main() -> None:
        running = [
            asyncio.ensure_future(aside(waiting_for(event), SMALL)),
            asyncio.ensure_future(aside(lambda: done.append(1), SMALL)),
        ]
        await asyncio.sleep(0)
        for task in running:
            task.cancel()
        assert await asyncio.gather(*running, return_exceptions=True)
        event.set()
        await aside(lambda: done.append(2), SMALL)

    asyncio.run(main())
    assert 2 in done
    assert all(thread.daemon for thread in threading.enumerate() if thread.name == "stubserver-aside")
