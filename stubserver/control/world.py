"""Worlds: made, looked at, reset, forgotten."""

from collections.abc import Mapping
from typing import Any

from stubserver.api.views import Listing
from stubserver.call import Call
from stubserver.control.server_parts import ServerParts, world_view
from stubserver.errors import invalid
from stubserver.worlds.registry import NAME, NAMING

_SOURCES = ("fixture", "snapshot", "world")


def list_worlds(_: Call, parts: ServerParts) -> Listing:
    """Every world that somebody has touched."""
    return Listing(list(parts.worlds), world_view)


def create_world(call: Call, parts: ServerParts) -> Mapping[str, Any]:
    """A world from a fixture, a snapshot or another world."""
    worlds = parts.worlds
    name = call.body.get("name") or worlds.new_name()
    given = [source for source in _SOURCES if source in call.body]
    if name in worlds:
        raise invalid("name", "unique", f"There is a world {name} already; reset it, or take another name.")
    if len(given) > 1:
        raise invalid(given[1], "invalid", f"A world starts from one thing: {' or '.join(given)}.")
    if "snapshot" in call.body:
        return world_view(worlds.restore(name, worlds.snapshot(call.body["snapshot"])))
    if "world" in call.body:
        return world_view(worlds.restore(name, parts.world(call.body["world"]).snapshot()))
    return world_view(worlds.reset(name, worlds.load_fixture(call.body.get("fixture", worlds.fixture.name))))


def get_world(call: Call, parts: ServerParts) -> Mapping[str, Any]:
    """A world that somebody has touched."""
    return world_view(parts.world(call.ids["world"]))


def delete_world(call: Call, parts: ServerParts) -> None:
    """Forget a world."""
    parts.worlds.delete(parts.world(call.ids["world"]).name)


def reset_world(call: Call, parts: ServerParts) -> Mapping[str, Any]:
    """A world anew, from its own fixture or from another."""
    name, worlds = call.ids["world"], parts.worlds
    if not NAME.fullmatch(name):
        raise invalid("world", "invalid", f"{name!r} is no name of a world: {NAMING}.")
    fixture = call.query.get("fixture", worlds.peek(name).fixture.name)
    return world_view(worlds.reset(name, worlds.load_fixture(fixture)))
