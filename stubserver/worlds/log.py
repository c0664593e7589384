"""The log of a world's writes, which can undo them."""

from typing import Protocol


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
    """The writes of a world's current transaction; `writes` counts those of all, `size` is that of all changed rows."""

    writes = 0
    size = 0

    def undo(self, start: int) -> None:
        """Undo the writes from a place in the log on, the last one first."""
        while len(self) > start:
            self.pop().roll_back()

    def append(self, entry: "LogEntry") -> None:
        """Add a write and count it."""
        super().append(entry)
        self.writes += 1
