"""Whether this process is ahead of a file of SQLite, and whether one that was has been killed.

A process that answers requests whose entries are not committed has the lock of the file all the time. Before, it writes
the number of its commit to come into a note beside the file; the commit takes the same number. So whoever has the lock
and finds a higher number in the note than in the file knows that this commit will never come.
"""

import time
from io import FileIO
from pathlib import Path

from stubserver.stores.sqlite_file import SqliteFile
from stubserver.stores.store import MOST_HELD

_SIZE = 8
_LONG = 0.01
"""Seconds for which others may be kept from the file without being given a chance afterwards."""


class Ahead:
    """What one process knows of that."""

    def __init__(self, file: SqliteFile, path: str) -> None:
        """`path` is that of the SQLite file, which has a table `ahead` with one number."""
        self._file = file
        self._path = Path(f"{path}-ahead").absolute()
        self._note: FileIO | None = None
        self._number = 0
        self._since = 0.0
        """When it began to be ahead, by the monotonic clock."""
        self.is_ahead = False
        """Whether this process is ahead of the file."""

    def begin(self) -> bool:
        """A transaction has begun. Returns False if it has been used up: a process was killed, so all numbers are
        skipped that it may have given."""
        self.is_ahead = False
        if self._file.is_changed:
            ((self._number,),) = self._file.all("SELECT number FROM ahead")
        if (noted := self._read()) <= self._number:
            return True
        self._file.all("UPDATE documents SET asked = asked + ?", MOST_HELD)
        self._file.all("UPDATE ahead SET number = ?", noted)
        self._file.commit()
        self._number = noted
        return False

    def go(self) -> bool:
        """Be ahead until the transaction ends. Returns whether that is possible."""
        if not self.is_ahead and self._file.is_locked:
            self.is_ahead, self._since = self._write(self._number + 1), time.monotonic()
        return self.is_ahead

    def commit(self) -> None:
        """Commit the transaction, after which this process is no longer ahead."""
        if not self.is_ahead:
            self._file.commit()
            return
        self._file.all("UPDATE ahead SET number = ?", self._number + 1)
        self._file.commit()
        self._number += 1
        self.is_ahead = False
        if time.monotonic() > self._since + _LONG:
            self._file.give_way()

    def close(self) -> None:
        """Close the note; it is opened again when it is needed."""
        if self._note is not None:
            self._note.close()
            self._note = None

    # The note: without it, no process is ever ahead

    def _opened(self) -> FileIO:
        if self._note is None:
            self._path.touch()
            self._note = FileIO(self._path, "r+")
        self._note.seek(0)
        return self._note

    def _read(self) -> int:
        try:
            return int.from_bytes(self._opened().read(_SIZE) or b"")
        except OSError:
            return 0

    def _write(self, number: int) -> bool:
        try:
            return self._opened().write(number.to_bytes(_SIZE)) == _SIZE
        except OSError:
            return False
