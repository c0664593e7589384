"""The clock of a world: the real time until it is frozen, set or advanced."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from stubserver.call import Call
from stubserver.control.stub import Stub, clock_view
from stubserver.errors import invalid

_FIRST, _LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
"""Between these a century of drip days can be counted on."""


def get_clock(call: Call, stub: Stub) -> Mapping[str, Any]:
    """What time it is."""
    return clock_view(call.world.clock)


def freeze_clock(call: Call, stub: Stub) -> Mapping[str, Any]:
    """Stand still, now or at a moment."""
    at = datetime.fromisoformat(call.query["at"].upper()) if "at" in call.query else None
    call.world.clock.freeze(at and _checked(at, "at"))
    return clock_view(call.world.clock)


def set_clock(call: Call, stub: Stub) -> Mapping[str, Any]:
    """Go to a moment."""
    call.world.clock.set(_checked(call.body["at"], "at"))
    return clock_view(call.world.clock)


def advance_clock(call: Call, stub: Stub) -> Mapping[str, Any]:
    """Move on."""
    by = timedelta(**{**call.operation.defaults, **call.body})
    _checked(call.world.clock.now() + by, "days")
    call.world.clock.advance(by)
    return clock_view(call.world.clock)


def release_clock(call: Call, stub: Stub) -> Mapping[str, Any]:
    """Run with the real time again."""
    call.world.clock.release()
    return clock_view(call.world.clock)


def _checked(moment: datetime, field: str) -> datetime:
    """The moment in UTC. Raises a 400 refusal where it is too far away."""
    if moment.tzinfo is None or not _FIRST <= moment < _LAST:
        raise invalid(field, "invalid", f"The clock goes from {_FIRST.year} to {_LAST.year - 1}, with an offset or Z.")
    return moment.astimezone(UTC)
