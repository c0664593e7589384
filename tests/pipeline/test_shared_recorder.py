"""The recorder where processes share worlds: an answer that is kept names its entry, which is there before the end."""

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from stubserver.app import StubServer
from stubserver.pipeline import exchange
from stubserver.records.access_log import Facts
from stubserver.shared import turns
from stubserver.stores.store import Unavailable
from tests.support.answers import done, ok, refused
from tests.support.client import Api
from tests.support.default import HOST
from tests.support.faults import create
from tests.support.journal import REQUESTS, newest, requests
from tests.support.stored import shared, store_of, turns_of
from tests.support.wire import drive
from tests.support.worlds import make, named

COURSE = "/api/v2/course/1/"


@pytest.fixture
def api(stored: Callable[..., Api]) -> Api:
    """A server whose worlds others share."""
    return stored()


@pytest.fixture
def other(stored: Callable[..., Api]) -> Api:
    """Another one."""
    return stored()


@pytest.fixture
def logged(api: Api, monkeypatch: pytest.MonkeyPatch) -> list[Facts]:
    """What is logged."""
    lines: list[Facts] = []
    monkeypatch.setattr(api.app.recorder, "log", lines.append)
    return lines


def sent(app: StubServer, runner: asyncio.Runner, path: str = COURSE, world: str = "w", **more: Any) -> list[Any]:
    """Everything that the application sends for a GET, also if the connection is dropped."""
    outbox: list[Any] = []
    headers = {"Host": HOST, "X-Stub-World": world, "Authorization": "Bearer stub-creator"}
    try:
        drive(app, runner, outbox, "GET", path, headers, **more)
    except ConnectionResetError:
        outbox.append(None)
    return outbox


# Which answers are kept


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/course/1/", {}, 200),
        ("HEAD", "/course/1/", {}, 200),
        ("DELETE", "/course/1/", {"Authorization": "Bearer stub-creator"}, 204),
        ("GET", "/course/", {}, 401),
        ("GET", "/course/99/", {}, 404),
        ("GET", "/course/1", {}, 404),
        ("GET", "//nowhere", {}, 404),
        ("PUT", "//docs/", {}, 405),
        ("GET", "/course/1/", {"Accept": "text/html"}, 406),
        ("GET", "/course/1/", {"Content-Length": "99999999999"}, 413),
        ("GET", "/course/1/", {"Prefer": "code=404"}, 404),
        ("GET", "//upfiles/courses/huge/a.png", {}, 404),
    ],
)
def test_an_answer_that_is_kept_names_its_entry(
    api: Api, other: Api, logged: list[Facts], method: str, path: str, headers: dict[str, str], status: int
) -> None:
    """So does its line in the log; and another server has the entry."""
    response = api.request(method, path, headers=headers)
    number = response.headers["x-stub-request"]
    assert (response.status_code, number) == (status, "default-1")
    (line,) = logged
    assert (line["request"], line["status"]) == (number, status)
    assert ok(other.get(f"{REQUESTS}/{number}"))["status"] == status


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", "//docs/", {}),
        ("GET", "//upfiles/courses/small/a_0001.png", {}),
        ("GET", "/oauth/authorize/", {}),
        ("OPTIONS", "/course/1/", {"Origin": "http://localhost", "Access-Control-Request-Method": "PUT"}),
        ("GET", "/__stub/health", {}),
        ("GET", "/__stub/nowhere", {}),
        ("GET", "/course/1/", {"X-Stub-World": "no name"}),
        ("GET", "/course/1/", {"X-Stub-Fixture": "nothing"}),
    ],
)
def test_an_answer_that_is_not_kept_names_none(
    api: Api, logged: list[Facts], method: str, path: str, headers: dict[str, str]
) -> None:
    response = api.request(method, path, headers=headers)
    assert "x-stub-request" not in response.headers
    assert ["request" in line for line in logged] == [False]
    assert requests(api) == []


def test_ids_of_two_servers_never_collide(api: Api, other: Api, runner: asyncio.Runner) -> None:
    """Not even those of requests at the same time."""

    async def several(one: Api) -> list[str]:
        asked = [one._run("GET", COURSE, {}, {}) for _ in range(5)]
        return [answer.headers["x-stub-request"] for answer in await asyncio.gather(*asked)]

    async def both() -> list[str]:
        return [number for ids in await asyncio.gather(several(api), several(other)) for number in ids]

    ids = runner.run(both()) + runner.run(both())
    assert sorted(ids) == sorted(f"default-{number}" for number in range(1, 21))
    assert {entry["id"] for entry in requests(api)} == {*ids}


# When


