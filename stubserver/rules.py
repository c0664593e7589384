"""The rules that are plain arithmetic: visibility, dates, locks and completion. Pure functions of their arguments."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

MANAGING = ("creator", "manager")
"""Statuses that may run a course (R125)."""
MEMBERS = ("creator", "manager", "joined")
"""Statuses of the people inside a course (R201)."""
STUDENTS = ("manager", "joined")
"""Statuses that count as learners: rosters, dashboards and averages start from them (R132, R214, R601)."""
STAFF = ("admin", "moderator", "editor")
"""Roles of platform staff (R114)."""


def visible(privacy: str, status: str | None) -> bool:
    """Whether a course exists at all for somebody with `status` in it (R101-R104)."""
    match privacy:
        case "":
            return status in MANAGING
        case "secret":
            return status in MEMBERS or status == "invited"
        case _:
            return True


def sees_everything(privacy: str, status: str | None) -> bool:
    """Whether somebody sees a visible course in full, or only its lock screen (R103, R105)."""
    return privacy != "private" or status in MEMBERS or status == "invited"


def percentage(done: int, total: int) -> int:
    """Share of `total`, rounded half up, but 100 only when all is done; 0 of nothing (R131)."""
    if total == 0:
        return 0
    rate = (200 * done + total) // (2 * total)
    return rate if done >= total else min(rate, 99)


def mean(rates: Iterable[int]) -> int:
    """Average of whole percentages, rounded half up; 0 of nothing (R132)."""
    values = list(rates)
    return (2 * sum(values) + len(values)) // (2 * len(values)) if values else 0


def available_date(course_type: str, section: Mapping[str, Any], joined_at: datetime | None) -> datetime | None:
    """When a section opens for somebody; None where it is open or nobody can say (R313, R314, R317)."""
    if course_type == "scheduled":
        date: datetime | None = section["dripped_at"]
        return date
    if course_type == "structured" and joined_at is not None:
        return joined_at + timedelta(days=section["drip_delay"])
    return None


def opens_later(available: datetime | None, now: datetime) -> bool:
    """Whether a section with that date is still closed."""
    return available is not None and now < available


def first_locked(done: Iterable[bool]) -> int | None:
    """With an enforced order, the position of the first published lesson that is still locked (R315).

    Everything up to the first lesson that is not done is open; None where nothing is locked.
    """
    for position, completed in enumerate(done):
        if not completed:
            return position + 1
    return None


def reordered(order: Iterable[int], wanted: Iterable[int]) -> list[int]:
    """`order` rearranged so that `wanted` comes first; what `wanted` leaves out keeps its place behind (R124)."""
    first = list(dict.fromkeys(wanted))
    return first + [item for item in order if item not in first]
