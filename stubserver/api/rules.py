"""Rules that are plain arithmetic, as pure functions: visibility, dates, locks and completion."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

MANAGING = ("creator", "manager")
"""Statuses that may manage a course (R125)."""
MEMBERS = ("creator", "manager", "joined")
"""Statuses of the people inside a course (R201)."""
STATUSES = (*MEMBERS, "invited", "requested")
"""Every status that a user can have in a course (R201)."""
PRIVACIES = ("", "open", "private", "secret")
"""Every privacy that a course can have; "" is a draft."""
STUDENTS = ("manager", "joined")
"""Statuses that count as learners in rosters, dashboards and averages (R132, R214, R601)."""
STAFF = ("admin", "moderator", "editor")
"""Roles of platform staff (R114)."""


def visible(privacy: str, status: str | None) -> bool:
    """Whether a course exists at all for a user who has `status` in it (R101-R104)."""
    match privacy:
        case "":
            return status in MANAGING
        case "secret":
            return status in MEMBERS or status == "invited"
        case _:
            return True


def sees_everything(privacy: str, status: str | None) -> bool:
    """Whether a user sees a visible course in full, not just its lock screen (R103, R105)."""
    return privacy != "private" or status in MEMBERS or status == "invited"


def percentage(done: int, total: int) -> int:
    """`done` as a percentage of `total`, rounded half up, but 100 only if all are done; 0 if there are none (R131)."""
    if total == 0:
        return 0
    rate = (200 * done + total) // (2 * total)
    return rate if done >= total else min(rate, 99)


def mean(rates: Iterable[int]) -> int:
    """Average of whole percentages, rounded half up; 0 if there are none (R132)."""
    values = list(rates)
    return (2 * sum(values) + len(values)) // (2 * len(values)) if values else 0


def available_date(course_type: str, section: Mapping[str, Any], joined_at: datetime | None) -> datetime | None:
    """When a section opens for a user; None if it has no date, or none until the user joins (R313, R314, R317)."""
    if course_type == "scheduled":
        date: datetime | None = section["dripped_at"]
        return date
    if course_type == "structured" and joined_at is not None:
        return joined_at + timedelta(days=section["drip_delay"])
    return None


def open_in_order(done: Iterable[bool]) -> int:
    """How many lessons an enforced order leaves open: all up to and including the first uncompleted one (R315)."""
    opened = 0
    for completed in done:
        opened += 1
        if not completed:
            break
    return opened


def reordered(order: Iterable[int], wanted: Iterable[int]) -> list[int]:
    """`order` with the items of `wanted` moved to the front; the others follow in their old order (R124)."""
    first = list(dict.fromkeys(wanted))
    return first + [item for item in order if item not in first]


def grade(correct: int, questions: int) -> int:
    """Percentage of correct answers, rounded half up (R409)."""
    return (200 * correct + questions) // (2 * questions)


def result(grade: int, passing_grade: int) -> str:
    """Whether a grade passes: "completed" or "failed" (R410)."""
    return "completed" if grade >= passing_grade else "failed"


def after_attempt(before: str, result: str) -> str:
    """The completion status after an attempt: a quiz that was passed once stays passed (R411)."""
    return "completed" if before == "completed" else result


def right_number_of_correct_answers(question_type: str, correct: int) -> bool:
    """Whether `correct` fits the type: exactly one for single_choice, at least one for multi_choice (R402)."""
    return correct == 1 if question_type == "single_choice" else correct >= 1
