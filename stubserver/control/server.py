"""The server as a whole: its health, its version, and whom its tokens stand for."""

import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from stubserver import __version__
from stubserver.api.views import Listing
from stubserver.call import Call
from stubserver.control.server_parts import ServerParts


def get_health(_: Call, parts: ServerParts) -> Mapping[str, Any]:
    """What it holds, what bounds it, and what had to make room."""
    return {
        "status": "ok",
        "uptime_seconds": round(time.monotonic() - parts.started, 3),
        "worlds": {"kept": len(parts.worlds), "evicted": parts.worlds.evicted},
        "requests": {"kept": parts.journal.kept, "forgotten": parts.journal.forgotten},
        "snapshots": len(parts.worlds.snapshots),
        "limits": asdict(parts.worlds.settings),
    }


def get_version(_: Call, parts: ServerParts) -> Mapping[str, Any]:
    """Which server, and which contract."""
    return {
        "name": "course-stubserver",
        "version": __version__,
        "contract": parts.contract.document["info"]["version"],
        "operations": len(parts.contract.operations),
    }


def list_personas(call: Call, parts: ServerParts) -> Listing:
    """Whom the tokens stand for, by the fixture of the world."""
    users = call.world.users
    return Listing(
        call.world.fixture.personas, lambda persona: {**persona, "username": users[persona["user"]]["username"]}
    )
