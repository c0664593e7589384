"""Faults: what goes wrong in a world, for which requests, and how often."""

import difflib
from collections.abc import Mapping
from typing import Any

from stubserver.api.views import Listing
from stubserver.call import Call
from stubserver.control.server_parts import ServerParts
from stubserver.errors import invalid, refusal
from stubserver.pipeline.faults import Fault

MAX_FAULTS = 100
"""Maximum number of faults in a world."""


def list_faults(call: Call, parts: ServerParts) -> Listing:
    """The world's faults, each with how often it has fired."""
    return Listing(list(call.world.faults.values()), _view)


def create_fault(call: Call, parts: ServerParts) -> Mapping[str, Any]:
    """Add a fault. Raises a 400 refusal for an unknown operation, and if there are too many faults."""
    operation = call.body.get("operation")
    if operation is not None and operation not in parts.contract.operations:
        near = difflib.get_close_matches(operation, parts.contract.operations, n=3, cutoff=0.3)
        hint = f" Did you mean {', '.join(near)}?" if near else ""
        raise invalid("operation", "does_not_exist", f"There is no operation {operation!r}.{hint}")
    world = parts.touched(call)
    if len(world.faults) >= MAX_FAULTS:
        raise invalid("non_field_errors", "max_length", f"World {world.name} already has {MAX_FAULTS} faults.")
    world.faulted += 1
    fault = Fault(world.faulted, world, {**call.operation.defaults, **call.body})
    world.faults[fault.id] = fault
    return _view(fault)


def clear_faults(call: Call, parts: ServerParts) -> None:
    """Remove all faults from the world."""
    parts.touched(call).faults.clear()


def delete_fault(call: Call, parts: ServerParts) -> None:
    """Remove one fault. Raises a 404 refusal if there is no such fault."""
    if call.world.faults.pop(call.ids["id"], None) is None:
        raise refusal(404, f"World {call.world.name} has no fault {call.ids['id']}.")


def _view(fault: Fault) -> Mapping[str, Any]:
    return {**fault.wanted, "id": fault.id, "fired": fault.fired}
