"""Grading, and the arithmetic behind quizzes and an enforced lesson order, case by case."""

from copy import deepcopy
from typing import Any

import pytest

from stubserver.api import rules
from stubserver.api.grading import graded

QUESTIONS: list[dict[str, Any]] = [
    {
        "id": number,
        "lesson_id": 5,
        "type": kind,
        "text": f"Question {number}",
        "image": None,
        "answers": [{"id": 10 * number + n, "text": str(n), "correct": n in right} for n in range(1, 4)],
    }
    for number, kind, right in ((1, "single_choice", {1}), (2, "multi_choice", {1, 3}), (3, "multi_choice", {1, 2, 3}))
]
RIGHT = {1: {11}, 2: {21, 23}, 3: {31, 32, 33}}


@pytest.mark.parametrize(
    ("correct", "questions", "expected"),
    [
        (0, 1, 0),
        (1, 1, 100),
        (1, 2, 50),
        (1, 3, 33),
        (2, 3, 67),
        (3, 3, 100),
        (1, 8, 13),  # 12.5, half up
        (3, 8, 38),  # 37.5, half up
        (7, 8, 88),  # 87.5, half up
        (1, 6, 17),
        (1, 200, 1),  # 0.5, half up
        (1, 201, 0),
        (199, 200, 100),  # 99.5: a grade may round to 100, unlike a completion rate
    ],
)
def test_make_course_attempt_grade(correct: int, questions: int, expected: int) -> None:
    """R409: the percentage of right answers as an integer, rounded half up."""
    assert rules.grade(correct, questions) == expected


@pytest.mark.parametrize(
    ("grade", "passing_grade", "expected"),
    [
        (60, 60, "completed"),
        (59, 60, "failed"),
        (61, 60, "completed"),
        (0, 0, "completed"),
        (0, 1, "failed"),
        (100, 100, "completed"),
        (99, 100, "failed"),
    ],
)
def test_make_course_attempt_result(grade: int, passing_grade: int, expected: str) -> None:
    """R410: reaching the passing grade exactly is a pass."""
    assert rules.result(grade, passing_grade) == expected


@pytest.mark.parametrize(
    ("before", "result", "expected"),
    [
        ("uncompleted", "completed", "completed"),
        ("uncompleted", "failed", "failed"),
        ("failed", "completed", "completed"),
        ("failed", "failed", "failed"),
        ("completed", "completed", "completed"),
        ("completed", "failed", "completed"),
    ],
)
def test_make_course_attempt_completion(before: str, result: str, expected: str) -> None:
    """R411: an attempt completes or fails the quiz, but a quiz once passed stays passed."""
    assert rules.after_attempt(before, result) == expected


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("single_choice", [False, True, False, False]), ("multi_choice", [False, True, True, True])],
)
def test_create_course_question_right_answers(kind: str, expected: list[bool]) -> None:
    """R402: exactly one for single_choice, one or more for multi_choice."""
    assert [rules.right_number_of_correct_answers(kind, correct) for correct in range(4)] == expected


@pytest.mark.parametrize(
    ("done", "expected"),
    [("", 0), ("0", 1), ("1", 1), ("00", 1), ("01", 1), ("10", 2), ("110", 3), ("1101", 3), ("010", 1), ("111", 3)],
)
def test_get_course_lesson_open_in_order(done: str, expected: int) -> None:
    """R315: the completed lessons and the first uncompleted one are open, whatever was completed after it."""
    assert rules.open_in_order(digit == "1" for digit in done) == expected


@pytest.mark.parametrize(
    ("change", "passing_grade", "right", "grade", "result"),
    [
        ({}, 100, [True, True, True], 100, "completed"),
        ({1: {12}}, 67, [False, True, True], 67, "completed"),
        ({1: {12}}, 68, [False, True, True], 67, "failed"),
        ({2: {21}}, 60, [True, False, True], 67, "completed"),
        ({2: {21, 22, 23}}, 60, [True, False, True], 67, "completed"),
        ({2: {22}, 3: {31, 32}}, 33, [True, False, False], 33, "completed"),
        ({2: {22}, 3: {31, 32}}, 34, [True, False, False], 33, "failed"),
        ({1: {13}, 2: {22}, 3: {31}}, 0, [False, False, False], 0, "completed"),
        ({1: {11, 12}}, 60, [False, True, True], 67, "completed"),
    ],
)
def test_make_course_attempt_graded(
    change: dict[int, set[int]], passing_grade: int, right: list[bool], grade: int, result: str
) -> None:
    """R409, R410, R415: right means exactly the correct options; the grade is kept together with the passing grade."""
    marked = graded(QUESTIONS, {**RIGHT, **change}, passing_grade)
    copies = marked.pop("questions")
    assert marked == {
        "correct_responses": sum(right),
        "grade": grade,
        "passing_grade": passing_grade,
        "result": result,
    }
    assert [copy["correct"] for copy in copies] == right


def test_make_course_attempt_graded_copies() -> None:
    """R413, R418: the copy holds every field, marks what was selected, and leaves the questions untouched."""
    before = deepcopy(QUESTIONS)
    copies = graded(iter(QUESTIONS), {**RIGHT, 2: {22, 23}}, 60)["questions"]
    assert before == QUESTIONS
    assert copies[1] == {
        **QUESTIONS[1],
        "correct": False,
        "answers": [
            {"id": 21, "text": "1", "correct": True, "selected": False},
            {"id": 22, "text": "2", "correct": False, "selected": True},
            {"id": 23, "text": "3", "correct": True, "selected": True},
        ],
    }
    for copy, question in zip(copies, QUESTIONS, strict=True):
        assert copy is not question
        assert all(mine is not theirs for mine, theirs in zip(copy["answers"], question["answers"], strict=True))
