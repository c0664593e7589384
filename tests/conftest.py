"""Fixtures of the tests: one server for the session, a fresh world for each test.

With `pytest -n 2` the processes share one server over HTTP, and each test has a world of its own there.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from stubserver.app import StubServer
from stubserver.contract.contract import Contract
from stubserver.contract.load import load_contract
from stubserver.fixture import load
from stubserver.settings import Settings
from stubserver.testing import CourseWorld
from stubserver.worlds.world import Fixture, World
from tests.support.client import Api, Mirror, SharedApi
from tests.support.commands import Served
from tests.support.default import LATER, MOST, NOW, SETTINGS
from tests.support.worlds import forget


def pytest_course_stub(config: pytest.Config) -> StubServer:
    """The server of the plugin's fixtures, which all tests share."""
    contract = load_contract()
    return StubServer(contract, load("default", contract, NOW), SETTINGS)


@pytest.fixture(scope="session")
def contract() -> Contract:
    """The contract of the API."""
    return load_contract()


@pytest.fixture(scope="session")
def document(contract: Contract) -> dict[str, Any]:
    """The merged document."""
    return contract.document


@pytest.fixture(scope="session")
def default_fixture(contract: Contract) -> Fixture:
    """The default fixture."""
    return load("default", contract, NOW)


@pytest.fixture
def world(default_fixture: Fixture) -> World:
    """A world of the default fixture and of no server, whose clock stands still."""
    world = World("w", default_fixture)
    world.clock.freeze(NOW)
    return world


@pytest.fixture(scope="session")
def server(contract: Contract, default_fixture: Fixture) -> StubServer:
    """A server in this process; ask for `app` to have it with a fresh world."""
    return StubServer(contract, default_fixture, SETTINGS)


@pytest.fixture(scope="session")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture
def app(request: pytest.FixtureRequest, server: StubServer) -> StubServer:
    """The server in this process as if just started, with a fresh world whose clock stands still; where the test is
    marked with no_world, without one."""
    forget(server)
    if not request.node.get_closest_marker("no_world"):
        server.worlds.reset().clock.freeze(NOW)
    return server


@pytest.fixture
def fresh(contract: Contract, default_fixture: Fixture, runner: asyncio.Runner) -> Callable[..., Api]:
    """Makes servers of this test alone; their options are Settings."""
    return lambda **settings: Api(StubServer(contract, default_fixture, Settings(**settings)), runner)


@pytest.fixture
def api(request: pytest.FixtureRequest, runner: asyncio.Runner) -> Api:
    """An anonymous caller; `api.as_("member")` is a persona. It asks the server in this process if the test asks for
    `app`, too, or is marked with no_world, or with in_process and the reason."""
    if "app" in request.fixturenames or any(map(request.node.get_closest_marker, ("in_process", "no_world"))):
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
    """Another server, whose worlds begin at another moment."""
    return StubServer(contract, load("default", contract, LATER))


@pytest.fixture
def there(another: StubServer, runner: asyncio.Runner) -> Api:
    """The other server, without a world and without a snapshot."""
    forget(another)
    return Api(another, runner)


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server of a process of its own, with nothing but defaults."""
    with contextlib.ExitStack() as stack:
        served = Served(tmp_path_factory.mktemp("plain"))
        stack.callback(served.end)
        yield served


@pytest.fixture(scope="session")
def custom(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The same with every option."""
    options = ["--host", "127.0.0.1", "--fixture", "empty", "--seed", "7", "--jwt-secret", "a secret"]
    options += ["--cors-origin", "https://one.example", "--cors-origin", "https://two.example", "--log-format", "json"]
    with contextlib.ExitStack() as stack:
        served = Served(tmp_path_factory.mktemp("custom"), *options)
        stack.callback(served.end)
        yield served
