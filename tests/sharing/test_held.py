"""Requests whose entries are stored after their answers: whoever asks next, on whichever process, finds them."""

import asyncio
import random
import re
import signal
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest

from tests.sharing.cluster import SHARED, sharing
from tests.support.commands import COMMAND, PATIENCE

pytestmark = [pytest.mark.slow, pytest.mark.untraced]

TOGETHER = 3
"""How many requests are sent at once, so that a turn has several."""
_ID = re.compile(rb"x-stub-request: (\S+)")
CREATOR = {"Authorization": "Bearer stub-creator"}


class Asking:
    """One client of several processes, in a world of its own."""

    def __init__(self, clients: Sequence[httpx.AsyncClient], world: str, seed: int = 0) -> None:
        self.clients = clients
        self.world = world
        self.chance = random.Random(seed)  # noqa: S311
        self.ids: list[str] = []
        """The ids of its requests, as the answers name them."""

    async def read(self, what: str, client: httpx.AsyncClient, count: int = TOGETHER) -> None:
        """Send so many requests at once, which only read."""
        path = f"/~{self.world}/api/v2/course/search/?search={what}"
        answers = await asyncio.gather(*(client.get(path, headers=CREATOR) for _ in range(count)))
        assert [answer.status_code for answer in answers] == [200] * count
        self.ids += [answer.headers["x-stub-request"] for answer in answers]

    async def verdict(self, what: str, client: httpx.AsyncClient, times: int = TOGETHER) -> str:
        """What a process says of them; empty if there were so many."""
        body = {"operation": "search_courses", "query": {"search": what}, "times": times}
        answer = await client.post("/__stub/verify", json=body, headers={"X-Stub-World": self.world})
        assert answer.status_code == 200, answer.text
        return "" if answer.json()["verified"] else str(answer.json()["message"])

    async def rounds(self, *numbers: int) -> list[str]:
        """Read on one process and ask the other, again and again. Returns the verdicts that are wrong."""
        wrong = []
        for number in numbers:
            one, other = self.chance.sample(self.clients, 2)
            await self.read(f"knots-{number}", one)
            wrong.append(await self.verdict(f"knots-{number}", other))
        return [verdict for verdict in wrong if verdict]


async def clients(stack: AsyncExitStack, urls: Sequence[str]) -> list[httpx.AsyncClient]:
    limits = httpx.Limits(max_connections=64)
    made = (httpx.AsyncClient(base_url=url, timeout=PATIENCE, limits=limits) for url in urls)
    return [await stack.enter_async_context(client) for client in made]


@pytest.mark.parametrize("store", SHARED)
def test_an_entry_is_there_for_a_process_that_is_asked_directly_after_the_answer(store: str, tmp_path: Path) -> None:
    """In 1,000 random interleavings, each with three requests; no id is given twice."""

    async def run(urls: Sequence[str]) -> None:
        async with AsyncExitStack() as stack:
            opened = await clients(stack, urls)
            asking = [Asking(opened, f"w{number}", number) for number in range(16)]
            assert [await one.rounds(0) for one in asking] == [[]] * 16  # each has its world
            assert await asyncio.gather(*(one.rounds(*range(1, 64)) for one in asking)) == [[]] * 16
            for one in asking:
                assert len(set(one.ids)) == len(one.ids) == 64 * TOGETHER

    with sharing(store, tmp_path, 2) as cluster:
        asyncio.run(run(cluster.urls))


@pytest.mark.parametrize("store", SHARED)
def test_a_process_that_is_killed_stops_nobody_for_long(store: str, tmp_path: Path) -> None:
    """The other one knows what was stored, and gives no id that an answer has named, though its entry is lost."""

    async def run(urls: Sequence[str]) -> None:
        async with AsyncExitStack() as stack:
            one, other = await clients(stack, urls)
            asking = Asking([one, other], "w")
            await asking.read("first", one)
            flood = [asyncio.create_task(_flood(cluster.ports[0], "w")) for _ in range(16)]
            await asyncio.wait(flood, timeout=0.3)
            cluster.kill(0)
            found = [number for text in await asyncio.gather(*flood) for number in _ID.findall(text)]
            assert len(set(found)) == len(found) > 0
            assert await asking.verdict("first", other) == ""
            await asking.read("last", other)
            assert await asking.verdict("last", other) == ""
            assert not {*found} & {number.encode() for number in asking.ids}

    with sharing(store, tmp_path, 2, (*COMMAND, "serve"), "--max-requests", "100000") as cluster:
        asyncio.run(run([*cluster.urls]))


async def _flood(port: int, world: str) -> bytes:
    """Send one request after the other. Returns all answers that came until the server has gone."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"GET /~{world}/api/v2/user/me/ HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer stub-creator\r\n\r\n"
    text = bytearray()
    try:
        while True:
            writer.write(head.encode())
            if not (answer := await reader.read(1 << 16)):
                return bytes(text)
            text += answer
    except ConnectionError:
        return bytes(text)
    finally:
        writer.close()


@pytest.mark.parametrize("store", SHARED)
def test_a_process_that_ends_stores_all_that_it_has_answered(store: str, tmp_path: Path) -> None:
    async def run(urls: Sequence[str]) -> None:
        async with AsyncExitStack() as stack:
            one, other = await clients(stack, urls)
            asking = Asking([one, other], "w")
            for _ in range(20):
                await asking.read("knots", one, 10)
            cluster.served(0).process.send_signal(signal.SIGTERM)
            assert await asking.verdict("knots", other, 200) == ""
            cluster.served(0).process.wait(PATIENCE)
            assert await asking.verdict("knots", other, 200) == ""

    with sharing(store, tmp_path, 2) as cluster:
        asyncio.run(run(cluster.urls))
