"""Fixtures for the tests of shared worlds: processes, all of them in this one."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from stubserver.settings import Settings
from stubserver.shared import turns
from stubserver.worlds.snapshot import Fixture
from tests.support.stored import Process


@pytest.fixture
def process(tmp_path: Path, default_fixture: Fixture, runner: asyncio.Runner) -> Iterator[Callable[..., Process]]:
    """Makes processes that share worlds; the options are those of Settings."""
    made: list[Process] = []

    def make(**options: Any) -> Process:
        made.append(Process(tmp_path / "worlds.db", default_fixture, Settings(**options), runner))
        return made[-1]

    yield make
    for process in made:
        runner.run(process.turns.close())


@pytest.fixture
def one(process: Callable[..., Process]) -> Process:
    return process()


@pytest.fixture
def other(process: Callable[..., Process]) -> Process:
    return process()


@pytest.fixture
def without_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a failure, the store is asked again at once."""
    monkeypatch.setattr(turns, "_PAUSE", 0)
