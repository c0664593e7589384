"""The proxy changes nothing, whatever passes, and leads to no other server."""

import contextlib
import gzip
import http.client
import json
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from stubserver.app import create_app
from stubserver.serving.background import Background
from stubserver.serving.sockets import bind, url_of
from stubserver.settings import Settings
from tests.support.commands import PATIENCE, until
from tests.support.peer import END, OK, RESET, SILENCE, Peer
from tests.support.pictures import RED
from tests.support.watching import Raw, Watched, ask, watched

CREATOR: Any = {"Authorization": "Bearer stub-creator"}
JSON: Any = {**CREATOR, "Content_Type": "application/json"}
FORM: Any = {**CREATOR, "Content_Type": "application/x-www-form-urlencoded"}
PREFLIGHT = {"Origin": "http://localhost:3000", "Access_Control_Request_Method": "POST"}
COURSE = json.dumps({"name": "Pots", "type": "self-paced", "privacy": "open"}).encode()
UPLOAD = b"".join(
    [
        b'--xyz\r\nContent-Disposition: form-data; name="name"\r\n\r\nPans\r\n',
        b'--xyz\r\nContent-Disposition: form-data; name="type"\r\n\r\nself-paced\r\n',
        b'--xyz\r\nContent-Disposition: form-data; name="image_original"; filename="a.png"\r\n',
        b"Content-Type: image/png\r\n\r\n" + RED + b"\r\n--xyz--\r\n",
    ]
)


def server() -> Background:
    return Background(lambda: create_app("default", freeze_at=datetime(2031, 5, 1, tzinfo=UTC)))


@pytest.fixture(scope="module")
def twins() -> Iterator[tuple[str, str, Watched]]:
    """Two servers of our own that are the same, and a proxy in front of the second."""
    with server() as direct, server() as behind, watched(behind) as proxy:
        yield direct, behind, proxy


@pytest.mark.parametrize(
    ("method", "target", "body", "headers"),
    [
        ("GET", "/api/v2/course/1/", None, CREATOR),
        ("GET", "/api/v2/course/1/", None, {}),
        ("GET", "/api/v2/course/999/", None, CREATOR),
        ("GET", "/api/v2/course/search/?limit=2&offset=1&search=a%20b&x=%7e~+&", None, CREATOR),
        ("GET", "/api/v2/course/search/?limit=3", None, CREATOR),
        ("HEAD", "/api/v2/course/1/", None, CREATOR),
        ("OPTIONS", "/api/v2/course/", None, PREFLIGHT),
        ("PUT", "/api/v2/course/search/", b"", CREATOR),
        ("POST", "/api/v2/course/", COURSE, JSON),
        ("POST", "/api/v2/course/", b'{"name": "Ren\xc3\xa9", "type": "structured"}', JSON),
        ("POST", "/api/v2/course/", gzip.compress(COURSE + b" ", mtime=0), {**JSON, "Content_Encoding": "gzip"}),
        ("POST", "/api/v2/course/", UPLOAD, {**CREATOR, "Content_Type": "multipart/form-data; boundary=xyz"}),
        ("POST", "/api/v2/course/", b"name=Bowls&type=self-paced", FORM),
        ("POST", "/api/v2/course/", b"{", JSON),
        ("POST", "/api/v2/course/", b"<a/>", {**CREATOR, "Content_Type": "text/xml"}),
        ("PATCH", "/api/v2/course/1/", b'{"name": "Other"}', JSON),
        ("DELETE", "/api/v2/course/2/", None, CREATOR),
        ("GET", "/elsewhere", None, {}),
        ("GET", "//odd//path/%2e%2E/x%2Fy", None, {}),
    ],
)  # fmt: skip
def test_answers_are_the_same_to_the_byte(
    twins: tuple[str, str, Watched], method: str, target: str, body: bytes | None, headers: dict[str, str]
) -> None:
    direct, behind, proxy = twins
    plain, passed = ask(direct, method, target, body, **headers), proxy.ask(method, target, body, **headers)
    assert plain.status == passed.status
    assert comparable(plain) == comparable(passed)
    assert passed.body.replace(behind.encode(), direct.encode()) == plain.body


def comparable(answer: Raw) -> list[tuple[str, str]]:
    """Its headers, but the time, and what is about a single connection."""
    return sorted(pair for pair in answer.headers if pair[0].lower() not in ("date", "connection", "keep-alive"))


# What the server is sent


def received(method: str, target: str, body: bytes | None = None, **headers: str) -> bytes:
    """What a server behind the proxy gets."""
    with Peer(OK) as peer, watched(peer.url) as proxy:
        assert proxy.ask(method, target, body, **headers).body == b"ok"
        return peer.received[0].replace(peer.url.removeprefix("http://").encode(), b"UPSTREAM")


def test_the_target_is_sent_as_it_came() -> None:
    target = "/api/v2/a%2fb/%7E~/?a=%2F&&b=a+b&c=%zz&d"
    assert received("GET", target).splitlines()[0] == f"GET {target} HTTP/1.1".encode()


