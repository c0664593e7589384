"""The server as a whole: its health, its version, and whom its tokens stand for."""

import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from stubserver import __version__
from stubserver.api.views import Listing
from stubserver.call import Call
from stubserver.control.stub import Stub


def get_health(_: Call, stub: Stub) -> Mapping[str, Any]:
    """What it holds, what bounds it, and what had to make room."""
    return {
        "status": "ok",
        "uptime_seconds": round(time.monotonic() - stub.started, 3),
        "worlds": {"kept": len(stub.worlds), "evicted": stub.worlds.evicted},
        "requests": {"kept": stub.journal.kept, "forgotten": stub.journal.forgotten},
        "snapshots": len(stub.worlds.snapshots),
        "limits": asdict(stub.worlds.settings),
    }


def get_version(_: Call, stub: Stub) -> Mapping[str, Any]:
    """Which server, and which contract."""
    return {
        "name": "course-stubserver",
        "version": __version__,
        "contract": stub.contract.document["info"]["version"],
        "operations": len(stub.contract.operations),
    }


def list_personas(call: Call, stub: Stub) -> Listing:
    """Whom the tokens stand for, by the fixture of the world."""
    users = call.world.users
    return Listing(
        call.world.seed.personas, lambda persona: {**persona, "username": users[persona["user"]]["username"]}
    )
