"""A fault of a world, as data: what is wanted, how often it has fired, and how many random numbers it has drawn.

It never changes; a world replaces it. So it can be stored, and put back as it was.
"""

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from stubserver.worlds.snapshot import Snapshot

SIZE = 4096
"""What a fault takes besides a snapshot, in bytes: mostly its source of random draws."""
_SOURCES = 256
"""How many sources of random draws are kept."""


@dataclass(frozen=True)
class Fault:
    """A fault of a world."""

    id: int
    wanted: Mapping[str, Any]
    """A FaultCreate of the contract, with defaults filled in."""
    shown: Mapping[str, Any]
    """What the journal shows of it: one object, however many requests it fires for."""
    seed: str
    """Seed of its random draws."""
    snapshot: Snapshot | None = None
    """For a stale fault, the world as it was when the fault was created."""
    fired: int = 0
    drawn: int = 0
    """How many random numbers it has drawn."""

    @classmethod
    def of(cls, number: int, wanted: Mapping[str, Any], seed: str, snapshot: Snapshot | None = None) -> "Fault":
        """A new fault. `seed` distinguishes the server and the world; the number and its own seed are added."""
        shown = {"id": number, "kind": wanted["kind"]}
        return cls(number, wanted, shown, f"{seed} {number} {wanted['seed']}", snapshot)

    @property
    def kind(self) -> str:
        """The kind of fault."""
        kind: str = self.wanted["kind"]
        return kind

    @property
    def size(self) -> int:
        """About what it takes, in bytes."""
        return SIZE + (self.snapshot.size if self.snapshot else 0)

    @property
    def is_spent(self) -> bool:
        """Whether it has fired as often as it may."""
        return "times" in self.wanted and self.fired >= self.wanted["times"]

    def tried(self) -> "tuple[Fault, bool]":
        """The fault after a request that it concerns, and whether it is due for it. Its draws depend only on such
        requests, so they are the same whatever other faults there are."""
        if self.wanted["probability"] >= 1:
            return self, not self.is_spent
        after, number = self._draw()
        return after, number < self.wanted["probability"] and not self.is_spent

    def fire(self) -> "tuple[Fault, float]":
        """The fault after it has fired once more, and how long it makes the request wait, in seconds."""
        fired = replace(self, fired=self.fired + 1)
        seconds, longest = float(self.wanted["seconds"]), self.wanted["at_most"]
        match self.wanted["distribution"] if self.kind == "latency" else "fixed":
            case "uniform":
                fired, number = fired._draw()
                shortest = min(seconds, longest)
                return fired, shortest + (longest - shortest) * number
            case "exponential" if seconds:
                fired, number = fired._draw()
                return fired, min(longest, -math.log(1 - number) * seconds)
        return fired, seconds

    def _draw(self) -> "tuple[Fault, float]":
        return replace(self, drawn=self.drawn + 1), _source(self.seed).number(self.drawn)


class _Source:
    """Random numbers by their position. In order, each costs one draw."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._start()

    def _start(self) -> None:
        self._random, self._next = random.Random(self._seed), 0  # noqa: S311

    def number(self, position: int) -> float:
        """The number at a position, from 0 up to but not including 1."""
        if position < self._next:
            self._start()
        while self._next < position:
            self._random.random()
            self._next += 1
        self._next += 1
        return self._random.random()


_source = lru_cache(_SOURCES)(_Source)
