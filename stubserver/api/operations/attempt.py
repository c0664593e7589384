"""Attempts at a quiz."""

from collections import Counter
from collections.abc import Iterator

from stubserver.api import rules
from stubserver.api.body_checks import refuse
from stubserver.api.grading import graded
from stubserver.api.progress import completion_status, members, ordered_questions, record_completion
from stubserver.api.views import Listing
from stubserver.api.views.lesson import AttemptRowView, AttemptView, own_attempts
from stubserver.call import Call
from stubserver.errors import Problem
from stubserver.worlds.base import Row


def make_course_attempt(call: Call) -> AttemptView:
    """Submit answers to the whole quiz and have them graded (R407-R413)."""
    world, lesson = call.world, call.lesson
    questions = ordered_questions(call, lesson)
    refuse(_problems(call, questions))
    selected = {response["question_id"]: set(response["selected_options"]) for response in call.body["responses"]}
    attempt = {
        "id": world.attempts.next_id(),
        "lesson_id": lesson["id"],
        "user_id": call.user_id,
        "created_at": world.clock.now(),
        "num_attempts": len(own_attempts(call, lesson)) + 1,
        **graded(questions, selected, lesson["passing_grade"]),
    }
    world.attempts.put(attempt)
    before = completion_status(call, lesson, call.user_id)
    if rules.after_attempt(before, attempt["result"]) == attempt["result"]:
        record_completion(call, lesson, attempt["result"])
    return AttemptView(call, attempt)


def get_course_attempt(call: Call) -> AttemptView:
    """An attempt with its result and its copy of the questions (R413)."""
    return AttemptView(call, call.row("attempt"))


def list_course_quiz_attempts(call: Call) -> Listing:
    """All attempts in the course by people with one of the given statuses, newest first (R609)."""
    people = {row["user_id"] for row in members(call, call.course["id"], call.query["statuses"])}
    rows = [row for row in _attempts(call) if row["user_id"] in people and _matches(call, row)]
    rows.sort(key=lambda row: (row["created_at"], row["id"]), reverse=True)
    return Listing(rows, lambda row: AttemptRowView(call, row))


def _problems(call: Call, questions: list[Row]) -> Iterator[Problem]:
    """Everything that is wrong with the submitted responses (R407, R408, R419)."""
    responses = call.body["responses"]
    by_id = {question["id"]: question for question in questions}
    times = Counter(response["question_id"] for response in responses)
    if not questions:
        yield Problem("invalid", "This quiz has no questions yet.", "responses")
    for number in times.keys() - by_id.keys():
        yield Problem("does_not_exist", f"No such question in this quiz: {number}.", "responses")
    for number in by_id:
        if times[number] != 1:
            message = f"Every question must be answered once; question {number} is answered {times[number]} times."
            yield Problem("invalid", message, "responses")
    for response in responses:
        if response["question_id"] in by_id:
            yield from _wrong_options(by_id[response["question_id"]], set(response["selected_options"]))


def _wrong_options(question: Row, selected: set[int]) -> Iterator[Problem]:
    for number in sorted(selected - {answer["id"] for answer in question["answers"]}):
        message = f"Question {question['id']} has no option {number}."
        yield Problem("does_not_exist", message, "responses")
    if question["type"] == "single_choice" and len(selected) > 1:
        yield Problem("invalid", f"Question {question['id']} takes exactly one option.", "responses")


def _attempts(call: Call) -> Iterator[Row]:
    world = call.world
    for section in world.sections.where("course_id", call.course["id"]):
        for lesson in world.lessons.where("section_id", section["id"]):
            yield from world.attempts.where("lesson_id", lesson["id"])


def _matches(call: Call, attempt: Row) -> bool:
    user, lesson = call.world.users[attempt["user_id"]], call.world.lessons[attempt["lesson_id"]]
    return call.searches(user["username"], user["real_name"], lesson["name"])
