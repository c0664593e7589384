"""What a check has made goes, and what cannot go is named."""

from dataclasses import replace

import httpx

from stubserver.checking.catalogue import Step
from stubserver.checking.cleaning import clean_up, left_over
from stubserver.checking.sides import Request
from stubserver.checking.stage import Scene, Stage
from stubserver.contract.contract import Contract
from tests.checking.bugs import TOKENS, Bug, Exchange
from tests.checking.stages import stage_of

MAKE = Step("creator", "create_course", body={"name": "A $run", "type": "self-paced", "privacy": "open"}, save="course")


def test_what_cannot_be_deleted_is_named(contract: Contract) -> None:
    def refuse(one: Exchange) -> None:
        if one.method == "DELETE":
            one.status, one.answer = 403, None

    with stage_of(contract, Bug(after=refuse)) as stage:
        scene = Scene("r1")
        stage.play(MAKE, scene)
        (left,) = clean_up(stage, scene)
        assert left.startswith("course ")
        assert left.endswith(" of creator: 403")


def test_the_time_may_be_over(contract: Contract) -> None:
    with stage_of(contract, Bug()) as stage:
        scene = Scene("r1")
        stage.play(MAKE, scene)
        stage.sides[1].end = 0.0
        assert [*clean_up(stage, scene)] == []
        assert (scene.courses, stage.sides[1].end) == ([], 0.0)


def test_what_nobody_knows_of_is_found_by_its_name(contract: Contract) -> None:
    with stage_of(contract, Bug()) as stage:
        before = _names(stage)
        for run in ("r1", "r2"):
            stage.play(MAKE, Scene(f"{run}-1"))
        assert {*_names(stage)} == {*before, "A r1-1", "A r2-1"}
        assert [*left_over(contract, stage.sides[1], TOKENS, "r1")] == []
        assert {*_names(stage)} == {*before, "A r2-1"}


def _names(stage: Stage) -> list[str]:
    operation = stage.contract.operations["search_courses"]
    answer = stage.sides[1].ask(Request(operation, query={"limit": 100}, token=stage.token("creator", 1)))
    return [row["name"] for row in answer.body["results"]]


def test_a_target_that_does_not_answer_is_not_asked_for_each_course(contract: Contract) -> None:
    asked = [0]

    def hang(one: Exchange) -> None:
        if one.method == "DELETE":
            asked[0] += 1
            raise httpx.ReadTimeout("timed out")

    with stage_of(contract, Bug(before=hang)) as stage:
        scene = Scene("r1")
        for name in ("A", "B", "C"):
            stage.play(replace(MAKE, body={**(MAKE.body or {}), "name": f"{name} $run"}), scene)
        left = [*clean_up(stage, scene)]
        assert [line.split(": ")[1] for line in left] == ["timed out"] * 3
        assert asked == [1]


def test_a_target_without_search_may_keep_something(contract: Contract) -> None:
    def forget(one: Exchange) -> None:
        if one.path.endswith("/search/"):
            one.status, one.answer = 404, None

    with stage_of(contract, Bug(after=forget)) as stage:
        (left,) = left_over(contract, stage.sides[1], TOKENS, "r1")
        assert left == "perhaps courses with r1 in their names: search_courses gave 404"
