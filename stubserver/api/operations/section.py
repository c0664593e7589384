"""Sections of a course, without their lessons."""

from typing import Any

from stubserver.api import rules
from stubserver.api.body_checks import refuse, unknown_ids
from stubserver.api.progress import ordered_sections
from stubserver.api.removal import remove_section
from stubserver.call import Call
from stubserver.worlds.base import Row


def list_course_sections(call: Call) -> list[Row]:
    """All sections of the course, in display order (R310)."""
    return ordered_sections(call, call.course)


def create_course_section(call: Call) -> Row:
    """Add a section at the end of the course (R302)."""
    world, course = call.world, call.course
    blank = {"id": world.sections.next_id(), "course_id": course["id"], "lessons_order": []}
    section = world.sections.put(_changed(call, {**call.operation.defaults, **blank}))
    world.courses.put({**course, "sections_order": [*course["sections_order"], section["id"]]})
    return section


def get_course_section(call: Call) -> Row:
    """A section with the order of its lessons."""
    return call.section


def update_course_section(call: Call) -> Row:
    """Set the fields that are sent; optional fields that are left out keep their values (R021)."""
    return call.world.sections.put(_changed(call, call.section))


def patch_course_section(call: Call) -> Row:
    """The same as update_course_section; only the contract differs (it requires no field)."""
    return update_course_section(call)


def delete_course_section(call: Call) -> None:
    """Delete the section with its lessons (R303)."""
    order = [number for number in call.course["sections_order"] if number != call.section["id"]]
    call.world.courses.put({**call.course, "sections_order": order})
    remove_section(call.world, call.section)


def _changed(call: Call, section: Row) -> dict[str, Any]:
    """The section with the body applied. Raises a 400 refusal for a lesson of another section (R306)."""
    order = section["lessons_order"]
    refuse(unknown_ids(call.body, "lessons_order", order, "lesson in this section"))
    return {**section, **call.body, "lessons_order": rules.reordered(order, call.body.get("lessons_order", ()))}
