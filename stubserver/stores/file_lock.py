"""Locks of files, by which the processes of one machine keep out of each other's way. A lock ends with its process."""

import os
from pathlib import Path

try:
    from fcntl import LOCK_EX, LOCK_NB, LOCK_SH, LOCK_UN, flock

    CAN_LOCK = True
    """Whether this system has such locks."""
except ImportError:  # there are none for Windows
    CAN_LOCK = False


class FileLock:
    """A file that is locked, opened when it is first needed. All methods raise OSError."""

    def __init__(self, path: str) -> None:
        self._path = Path(path).absolute()
        self._descriptor: int | None = None

    @property
    def descriptor(self) -> int:
        """The open file, which can be read and written."""
        if self._descriptor is None:
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        return self._descriptor

    def take(self, *, shared: bool = False) -> bool:
        """Lock it, alone or together with others. Returns whether that was possible at once."""
        try:
            flock(self.descriptor, (LOCK_SH if shared else LOCK_EX) | LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def release(self) -> None:
        """Let others lock it."""
        if self._descriptor is not None:
            flock(self._descriptor, LOCK_UN)

    def close(self) -> None:
        """Release it, and close the file; it is opened again when it is needed."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
