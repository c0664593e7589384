"""The people in a course: what they say is html, and who was there when."""

import random
from itertools import count
from typing import Any

from stubserver.authoring.draws import DAY
from stubserver.authoring.members import Lesson, MemberDraw
from stubserver.authoring.phrases import Language
from stubserver.authoring.shapes import Shape
from stubserver.authoring.writer import Writer

WORDS = {"comments": ["From {place}, <b>with love</b>"], "replies": ["Thanks, {name}"]}
SHAPE = Shape(threads=(2, 2), replies=(3, 3), members=(7, 7))


def drawn(seed: int, *lessons: Lesson) -> dict[str, list[dict[str, Any]]]:
    data: dict[str, Any] = {"users": [{"id": number} for number in range(1, 15)]}
    tables = ("memberships", "completions", "attempts", "comments")
    data |= {table: [] for table in tables}
    draws = random.Random(seed)  # noqa: S311
    writer = Writer(Language(1, WORDS, ["Ada & Co"], ["Ely"]), draws)
    MemberDraw(data, {table: count(1) for table in tables}, SHAPE, writer, draws).add(1, 100 * DAY, lessons)
    return data


def lesson(number: int = 1, **given: Any) -> Lesson:
    known = {"created": 95 * DAY, "section": {}, "open_for": None, "published": True, "talked_about": True}
    return Lesson(number, **{**known, **given})


def test_what_people_write_is_escaped() -> None:
    """It is html, and a name may have anything in it."""
    texts = {row["text"] for row in drawn(1, lesson())["comments"]}
    assert texts == {"<p>From Ely, &lt;b&gt;with love&lt;/b&gt;</p>", "<p>Thanks, Ada &amp; Co</p>"}


def test_a_conversation_is_a_comment_and_its_replies() -> None:
    rows = drawn(1, lesson())["comments"]
    assert [row.get("parent") for row in rows] == [None, 1, 1, 1, None, 5, 5, 5]
    assert drawn(1, lesson(talked_about=False))["comments"] == []


def test_everybody_has_a_status_once() -> None:
    rows = drawn(1, lesson())["memberships"]
    assert [row["user_id"] for row in rows[:5]] == [1, 2, 3, 4, 5]
    assert {row["user_id"] for row in rows[5:]} == {*range(8, 15)}
    assert all(("joined_at" in row) == (row["status"] not in ("invited", "requested")) for row in rows)


def test_only_lessons_that_are_open_are_completed() -> None:
    closed = [
        lesson(2, published=False),
        lesson(3, open_for=-DAY),
        lesson(4, section={"drip_delay": 200}),
    ]
    done = {row["lesson_id"] for seed in range(20) for row in drawn(seed, lesson(1), *closed)["completions"]}
    assert done == {1}


def test_a_quiz_may_be_failed_and_that_is_the_end() -> None:
    question = {"id": 7, "type": "multi_choice", "answers": [{"id": 1, "correct": True}, {"id": 2, "correct": False}]}
    found = [drawn(seed, lesson(1, questions=[question]), lesson(2)) for seed in range(20)]
    failed = [(data, row) for data in found for row in data["completions"] if row["status"] == "failed"]
    assert failed
    for data, row in failed:
        assert [done for done in data["completions"] if done["user_id"] == row["user_id"]] == [row]
        (attempt,) = [made for made in data["attempts"] if made["user_id"] == row["user_id"]]
        assert attempt["responses"] == [{"question_id": 7, "selected_options": [2]}]
