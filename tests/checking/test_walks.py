"""Random walks."""

from random import Random

from stubserver.checking.catalogue import Step
from stubserver.checking.shapes import Shapes
from stubserver.checking.stage import Row, Scene
from stubserver.checking.walks import Walk
from stubserver.contract.contract import Contract


class _Stage:
    """As much of a stage as a walk needs."""

    def __init__(self, contract: Contract, shapes: Shapes) -> None:
        self.contract = contract
        self.shapes = shapes


def walk(contract: Contract, shapes: Shapes, seed: int, writes: int = 200) -> list[Step]:
    scene = Scene("run", rows={"lesson": Row({"course": (1, 2), "section": (1, 2), "lesson": (1, 2)}, ({}, {}))})
    return [*Walk(Random(seed), scene, _Stage(contract, shapes)).steps(writes)]  # type: ignore[arg-type]  # noqa: S311


def test_the_same_seed_is_the_same_walk(contract: Contract, shapes: Shapes) -> None:
    assert walk(contract, shapes, 5) == walk(contract, shapes, 5) != walk(contract, shapes, 6)


def test_there_are_two_reads_for_each_write(contract: Contract, shapes: Shapes) -> None:
    methods = [contract.operations[step.operation].method for step in walk(contract, shapes, 1)]
    assert methods.count("get") == 400
    assert len(methods) == 600


def test_most_are_allowed_and_nobody_is_left_out(contract: Contract, shapes: Shapes) -> None:
    steps = walk(contract, shapes, 2)
    people = [step.who for step in steps]
    assert {*people} == {"creator", "member", "stranger", "nobody"}
    assert people.count("nobody") < len(people) / 8


def test_what_destroys_most_comes_late(contract: Contract, shapes: Shapes) -> None:
    for seed in range(20):
        early = walk(contract, shapes, seed, 60)[: 3 * 48]
        assert not [step for step in early if step.operation in ("delete_course", "delete_course_section")]


def test_every_operation_comes_up(contract: Contract, shapes: Shapes) -> None:
    seen = {step.operation for seed in range(5) for step in walk(contract, shapes, seed)}
    assert seen == {one.id for one in contract.operations.values() if "course" in one.loads.values()}


def test_operations_can_be_left_out(contract: Contract, shapes: Shapes) -> None:
    scene = Scene("run", rows={"lesson": Row({"course": (1, 2), "section": (1, 2), "lesson": (1, 2)}, ({}, {}))})
    stage = _Stage(contract, shapes)
    left = [one.id for one in contract.operations.values() if one.id != "get_course" and one.method == "get"]
    steps = Walk(Random(1), scene, stage, left).steps(20)  # type: ignore[arg-type]  # noqa: S311
    assert {step.operation for step in steps} & {*left} == set()
    everything = [*contract.operations]
    assert [*Walk(Random(1), scene, stage, everything).steps(20)] == []  # type: ignore[arg-type]  # noqa: S311
