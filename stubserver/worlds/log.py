"""The log of a world's writes, which can undo them, and knows what they changed for those who have read it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from stubserver.worlds.table import Key, Row, Table

RECENT: Final = 256
"""How many of the names that were touched last a log keeps at least."""


class LogEntry(Protocol):
    """One write to a table, as a transaction logs it."""

    @property
    def grows(self) -> bool:
        """Whether the world may differ from its fixture in more rows than before."""

    def roll_back(self) -> None:
        """Restore what was there before the write."""

    def commit(self) -> None:
        """Make the write permanent, and drop what was only needed to undo it."""


@dataclass(slots=True)
class Change:
    """A row before and after a write; None if it did not exist then."""

    table: "Table"
    key: "Key"
    before: "Row | None"
    after: "Row | None"
    grows: bool
    """Whether the row had no change before, so that this adds one."""

    def roll_back(self) -> None:
        """Restore the row as it was before."""
        self.table.set(self.key, self.after, self.before)
        if self.grows:
            self.table.forget(self.key)

    def commit(self) -> None:
        """Leave no trace of a row that was both added and deleted."""
        self.table.settle(self.key)


@dataclass(slots=True)
class TakenId:
    """An id that was allocated."""

    table: "Table"
    number: int
    grows = False

    def roll_back(self) -> None:
        """Make the id the next one to be allocated."""
        self.table.own().next_id = self.number

    def commit(self) -> None:
        """Nothing to do: the id is never allocated again."""


class Log(list["LogEntry"]):
    """The writes of a world's current transaction.

    What is read or written has a name: a table's that of all its rows together, a table's with a key that of one row, a
    table's with a field and a value that of the keys which an index has there.
    """

    writes = 0
    """How many names have ever been touched; as long as it stays the same, so do all rows."""
    size = 0
    """Size of all changed rows, in bytes."""
    reads: set[Any] | None = None
    """The names that have been read, while somebody wants to know."""

    def __init__(self) -> None:
        super().__init__()
        self._touched: list[Any] = []

    def undo(self, start: int) -> None:
        """Undo the writes from a place in the log on, the last one first."""
        while len(self) > start:
            self.pop().roll_back()

    def touch(self, names: Sequence[Any]) -> None:
        """Note that what these names stand for has changed."""
        self.writes += len(names)
        self._touched += names
        if len(self._touched) > 2 * RECENT:
            del self._touched[:-RECENT]

    def touches(self, reads: set[Any], since: int) -> bool:
        """Whether anything among `reads` may have changed since the log had that number of `writes`."""
        count = self.writes - since
        return count > len(self._touched) or not reads.isdisjoint(self._touched[len(self._touched) - count :])
