"""Completing what is known: parents, required fields, and nothing that hangs in the air."""

from typing import Any

from stubserver.authoring.completing import SOME_TIME, Completing
from stubserver.authoring.known import Known


def completed(deleted: Any = (), orders: Any = None, **tables: Any) -> Completing:
    rows = {table: {row["id"]: row for row in given} for table, given in tables.items()}
    found = Completing(Known(rows, orders or {}, deleted=set(deleted)))
    found.complete()
    return found


def lesson(number: int, section: int, **more: Any) -> dict[str, Any]:
    return {"id": number, "section_id": section, **more}


def test_what_is_required_is_filled_in_and_counted() -> None:
    found = completed(users=[{"id": 5}], courses=[{"id": 3, "created_by": 5}])
    course = found.tables["courses"][3]
    assert (course["name"], course["slug"], course["type"], course["created_at"]) == (
        "Course 3",
        "course-3",
        "self-paced",
        SOME_TIME,
    )
    assert found.unknown["courses", "created_at"] == 1
    assert found.unknown["users", "date_joined"] == 1
    assert found.tables["memberships"] == {
        (3, 5): {"course_id": 3, "user_id": 5, "status": "creator", "joined_at": SOME_TIME}
    }


def test_times_come_from_what_is_known_best() -> None:
    found = completed(
        courses=[{"id": 3, "created_by": 5, "created_at": "t"}],
        sections=[{"id": 10, "course_id": 3}],
        lessons=[lesson(20, 10)],
        completions=[],
    )
    row = found.tables["lessons"][20]
    assert (row["created_at"], row["created_by"], row["name"], row["type"]) == ("t", 5, "Lesson 20", "lesson")


def test_what_is_only_mentioned_is_there() -> None:
    """In an order, or as what something belongs to."""
    found = completed(
        courses=[{"id": 3, "created_by": 5}],
        sections=[{"id": 11, "course_id": 4}],
        orders={("sections", 3): [10], ("lessons", 10): [20]},
    )
    assert found.tables["sections"][10]["course_id"] == 3
    assert found.tables["lessons"][20]["section_id"] == 10
    assert found.tables["courses"][4]["created_by"] in found.tables["users"]
    assert found.tables["users"][5]["id"] == 5
    assert found.unknown["users", "all but the id"] == 1


def test_what_belongs_nowhere_is_left_out_and_counted() -> None:
    comment = {"id": 30, "lesson_id": 20, "created_by": 5}
    found = completed(users=[{"id": 5}], comments=[comment], lessons=[])
    assert (found.tables["comments"], found.tables["lessons"]) == ({}, {})
    assert found.dropped == {"lessons": 1, "comments": 1}


def test_what_was_deleted_takes_along_what_belonged_to_it() -> None:
    found = completed(
        deleted=[("sections", 10)],
        courses=[{"id": 3, "created_by": 5}],
        sections=[{"id": 10, "course_id": 3}, {"id": 11, "course_id": 3}],
        lessons=[lesson(20, 10), lesson(21, 11)],
        comments=[{"id": 30, "lesson_id": 20, "created_by": 5}],
        orders={("sections", 3): [10, 11], ("lessons", 10): [20], ("lessons", 11): [21]},
    )
    assert [[*found.tables[table]] for table in ("sections", "lessons", "comments")] == [[11], [21], []]
    assert not found.dropped


def test_a_deleted_course_is_gone() -> None:
    found = completed(
        deleted=[("courses", 3)],
        courses=[{"id": 3, "created_by": 5}],
        orders={("sections", 3): [10]},
        users=[{"id": 5}],
    )
    assert (found.tables["courses"], found.tables["sections"]) == ({}, {})


def test_somebody_decides_which_answer_is_correct() -> None:
    answers = [{"id": 1, "text": "A"}, {"id": 2, "text": "B"}]
    found = completed(
        courses=[{"id": 3, "created_by": 5}],
        sections=[{"id": 10, "course_id": 3}],
        lessons=[lesson(20, 10)],
        questions=[{"id": 9, "lesson_id": 20, "answers": answers}],
    )
    assert [answer["correct"] for answer in found.tables["questions"][9]["answers"]] == [True, False]
    assert found.unknown["questions", "correct answers"] == 1


def test_replies_to_comments_that_nobody_saw_stand_alone() -> None:
    reply: Any = {"id": 31, "lesson_id": 20, "created_by": 5, "parent": 30, "in_reply_to": 29}
    found = completed(
        courses=[{"id": 3, "created_by": 5}],
        sections=[{"id": 10, "course_id": 3}],
        lessons=[lesson(20, 10)],
        comments=[reply],
    )
    assert (reply["parent"], reply["in_reply_to"]) == (None, None)
    assert found.unknown["comments", "parent"] == 1


def test_attempts_at_another_quiz_are_left_out() -> None:
    """One whose questions are not all there, or that has none."""
    attempts = [
        {"id": n, "lesson_id": 20, "user_id": 5, "responses": [{"question_id": q, "selected_options": []}]}
        for n, q in ((40, 9), (41, 8))
    ]
    found = completed(
        courses=[{"id": 3, "created_by": 5}],
        sections=[{"id": 10, "course_id": 3}],
        lessons=[lesson(20, 10)],
        questions=[{"id": 9, "lesson_id": 20, "answers": [{"id": 1, "text": "A", "correct": True}]}],
        attempts=attempts,
    )
    assert [*found.tables["attempts"]] == [40]
    assert found.dropped["attempts"] == 1
