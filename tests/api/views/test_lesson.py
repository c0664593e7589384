"""How lessons, questions and attempts are shown: correct answers only to those who run the course."""

from collections.abc import Callable

import pytest

from stubserver.api.views import OMIT
from stubserver.api.views.lesson import AttemptRowView, LessonContentView, QuestionView, own_attempts
from stubserver.call import Call
from stubserver.contract.contract import Contract
from stubserver.worlds.world import World
from tests.support.calls import called

By = Callable[[int | None], Call]


@pytest.fixture
def by(world: World, contract: Contract) -> By:
    """Makes a call about course 1 by the given user."""
    return lambda user: called(world, contract.operations["list_course_quiz_attempts"], user, ids={"id": 1})


@pytest.mark.parametrize(("user", "managing"), [(1, True), (2, True), (3, False), (6, False), (None, False)])
def test_right_answers_are_for_creator_and_managers(world: World, by: By, user: int | None, managing: bool) -> None:
    """R405."""
    answers = QuestionView(by(user), world.questions[1]).answers
    assert [answer.correct for answer in answers] == ([True, False, False] if managing else [OMIT] * 3)


def test_what_was_answered_is_in_copies_only(world: World, by: By) -> None:
    """R418."""
    question = QuestionView(by(1), world.questions[1])
    assert (question.correct, question.answers[0].selected) == (OMIT, OMIT)
    marked = {**world.questions[1], "correct": False, "answers": [{"id": 1, "correct": True, "selected": False}]}
    copy = QuestionView(by(1), marked)
    assert (copy.correct, copy.answers[0].selected) == (False, False)


def test_the_last_attempt_is_the_newest_of_the_caller(world: World, by: By) -> None:
    """R414: attempts of other users do not count."""
    found = {user: LessonContentView(by(user), world.lessons[5]).last_attempt for user in (3, 8, 9)}
    assert {user: attempt.row["id"] if attempt else None for user, attempt in found.items()} == {3: None, 8: 4, 9: 2}
    assert [row["id"] for row in own_attempts(by(9), world.lessons[5])] == [1, 2]


def test_media_are_shown_once_and_in_their_order(world: World, by: By) -> None:
    """R309: ids in, objects out."""
    view = LessonContentView(by(3), {**world.lessons[5], "medias": [3, 1, 3]})
    assert [media.row["id"] for media in view.medias] == [3, 1]
    assert view.html == world.lessons[5]["text"]


def test_a_row_of_the_dashboard_says_where_its_quiz_lies(world: World, by: By) -> None:
    """R609."""
    view = AttemptRowView(by(1), world.attempts[4])
    assert (view.course_id, view.section_id, view.name) == (1, 2, "Quiz: mixing colours")
    assert view.user.id == 8
    assert view.quiz_attempt["grade"] == 25
