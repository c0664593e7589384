"""What a turn has done so far can be forgotten for one world, and undone from a savepoint on."""

from typing import Any

import pytest

from stubserver.shared.turn import SNAPSHOT, Missing, Savepoint, Turn
from stubserver.stores.store import Entries
from stubserver.worlds.snapshot import Fixture
from stubserver.worlds.world import World
from tests.support.default import LATER, NOW
from tests.support.stored import note

SETS = "replaced", "gone", "cleared", "fresh"


@pytest.fixture
def turn(world: World) -> Turn:
    """A turn that has done something of each kind, to the worlds v and w."""
    turn = Turn()
    for name in "vw":
        for kind in SETS:
            getattr(turn, kind).add(name)
        note(turn, name, 1)
        turn.count(name, "n")
        turn.snapshots[name] = world.snapshot()
    turn.reset = "coverage/"
    return turn


def told(turn: Turn) -> dict[str, Any]:
    """What it has done, as a copy."""
    found = {kind: {*getattr(turn, kind)} for kind in SETS}
    entries = {name: batch.packed() for name, batch in turn.entries.items()}
    counted = {name: dict(counts) for name, counts in turn.counted.items()}
    return {**found, "entries": entries, "counted": counted, "reset": turn.reset, "snapshots": {*turn.snapshots}}


def test_what_is_missing_passes_every_handler_of_errors() -> None:
    """Operations and hops catch exceptions, and would answer."""
    missing = Missing("a", "b")
    assert not isinstance(missing, Exception)
    assert missing.names == ("a", "b")


def test_what_is_counted_belongs_to_a_world(turn: Turn) -> None:
    turn.count("w", "n")
    turn.count("u", "m")
    assert told(turn)["counted"] == {"v": {"n": 1}, "w": {"n": 2}, "u": {"m": 1}}


def test_a_world_is_dropped_with_all_that_was_to_be_committed(turn: Turn) -> None:
    turn.drop("w")
    kept = told(turn)
    assert {kind: kept[kind] for kind in SETS} == {kind: {"v"} for kind in SETS}
    assert (kept["entries"], kept["counted"]) == ({"v": Entries(1, 1, b"{}")}, {"v": {"n": 1}})
    assert (kept["snapshots"], kept["reset"]) == ({"v", "w"}, "coverage/")


def test_a_snapshot_is_dropped_by_the_name_of_its_document(turn: Turn) -> None:
    before = told(turn)
    turn.drop(SNAPSHOT + "w")
    assert told(turn) == {**before, "snapshots": {"v"}}


def change(turn: Turn, world: World) -> None:
    """Do something of each kind."""
    for kind in ("replaced", "gone", "cleared"):
        getattr(turn, kind).symmetric_difference_update({"w", "u"})
    note(turn, "u", 1)
    turn.count("u", "n")
    turn.snapshots["u"] = turn.snapshots.pop("v", None)
    turn.reset = ""
    world.categories.put({"id": world.categories.next_id()})
    world.categories.delete(1)
    world.clock.freeze(LATER)
    world.strict = True
    world.asked += 1
    world.forgotten = {}


def test_a_savepoint_undoes_what_was_done_since(world: World, default_fixture: Fixture) -> None:
    """In the turn, which knows as much as before, and in the copies, however much was done."""
    known = Turn(fresh={"w", "v", f"{SNAPSHOT}w", f"{SNAPSHOT}v"}, found={"#": {}}, lost={"v": {"max_worlds": 1}})
    world.forgotten = {"max_requests": 2}
    rows, state = [*world.categories], world.state
    worlds, snapshots = {"w": world}, {"v": world.snapshot()}
    before = dict(snapshots)
    savepoint = Savepoint(known, worlds, snapshots, {name: world.state for name, world in worlds.items()})
    for _ in range(3):
        change(known, world)
    worlds["w"], worlds["v"] = World("w", default_fixture), world
    snapshots["w"] = snapshots.pop("v")
    turn = savepoint.restore()
    assert told(turn) == told(Turn(fresh=known.fresh, found=known.found, lost=known.lost))
    assert ([*world.categories], world.state, world.asked, [*world.log]) == (rows, state, 0, [])
    assert world.forgotten == {"max_requests": 2}
    assert (worlds, snapshots) == ({"w": world}, before)
    assert world.clock.now() == NOW


def test_what_was_cached_is_not_used_after_a_savepoint(world: World, default_fixture: Fixture) -> None:
    savepoint = Savepoint(Turn(fresh={"w"}), {"w": world}, {}, {"w": world.state})
    world.categories.delete(1)
    writes = world.writes
    savepoint.restore()
    assert world.writes > writes
    savepoint = Savepoint(Turn(fresh={"w"}), {"w": world}, {}, {"w": world.state})
    before = world.writes
    savepoint.restore()
    assert world.writes == before
    assert default_fixture.tables["categories"].rows[1] == world.categories[1]
