"""Rows of a world, read and written without the API."""

from datetime import timedelta
from typing import Any

from stubserver.worlds.snapshot import TABLES
from stubserver.worlds.world import World
from tests.support.client import Api
from tests.support.default import NOW, STRANGER


def snapshot(world: World) -> dict[str, list[Any]]:
    """All rows of a world, to compare before and after."""
    return {name: list(getattr(world, name)) for name in TABLES}


def be(api: Api, course: int, status: str | None, days: float = 0, user: int = STRANGER) -> None:
    """Give a user a status in a course; users inside it joined `days` from now."""
    api.world.memberships.delete((course, user))
    if status:
        joined_at = NOW + timedelta(days=days) if status in ("creator", "manager", "joined") else None
        row = {"course_id": course, "user_id": user, "status": status, "joined_at": joined_at, "last_active_at": None}
        api.world.memberships.put(row)
