"""Fixtures for the tests of the pipeline."""

from types import SimpleNamespace

import pytest

from stubserver.pipeline import faults


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that requests would wait; no time passes."""
    passed: list[float] = []

    async def nap(seconds: float) -> None:
        passed.append(seconds)

    monkeypatch.setattr(faults, "asyncio", SimpleNamespace(sleep=nap))
    return passed
