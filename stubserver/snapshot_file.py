"""Snapshots as files: JSON that names the fixture and holds the clock, the counters and the changed rows."""

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import orjson

from stubserver import __version__
from stubserver.errors import invalid
from stubserver.store import Base, Changes, Table
from stubserver.world import Clock, Seed, Snapshot

_LEFT_OUT = {"uploads"}
"""Tables whose rows cannot leave the process: an upload that is half done holds half a checksum."""


def written(snapshot: Snapshot) -> dict[str, Any]:
    """The SnapshotFile of the control plane's contract."""
    clock = snapshot.clock
    content = {
        "stubserver": __version__,
        "fixture": snapshot.seed.name,
        "digest": snapshot.seed.digest,
        "moment": snapshot.seed.moment.isoformat(),
        "clock": {"frozen": clock.now().isoformat()} if clock.frozen else {"ahead": clock.ahead.total_seconds()},
        "tables": {
            name: _table(changes)
            for name, changes in snapshot.changes.items()
            if name not in _LEFT_OUT and (changes.rows or changes.next_id != snapshot.seed.tables[name].next_id)
        },
    }
    plain: dict[str, Any] = orjson.loads(orjson.dumps(content))
    return {**plain, "checksum": _checksum(plain)}


def _table(changes: Changes) -> dict[str, Any]:
    return {
        "next_id": changes.next_id,
        "rows": [
            {
                "key": key,
                "row": row,
                "times": [name for name, value in (row or {}).items() if isinstance(value, datetime)],
            }
            for key, row in changes.rows.items()
        ],
    }


def _checksum(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()


def read(data: Mapping[str, Any], fixture: Callable[[str, datetime], Seed]) -> Snapshot:
    """The snapshot in a SnapshotFile; `fixture` loads the fixture under it. Raises a 400 refusal that says why not."""
    content = {name: value for name, value in data.items() if name != "checksum"}
    if data["checksum"] != _checksum(content):
        raise invalid("checksum", "invalid", "The snapshot is damaged, or somebody edited it.")
    if data["stubserver"] != __version__:
        message = f"The snapshot is of version {data['stubserver']}; this is {__version__}. Take it anew."
        raise invalid("stubserver", "invalid", message)
    seed = fixture(data["fixture"], datetime.fromisoformat(data["moment"]))
    if seed.digest != data["digest"]:
        message = f"The fixture {data['fixture']} is another one by now than under the snapshot. Take it anew."
        raise invalid("digest", "invalid", message)
    tables = data["tables"]
    changes = {name: _changes(base, tables[name]) for name, base in seed.tables.items() if name in tables}
    return Snapshot(seed, _clock(data["clock"]), changes)


def _changes(base: Base, table: Mapping[str, Any]) -> Changes:
    filled = Table(base, [])
    for entry in table["rows"]:
        key, row = entry["key"], entry["row"]
        key = tuple(key) if isinstance(key, list) else key
        if row is not None:
            row = {**row, **{name: datetime.fromisoformat(row[name]) for name in entry["times"]}}
        filled.set(key, filled.get(key), row)
    filled.own().next_id = table["next_id"]
    return filled.snapshot()


def _clock(data: Mapping[str, Any]) -> Clock:
    clock = Clock()
    if "frozen" in data:
        clock.freeze(datetime.fromisoformat(data["frozen"]))
    else:
        clock.advance(timedelta(seconds=data["ahead"]))
    return clock
