"""Work aside from the event loop: what takes seconds runs in a thread, so that other requests are answered meanwhile.

Such work reads only data that nobody changes, and returns something new. What is made of that is up to the caller, on
the loop, in one step.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from stubserver.fixtures.fixture import without_collector

SMALL = 256 * 1024
"""Below this many bytes, work is done at once: it takes some milliseconds, and a thread would only add to them."""
_TURN = threading.Lock()
_T = TypeVar("_T")


async def aside(work: Callable[[], _T], size: int) -> _T:
    """The result of `work`, or what it raises; `size` is about how many bytes it works on.

    One thread works at a time, so that many large requests need the memory of one. A thread does not keep the process
    from ending.
    """
    if size < SMALL:
        return work()
    done: Future[_T] = Future()
    threading.Thread(target=_run, args=(work, done), name="stubserver-aside", daemon=True).start()
    return await asyncio.wrap_future(done)


def _run(work: Callable[[], _T], done: "Future[_T]") -> None:
    with _TURN:
        if not done.set_running_or_notify_cancel():  # nobody waits for it any longer
            return
        try:
            with without_collector():
                result = work()
        except BaseException as error:  # a thread has no caller to raise it to
            done.set_exception(error)
        else:
            done.set_result(result)
