"""The journals in a file of SQLite: what is deleted of them, because there is too much. All of it is done within a
transaction."""

from collections.abc import Sequence
from itertools import accumulate

from stubserver.stores.sqlite_file import SqliteFile

_SPARE, _AT_ONCE = 256, 64
"""How many entries a journal may have too many before some are deleted, and how many batches then go at once."""


class SqliteJournals:
    """The journals of all documents."""

    def __init__(self, file: SqliteFile, max_requests: int) -> None:
        """A journal keeps `max_requests` entries."""
        self._file = file
        self._max_requests = max_requests

    def kept(self, name: str) -> int:
        """How many entries a journal has, without those that are too many."""
        rows = self._file.all("SELECT min(entries, ?) FROM documents WHERE name = ?", self._max_requests, name)
        return sum(count for (count,) in rows)

    def shorten(self, name: str, spare: int) -> None:
        """Delete the oldest entries of a journal, of which `spare` are too many, if these are many."""
        if spare <= _SPARE:
            return
        oldest = self._oldest(name)
        counts = accumulate(count for _, count, _ in oldest)
        self._forget(name, [batch for batch, count in zip(oldest, counts, strict=True) if count <= spare])

    def trim(self, name: str, size: int) -> int:
        """Delete the oldest entries of a journal, of so many bytes or a little more. Returns how many are lost."""
        before = self.kept(name)
        while size > 0 and (oldest := self._oldest(name)):
            sizes = [0, *accumulate(length for _, _, length in oldest)]
            self._forget(name, [batch for batch, gone in zip(oldest, sizes, strict=False) if gone < size])
            size -= sizes[-1]
        return before - self.kept(name)

    def _oldest(self, name: str) -> Sequence[tuple[int, int, int]]:
        """The oldest batches of entries of a journal: number, count, size."""
        oldest = "SELECT number, count, size FROM journal WHERE name = ? ORDER BY number LIMIT ?"
        return self._file.all(oldest, name, _AT_ONCE)

    def _forget(self, name: str, batches: Sequence[tuple[int, int, int]]) -> None:
        """Delete the oldest batches of entries of a journal."""
        if not batches:
            return
        numbers, counts, sizes = zip(*batches, strict=True)
        self._file.all("DELETE FROM journal WHERE name = ? AND number <= ?", name, numbers[-1])
        shrunk = "UPDATE documents SET journal = journal - ?, entries = entries - ? WHERE name = ?"
        self._file.all(shrunk, sum(sizes), sum(counts), name)