def test_the_answer_waits_for_its_entry(api: Api, other: Api) -> None:
    """A client may ask another server for it at once."""
    found: list[int] = []

    async def look() -> None:
        found.append(store_of(api.app).committed[-1][0].entries.count)

    store_of(api.app).meanwhile = [look] * 3
    ok(api.as_("creator").patch(COURSE, json={"name": "Knots"}))
    assert found == [0, 0, 1]
    assert newest(other)["changes"]


def test_a_slow_answer_is_numbered_first_and_noted_last(api: Api, naps: list[float], runner: asyncio.Runner) -> None:
    create(api, "drip", seconds=5, world="w")
    start, *pieces = sent(api.app, runner)
    number = dict(start["headers"])[b"x-stub-request"]
    assert (number, len(pieces) > 10) == (b"w-1", True)
    body = b"".join(piece["body"] for piece in pieces)
    entry = ok(api.get(f"{REQUESTS}/w-1"))
    assert (entry["status"], entry["response"]["body"]["id"]) == (200, 1)
    assert entry["response"]["headers"]["x-stub-request"] == "w-1"
    assert int(entry["response"]["headers"]["content-length"]) == len(body)


def test_a_slow_answer_keeps_its_number(api: Api, other: Api, runner: asyncio.Runner, monkeypatch: Any) -> None:
    """Requests in the meantime, at any server, get others."""
    ids: list[str] = []

    async def ask(_: float) -> None:
        if len(ids) < 2:
            answer = await other._run("GET", "/api/v2/nowhere", named("w"), {})
            ids.append(answer.headers["x-stub-request"])

    create(api, "drip", seconds=5, world="w", times=1)
    ids.clear()
    monkeypatch.setattr(exchange, "asyncio", SimpleNamespace(sleep=ask))
    start, *_ = sent(api.app, runner)
    numbers = [dict(start["headers"])[b"x-stub-request"].decode(), *ids]
    assert sorted(numbers) == ["w-1", "w-2", "w-3"]
    entries = requests(api, world="w")
    assert {entry["id"]: entry["status"] for entry in entries} == {numbers[0]: 200, **dict.fromkeys(ids, 404)}


@pytest.mark.parametrize(("kind", "status"), [("reset", None), ("lost", None), ("truncate", 200)])
def test_an_answer_that_never_ends_is_noted(
    api: Api, other: Api, logged: list[Facts], naps: list[float], runner: asyncio.Runner, kind: str, status: int | None
) -> None:
    create(api, kind, world="w")
    logged.clear()
    assert sent(api.app, runner)[-1] is None
    (entry,) = requests(other, world="w")
    assert (entry["id"], entry["status"], entry["operation"]) == ("w-1", status, "get_course")
    assert entry["faults"] == [{"id": 1, "kind": kind}]
    (line,) = logged
    assert (line["request"], line["status"]) == ("w-1", status or 500)


