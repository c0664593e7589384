"""Fixtures for the tests of the pipeline."""

from types import SimpleNamespace

import pytest

from stubserver.pipeline import exchange


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that requests would wait; no time passes."""
    passed: list[float] = []

    async def nap(seconds: float) -> None:
        passed.append(seconds)

    monkeypatch.setattr(exchange, "asyncio", SimpleNamespace(sleep=nap))
    return passed
