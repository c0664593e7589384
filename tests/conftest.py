"""Fixtures of the tests: one server for the session, a fresh world for each test."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from stubserver.app import StubServer, load_contract
from stubserver.fixture import load
from stubserver.settings import Settings
from stubserver.spec import Contract
from stubserver.world import Seed
from tests.client import Api

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
"""The moment at which the worlds of the tests are loaded and stand still."""


@pytest.fixture(scope="session")
def contract() -> Contract:
    return load_contract()


@pytest.fixture(scope="session")
def seed(contract: Contract) -> Seed:
    """The default fixture."""
    return load("default", contract, NOW)


@pytest.fixture(scope="session")
def server(contract: Contract, seed: Seed) -> StubServer:
    """The server that all tests share; ask for `app` to have it with a fresh world."""
    return StubServer(
        contract,
        seed,
        Settings(
            jwt_secret="a-secret-of-the-tests-that-is-long-enough",
            cors_origins=("https://app.example",),
        ),
    )


@pytest.fixture(scope="session")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture
def app(server: StubServer) -> StubServer:
    """The server with a fresh world whose clock stands still."""
    server.worlds.reset().clock.freeze(NOW)
    return server


@pytest.fixture
def api(app: StubServer, runner: asyncio.Runner) -> Api:
    """An anonymous caller; `api.as_("member")` is a persona."""
    return Api(app, runner)
