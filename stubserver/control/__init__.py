"""The control plane, through which tests and tools control the server. One module per file of `openapi/control/`."""

from collections.abc import Callable
from functools import partial
from inspect import getmodule, isfunction
from typing import Any

from stubserver.call import Call
from stubserver.control import (
    case,
    clock,
    coverage,
    event,
    fault,
    fixture,
    metrics,
    request,
    server,
    snapshot,
    table,
    variant,
    world,
)
from stubserver.control.server_parts import ServerParts

MODULES = (server, world, event, fixture, table, snapshot, clock, fault, variant, request, case, coverage, metrics)

FUNCTIONS: dict[str, Callable[..., Any]] = {
    name: function
    for module in MODULES
    for name, function in vars(module).items()
    if isfunction(function) and getmodule(function) is module and not name.startswith("_") and "__" not in name
}
"""operationId -> its function: every public function of the modules is an operation."""


def functions(parts: ServerParts) -> dict[str, Callable[[Call], Any]]:
    """operationId -> its function, bound to the parts of one server."""
    return {name: partial(function, parts=parts) for name, function in FUNCTIONS.items()}
