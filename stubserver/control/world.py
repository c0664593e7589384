"""Worlds: list, create, read, reset, delete."""

from collections.abc import Mapping
from typing import Any

from stubserver.api.views import Listing
from stubserver.call import Call
from stubserver.control.server_parts import ServerParts, world_view
from stubserver.errors import invalid
from stubserver.worlds.registry import NAME, NAMING

_SOURCES = ("fixture", "snapshot", "world")


def list_worlds(_: Call, parts: ServerParts) -> Listing:
    """All existing worlds, sorted by name."""
    return Listing(list(parts.worlds), world_view)


def create_world(call: Call, parts: ServerParts) -> Mapping[str, Any]:
    """Create a world from a fixture, a snapshot or another world. Raises a 400 or 404 refusal."""
    worlds = parts.worlds
    name = call.body.get("name") or worlds.new_name()
    given = [source for source in _SOURCES if source in call.body]
    if name in worlds:
        raise invalid("name", "unique", f"World {name} already exists; reset it, or use another name.")
    if len(given) > 1:
        raise invalid(given[1], "invalid", f"A world starts from only one of these: {' or '.join(given)}.")
    if "snapshot" in call.body:
        return world_view(worlds.restore(name, worlds.snapshot(call.body["snapshot"])))
    if "world" in call.body:
        return world_view(worlds.restore(name, parts.world(call.body["world"]).snapshot()))
    return world_view(worlds.reset(name, worlds.load_fixture(call.body.get("fixture", worlds.fixture.name))))


def get_world(call: Call, parts: ServerParts) -> Mapping[str, Any]:
    """An existing world; this does not create one. Raises a 404 refusal if there is none."""
    return world_view(parts.world(call.ids["world"]))


def delete_world(call: Call, parts: ServerParts) -> None:
    """Delete a world with everything in it. Raises a 404 refusal if there is none."""
    parts.worlds.delete(parts.world(call.ids["world"]).name)


def reset_world(call: Call, parts: ServerParts) -> Mapping[str, Any]:
    """Replace a world with a new one, made from its own fixture or from another."""
    name, worlds = call.ids["world"], parts.worlds
    if not NAME.fullmatch(name):
        raise invalid("world", "invalid", f"{name!r} is not a valid world name: {NAMING}.")
    fixture = call.query.get("fixture", worlds.peek(name).fixture.name)
    return world_view(worlds.reset(name, worlds.load_fixture(fixture)))
