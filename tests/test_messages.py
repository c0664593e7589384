"""What refusals say: a sentence that tells a person what is wrong and what would be right."""

from typing import Any

import pytest

from tests.support.answers import codes
from tests.support.client import Api
from tests.support.default import QUIZ

LESSON = "/course/1/section/1/lesson/1/"
MUTED = "/course/1/section/1/lesson/3/"
EMPTY_QUIZ = "/course/15/section/27/lesson/49/"
NAME = "Watercolour for Absolute Beginners"
ANSWERS = [{"text": "Yes", "correct": True}, {"text": "Perhaps", "correct": True}]


@pytest.mark.parametrize(
    ("persona", "method", "path", "body", "field", "code", "message"),
    [
        (None, "GET", "/course/1/?view=edit", None, "", "not_authenticated", "Authentication credentials were not provided."),
        ("member", "POST", MUTED + "comment/", {}, "", "permission_denied", "Comments are disabled for this lesson."),
        ("creator", "GET", "/course/1/?user=99", None, "", "not_found", "User 99 does not exist or is not visible to you."),
        ("creator", "POST", "/course/", {"name": NAME, "type": "structured"}, "name", "unique", "A course with this name already exists."),
        ("creator", "PATCH", "/course/2/", {"slug": "watercolour-for-absolute-beginners"}, "slug", "unique", "A course with this slug already exists."),
        ("creator", "PATCH", "/course/1/", {"privacy": ""}, "privacy", "invalid", "A published course cannot go back to draft. Use one of: open, private, secret."),
        ("creator", "PATCH", "/course/1/", {"categories": [1, 77]}, "categories", "does_not_exist", "No such category: 77."),
        ("creator", "PATCH", "/course/1/", {"sections_order": [77]}, "sections_order", "does_not_exist", "No such section in this course: 77."),
        ("creator", "PATCH", "/course/1/section/1/", {"lessons_order": [77]}, "lessons_order", "does_not_exist", "No such lesson in this section: 77."),
        ("creator", "PATCH", LESSON, {"medias": [77]}, "medias", "does_not_exist", "No such media: 77."),
        ("creator", "PATCH", QUIZ, {"questions_order": [77]}, "questions_order", "does_not_exist", "No such question in this quiz: 77."),
        ("member", "POST", LESSON + "comment/", {"medias": [77]}, "medias", "does_not_exist", "No such media: 77."),
        ("member", "POST", LESSON + "comment/", {"parent": 77}, "parent", "does_not_exist", "No such first-level comment in this lesson: 77."),
        ("member", "POST", LESSON + "comment/", {"in_reply_to": 2}, "in_reply_to", "invalid", "in_reply_to needs parent, and must be one of the replies to it."),
        ("creator", "POST", QUIZ + "question/", {"type": "single_choice", "text": "?", "answers": ANSWERS}, "answers", "invalid", "A single_choice question needs exactly one correct answer; this one has 2."),
        ("creator", "POST", QUIZ + "question/", {"type": "multi_choice", "text": "?", "answers": [{"text": "No"}]}, "answers", "invalid", "A multi_choice question needs at least one correct answer; this one has 0."),
        ("creator", "POST", EMPTY_QUIZ + "attempt/", {"responses": []}, "responses", "invalid", "This quiz has no questions yet."),
        ("stranger", "DELETE", "/course/1/join/", None, "", "not_found", "The status of user 6 in course 1 does not exist or is not visible to you."),
        ("creator", "DELETE", "/course/1/join/", None, "", "permission_denied", "The creator of a course cannot leave it or be removed from it."),
        ("creator", "POST", "/course/1/invite/", {"users": [77]}, "users", "does_not_exist", "No such user: 77."),
        ("creator", "POST", "/course/1/role/", {"other": []}, "managers", "required", "Give at least one of managers, joined and unjoined."),
        ("creator", "POST", "/course/1/role/", {"managers": [3], "joined": [3]}, "joined", "invalid", "User 3 is in more than one list."),
        ("creator", "POST", "/course/1/role/", {"unjoined": [1]}, "unjoined", "invalid", "User 1 is the creator, whose role cannot change."),
    ],
)  # fmt: skip
def test_a_refusal_says_what_is_wrong(
    api: Api, persona: str, method: str, path: str, body: Any, field: str, code: str, message: str
) -> None:
    """R017, R018: the field, the code, and a sentence."""
    response = api.as_(persona).request(method, path, json=body)
    assert codes(response) == {field: code}
    (entry,) = response.json()["errors"]
    assert (entry["messages"][0] if field else entry)["message"] == message


@pytest.mark.in_process("a fixture or preference of its own")
def test_a_community_of_staff_authors_says_so(api: Api) -> None:
    """R114: who may create courses, in the words of the refusal."""
    api.world.preferences = {**api.world.preferences, "configurations.courses_only_staff_enabled": True}
    response = api.as_("creator").post("/course/", json={"name": "Mine", "type": "structured"})
    (entry,) = response.json()["errors"]
    assert entry["message"] == "Only platform staff may create courses in this community."
