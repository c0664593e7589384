"""What worlds share, and what one of them has changed: the immutable rows of a fixture's tables, and changes over them.

Rows are plain dicts that are never mutated; a change replaces the whole row.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from stubserver.worlds.size import size_of

Row = Mapping[str, Any]
Key = Any
"""An id, or a tuple of ids if it takes more than one to identify a row."""
Field = str | tuple[str, ...]
"""What an index is on: one field, or several together."""


class FixtureRow(dict[str, Any]):
    """A row of a fixture. It never changes, so what is derived from it can be cached in it, in `cache`."""

    __slots__ = ("cache",)
    cache: dict[Any, tuple[Any, dict[str, Any]]]


class FixtureTable:
    """The immutable rows of one table, with an index for each field in `indexed`."""

    def __init__(
        self, key: tuple[str, ...], indexed: tuple[Field, ...], rows: Iterable[Row] = (), apart: tuple[str, ...] = ()
    ) -> None:
        """`key` names the fields that identify a row. Those `apart` change often, and hardly any answer shows them: who
        reads one says so, and a write that changes nothing else leaves all other answers valid."""
        self.key_of = reader(key)
        self.apart = apart
        self.readers = {field: reader(field) for field in indexed}
        made = (row if type(row) is FixtureRow else FixtureRow(row) for row in rows)
        self.rows: Mapping[Key, FixtureRow] = {self.key_of(row): row for row in made}
        index: dict[Field, dict[Any, list[Key]]] = {field: {} for field in indexed}
        for name in sorted(self.rows):
            for field, read in self.readers.items():
                index[field].setdefault(read(self.rows[name]), []).append(name)
        self.index: Mapping[Field, Mapping[Any, Sequence[Key]]] = index
        self.next_id = 1 + max((row["id"] for row in self.rows.values() if "id" in row), default=0)
        self.unchanged = Changes(self)
        """The changes that every world starts with: none."""


def reader(field: Field) -> Callable[[Row], Any]:
    """A function that reads the value of `field` from a row: a tuple if there are several fields."""
    return itemgetter(field) if isinstance(field, str) else itemgetter(*field)


class Changes:
    """What differs from the base in one world's table. Snapshots share it, so it is copied before the next write."""

    __slots__ = ("added", "index", "next_id", "rows", "size", "sizes")

    def __init__(self, base: FixtureTable) -> None:
        self.rows: dict[Key, Row | None] = {}
        """Key -> the row in this world; None if it was deleted."""
        self.index: dict[Field, dict[Any, Sequence[Key]]] = {field: {} for field in base.index}
        """Field -> value -> the keys of its rows, in order, where they are not the base's. Only ever replaced."""
        self.added, self.next_id = 0, base.next_id
        self.sizes: dict[Key, int] = {}
        """Key -> the size of the row, in bytes, kept because counting is slow; `size` is their sum."""
        self.size = 0

    def copy(self, base: FixtureTable) -> "Changes":
        """A copy that can be written to."""
        copied = Changes(base)
        copied.rows, copied.sizes = dict(self.rows), dict(self.sizes)
        copied.index = {field: dict(values) for field, values in self.index.items()}
        copied.added, copied.next_id, copied.size = self.added, self.next_id, self.size
        return copied

    def set(self, key: Key, row: Row | None) -> int:
        """Note what a row is now; None if it was deleted. Returns how much the size has grown."""
        grown = (size := size_of(row)) - self.sizes.get(key, 0)
        self.rows[key], self.sizes[key] = row, size
        self.size += grown
        return grown

    def drop(self, key: Key) -> int:
        """Forget the note on a row, which is as in the base again. Returns how much the size has grown."""
        del self.rows[key]
        size = self.sizes.pop(key)
        self.size -= size
        return -size
