"""The lane with worlds in a store: requests wait for their turn, and their connections with them."""

import asyncio
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import pytest
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT

from stubserver.app import StubServer
from stubserver.contract.contract import Contract
from stubserver.serving.background import Background
from stubserver.stores.sqlite import SqliteStore
from stubserver.stores.store import Unavailable
from stubserver.worlds.snapshot import Fixture
from tests.lane.both import Both, Line
from tests.lane.oddities import Request, broken
from tests.lane.requests import WORLDS, Requests, Step, control, freeze, plain
from tests.support.answers import ok
from tests.support.client import Api
from tests.support.commands import PATIENCE
from tests.support.default import SETTINGS
from tests.support.faults import create
from tests.support.journal import requests
from tests.support.stored import Process, TrickStore

pytestmark = pytest.mark.slow

SEEN, WRITTEN = plain("GET", "/course/1/"), plain("PATCH", "/course/1/", body={"description": "Mine"})


@pytest.mark.long
def test_thousands_of_requests_are_answered_the_same(
    contract: Contract, default_fixture: Fixture, tmp_path: Path
) -> None:
    """As by the lane with its worlds in memory, whatever is sent before."""
    both = Both(contract, default_fixture, SqliteStore(str(tmp_path / "worlds.db"), 2_000), max_requests=2_000)
    worlds = sorted({*WORLDS, "fresh", "a__b"})
    for world in worlds:
        both.ask(freeze(world))
    drawn = Requests(contract, 20270131, both.apps[1].worlds.peek)
    for number in range(1_500):
        steps = [Step((request,)) for request in drawn.event()] if number % 60 == 59 else [drawn.step()]
        for step in steps:
            both.take(step, line=number % 3)
    for text in broken():
        both.raw(text)
    for world in worlds:
        for offset in range(0, 2_000, 100):
            if not both.ask(control("GET", f"requests?limit=100&offset={offset}", world)).json["results"]:
                break
        assert both.ask(control("GET", f"worlds/{world}")).status == 200
    assert both.ask(control("GET", "coverage")).json["covered"] > 400
    assert both.by_lane > 700
    both.stop()


# One server


class Served:
    """A server with its worlds in a store, whose turns can be held up."""

    def __init__(self, contract: Contract, fixture: Fixture, path: Path) -> None:
        self.store = TrickStore(path, SETTINGS.max_requests)
        self._background = Background(lambda: StubServer(contract, fixture, SETTINGS, store=self.store))
        self._port = int(self._background.start().rpartition(":")[2])
        self._lines: list[Line] = []
        self._begun = threading.Event()
        self._release: Callable[[], Any] = lambda: None
        self.ask(freeze("default"))

    def line(self) -> Line:
        """Another connection."""
        self._lines.append(Line(self._port))
        return self._lines[-1]

    def ask(self, request: Request) -> bytes:
        """The answer to a request on a connection of its own."""
        line = self.line()
        line.send(request.raw)
        return line.answer(request.method)

    @property
    def app(self) -> StubServer:
        assert self._background.app is not None
        return self._background.app

    @property
    def connections(self) -> list[Any]:
        """Its connections, as it sees them."""
        assert self._background._server is not None
        return [*self._background._server.server_state.connections]

    def hold(self) -> Line:
        """Have a request begin a turn, which does not end until `release`; all others wait. Returns its connection."""
        self._begun.clear()
        self.store.meanwhile.append(self._wait)
        line = self.line()
        line.send(plain("PATCH", "/course/2/", body={"description": "First"}).raw)
        assert self._begun.wait(PATIENCE)
        return line

    async def _wait(self) -> None:
        loop, released = asyncio.get_running_loop(), asyncio.Event()
        self._release = partial(loop.call_soon_threadsafe, released.set)
        self._begun.set()
        await released.wait()

    def waiting(self, count: int = 1) -> None:
        """Wait until so many requests wait for their turn."""
        until(lambda: len(self.app.turns._jobs) == count)  # type: ignore[union-attr]

    def release(self) -> None:
        """Let the turn end."""
        release, self._release = self._release, lambda: None
        release()

    def end(self) -> None:
        """Have the server end as soon as all requests have been answered."""
        assert self._background._server is not None
        self._background._server.should_exit = True

    def is_ending(self) -> bool:
        """Whether it has closed its listener."""
        return not self._background._server.servers[0].sockets  # type: ignore[union-attr]

    def stop(self) -> None:
        self.release()
        for line in self._lines:
            line.close()
        self._background.stop()
        assert self._background.error is None
        assert not self._background._thread.is_alive()


