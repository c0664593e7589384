"""How a project uses the client that openapi-python-client makes."""

import sys

from client.api.course import create_course, patch_course, search_courses, update_course
from client.api.lesson import get_course_lesson
from client.client import AuthenticatedClient
from client.models import (
    Course,
    CourseLesson,
    CourseMinimalPage,
    CoursePatch,
    CourseUpdate,
    CourseUpdateType,
    CourseWrite,
    CourseWriteType,
)


def use(host: str) -> int:
    client = AuthenticatedClient(base_url=host, token="stub-creator")
    new = CourseWrite(name="Knots", type_=CourseWriteType.SELF_PACED, description="Kept")
    course = create_course.sync(client=client, body=new)
    assert isinstance(course, Course)
    changed = patch_course.sync(course.id, client=client, body=CoursePatch(name="Knots and splices"))
    assert isinstance(changed, Course)
    assert (changed.name, changed.description) == ("Knots and splices", "Kept")
    again = CourseUpdate(name="Knots", type_=CourseUpdateType.SELF_PACED)
    assert isinstance(update_course.sync(course.id, client=client, body=again), Course)
    lesson = get_course_lesson.sync(7, 16, 29, client=client)
    assert isinstance(lesson, CourseLesson)
    assert lesson.last_attempt is None
    seen, more = 0, True
    while more:
        page = search_courses.sync(client=client, limit=5, offset=seen)
        assert isinstance(page, CourseMinimalPage)
        seen += len(page.results)
        more = page.next_ is not None
    return seen


if __name__ == "__main__":
    assert use(sys.argv[1]) > 5
