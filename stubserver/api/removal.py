"""Removal of rows together with everything that belongs to them (R126, R303, R513)."""

from stubserver.worlds.base import Row
from stubserver.worlds.world import World


def remove_course(world: World, course: Row) -> None:
    """Delete a course with its cover, its memberships, its sections and their lessons."""
    for section in world.sections.where("course_id", course["id"]):
        remove_section(world, section)
    for membership in world.memberships.where("course_id", course["id"]):
        world.memberships.delete((course["id"], membership["user_id"]))
    world.pictures.delete(("courses", course["id"]))
    world.courses.delete(course["id"])


def remove_section(world: World, section: Row) -> None:
    """Delete a section with its lessons."""
    for lesson in world.lessons.where("section_id", section["id"]):
        remove_lesson(world, lesson)
    world.sections.delete(section["id"])


def remove_lesson(world: World, lesson: Row) -> None:
    """Delete a lesson with its questions, attempts, comments and completions."""
    for table in (world.questions, world.attempts, world.comments):
        for row in table.where("lesson_id", lesson["id"]):
            table.delete(row["id"])
    for completion in world.completions.where("lesson_id", lesson["id"]):
        world.completions.delete((completion["user_id"], lesson["id"]))
    world.lessons.delete(lesson["id"])


def remove_comment(world: World, comment: Row) -> None:
    """Delete a comment with its replies, and clear `in_reply_to` in comments that answered one of them."""
    gone = [comment, *world.comments.where("parent", comment["id"])]
    for row in gone:
        world.comments.delete(row["id"])
    numbers = {row["id"] for row in gone}
    for row in world.comments.where("lesson_id", comment["lesson_id"]):
        if row["in_reply_to"] in numbers:
            world.comments.put({**row, "in_reply_to": None})
