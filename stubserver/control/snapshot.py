"""Snapshots: saved states of worlds, stored under a name or written to a file."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import orjson

from stubserver.api.views import Listing
from stubserver.call import Call
from stubserver.control.server_parts import ServerParts, clock_view, world_view
from stubserver.errors import invalid
from stubserver.pipeline.aside import aside
from stubserver.worlds import snapshot_file
from stubserver.worlds.registry import NAME, NAMING
from stubserver.worlds.snapshot import Snapshot


def list_snapshots(_: Call, parts: ServerParts) -> Listing:
    """All stored snapshots, sorted by name."""
    return Listing(list(parts.worlds.all_snapshots()), lambda named: _view(*named))


def create_snapshot(call: Call, parts: ServerParts) -> Mapping[str, Any]:
    """Store the world's current state under a name, replacing any snapshot of that name."""
    return _store(call.body["name"], parts.touched(call).snapshot(), parts)


async def get_snapshot(call: Call, parts: ServerParts) -> Mapping[str, Any]:
    """The snapshot as a SnapshotFile, for the caller to save. Raises a 400 refusal if it could not be loaded again."""
    name = call.ids["snapshot"]
    snapshot = await parts.turns.run(partial(parts.worlds.snapshot, name))
    return await aside(partial(_file, snapshot, parts.worlds.settings.max_file), snapshot.size)


def _file(snapshot: Snapshot, most: int) -> Mapping[str, Any]:
    file = snapshot_file.written(snapshot)
    size = len(orjson.dumps(file))
    if size > most:
        message = f"The file would have {size} bytes, but one of more than {most} could not be loaded again"
        raise invalid("snapshot", "max_length", f"{message}; start the server with a larger --max-world.")
    return file


async def load_snapshot(call: Call, parts: ServerParts) -> Mapping[str, Any]:
    """Read a SnapshotFile and store its snapshot under a name. Raises a 400 refusal."""
    size = len(call.raw_body)
    await aside(partial(snapshot_file.verify, call.body), size)
    fixture = snapshot_file.fixture_of(call.body, parts.worlds.load_fixture)
    snapshot = await aside(partial(snapshot_file.filled, call.body, fixture, parts.rows), size)
    return await parts.turns.run(partial(_store, call.ids["snapshot"], snapshot, parts))


def delete_snapshot(call: Call, parts: ServerParts) -> None:
    """Delete a stored snapshot; worlds made from it stay as they are."""
    parts.worlds.delete_snapshot(call.ids["snapshot"])


def restore_snapshot(call: Call, parts: ServerParts) -> Mapping[str, Any]:
    """Replace the state of the world with that of the snapshot."""
    return world_view(parts.worlds.restore(call.world.name, parts.worlds.snapshot(call.ids["snapshot"])))


def _store(name: str, snapshot: Snapshot, parts: ServerParts) -> Mapping[str, Any]:
    if not NAME.fullmatch(name):
        raise invalid("snapshot", "invalid", f"{name!r} is not a valid snapshot name: {NAMING}.")
    parts.worlds.keep_snapshot(name, snapshot)
    return _view(name, snapshot)


def _view(name: str, snapshot: Snapshot) -> Mapping[str, Any]:
    return {
        "name": name,
        "fixture": snapshot.fixture.name,
        "changed_rows": snapshot.changed,
        "clock": clock_view(snapshot.clock),
    }
