"""The clock of a world, which shows real time until it is frozen, set or advanced."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from stubserver.api.views import Listing
from stubserver.call import Call
from stubserver.contract.schema import echo
from stubserver.control.moments import Moment, moments
from stubserver.control.server_parts import ServerParts, clock_view
from stubserver.errors import invalid
from stubserver.worlds.clock import check_moment


def get_clock(call: Call, parts: ServerParts) -> Mapping[str, Any]:
    """The time in the world, and whether it stands still."""
    return clock_view(call.world.clock)


def list_moments(call: Call, parts: ServerParts) -> Listing:
    """The moments that are still to come and on which answers depend, the nearest first."""
    found, is_partial = moments(call.world, call.world.clock.now())
    return Listing(found, Moment.shown, partial=is_partial)


def freeze_clock(call: Call, parts: ServerParts) -> Mapping[str, Any]:
    """Stop the clock, at the given time or now."""
    clock = parts.touched(call).clock
    if "at" in call.query and "at" in call.body:
        raise invalid("at", "invalid", "Give the time in the body or in the query, not in both.")
    given = call.body.get("at", call.query.get("at"))
    clock.freeze(None if given is None else _checked(given, "at"))
    return clock_view(clock)


def set_clock(call: Call, parts: ServerParts) -> Mapping[str, Any]:
    """Set the clock to the given time; a frozen clock stays frozen there."""
    clock = parts.touched(call).clock
    clock.set(_checked(call.body["at"], "at"))
    return clock_view(clock)


def advance_clock(call: Call, parts: ServerParts) -> Mapping[str, Any]:
    """Move the clock forward, frozen or not."""
    clock = parts.touched(call).clock
    by = timedelta(**{**call.operation.defaults, **call.body})
    largest = max(call.body, key=lambda unit: timedelta(**{unit: call.body[unit]}))
    _checked(clock.now() + by, largest)
    clock.advance(by)
    return clock_view(clock)


def release_clock(call: Call, parts: ServerParts) -> Mapping[str, Any]:
    """Return to real time."""
    clock = parts.touched(call).clock
    clock.release()
    return clock_view(clock)


def _checked(moment: datetime | str, field: str) -> datetime:
    """The time in UTC. Raises a 400 refusal if there is no such time, or if it is beyond the range of a clock."""
    try:
        at = datetime.fromisoformat(moment.upper()) if isinstance(moment, str) else moment
    except ValueError:
        raise invalid(
            field,
            "invalid",
            f"{echo(moment)} is no date and time that exists: write 2031-05-01T09:00:00Z, for example.",
        ) from None
    try:
        check_moment(at)
    except ValueError as error:
        raise invalid(field, "invalid", str(error)) from None
    return at.astimezone(UTC)
