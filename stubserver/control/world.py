"""Worlds: made, looked at, reset, forgotten."""

from collections.abc import Mapping
from typing import Any

from stubserver.api.views import Listing
from stubserver.call import Call
from stubserver.control.stub import Stub, world_view
from stubserver.errors import invalid
from stubserver.worlds.registry import NAME, NAMING

_SOURCES = ("fixture", "snapshot", "world")


def list_worlds(_: Call, stub: Stub) -> Listing:
    """Every world that somebody has touched."""
    return Listing(list(stub.worlds), world_view)


def create_world(call: Call, stub: Stub) -> Mapping[str, Any]:
    """A world from a fixture, a snapshot or another world."""
    worlds = stub.worlds
    name = call.body.get("name") or worlds.new_name()
    given = [source for source in _SOURCES if source in call.body]
    if name in worlds:
        raise invalid("name", "unique", f"There is a world {name} already; reset it, or take another name.")
    if len(given) > 1:
        raise invalid(given[1], "invalid", f"A world starts from one thing: {' or '.join(given)}.")
    if "snapshot" in call.body:
        return world_view(worlds.restore(name, worlds.snapshot(call.body["snapshot"])))
    if "world" in call.body:
        return world_view(worlds.restore(name, stub.world(call.body["world"]).snapshot()))
    return world_view(worlds.reset(name, worlds.fixture(call.body.get("fixture", worlds.seed.name))))


def get_world(call: Call, stub: Stub) -> Mapping[str, Any]:
    """A world that somebody has touched."""
    return world_view(stub.world(call.ids["world"]))


def delete_world(call: Call, stub: Stub) -> None:
    """Forget a world."""
    stub.worlds.delete(stub.world(call.ids["world"]).name)


def reset_world(call: Call, stub: Stub) -> Mapping[str, Any]:
    """A world anew, from its own fixture or from another."""
    name, worlds = call.ids["world"], stub.worlds
    if not NAME.fullmatch(name):
        raise invalid("world", "invalid", f"{name!r} is no name of a world: {NAMING}.")
    fixture = call.query.get("fixture", worlds.peek(name).seed.name)
    return world_view(worlds.reset(name, worlds.fixture(fixture)))
