"""Copy on write: worlds, snapshots and forks share rows, but not later changes."""

from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule

from stubserver.worlds.base import Row
from stubserver.worlds.registry import Worlds
from stubserver.worlds.snapshot import Snapshot
from stubserver.worlds.world import World
from tests.worlds.little import LITTLE, PAIRS, THINGS, pairs_of, things_of


def test_a_snapshot_copies_nothing() -> None:
    world = World("w", LITTLE)
    things_of(world).put({"id": 1, "kind": "z"})
    first, second, fork = world.snapshot(), world.snapshot(), World.of("f", world.snapshot())
    for name in LITTLE.tables:
        assert first.changes[name] is second.changes[name] is fork.snapshot().changes[name]
    assert first.changes["pairs"] is PAIRS.unchanged
    things_of(world).delete(2)
    assert world.snapshot().changes["things"] is not first.changes["things"]


def test_a_table_is_copied_once_after_a_snapshot() -> None:
    world = World("w", LITTLE)
    world.snapshot()
    owned = things_of(world).own()
    for number in range(5, 50):
        things_of(world).put({"id": number, "kind": "a"})
    assert things_of(world).own() is owned


def test_no_fork_shares_a_later_change() -> None:
    world = World("w", LITTLE)
    things_of(world).put({"id": 1, "kind": "z"})
    taken = world.snapshot()
    fork, restored = World.of("fork", taken), World.of("w", taken)
    for number, other in enumerate((world, fork, restored), 10):
        things_of(other).put({"id": number, "kind": "c"})
        things_of(other).delete(2)
        assert things_of(other).next_id() == 5
    late = World.of("late", taken)
    assert [row["id"] for row in things_of(late)] == [1, 2, 4]
    assert things_of(late).where("kind", "z") == [{"id": 1, "kind": "z"}]
    assert things_of(late).next_id() == 5
    for number, other in enumerate((world, fork, restored), 10):
        assert [row["id"] for row in things_of(other).where("kind", "c")] == [number]


def test_undo_spares_the_snapshot_that_shares_the_changes() -> None:
    world = World("w", LITTLE)
    with world.transaction():
        things_of(world).put({"id": things_of(world).next_id(), "kind": "c"})
        things_of(world).put({"id": 1, "kind": "c"})
    taken = [world.snapshot()]

    def fail() -> None:
        with world.transaction():
            things_of(world).delete(5)
            things_of(world).put({"id": 1, "kind": "d"})
            taken.append(world.snapshot())
            things_of(world).put({"id": 2, "kind": "d"})
            things_of(world).next_id()
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    for state in (world, World.of("x", taken[0])):
        assert [(row["id"], row["kind"]) for row in things_of(state)] == [(1, "c"), (2, "b"), (4, "a"), (5, "c")]
        assert [row["id"] for row in things_of(state).where("kind", "c")] == [1, 5]
        assert things_of(state).where("kind", "d") == []
    middle = World.of("y", taken[1])
    assert [(row["id"], row["kind"]) for row in things_of(middle)] == [(1, "d"), (2, "b"), (4, "a")]
    assert [things_of(middle).next_id(), things_of(world).next_id()] == [6, 6]


@dataclass
class Model:
    """A world as plain dicts."""

    things: dict[int, Row] = field(default_factory=lambda: dict(THINGS.rows))
    pairs: dict[tuple[int, int], Row] = field(default_factory=lambda: dict(PAIRS.rows))
    next_id: int = THINGS.next_id


THING = st.fixed_dictionaries({"id": st.integers(1, 6), "kind": st.sampled_from("abc")})
PAIR = st.fixed_dictionaries({"left": st.integers(1, 3), "right": st.integers(1, 3)})
STEP = (
    st.tuples(st.just("put"), THING)
    | st.tuples(st.just("delete"), st.integers(1, 6))
    | st.tuples(st.just("pair"), PAIR)
    | st.tuples(st.just("part"), PAIR)
    | st.tuples(st.just("number"), st.none())
)
STEPS = st.lists(STEP, max_size=5)
NAMES = st.sampled_from(["a", "b", "c"])


