"""What the tests of lessons share."""

from typing import Any

import httpx

from tests.support.answers import ok
from tests.support.client import Api
from tests.support.default import QUIZ

COURSES = {"open": (1, 1, 1), "private": (4, 10, 19), "secret": (7, 16, 28), "draft": (10, 21, 34)}
"""Privacy -> a course with it, its first section, and the first lesson in that section."""
LESSONS = "/course/{}/section/{}/lesson/"
LESSON = "/course/{}/section/{}/lesson/{}/"
WRITTEN = {"json": {"name": "Frames", "type": "lesson"}}
FOR_MANAGERS: dict[str, tuple[str, str, dict[str, Any], int]] = {
    "list_course_lessons": ("GET", LESSONS, {}, 200),
    "create_course_lesson": ("POST", LESSONS, WRITTEN, 201),
    "update_course_lesson": ("PUT", LESSON, WRITTEN, 200),
    "patch_course_lesson": ("PATCH", LESSON, WRITTEN, 200),
    "delete_course_lesson": ("DELETE", LESSON, {}, 204),
}
"""Method, path, what to send, and the status on success."""
FOR_STUDENTS: dict[str, tuple[str, str, dict[str, Any], int]] = {
    "get_course_lesson": ("GET", LESSON, {}, 200),
    "complete_course_lesson": ("POST", LESSON + "complete/", {}, 204),
    "incomplete_course_lesson": ("POST", LESSON + "incomplete/", {}, 204),
}
OPERATIONS = {**FOR_MANAGERS, **FOR_STUDENTS}
MEMBERS_ONLY = "Only people who have joined the course may do this."


def forbidden(response: httpx.Response, message: str) -> None:
    """A 403 that says why."""
    assert response.status_code == 403, response.text
    assert response.json() == {"errors": [{"message": message, "code": "permission_denied"}]}


def ids(rows: list[Any]) -> list[int]:
    return [row["id"] for row in rows]


def attempt(api: Api, selected: dict[int, list[int]], path: str = QUIZ) -> Any:
    responses = [{"question_id": number, "selected_options": options} for number, options in selected.items()]
    return ok(api.post(f"{path}attempt/", json={"responses": responses}))
