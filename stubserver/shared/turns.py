"""Turns: what arrives at about the same time is done together, between one look at the store and one commit.

All work of a turn runs without waiting, on copies that are up to date. If another process was faster with a commit, or
if a piece of work asks for what the turn does not know yet, that piece is done again. Nobody gets an answer before what
it says is stored.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence, Set
from contextlib import suppress
from typing import Any, TypeVar

from stubserver.errors import Refusal, refusal
from stubserver.shared.turn import Missing
from stubserver.shared.worlds import SharedWorlds
from stubserver.stores.store import Unavailable, Unknown

PATIENCE = 4.0
"""Seconds for a turn, with all that it waits for."""
_PAUSE = 0.25
"""Seconds after a failure in which nobody waits for the store again."""
_T = TypeVar("_T")
_log = logging.getLogger("stubserver")


class Job:
    """A piece of work for a turn. It never waits, and may be done several times until what it did is stored."""

    __slots__ = ("_done", "_work", "error", "names", "number", "result", "used")

    def __init__(
        self, work: Callable[[], Any], names: Sequence[str], number: int, done: Callable[["Job"], None]
    ) -> None:
        """`names` are the documents that it is known to use, and `number` is 1 if it numbers a request in the first of
        them. `done` is called when the result or the error is final."""
        self._work = work
        self._done = done
        self.names = names
        self.number = number
        self.used: Set[str] = frozenset()
        self.result: Any = None
        self.error: BaseException | None = None

    def attempt(self) -> None:
        """Do the work. Raises Missing."""
        self.result = self.error = None
        try:
            self.result = self._work()
        except Exception as error:
            self.error = error

    def finish(self, error: BaseException | None = None) -> None:
        """The result is final, or failed for good."""
        self.error = error or self.error
        try:
            self._done(self)
        except Exception:  # the other jobs of the turn must not suffer
            _log.exception("the result of a turn could not be passed on")


class Turns:
    """Takes turns at a store, one after the other."""

    def __init__(self, worlds: SharedWorlds, count: Callable[[str, int], None] = lambda *_: None) -> None:
        """`count` adds to one of the counters of the metrics."""
        self._worlds = worlds
        self._count = count
        self._jobs: list[Job] = []
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._failed: tuple[float, Unavailable] | None = None
        """When the store failed last, and how."""
        self._has_ended = False

    async def run(self, work: Callable[[], _T], *names: str, number: int = 0) -> _T:
        """The result of `work`, once what it did is stored. Raises what it raises, and a 503 refusal."""
        future: asyncio.Future[_T] = asyncio.get_running_loop().create_future()

        def done(job: Job) -> None:
            if not future.done():
                future.set_exception(job.error) if job.error is not None else future.set_result(job.result)

        self.offer(Job(work, names, number, done))
        return await future

    def offer(self, job: Job) -> None:
        """Do a job in the next turn."""
        if self._has_ended:
            job.finish(_ended())
            return
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._take_turns())
        self._jobs.append(job)
        self._wake.set()

    async def close(self) -> None:
        """End, after the turn that is in progress. Whoever waits for the next one gets a 503 refusal. Jobs that come
        later begin anew, in whatever loop runs then."""
        self._has_ended = True
        self._wake.set()
        if self._task is not None:
            await asyncio.wait([self._task])
        await self._worlds.store.close()
        self._task, self._wake, self._has_ended = None, asyncio.Event(), False

    async def _take_turns(self) -> None:
        while not self._has_ended:
            await self._wake.wait()
            self._wake.clear()
            jobs, self._jobs = self._jobs, []
            await self._serve(jobs)
            self._worlds.trim_copies()
        jobs, self._jobs = self._jobs, []
        for job in jobs:
            job.finish(_ended())

    async def _serve(self, jobs: list[Job]) -> None:
        """Do some jobs, and finish each of them."""
        if self._failed is not None and time.monotonic() < self._failed[0] + _PAUSE:
            for job in jobs:
                job.finish(_refusal(Unavailable(*self._failed[1].args)))
            return
        try:
            await self._rounds(jobs)
        except Unavailable as error:
            self._count("failures", 1)
            self._failed = time.monotonic(), error
            await self._abandon(error)
            for job in jobs:
                job.finish(_refusal(error))
        except BaseException as error:
            await self._abandon(Unknown(str(error)))
            for job in jobs:
                job.finish(error)
            if not isinstance(error, Exception):
                raise

    async def _abandon(self, error: Unavailable) -> None:
        """Undo what the turn has not committed."""
        self._worlds.abandon(error)
        with suppress(Unavailable):
            await self._worlds.store.release()

    async def _rounds(self, jobs: list[Job]) -> None:
        """Do the jobs, in rounds, until all are finished; finished ones leave the list. Raises Unavailable."""
        worlds = self._worlds
        end = worlds.store.deadline = time.monotonic() + PATIENCE
        while jobs:
            worlds.begin()
            await worlds.refresh(_numbers(jobs))
            started = time.monotonic()
            tried = self._attempts(jobs)
            worlds.store.deadline += time.monotonic() - started  # work is no waiting
            again = await worlds.commit() if tried else frozenset[str]()
            self._count("turns", 1)
            self._count("conflicts", len(again))
            for job in tried:
                if again.isdisjoint(job.used):
                    jobs.remove(job)
                    job.finish()
            if jobs and time.monotonic() > end:
                raise Unavailable(f"{worlds.store.name} was changed by other processes again and again")

    def _attempts(self, jobs: Sequence[Job]) -> list[Job]:
        """Try all jobs. Returns those that miss nothing; of the others, nothing is left.

        A job that uses several documents is tried alone. If others changed one of them and were in conflict, it would
        be done again, although what it did to another document has been stored.
        """
        tried, worlds = list[Job](), self._worlds
        savepoint, is_clean = worlds.savepoint(), True
        for job in jobs:
            if self._attempt(job) and (len(job.used) < 2 or not tried):
                tried.append(job)
            else:
                is_clean = False
            if tried and len(tried[0].used) > 1:
                break
        if is_clean:
            return tried
        worlds.return_to(savepoint)
        return self._attempts(tried)

    def _attempt(self, job: Job) -> bool:
        """Try a job. Returns whether it missed nothing; if it did, it says so the next time."""
        turn = self._worlds.turn
        turn.used = {*job.names}
        missing: Sequence[str] = ()
        try:
            job.attempt()
        except Missing as error:
            missing = error.names
        job.names = [*dict.fromkeys([*job.names, *turn.used, *missing])]
        job.used = turn.used - turn.found.keys()
        return not missing


def _numbers(jobs: Sequence[Job]) -> Counter[str]:
    """The documents that jobs are known to use, and how many numbers of requests they take in each."""
    numbers: Counter[str] = Counter()
    for job in jobs:
        for place, name in enumerate(job.names):
            numbers[name] += 0 if place else job.number
    return numbers


def _refusal(error: Unavailable) -> Refusal:
    much = " What was asked for may have been done or not." if isinstance(error, Unknown) else ""
    message = f"The store of worlds does not work: {error}.{much}"
    return refusal(503, message, "service_unavailable", **{"Retry-After": "1"})


def _ended() -> Refusal:
    return refusal(503, "This server has ended.", "service_unavailable", **{"Retry-After": "1"})


class Direct:
    """What takes the place of turns where all worlds are in the memory of this process."""

    async def run(self, work: Callable[[], _T], *names: str, number: int = 0) -> _T:
        """The result of `work`, or what it raises."""
        return work()

    async def close(self) -> None:
        """Nothing to do."""
