"""What the grid and the walks send is accepted, as it is written."""

from collections.abc import Iterator

import pytest

from stubserver.checking.catalogue import Step
from stubserver.checking.cleaning import clean_up
from stubserver.checking.ingredients import EVERYTHING, ROWS, SIBLINGS, everything, step_of
from stubserver.checking.stage import Scene, Stage
from stubserver.contract.contract import Contract
from stubserver.contract.load import load_contract
from tests.checking.bugs import Bug
from tests.checking.stages import stage_of

OPERATIONS = [one for one in load_contract().operations.values() if "course" in one.loads.values()]


@pytest.fixture
def stage(contract: Contract) -> Iterator[Stage]:
    with stage_of(contract, Bug(), "empty") as stage:
        yield stage


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
def test_each_operation_is_accepted_where_everything_is_given(stage: Stage, operation: object) -> None:
    scene = Scene("run")
    for step in everything():
        played = stage.play(step, scene)
        assert (played.differences, played.answers[0].status) == ([], step.expect)
    played = stage.play(step_of(operation), scene)  # type: ignore[arg-type]
    assert [answer.status for answer in played.answers] == [operation.status] * 2, played.answers[0].text  # type: ignore[attr-defined]
    assert played.differences == []
    assert [*clean_up(stage, scene)] == []


def test_everything_has_a_row_of_each_kind() -> None:
    saved = {step.save for step in everything()}
    named = [name for name in (*ROWS.values(), *SIBLINGS.values()) if name[0] not in "$@"]
    assert {*named} <= saved, EVERYTHING


def test_an_operation_without_an_entry_is_about_its_last_row(contract: Contract) -> None:
    assert step_of(contract.operations["get_course_section"]) == Step("creator", "get_course_section", "section")
