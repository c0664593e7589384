"""What concurrent clients did to shared worlds and what they saw, each operation with the time that it took.

Times are nanoseconds of one monotonic clock. An operation may have taken effect at any moment between its beginning and
its end. One that is `UNKNOWN` (a 503, or a connection that was lost) has no end: it may take effect later, or never.
"""

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

FOREVER = math.inf


class Act(Enum):
    """What an operation does to an object."""

    WRITE = "writes"
    """Gives a register a value, which no other operation gives it."""
    READ = "reads"
    """Sees the value of a register."""
    APPEND = "appends"
    """Adds a name at the end of a list; each name once."""
    LIST = "lists"
    """Sees a list: its ids and names, in order."""
    CLAIM = "claims"
    """Creates something under a name that only one can have; many may try."""
    FIND = "finds"
    """Sees all that was claimed: ids and names, in any order."""


class Outcome(Enum):
    """How an operation ended."""

    DONE = "done"
    REFUSED = "refused"
    """It had no effect."""
    UNKNOWN = "unknown"
    """It may have had an effect, or may still have one."""


Shown = tuple[tuple[int, str], ...]
"""Ids and names."""


class Operation(NamedTuple):
    """One operation on one object. A request may be several, such as one that reads two registers."""

    act: Act
    key: str
    """The object, by the name of its world and its own."""
    value: Hashable
    """What was written or read; the name that was added or claimed; what a list showed, as Shown."""
    began: float
    ended: float
    """FOREVER if the outcome is unknown."""
    outcome: Outcome = Outcome.DONE
    who: str = ""
    """Which client asked which process, for people."""
    number: int | None = None
    """The id that the server gave to what was added or claimed."""
    table: str = ""
    """Where no id belongs to two names; empty if there are no ids."""

    def __str__(self) -> str:
        end = f"{self.ended / 1e6:.3f}" if self.ended < FOREVER else "?"
        shown = f"{str(self.value)[:60]!r}" + (f" as {self.number}" if self.number is not None else "")
        how = "" if self.outcome is Outcome.DONE else f", {self.outcome.value}"
        return f"{self.who} {self.act.value} {shown} ({self.began / 1e6:.3f}-{end} ms{how})".strip()


@dataclass
class History:
    """All operations, in any order."""

    initial: Mapping[str, Hashable]
    """Register -> its value before the first operation. Lists are empty, and no name is claimed."""
    operations: Sequence[Operation]
    requests: Sequence[str] = ()
    """The ids that the server gave to the requests, of each that was answered."""
    strange: Sequence[str] = field(default_factory=list)
    """Answers that no client should get, a line for each."""
