"""Fixtures for the tests of the fast lane."""

import itertools
from collections.abc import Iterator

import pytest

from stubserver.contract.contract import Contract
from stubserver.stores.sqlite import SqliteStore
from stubserver.worlds.snapshot import Fixture
from tests.lane.both import Both
from tests.lane.requests import freeze
from tests.support.default import SETTINGS


@pytest.fixture(scope="session", params=["lane", "store"])
def both(
    request: pytest.FixtureRequest,
    contract: Contract,
    default_fixture: Fixture,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Both]:
    """Two servers: with the lane and without, or both with it, and one of them with its worlds in a store."""
    path = tmp_path_factory.mktemp("lane") / "worlds.db"
    store = SqliteStore(str(path), SETTINGS.max_requests) if request.param == "store" else None
    servers = Both(contract, default_fixture, store)
    yield servers
    servers.stop()


_NUMBERS = itertools.count(1)


@pytest.fixture
def world(both: Both) -> str:
    """A fresh world in both servers, with a frozen clock and fresh connections."""
    both.hang_up(0)
    both.hang_up(1)
    name = f"own-{next(_NUMBERS)}"
    both.ask(freeze(name))
    return name
