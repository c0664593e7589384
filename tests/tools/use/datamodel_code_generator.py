"""How a project uses the models that datamodel-code-generator makes, with httpx."""

import sys

import httpx
from models import Course, CourseLesson, CourseMinimalPage, CoursePatch, CourseWrite


def use(host: str) -> int:
    client = httpx.Client(base_url=f"{host}/api/v2", headers={"Authorization": "Bearer stub-creator"})
    new = CourseWrite(name="Knots", type="self-paced", description="Kept").model_dump(mode="json", exclude_unset=True)
    course = Course.model_validate(client.post("/course/", json=new).json())
    patch = CoursePatch(name="Knots and splices").model_dump(mode="json", exclude_unset=True)
    changed = Course.model_validate(client.patch(f"/course/{course.id}/", json=patch).json())
    assert (changed.name, changed.description) == ("Knots and splices", "Kept")
    lesson = CourseLesson.model_validate(client.get("/course/7/section/16/lesson/29/").json())
    assert lesson.last_attempt is None
    seen, url = 0, "/course/search/?limit=5"
    while url:
        page = CourseMinimalPage.model_validate(client.get(url).json())
        seen, url = seen + len(page.results), str(page.next or "")
    return seen


if __name__ == "__main__":
    assert use(sys.argv[1]) > 5
