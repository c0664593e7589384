"""Tests the learner against the stub server. Each test has its own world, so none sees what another does."""

from datetime import timedelta

import httpx
import pytest
from enrolment import ATTEMPTS, Learner

from stubserver.testing import CourseWorld

WATERCOLOUR, SOURDOUGH, BICYCLES, PORTRAITS = 1, 2, 3, 4
"""Self-paced, structured, scheduled, and self-paced but private."""


@pytest.fixture
def waits() -> list[float]:
    """The waits that the learner requested, in seconds; no test really waits."""
    return []


@pytest.fixture
def learner(course_world: CourseWorld, waits: list[float]) -> Learner:
    """A learner who has not joined any course yet."""
    return Learner(course_world.client("stranger"), wait=waits.append)


def test_an_open_course_takes_everybody_and_a_private_one_makes_them_wait(learner: Learner) -> None:
    assert learner.join(WATERCOLOUR) == "joined"
    assert learner.join(PORTRAITS) == "requested"


def test_a_structured_course_opens_week_by_week(course_world: CourseWorld, learner: Learner) -> None:
    course_world.clock.freeze()
    learner.join(SOURDOUGH)
    assert learner.open_lessons(SOURDOUGH) == ["Flour, water and time", "Feeding twice a day"]

    course_world.clock.advance(days=6, hours=23, minutes=59)
    assert "Mixing and folding" not in learner.open_lessons(SOURDOUGH)

    course_world.clock.advance(minutes=1)
    assert "Mixing and folding" in learner.open_lessons(SOURDOUGH)


def test_a_scheduled_course_opens_at_its_dates(course_world: CourseWorld, learner: Learner) -> None:
    learner.join(BICYCLES)
    assert "Setting up rim brakes" not in learner.open_lessons(BICYCLES)

    course_world.clock.set(course_world.clock.now + timedelta(weeks=2))
    assert "Setting up rim brakes" in learner.open_lessons(BICYCLES)


def test_a_busy_server_is_asked_again_when_it_says_so(
    course_world: CourseWorld, learner: Learner, waits: list[float]
) -> None:
    course_world.faults.add("error", status=503, retry_after=7, operation="join_course", times=1)
    assert learner.join(WATERCOLOUR) == "joined"
    assert waits == [7]
    course_world.assert_called("join_course", status=503, times=1)
    course_world.assert_called("join_course", status=200, persona="stub-stranger", times=1)


def test_a_dead_network_is_given_up(course_world: CourseWorld, learner: Learner) -> None:
    course_world.faults.add("reset")
    with pytest.raises(httpx.TransportError):
        learner.join(WATERCOLOUR)
    course_world.assert_called("join_course", times=ATTEMPTS)


def test_a_comment_whose_answer_was_lost_is_not_said_twice(course_world: CourseWorld, learner: Learner) -> None:
    learner.join(WATERCOLOUR)
    course_world.faults.add("lost", operation="create_course_comment", times=1)
    learner.comment(f"/course/{WATERCOLOUR}/section/1/lesson/1/", "<p>Hello from Leith.</p>")
    course_world.assert_called("create_course_comment", body={"text": "<p>Hello from Leith.</p>"}, times=1)


def test_one_beginning_has_two_ends(course_world: CourseWorld, learner: Learner) -> None:
    learner.join(SOURDOUGH)
    course_world.snapshot("joined")
    later = course_world.fork("later")
    later.clock.advance(days=30)
    assert "A loaf with rye" in Learner(later.client("stranger")).open_lessons(SOURDOUGH)
    assert "A loaf with rye" not in learner.open_lessons(SOURDOUGH)

    course_world.client("stranger").delete(f"/course/{SOURDOUGH}/join/").raise_for_status()
    assert learner.open_lessons(SOURDOUGH) == []
    course_world.restore("joined")
    assert learner.open_lessons(SOURDOUGH) == ["Flour, water and time", "Feeding twice a day"]
