"""Tables of rows, copy on write: a world shares its fixture's rows and holds only what it changed.

Rows are plain dicts that nobody mutates; a change puts a new row in the old one's place.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

Row = Mapping[str, Any]
Key = Any
"""An id, or a tuple of ids where a row is named by more than one."""


class Base:
    """The immutable rows of one table, with an index for each field in `indexed`."""

    def __init__(self, key: tuple[str, ...], indexed: tuple[str, ...], rows: Iterable[Row] = ()) -> None:
        """`key` names the fields that identify a row."""
        self.key = key
        self.rows = {key_of(key, row): row for row in rows}
        self.index: dict[str, dict[Any, dict[Key, None]]] = {field: {} for field in indexed}
        for name, row in self.rows.items():
            for field, values in self.index.items():
                values.setdefault(row[field], {})[name] = None
        self.next_id = 1 + max((row["id"] for row in self.rows.values() if "id" in row), default=0)


def key_of(fields: tuple[str, ...], row: Row) -> Key:
    """What identifies `row`: the value of its key field, or the tuple of them."""
    return row[fields[0]] if len(fields) == 1 else tuple(row[field] for field in fields)


class Table:
    """A world's view of one table: the base rows under its own changes, in order of creation."""

    def __init__(self, base: Base, undo: list[Callable[[], None]]) -> None:
        """Every change appends to `undo` what takes it back."""
        self._base = base
        self._undo = undo
        self._changes: dict[Key, Row | None] = {}
        """Key -> the row as this world has it; None where it was deleted."""
        self._index: dict[str, dict[Any, dict[Key, None]]] = {field: {} for field in base.index}
        self._added = 0
        self._next_id = base.next_id

    def get(self, key: Key) -> Row | None:
        """The row, or None."""
        if key in self._changes:
            return self._changes[key]
        return self._base.rows.get(key)

    def __getitem__(self, key: Key) -> Row:
        row = self.get(key)
        if row is None:
            raise KeyError(key)
        return row

    def __contains__(self, key: Key) -> bool:
        return self.get(key) is not None

    def __iter__(self) -> Iterator[Row]:
        changes = self._changes
        for key, row in self._base.rows.items():
            current = changes.get(key, row)
            if current is not None:
                yield current
        for key, added in changes.items():
            if added is not None and key not in self._base.rows:
                yield added

    def __len__(self) -> int:
        return len(self._base.rows) + self._added

    def where(self, field: str, value: Any) -> list[Row]:
        """The rows whose indexed `field` is `value`, in order of their keys."""
        keys = [key for key in self._base.index[field].get(value, ()) if key not in self._changes]
        keys += self._index[field].get(value, ())
        return [self[key] for key in sorted(keys)]

    def next_id(self) -> int:
        """An id that this world has never used for this table."""
        taken = self._next_id
        self._next_id += 1
        self._undo.append(lambda: setattr(self, "_next_id", taken))
        return taken

    def put(self, row: Row) -> Row:
        """Add `row`, or let it take the place of the row with its key."""
        self._change(key_of(self._base.key, row), row)
        return row

    def delete(self, key: Key) -> None:
        """Remove a row, if it is there."""
        if key in self:
            self._change(key, None)

    def _change(self, key: Key, row: Row | None) -> None:
        known, before = key in self._changes, self.get(key)
        self._set(key, before, row)

        def take_back() -> None:
            self._set(key, row, before)
            if not known:
                self._unindex(key, before)
                del self._changes[key]

        self._undo.append(take_back)

    def _set(self, key: Key, before: Row | None, after: Row | None) -> None:
        self._unindex(key, before)
        self._changes[key] = after
        self._added += (after is not None) - (before is not None)
        if after is not None:
            for field, values in self._index.items():
                values.setdefault(after[field], {})[key] = None

    def _unindex(self, key: Key, row: Row | None) -> None:
        if row is not None:
            for field, values in self._index.items():
                values.get(row[field], {}).pop(key, None)
