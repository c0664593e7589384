"""The server without a socket: requests run at once, time out and break as over a socket; with one once it listens."""

import asyncio
import gc
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from stubserver.app import StubServer
from stubserver.client.transport import InThread
from stubserver.contract.contract import Contract
from stubserver.serving import in_process
from stubserver.serving.in_process import InProcess, _Exchange
from stubserver.worlds.snapshot import Fixture
from tests.support.commands import PATIENCE

SOON = 0.05
"""A timeout in seconds, of waits that end with it on any machine."""


started = threading.Event()
"""Whether the application has been asked for silence, or has dropped a connection late."""


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Echo the request, or fail as the path says."""
    request = Request(scope, receive)
    if scope["path"] == "/drop":
        raise ConnectionResetError("nobody is there")
    if scope["path"] == "/half":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise ConnectionResetError("half an answer")
    if scope["path"] == "/bug":
        raise ZeroDivisionError
    if scope["path"] == "/half-bug":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise ZeroDivisionError
    if scope["path"] == "/nothing":
        return
    if scope["path"] == "/silence":
        started.set()
        await asyncio.sleep(PATIENCE)
    if scope["path"] == "/late-drop":
        await asyncio.sleep(2 * SOON)
        started.set()
        raise ConnectionResetError("nobody is there")
    if scope["path"] == "/drip":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for more in (True, True, True, False):
            await asyncio.sleep(SOON)
            await send({"type": "http.response.body", "body": b".", "more_body": more})
        return
    text = f"{request.method} {request.url.path}?{request.url.query} {(await request.body()).decode()}"
    await PlainTextResponse(text, 201, {"X-Sent": request.headers.get("x-sent", "")})(scope, receive, send)


@pytest.fixture(params=[in_process.new_loop, in_process.StandardLoop], ids=["libuv", "asyncio"])
def transport(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[InProcess]:
    """With each of the event loops."""
    monkeypatch.setattr(in_process, "new_loop", request.param)
    started.clear()
    with closing(InProcess(app)) as transport:  # type: ignore[arg-type] # any application will do
        yield transport


def ask(transport: InProcess, method: str, path: str, **options: Any) -> httpx.Response:
    with httpx.Client(transport=transport, base_url="http://localhost", headers={"X-Sent": "y"}) as client:
        return client.request(method, path, **options)


def test_requests_and_answers_come_whole(transport: InProcess) -> None:
    answer = ask(transport, "POST", "/a?b=c", content="body")
    assert (answer.status_code, answer.text, answer.headers["x-sent"]) == (201, "POST /a?b=c body", "y")


def test_the_transport_outlives_its_clients(transport: InProcess) -> None:
    """Every client closes it."""
    assert [ask(transport, "GET", "/").status_code for _ in range(3)] == [201] * 3


@pytest.mark.parametrize("path", ["/drop", "/half", "/half-bug", "/nothing"])
def test_a_dropped_connection_is_one(transport: InProcess, path: str) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        ask(transport, "GET", path)
    assert ask(transport, "GET", "/").status_code == 201


def test_a_bug_is_an_answer(transport: InProcess) -> None:
    assert ask(transport, "GET", "/bug").status_code == 500


def test_an_answer_to_head_has_no_body(transport: InProcess) -> None:
    answer = ask(transport, "HEAD", "/")
    assert answer.content == b""
    assert int(answer.headers["content-length"]) > 0


# Time


def test_a_client_waits_no_longer_than_it_says(transport: InProcess) -> None:
    """For the next part of the answer, as over a socket; its timeouts for sending do not matter."""
    with pytest.raises(httpx.ReadTimeout, match=r"^timed out$"):
        ask(transport, "GET", "/silence", timeout=httpx.Timeout(None, read=SOON))
    assert ask(transport, "GET", "/drip", timeout=httpx.Timeout(SOON, read=PATIENCE)).text == "...."
    assert ask(transport, "GET", "/", timeout=None).status_code == 201


@pytest.mark.parametrize("seconds", [0, -1])
def test_a_timeout_that_leaves_no_time_is_one(transport: InProcess, seconds: int) -> None:
    says = f"^a timeout of {seconds} s leaves no time to answer; None means no limit$"
    with pytest.raises(httpx.ReadTimeout, match=says):
        ask(transport, "GET", "/", timeout=seconds)


def test_each_part_of_an_answer_has_its_own_time() -> None:
    """A limit is set anew by every message."""
    limits: list[float] = []

    class Noted:
        def expired(self) -> bool:
            return False

        def reschedule(self, when: float) -> None:
            limits.append(when)

    exchange = _Exchange(httpx.Request("GET", "http://localhost/drip"), Noted(), PATIENCE)  # type: ignore[arg-type]
    asyncio.run(exchange.run(app))
    assert len(set(limits)) == 5


def test_the_server_goes_on_when_a_client_has_given_up(contract: Contract, default_fixture: Fixture) -> None:
    """It does what it was asked, only later."""
    server = StubServer(contract, default_fixture)
    with closing(InProcess(server)) as transport:
        fault = {"kind": "latency", "seconds": 2 * SOON, "times": 1}
        ask(transport, "POST", "/__stub/faults", json=fault).raise_for_status()
        with pytest.raises(httpx.ReadTimeout):
            ask(
                transport,
                "POST",
                "/api/v2/course/1/join/",
                headers={"Authorization": "Bearer stub-stranger"},
                timeout=SOON,
            )
        deadline = time.monotonic() + PATIENCE
        while not (found := ask(transport, "GET", "/__stub/requests").json()["results"]):
            assert time.monotonic() < deadline
        assert [(one["request"]["path"], one["status"]) for one in found] == [("/api/v2/course/1/join/", 200)]


def test_what_fails_when_nobody_waits_is_not_logged(transport: InProcess, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(httpx.ReadTimeout):
        ask(transport, "GET", "/late-drop", timeout=SOON)
    assert started.wait(PATIENCE)
    transport.close()
    gc.collect()
    assert caplog.records == []


def test_time_may_stand_still(transport: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """As with freezegun."""
    for clock in ("time", "monotonic", "perf_counter"):
        monkeypatch.setattr(time, clock, lambda: 0.0)
    with pytest.raises(httpx.ReadTimeout):
        ask(transport, "GET", "/silence", timeout=SOON)
    assert ask(transport, "GET", "/drip").text == "...."


# Threads and loops


def test_threads_are_answered_at_once(transport: InProcess) -> None:
    """None waits for another."""
    with ThreadPoolExecutor(8) as threads:
        slow = threads.submit(ask, transport, "GET", "/silence", timeout=None)
        assert started.wait(PATIENCE)
        assert [*threads.map(lambda _: ask(transport, "GET", "/").status_code, range(50))] == [201] * 50
        assert not slow.done()
        transport.close()
        with pytest.raises(httpx.ReadError, match=r"^the server was stopped before it answered$"):
            slow.result(PATIENCE)


def test_a_client_may_be_used_inside_an_event_loop(transport: InProcess) -> None:
    """Synchronous and asynchronous ones, and one while the other is sending."""

    async def both() -> list[int]:
        async with httpx.AsyncClient(transport=InThread(transport), base_url="http://localhost") as client:
            waiting = asyncio.gather(*(client.get("/") for _ in range(20)))
            return [ask(transport, "GET", "/").status_code, *(answer.status_code for answer in await waiting)]

    assert asyncio.run(both()) == [201] * 21


def test_a_request_may_be_made_while_another_is_built(transport: InProcess) -> None:
    def parts() -> Iterator[bytes]:
        yield ask(transport, "GET", "/inner").content

    assert ask(transport, "POST", "/outer", content=parts()).text == "POST /outer? GET /inner? "


def test_a_server_cannot_wait_for_itself() -> None:
    """That is an error, instead of waiting for ever."""

    async def nested(scope: Scope, receive: Receive, send: Send) -> None:
        with pytest.raises(RuntimeError, match="the server cannot wait for its own answer"):
            ask(own, "GET", "/")
        await PlainTextResponse("ok")(scope, receive, send)

    with closing(InProcess(nested)) as own:  # type: ignore[arg-type]
        assert ask(own, "GET", "/").text == "ok"


# The end


def test_a_stopped_server_cannot_be_reached(transport: InProcess) -> None:
    transport.close()
    transport.close()
    with pytest.raises(httpx.ConnectError, match=r"^the server in this process has been stopped$"):
        ask(transport, "GET", "/")


# A socket


def test_it_listens_when_its_url_is_asked_for(contract: Contract, default_fixture: Fixture) -> None:
    """Other clients then reach the same worlds, until it is closed."""
    with closing(InProcess(StubServer(contract, default_fixture))) as transport:
        url = transport.listen()
        assert transport.listen() == url
        headers = {"Authorization": "Bearer stub-stranger"}
        httpx.post(f"{url}/api/v2/course/1/join/", headers=headers).raise_for_status()
        assert ask(transport, "GET", "/api/v2/course/1/status/", headers=headers).json() == {"status": "joined"}
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


@pytest.mark.skipif(in_process.new_loop == in_process.StandardLoop, reason="only libuv's loop needs no socket")
def test_it_needs_no_socket_otherwise(
    contract: Contract, default_fixture: Fixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even to be created."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a socket")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "socketpair", refuse)
    with closing(InProcess(StubServer(contract, default_fixture))) as transport:
        assert ask(transport, "GET", "/__stub/health").status_code == 200
