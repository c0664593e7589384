"""The requests that are measured: a few single ones, and a student's way through a lesson."""

from dataclasses import dataclass, replace
from typing import Any

_COURSE = "/api/v2/course/1/"
_LESSON = f"{_COURSE}section/1/lesson/1/"


@dataclass(frozen=True)
class Request:
    """One request, and the operation it stands for in our contract."""

    operation: str
    method: str
    path: str
    token: str
    body: dict[str, Any] | None = None

    def by(self, method: str) -> "Request":
        """The same request with another method, for a peer that needs it."""
        return replace(self, method=method)

    def at(self, base: str) -> "Request":
        """The same request with a base path, which names a world."""
        return replace(self, path=base + self.path)


@dataclass(frozen=True)
class Workload:
    """Requests that are sent in a cycle."""

    name: str
    title: str
    requests: tuple[Request, ...]


CHANGES: dict[str, Any] = {
    "name": "Watercolour for Absolute Beginners",
    "type": "self-paced",
    "privacy": "open",
    "description": "Everything you need for your first painting: a brush, a jar of water and a little patience.",
    "categories": [1],
    "enforce_lessons_order": False,
    "new_comment_notification_enabled": True,
    "hide_member_count": False,
}
"""A body of about 300 bytes."""

GET = Request("get_course", "GET", _COURSE, "stub-creator")
PAGE = Request("search_courses", "GET", "/api/v2/course/search/?limit=10", "stub-creator")
# Two different ones, so that each of them changes the course.
PUTS = tuple(
    Request("update_course", "PUT", _COURSE, "stub-creator", {**CHANGES, "description": description})
    for description in (CHANGES["description"], CHANGES["description"].replace("patience", "devotion"))
)


def _lap(comment: str) -> tuple[Request, ...]:
    """One way through the lesson, in the order of the vendor's pages. Nothing is created, so that nothing grows."""
    asked = (
        ("get_me", "GET", "/api/v2/user/me/", None),
        ("search_courses", "GET", PAGE.path, None),
        ("list_joined_courses", "GET", "/api/v2/course/", None),
        ("get_course", "GET", _COURSE, None),
        ("get_course_status", "GET", f"{_COURSE}status/", None),
        ("get_course_lesson", "GET", _LESSON, None),
        ("list_course_lesson_comments", "GET", f"{_LESSON}comment/", None),
        ("update_course_comment", "PUT", f"{_LESSON}comment/10/", {"text": comment}),
        ("complete_course_lesson", "POST", f"{_LESSON}complete/", None),
        ("list_course_questions", "GET", f"{_COURSE}section/2/lesson/5/question/", None),
    )
    return tuple(Request(operation, method, path, "stub-member", body) for operation, method, path, body in asked)


BROWSE = (*_lap("My first wash, and I am proud of it."), *_lap("My first wash, but I am proud of it."))

WORKLOADS = {
    workload.name: workload
    for workload in (
        Workload("get", "GET one course", (GET,)),
        Workload("page", "GET a page of 10 courses", (PAGE,)),
        Workload("put", "PUT a course", PUTS),
        Workload("browse", "Browse and learn (10 operations)", BROWSE),
    )
}
