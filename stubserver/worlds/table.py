"""Copy-on-write tables: a world shares its fixture's rows and holds only what it has changed."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stubserver.worlds.base import Changes, Field, FixtureTable, Key, Row
from stubserver.worlds.log import Log

_ABSENT = object()
DROPPED: Any = object()
"""Stands for the note on a row that is as in the base."""


@dataclass(slots=True)
class Change:
    """A row before and after a write; None if it did not exist then."""

    table: "Table"
    key: Key
    before: Row | None
    after: Row | None
    grows: bool
    """Whether the row had no change before, so that this adds one."""

    def roll_back(self) -> None:
        """Restore the row as it was before."""
        self.table.set(self.key, self.after, self.before)
        if self.grows:
            self.table.forget(self.key)

    def commit(self) -> None:
        """Leave no trace of a row that was both added and deleted."""
        self.table.settle(self.key)


@dataclass(slots=True)
class TakenId:
    """An id that was allocated."""

    table: "Table"
    number: int
    grows = False

    def roll_back(self) -> None:
        """Make the id the next one to be allocated."""
        self.table.own().next_id = self.number

    def commit(self) -> None:
        """Nothing to do: the id is never allocated again."""


class Table:
    """A world's view of one table: the base rows, overlaid by its own changes, in order of creation."""

    __slots__ = ("_changes", "_log", "_shared", "base", "name")

    def __init__(self, name: str, base: FixtureTable, log: Log, changes: Changes | None = None) -> None:
        """Every write is appended to `log`. `changes` are what the table starts with, if it comes from a snapshot."""
        self.name, self.base, self._log = name, base, log
        self._changes = changes or base.unchanged
        self._shared = True

    @classmethod
    def of(cls, name: str, base: FixtureTable) -> "Table":
        """A table outside any world."""
        return cls(name, base, Log())

    def snapshot(self) -> Changes:
        """The current changes. This costs nothing now; they are copied before the next write to this table."""
        self._shared = True
        return self._changes

    def own(self) -> Changes:
        """The changes, for writing; copied first if they are shared."""
        if self._shared:
            self._changes = self._changes.copy(self.base)
            self._shared = False
        return self._changes

    @property
    def differences(self) -> Mapping[Key, Row | None]:
        """Key -> the row, for all rows that differ from the base; None if it was deleted. Not to be changed."""
        return self._changes.rows

    def get(self, key: Key) -> Row | None:
        """The row that has this key, or None."""
        if self._log.reads is not None:
            self._log.reads.add((self.name, key))
        rows = self._changes.rows
        return rows[key] if key in rows else self.base.rows.get(key)

    def __getitem__(self, key: Key) -> Row:
        if (row := self.get(key)) is None:
            raise KeyError(key)
        return row

    def __contains__(self, key: Key) -> bool:
        return self.get(key) is not None

    def __iter__(self) -> Iterator[Row]:
        if self._log.reads is not None:
            self._log.reads.add(self.name)
        changed = self._changes.rows
        for key, row in self.base.rows.items():
            if (current := changed.get(key, row)) is not None:
                yield current
        for key, added in changed.items():
            if added is not None and key not in self.base.rows:
                yield added

    def __len__(self) -> int:
        if self._log.reads is not None:
            self._log.reads.add(self.name)
        return len(self.base.rows) + self._changes.added

    def note_read(self, field: str) -> None:
        """Say that a field is read which is kept apart (`FixtureTable.apart`)."""
        if self._log.reads is not None:
            self._log.reads.add((self.name, field))

    def keys(self, field: Field, value: Any) -> Sequence[Key]:
        """The keys of the rows whose indexed `field` is `value`, in order; the same object until they change."""
        if self._log.reads is not None:
            self._log.reads.add((self.name, field, value))
        keys = self._changes.index[field].get(value)
        return self.base.index[field].get(value, ()) if keys is None else keys

    def where(self, field: Field, value: Any) -> list[Row]:
        """The rows whose indexed `field` is `value`, in order of their keys."""
        return [self[key] for key in self.keys(field, value)]

    def next_id(self) -> int:
        """Allocate an id that this world has never used in this table."""
        changes = self.own()
        taken = changes.next_id
        changes.next_id += 1
        self._log.append(TakenId(self, taken))
        return taken

    def put(self, row: Row) -> Row:
        """Add `row`, or replace the row that has the same key. Returns `row`."""
        self._change(self.base.key_of(row), row)
        return row

    def delete(self, key: Key) -> None:
        """Delete a row, if it exists."""
        if key in self:
            self._change(key, None)

    def _change(self, key: Key, row: Row | None) -> None:
        change = Change(self, key, self.get(key), row, grows=key not in self._changes.rows)
        self.set(key, change.before, row)
        self._log.append(change)

    def set(self, key: Key, before: Row | None, after: Row | None) -> None:
        """Replace `before` by `after`, without logging it."""
        changes = self.own()
        self._log.size += changes.set(key, after)
        changes.added += (after is not None) - (before is not None)
        touched = self._touched(key, before, after)
        for field, read in self.base.readers.items():
            old = _ABSENT if before is None else read(before)
            new = _ABSENT if after is None else read(after)
            if old != new:
                self._reindex(field, key, old, new)
                touched += [(self.name, field, old), (self.name, field, new)]
        self._log.touch(touched)

    def _touched(self, key: Key, before: Row | None, after: Row | None) -> list[Any]:
        """The names of what differs in a row, besides those in indexes."""
        name, apart = self.name, self.base.apart
        if not apart:
            return [name, (name, key)]
        if before is None or after is None:
            return [name, (name, key), *((name, field) for field in apart)]
        different = {field for field in {**before, **after} if before.get(field) != after.get(field)}
        rest = [(name, key)] if different.difference(apart) else []
        return [name, *rest, *((name, field) for field in different.intersection(apart))]

    def fill(self, rows: Mapping[Key, Row | None]) -> None:
        """Set many rows at once, in a table that nobody has read yet, without logging it. Takes time in proportion to
        the rows: one `set` after another would replace the same lists of keys again and again."""
        changes = self.own()
        gone: dict[tuple[Field, Any], set[Key]] = {}
        come: dict[tuple[Field, Any], set[Key]] = {}
        for key, after in rows.items():
            before = self.get(key)
            self._log.size += changes.set(key, after)
            changes.added += (after is not None) - (before is not None)
            for field, read in self.base.readers.items():
                if before is not None:
                    gone.setdefault((field, read(before)), set()).add(key)
                if after is not None:
                    come.setdefault((field, read(after)), set()).add(key)
        for field, value in {**gone, **come}:
            went, came = gone.get((field, value), set()), come.get((field, value), set())
            if went == came:
                continue
            left = {*self.keys(field, value)} - went | came
            if left or value in self.base.index[field]:
                changes.index[field][value] = sorted(left)
            else:
                changes.index[field].pop(value, None)

    def _reindex(self, field: Field, key: Key, old: Any, new: Any) -> None:
        values = self._changes.index[field]
        if old is not _ABSENT:
            keys = self.keys(field, old)
            at = bisect_left(keys, key)
            values[old] = [*keys[:at], *keys[at + 1 :]]
            if not values[old] and old not in self.base.index[field]:
                del values[old]
        if new is not _ABSENT:
            keys = self.keys(field, new)
            at = bisect_left(keys, key)
            values[new] = [*keys[:at], key, *keys[at:]]

    def forget(self, key: Key) -> None:
        """Drop the change of a row that equals the base row again."""
        self._log.size += self._changes.drop(key)

    def note(self, key: Key) -> Row | None:
        """What the row is instead of that of the base: None if it was deleted, DROPPED if it is as in the base."""
        return self._changes.rows.get(key, DROPPED)

    def replay(self, key: Key, row: Row | None) -> None:
        """Note what another process has made of a row, without logging it."""
        before = self.get(key)
        self.set(key, before, self.base.rows.get(key) if row is DROPPED else row)
        if row is DROPPED:
            self.forget(key)

    def settle(self, key: Key) -> None:
        """Drop the deletion of a row that the base never had."""
        if key not in self.base.rows and key in self._changes.rows and self._changes.rows[key] is None:
            self._log.size += self.own().drop(key)
