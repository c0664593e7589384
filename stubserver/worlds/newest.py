"""Pages of rows that stand in several lists, newest or oldest first, without looking up any other row."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence

from stubserver.worlds.base import Row
from stubserver.worlds.table import Table


class Newest:
    """The rows under several sorted lists of integer keys, highest key first. No key is in two of the lists. Only the
    rows of a requested slice are looked up."""

    def __init__(self, table: Table, lists: Iterable[Sequence[int]]) -> None:
        self._table = table
        self._lists = [keys for keys in lists if keys]

    def __len__(self) -> int:
        return sum(map(len, self._lists))

    def __getitem__(self, part: slice) -> list[Row]:
        """The rows in a slice, whose step is ignored."""
        first, end, _ = part.indices(len(self))
        most, limit = max(0, end - first), self._limit(first)
        ends = ((keys, bisect_left(keys, limit)) for keys in self._lists)
        found = sorted((key for keys, at in ends for key in keys[max(0, at - most) : at]), reverse=True)
        return [self._table[key] for key in found[:most]]

    def oldest_first(self) -> "Oldest":
        """The same rows, lowest key first."""
        return Oldest(self)

    def _limit(self, count: int) -> int:
        """The smallest number for which at most `count` keys are equal or greater."""
        low, high = 0, 1 + max((keys[-1] for keys in self._lists), default=0)
        while count and low < high:
            middle = (low + high) // 2
            if sum(len(keys) - bisect_left(keys, middle) for keys in self._lists) <= count:
                high = middle
            else:
                low = middle + 1
        return high


class Oldest:
    """Rows in the opposite order, of which only those of a requested slice are looked up, too."""

    def __init__(self, rows: Newest) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, part: slice) -> list[Row]:
        """The rows in a slice, whose step is ignored."""
        count = len(self)
        first, end, _ = part.indices(count)
        return self._rows[count - max(first, end) : count - first][::-1]
