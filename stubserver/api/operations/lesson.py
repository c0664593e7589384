"""Lessons and quizzes of a section, and marking them as completed."""

from typing import Any

from stubserver.api.body_checks import refuse, unknown_ids
from stubserver.api.progress import ordered_lessons, record_completion
from stubserver.api.removal import remove_lesson
from stubserver.api.views.lesson import LessonContentView
from stubserver.call import Call
from stubserver.worlds.base import Row


def list_course_lessons(call: Call) -> list[LessonContentView]:
    """All lessons of the section, drafts included, in display order (R310)."""
    return [LessonContentView(call, row) for row in ordered_lessons(call, call.section)]


def create_course_lesson(call: Call) -> LessonContentView:
    """Add a lesson at the end of the section (R302)."""
    world, section = call.world, call.section
    blank = {
        "id": world.lessons.next_id(),
        "section_id": section["id"],
        "created_by": call.user_id,
        "created_at": world.clock.now(),
        "questions_order": [],
    }
    lesson = world.lessons.put(_changed(call, {**call.operation.defaults, **blank}))
    world.sections.put({**section, "lessons_order": [*section["lessons_order"], lesson["id"]]})
    return LessonContentView(call, lesson)


def get_course_lesson(call: Call) -> LessonContentView:
    """A lesson with its content and, if it is a quiz, its questions."""
    return LessonContentView(call, call.lesson)


def update_course_lesson(call: Call) -> LessonContentView:
    """Set the fields that are sent; questions that questions_order leaves out are deleted (R021, R406)."""
    lesson = call.world.lessons.put(_changed(call, call.lesson))
    for number in set(call.lesson["questions_order"]) - set(lesson["questions_order"]):
        call.world.questions.delete(number)
    return LessonContentView(call, lesson)


def patch_course_lesson(call: Call) -> LessonContentView:
    """The same as update_course_lesson; only the contract differs (it requires no field)."""
    return update_course_lesson(call)


def delete_course_lesson(call: Call) -> None:
    """Delete the lesson with everything that belongs to it (R303)."""
    order = [number for number in call.section["lessons_order"] if number != call.lesson["id"]]
    call.world.sections.put({**call.section, "lessons_order": order})
    remove_lesson(call.world, call.lesson)


def complete_course_lesson(call: Call) -> None:
    """Mark the lesson as completed by the caller; repeating it is allowed (R318)."""
    record_completion(call, call.lesson, "completed")


def incomplete_course_lesson(call: Call) -> None:
    """Withdraw the caller's completion (R319)."""
    call.world.completions.delete((call.user_id, call.lesson["id"]))


def _changed(call: Call, lesson: Row) -> dict[str, Any]:
    """The lesson with the body applied. Raises a 400 refusal for unknown medias, and for questions that are not in this
    quiz (R309, R406)."""
    body, order = dict(call.body), lesson["questions_order"]
    if body.get("type", lesson.get("type")) != "quiz":
        body.pop("questions_order", None)
    problems = unknown_ids(body, "medias", call.world.medias, "media")
    refuse(problems + unknown_ids(body, "questions_order", order, "question in this quiz"))
    order = list(dict.fromkeys(body["questions_order"])) if "questions_order" in body else order
    return {**lesson, **body, "questions_order": order}
