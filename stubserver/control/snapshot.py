"""Snapshots: worlds as they were, under a name or in a file."""

from collections.abc import Mapping
from typing import Any

from stubserver.api.views import Listing
from stubserver.call import Call
from stubserver.control.stub import Stub, clock_view, world_view
from stubserver.errors import invalid
from stubserver.worlds import snapshot_file
from stubserver.worlds.registry import NAME, NAMING
from stubserver.worlds.world import Snapshot


def list_snapshots(_: Call, stub: Stub) -> Listing:
    """Every snapshot that is kept."""
    return Listing(sorted(stub.worlds.snapshots.items()), lambda named: _view(*named))


def create_snapshot(call: Call, stub: Stub) -> Mapping[str, Any]:
    """The world as it is now, under a name."""
    return _kept(call.body["name"], stub.touched(call).snapshot(), stub)


def get_snapshot(call: Call, stub: Stub) -> Mapping[str, Any]:
    """What goes into a file."""
    return snapshot_file.written(stub.worlds.snapshot(call.ids["snapshot"]))


def load_snapshot(call: Call, stub: Stub) -> Mapping[str, Any]:
    """What comes from a file."""
    return _kept(call.ids["snapshot"], snapshot_file.read(call.body, stub.worlds.fixture), stub)


def delete_snapshot(call: Call, stub: Stub) -> None:
    """Forget a snapshot."""
    stub.worlds.snapshot(call.ids["snapshot"])
    del stub.worlds.snapshots[call.ids["snapshot"]]


def restore_snapshot(call: Call, stub: Stub) -> Mapping[str, Any]:
    """Make the world what the snapshot has."""
    return world_view(stub.worlds.restore(call.world.name, stub.worlds.snapshot(call.ids["snapshot"])))


def _kept(name: str, snapshot: Snapshot, stub: Stub) -> Mapping[str, Any]:
    if not NAME.fullmatch(name):
        raise invalid("snapshot", "invalid", f"{name!r} is no name of a snapshot: {NAMING}.")
    stub.worlds.keep_snapshot(name, snapshot)
    return _view(name, snapshot)


def _view(name: str, snapshot: Snapshot) -> Mapping[str, Any]:
    return {
        "name": name,
        "fixture": snapshot.seed.name,
        "changed_rows": snapshot.changed,
        "clock": clock_view(snapshot.clock),
    }
