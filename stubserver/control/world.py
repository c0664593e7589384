"""Worlds: list, create, read, change, reset, delete."""

from collections.abc import Mapping
from typing import Any

from stubserver.api.views import Listing
from stubserver.call import Call
from stubserver.control.server_parts import ServerParts, world_view
from stubserver.errors import invalid
from stubserver.worlds.registry import NAME, NAMING
from stubserver.worlds.world import World

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
    world = _created(name, call.body, parts)
    world.strict = call.body.get("strict", world.strict)
    return world_view(world)


def _created(name: str, body: Mapping[str, Any], parts: ServerParts) -> World:
    """A new world; a fork is as strict as the world that it is made of. Raises a 400 or 404 refusal."""
    worlds = parts.worlds
    if "snapshot" in body:
        return worlds.restore(name, worlds.snapshot(body["snapshot"]))
    if "world" in body:
        forked = parts.world(body["world"])
        world = worlds.restore(name, forked.snapshot())
        world.strict = forked.strict
        return world
    return worlds.reset(name, worlds.load_fixture(body.get("fixture", worlds.fixture.name)))


def get_world(call: Call, parts: ServerParts) -> Mapping[str, Any]:
    """An existing world; this does not create one. Raises a 404 refusal if there is none."""
    return world_view(parts.world(call.ids["world"]))


def patch_world(call: Call, parts: ServerParts) -> Mapping[str, Any]:
    """Change how an existing world treats requests. Raises a 404 refusal if there is none."""
    world = parts.world(call.ids["world"])
    world.strict = call.body.get("strict", world.strict)
    return world_view(world)


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
