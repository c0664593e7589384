"""Tables of rows, copy on write: a world shares its fixture's rows and holds only what it changed.

Rows are plain dicts that nobody mutates; a change puts a new row in the old one's place.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

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
        self.unchanged = Changes(self)
        """What every world starts with."""


def key_of(fields: tuple[str, ...], row: Row) -> Key:
    """What identifies `row`: the value of its key field, or the tuple of them."""
    return row[fields[0]] if len(fields) == 1 else tuple(row[field] for field in fields)


class Changes:
    """What differs from the base in one world's table. Shared with snapshots, so it is copied before it is written."""

    __slots__ = ("added", "index", "next_id", "rows")

    def __init__(self, base: Base) -> None:
        self.rows: dict[Key, Row | None] = {}
        """Key -> the row as this world has it; None where it was deleted."""
        self.index: dict[str, dict[Any, dict[Key, None]]] = {field: {} for field in base.index}
        self.added = 0
        self.next_id = base.next_id

    def copy(self, base: Base) -> "Changes":
        """The same, to be written."""
        copied = Changes(base)
        copied.rows = dict(self.rows)
        copied.index = {
            field: {value: dict(keys) for value, keys in values.items()} for field, values in self.index.items()
        }
        copied.added, copied.next_id = self.added, self.next_id
        return copied


class Undoable(Protocol):
    """Something that a request did to a table."""

    @property
    def grows(self) -> bool:
        """Whether the world may differ in more rows from its fixture than before."""

    def undo(self) -> None:
        """Take it back."""

    def settle(self) -> None:
        """It stays; whatever was only needed to take it back may go."""


class Log(list["Undoable"]):
    """What the current request did to the tables of a world, and how much was ever done to them."""

    writes = 0

    def append(self, entry: "Undoable") -> None:
        """Note one thing more."""
        super().append(entry)
        self.writes += 1


@dataclass(frozen=True, slots=True)
class Change:
    """A row before and after; None where there was none, or is none any more."""

    table: "Table"
    key: Key
    before: Row | None
    after: Row | None
    grows: bool
    """Whether the row was still the base's."""

    def undo(self) -> None:
        """Put the row back."""
        self.table.set(self.key, self.after, self.before)
        if self.grows:
            self.table.forget(self.key, self.before)

    def settle(self) -> None:
        """A row that came and went leaves nothing behind."""
        self.table.settle(self.key)


@dataclass(frozen=True, slots=True)
class TakenId:
    """An id that was given out."""

    table: "Table"
    number: int
    grows = False

    def undo(self) -> None:
        """Give it back."""
        self.table.own().next_id = self.number

    def settle(self) -> None:
        """It is never given out again."""


class Table:
    """A world's view of one table: the base rows under its own changes, in order of creation."""

    __slots__ = ("_changes", "_log", "_shared", "base", "name")

    def __init__(self, name: str, base: Base, log: Log, changes: Changes | None = None) -> None:
        """Whatever is done is appended to `log`. `changes` are those of a snapshot."""
        self.name = name
        self.base = base
        self._log = log
        self._changes = changes or base.unchanged
        self._shared = True

    def snapshot(self) -> Changes:
        """The changes as they are now, at no cost; they are copied when this table is next written."""
        self._shared = True
        return self._changes

    def own(self) -> Changes:
        """The changes, to be written."""
        if self._shared:
            self._changes = self._changes.copy(self.base)
            self._shared = False
        return self._changes

    @property
    def changed(self) -> int:
        """How many rows differ from the base."""
        return len(self._changes.rows)

    def get(self, key: Key) -> Row | None:
        """The row, or None."""
        rows = self._changes.rows
        return rows[key] if key in rows else self.base.rows.get(key)

    def __getitem__(self, key: Key) -> Row:
        changed = self._changes.rows
        row = changed[key] if key in changed else self.base.rows[key]
        if row is None:
            raise KeyError(key)
        return row

    def __contains__(self, key: Key) -> bool:
        return self.get(key) is not None

    def __iter__(self) -> Iterator[Row]:
        changed = self._changes.rows
        for key, row in self.base.rows.items():
            current = changed.get(key, row)
            if current is not None:
                yield current
        for key, added in changed.items():
            if added is not None and key not in self.base.rows:
                yield added

    def __len__(self) -> int:
        return len(self.base.rows) + self._changes.added

    def where(self, field: str, value: Any) -> list[Row]:
        """The rows whose indexed `field` is `value`, in order of their keys."""
        changes = self._changes
        keys = [key for key in self.base.index[field].get(value, ()) if key not in changes.rows]
        keys += changes.index[field].get(value, ())
        return [self[key] for key in sorted(keys)]

    def next_id(self) -> int:
        """An id that this world has never used for this table."""
        changes = self.own()
        taken = changes.next_id
        changes.next_id += 1
        self._log.append(TakenId(self, taken))
        return taken

    def put(self, row: Row) -> Row:
        """Add `row`, or let it take the place of the row with its key."""
        self._change(key_of(self.base.key, row), row)
        return row

    def delete(self, key: Key) -> None:
        """Remove a row, if it is there."""
        if key in self:
            self._change(key, None)

    def _change(self, key: Key, row: Row | None) -> None:
        change = Change(self, key, self.get(key), row, grows=key not in self._changes.rows)
        self.set(key, change.before, row)
        self._log.append(change)

    def set(self, key: Key, before: Row | None, after: Row | None) -> None:
        """Let `after` take the place of `before`, unlogged."""
        changes = self.own()
        self._unindex(key, before)
        changes.rows[key] = after
        changes.added += (after is not None) - (before is not None)
        if after is not None:
            for field, values in changes.index.items():
                values.setdefault(after[field], {})[key] = None

    def forget(self, key: Key, row: Row | None) -> None:
        """Leave the row `key`, which is `row` again, to the base."""
        self._unindex(key, row)
        del self._changes.rows[key]

    def settle(self, key: Key) -> None:
        """Forget that a row is gone which the base never had."""
        if key not in self.base.rows and key in self._changes.rows and self._changes.rows[key] is None:
            del self.own().rows[key]

    def _unindex(self, key: Key, row: Row | None) -> None:
        if row is not None:
            for field, values in self._changes.index.items():
                values.get(row[field], {}).pop(key, None)