def test_nothing_is_added_but_the_host() -> None:
    assert received("GET", "/x", X_Some="Thing") == b"GET /x HTTP/1.1\r\nHost: UPSTREAM\r\nx-some: Thing\r\n\r\n"


def test_a_body_is_sent_as_it_came() -> None:
    assert received("POST", "/x", b"\0\xff{").endswith(b"content-length: 3\r\n\r\n\0\xff{")


def test_what_is_about_a_connection_ends_here() -> None:
    hops: Any = {
        "Connection": "close, X-Mine",
        "Keep_Alive": "timeout=5",
        "TE": "trailers",
        "Proxy_Authorization": "Basic x",
        "X_Mine": "1",
        "X_Theirs": "2",
        "Upgrade": "h2c",
    }
    assert received("GET", "/x", **hops) == b"GET /x HTTP/1.1\r\nHost: UPSTREAM\r\nx-theirs: 2\r\n\r\n"


def test_a_path_of_the_upstream_comes_first() -> None:
    with Peer(OK) as peer, watched(f"{peer.url}/base") as proxy:
        proxy.ask("GET", "/api/v2/x/?y=1")
        assert peer.received[0].startswith(b"GET /base/api/v2/x/?y=1 ")


def test_chunks_stay_chunks() -> None:
    with Peer(OK) as peer, watched(peer.url) as proxy:
        connection = http.client.HTTPConnection(proxy.url.removeprefix("http://"), timeout=PATIENCE)
        with contextlib.closing(connection):
            connection.request(
                "POST", "/x", iter([b"abc", b"def"]), encode_chunked=True, headers={"Transfer-Encoding": "chunked"}
            )
            assert connection.getresponse().read() == b"ok"
        head, _, body = peer.received[0].partition(b"\r\n\r\n")
        assert b"content-length" not in head.lower()
        assert b"abc" in body
        assert body.endswith(b"0\r\n\r\n")


# What the client gets


def answered(answer: bytes, method: str = "GET") -> Raw:
    with Peer(answer) as peer, watched(peer.url) as proxy:
        return proxy.ask(method, "/api/v2/course/1/")


def test_headers_keep_their_order_spelling_and_number() -> None:
    lines = b"Set-Cookie: a=1; Path=/\r\nX-Odd: \xe9\r\nset-cookie: b=2\r\n"
    found = answered(b"HTTP/1.1 200 OK\r\n" + lines + b"Content-Length: 0\r\n\r\n")
    assert found.headers == [
        ("Set-Cookie", "a=1; Path=/"), ("X-Odd", "é"), ("set-cookie", "b=2"), ("Content-Length", "0")
    ]  # fmt: skip


def test_compressed_answers_stay_compressed() -> None:
    body = gzip.compress(b'{"a": 1}')
    found = answered(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
    assert (found.body, found.named["content-encoding"]) == (body, "gzip")


def test_redirects_are_not_followed() -> None:
    found = answered(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/x\r\nContent-Length: 0\r\n\r\n")
    assert (found.status, found.named["location"]) == (302, "http://127.0.0.1:1/x")


@pytest.mark.parametrize("method", ["HEAD", "GET"])
def test_answers_without_a_body(method: str) -> None:
    found = answered(b"HTTP/1.1 204 No Content\r\nX-Here: 1\r\n\r\n", method)
    assert (found.status, found.headers, found.body) == (204, [("X-Here", "1")], b"")


def test_the_length_of_a_head_is_kept() -> None:
    assert answered(b"HTTP/1.1 200 OK\r\nContent-Length: 77\r\n\r\n", "HEAD").headers == [("Content-Length", "77")]


def test_an_answer_without_a_length_ends_with_its_connection() -> None:
    assert answered(b"HTTP/1.1 200 OK\r\n\r\nabc" + END).body == b"abc"


def test_large_bodies_pass_both_ways_though_they_are_not_checked() -> None:
    large = bytes(range(256)) * 40_000
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(large) + large
    with Peer(answer) as peer, watched(peer.url, Settings(max_body=1_000_000)) as proxy:
        assert proxy.ask("PUT", "/api/v2/course/1/", large, **JSON).body == large
        assert peer.received[0].endswith(large)
        report = proxy.report(1)
    assert report.findings == []
    assert "passed on unchecked, being too large or in an unknown coding: 2 bodies" in report.notes
    assert (proxy.seen[0].body, proxy.seen[0].answer) == (None, None)


def test_pieces_pass_as_they_come() -> None:
    """The end of the answer is only sent when its beginning has arrived."""
    has_begun = threading.Event()
    listener = bind("127.0.0.1", 0)

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
            assert has_begun.wait(PATIENCE)
            connection.sendall(b"3\r\ndef\r\n0\r\n\r\n")

    thread = threading.Thread(target=serve)
    thread.start()
    with watched(url_of(listener)) as proxy:
        connection = http.client.HTTPConnection(proxy.url.removeprefix("http://"), timeout=PATIENCE)
        with contextlib.closing(connection):
            connection.request("GET", "/api/v2/course/1/")
            response = connection.getresponse()
            assert response.read(3) == b"abc"
            has_begun.set()
            assert response.read() == b"def"
    thread.join(PATIENCE)
    listener.close()


# What goes wrong behind


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc" + END,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n" + END,
    ],
)
def test_an_answer_that_breaks_off_breaks_off_for_the_client(answer: bytes) -> None:
    with Peer(answer) as peer, watched(peer.url) as proxy:
        with pytest.raises(http.client.IncompleteRead):
            proxy.ask("GET", "/api/v2/course/1/", **CREATOR)
        report = proxy.report(1)
    (found,) = report.findings
    assert (found.source, found.difference.kind) == ("answer", "transport")
    assert found.difference.found.startswith("the answer broke off: ")
    assert report.notes[0].startswith("1 request without a whole answer: the answer broke off: ")


