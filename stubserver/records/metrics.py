"""What operators count: requests by operation and status, how long they took, transactions, turns at a store.

Plain numbers in memory that processes share, so that whichever process is asked knows those of all. Each process writes
to a part of its own, without locks. They become text only when somebody asks (`records/exposition.py`).
"""

import mmap
import os
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import NamedTuple, TypeAlias

BOUNDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the buckets of the latency, in seconds; above the last one, there is one more bucket."""
NO_OPERATION = "none"
"""What stands for the operation of a request that reached none: pages, pictures, paths that do not exist."""
NO_ANSWER, OTHER = "none", "other"
"""What stands for the status of a request without an answer, and for a status that has no name in HTTP."""
COUNTERS = ("committed", "rolled_back", "turns", "conflicts", "failures")
"""Names of what is counted besides requests: transactions by their ends; turns at a store, the conflicts in them, and
those that failed."""

_STATUSES = (NO_ANSWER, *(str(int(status)) for status in HTTPStatus if status >= 200), OTHER)
_PLACES = {0: 0, **{int(name): place for place, name in enumerate(_STATUSES) if name.isdigit()}}
_OTHER = len(_STATUSES) - 1
_BUCKETS = len(_STATUSES)
_SUM = _BUCKETS + len(BOUNDS) + 1
_WIDTH = _SUM + 1
"""How many numbers there are for an operation: one for each status, one for each bucket, and the sum of all seconds."""
_FIRST = 1 + len(COUNTERS)
"""Where the operations begin, after the id of the process and the counters."""
_SIZE = 8
"""Bytes of a number."""
_LIVES = 4
"""How many processes may have the same place at the same time, while one takes over from another."""

_Numbers: TypeAlias = "list[float] | memoryview[float]"
"""What is counted: a list, which is faster, until other processes share it."""


class Latency(NamedTuple):
    """How long requests took."""

    buckets: list[float]
    """For each bound and for what is above, how many requests took no longer, but longer than the bound before."""
    seconds: float
    """All of them together."""


class Metrics:
    """The numbers of one server, which may have several processes."""

    def __init__(self, operations: Iterable[str]) -> None:
        """`operations` are the operationIds of all contracts."""
        names = [*operations, NO_OPERATION]
        self._starts = {name: _FIRST + number * _WIDTH for number, name in enumerate(names)}
        self._length = _FIRST + len(names) * _WIDTH
        self._number = 1
        self._lives = memoryview(bytearray(1))
        """For each place, which life it is in: each process that joins there begins another one."""
        self._numbers: _Numbers = [0.0] * self._length
        self._own: _Numbers = self._numbers
        self._own[0] = os.getpid()

    def share(self, number: int) -> None:
        """Start anew, with room for `number` processes that are forked later; each of them has to `join`."""
        self._number = number
        self._lives = memoryview(mmap.mmap(-1, number)).cast("B")
        self._numbers = memoryview(mmap.mmap(-1, _SIZE * self._length * number * _LIVES)).cast("d")
        self._own = self._part(0)

    def join(self, place: int) -> None:
        """Count in this process, which has one of the places. What another one counted there before stays."""
        self._lives[place] = life = (self._lives[place] + 1) % _LIVES
        self._own = self._part(place + life * self._number)
        self._own[0] = os.getpid()

    def _part(self, number: int) -> _Numbers:
        """The numbers of one process: first those of all places in their first life, then those in their second."""
        return self._numbers[number * self._length : (number + 1) * self._length]

    def count(self, name: str, number: int = 1) -> None:
        """Add to one of the counters."""
        self._own[1 + COUNTERS.index(name)] += number

    def request(self, operation: str, status: int, seconds: float) -> None:
        """Count a request; its status is 0 if it got no answer."""
        own, start = self._own, self._starts[operation]
        own[start + _PLACES.get(status, _OTHER)] += 1
        own[start + _BUCKETS + bisect_left(BOUNDS, seconds)] += 1
        own[start + _SUM] += seconds

    # What has been counted, by all processes together

    @property
    def processes(self) -> Mapping[int, int]:
        """Number of a worker, from 1 -> the id of its process; of those at the same place, the newest."""
        parts = (self._part(place + life * self._number) for place, life in enumerate(self._lives))
        return {number: int(part[0]) for number, part in enumerate(parts, start=1) if part[0]}

    def _sum(self, start: int, length: int) -> list[float]:
        """The sums of some numbers over all processes that there have ever been."""
        firsts = (at for at in range(0, len(self._numbers), self._length) if self._numbers[at])
        columns = [self._numbers[at + start : at + start + length] for at in firsts]
        return [sum(column) for column in zip(*columns, strict=True)] or [0.0] * length

    @property
    def counters(self) -> Mapping[str, float]:
        """What else was counted, by the names in COUNTERS."""
        return dict(zip(COUNTERS, self._sum(1, len(COUNTERS)), strict=True))

    def statuses(self) -> Iterator[tuple[str, str, float]]:
        """Operation, status and how many requests had both, for all that there were."""
        for name, start in self._starts.items():
            for status, number in zip(_STATUSES, self._sum(start, len(_STATUSES)), strict=True):
                if number:
                    yield name, status, number

    def latencies(self) -> Iterator[tuple[str, Latency]]:
        """Operation, and how long its requests took, for all operations that had any."""
        for name, start in self._starts.items():
            *buckets, seconds = self._sum(start + _BUCKETS, _WIDTH - _BUCKETS)
            if any(buckets):
                yield name, Latency(buckets, seconds)
