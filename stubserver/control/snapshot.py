"""Snapshots: worlds as they were, under a name or in a file."""

from collections.abc import Mapping
from typing import Any

from stubserver.api.views import Listing
from stubserver.call import Call
from stubserver.control.server_parts import ServerParts, clock_view, world_view
from stubserver.errors import invalid
from stubserver.worlds import snapshot_file
from stubserver.worlds.registry import NAME, NAMING
from stubserver.worlds.world import Snapshot


def list_snapshots(_: Call, parts: ServerParts) -> Listing:
    """Every snapshot that is kept."""
    return Listing(sorted(parts.worlds.snapshots.items()), lambda named: _view(*named))


def create_snapshot(call: Call, parts: ServerParts) -> Mapping[str, Any]:
    """The world as it is now, under a name."""
    return _kept(call.body["name"], parts.touched(call).snapshot(), parts)


def get_snapshot(call: Call, parts: ServerParts) -> Mapping[str, Any]:
    """What goes into a file."""
    return snapshot_file.written(parts.worlds.snapshot(call.ids["snapshot"]))


def load_snapshot(call: Call, parts: ServerParts) -> Mapping[str, Any]:
    """What comes from a file."""
    return _kept(call.ids["snapshot"], snapshot_file.read(call.body, parts.worlds.load_fixture), parts)


def delete_snapshot(call: Call, parts: ServerParts) -> None:
    """Forget a snapshot."""
    parts.worlds.snapshot(call.ids["snapshot"])
    del parts.worlds.snapshots[call.ids["snapshot"]]


def restore_snapshot(call: Call, parts: ServerParts) -> Mapping[str, Any]:
    """Make the world what the snapshot has."""
    return world_view(parts.worlds.restore(call.world.name, parts.worlds.snapshot(call.ids["snapshot"])))


def _kept(name: str, snapshot: Snapshot, parts: ServerParts) -> Mapping[str, Any]:
    if not NAME.fullmatch(name):
        raise invalid("snapshot", "invalid", f"{name!r} is no name of a snapshot: {NAMING}.")
    parts.worlds.keep_snapshot(name, snapshot)
    return _view(name, snapshot)


def _view(name: str, snapshot: Snapshot) -> Mapping[str, Any]:
    return {
        "name": name,
        "fixture": snapshot.fixture.name,
        "changed_rows": snapshot.changed,
        "clock": clock_view(snapshot.clock),
    }
