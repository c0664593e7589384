"""Faults of a world, created and listed through the control plane."""

from typing import Any

from tests.support.answers import ok
from tests.support.client import Api

FAULTS = "/__stub/faults"
BREAKING = ("reset", "lost", "truncate")
"""Kinds that break the connection."""
DEFAULTS = {
    "probability": 1,
    "seed": 0,
    "status": 503,
    "retry_after": 1,
    "seconds": 1,
    "distribution": "fixed",
    "at_most": 10,
}


def create(api: Api, kind: str = "error", world: str = "default", **wanted: Any) -> Any:
    """Create a fault; return it as the server shows it."""
    return ok(api.post(FAULTS, json={"kind": kind, **wanted}, headers={"X-Stub-World": world}), 201)


def listed(api: Api, world: str = "default") -> list[Any]:
    """All faults of a world."""
    page = ok(api.get(f"{FAULTS}?limit=100", headers={"X-Stub-World": world}))
    assert page["count"] == len(page["results"])
    return list(page["results"])
