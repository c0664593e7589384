"""Snapshots as files: JSON that names the fixture and holds the clock, the id counters and the changed rows."""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Protocol

import orjson

from stubserver import __version__
from stubserver.errors import Problem, Refusal, invalid
from stubserver.suggestions import unknown
from stubserver.worlds.base import Changes, FixtureTable, Key, Row
from stubserver.worlds.clock import EARLIEST, LATEST, Clock
from stubserver.worlds.log import Log
from stubserver.worlds.snapshot import Fixture, Snapshot
from stubserver.worlds.table import Table

FORMAT = 1
"""Version of the format, which decides whether a file can be read; the version of the server only informs. Files from
before there was one are read as well: their digest is over the text of the fixture. A later format needs the same keys
at the top, or servers of today would complain about another one instead of naming the version that is needed."""
_KEYS = ("format", "stubserver", "fixture", "digest", "moment", "clock", "tables", "checksum")
_EXACT_BELOW = 2**53
"""Integers below this are exact in JavaScript."""
_MICROSECOND = timedelta(microseconds=1)
_NOT_WRITTEN = {"uploads", "pieces"}
"""Tables whose rows are not written: unfinished uploads, whose client does not come back."""


def written(snapshot: Snapshot) -> dict[str, Any]:
    """The snapshot as a SnapshotFile (see the control plane's contract)."""
    clock = snapshot.clock
    content = {
        "format": FORMAT,
        "stubserver": __version__,
        "fixture": snapshot.fixture.name,
        "digest": snapshot.fixture.digest,
        "moment": snapshot.fixture.moment.isoformat(),
        "clock": {"frozen": clock.now().isoformat()} if clock.frozen else {"ahead": clock.ahead // _MICROSECOND},
        "tables": {
            name: _table(changes, rows)
            for name, changes in snapshot.changes.items()
            for rows in [{} if name in _NOT_WRITTEN else changes.rows]
            if rows or changes.next_id != snapshot.fixture.tables[name].next_id
        },
    }
    plain: dict[str, Any] = orjson.loads(orjson.dumps(content))
    return {**plain, "checksum": checksum(plain)}


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


def checksum(content: Mapping[str, Any]) -> str:
    """The checksum over the content of a file; however a JSON tool writes that, it stays the same."""
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

    def upgraded(self, table: str, content: Mapping[str, Any]) -> Mapping[str, Any]:
        """A table of a file from an older version, as this version would have written it."""

    def entries(self, table: str, content: Mapping[str, Any], base: FixtureTable) -> None:
        """Check each entry of a table by itself. Raises a 400 refusal."""

    def tables(self, tables: Mapping[str, Table]) -> None:
        """Check the tables of the world together. Raises a 400 refusal."""


def read(data: Mapping[str, Any], load: Load, check: RowCheck | None = None) -> Snapshot:
    """The snapshot in a SnapshotFile, in the three steps below. Raises a 400 refusal that says what is wrong."""
    verify(data)
    return filled(data, fixture_of(data, load), check)


def verify(data: Mapping[str, Any]) -> None:
    """Raises a 400 refusal unless a SnapshotFile is as it was written, in a format that this version knows."""
    check_format(data, FORMAT)
    if name := next((name for name in data if name not in _KEYS), None):
        raise invalid(name, "invalid", unknown("field", name, _KEYS))
    content = {name: value for name, value in data.items() if name != "checksum"}
    if data["checksum"] != checksum(content):
        raise invalid("checksum", "invalid", "The snapshot is damaged or has been edited.")


def check_format(data: Mapping[str, Any], newest: int) -> None:
    """Raises a 400 refusal if the format of a file is newer than `newest`."""
    found = data.get("format", 0)
    if isinstance(found, int) and found > newest:
        message = f"The file has format {found}, but this is version {__version__}, which knows formats up to {newest}"
        raise invalid(
            "format", "invalid", f"{message}: use version {data.get('stubserver')}, which wrote it, or later."
        )


@contextmanager
def _refusals(data: Mapping[str, Any]) -> Iterator[None]:
    """What goes wrong with a file that no server wrote becomes a 400 refusal, too. All of them tell another version."""
    try:
        yield
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError):
        reason = Problem("invalid", "This is not a snapshot that a server wrote.", "non_field_errors")
    except Refusal as refusal:
        reason = refusal.problems[0]
    else:
        return
    message = f"{reason.message.rstrip('.')}. {_another_version(data)}" if _another_version(data) else reason.message
    raise Refusal(400, [Problem(reason.code, message, reason.field)])


def _another_version(data: Mapping[str, Any]) -> str:
    """Where a file is from, if that may be why it cannot be read."""
    theirs = data["stubserver"]
    if _is_newer(theirs, __version__):
        return f"It is from version {theirs}: use that or a later one; this is {__version__}."
    return f"It is from version {theirs}, but this is {__version__}; take a new one." if theirs != __version__ else ""


def _is_newer(version: str, other: str) -> bool:
    release, its = ([int(part) for part in re.findall(r"[0-9]{1,9}", text)[:3]] for text in (version, other))
    return release > its


def fixture_of(data: Mapping[str, Any], load: Load) -> Fixture:
    """The fixture of a SnapshotFile, which `load` loads. Raises a 400 refusal."""
    with _refusals(data):
        fixture = load(data["fixture"], _moment(data["moment"]))
        if data["digest"] != (fixture.digest if "format" in data else fixture.text_digest):
            message = f'Fixture "{data["fixture"]}" has changed since this snapshot; take a new one.'
            raise invalid("digest", "invalid", message)
        return fixture


def filled(data: Mapping[str, Any], fixture: Fixture, check: RowCheck | None = None) -> Snapshot:
    """The snapshot in a SnapshotFile over its fixture. Whoever edits a file can make the checksum match, so `check`
    checks its rows, unless they are known to be as written. Raises a 400 refusal."""
    with _refusals(data):
        written = data["tables"]
        if table := next((name for name in written if name not in fixture.tables), None):
            raise invalid("tables", "invalid", f"tables.{table}: there is no such table")
        if check is not None and _is_newer(__version__, data["stubserver"]):
            written = {name: check.upgraded(name, content) for name, content in written.items()}
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
