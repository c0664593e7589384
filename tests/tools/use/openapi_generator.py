"""How a project uses the client that openapi-generator makes for Python."""

import sys

from openapi_client import ApiClient, Configuration, CourseApi, CoursePatch, CourseUpdate, CourseWrite, LessonApi


def use(host: str) -> int:
    client = ApiClient(Configuration(host=host, access_token="stub-creator"))
    courses = CourseApi(client)
    course = courses.create_course(CourseWrite(name="Knots", type="self-paced", description="Kept"))
    changed = courses.patch_course(course.id, CoursePatch(name="Knots and splices"))
    assert (changed.name, changed.description) == ("Knots and splices", "Kept")
    courses.update_course(course.id, CourseUpdate(name="Knots", type="self-paced"))
    lesson = LessonApi(client).get_course_lesson(7, 16, 29)
    assert lesson.last_attempt is None
    seen, page = 0, courses.search_courses(limit=5)
    seen += len(page.results)
    while page.next is not None:
        page = courses.search_courses(limit=5, offset=seen)
        seen += len(page.results)
    assert seen == page.count
    return seen


if __name__ == "__main__":
    assert use(sys.argv[1]) > 5
