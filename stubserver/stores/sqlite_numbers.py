"""The numbers of requests that processes have given, in a small file beside that of SQLite.

Giving one there costs a hundredth of a transaction, and keeps nobody waiting. After an end of the machine the numbers
may be missing, so whoever wants one says how many are known to be stored.
"""

import os
from collections.abc import Sequence
from typing import NamedTuple

from stubserver.stores.file_lock import FileLock

_SIZE = 8
_ORIGIN = 16
"""Bytes at the beginning that say to which file of SQLite the numbers belong."""
_MANY = 10_000
"""How many documents a process remembers to have taken numbers of."""


class Place(NamedTuple):
    """Where the last number of a document is."""

    slot: int
    """Differs for each document that the SQLite file ever had."""
    given: int
    """A number that is known to have been given."""


class SqliteNumbers:
    """The numbers of all documents."""

    def __init__(self, path: str) -> None:
        """`path` is that of the SQLite file."""
        self._lock = FileLock(f"{path}-numbers")
        self._origin = b""
        self._are_ours = False
        """Whether the numbers in the open file are known to be those of this origin."""
        self._left: dict[int, int] = {}
        """Slot -> the number that this process left there."""

    def belong_to(self, origin: bytes) -> None:
        """Whatever file of SQLite has the path now: `origin`, of 16 bytes, differs for each of them."""
        self.close()
        self._origin = origin

    def take(self, wanted: Sequence[tuple[Place, int]]) -> list[int] | None:
        """The last numbers of documents, after which so many are given; None if others are just doing the same. Raises
        OSError."""
        if not self._lock.take():
            return None
        try:
            if not self._are_ours:
                self._forget_others()
            return [self._taken(place, count) for place, count in wanted]
        finally:
            self._lock.release()

    def _forget_others(self) -> None:
        """Forget the numbers of another file of SQLite that had the path before."""
        file = self._lock.descriptor
        if os.pread(file, _ORIGIN, 0) != self._origin:
            os.truncate(file, 0)
            os.pwrite(file, self._origin, 0)
        self._are_ours = True

    def _taken(self, place: Place, count: int) -> int:
        last = self.last(place)
        if count:
            self._leave(place, last + count)
        return last

    def _leave(self, place: Place, last: int) -> None:
        os.pwrite(self._lock.descriptor, last.to_bytes(_SIZE), _ORIGIN + _SIZE * place.slot)
        if len(self._left) >= _MANY:
            self._left.clear()
        self._left[place.slot] = last

    def give_back(self, given: Sequence[Place]) -> None:
        """Have the numbers taken again that this process has taken after these, which it has given, unless others have
        taken more since, or are just doing so. Raises OSError."""
        if not self._lock.take():
            return
        try:
            for place in given:
                if place.given < self.last(place) == self._left.get(place.slot):
                    self._leave(place, place.given)
        finally:
            self._lock.release()

    def last(self, place: Place) -> int:
        """The last number that may have been given. Raises OSError."""
        found = os.pread(self._lock.descriptor, _SIZE, _ORIGIN + _SIZE * place.slot)
        return max(place.given, int.from_bytes(found))

    def close(self) -> None:
        """Close the file; it is opened again when it is needed. Raises OSError."""
        self._lock.close()
        self._are_ours = False
        self._left.clear()
