"""The contents of a course and a user's progress in it: lookups that views, guards and operations share."""

from collections.abc import Iterable, Iterator, Sequence

from stubserver.api import rules
from stubserver.call import Call
from stubserver.worlds.base import Row


def ordered_sections(call: Call, course: Row) -> list[Row]:
    """The sections of a course in display order."""
    return [call.world.sections[number] for number in course["sections_order"]]


def ordered_lessons(call: Call, section: Row) -> list[Row]:
    """The lessons of a section in display order."""
    return [call.world.lessons[number] for number in section["lessons_order"]]


def ordered_questions(call: Call, lesson: Row) -> list[Row]:
    """The questions of a quiz in display order; empty for a plain lesson (R420)."""
    if lesson["type"] != "quiz":
        return []
    return [call.world.questions[number] for number in lesson["questions_order"]]


def published_in(call: Call, section: Row) -> list[Row]:
    """The published lessons of a section in display order."""
    return [row for row in ordered_lessons(call, section) if row["status"] == "published"]


def published_lessons(call: Call, course: Row) -> Iterator[Row]:
    """The published lessons of a course in display order."""
    sections, lessons = call.world.sections, call.world.lessons
    for section in course["sections_order"]:
        for lesson in sections[section]["lessons_order"]:
            row = lessons[lesson]
            if row["status"] == "published":
                yield row


def is_completed(call: Call, lesson: Row, user: int | None) -> bool:
    """Whether the user has completed the lesson; a failed quiz does not count (R315)."""
    return completion_status(call, lesson, user) == "completed"


def completion_status(call: Call, lesson: Row, user: int | None) -> str:
    """The user's status in the lesson: "uncompleted", "completed" or, for a quiz only, "failed" (R321)."""
    completion = call.world.completions.get((user, lesson["id"]))
    if completion is None or (completion["status"] == "failed" and lesson["type"] != "quiz"):
        return "uncompleted"
    return str(completion["status"])


def completion_rate(call: Call, course: Row, user: int | None) -> int:
    """The percentage of published lessons that the user has completed (R131)."""
    if not call.world.completions.keys("user_id", user):
        return 0
    done = [is_completed(call, lesson, user) for lesson in published_lessons(call, course)]
    return rules.percentage(sum(done), len(done))


def members(call: Call, course: int, statuses: Sequence[str]) -> list[Row]:
    """The memberships of a course that have one of `statuses`, ordered by user id (R611)."""
    return [row for row in call.world.memberships.where("course_id", course) if row["status"] in statuses]


def record_completion(call: Call, lesson: Row, status: str) -> None:
    """Record the caller's status in a lesson; completing one also counts as their last activity (R318, R608)."""
    world, now = call.world, call.world.clock.now()
    world.completions.put({"user_id": call.user_id, "lesson_id": lesson["id"], "status": status, "at": now})
    membership = world.memberships.get((call.course["id"], call.user_id))
    if status == "completed" and membership is not None:
        world.memberships.put({**membership, "last_active_at": now})


def matching_users(call: Call, users: Iterable[Row], parameter: str = "search") -> list[Row]:
    """The users whose username or real name contains the text in the query parameter (R025)."""
    return [row for row in users if call.searches(row["username"], row["real_name"], parameter=parameter)]