def until(condition: Callable[[], bool]) -> None:
    """Wait until something is true in the server's thread."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.001)


@pytest.fixture
def served(contract: Contract, default_fixture: Fixture, tmp_path: Path) -> Iterator[Served]:
    server = Served(contract, default_fixture, tmp_path / "worlds.db")
    yield server
    server.stop()


@pytest.fixture
def other(served: Served, stored: Callable[..., Api]) -> Api:
    """Another server with the same worlds; `stored` uses the same file."""
    return stored(**{name: getattr(SETTINGS, name) for name in ("jwt_secret", "cors_origins", "allowed_hosts")})


def number(answer: bytes) -> int:
    """The number of a request in the default world, by its answer."""
    return int(answer.partition(b"\r\nx-stub-request: default-")[2].partition(b"\r\n")[0])


def content(answer: bytes) -> Any:
    """The JSON of an answer, which must be a success."""
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n"), answer
    return orjson.loads(answer.partition(b"\r\n\r\n")[2])


# While a request waits


def test_requests_that_wait_share_a_turn(served: Served) -> None:
    """One of each connection; each sees those before it."""
    first = served.hold()
    lines = [served.line() for _ in range(3)]
    for each, request in zip(lines, (WRITTEN, SEEN, SEEN), strict=True):
        each.send(request.raw)
        served.waiting(lines.index(each) + 1)
    before = len(served.store.committed)
    served.release()
    assert content(first.answer())["description"] == "First"
    assert [content(line.answer())["description"] for line in lines] == ["Mine"] * 3
    assert len(served.store.committed) == before + 1


def test_requests_behind_one_that_waits_are_answered_in_order(served: Served) -> None:
    """By the lane and by the stack, which also takes turns."""
    missing, slow = plain("GET", "/course/99/"), SEEN.with_("Prefer", "wait=0.01")
    sent = (SEEN, WRITTEN, missing, SEEN, slow, plain("PATCH", "/course/1/", body={"name": "Knots"}), SEEN)
    served.hold()
    line = served.line()
    line.send(b"".join(request.raw for request in sent))
    served.waiting()
    served.release()
    answers = [line.answer() for _ in sent]
    assert [int(answer[9:12]) for answer in answers] == [200, 200, 404, 200, 200, 200, 200]
    assert [number(answer) for answer in answers] == [*range(2, 9)]
    assert b'"description":"Mine"' in answers[-1]
    assert b'"name":"Knots"' in answers[-1]


def test_a_body_may_come_in_pieces_while_another_request_waits(served: Served) -> None:
    served.hold()
    line, raw = served.line(), WRITTEN.raw
    line.send(SEEN.raw + raw[:20])
    served.waiting()
    for start in range(20, len(raw), 50):
        line.send(raw[start : start + 50])
        served.ask(control("GET", "version"))  # by now the server has read it
    served.release()
    assert [content(line.answer())["description"] == "Mine" for _ in range(2)] == [False, True]


@pytest.mark.parametrize("begun", [b"", WRITTEN.raw[:30], WRITTEN.raw[:-3]], ids=["nothing", "head", "body"])
def test_a_client_may_end_its_half_while_it_waits(served: Served, begun: bytes) -> None:
    """All that it has asked for is answered, and what it has begun is not."""
    served.hold()
    line = served.line()
    line.send(SEEN.raw + WRITTEN.raw + SEEN.raw + begun)
    served.waiting()
    line.end()
    served.ask(control("GET", "version"))
    served.release()
    answers = [line.answer() for _ in range(3)]
    assert [content(answer)["description"] == "Mine" for answer in answers] == [False, True, True]
    assert line.rest() == b""
    assert content(served.ask(control("GET", "requests")))["count"] == 4


def test_the_stack_answers_a_client_that_has_ended_its_half(served: Served) -> None:
    served.hold()
    line = served.line()
    line.send(plain("GET", "/course/99/").raw)
    served.waiting()
    line.end()
    served.ask(control("GET", "version"))
    served.release()
    assert line.answer().startswith(b"HTTP/1.1 404 ")
    assert line.rest() == b""


def test_a_client_that_sends_on_and_on_is_not_read_any_more(served: Served) -> None:
    """While its request waits; afterwards, all is answered in order."""
    sent = SEEN.with_("Cookie", "x" * 5000).raw
    count = 20 * HIGH_WATER_LIMIT // len(sent)
    served.hold()
    line = served.line()
    sending = threading.Thread(target=line.send, args=(sent * count,))
    sending.start()
    served.waiting()
    (connection,) = (each for each in served.connections if each._waits and each._begun)
    until(lambda: connection.flow.read_paused)
    assert HIGH_WATER_LIMIT < len(connection._begun) < 3 * HIGH_WATER_LIMIT + (1 << 18)
    served.release()
    assert [number(line.answer()) for _ in range(count)] == [*range(2, count + 2)]
    sending.join(PATIENCE)
    assert not connection.flow.read_paused


@pytest.mark.parametrize("request_", [SEEN, WRITTEN], ids=["GET", "PATCH"])
def test_a_client_that_is_gone_before_its_turn_harms_nobody(served: Served, request_: Request) -> None:
    """Its request is done and recorded, as it is in memory."""
    served.hold()
    line, patient = served.line(), served.line()
    line.send(request_.raw)
    served.waiting()
    (gone,) = (each for each in served.connections if each._waits and each.client[1] == line._socket.getsockname()[1])
    line._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    line.close()  # with a reset
    until(lambda: gone not in served.connections)
    patient.send(SEEN.raw)
    served.waiting(2)
    served.release()
    assert (content(patient.answer())["description"] == "Mine") == (request_ is WRITTEN)
    entries = content(served.ask(control("GET", "requests")))["results"]
    assert [entry["request"]["method"] for entry in entries] == ["GET", request_.method, "PATCH"]


def test_a_connection_is_not_idle_while_its_request_waits(served: Served) -> None:
    """However long that takes."""
    line = served.line()
    line.send(SEEN.raw)
    content(line.answer())
    (connection,) = (each for each in served.connections if each.client[1] == line._socket.getsockname()[1])
    looked: list[bool] = []
    handler = connection.timeout_keep_alive_handler

    def look() -> None:
        looked.append(connection._waits)
        handler()
        connection.timeout_keep_alive = 5

    served.hold()
    line.send(SEEN.raw)
    served.waiting()
    connection.timeout_keep_alive = 0
    connection.loop.call_soon_threadsafe(look)
    until(lambda: bool(looked))
    served.release()
    assert looked == [True]
    assert content(line.answer())["id"] == 1
    line.send(SEEN.raw)
    assert content(line.answer())["id"] == 1


@pytest.mark.parametrize("request_", [SEEN, plain("GET", "/course/99/")], ids=["lane", "stack"])
def test_a_server_that_ends_answers_what_waits(served: Served, request_: Request) -> None:
    """Then it closes the connections, and its file."""
    first = served.hold()
    line, idle = served.line(), served.line()
    line.send(request_.raw + WRITTEN.raw[:30])
    served.waiting()
    served.end()
    until(served.is_ending)
    served.release()
    assert content(first.answer())["description"] == "First"
    assert line.answer().startswith(b"HTTP/1.1 200 " if request_ is SEEN else b"HTTP/1.1 404 ")
    assert [each.rest() for each in (first, line, idle)] == [b""] * 3
    served._background._thread.join(PATIENCE)
    assert served.store._file._open is None


# Other servers


def test_answers_that_were_cached_are_not_used_once_others_have_changed_the_world(served: Served, other: Api) -> None:
    """Its rows, its clock, its faults, or all of it."""
    line = served.line()

    def ask() -> bytes:
        line.send(SEEN.raw)
        return line.answer()

    assert len({content(ask())["name"] for _ in range(2)}) == 1
    ok(other.as_("creator").patch("/course/1/", json={"name": "Knots"}))
    assert [content(ask())["name"] for _ in range(2)] == ["Knots"] * 2
    create(other, status=500, times=1)
    assert [int(ask()[9:12]) for _ in range(2)] == [500, 200]
    ok(other.post("/__stub/worlds/default/reset"))
    assert content(ask())["name"] != "Knots"
    assert number(ask()) == 2
    assert [entry["id"] for entry in requests(other)] == ["default-2", "default-1"]


def test_what_was_cached_in_a_conflict_is_not_used(served: Served, default_fixture: Fixture, tmp_path: Path) -> None:
    """An answer that saw a change which was then undone, because another process was faster."""

    async def change() -> None:
        other = Process(tmp_path / "worlds.db", default_fixture, SETTINGS)

        def rename() -> None:
            courses = other.world("default").courses
            courses.put({**courses[1], "name": "Knots"})

        assert await other.doing(rename, names=["default"]) == [None]
        await other.turns.close()

    line, reader = served.line(), served.line()
    reader.send(SEEN.raw)
    name = content(reader.answer())["name"]
    served.hold()
    line.send(WRITTEN.raw)
    served.waiting()
    reader.send(SEEN.raw)
    served.waiting(2)
    served.store.meanwhile.append(change)
    served.release()
    assert content(line.answer())["description"] == "Mine"
    seen = content(reader.answer())
    assert name != "Knots"
    assert (seen["description"], seen["name"]) == ("Mine", "Knots")
    for _ in range(2):
        reader.send(SEEN.raw)
        assert content(reader.answer())["name"] == "Knots"


def test_a_log_that_cannot_be_written_leaves_nobody_waiting(
    served: Served, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: Any) -> None:
        raise ValueError("I/O operation on closed file")

    monkeypatch.setattr(served.app.recorder, "log", fail)
    line = served.line()
    line.send(SEEN.raw + WRITTEN.raw)
    assert [content(line.answer())["description"] == "Mine" for _ in range(2)] == [False, True]
    assert [record.getMessage() for record in caplog.records] == [
        f"default-{number} was answered but could not be logged" for number in (1, 2)
    ]


def test_a_store_that_fails_is_a_503(served: Served) -> None:
    """After the lane, the stack has tried, too."""
    served.ask(SEEN)
    line = served.line()
    served.store.failing = [("refresh", Unavailable("the disk is full"))]
    line.send(SEEN.raw + WRITTEN.raw)
    for _ in range(2):
        answer = line.answer()
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"The store of worlds does not work: the disk is full." in answer
        assert b"x-stub-request" not in answer


def test_the_latency_has_what_the_store_took(served: Served) -> None:
    """Also in a world whose clock stands still, where the journal says that requests take no time."""
    served.ask(SEEN)
    found = dict(served.app.metrics.latencies())["get_course"]
    assert sum(found.buckets) == 1
    assert found.seconds > 0
