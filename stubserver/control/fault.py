"""Faults: what goes wrong in a world, for which requests, and how often."""

from collections.abc import Mapping
from typing import Any

from stubserver.api.views import Listing
from stubserver.call import Call
from stubserver.contract.contract import Contract
from stubserver.control import names
from stubserver.control.numbered import noted, without
from stubserver.control.server_parts import ServerParts
from stubserver.errors import Refusal, invalid
from stubserver.worlds.fault import Fault
from stubserver.worlds.world import World

MAX_FAULTS = 100
"""Maximum number of faults in a world."""


def list_faults(call: Call, parts: ServerParts) -> Listing:
    """The world's faults, each with how often it has fired."""
    return Listing(list(call.world.faults.values()), _view)


def create_fault(call: Call, parts: ServerParts) -> Mapping[str, Any]:
    """Add a fault. Raises a 400 refusal for one that can never fire, and if there are too many, or they are too large
    (a stale one has the world's rows)."""
    wanted = {**call.operation.defaults, **names.checked(call.body, parts.contract, call.world)}
    _check_stale(wanted, parts.contract)
    world = parts.touched(call)
    if len(world.faults) >= MAX_FAULTS:
        raise invalid("non_field_errors", "max_length", f"World {world.name} already has {MAX_FAULTS} faults.")
    snapshot = world.snapshot() if wanted["kind"] == "stale" else None
    fault = Fault.of(world.faulted + 1, wanted, f"{world.settings.seed} {world.name}", snapshot)
    before, world.faults = world.faults, {**world.faults, fault.id: fault}
    try:
        world.check_size()
    except Refusal as full:
        world.faults = before
        raise invalid("non_field_errors", "max_length", full.reason) from None
    world.faulted += 1
    _log(call, world, fault.id)
    return _view(fault)


def _check_stale(wanted: Mapping[str, Any], contract: Contract) -> None:
    """Raises a 400 refusal for a stale fault that can never fire, because only reads are answered from the past."""
    operation = contract.operations.get(wanted.get("operation", ""))
    method = wanted.get("method") or (operation.method.upper() if operation else "GET")
    if wanted["kind"] == "stale" and method not in ("GET", "HEAD"):
        field = "method" if "method" in wanted else "operation"
        raise invalid(field, "invalid", "A stale fault answers only GET and HEAD, so this one could never fire.")


def clear_faults(call: Call, parts: ServerParts) -> None:
    """Remove all faults from the world."""
    world = parts.touched(call)
    world.faults = {}
    _log(call, world, None)


def delete_fault(call: Call, parts: ServerParts) -> None:
    """Remove one fault. Raises a 404 refusal if there is no such fault."""
    world = call.world
    world.faults = without(world.faults, call, "fault")
    _log(call, world, call.ids["id"])


def _log(call: Call, world: World, number: int | None) -> None:
    world.fault_log = noted(world.fault_log, call, world, "fault", number)
    world.resized(world)


def _view(fault: Fault) -> Mapping[str, Any]:
    return {**fault.wanted, "id": fault.id, "fired": fault.fired}
