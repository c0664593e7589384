"""Answers that go on: no part is made before the client has room for it, and nothing is left when it is gone."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from starlette.types import Message

from stubserver.api.views import Stream
from stubserver.pipeline.stream import send_stream
from tests.support.control import CONTROL

OPERATION = CONTROL.operations["follow_world"]


class Exchange:
    """A client that takes as many messages as it is allowed to, and an answer that notes how far it has come."""

    def __init__(self, room: int, fails: bool = False) -> None:
        self.made, self.is_closed, self.sent = 0, False, list[Message]()
        self._room, self._fails = asyncio.Semaphore(room), fails
        self.gone = asyncio.Event()

    async def parts(self) -> AsyncGenerator[bytes, None]:
        try:
            while self.made < 5:
                self.made += 1
                yield b"%d" % self.made
                if self._fails:
                    raise ValueError("no")
                for _ in range(5):
                    await asyncio.sleep(0)
        finally:
            self.is_closed = True

    async def send(self, message: Message) -> None:
        await self._room.acquire()
        self.sent.append(message)

    async def receive(self) -> Message:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def run(self, method: str = "GET") -> None:
        await send_stream(Stream(self.parts()), OPERATION, method, self.receive, self.send)

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent)


def test_all_parts_are_sent_and_the_answer_ends() -> None:
    async def run() -> Exchange:
        exchange = Exchange(room=100)
        await exchange.run()
        return exchange

    exchange = asyncio.run(run())
    assert exchange.body == b"12345"
    start, *others = exchange.sent
    assert start["status"] == 200
    assert dict(start["headers"]) == {
        b"content-type": b"text/event-stream; charset=utf-8",
        b"cache-control": b"no-store",
        b"x-accel-buffering": b"no",
    }
    assert [message["more_body"] for message in others] == [True] * 5 + [False]


def test_a_slow_reader_holds_the_answer_back() -> None:
    """One part waits for the client, and no other is made meanwhile."""

    async def run() -> tuple[int, Exchange]:
        exchange = Exchange(room=2)
        running = asyncio.create_task(exchange.run())
        for _ in range(50):
            await asyncio.sleep(0)
        made = exchange.made
        running.cancel()
        await asyncio.wait([running])
        return made, exchange

    made, exchange = asyncio.run(run())
    assert (made, exchange.body, exchange.is_closed) == (2, b"1", True)


def test_a_client_that_is_gone_ends_the_answer() -> None:
    async def run() -> Exchange:
        exchange = Exchange(room=100)
        exchange.gone.set()
        await exchange.run()
        return exchange

    exchange = asyncio.run(run())
    assert exchange.made < 5
    assert exchange.sent[-1] == {"type": "http.response.body", "body": b"", "more_body": False}


def test_what_fails_within_an_answer_is_raised() -> None:
    async def run() -> Exchange:
        exchange = Exchange(room=100, fails=True)
        with pytest.raises(ValueError, match="no"):
            await exchange.run()
        return exchange

    assert asyncio.run(run()).body == b"1"


def test_head_gets_only_the_headers() -> None:
    async def run() -> Exchange:
        exchange = Exchange(room=100)
        await exchange.run("HEAD")
        return exchange

    exchange = asyncio.run(run())
    found: list[Any] = [message["type"] for message in exchange.sent]
    assert found == ["http.response.start", "http.response.body"]
    assert (exchange.made, exchange.body) == (0, b"")
