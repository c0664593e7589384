"""Builds the server: the contracts drive Connexion, and Connexion drives the pipeline. There is no global state."""

from collections import ChainMap
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

from starlette.types import Receive, Scope, Send

from stubserver import agreement, control
from stubserver.api import operations
from stubserver.api.tokens import check_secret
from stubserver.contract.contract import Contract
from stubserver.contract.load import load_contract, load_control_contract
from stubserver.control.server_parts import ServerParts
from stubserver.errors import invalid
from stubserver.fixture import load as load_fixture
from stubserver.fixture import names as fixture_names
from stubserver.lane.head import Heads
from stubserver.lane.lane import Lane
from stubserver.pages.routes import page_routes
from stubserver.pipeline.cors import Cors, check_origins
from stubserver.pipeline.dispatch import Dispatch, Function
from stubserver.pipeline.faults import Faults
from stubserver.pipeline.framework import Middlewares, build_stack
from stubserver.pipeline.protection import Protection
from stubserver.pipeline.recorder import Recorder
from stubserver.pipeline.wire import Wire
from stubserver.records.coverage import Coverage
from stubserver.records.journal import Journal
from stubserver.row_check import RowChecks
from stubserver.settings import Settings
from stubserver.worlds.clock import check_moment
from stubserver.worlds.registry import Load, Worlds
from stubserver.worlds.world import Fixture


class StubServer:
    """The server as an ASGI application."""

    def __init__(
        self, contract: Contract, fixture: Fixture, settings: Settings | None = None, load: Load | None = None
    ) -> None:
        """Worlds start from `fixture`; `load` loads other fixtures by name. Raises SpecError if the contract and the
        code disagree, and ValueError for an unusable JWT secret, origin, host, public URL, proxy or control token."""
        self.contract = contract
        self.fixture = fixture
        self.settings = settings or Settings()
        check_secret(self.settings.jwt_secret)
        check_origins(self.settings)
        self.control = load_control_contract()
        self.journal = Journal(self.settings)
        self.worlds = Worlds(fixture, self.settings, load or partial(_packaged_fixture, contract), self.journal.clear)
        self.coverage = Coverage(contract, fixture.tokens)
        contracts = [contract, self.control]
        parts = ServerParts(contract, self.control, self.worlds, self.journal, self.coverage, RowChecks(contract))
        commands = control.functions(parts)
        functions: Mapping[str, Function] = ChainMap(operations.FUNCTIONS, commands)
        agreement.check(contract, self.control, operations.FUNCTIONS, commands)
        pages = page_routes(contracts)
        protection = Protection(self.control, self.settings)
        dispatch = Dispatch(contracts, functions, pages)
        outer: Middlewares = {
            "recorder": [partial(Recorder, contract=contract, journal=self.journal, coverage=self.coverage)],
            "cors": [partial(Cors, settings=self.settings)],
            "wire": [partial(Wire, worlds=self.worlds, control=self.control, protection=protection)],
            "faults": [partial(Faults, contract=contract)],
        }
        self._stack, hops = build_stack(contracts, functions, dispatch, outer)
        self.recorder: Recorder = hops["recorder"]
        heads = Heads(hops, contract.operations)
        self.lane = Lane(heads, dispatch, self.worlds, self.recorder) if self.settings.fast_path else None
        """Answers most requests over HTTP; None if the fast path is switched off."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, as an ASGI application."""
        await self._stack(scope, receive, send)


def create_app(fixture: str = "default", **options: Any) -> StubServer:
    """A new server whose worlds start from `fixture` (a name or a file); `options` are fields of Settings. Relative
    times in the fixture are relative to the time at which clocks are frozen, or else to now.

    Raises SpecError, FixtureError and ValueError.
    """
    contract, settings = load_contract(), Settings(**options)
    if settings.freeze_at is not None:
        check_moment(settings.freeze_at)
    loaded = load_fixture(fixture, contract, settings.freeze_at)

    def load(name: str, now: datetime) -> Fixture:
        return load_fixture(fixture, contract, now) if name == loaded.name else _packaged_fixture(contract, name, now)

    return StubServer(contract, loaded, settings, load)


def _packaged_fixture(contract: Contract, name: str, now: datetime) -> Fixture:
    """Load a fixture that ships with the package; requests must not name files."""
    if name not in fixture_names():
        known = ", ".join(fixture_names())
        raise invalid("fixture", "does_not_exist", f"Unknown fixture {name!r}: use one of {known}.")
    return load_fixture(name, contract, now)
