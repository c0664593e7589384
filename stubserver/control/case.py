"""Cases: all that it takes to repeat what happened in a world."""

from collections.abc import Mapping
from typing import Any

from stubserver import __version__
from stubserver.call import Call
from stubserver.control.request_view import RequestView
from stubserver.control.server_parts import ServerParts
from stubserver.worlds import snapshot_file

FORMAT = 1
"""Version of the format of a case."""


def get_case(call: Call, parts: ServerParts) -> Mapping[str, Any]:
    """The state before the first request in the world's journal, its faults, its variants, and the requests."""
    world = call.world
    return {
        "case": FORMAT,
        "stubserver": __version__,
        "contract": parts.contract.document["info"]["version"],
        "world": world.name,
        "seed": world.settings.seed,
        "strict": world.strict,
        "start": snapshot_file.written(world.origin),
        "forgotten": sum(world.forgotten.values()),
        "faults": list(world.fault_log),
        "variants": list(world.variant_log),
        "requests": [RequestView(parts.contract, entry) for entry in parts.journal.entries(world)],
    }
