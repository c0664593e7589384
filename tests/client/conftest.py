"""A server with a socket, for the tests of its clients."""

from collections.abc import Iterator

import pytest

from stubserver.app import StubServer
from stubserver.contract.contract import Contract
from stubserver.serving.background import Background
from stubserver.worlds.snapshot import Fixture


@pytest.fixture(scope="session")
def served(contract: Contract, default_fixture: Fixture) -> Iterator[str]:
    """The URL of a server in a thread."""
    with Background(lambda: StubServer(contract, default_fixture)) as url:
        yield url
