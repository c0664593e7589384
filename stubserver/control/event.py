"""Events: what a world is now, told again whenever anything in it has changed.

Nothing waits for a client: the world is looked at a few times a second, only as long as somebody follows it, and an
event tells what is true then. So there is no queue, and a slow reader gets fewer events.
"""

import asyncio
import weakref
from collections.abc import AsyncGenerator
from functools import partial
from typing import Any

import orjson

from stubserver.api.views import Stream
from stubserver.call import Call
from stubserver.control.server_parts import ServerParts, world_view
from stubserver.errors import Refusal, refusal

MAX_FOLLOWERS = 100
"""How many clients a process lets follow worlds at a time."""
PAUSE = 0.25
"""Seconds between two looks at a world in the memory of this process."""
SHARED_PAUSE = 1.0
"""The same for a world in a store, where each look costs a turn."""
BEAT = 2.0
"""Seconds after which a comment is sent if there is no event: that is how a client that has gone is noticed, which may
only have ended its half of the connection."""


async def follow_world(call: Call, parts: ServerParts) -> Stream:
    """Tell what the world is now, and again whenever that has changed. Raises a 503 refusal if too many do so."""
    if parts.life.followers >= MAX_FOLLOWERS:
        message = f"{MAX_FOLLOWERS} clients follow worlds already; close some of them first."
        raise refusal(503, message, "service_unavailable")
    return Stream(_events(call.world.name, call.query["seconds"], parts))


async def _events(name: str, seconds: int, parts: ServerParts) -> AsyncGenerator[bytes, None]:
    now = asyncio.get_running_loop().time
    end, number, last, told = now() + seconds, 0, None, now()
    pause = SHARED_PAUSE if parts.worlds.is_shared else PAUSE
    parts.life.followers += 1
    try:
        while True:
            state, event = await _looked(name, parts)
            if state != last or not number:
                last, number, told = state, number + 1, now()
                yield b"id: %d\n%b\n\n" % (number, event)
            elif now() - told >= BEAT:
                told = now()
                yield b": nothing new\n\n"
            if now() >= end or parts.life.is_ending:
                return
            await asyncio.sleep(min(pause, max(0.0, end - now())))
    finally:
        parts.life.followers -= 1


async def _looked(name: str, parts: ServerParts) -> tuple[Any, bytes]:
    """What tells whether the world has changed, and the event for it as it is now."""
    try:
        return await parts.turns.run(partial(_look, name, parts), name)
    except Refusal as refused:  # the store does not answer; it may again, later
        return refused.reason, b"event: problem\ndata: %b" % orjson.dumps(refused.reason)


def _look(name: str, parts: ServerParts) -> tuple[Any, bytes]:
    if name not in parts.worlds:
        return None, b"event: world\ndata: null"
    world = parts.worlds.peek(name)
    which = world.life or weakref.ref(world)  # a world that is gone must not be kept
    recorded = parts.journal.recorded(world)
    state = which, world.asked, recorded, world.writes, world.state
    return state, b"event: world\ndata: %b" % orjson.dumps(world_view(world))
