"""The server as a whole: what its control plane offers, its health, its versions and its personas."""

import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from stubserver import __version__
from stubserver.addressing import PRODUCT
from stubserver.api.views import Listing
from stubserver.call import Call
from stubserver.control.server_parts import ServerParts
from stubserver.errors import refusal


async def get_index(call: Call, parts: ServerParts) -> Mapping[str, Any]:
    """The operations of the control plane, and the addresses of its documents in the caller's world."""
    here = f"{call.base_url}{parts.control.base}"
    return {
        "name": parts.control.document["info"]["title"],
        "docs": f"{here}/docs/",
        "openapi": f"{here}/openapi.json",
        "operations": [
            {"operation": found.id, "method": found.method.upper(), "path": found.path, "summary": found.summary}
            for found in parts.control.operations.values()
        ],
    }


def get_health(_: Call, parts: ServerParts) -> Mapping[str, Any]:
    """Uptime, the numbers of worlds, requests and snapshots held and evicted, and the limits."""
    return {
        "status": "ok",
        "uptime_seconds": round(time.monotonic() - parts.started, 3),
        "worlds": {"kept": len(parts.worlds), "evicted": parts.worlds.evicted},
        "requests": {
            "kept": parts.journal.kept,
            "bytes": parts.journal.size,
            "forgotten": parts.journal.forgotten,
        },
        "snapshots": len(parts.worlds.snapshot_sizes),
        "memory": {"worlds": parts.worlds.size, "snapshots": parts.worlds.snapshots_size},
        "limits": asdict(parts.worlds.settings),
    }


async def get_live(_: Call, parts: ServerParts) -> Mapping[str, Any]:
    """That requests are answered; it waits for nothing."""
    return {"status": "ok"}


def get_ready(_: Call, parts: ServerParts) -> Mapping[str, Any]:
    """That the server can be used. Raises a 503 refusal at its end; a store that fails refuses the turn."""
    if parts.life.is_ending:
        raise refusal(503, "The server is shutting down.", "service_unavailable")
    return {"status": "ok"}


async def get_version(_: Call, parts: ServerParts) -> Mapping[str, Any]:
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
