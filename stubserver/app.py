"""Builds the server: the contracts drive Connexion, and Connexion drives the pipeline. There is no global state."""

import asyncio
import time
from collections import ChainMap
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Any, TypeVar

from starlette.types import Receive, Scope, Send

from stubserver import agreement, control
from stubserver.api import operations
from stubserver.api.tokens import check_secret
from stubserver.contract.contract import Contract
from stubserver.contract.load import load_contract, load_control_contract
from stubserver.control.server_parts import ServerParts
from stubserver.fixtures.elsewhere import Elsewhere
from stubserver.fixtures.supply import Supply
from stubserver.fixtures.watch import Watch
from stubserver.lane.head import Heads
from stubserver.lane.lane import Lane
from stubserver.pages.routes import page_routes
from stubserver.pipeline.cors import Cors, check_origins
from stubserver.pipeline.dispatch import Dispatch, Function
from stubserver.pipeline.faults import Faults
from stubserver.pipeline.framework import Middlewares, build_stack
from stubserver.pipeline.protection import Protection
from stubserver.pipeline.recorder import Recorder
from stubserver.pipeline.shared_recorder import SharedRecorder
from stubserver.pipeline.turn import TurnTaking
from stubserver.pipeline.variants import Variants
from stubserver.pipeline.wire import Wire
from stubserver.records.coverage import Coverage
from stubserver.records.journal import Journal
from stubserver.records.metrics import Metrics
from stubserver.row_check import RowChecks
from stubserver.settings import MEMORY, Settings
from stubserver.shared.coverage import SharedCoverage
from stubserver.shared.journal import SharedJournal
from stubserver.shared.turns import PATIENCE, Direct, Turns
from stubserver.shared.worlds import SharedWorlds
from stubserver.stores.opening import store_at
from stubserver.stores.store import FORMAT, Store, Unavailable
from stubserver.worlds.clock import check_moment
from stubserver.worlds.registry import Load, Worlds
from stubserver.worlds.snapshot import Fixture

T = TypeVar("T")


class StubServer:
    """The server as an ASGI application."""

    def __init__(
        self,
        contract: Contract,
        fixture: Fixture,
        settings: Settings | None = None,
        load: Load | None = None,
        store: Store | None = None,
        supply: Supply | None = None,
    ) -> None:
        """Worlds start from `fixture`; `load` loads other fixtures by name, by default those of the `supply`; `store`
        keeps the worlds, unless they are in the memory of this process. Raises SpecError if the contract and the code
        disagree, and ValueError for an unusable JWT secret, origin, host, public URL, proxy or control token."""
        self.contract = contract
        self.fixture = fixture
        self.settings = settings or Settings()
        check_secret(self.settings.jwt_secret)
        check_origins(self.settings)
        self.control = load_control_contract()
        supply = supply or Supply(contract, fixture.name)
        load = load or supply.named
        self.metrics = Metrics([*contract.operations, *self.control.operations])
        given = contract, fixture, self.settings, load
        self.worlds, self.journal, self.coverage, self.turns = (
            _shared(store, self.metrics, *given) if store else _own(*given)
        )
        self.worlds.fixture_names = supply.names
        contracts = [contract, self.control]
        rows = RowChecks(contract)
        held = self.worlds, self.journal, self.coverage
        self._parts = ServerParts(contract, self.control, *held, rows, self.turns, self.metrics)
        commands = control.functions(self._parts)
        functions: Mapping[str, Function] = ChainMap(operations.FUNCTIONS, commands)
        agreement.check(contract, self.control, operations.FUNCTIONS, commands)
        pages = page_routes(contracts)
        protection = Protection(self.control, self.settings)
        dispatch = Dispatch(contracts, functions, pages, Variants(contract))
        recorder: Any = Recorder
        turn_taking: list[Any] = []
        if isinstance(self.turns, Turns):
            recorder = partial(SharedRecorder, turns=self.turns, worlds=self.worlds)
            waiting = {name for name, command in commands.items() if iscoroutinefunction(command)}
            turn_taking = [partial(TurnTaking, turns=self.turns, control=self.control, waiting=waiting)]
        outer: Middlewares = {
            "recorder": [
                partial(recorder, contract=contract, journal=self.journal, coverage=self.coverage, metrics=self.metrics)
            ],
            "cors": [partial(Cors, settings=self.settings)],
            "wire": [partial(Wire, worlds=self.worlds, control=self.control, protection=protection)],
            "faults": [partial(Faults, contract=contract, turns=self.turns)],
            "turn": turn_taking,
        }
        self._stack, hops = build_stack(contracts, functions, dispatch, outer)
        self.recorder: Recorder = hops["recorder"]
        heads = Heads(hops, contract.operations)
        self.lane = Lane(heads, dispatch, self.worlds, self.recorder, self.turns) if self.settings.fast_path else None
        """Answers most requests over HTTP; None if the fast path is switched off."""
        self.watch: Watch | None = None
        """Follows the files of fixtures, if that is wanted."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, as an ASGI application."""
        await self._stack(scope, receive, send)

    @property
    def kept_in(self) -> str:
        """What keeps its worlds, in words; empty for the memory of this process."""
        return self.worlds.store.name if isinstance(self.worlds, SharedWorlds) else ""

    def alone(self, work: Callable[[], T], *names: str) -> T:
        """The result of work on its worlds, before or after it runs; `names` are those that the work is known to use.
        Raises what the work raises, and a 503 refusal if the store of worlds does not work."""
        return asyncio.run(self._alone(work, *names))

    async def _alone(self, work: Callable[[], T], *names: str) -> T:
        try:
            return await self.turns.run(work, *names)
        finally:
            await self.turns.close()

    def begin_end(self) -> None:
        """Say from now on that the server is not ready, because it ends."""
        self._parts.life.is_ending = True

    async def close(self) -> None:
        """Let go of the store and of the files of fixtures, at the end."""
        if self.watch is not None:
            self.watch.close()
        await self.turns.close()


