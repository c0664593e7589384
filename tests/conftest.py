"""Pytest fixtures: one server for the session, a fresh world for each test.

With `pytest -n 2` the processes share one server over HTTP, where each test has a world of its own.
"""

import asyncio
import contextlib
import os
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import stubserver.app
from stubserver.app import StubServer
from stubserver.contract.contract import Contract
from stubserver.contract.load import load_contract
from stubserver.fixtures.fixture import load
from stubserver.settings import Settings
from stubserver.testing import CourseWorld
from stubserver.worlds.snapshot import Fixture
from stubserver.worlds.world import World
from tests.support.client import Api, Mirror, SharedApi
from tests.support.commands import Served
from tests.support.default import LATER, MOST, NOW, SETTINGS
from tests.support.stored import TrickStore, move, store_of, turns_of
from tests.support.twins import Twins
from tests.support.worlds import forget

TRACED_CASES = 3
"""Cases of each parametrized test that run under the coverage tracer, which doubles the time of all it traces."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--no-http", action="store_true", help="use servers inside the test processes, which is faster")
    parser.addoption(
        "--part", choices=["traced", "rest"], help="run only the tests to trace for coverage, or only the rest"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Let the processes of pytest-xdist share one server over HTTP, unless `--no-http` is given."""
    os.environ["STUBSERVER_CACHE"] = "off"  # tests must not leave files with the user
    if config.getoption("numprocesses", None) and not config.option.no_http:
        config.option.stub_in_process = False


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Select the tests that `--part` asks for (each test is in exactly one part), and start with the long ones, so that
    none is left running alone at the end."""
    if config.option.part is not None:
        traced = set(_traced(items))
        left_out = {item for item in items if (item in traced) != (config.option.part == "traced")}
        config.hook.pytest_deselected(items=[*left_out])
        items[:] = [item for item in items if item not in left_out]
    items.sort(key=lambda item: -len([*item.iter_markers("long"), *item.iter_markers("slow")]))


def _traced(items: list[pytest.Item]) -> Iterator[pytest.Item]:
    """The first cases of each test, and all of some tables, except for long walks and tests whose processes repeat what
    others cover."""
    seen: Counter[str] = Counter()
    for item in items:
        if not any(item.iter_markers("long")) and not any(item.iter_markers("untraced")):
            name = item.nodeid.partition("[")[0]
            seen[name] += 1
            if seen[name] <= TRACED_CASES or any(item.iter_markers("table")):
                yield item


def pytest_course_stub(config: pytest.Config) -> StubServer:
    """The server of the plugin's fixtures, which all tests share."""
    contract = load_contract()
    return StubServer(contract, load("default", contract, NOW), SETTINGS)


