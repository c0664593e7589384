"""The control plane's events: what a world is now, again whenever that has changed, however slowly one reads."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from stubserver.api.views import Stream
from stubserver.app import StubServer
from stubserver.control import event
from stubserver.control.event import MAX_FOLLOWERS, follow_world
from stubserver.control.server_parts import ServerParts
from stubserver.errors import refusal
from stubserver.serving.background import Background
from tests.support.answers import ok, refused
from tests.support.calls import called
from tests.support.client import Api
from tests.support.worlds import named

EVENTS = "/__stub/events"
pytestmark = pytest.mark.no_world


def told(text: str) -> list[tuple[str, Any]]:
    """The events in a text: their kinds and their data."""
    found = []
    for block in text.strip().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if fields:
            found.append((fields["event"], json.loads(fields["data"])))
    return found


def test_follow_world_tells_what_the_world_is_now(api: Api) -> None:
    ok(api.get("/course/1/", headers=named("w")))
    answer = api.get(EVENTS, headers=named("w"))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    assert answer.headers["cache-control"] == "no-store"
    ((kind, world),) = told(answer.text)
    expected = ok(api.get("/__stub/worlds/w"))
    assert kind == "world"
    assert {**world, "clock": None} == {**expected, "clock": None}


def test_follow_world_makes_no_world(api: Api, app: StubServer) -> None:
    assert told(api.get(EVENTS, headers=named("none")).text) == [("world", None)]
    assert "none" not in app.worlds


@pytest.mark.parametrize("seconds", ["-1", "3601", "x", "1.5", ""])
def test_follow_world_takes_a_bounded_number_of_seconds(api: Api, seconds: str) -> None:
    assert set(refused(api.get(f"{EVENTS}?seconds={seconds}"), 400)) == {"seconds"}


@pytest.mark.parametrize(
    ("accept", "status"), [("text/event-stream", 200), ("text/*", 200), ("*/*", 200), ("application/json", 406)]
)
def test_follow_world_answers_events_only(api: Api, accept: str, status: int) -> None:
    assert api.get(EVENTS, headers={"Accept": accept}).status_code == status


class Followed:
    """A world that is followed within the server, one event after the other."""

    def __init__(self, app: StubServer, seconds: int = 60) -> None:
        self.parts: ServerParts = app._parts
        call = called(app.worlds.peek("w"))
        call.query["seconds"] = seconds
        self._call = call

    async def start(self) -> Any:
        stream: Stream = await follow_world(self._call, self.parts)
        return stream.parts


CHANGES: dict[str, Callable[[Any], Any]] = {
    "a request": lambda world: setattr(world, "asked", world.asked + 1),
    "a row": lambda world: world.courses.put({**world.courses[1], "name": "x"}),
    "the clock": lambda world: world.clock.freeze(),
    "strictness": lambda world: setattr(world, "strict", not world.strict),
    "a fault": lambda world: setattr(world, "faults", {1: object()}),
    "an entry that comes late": lambda world: setattr(world, "forgotten", {"max_requests": 1}),
    "a cleared journal": lambda world: world.start_over(),
}


@pytest.mark.parametrize("name", CHANGES)
def test_every_kind_of_change_is_told(
    app: StubServer, runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(event, "PAUSE", 0)
    monkeypatch.setattr(event, "BEAT", 0)
    world = app.worlds.get("w")

    async def follow() -> tuple[bytes, bytes, bytes]:
        parts = await Followed(app).start()
        first, silence = await anext(parts), await anext(parts)
        CHANGES[name](world)
        second = await anext(parts)
        await parts.aclose()
        return first, silence, second

    first, silence, second = runner.run(follow())
    assert (first.split(b"\n")[:2], silence) == ([b"id: 1", b"event: world"], b": nothing new\n\n")
    assert second.startswith(b"id: 2\nevent: world\ndata: {")
    assert app._parts.life.followers == 0


def test_a_world_that_is_reset_or_gone_is_told(
    app: StubServer, runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event, "PAUSE", 0)
    app.worlds.get("w")

    async def follow() -> list[bytes]:
        parts = await Followed(app).start()
        found = [await anext(parts)]
        app.worlds.reset("w")
        found.append(await anext(parts))
        app.worlds.delete("w")
        found.append(await anext(parts))
        await parts.aclose()
        return found

    first, again, gone = runner.run(follow())
    assert first.startswith(b"id: 1\nevent: world\ndata: {")
    assert again.startswith(b"id: 2\nevent: world\ndata: {")
    assert gone == b"id: 3\nevent: world\ndata: null\n\n"


def test_much_that_happens_between_two_looks_is_one_event(
    app: StubServer, runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So nothing piles up for a client that reads slowly."""
    monkeypatch.setattr(event, "PAUSE", 0)
    world = app.worlds.get("w")

    async def follow() -> list[bytes]:
        parts = await Followed(app).start()
        await anext(parts)
        for _ in range(5000):
            world.asked += 1
        found = [await anext(parts)]
        monkeypatch.setattr(event, "BEAT", 0)
        found.append(await anext(parts))
        await parts.aclose()
        return found

    once, silence = runner.run(follow())
    assert json.loads(once.split(b"data: ")[1])["requests"] == 5000
    assert silence == b": nothing new\n\n"


