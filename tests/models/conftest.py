"""Fixtures for the random sequences."""

import asyncio

import pytest

from stubserver.app import StubServer
from stubserver.contract.contract import Contract
from stubserver.fixtures.fixture import load
from stubserver.settings import Settings
from tests.models.machine import Machine
from tests.support.client import Api
from tests.support.default import NOW


@pytest.fixture(scope="session", autouse=True)
def _server(contract: Contract, runner: asyncio.Runner) -> None:
    """The server for all sequences, with an empty fixture."""
    # Strict, because the models know the contract only; test_leniency.py is about what is accepted beyond it.
    Machine.server = StubServer(contract, load("empty", contract, NOW), Settings(strict=True))
    Machine.api = Api(Machine.server, runner)
