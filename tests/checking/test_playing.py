"""Two steps at the same time, and steps that make nothing."""

import threading

import pytest

from stubserver.checking.catalogue import Step, prepared
from stubserver.checking.cleaning import clean_up
from stubserver.checking.playing import play
from stubserver.checking.stage import Scene
from stubserver.contract.contract import Contract
from tests.checking.bugs import BUGS, Bug, Exchange
from tests.checking.stages import stage_of

MAKE = Step("creator", "create_course", body={"name": "A $run", "type": "self-paced", "privacy": "open"}, save="course")
TWO = Step.read(
    {
        "as": "creator",
        "do": "patch_course",
        "at": "course",
        "body": {"description": "Clay"},
        "meanwhile": {"as": "creator", "do": "patch_course", "at": "course", "body": {"meta_title": "Fire"}},
    }
)
LOOK = Step("creator", "get_course", "course", query={"view": "edit"})
SAME = Step.read(
    {
        "as": "creator",
        "do": "create_course",
        "body": {"name": "B $run", "type": "self-paced"},
        "meanwhile": {"as": "creator", "do": "create_course", "body": {"name": "B $run", "type": "self-paced"}},
    }
)


def differences(contract: Contract, bug: Bug, *steps: Step) -> list[str]:
    """Where the last step differs."""
    with stage_of(contract, bug) as stage:
        scene = Scene("r1")
        for step in (MAKE, *steps):
            played = play(stage, step, scene)
        return [one.at for one in played.differences]


def test_two_steps_at_once_agree_in_any_order(contract: Contract) -> None:
    assert differences(contract, Bug(), TWO) == []
    assert differences(contract, Bug(), TWO, LOOK) == []
    assert differences(contract, Bug(), SAME) == []


def test_an_update_that_is_lost_shows_afterwards(contract: Contract) -> None:
    (place,) = differences(contract, BUGS["concurrent updates are lost"], TWO, LOOK)
    assert place in ("/description", "/meta_title")


def test_statuses_differ_if_both_may_take_a_name(contract: Contract) -> None:
    assert differences(contract, BUGS["two at once may take one name"], SAME) == ["status"]


def test_both_are_there_before_one_is_answered(contract: Contract) -> None:
    both = threading.Barrier(2, timeout=20)

    def begin(one: Exchange) -> None:
        if one.method == "PATCH":
            both.wait()

    assert differences(contract, Bug(before=begin), TWO) == []
    assert both.n_waiting == 0
    assert not both.broken


def test_what_is_wrong_with_either_answer_counts(contract: Contract) -> None:
    def fail(one: Exchange) -> None:
        if isinstance(one.body, dict) and "meta_title" in one.body:
            one.status, one.answer = 500, None

    assert differences(contract, Bug(after=fail), TWO) == ["status", "status"]


def test_what_both_make_is_known(contract: Contract) -> None:
    make = {"as": "creator", "do": "create_course_section", "at": "course", "save": "one", "body": {"name": "A"}}
    both = Step.read({**make, "meanwhile": {**make, "save": "other"}})
    with stage_of(contract, Bug()) as stage:
        scene = Scene("r1")
        play(stage, MAKE, scene)
        play(stage, both, scene)
        assert len({scene.rows["one"].id[1], scene.rows["other"].id[1]}) == 2


def test_what_one_of_them_makes_is_deleted_though_the_other_makes_nothing(contract: Contract) -> None:
    def refuse(one: Exchange) -> None:
        if isinstance(one.body, dict) and one.body.get("name") == "C r1":
            one.status, one.answer = 400, None

    make = {"as": "creator", "do": "create_course", "save": "one", "body": {"name": "C $run", "type": "self-paced"}}
    other = {**make, "save": "other", "body": {"name": "D $run", "type": "self-paced"}}
    with stage_of(contract, Bug(after=refuse)) as stage:
        scene = Scene("r1")
        played = play(stage, Step.read({**make, "meanwhile": other}), scene)
        assert played.differences[0].at == "status"
        assert [course.ids[1] is None for course in scene.courses] == [True, False]
        assert [*clean_up(stage, scene)] == []


@pytest.mark.parametrize("status", [400, 500])
def test_a_step_that_makes_nothing_differs(contract: Contract, status: int) -> None:
    def refuse(one: Exchange) -> None:
        if one.method == "POST" and one.path.endswith("/section/"):
            one.status, one.answer = status, None

    with stage_of(contract, Bug(after=refuse)) as stage:
        scene = Scene("r1")
        *before, section = prepared("section")
        for step in before:
            play(stage, step, scene)
        assert play(stage, section, scene).differences[0].at == "status"
