"""The server looks at the files of fixtures once a second."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from stubserver.serving.server import Server


@pytest.mark.parametrize("is_watching", [True, False])
def test_a_tick_each_second_is_a_look(is_watching: bool, runner: asyncio.Runner) -> None:
    looks: list[int] = []
    app: Any = SimpleNamespace(watch=SimpleNamespace(look=lambda: looks.append(1)) if is_watching else None)
    server = Server(app)

    async def tick() -> None:
        for counter in range(20):
            await server.on_tick(counter)

    runner.run(tick())
    assert len(looks) == 2 * is_watching
