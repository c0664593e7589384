"""Snapshots as files: JSON that names the fixture and holds the clock, the id counters and the changed rows."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Protocol

import orjson

from stubserver import __version__
from stubserver.errors import invalid
from stubserver.worlds.clock import EARLIEST, LATEST, Clock
from stubserver.worlds.table import Changes, FixtureTable, Key, Log, Row, Table
from stubserver.worlds.world import Fixture, Snapshot

_EXACT_BELOW = 2**53
"""Integers below this are exact in JavaScript."""
_MICROSECOND = timedelta(microseconds=1)
_NOT_WRITTEN = {"uploads"}
"""Tables whose rows are not written: an unfinished upload holds a partial checksum, which cannot be serialized."""


def written(snapshot: Snapshot) -> dict[str, Any]:
    """The snapshot as a SnapshotFile (see the control plane's contract)."""
    clock = snapshot.clock
    content = {
        "stubserver": __version__,
        "fixture": snapshot.fixture.name,
        "digest": snapshot.fixture.digest,
        "moment": snapshot.fixture.moment.isoformat(),
        "clock": {"frozen": clock.now().isoformat()} if clock.frozen else {"ahead": clock.ahead // _MICROSECOND},
        "tables": {
            name: _table(changes, {} if name in _NOT_WRITTEN else changes.rows)
            for name, changes in snapshot.changes.items()
            if changes.rows or changes.next_id != snapshot.fixture.tables[name].next_id
        },
    }
    plain: dict[str, Any] = orjson.loads(orjson.dumps(content))
    return {**plain, "checksum": _checksum(plain)}


def _table(changes: Changes, rows: Mapping[Key, Row | None]) -> dict[str, Any]:
    return {
        "next_id": changes.next_id,
        "rows": [
            {
                "key": key,
                "row": row,
                "times": [name for name, value in (row or {}).items() if isinstance(value, datetime)],
            }
            for key, row in rows.items()
        ],
    }


def _checksum(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(orjson.dumps(_numbers(content), option=orjson.OPT_SORT_KEYS)).hexdigest()


def _numbers(value: Any) -> Any:
    """The value with floats such as 3.0 as integers, since JavaScript writes 3 and must not change the checksum."""
    if isinstance(value, dict):
        return {name: _numbers(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_numbers(part) for part in value]
    return int(value) if isinstance(value, float) and abs(value) < _EXACT_BELOW and value.is_integer() else value


Load = Callable[[str, datetime], Fixture]
"""Loads a fixture by its name, as of a given time."""


class RowCheck(Protocol):
    """What finds out whether rows that a file brings could be those of a world."""

    def entries(self, table: str, content: Mapping[str, Any], base: FixtureTable) -> None:
        """Check each entry of a table by itself. Raises a 400 refusal."""

    def tables(self, tables: Mapping[str, Table]) -> None:
        """Check the tables of the world together. Raises a 400 refusal."""


def read(data: Mapping[str, Any], load: Load, check: RowCheck | None = None) -> Snapshot:
    """The snapshot in a SnapshotFile, in the three steps below. Raises a 400 refusal that says what is wrong."""
    verify(data)
    return filled(data, fixture_of(data, load), check)


def verify(data: Mapping[str, Any]) -> None:
    """Raises a 400 refusal unless a SnapshotFile is as it was written, by this version."""
    content = {name: value for name, value in data.items() if name != "checksum"}
    if data["checksum"] != _checksum(content):
        raise invalid("checksum", "invalid", "The snapshot is damaged or has been edited.")
    if data["stubserver"] != __version__:
        message = f"The snapshot is from version {data['stubserver']}, but this is {__version__}; take a new one."
        raise invalid("stubserver", "invalid", message)


@contextmanager
def _as_refusals() -> Iterator[None]:
    """What goes wrong with a file that no server wrote becomes a 400 refusal."""
    try:
        yield
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError):
        raise invalid("non_field_errors", "invalid", "This is not a snapshot that a server wrote.") from None


@_as_refusals()
def fixture_of(data: Mapping[str, Any], load: Load) -> Fixture:
    """The fixture of a SnapshotFile, which `load` loads. Raises a 400 refusal."""
    fixture = load(data["fixture"], _moment(data["moment"]))
    if fixture.digest != data["digest"]:
        message = f'Fixture "{data["fixture"]}" has changed since this snapshot; take a new one.'
        raise invalid("digest", "invalid", message)
    return fixture


@_as_refusals()
def filled(data: Mapping[str, Any], fixture: Fixture, check: RowCheck | None = None) -> Snapshot:
    """The snapshot in a SnapshotFile over its fixture. Whoever edits a file can make the checksum match, so `check`
    checks its rows, unless they are known to be as written. Raises a 400 refusal."""
    written = data["tables"]
    if unknown := next((name for name in written if name not in fixture.tables), None):
        raise invalid("tables", "invalid", f"tables.{unknown}: there is no such table")
    tables = {name: Table(name, base, Log()) for name, base in fixture.tables.items()}
    for name, content in written.items():
        if check is not None:
            check.entries(name, content, tables[name].base)
        _fill(tables[name], content)
    if check is not None:
        check.tables(tables)
    return Snapshot(fixture, _clock(data["clock"]), {name: tables[name].snapshot() for name in written})


def _fill(table: Table, content: Mapping[str, Any]) -> None:
    rows: dict[Key, Row | None] = {}
    for entry in content["rows"]:
        key, row = entry["key"], entry["row"]
        if row is not None:
            row = {**row, **{name: datetime.fromisoformat(row[name]) for name in entry["times"]}}
        rows[tuple(key) if isinstance(key, list) else key] = row
    table.fill(rows)
    table.own().next_id = content["next_id"]


def _clock(data: Mapping[str, Any]) -> Clock:
    clock = Clock()
    if "frozen" in data:
        clock.freeze(_moment(data["frozen"]))
    else:
        clock.advance(data["ahead"] * _MICROSECOND)
        _within(clock.now())
    return clock


def _moment(text: str) -> datetime:
    return _within(datetime.fromisoformat(text))


def _within(moment: datetime) -> datetime:
    """`moment`, if it is within the range of a clock. Raises ValueError if it is not."""
    if not EARLIEST <= moment < LATEST:
        raise ValueError(moment)
    return moment
