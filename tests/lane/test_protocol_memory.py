"""What a request used is free once it has been answered, and a world once it is gone, without the garbage collector:
it may not run for a long time, and megabytes may hang on one object."""

import gc
import socket
import time
import weakref
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from stubserver.app import create_app
from stubserver.lane.connection import Connection
from stubserver.serving.background import Background
from stubserver.worlds.world import World
from tests.lane.both import Both
from tests.lane.oddities import Request
from tests.lane.requests import Step, control, plain
from tests.support.commands import PATIENCE

pytestmark = pytest.mark.slow

LONG = {"description": "x" * 20_000}


@pytest.fixture(autouse=True)
def _no_collector() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


def worlds(both: Both, name: str) -> list[weakref.ref[World]]:
    """The world in both servers."""
    return [weakref.ref(app.worlds.peek(name)) for app in both.apps]


def delete(both: Both, world: str) -> None:
    """Delete the world; a request on the same connection sees that the server is done with the deletion."""
    assert both.ask(control("DELETE", f"worlds/{world}")).status == 204
    assert both.ask(control("GET", "version")).status == 200


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (plain("PATCH", "/course/1/", body=LONG), 200),
        (plain("PATCH", "/course/1/", body=LONG).with_("Prefer", "wait=0"), 200),
        (plain("PATCH", "/course/1/", body={"name": [7], **LONG}), 400),
        (plain("PATCH", "/course/1/", "member", body=LONG), 403),
        (plain("PATCH", "/course/999/", body=LONG), 404),
        (plain("PATCH", "/curse/1/", body=LONG), 404),
        (plain("PUT", "/course/1/join/", body=LONG), 405),
        (plain("PATCH", "/course/1/", body=LONG).with_("Content-Type", "text/plain"), 415),
        (plain("PATCH", "/course/1/", None, body=LONG), 401),
        (plain("PATCH", "/course/1/", body=LONG).with_("Prefer", "code=403"), 403),
        (plain("PATCH", "/course/1/", body=LONG).with_("Accept", "text/html"), 406),
        (plain("GET", "/course/1/", "member"), 200),
        (plain("GET", "/course/1/?view=edit"), 200),
        (plain("GET", "/course/search/", "member"), 200),
    ],
)
def test_a_world_is_free_when_it_is_deleted(both: Both, world: str, request_: Request, status: int) -> None:
    seen = worlds(both, world)
    for _ in range(2):
        assert both.ask(request_.with_("X-Stub-World", world)).status == status
    delete(both, world)
    assert [each() for each in seen] == [None, None]


def test_a_world_with_faults_is_free_when_it_is_deleted(both: Both, world: str) -> None:
    seen = worlds(both, world)
    for kind in ("stale", "truncate", "reset"):
        both.ask(control("POST", "faults", world, {"kind": kind, "times": 1}))
    for _ in range(3):
        both.take(Step((plain("GET", "/course/1/", "member", world),)))
    delete(both, world)
    assert [each() for each in seen] == [None, None]


def test_an_idle_connection_keeps_no_request(both: Both, world: str) -> None:
    """Another connection deletes the world."""
    seen = worlds(both, world)
    changed = plain("PATCH", "/course/1/", "creator", world, LONG).with_("Prefer", "wait=0")
    assert both.ask(changed, line=1).status == 200
    delete(both, world)
    assert [each() for each in seen] == [None, None]


def test_a_cached_answer_goes_with_its_world(both: Both, world: str) -> None:
    lane = both.apps[0].lane
    assert lane is not None
    for _ in range(2):
        assert both.ask(plain("GET", "/course/1/", "member", world)).by_lane
    (head,) = (head for head in lane.heads._known.values() if head and head.world == world)
    assert head.cached is not None
    delete(both, world)
    assert head.cached is None


def test_a_cached_answer_keeps_no_body(both: Both, world: str) -> None:
    lane = both.apps[0].lane
    assert lane is not None
    asked = plain("GET", "/course/1/", "member", world, {"large": "x" * 1000})
    assert both.ask(asked).by_lane
    (head,) = (head for head in lane.heads._known.values() if head and head.world == world)
    assert head.cached is not None
    assert head.call.raw_body == b""
    assert both.ask(asked).by_lane
    (first, second) = both.ask(control("GET", "requests", world)).json["results"]
    assert first["request"]["body"] == second["request"]["body"] == {"large": "x" * 1000}


HEAD = b"Host: localhost\r\nAuthorization: Bearer stub-creator\r\n"
PART = b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\nKnots\r\n--x--\r\n'
MULTIPART = b"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: %d\r\n\r\n%b" % (len(PART), PART)
MISSING = b"GET /api/v2/course/999/ HTTP/1.1\r\n" + HEAD + b"\r\n"


@pytest.mark.parametrize(
    ("sent", "is_read"),
    [
        (MISSING, True),
        (b"nonsense\r\n\r\n", True),
        (b"PATCH /api/v2/course/1/ HTTP/1.1\r\n" + HEAD + MULTIPART, True),
        (MISSING * 3, False),
        (b"GET /api/v2/course/1/ HTTP/1.1\r\n" + HEAD + b"\r\n", True),
        (b"PATCH /api/v2/course/1/ HTTP/1.1\r\n" + HEAD + b"Content-Length: 9\r\n\r\n{", False),
        (b"GET /api/v2/course/1/?__wait=0.05 HTTP/1.1\r\n" + HEAD + b"\r\n", False),
    ],
)
def test_a_connection_is_free_when_it_is_closed(sent: bytes, is_read: bool) -> None:
    """Whatever it was used for, and whoever closed it."""
    with Background(lambda: create_app()) as url:
        for _ in range(3):
            ask(url, sent, is_read)
        gc.collect()
        before = connections()
        for _ in range(5):
            ask(url, sent, is_read)
        deadline = time.monotonic() + PATIENCE
        while connections() > before:
            assert time.monotonic() < deadline
            time.sleep(0.01)


def ask(url: str, sent: bytes, is_read: bool) -> None:
    """Send bytes on a connection of their own, and close it, with or without reading the answer."""
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port), PATIENCE) as connection:
        connection.sendall(sent)
        if is_read:
            connection.recv(65536)


def connections() -> int:
    """How many connections of servers are in memory."""
    return sum(isinstance(thing, Connection) for thing in gc.get_objects())