def test_a_client_that_leaves_is_noted(
    api: Api, runner: asyncio.Runner, logged: list[Facts], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one that got no answer."""
    create(api, "latency", seconds=60, world="w")
    logged.clear()

    async def leave() -> None:
        waits, never = asyncio.Event(), asyncio.Event()

        async def nap(_: float) -> None:
            waits.set()
            await never.wait()

        monkeypatch.setattr(exchange, "asyncio", SimpleNamespace(sleep=nap))
        leaving = asyncio.create_task(api._run("GET", COURSE, named("w"), {}))
        await waits.wait()
        leaving.cancel()
        await asyncio.wait([leaving])

    runner.run(leave())
    (entry,) = requests(api, world="w")
    assert (entry["status"], entry["faults"]) == (None, [{"id": 1, "kind": "latency"}])
    assert [line["request"] for line in logged[:1]] == ["w-1"]


# Worlds that go in the meantime


def going(other: Api, deed: str) -> Callable[[], Any]:
    """Have another server delete or reset the world w."""
    return lambda: turns_of(other.app).run(partial(getattr(shared(other.app), deed), "w"), "w")


@pytest.mark.parametrize("deed", ["delete", "reset"])
def test_an_answer_that_outlives_its_world_is_no_entry_of_the_next(
    api: Api, other: Api, runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch, deed: str
) -> None:
    """Nor does it bring back a world that is gone."""
    for _ in range(3):
        ok(api.get(COURSE, headers=named("w")))
    create(api, "drip", seconds=5, world="w")
    pauses: list[float] = []

    async def nap(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:  # the first piece is out, with the number
            await going(other, deed)()

    monkeypatch.setattr(exchange, "asyncio", SimpleNamespace(sleep=nap))
    start, *pieces = sent(api.app, runner)
    assert dict(start["headers"])[b"x-stub-request"] == b"w-4"
    assert len(pieces) > 10
    assert [world["name"] for world in ok(other.get("/__stub/worlds"))["results"]] == ["w"] * (deed == "reset")
    for _ in range(4):
        ok(other.get(COURSE, headers=named("w")))
    entries = requests(api, world="w")
    assert [entry["id"] for entry in entries] == ["w-4", "w-3", "w-2", "w-1"]
    assert [entry["faults"] for entry in entries] == [[]] * 4


@pytest.mark.parametrize("deed", ["delete", "reset"])
def test_an_answer_whose_world_went_before_it_was_numbered_has_no_number(
    api: Api, other: Api, logged: list[Facts], deed: str
) -> None:
    make(api, "Knots", "w")
    logged.clear()
    store_of(api.app).earlier = [None, None, going(other, deed)]
    answer = api.as_("creator").patch(COURSE, json={"name": "Bends"}, headers=named("w"))
    assert answer.status_code == 200
    assert "x-stub-request" not in answer.headers
    assert ["request" in line for line in logged] == [False]
    worlds = ok(other.get("/__stub/worlds"))["results"]
    assert [(world["name"], world["requests"]) for world in worlds] == [("w", 0)] * (deed == "reset")


@pytest.mark.parametrize("deed", ["delete", "reset"])
def test_a_request_that_meets_another_world_is_answered_there(api: Api, other: Api, deed: str) -> None:
    """Before its turn, it has seen only the faults of the first one."""
    number = make(api, "Knots", "w")
    store_of(api.app).earlier = [None, going(other, deed)]
    answer = api.as_("creator").get(f"/course/{number}/", headers=named("w"))
    assert (answer.status_code, answer.headers["x-stub-request"]) == (404, "w-1")
    assert [entry["status"] for entry in requests(other, world="w")] == [404]


def test_a_request_that_was_refused_early_makes_its_world(api: Api, other: Api) -> None:
    """Also if others make it at the same time, so that its first try is in conflict."""
    store_of(api.app).meanwhile = [lambda: turns_of(other.app).run(lambda: other.app.worlds.touch("w", None), "w")]
    answer = api.get("/course/1", headers=named("w"))
    assert (answer.status_code, answer.headers["x-stub-request"]) == (404, "w-1")
    assert [entry["id"] for entry in requests(other, world="w")] == ["w-1"]


# A store that fails


@pytest.mark.parametrize("is_early", [True, False], ids=["refused early", "answered"])
def test_an_answer_without_an_entry_has_no_number(
    api: Api, logged: list[Facts], monkeypatch: pytest.MonkeyPatch, is_early: bool
) -> None:
    """It is what it is, and so is its line in the log."""
    monkeypatch.setattr(turns, "_PAUSE", 0)
    ok(api.get(COURSE))
    logged.clear()
    store_of(api.app).failing = [("commit", Unavailable("full"))]
    answer = api.get("/course/1" if is_early else "/course/99/")
    assert answer.status_code == 404
    assert "x-stub-request" not in answer.headers
    assert [(line["status"], "request" in line) for line in logged] == [(404, False)]
    assert [entry["id"] for entry in requests(api)] == ["default-1"]
    assert api.get("/course/99/").headers["x-stub-request"] == "default-2"


def test_a_slow_answer_whose_end_cannot_be_noted_ends_all_the_same(
    api: Api, naps: list[float], runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "_PAUSE", 0)
    create(api, "drip", seconds=5, world="w")
    succeeding: list[tuple[str, Exception | None]] = [("refresh", None)] * 3
    store_of(api.app).failing = [*succeeding, ("refresh", Unavailable("full"))]
    start, *pieces = sent(api.app, runner)
    assert dict(start["headers"])[b"x-stub-request"] == b"w-1"
    assert not pieces[-1].get("more_body", False)
    assert requests(api, world="w") == []
    assert api.get(COURSE, headers={**named("w"), "Prefer": "code=404"}).headers["x-stub-request"] == "w-2"


# What is no request


def test_other_scopes_pass(api: Api, runner: asyncio.Runner) -> None:
    """Such as those of a server that starts and ends."""
    inbox = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    outbox: list[Any] = []

    async def receive() -> Any:
        return inbox.pop(0)

    async def send(message: Any) -> None:
        outbox.append(message["type"])

    runner.run(api.app({"type": "lifespan", "asgi": {"version": "3.0"}}, receive, send))
    assert outbox == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert store_of(api.app).asked == []


def test_an_error_of_ours_is_logged_and_noted(
    api: Api, logged: list[Facts], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr("stubserver.control.fault.names", None)
    with caplog.at_level(logging.ERROR, "stubserver"):
        assert refused(api.post("/__stub/faults", json={"kind": "error"}), 500) == {"": "error"}
    assert "unhandled AttributeError" in caplog.text
    assert [line["status"] for line in logged] == [500]
    done(api.as_("creator").delete(COURSE))
