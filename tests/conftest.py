"""Fixtures of the tests: one server for the session, a fresh world for each test.

With `pytest -n 2` the processes share one server over HTTP, and each test has a world of its own there.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from stubserver.app import StubServer
from stubserver.contract.contract import Contract
from stubserver.contract.load import load_contract
from stubserver.fixture import load
from stubserver.settings import Settings
from stubserver.testing import CourseWorld
from stubserver.worlds.world import Fixture
from tests.client import Api, Mirror, SharedApi

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
"""The moment at which the worlds of the tests are loaded and stand still."""
SETTINGS = Settings(
    jwt_secret="a-secret-of-the-tests-that-is-long-enough",
    cors_origins=("https://app.example",),
)


TRACED_CASES = 2
"""Cases of each parametrized test that run under the tracer of coverage, which doubles the time of whatever it sees."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--part", choices=["traced", "rest"], help="only the tests that are to be traced for coverage, or only the rest"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Split the tests as `--part` asks: each is in one of the two."""
    if config.option.part is None:
        return
    traced = set(_traced(items))
    left_out = {item for item in items if (item in traced) != (config.option.part == "traced")}
    config.hook.pytest_deselected(items=[*left_out])
    items[:] = [item for item in items if item not in left_out]


def _traced(items: list[pytest.Item]) -> Iterator[pytest.Item]:
    """The first cases of each test, but for long walks and tests whose processes repeat what others cover."""
    seen: Counter[str] = Counter()
    for item in items:
        if not any(item.iter_markers("long")) and not any(item.iter_markers("untraced")):
            name = item.nodeid.partition("[")[0]
            seen[name] += 1
            if seen[name] <= TRACED_CASES:
                yield item


def pytest_course_stub(config: pytest.Config) -> StubServer:
    """The server of the plugin's fixtures, which all tests share."""
    contract = load_contract()
    return StubServer(contract, load("default", contract, NOW), SETTINGS)


@pytest.fixture(scope="session")
def contract() -> Contract:
    return load_contract()


@pytest.fixture(scope="session")
def default_fixture(contract: Contract) -> Fixture:
    """The default fixture."""
    return load("default", contract, NOW)


@pytest.fixture(scope="session")
def server(contract: Contract, default_fixture: Fixture) -> StubServer:
    """A server in this process; ask for `app` to have it with a fresh world."""
    return StubServer(contract, default_fixture, SETTINGS)


@pytest.fixture(scope="session")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture
def app(server: StubServer) -> StubServer:
    """The server in this process, with a fresh world whose clock stands still."""
    server.worlds.reset().clock.freeze(NOW)
    return server


@pytest.fixture
def api(request: pytest.FixtureRequest, runner: asyncio.Runner) -> Api:
    """An anonymous caller; `api.as_("member")` is a persona. It asks the server in this process if the test asks for
    `app`, too, or is marked with in_process and the reason."""
    if "app" in request.fixturenames or request.node.get_closest_marker("in_process"):
        return Api(request.getfixturevalue("app"), runner)
    world: CourseWorld = request.getfixturevalue("course_world")
    world.clock.freeze(NOW)
    if world.stub.app is not None:
        return Api(world.stub.app, runner, name=world.name)
    return SharedApi(world, Mirror(world, request.getfixturevalue("default_fixture")))
