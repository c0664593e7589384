"""The server as a whole: its health, its versions and its personas."""

import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from stubserver import __version__
from stubserver.addressing import PRODUCT
from stubserver.api.views import Listing
from stubserver.call import Call
from stubserver.control.server_parts import ServerParts


def get_health(_: Call, parts: ServerParts) -> Mapping[str, Any]:
    """Uptime, the numbers of worlds, requests and snapshots held and evicted, and the limits."""
    return {
        "status": "ok",
        "uptime_seconds": round(time.monotonic() - parts.started, 3),
        "worlds": {"kept": len(parts.worlds), "evicted": parts.worlds.evicted},
        "requests": {"kept": parts.journal.kept, "forgotten": parts.journal.forgotten},
        "snapshots": len(parts.worlds.snapshots),
        "limits": asdict(parts.worlds.settings),
    }


def get_version(_: Call, parts: ServerParts) -> Mapping[str, Any]:
    """The versions of the server and of its contract."""
    return {
        "name": PRODUCT,
        "version": __version__,
        "contract": parts.contract.document["info"]["version"],
        "operations": len(parts.contract.operations),
    }


def list_personas(call: Call, parts: ServerParts) -> Listing:
    """The personas of the world's fixture: which user each token stands for."""
    users = call.world.users
    return Listing(
        call.world.fixture.personas, lambda persona: {**persona, "username": users[persona["user"]]["username"]}
    )
