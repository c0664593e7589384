"""Snapshots of worlds: taken, restored, saved to files and loaded from them."""

from typing import Any

from stubserver.worlds.world import World
from tests.support.answers import ok
from tests.support.client import Api
from tests.support.worlds import named

SNAPSHOTS = "/__stub/snapshots"


def take(api: Api, name: str = "s", world: str = "w") -> Any:
    """The answer to a request for a snapshot of a world."""
    return ok(api.post(SNAPSHOTS, json={"name": name}, headers=named(world)), 201)


def restore(api: Api, name: str = "s", world: str = "w") -> Any:
    """The answer to a request to restore a snapshot into a world."""
    return ok(api.post(f"{SNAPSHOTS}/{name}/restore", headers=named(world)))


def file_of(api: Api, world: str = "w") -> str:
    """The text of a file with the current state of a world."""
    take(api, "file", world)
    text = api.get(f"{SNAPSHOTS}/file").text
    assert api.delete(f"{SNAPSHOTS}/file").status_code == 204
    return text


def loaded(api: Api, text: str, world: str = "w") -> World:
    """The world restored from a file."""
    ok(api.put(f"{SNAPSHOTS}/loaded", content=text.encode(), headers={"Content-Type": "application/json"}))
    restore(api, "loaded", world)
    return api.app.worlds.get(world)