def test_a_store_that_fails_is_told_and_asked_again(
    app: StubServer, runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event, "PAUSE", 0)
    app.worlds.get("w")
    run = app._parts.turns.run

    async def fails(*_: Any) -> Any:
        raise refusal(503, "The store does not answer.")

    async def follow() -> list[bytes]:
        parts = await Followed(app).start()
        found = [await anext(parts)]
        monkeypatch.setattr(app._parts.turns, "run", fails)
        found.append(await anext(parts))
        monkeypatch.setattr(app._parts.turns, "run", run)
        found.append(await anext(parts))
        await parts.aclose()
        return found

    first, failed, again = runner.run(follow())
    assert told(failed.decode()) == [("problem", "The store does not answer.")]
    assert told(again.decode())[0][0] == told(first.decode())[0][0] == "world"


def test_it_ends_when_the_server_does(app: StubServer, runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    async def follow() -> list[bytes]:
        parts = await Followed(app).start()
        monkeypatch.setattr(app._parts.life, "is_ending", True)
        return [part async for part in parts]

    assert len(runner.run(follow())) == 1


def test_only_so_many_may_follow(api: Api, app: StubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app._parts.life, "followers", MAX_FOLLOWERS)
    answer = api.get(EVENTS)
    assert refused(answer, 503) == {"": "service_unavailable"}
    assert "100 clients follow worlds already" in answer.text
    monkeypatch.setattr(app._parts.life, "followers", MAX_FOLLOWERS - 1)
    assert api.get(EVENTS).status_code == 200
    assert app._parts.life.followers == MAX_FOLLOWERS - 1


def test_worlds_in_a_store_are_followed_too(stored: Callable[..., Api], monkeypatch: pytest.MonkeyPatch) -> None:
    api = stored()
    ok(api.get("/course/1/"))
    ((kind, world),) = told(api.get(EVENTS).text)
    assert (kind, world["requests"]) == ("world", 1)


# Over a socket


@pytest.fixture
def url(app: StubServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Where the server listens; it sends a comment as often as it looks."""
    monkeypatch.setattr(event, "PAUSE", 0.01)
    monkeypatch.setattr(event, "BEAT", 0)
    with Background(lambda: app) as url:
        yield url


@pytest.mark.slow
def test_an_event_arrives_while_the_answer_goes_on(url: str) -> None:
    with httpx.Client(base_url=url, timeout=60) as client, client.stream("GET", f"{EVENTS}?seconds=60") as answer:
        lines = answer.iter_lines()
        assert next(line for line in lines if line.startswith("data:")) == "data: null"
        httpx.get(f"{url}/api/v2/course/1/")
        data = next(line for line in lines if line.startswith("data: {"))
        assert json.loads(data.removeprefix("data: "))["requests"] == 1


@pytest.mark.slow
def test_a_client_that_is_gone_is_noticed(url: str, app: StubServer) -> None:
    with httpx.Client(base_url=url, timeout=60) as client, client.stream("GET", f"{EVENTS}?seconds=3600") as answer:
        next(answer.iter_lines())
        assert app._parts.life.followers == 1
    while app._parts.life.followers:  # a server that does not notice runs into the timeout of the suite
        time.sleep(0.01)


@pytest.mark.slow
def test_a_head_gets_no_event(url: str, app: StubServer) -> None:
    answer = httpx.head(f"{url}{EVENTS}?seconds=3600", timeout=60)
    assert (answer.status_code, answer.content) == (200, b"")
    assert app._parts.life.followers == 0
