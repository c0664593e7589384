"""Faults: what goes wrong in a world, for whom, how often."""

import difflib
from collections.abc import Mapping
from typing import Any

from stubserver.api.views import Listing
from stubserver.call import Call
from stubserver.control.server_parts import ServerParts
from stubserver.errors import invalid, refusal
from stubserver.pipeline.faults import Fault

MAX_FAULTS = 100
"""Faults of one world."""


def list_faults(call: Call, parts: ServerParts) -> Listing:
    """With how often each has fired."""
    return Listing(list(call.world.faults.values()), _view)


def create_fault(call: Call, parts: ServerParts) -> Mapping[str, Any]:
    """Let something go wrong."""
    operation = call.body.get("operation")
    if operation is not None and operation not in parts.contract.operations:
        near = difflib.get_close_matches(operation, parts.contract.operations, n=3, cutoff=0.3)
        hint = f" Did you mean {', '.join(near)}?" if near else ""
        raise invalid("operation", "does_not_exist", f"There is no operation {operation!r}.{hint}")
    world = parts.touched(call)
    if len(world.faults) >= MAX_FAULTS:
        raise invalid("non_field_errors", "max_length", f"World {world.name} has {MAX_FAULTS} faults already.")
    world.faulted += 1
    fault = Fault(world.faulted, world, {**call.operation.defaults, **call.body})
    world.faults[fault.id] = fault
    return _view(fault)


def clear_faults(call: Call, parts: ServerParts) -> None:
    """End all."""
    parts.touched(call).faults.clear()


def delete_fault(call: Call, parts: ServerParts) -> None:
    """End one."""
    if call.world.faults.pop(call.ids["id"], None) is None:
        raise refusal(404, f"World {call.world.name} has no fault {call.ids['id']}.")


def _view(fault: Fault) -> Mapping[str, Any]:
    return {**fault.wanted, "id": fault.id, "fired": fault.fired}
