"""The log of a world's writes, which can undo them, and knows what they changed for those who have read it."""

from collections.abc import Sequence
from typing import Any, Final, Protocol

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