@pytest.fixture(scope="session", autouse=True)
def _contracts_are_read_once() -> Iterator[None]:
    """For all servers of this process: reading them takes most of the time of a new server."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("load_contract", "load_control_contract"):
            patch.setattr(stubserver.app, name, cache(getattr(stubserver.app, name)))
        yield


@pytest.fixture(scope="session")
def contract() -> Contract:
    """The contract of the API."""
    return load_contract()


@pytest.fixture(scope="session")
def document(contract: Contract) -> dict[str, Any]:
    return contract.document


@pytest.fixture(scope="session")
def default_fixture(contract: Contract) -> Fixture:
    return load("default", contract, NOW)


@pytest.fixture
def world(default_fixture: Fixture) -> World:
    """A world of the default fixture with a frozen clock, not part of any server."""
    world = World("w", default_fixture)
    world.clock.freeze(NOW)
    return world


@pytest.fixture(scope="session")
def server(contract: Contract, default_fixture: Fixture) -> StubServer:
    """A server in this process; request `app` to get it with a fresh world."""
    return StubServer(contract, default_fixture, SETTINGS)


@pytest.fixture(scope="session")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture
def app(request: pytest.FixtureRequest, server: StubServer) -> StubServer:
    """The server in this process as if just started, with a fresh world whose clock is frozen; a test marked no_world
    gets it without a world."""
    forget(server)
    if not request.node.get_closest_marker("no_world"):
        server.worlds.reset().clock.freeze(NOW)
    return server


@pytest.fixture(scope="session")
def _idle() -> dict[Settings, list[StubServer]]:
    """Servers that no test uses at the moment."""
    return {}


@pytest.fixture
def fresh(
    contract: Contract, default_fixture: Fixture, runner: asyncio.Runner, _idle: dict[Settings, list[StubServer]]
) -> Iterator[Callable[..., Api]]:
    """Makes servers for this test alone, or takes one that earlier tests have used and makes it as if it had just
    started; the options are those of Settings."""
    taken: list[StubServer] = []

    def make(**options: Any) -> Api:
        idle = _idle.setdefault(Settings(**options), [])
        taken.append(idle.pop() if idle else StubServer(contract, default_fixture, Settings(**options)))
        return Api(taken[-1], runner)

    yield make
    for server in taken:
        forget(server)
        _idle[server.settings].append(server)


@pytest.fixture(scope="session")
def _idle_stored() -> dict[Settings, list[StubServer]]:
    """Servers with a store that no test uses at the moment."""
    return {}


@pytest.fixture
def stored(
    tmp_path: Path,
    contract: Contract,
    default_fixture: Fixture,
    runner: asyncio.Runner,
    _idle_stored: dict[Settings, list[StubServer]],
) -> Iterator[Callable[..., Api]]:
    """Makes servers that share worlds in a file, as processes do, or takes ones that earlier tests have used; the
    options are those of Settings."""
    taken: list[StubServer] = []

    def make(**options: Any) -> Api:
        settings = Settings(**options)
        idle, path = _idle_stored.setdefault(settings, []), tmp_path / "worlds.db"
        server = (
            move(idle.pop(), path)
            if idle
            else StubServer(contract, default_fixture, settings, store=TrickStore(path, settings.max_requests))
        )
        taken.append(server)
        return Api(server, runner)

    yield make
    for server in taken:
        runner.run(store_of(server).close())
        if not turns_of(server)._has_ended:
            _idle_stored[server.settings].append(server)


@pytest.fixture
def twins(fresh: Callable[..., Api], stored: Callable[..., Api]) -> Callable[..., Twins]:
    """Makes a server with worlds in memory and two with worlds in a store, in which time stands still; the options are
    those of Settings."""

    def make(**options: Any) -> Twins:
        options = {"freeze_at": NOW, **options}
        return Twins(fresh(**options), stored(**options), stored(**options))

    return make


@pytest.fixture
def api(request: pytest.FixtureRequest, runner: asyncio.Runner) -> Api:
    """An anonymous caller; `api.as_("member")` is a persona. It uses the server in this process if the test requests
    `app`, is marked no_world or in_process (with the reason), or runs with --no-http."""
    is_marked = any(map(request.node.get_closest_marker, ("in_process", "no_world")))
    if is_marked or "app" in request.fixturenames or request.config.option.no_http:
        return Api(request.getfixturevalue("app"), runner)
    world: CourseWorld = request.getfixturevalue("course_world")
    world.clock.freeze(NOW)
    if world.stub.app is not None:
        return Api(world.stub.app, runner, name=world.name)
    return SharedApi(world, Mirror(world, request.getfixturevalue("default_fixture")))


@pytest.fixture(scope="session")
def bounded(contract: Contract, default_fixture: Fixture) -> StubServer:
    """A server with small bounds."""
    return StubServer(contract, default_fixture, MOST)


@pytest.fixture
def small(bounded: StubServer, runner: asyncio.Runner) -> Api:
    """A server with small bounds and without a world."""
    forget(bounded)
    return Api(bounded, runner)


@pytest.fixture(scope="session")
def another(contract: Contract) -> StubServer:
    """Another server, whose worlds start at another moment."""
    return StubServer(contract, load("default", contract, LATER))


@pytest.fixture
def there(another: StubServer, runner: asyncio.Runner) -> Api:
    """The other server, without worlds or snapshots."""
    forget(another)
    return Api(another, runner)


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server in a process of its own, with all defaults."""
    with contextlib.ExitStack() as stack:
        served = Served(tmp_path_factory.mktemp("plain"))
        stack.callback(served.end)
        yield served


@pytest.fixture(scope="session")
def custom(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The same, with every option set."""
    options = ["--host", "127.0.0.1", "--fixture", "empty", "--seed", "7", "--jwt-secret", "a secret"]
    options += ["--cors-origin", "https://one.example", "--cors-origin", "https://two.example", "--log-format", "json"]
    options += ["--control-origin", "https://control.example"]
    with contextlib.ExitStack() as stack:
        served = Served(tmp_path_factory.mktemp("custom"), *options)
        stack.callback(served.end)
        yield served
