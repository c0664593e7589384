"""The rules that are plain arithmetic: visibility, dates, locks and completion. Pure functions of their arguments."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

MANAGING = ("creator", "manager")
"""Statuses that may run a course (R125)."""
MEMBERS = ("creator", "manager", "joined")
"""Statuses of the people inside a course (R201)."""
STATUSES = (*MEMBERS, "invited", "requested")
"""All that somebody can be in a course (R201)."""
PRIVACIES = ("", "open", "private", "secret")
"""All that a course can be; "" is a draft."""
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


def open_in_order(done: Iterable[bool]) -> int:
    """How many of the lessons an enforced order leaves open: those done, and the first that is not (R315)."""
    opened = 0
    for completed in done:
        opened += 1
        if not completed:
            break
    return opened


def reordered(order: Iterable[int], wanted: Iterable[int]) -> list[int]:
    """`order` rearranged so that `wanted` comes first; what `wanted` leaves out keeps its place behind (R124)."""
    first = list(dict.fromkeys(wanted))
    return first + [item for item in order if item not in first]


def grade(correct: int, questions: int) -> int:
    """Percentage of correct answers, rounded half up (R409)."""
    return (200 * correct + questions) // (2 * questions)


def result(grade: int, passing_grade: int) -> str:
    """Whether a grade passes (R410)."""
    return "completed" if grade >= passing_grade else "failed"


def after_attempt(before: str, result: str) -> str:
    """The completion status that an attempt leaves behind: a quiz once passed stays passed (R411)."""
    return "completed" if before == "completed" else result


def right_number_of_correct_answers(question_type: str, correct: int) -> bool:
    """Exactly one for single_choice, at least one for multi_choice (R402)."""
    return correct == 1 if question_type == "single_choice" else correct >= 1
