"""Calls, as the earlier steps would hand them to the code under test."""

from typing import Any

from stubserver.call import Call
from stubserver.contract.operation import Operation
from stubserver.worlds.world import World
from tests.support.default import HOST


def called(world: World, operation: Operation | None = None, user: int | None = None, **found: Any) -> Call:
    """A call of an operation by a user; `found` sets fields of Call."""
    call = Call(world, "GET", "/", f"http://{HOST}", routed=operation, user=world.users.get(user))
    for name, value in found.items():
        setattr(call, name, value)
    return call
