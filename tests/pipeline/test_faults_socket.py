"""What faults do to a connection: it breaks or drips, and the server keeps running."""

import asyncio
import http.client
import logging
import socket
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from stubserver.app import create_app
from stubserver.serving.background import Background
from tests.support.answers import ok
from tests.support.faults import BREAKING

BROKEN = (httpx.RemoteProtocolError, httpx.ReadError)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A server run in the same way as by the command."""
    with Background(create_app) as url:
        yield url


@pytest.fixture
def world(request: pytest.FixtureRequest) -> str:
    """A world for this test alone."""
    return f"w{abs(hash(request.node.nodeid))}"


@pytest.fixture
def client(url: str, world: str) -> Iterator[httpx.Client]:
    headers = {"X-Stub-World": world, "Authorization": "Bearer stub-creator"}
    with httpx.Client(base_url=url, headers=headers, timeout=30) as client:
        yield client


def make(client: httpx.Client, kind: str, **wanted: Any) -> None:
    ok(client.post("/__stub/faults", json={"kind": kind, **wanted}), 201)


def entries(client: httpx.Client, count: int) -> list[Any]:
    """The journal, oldest first, once it has `count` entries: a break is recorded after the client has seen it."""
    for _ in range(1000):
        page = ok(client.get("/__stub/requests?limit=100"))
        if page["count"] >= count:
            assert page["count"] == count
            return list(reversed(page["results"]))
    raise AssertionError(f"{page['count']} entries instead of {count}")


def quiet(caplog: pytest.LogCaptureFixture) -> bool:
    """Whether neither the server, uvicorn nor the event loop logged a warning."""
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []


def get_raw(path: str, world: str, method: str = "GET", **headers: str) -> bytes:
    fields = {"Host": "localhost", "X-Stub-World": world, **headers}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join([*lines, "", ""]).encode()


def read_to_end(connection: socket.socket) -> bytes:
    """Everything received until the connection ends, in whatever way."""
    received = b""
    try:
        while piece := connection.recv(65536):
            received += piece
    except ConnectionResetError:
        pass
    return received


def connected(url: str) -> socket.socket:
    parts = urlsplit(url)
    return socket.create_connection((parts.hostname or "", parts.port or 0), timeout=30)


@pytest.mark.parametrize("kind", BREAKING)
@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_the_connection_breaks_and_the_server_goes_on(
    client: httpx.Client, caplog: pytest.LogCaptureFixture, kind: str, method: str
) -> None:
    """An answer without a body has no middle to break in, so nothing of it arrives."""
    make(client, kind, times=1)
    with pytest.raises(BROKEN):
        client.request(method, "/api/v2/course/1/", json={"name": "Knots"} if method == "PATCH" else None)
    gone = method == "DELETE" and kind != "reset"
    assert client.get("/api/v2/course/1/").status_code == (404 if gone else 200)
    first, second = entries(client, 2)
    assert (first["faults"], second["faults"]) == ([{"id": 1, "kind": kind}], [])
    assert (first["changes"] != []) is (method != "GET" and kind != "reset")
    assert first["status"] == (200 if kind == "truncate" and method != "DELETE" else None)
    assert quiet(caplog)


@pytest.mark.parametrize("kind", BREAKING)
def test_a_connection_that_was_kept_alive_breaks(url: str, world: str, client: httpx.Client, kind: str) -> None:
    make(client, kind, times=1, operation="list_categories")
    with closing(http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)) as connection:
        connection.request("GET", "/api/v2/course/1/", headers={"X-Stub-World": world})
        assert connection.getresponse().read().startswith(b'{"id":1,')
        kept = connection.sock
        connection.request("GET", "/api/v2/category/", headers={"X-Stub-World": world})
        assert connection.sock is kept
        with pytest.raises((http.client.IncompleteRead, http.client.RemoteDisconnected, ConnectionResetError)):
            connection.getresponse().read()
    with closing(http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)) as connection:
        for _ in range(2):
            connection.request("GET", "/api/v2/category/", headers={"X-Stub-World": world})
            assert connection.getresponse().read().startswith(b'{"count":')
    assert [entry["faults"] != [] for entry in entries(client, 4)] == [False, True, False, False]


@pytest.mark.parametrize("kind", BREAKING)
def test_of_pipelined_requests_the_broken_one_is_the_last(
    url: str, world: str, client: httpx.Client, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    """Earlier answers arrive whole; later requests are never executed."""
    make(client, kind, times=1, operation="list_categories")
    asked = [get_raw(path, world) for path in ("/api/v2/course/1/", "/api/v2/category/")]
    asked.append(get_raw("/api/v2/course/1/", world, "DELETE", Authorization="Bearer stub-creator"))
    with closing(connected(url)) as connection:
        connection.sendall(b"".join(asked))
        received = read_to_end(connection)
    assert received.count(b"HTTP/1.1 200 OK") == (2 if kind == "truncate" else 1)
    assert received.startswith(b"HTTP/1.1 200 OK")
    ok(client.get("/api/v2/course/1/"))
    assert [entry["operation"] for entry in entries(client, 3)][::2] == ["get_course", "get_course"]
    assert quiet(caplog)


def test_truncate_sends_the_first_half(url: str, world: str, client: httpx.Client) -> None:
    whole = client.get("/api/v2/course/1/", headers={"Host": "localhost"}).content
    make(client, "truncate")
    with closing(connected(url)) as connection:
        connection.sendall(get_raw("/api/v2/course/1/", world, Authorization="Bearer stub-creator"))
        head, _, body = read_to_end(connection).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK")
    assert f"content-length: {len(whole)}".encode() in head.lower()
    assert body == whole[: len(whole) // 2]


@pytest.mark.parametrize("kind", [*BREAKING, "drip"])
def test_head_meets_the_same_faults(client: httpx.Client, caplog: pytest.LogCaptureFixture, kind: str) -> None:
    make(client, kind, times=1, seconds=0)
    if kind == "drip":
        assert client.head("/api/v2/course/1/").status_code == 200
    else:
        with pytest.raises(BROKEN):
            client.head("/api/v2/course/1/")
    assert client.head("/api/v2/course/1/").status_code == 200
    assert [entry["faults"] != [] for entry in entries(client, 2)] == [True, False]
    assert quiet(caplog)


def test_a_large_body_is_read_before_the_connection_breaks(
    client: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    make(client, "reset", times=1)
    large = {"type": "self-paced", "name": "Knots", "description": "x" * 3_000_000}
    with pytest.raises(BROKEN):
        client.post("/api/v2/course/", json=large)
    assert ok(client.post("/api/v2/course/", json=large), 201)["id"] == 16
    assert quiet(caplog)


def test_drip_arrives_whole(client: httpx.Client) -> None:
    plain = client.get("/api/v2/course/search/")
    make(client, "drip", seconds=0.2)
    with client.stream("GET", "/api/v2/course/search/") as response:
        assert response.headers["content-length"] == plain.headers["content-length"]
        assert b"".join(response.iter_raw()) == plain.content


def test_many_clients_meet_many_faults(
    url: str, world: str, client: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    """At the same time: each gets its own answer or its own break, never that of another client."""
    for kind in BREAKING:
        make(client, kind, probability=0.3)

    async def all_of_them() -> list[str]:
        async with httpx.AsyncClient(base_url=url, headers={"X-Stub-World": world}, timeout=30) as many:

            async def one(number: int) -> str:
                course = number % 3 + 1
                try:
                    answer = await many.get(f"/api/v2/course/{course}/")
                except BROKEN:
                    return "broken"
                return "right" if ok(answer)["id"] == course else "wrong"

            return await asyncio.gather(*map(one, range(60)))

    found = asyncio.run(all_of_them())
    hits = sum(fault["fired"] for fault in ok(client.get("/__stub/faults"))["results"])
    assert (found.count("broken"), found.count("right")) == (hits, 60 - hits)
    assert 0 < hits < 60
    assert quiet(caplog)
