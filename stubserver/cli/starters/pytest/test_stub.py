"""A first test with the stub server: run it with pytest. The fixture comes with the package course-stubserver."""

from stubserver.testing import CourseWorld


def test_a_stranger_joins_an_open_course(course_world: CourseWorld) -> None:
    answer = course_world.client("stranger").post("/course/1/join/")
    assert (answer.status_code, answer.json()["join_status"]) == (200, "joined")
    course_world.assert_called("join_course", persona="stub-stranger", times=1)
