"""Questions of a quiz, with their answers."""

from typing import Any

from stubserver.api import rules
from stubserver.api.body_checks import refuse
from stubserver.api.progress import ordered_questions
from stubserver.api.views.lesson import QuestionView
from stubserver.call import Call
from stubserver.errors import Problem
from stubserver.worlds.base import Row


def list_course_questions(call: Call) -> list[QuestionView]:
    """All questions of the quiz, in display order (R310)."""
    return [QuestionView(call, row) for row in ordered_questions(call, call.lesson)]


def create_course_question(call: Call) -> QuestionView:
    """Add a question at the end of the quiz (R302)."""
    world, lesson = call.world, call.lesson
    blank = {"id": world.questions.next_id(), "lesson_id": lesson["id"], "answers": []}
    question = world.questions.put(_changed(call, {**call.operation.defaults, **blank}))
    world.lessons.put({**lesson, "questions_order": [*lesson["questions_order"], question["id"]]})
    return QuestionView(call, question)


def create_course_question_at_lesson(call: Call) -> QuestionView:
    """create_course_question, on the path that the docs page shows by mistake."""
    return create_course_question(call)


def get_course_question(call: Call) -> QuestionView:
    """A question with its answers (R405)."""
    return QuestionView(call, call.row("question"))


def update_course_question(call: Call) -> QuestionView:
    """Set the fields that are sent; attempts keep their copy of the question (R021, R413)."""
    return QuestionView(call, call.world.questions.put(_changed(call, call.row("question"))))


def patch_course_question(call: Call) -> QuestionView:
    """The same as update_course_question; only the contract differs (it requires no field)."""
    return update_course_question(call)


def delete_course_question(call: Call) -> None:
    """Delete the question; attempts keep their copy of it (R413)."""
    question = call.row("question")["id"]
    order = [number for number in call.lesson["questions_order"] if number != question]
    call.world.lessons.put({**call.lesson, "questions_order": order})
    call.world.questions.delete(question)


def _changed(call: Call, question: Row) -> dict[str, Any]:
    """The question with the body applied. Raises a 400 refusal for a wrong number of correct answers (R402)."""
    changed = {**question, **call.body}
    if "answers" in call.body:
        changed["answers"] = _answers(call, call.body["answers"], question["answers"])
    correct = sum(answer["correct"] for answer in changed["answers"])
    if not rules.right_number_of_correct_answers(changed["type"], correct):
        wanted = "exactly one" if changed["type"] == "single_choice" else "at least one"
        message = f"A {changed['type']} question needs {wanted} correct answer; this one has {correct}."
        refuse([Problem("invalid", message, "answers")])
    return changed


def _answers(call: Call, sent: list[dict[str, Any]], before: list[Row]) -> list[dict[str, Any]]:
    """The new list of answers; each takes over the id of the old answer in its place, if there was one (R404)."""
    ids = [answer["id"] for answer in before]
    ids += [call.world.answers.next_id() for _ in sent[len(ids) :]]
    return [
        {"id": number, "text": answer["text"], "correct": answer.get("correct", False)}
        for number, answer in zip(ids, sent, strict=False)
    ]
