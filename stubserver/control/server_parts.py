"""The parts of a server that the control plane controls."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from stubserver.addressing import FIXTURE_HEADER, base_path
from stubserver.call import Call
from stubserver.contract.contract import Contract
from stubserver.contract.places import Places
from stubserver.errors import refusal
from stubserver.records.coverage import Coverage
from stubserver.records.journal import Journal
from stubserver.records.metrics import Metrics
from stubserver.row_check import RowChecks
from stubserver.shared.turns import Direct, Turns
from stubserver.worlds.clock import Clock
from stubserver.worlds.registry import Worlds
from stubserver.worlds.world import World


@dataclass
class Life:
    """How far a server has come."""

    is_ending: bool = False
    """Whether it has been asked to end."""
    followers: int = 0
    """How many clients follow worlds."""


@dataclass(frozen=True)
class ServerParts:
    """A server as its control plane sees it; `started` is by the monotonic clock."""

    contract: Contract
    control: Contract
    worlds: Worlds
    journal: Journal
    coverage: Coverage
    rows: RowChecks
    turns: Turns | Direct
    metrics: Metrics
    life: Life = field(default_factory=Life)
    started: float = field(default_factory=time.monotonic)

    @cached_property
    def places(self) -> Places:
        """The places of the API's answers that may vary."""
        return Places(self.contract)

    def world(self, name: str) -> World:
        """The existing world `name`. Raises a 404 refusal if there is none."""
        if name not in self.worlds:
            raise refusal(404, f"There is no world {name}.")
        return self.worlds.peek(name)

    def touched(self, call: Call) -> World:
        """The world that the call will change, created on first use. Raises a 400 refusal, as `Worlds.touch` does."""
        return self.worlds.touch(call.world.name, call.headers.get(FIXTURE_HEADER.lower()))


def world_view(world: World) -> Mapping[str, Any]:
    """All documented fields of a World."""
    return {
        "name": world.name,
        "fixture": world.fixture.name,
        "base_path": base_path(world.name),
        "clock": clock_view(world.clock),
        "strict": world.strict,
        "requests": world.asked,
        "forgotten": sum(world.forgotten.values()),
        "changed_rows": world.changed,
        "faults": len(world.faults),
        "variants": len(world.variants),
    }


def clock_view(clock: Clock) -> Mapping[str, Any]:
    """All documented fields of a Clock."""
    return {"now": clock.now(), "frozen": clock.frozen, "ahead_seconds": clock.ahead.total_seconds()}