@pytest.mark.parametrize("answer", [RESET, END, b"what is this?\r\n\r\n"])
def test_no_answer_is_a_502_in_the_shape_of_the_api(answer: bytes) -> None:
    with Peer(answer) as peer, watched(peer.url) as proxy:
        found = proxy.ask("GET", "/api/v2/course/1/", **CREATOR)
        report = proxy.report(1)
    assert found.status == 502
    (error,) = json.loads(found.body)["errors"]
    assert error["code"] == "bad_gateway"
    assert error["message"].startswith("127.0.0.1 gave no answer: ")
    assert [one.difference.kind for one in report.findings] == ["transport"]


def test_a_server_that_is_not_there_is_a_502_too() -> None:
    listener = bind("127.0.0.1", 0)
    url = url_of(listener)
    listener.close()
    with watched(url) as proxy:
        assert proxy.ask("GET", "/api/v2/course/1/", **CREATOR).status == 502
        assert proxy.ask("GET", "/else").status == 502
        report = proxy.report(2)
    assert [one.difference.kind for one in report.findings] == ["transport"]
    assert report.notes[0].startswith("2 requests without a whole answer: ")


def test_a_server_that_stays_silent_is_a_504(monkeypatch: pytest.MonkeyPatch) -> None:
    import httpx

    monkeypatch.setattr("stubserver.checking.proxy._TIMEOUT", httpx.Timeout(0.2))
    with Peer(SILENCE) as peer, watched(peer.url) as proxy:
        assert proxy.ask("GET", "/api/v2/course/1/").status == 504


def test_a_client_that_leaves_is_nobodys_fault() -> None:
    listener = bind("127.0.0.1", 0)
    has_left = threading.Event()

    def serve() -> None:
        connection, _ = listener.accept()
        with connection, contextlib.suppress(ConnectionError):
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
            assert has_left.wait(PATIENCE)
            while True:  # without an end, unless the proxy closes its connection
                connection.sendall(b"3\r\nabc\r\n")

    thread = threading.Thread(target=serve)
    thread.start()
    with watched(url_of(listener)) as proxy:
        with socket.create_connection(("127.0.0.1", int(proxy.url.rpartition(":")[2]))) as client:
            client.sendall(b"GET /api/v2/course/1/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert client.recv(10)
        has_left.set()
        thread.join(PATIENCE)
        assert not thread.is_alive()
        assert proxy.observer.report(1.0).sent == 0
    listener.close()


# No other server, nothing else


def spoken(proxy: Watched, request: bytes) -> bytes:
    """What comes back for some bytes."""
    with socket.create_connection(("127.0.0.1", int(proxy.url.rpartition(":")[2])), timeout=PATIENCE) as client:
        client.sendall(request)
        client.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := client.recv(65536):
            answer += piece
    return answer


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET http://127.0.0.1:1/x HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n", 400),
        (b"CONNECT 127.0.0.1:1 HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n", 400),
        (b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        (b"GET /x HTTP/1.1\r\nHost: rebound.example\r\n\r\n", 403),
        (b"GET /x HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", 501),
    ],
)
def test_what_is_not_for_the_server_is_refused(request_: bytes, status: int) -> None:
    with Peer() as peer, watched(peer.url) as proxy:
        answer = spoken(proxy, request_)
        assert peer.connections == 0
        assert proxy.observer.report(1.0).sent == 0
    assert int(answer.split(b" ")[1]) == status


def test_an_endless_head_ends_the_connection() -> None:
    with Peer() as peer, watched(peer.url) as proxy:
        head = b"GET /x HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * 1_000_000
        with contextlib.suppress(OSError):
            assert b"200 OK" not in spoken(proxy, head)
        assert peer.connections == 0


def test_a_body_that_is_not_all_sent_reaches_nobody_as_a_whole() -> None:
    with Peer(OK) as peer, watched(peer.url) as proxy:
        spoken(proxy, b"POST /api/v2/course/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nabc")
        until(lambda: peer.connections)
        assert proxy.observer.report(1.0).sent == 0


def test_bodies_are_kept_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stubserver.checking.proxy._ROOM", 10)
    with Peer(OK, OK) as peer, watched(peer.url) as proxy:
        for body in (b"12345678901", b"1"):
            assert proxy.ask("POST", "/api/v2/course/", body, **JSON).status == 200
        until(lambda: len(proxy.seen) == 2)
    assert [one.body for one in proxy.seen] == [None, b"1"]
