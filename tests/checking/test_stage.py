"""How steps become requests of both sides, and what is remembered of the answers."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from stubserver.checking.catalogue import CatalogueError, Step
from stubserver.checking.cleaning import clean_up
from stubserver.checking.stage import ABSENT, Lost, Row, Scene, Stage
from stubserver.contract.contract import Contract
from tests.checking.bugs import Bug, Exchange
from tests.checking.stages import stage_of

MAKE = Step("creator", "create_course", body={"name": "A $run", "type": "self-paced", "privacy": "open"}, save="course")


@pytest.fixture
def stage(contract: Contract) -> Iterator[Stage]:
    with stage_of(contract, Bug()) as stage:
        yield stage


ROWS = {
    "course": Row({"course": (1, 2)}, ({"id": 1, "name": "A"}, {"id": 2, "name": "B"})),
    "lesson": Row(
        {"course": (1, 2), "section": (3, 4), "lesson": (5, 6)}, ({"answers": [{"id": 7}]}, {"answers": [{"id": 8}]})
    ),
    "other": Row({"course": (1, 2), "section": (3, 4), "lesson": (50, 60)}, ({}, {})),
}


@pytest.mark.parametrize(
    ("value", "sides"),
    [
        ("$lesson", (5, 6)),
        ("$lesson.answers.0.id", (7, 8)),
        ("$course.name", ("A", "B")),
        ("@member", (3, 3)),
        ("$absent", (ABSENT, ABSENT)),
        ("$category", (1, 1)),
        ("Pots $run", ("Pots r1", "Pots r1")),
        ("costs $5", ("costs $5", "costs $5")),
        ({"a": ["$course", {"$run": 1}]}, ({"a": [1, {"r1": 1}]}, {"a": [2, {"r1": 1}]})),
        (5, (5, 5)),
    ],
)
def test_values(stage: Stage, value: Any, sides: tuple[Any, Any]) -> None:
    scene = Scene("r1", rows=dict(ROWS))
    assert (stage.value(value, scene, 0), stage.value(value, scene, 1)) == sides


@pytest.mark.parametrize(
    ("value", "ahead"),
    [
        ("$now", timedelta()),
        ("$now+2d", timedelta(days=2)),
        ("$now-1.5h", timedelta(hours=-1.5)),
        ("$now+3s", timedelta(seconds=3)),
    ],
)
def test_moments(stage: Stage, value: str, ahead: timedelta) -> None:
    found = datetime.fromisoformat(stage.value(value, Scene("r1"), 1))
    assert abs(found - datetime.now(UTC) - ahead) < timedelta(seconds=30)


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("$lessen", "There is no name of something saved 'lessen'. Did you mean lesson?"),
        ("$lesson.answers.1.id", "the answer that made lesson has no answers.1.id"),
        ("$lesson.name", "the answer that made lesson has no name"),
    ],
)
def test_names_of_nothing(stage: Stage, value: str, problem: str) -> None:
    with pytest.raises(CatalogueError) as refused:
        stage.value(value, Scene("r1", rows=dict(ROWS)), 0)
    assert str(refused.value) == problem


@pytest.mark.parametrize(
    ("at", "path"),
    [
        ("lesson", {"id": 2, "section_id": 4, "lesson_id": 6}),
        ("lesson!other", {"id": 2, "section_id": 4, "lesson_id": 60}),
        ("lesson!$absent", {"id": 2, "section_id": 4, "lesson_id": ABSENT}),
        ("course", {"id": 2, "section_id": ABSENT, "lesson_id": ABSENT}),
        ("$absent", {"id": ABSENT, "section_id": ABSENT, "lesson_id": ABSENT}),
    ],
)
def test_paths(contract: Contract, stage: Stage, at: str, path: dict[str, int]) -> None:
    step = Step("creator", "get_course_lesson", at)
    operation = contract.operations["get_course_lesson"]
    assert stage._request(step, operation, Scene("r1", rows=dict(ROWS)), 1).path == path


@pytest.mark.parametrize(
    ("step", "problem"),
    [
        (Step("creator", "get_cours", "course"), "There is no operation 'get_cours'. Did you mean get_course"),
        (Step("creator", "get_course", "cours"), "There is no name of something saved 'cours'. Did you mean course"),
        (Step("creator", "get_course_lesson", "leson!quiz"), "There is no name of something saved 'leson'"),
    ],
)
def test_steps_that_cannot_be_played(stage: Stage, step: Step, problem: str) -> None:
    with pytest.raises(CatalogueError, match=problem.replace("?", ".")):
        stage.play(step, Scene("r1", rows=dict(ROWS)))


def test_lists_show_own_courses_only(stage: Stage) -> None:
    scene = Scene("r1")
    stage.play(MAKE, scene)
    played = stage.play(Step("stranger", "search_courses"), scene)
    assert played.differences == []
    assert [[row["name"] for row in answer.body["results"]] for answer in played.answers] == [["A r1"], ["A r1"]]
    assert [*clean_up(stage, scene)] == []
    assert stage.play(Step("stranger", "search_courses"), scene).answers[1].body["count"] == 0


@pytest.mark.parametrize(
    ("query", "limits"),
    [
        ({"search": "$run", "limit": 2}, ["2", "2"]),
        ({"search": "$run"}, ["100"]),
        ({"search": "$run", "limit": 0}, ["100"]),
        ({"search": "$run", "limit": 500}, ["100"]),
        ({"search": "", "limit": 2}, ["100"]),
        ({"limit": 2}, ["100"]),
    ],
)
def test_only_searches_read_small_pages(contract: Contract, query: Any, limits: list[str]) -> None:
    asked: list[str] = []

    def note(one: Exchange) -> None:
        if one.is_about("GET", "/api/v2/course/search/"):
            asked.append(one.query["limit"][0])

    with stage_of(contract, Bug(before=note)) as stage:
        scene = Scene("r1")
        for name in ("A", "B", "C"):
            body = {"name": f"{name} $run", "type": "self-paced", "privacy": "open"}
            stage.play(Step("creator", "create_course", body=body, save=name), scene)
        played = stage.play(Step("creator", "search_courses", query=query), scene)
        assert (played.answers[1].body["count"], played.differences) == (3, [])
        assert [*clean_up(stage, scene)] == []
    assert asked == limits


def test_what_is_made_on_one_side_only_is_lost_and_goes(contract: Contract) -> None:
    def refuse(one: Exchange) -> None:
        if one.is_about("POST", "/api/v2/course/"):
            one.status, one.answer = 400, {"errors": [{"message": "No.", "code": "invalid"}]}

    with stage_of(contract, Bug()) as stage:
        scene = Scene("r1")
        stage.sides[1].watch = lambda _request, answer: None
        stage.play(MAKE, scene)
        (course,) = scene.courses
        assert None not in course.ids
        assert [*clean_up(stage, scene)] == []
    deleted: list[int] = []
    with stage_of(contract, Bug(after=refuse)) as stage:
        stage.sides[0].watch = lambda request, answer: (
            deleted.append(answer.status) if request.operation.id == "delete_course" else None
        )
        scene = Scene("r1")
        with pytest.raises(Lost):
            stage.play(MAKE, scene)
        assert [*clean_up(stage, scene)] == []
    assert deleted == [204]
