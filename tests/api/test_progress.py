"""What a course contains, and how far a user has come in it."""

from datetime import timedelta
from typing import Any

import pytest

from stubserver.api import progress
from stubserver.call import Call
from stubserver.contract.contract import Contract
from stubserver.worlds.world import World
from tests.support.calls import called
from tests.support.default import NOW


@pytest.fixture
def call(world: World) -> Call:
    return called(world, user=3)


def ids(rows: Any) -> list[int]:
    return [row["id"] for row in rows]


def test_everything_comes_in_the_order_of_display(call: Call) -> None:
    """Display order, not id order; all lessons include drafts, published ones do not."""
    world = call.world
    world.courses.put({**world.courses[1], "sections_order": [2, 3, 1]})
    world.sections.put({**world.sections[2], "lessons_order": [6, 5, 4]})
    world.lessons.put({**world.lessons[5], "questions_order": [4, 1]})
    assert ids(progress.ordered_sections(call, world.courses[1])) == [2, 3, 1]
    assert ids(progress.ordered_lessons(call, world.sections[2])) == [6, 5, 4]
    assert ids(progress.published_lessons(call, world.courses[1])) == [5, 4, 1, 2, 3]
    assert ids(progress.ordered_questions(call, world.lessons[5])) == [4, 1]


def test_a_plain_lesson_has_no_questions(call: Call) -> None:
    """R420: not even if it kept those from its time as a quiz."""
    assert progress.ordered_questions(call, {**call.world.lessons[5], "type": "lesson"}) == []


@pytest.mark.parametrize(
    ("kind", "kept", "shown", "completed"),
    [
        ("quiz", "failed", "failed", False),
        ("lesson", "failed", "uncompleted", False),
        ("quiz", "completed", "completed", True),
        ("lesson", "completed", "completed", True),
        ("lesson", None, "uncompleted", False),
    ],
)
def test_only_a_quiz_can_be_failed(call: Call, kind: str, kept: str | None, shown: str, completed: bool) -> None:
    """R315, R321: a stored failure no longer counts once the quiz has become a plain lesson."""
    lesson = {**call.world.lessons[4], "type": kind}
    if kept:
        call.world.completions.put({"user_id": 3, "lesson_id": 4, "status": kept, "at": NOW})
    assert progress.completion_status(call, lesson, 3) == shown
    assert progress.is_completed(call, lesson, 3) is completed


def test_the_rate_is_of_published_lessons(call: Call) -> None:
    """R131: two of five; a completed draft does not count, and a user who has done nothing has 0."""
    course = call.world.courses[1]
    assert progress.completion_rate(call, course, 3) == 40
    call.world.completions.put({"user_id": 3, "lesson_id": 6, "status": "completed", "at": NOW})
    assert progress.completion_rate(call, course, 3) == 40
    assert [progress.completion_rate(call, course, user) for user in (6, None)] == [0, 0]


def test_members_are_those_with_the_statuses_in_order_of_their_ids(call: Call) -> None:
    """R611."""
    found = progress.members(call, 1, ("invited", "manager", "creator"))
    assert [(row["user_id"], row["status"]) for row in found] == [(1, "creator"), (2, "manager"), (4, "invited")]


@pytest.mark.parametrize(("status", "moved"), [("completed", True), ("failed", False), ("uncompleted", False)])
def test_completing_moves_the_time_of_the_last_activity(
    contract: Contract, world: World, status: str, moved: bool
) -> None:
    """R318, R608: nothing else moves it; users outside the course have no such time."""
    world.clock.advance(timedelta(hours=1))
    for user in (3, 6):
        call = called(world, contract.operations["complete_course_lesson"], user, ids={"id": 1})
        before = world.memberships.get((1, user))
        progress.record_completion(call, world.lessons[4], status)
        now = NOW + timedelta(hours=1)
        done = {"user_id": user, "lesson_id": 4, "status": status, "at": now}
        assert world.completions[user, 4] == done
        assert world.memberships.get((1, user)) == (
            {**before, "last_active_at": now} if before is not None and moved else before
        )


@pytest.mark.parametrize(("text", "found"), [("WREN_", [1]), ("hollis", [1]), ("lund", [5]), ("", [1, 5]), ("_x", [])])
def test_users_are_found_by_both_of_their_names(call: Call, text: str, found: list[int]) -> None:
    """R025."""
    call.query["q"] = text
    users = [call.world.users[number] for number in (1, 5)]
    assert ids(progress.matching_users(call, users, parameter="q")) == found
