"""Turns: what arrives at about the same time is done together, between one look at the store and one commit.

All work of a turn runs without waiting, on copies that are up to date. If another process was faster with a commit, or
if a piece of work asks for what the turn does not know yet, that piece is done again. Nobody gets an answer before what
it has changed is stored.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence, Set
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
        self._beat: asyncio.TimerHandle | None = None
        """When it is looked at next what is held."""
        self._is_due = self._was_busy = False
        """Whether that is now, and whether there has been a turn since the last time."""
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
        await self._settle()
        if self._beat is not None:
            self._beat.cancel()
            self._beat = None
        await self._worlds.store.close()
        self._task, self._wake, self._has_ended = None, asyncio.Event(), False

    async def _take_turns(self) -> None:
        while not self._has_ended:
            await self._wake.wait()
            self._wake.clear()
            jobs, self._jobs = self._jobs, []
            if jobs:
                await self._serve(jobs)
                self._worlds.trim_copies()
                self._was_busy = True
            if self._is_due:
                await self._look_at_held()
            if self._beat is None and self._worlds.commits.is_ahead:
                pause = _PAUSE if self._recent_failure() else self._worlds.store.beat
                self._beat = asyncio.get_running_loop().call_later(pause, self._is_time)
        jobs, self._jobs = self._jobs, []
        for job in jobs:
            job.finish(_ended())

    def _is_time(self) -> None:
        self._beat, self._is_due = None, True
        self._wake.set()

    async def _look_at_held(self) -> None:
        """Store what is held, unless there is likely to be more in a moment."""
        worlds = self._worlds
        is_young = time.monotonic() < worlds.commits.held.since + worlds.store.spell
        if not (self._was_busy and is_young and worlds.commits.held):
            await self._settle()
        self._is_due = self._was_busy = False

    async def _settle(self) -> None:
        """Store what is held. If that fails, it is held until it succeeds."""
        self._worlds.store.deadline = time.monotonic() + PATIENCE
        try:
            await self._worlds.commits.settle()
        except Unavailable as error:
            self._count("failures", 1)
            self._failed = time.monotonic(), error
            _log.warning("requests that were answered could not be recorded yet: %s", error)
        except Exception:  # whoever waits for a turn must not suffer
            _log.exception("requests that were answered could not be recorded")

    def _recent_failure(self) -> Unavailable | None:
        failed = self._failed
        return failed[1] if failed is not None and time.monotonic() < failed[0] + _PAUSE else None

    async def _serve(self, jobs: list[Job]) -> None:
        """Do some jobs, and finish each of them."""
        if (failure := self._recent_failure()) is not None:
            for job in jobs:
                job.finish(_refusal(Unavailable(*failure.args)))
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
            await worlds.refresh(_numbers(jobs), {name for job in jobs if not job.number for name in job.names})
            started = time.monotonic()
            tried = self._attempts(jobs)
            worlds.store.deadline += time.monotonic() - started  # work is no waiting
            again = await worlds.commit(len(tried) > 1)
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
        turn.used = used = {*job.names}
        missing: Sequence[str] = ()
        try:
            job.attempt()
        except Missing as error:
            missing = error.names
        if missing or len(used) != len(job.names):
            job.names = [*dict.fromkeys([*job.names, *used, *missing])]
        job.used = used - turn.found.keys() if turn.found else used
        return not missing


def _numbers(jobs: Sequence[Job]) -> Mapping[str, int]:
    """The documents that jobs are known to use, and how many numbers of requests they take in each."""
    numbers: dict[str, int] = {}
    for job in jobs:
        number = job.number
        for name in job.names:
            numbers[name] = numbers.get(name, 0) + number
            number = 0
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
