"""Fixtures for the tests of stores."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvloop

from tests.stores.processes import Process
from tests.stores.servers import Redis, Run, cluster_of, redis


@pytest.fixture(params=[None, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Iterator[Run]:
    """Runs a coroutine in a loop of its own, of each kind."""
    with asyncio.Runner(loop_factory=request.param) as runner:
        yield runner.run


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a file of SQLite can be."""
    return tmp_path / "worlds.db"


@pytest.fixture
def process(path: Path, runner: asyncio.Runner) -> Iterator[Process]:
    """A process that has its worlds there."""
    process = Process(f"sqlite:{path}", runner)
    yield process
    process.close()


@pytest.fixture
def other(path: Path, runner: asyncio.Runner) -> Iterator[Process]:
    """Another one at the same file."""
    process = Process(f"sqlite:{path}", runner)
    yield process
    process.close()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    """A Redis that no test stops."""
    with redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[Redis]:
    """A Redis of the test's own, to stop and start."""
    with redis(tmp_path / "redis") as server:
        yield server


@pytest.fixture(scope="session")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Redis]]:
    """The nodes of a cluster of Redis, none of which a test stops."""
    with cluster_of(tmp_path_factory.mktemp("cluster")) as nodes:
        yield nodes
