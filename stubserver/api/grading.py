"""Grading of quiz attempts: pure functions of the questions and the chosen answers (R409, R410, R413)."""

from collections.abc import Iterable, Mapping
from typing import Any

from stubserver.api import rules
from stubserver.worlds.base import Row


def graded(questions: Iterable[Row], selected: Mapping[int, set[int]], passing_grade: int) -> dict[str, Any]:
    """The result of an attempt, with its own copy of the questions, which later edits do not affect.

    `selected` maps each question id to the ids of the chosen answers; `passing_grade` is a percentage.
    """
    copies = [_graded_question(question, selected[question["id"]]) for question in questions]
    right = sum(copy["correct"] for copy in copies)
    grade = rules.grade(right, len(copies))
    return {
        "questions": copies,
        "correct_responses": right,
        "grade": grade,
        "passing_grade": passing_grade,
        "result": rules.result(grade, passing_grade),
    }


def _graded_question(question: Row, selected: set[int]) -> dict[str, Any]:
    answers = [{**answer, "selected": answer["id"] in selected} for answer in question["answers"]]
    correct = all(answer["selected"] == answer["correct"] for answer in answers)
    return {**question, "answers": answers, "correct": correct}