State = tuple[Worlds, Journal, Coverage, Turns | Direct]


def _own(contract: Contract, fixture: Fixture, settings: Settings, load: Load) -> State:
    """What is in the memory of this process."""
    journal = Journal(settings)
    return Worlds(fixture, settings, load, journal.clear), journal, Coverage(contract, fixture.tokens), Direct()


def _shared(
    store: Store, metrics: Metrics, contract: Contract, fixture: Fixture, settings: Settings, load: Load
) -> State:
    """What is in a store."""
    worlds = SharedWorlds(store, fixture, settings, load)
    journal = SharedJournal(settings, worlds, contract.operations)
    return worlds, journal, SharedCoverage(contract, fixture.tokens, worlds), Turns(worlds, metrics.count)


def create_app(
    fixture: str = "default", fixture_dir: Path | None = None, watch: bool = False, **options: Any
) -> StubServer:
    """A new server whose worlds start from `fixture` (a name or a file); those in `fixture_dir` can be asked for, too.
    With `watch`, new worlds follow the files. `options` are fields of Settings. Relative times in fixtures are relative
    to the time at which clocks are frozen, or else to now.

    Raises SpecError, FixtureError and ValueError.
    """
    contract, settings = load_contract(), Settings(**options)
    if settings.freeze_at is not None:
        check_moment(settings.freeze_at)
    supply = Supply(contract, fixture, fixture_dir)
    supply.check()
    watching = Watch(_watched(supply, settings), supply.load, elsewhere=Elsewhere(supply)) if watch else None
    store = store_at(settings.store, settings.max_requests)
    loaded = _agreed(store, supply, settings) if store else supply.first(settings.freeze_at)
    app = StubServer(contract, loaded, settings, store=store, supply=supply)
    if watching is not None:
        app.watch = watching
        app.worlds.newest = watching.newest
    return app


def _watched(supply: Supply, settings: Settings) -> list[Path]:
    """The folders to watch. Raises ValueError if that would be wrong, or of no use."""
    if settings.store != MEMORY:
        reason = "those in a store belong to one version of their fixture, on which all its servers agree"
        raise ValueError(f"--watch works with worlds in memory only, because {reason}: leave out --watch or --store")
    try:
        folders = supply.folders
    except ValueError as error:
        raise ValueError(f"--watch: {error}") from None
    if not folders:
        raise ValueError("--watch has nothing to watch: name a file with --fixture, or a folder with --fixture-dir")
    return folders


def _agreed(store: Store, supply: Supply, settings: Settings) -> Fixture:
    """The fixture as of the moment on which all processes at the store agree. Raises ValueError if they do not agree on
    something, and FixtureError."""
    loaded = supply.first(settings.freeze_at)
    facts = {
        "format": FORMAT,
        "fixture": loaded.name,
        "digest": loaded.digest,
        "seed": str(settings.seed),
        "freeze-at": str(settings.freeze_at),
        "moment": loaded.moment.isoformat(),
    }
    try:
        with ThreadPoolExecutor(1) as thread:  # the caller may have an event loop of its own
            agreed = thread.submit(asyncio.run, _facts(store, facts)).result()
    except Unavailable as error:
        raise ValueError(f"the store of worlds does not work: {error}") from None
    for name in ("format", "fixture", "digest", "seed", "freeze-at"):
        if agreed[name] != facts[name]:
            theirs, ours = f"{name} {agreed[name]}", facts[name]
            if name == "digest":
                theirs, ours = f"another text of fixture {loaded.name}", f"that of today ({ours[:8]})"
            message = f"the {store.name} belongs to servers with {theirs}, but this one has {ours}"
            raise ValueError(f"{message}: use another store, or delete that one")
    moment = datetime.fromisoformat(agreed["moment"])
    return loaded if moment == loaded.moment else supply.first(moment)


async def _facts(store: Store, facts: Mapping[str, str]) -> Mapping[str, str]:
    store.deadline = time.monotonic() + PATIENCE
    try:
        return await store.agree(facts)
    finally:
        await store.close()
