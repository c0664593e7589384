"""What exports are made of: the requests of each world, and whether they are all that happened there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from weakref import ref

import orjson

from stubserver.control.request_view import RequestView

if TYPE_CHECKING:
    from stubserver.app import StubServer
    from stubserver.records.journal import Entry
    from stubserver.worlds.world import World

Request = Mapping[str, Any]
"""A Request of the control plane's contract."""
MAX_RECORDED = 64 * 1024 * 1024
"""What a recorder keeps of all worlds together, in bytes."""
_WORLD = 1024
"""What it takes to keep that there was a world, in bytes."""


@dataclass
class Recording:
    """The requests of one world, oldest first."""

    world: str
    fixture: str
    """The name of the fixture that the world started from."""
    is_complete: bool
    """Whether the world was as its fixture before the first request; else nobody can tell how it came about."""
    requests: Sequence[Request] = ()
    lost: int = 0
    """How many requests are no longer known."""


def of_case(case: Mapping[str, Any]) -> Recording:
    """The journal of a world, from a Case of the control plane's contract."""
    start, forgotten = case["start"], case["forgotten"]
    return Recording(
        world=case["world"],
        fixture=start["fixture"],
        is_complete=not forgotten and not start["tables"],
        requests=case["requests"],
        lost=forgotten,
    )


@dataclass
class _Kept:
    """A recording in the making; `world` leads to the world as long as there is one."""

    world: "ref[World]"
    recording: Recording
    requests: list[bytes] = field(default_factory=list)


class Recorder:
    """Keeps all requests of a server from now on, also those of worlds that are deleted, up to MAX_RECORDED bytes."""

    def __init__(self, app: "StubServer") -> None:
        self._app = app
        self._kept: list[_Kept] = []
        self._current: dict[str, _Kept] = {}
        self._size = 0
        app.journal.listeners.append(self._note)

    def _note(self, entry: "Entry") -> None:
        if self._size >= MAX_RECORDED:
            self._kept[-1].recording.lost += 1
            return
        world = self._app.worlds.peek(entry.id.rpartition("-")[0])
        kept = self._current.get(world.name)
        if kept is None or kept.world() is not world:
            kept = self._current[world.name] = self._begun(world)
        data = orjson.dumps(RequestView(self._app.contract, entry).as_dict())
        self._size += len(data)
        if self._size > MAX_RECORDED:  # and from now on nothing is kept, so that there is no gap
            kept.recording.lost += 1
        else:
            kept.requests.append(data)

    def _begun(self, world: "World") -> _Kept:
        is_complete = not any(changes.rows for changes in world.origin.changes.values())
        kept = _Kept(ref(world), Recording(world.name, world.fixture.name, is_complete))
        self._kept.append(kept)
        self._size += _WORLD
        return kept

    def recordings(self) -> list[Recording]:
        """What has been kept, in the order in which the worlds had their first request."""
        for kept in self._kept:
            kept.recording.requests = [orjson.loads(data) for data in kept.requests]
        return [kept.recording for kept in self._kept]
