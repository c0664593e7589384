"""Fixtures for the tests of the fast lane."""

import itertools
from collections.abc import Iterator

import pytest

from stubserver.contract.contract import Contract
from stubserver.worlds.world import Fixture
from tests.lane.both import Both
from tests.lane.requests import freeze


@pytest.fixture(scope="session")
def both(contract: Contract, default_fixture: Fixture) -> Iterator[Both]:
    """Two servers, with the lane and without."""
    servers = Both(contract, default_fixture)
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
