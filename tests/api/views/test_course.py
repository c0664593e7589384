"""How courses are shown: who sees what of them, with locks and progress."""

from datetime import timedelta

import pytest

from stubserver.api.views import course
from stubserver.api.views.course import CourseEditView, CourseView, MemberView
from stubserver.call import Call
from stubserver.contract.contract import Contract
from stubserver.worlds.base import Row
from stubserver.worlds.world import World
from tests.support.calls import called
from tests.support.default import NOW


def view_of(world: World, course: int, user: int | None, subject: int | None = None) -> CourseView:
    """The course as this user sees it, or as it emulates `subject`."""
    return CourseView(called(world, user=user), world.courses[course], subject)


@pytest.mark.parametrize(("user", "runs"), [(1, True), (2, True), (3, False), (4, False), (6, False), (None, False)])
def test_a_hidden_count_is_for_those_who_run_the_course(world: World, user: int | None, runs: bool) -> None:
    """R127: it counts the manager and the eight who joined."""
    assert view_of(world, 1, user).member_count == 9
    world.courses.put({**world.courses[1], "hide_member_count": True})
    assert view_of(world, 1, user).member_count == (9 if runs else None)


def test_outsiders_of_a_private_course_see_nothing_of_its_content(world: World) -> None:
    """R103, R207."""
    inside, outside = view_of(world, 4, 3), view_of(world, 4, 6)
    assert (outside.description, outside.sections_order, outside.sections) == ("", [], [])
    assert inside.description
    assert inside.sections_order == [10, 11]
    assert inside.num_lessons > 0 == outside.num_lessons


def test_a_lesson_is_looked_up_once_however_many_fields_count_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    view, asked = view_of(world, 1, 3), list[int]()

    def completed(_: Call, lesson: Row, __: int | None) -> str:
        asked.append(lesson["id"])
        return "completed"

    monkeypatch.setattr(course, "completion_status", completed)
    assert (view.num_lessons_completed, [section.num_lessons_completed for section in view.sections]) == (5, [3, 2])
    assert [lesson.completion_status for section in view.sections for lesson in section.lessons] == ["completed"] * 5
    assert asked == [1, 2, 3, 4, 5]


def test_an_emulated_reader_sees_their_own_progress(world: World) -> None:
    """R110: whether the content is shown at all depends on the caller."""
    emulated, own = view_of(world, 1, 1, subject=3), view_of(world, 1, 3)
    assert emulated.user_completion_rate == own.user_completion_rate == 40
    assert emulated.join_status == own.join_status == "joined"
    assert view_of(world, 4, 1, subject=6).inside
    assert not view_of(world, 4, 6).inside


def test_the_editor_sees_drafts_and_counts_published_lessons(world: World) -> None:
    """R111, R112: readers see only sections with a published lesson."""
    call = called(world, user=1)
    edited, read = CourseEditView(call, world.courses[1]), CourseView(call, world.courses[1])
    assert [[lesson.row["id"] for lesson in section.lessons] for section in edited.sections] == [
        [1, 2, 3],
        [4, 5, 6],
        [7, 8],
    ]
    assert [[lesson.row["id"] for lesson in section.lessons] for section in read.sections] == [[1, 2, 3], [4, 5]]
    assert (edited.num_lessons, read.num_lessons, edited.num_sections, read.num_sections) == (8, 5, 3, 2)
    assert [section.num_lessons for section in edited.sections] == [3, 2, 0]


@pytest.mark.parametrize(
    ("user", "lock"),
    [
        (1, None),
        (2, None),
        (3, "This lesson is a draft."),
        (6, "Only people who have joined the course may open its lessons."),
    ],
)
def test_a_lesson_says_why_it_is_locked(world: World, user: int, lock: str | None) -> None:
    """R311, R312, R317: it is never locked for those who run the course."""
    lesson = view_of(world, 1, user).lesson(world.lessons[6])
    assert (lesson.lock, lesson.locked) == (lock, lock is not None)


def test_an_enforced_order_opens_the_first_lesson_that_is_not_done(world: World) -> None:
    """R315."""
    world.courses.put({**world.courses[1], "enforce_lessons_order": True})
    assert view_of(world, 1, 3).out_of_order == {4, 5}  # the first two of 1 to 5 are done
    world.completions.put({"user_id": 3, "lesson_id": 3, "status": "completed", "at": NOW})
    assert view_of(world, 1, 3).out_of_order == {5}


def test_a_member_shows_the_user_and_the_membership(world: World, contract: Contract) -> None:
    """R607, R608."""
    call = called(world, contract.operations["list_course_dashboard_users"], 1, ids={"id": 1})
    view = MemberView(call, world.memberships[1, 3])
    assert (view.id, view.username, view.join_status, view.user_completion_rate) == (3, "dilys_pruett", "joined", 40)
    assert view.last_active_at == NOW - timedelta(days=2)
