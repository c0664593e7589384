"""Which processes hold entries that are not in a file of SQLite yet: those that share the lock of a file beside it.

Whoever wants to know all entries locks that file alone for a moment. So that the others do not pass it from one to the
next meanwhile, it first locks another file, which they need for a moment before they begin to hold anything.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress

from stubserver.stores.file_lock import CAN_LOCK, FileLock

Wait = Callable[[Callable[[], bool]], Awaitable[bool]]
"""Waits until something is true."""


class SqliteHolding:
    """Whether this process holds entries, and whether others do."""

    def __init__(self, path: str) -> None:
        """`path` is that of the SQLite file."""
        self._held, self._wanted = FileLock(f"{path}-held"), FileLock(f"{path}-wanted")
        self.has_begun = False
        """Whether this process may hold entries."""

    def begin(self) -> bool:
        """Say that this process holds entries from now on. Returns whether it may."""
        if CAN_LOCK and not self.has_begun:
            with suppress(OSError):
                if self._wanted.take(shared=True):
                    self.has_begun = self._held.take(shared=True)
                    self._wanted.release()
        return self.has_begun

    def end(self) -> None:
        """Say that this process holds nothing any more."""
        if self.has_begun:
            self._held.release()
            self.has_begun = False

    async def gather(self, wait: Wait) -> None:
        """Wait until all is stored that processes hold now; this one holds nothing."""
        if not CAN_LOCK:
            return
        await wait(self._wanted.take)
        try:
            await wait(self._held.take)
            self._held.release()
        finally:
            self._wanted.release()

    def close(self) -> None:
        """Close the files; they are opened again when they are needed."""
        self._held.close()
        self._wanted.close()
        self.has_begun = False