def apply(world: World, model: Model, step: tuple[str, Any]) -> None:
    """Apply the same step to a world and to its model."""
    match step:
        case "put", row:
            things_of(world).put(row)
            model.things[row["id"]] = row
        case "delete", number:
            things_of(world).delete(number)
            model.things.pop(number, None)
        case "pair", row:
            pairs_of(world).put(row)
            model.pairs[row["left"], row["right"]] = row
        case "part", row:
            pairs_of(world).delete((row["left"], row["right"]))
            model.pairs.pop((row["left"], row["right"]), None)
        case _:
            assert things_of(world).next_id() == model.next_id
            model.next_id += 1


def assert_equal(world: World, model: Model) -> None:
    things = things_of(world)
    assert {row["id"]: row for row in things} == model.things
    assert {(row["left"], row["right"]): row for row in pairs_of(world)} == model.pairs
    assert (len(things), len(pairs_of(world))) == (len(model.things), len(model.pairs))
    for kind in "abc":
        wanted = sorted(number for number, row in model.things.items() if row["kind"] == kind)
        assert [row["id"] for row in things.where("kind", kind)] == wanted
    for left in (1, 2, 3):
        assert [row["right"] for row in pairs_of(world).where("left", left)] == sorted(
            right for first, right in model.pairs if first == left
        )


class Forks(RuleBasedStateMachine):
    """After any mix of changes, refusals, snapshots, restores, forks and resets, every world and snapshot equals its
    plain-dict model."""

    taken = Bundle("taken")

    def __init__(self) -> None:
        super().__init__()
        self.worlds = Worlds(LITTLE)
        self.models: dict[str, Model] = {}
        self.kept: list[tuple[Snapshot, Model]] = []

    def both(self, name: str) -> tuple[World, Model]:
        return self.worlds.get(name), self.models.setdefault(name, Model())

    @rule(name=NAMES, steps=STEPS)
    def change(self, name: str, steps: list[Any]) -> None:
        world, model = self.both(name)
        with world.transaction():
            for step in steps:
                apply(world, model, step)

    @rule(target=taken, name=NAMES, steps=STEPS, more=STEPS)
    def refuse(self, name: str, steps: list[Any], more: list[Any]) -> Any:
        """A snapshot is taken halfway through."""
        world, model = self.both(name)
        lost = deepcopy(model)
        try:
            with world.transaction():
                for step in steps:
                    apply(world, lost, step)
                self.kept.append((world.snapshot(), deepcopy(lost)))
                for step in more:
                    apply(world, lost, step)
                raise LookupError
        except LookupError:
            return self.kept[-1]

    @rule(target=taken, name=NAMES)
    def take(self, name: str) -> Any:
        world, model = self.both(name)
        self.kept.append((world.snapshot(), deepcopy(model)))
        return self.kept[-1]

    @rule(name=NAMES, of=taken)
    def restore(self, name: str, of: tuple[Snapshot, Model]) -> None:
        self.worlds.restore(name, of[0])
        self.models[name] = deepcopy(of[1])

    @rule(target=taken, name=NAMES, other=NAMES)
    def fork(self, name: str, other: str) -> Any:
        world, model = self.both(name)
        self.worlds.restore(other, world.snapshot())
        self.models[other] = deepcopy(model)
        return multiple()

    @rule(name=NAMES)
    def reset(self, name: str) -> None:
        self.worlds.reset(name)
        self.models[name] = Model()

    @invariant()
    def worlds_are_as_they_should(self) -> None:
        for name, model in self.models.items():
            assert_equal(self.worlds.get(name), model)
        assert_equal(World("new", LITTLE), Model())

    @invariant()
    def snapshots_are_as_they_were(self) -> None:
        for taken, model in self.kept[-8:]:
            assert_equal(World.of("x", taken), model)
            assert taken.changes["things"].next_id == model.next_id


TestForks = Forks.TestCase
TestForks.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)
