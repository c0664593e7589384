"""The parts of a server that its control plane controls, and how worlds and clocks are shown."""

from datetime import timedelta

import pytest

from stubserver.contract.contract import Contract
from stubserver.control.server_parts import ServerParts, clock_view, world_view
from stubserver.errors import Refusal
from stubserver.records.coverage import Coverage
from stubserver.records.journal import Journal
from stubserver.records.metrics import Metrics
from stubserver.row_check import RowChecks
from stubserver.settings import Settings
from stubserver.shared.turns import Direct
from stubserver.worlds.clock import Clock
from stubserver.worlds.fault import Fault
from stubserver.worlds.registry import Worlds
from stubserver.worlds.snapshot import Fixture
from stubserver.worlds.world import World
from tests.support.calls import called
from tests.support.control import CONTROL
from tests.support.default import NOW


@pytest.fixture
def parts(contract: Contract, default_fixture: Fixture) -> ServerParts:
    """Those of a server without a world."""
    coverage = Coverage(contract, default_fixture.tokens)
    worlds, journal, rows = Worlds(default_fixture), Journal(Settings()), RowChecks(contract)
    return ServerParts(contract, CONTROL, worlds, journal, coverage, rows, Direct(), Metrics([]))


def test_a_world_that_is_not_there_is_refused_and_not_made(parts: ServerParts) -> None:
    with pytest.raises(Refusal) as caught:
        parts.world("w")
    assert (caught.value.status, caught.value.reason) == (404, "There is no world w.")
    assert len(parts.worlds) == 0
    assert parts.world(parts.worlds.get("w").name) is parts.worlds.get("w")


def test_whoever_changes_a_world_makes_it(parts: ServerParts) -> None:
    """The world of a call may be a mere preview of a world that does not exist yet."""
    call = called(parts.worlds.peek("w"))
    touched = parts.touched(call)
    assert touched is not call.world
    assert touched is parts.worlds.get("w") is parts.touched(call)


def test_a_world_is_made_of_the_fixture_that_the_header_names(parts: ServerParts) -> None:
    with pytest.raises(Refusal) as caught:
        parts.touched(called(parts.worlds.peek("w"), headers={"x-stub-fixture": "nope"}))
    assert caught.value.status == 400


def test_every_field_of_a_world_is_shown(world: World) -> None:
    world.courses.delete(1)
    world.asked = 5
    world.forgotten = {"max_requests": 1, "max_journal": 2}
    world.add_variant({"kind": "null"})
    world.faults = {3: Fault.of(3, {"kind": "error", "seed": 0}, "")}
    assert world_view(world) == {
        "name": "w",
        "fixture": "default",
        "base_path": "/~w",
        "clock": {"now": NOW, "frozen": True, "ahead_seconds": 0},
        "strict": False,
        "requests": 5,
        "forgotten": 3,
        "changed_rows": 1,
        "faults": 1,
        "variants": 1,
    }


def test_a_running_clock_says_how_far_it_is_ahead() -> None:
    clock = Clock()
    clock.advance(timedelta(days=2))
    view = clock_view(clock)
    assert (view["frozen"], view["ahead_seconds"]) == (False, 172_800)
