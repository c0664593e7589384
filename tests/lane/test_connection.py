"""What a connection makes of unusual and broken HTTP, with the lane and without."""

import contextlib
import json
import logging
import socket
import threading
import time
from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from stubserver.app import create_app
from stubserver.lane import connection
from stubserver.lane.connection import MAX_HEAD, Connection
from stubserver.serving.background import Background
from tests.lane.both import Both
from tests.lane.oddities import FORM, Request
from tests.lane.requests import Step, control, freeze, plain
from tests.support.commands import PATIENCE

pytestmark = pytest.mark.slow


def problem(raw: bytes) -> tuple[int, str, str]:
    """Status, code and message of a refusal in the API's error shape that closes the connection."""
    head, _, body = raw.partition(b"\r\n\r\n")
    assert b"\r\nconnection: close" in head
    assert b"\r\ncontent-type: application/json" in head
    assert b"\r\ncontent-length: %d" % len(body) in head
    (found,) = json.loads(body)["errors"]
    return int(head[9:12]), found["code"], found["message"]


# Upgrades

UPGRADES = (
    ("Upgrade", "h2c"),
    ("Upgrade, HTTP2-Settings", "h2c"),
    ("upgrade", "websocket"),
    ("keep-alive, Upgrade", "TLS/1.0, h2c"),
)


def upgrading(request: Request, connection: str = "Upgrade, HTTP2-Settings", protocol: str = "h2c") -> Request:
    """The request as a client sends it that would rather speak HTTP/2."""
    return request.with_("Connection", connection).with_("Upgrade", protocol).with_("HTTP2-Settings", "AAMAAABk")


def written(world: str, text: str = "Changed") -> Request:
    return plain("PATCH", "/course/1/", "creator", world, {"description": text})


def description(both: Both, world: str) -> str:
    found: str = both.ask(plain("GET", "/course/1/", "creator", world)).json["description"]
    return found


@pytest.mark.parametrize(("connection", "protocol"), UPGRADES)
@pytest.mark.parametrize("cuts", [(), (-30,), (0,), (3,)], ids=["whole", "head", "body", "middle"])
def test_upgrades_are_ignored(both: Both, world: str, connection: str, protocol: str, cuts: tuple[int, ...]) -> None:
    """The body counts, wherever it is cut."""
    request = upgrading(written(world), connection, protocol)
    begin = request.raw.index(b"\r\n\r\n") + 4
    (answer,) = both.take(Step((request,), tuple(begin + cut for cut in cuts)))
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert description(both, world) == "Changed"


@pytest.mark.parametrize("how", ["form", "chunked", "expect"])
def test_upgrades_are_ignored_however_the_body_is_sent(both: Both, world: str, how: str) -> None:
    request = upgrading(written(world))
    if how == "form":
        request = replace(request.with_("Content-Type", FORM), body=b"description=Changed")
    elif how == "chunked":
        request = replace(request, chunks=(5,), trailer="Prefer: code=404\r\n")
    else:
        request = request.with_("Expect", "100-continue")
    (answer,) = both.take(Step((request,)))
    assert b"HTTP/1.1 200 OK" in answer
    assert description(both, world) == "Changed"


def test_body_after_an_upgrade_is_no_request(both: Both, world: str) -> None:
    smuggled = plain("DELETE", "/course/1/", "creator", world).raw
    outer = replace(upgrading(plain("POST", "/course/2/join/", "stranger", world)), body=smuggled)
    both.take(Step((outer,), cuts=(len(outer.raw) - len(smuggled),)))
    asked = both.ask(control("GET", "requests", world)).json["results"]
    assert [entry["request"]["method"] for entry in asked] == ["POST"]
    assert both.ask(plain("GET", "/course/1/", "creator", world)).status == 200


def test_requests_behind_an_upgrade_are_answered(both: Both, world: str) -> None:
    """Thousands of them, too."""
    seen = plain("GET", "/course/1/", "creator", world)
    requests = (upgrading(written(world, "Alpha-1")), seen, upgrading(written(world, "Beta-2")), upgrading(seen), seen)
    answers = both.take(Step(requests))
    assert [b"Alpha-1" in answer for answer in answers] == [True, True, False, False, False]
    assert [b"Beta-2" in answer for answer in answers] == [False, False, True, True, True]
    assert len(both.take(Step((upgrading(replace(seen, method="HEAD")),) * 1200))) == 1200


def test_journal_shows_that_an_upgrade_was_asked_for(both: Both, world: str) -> None:
    both.ask(upgrading(written(world)))
    (entry,) = both.ask(control("GET", "requests", world)).json["results"]
    assert entry["request"]["headers"]["upgrade"] == "h2c"


@pytest.mark.parametrize(
    ("text", "status", "code", "message"),
    [
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "http_version_not_supported", "HTTP/1.1 only"),
        (b"GET /api/v2/category/ HTTP/2.0\r\nHost: a.test\r\n\r\n", 505, "http_version_not_supported", "HTTP/1.1 only"),
        (b"GET /api/v2/category/\r\n\r\n", 505, "http_version_not_supported", "HTTP/1.1 only"),
        (b"CONNECT a.test:80 HTTP/1.1\r\nHost: a.test:80\r\n\r\n", 501, "not_implemented", "not a proxy"),
        (
            b"CONNECT a.test:80 HTTP/1.1\r\nHost: a.test:80\r\n\r\nGET / HTTP/1.1\r\n",
            501,
            "not_implemented",
            "not a proxy",
        ),
        (b"\x16\x03\x01\x02\x00\x01\x00", 400, "parse_error", "not a valid request in HTTP/1.1: "),
    ],
)
def test_other_protocols_are_refused(both: Both, text: bytes, status: int, code: str, message: str) -> None:
    found = problem(both.raw(text))
    assert found[:2] == (status, code)
    assert message in found[2]


# Refusals in their turn


def test_refusal_waits_for_the_answers_before_it(both: Both, world: str) -> None:
    fast = plain("GET", "/course/1/", "member", world)
    slow = fast.with_("Prefer", "wait=0.05")
    for requests in ((fast,), (fast, fast), (slow,), (fast, slow, fast)):
        answers = both.raw(b"".join(request.raw for request in requests) + b"GARBAGE\r\n\r\n")
        *good, bad = answers.split(b"HTTP/1.1 ")[1:]
        assert [answer[:3] for answer in good] == [b"200"] * len(requests)
        assert problem(b"HTTP/1.1 " + bad)[0] == 400


@pytest.mark.parametrize("before", [(), ("wait=0.05",), ("wait=0.05", "wait=0")], ids=len)
def test_broken_body_is_refused_and_changes_nothing(both: Both, world: str, before: tuple[str, ...]) -> None:
    """In its turn, whether its request is being answered or waits behind others."""
    first = [plain("GET", "/course/1/", "member", world).with_("Prefer", wait).raw for wait in before]
    broken = replace(written(world), chunks=(5,)).raw.replace(b"\r\n0\r\n", b"\r\nzz\r\n")
    *good, bad = both.raw(b"".join((*first, broken))).split(b"HTTP/1.1 ")[1:]
    assert [answer[:3] for answer in good] == [b"200"] * len(before)
    assert problem(b"HTTP/1.1 " + bad)[:2] == (400, "parse_error")
    assert description(both, world) != "Changed"


def test_broken_body_after_its_answer_only_closes(both: Both, world: str) -> None:
    request = replace(written(world), chunks=(5,)).with_("Accept", "text/html")
    head, _, body = request.raw.partition(b"\r\n\r\n")
    for line in both.lines(0):
        line.send(head + b"\r\n\r\n")
    assert {line.answer()[:12] for line in both.lines(0)} == {b"HTTP/1.1 406"}
    for line in both.lines(0):
        line.send(b"zz\r\n" + body)
    assert [line.rest() for line in both.lines(0)] == [b"", b""]
    both.hang_up(0)
    both.ask(freeze(world))


# Waiting and keeping


def begun(both: Both, text: bytes) -> None:
    """Send the beginning of a request to both servers, and wait until they have read it."""
    for line in both.lines(0):
        line.send(text)
    both.ask(freeze("default"), line=1)


def ended(both: Both) -> bytes:
    """What came back until the servers closed the connections."""
    with_lane, without = (line.rest() for line in both.lines(0))
    assert with_lane == without
    both.hang_up(0)
    return without


UNFINISHED = {
    "line": written("default").raw[:20],
    "head": written("default").raw[:90],
    "no body": written("default").raw.partition(b"{")[0],
    "half a body": written("default").raw[:-5],
    "half a large body": replace(written("default"), body=b" " * 80_000).raw[:-5],
    "half a chunk": replace(written("default"), chunks=(5,)).raw[:-12],
    "upgrade": upgrading(written("default")).raw[:-5],
    "behind another": plain("GET", "/course/1/").raw + written("default").raw[:-5],
    "behind one of the stack": plain("GET", "/course/1/").with_("Prefer", "wait=0").raw + written("default").raw[:90],
}


@pytest.mark.parametrize("sent", UNFINISHED.values(), ids=UNFINISHED)
def test_half_a_request_is_not_waited_for(both: Both, world: str, monkeypatch: pytest.MonkeyPatch, sent: bytes) -> None:
    monkeypatch.setattr(connection, "READ_TIMEOUT", 0.03)
    begun(both, sent)
    *good, bad = ended(both).split(b"HTTP/1.1 ")[1:]
    assert len(good) == sent.count(b"HTTP/1.1") - (sent != UNFINISHED["line"])
    status, code, message = problem(b"HTTP/1.1 " + bad)
    assert (status, code) == (408, "request_timeout")
    assert message == "The rest of the request did not arrive within 0.03 seconds."


def test_rest_of_a_body_that_is_not_needed_is_not_waited_for(
    both: Both, world: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has been answered."""
    monkeypatch.setattr(connection, "READ_TIMEOUT", 0.03)
    begun(both, written(world).with_("Accept", "text/html").raw[:-5])
    answer = ended(both)
    assert answer.startswith(b"HTTP/1.1 406 ")
    assert answer.count(b"HTTP/1.1 ") == 1


def test_every_part_of_a_request_gives_it_more_time(both: Both, world: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The time runs from the last part, which the timer finds out only when it is due."""
    begun(both, written(world).raw[:-5])
    waiting = [each for each in both.connections if each._is_incomplete()]
    assert len(waiting) == 2
    for each in waiting:
        each.loop.call_soon_threadsafe(each._look_for_more)
    both.ask(freeze(world), line=1)
    for line in both.lines(0):
        line.send(written(world).raw[-5:])
    assert {line.answer()[:12] for line in both.lines(0)} == {b"HTTP/1.1 200"}


def test_connection_without_a_request_is_closed(both: Both, world: str, monkeypatch: pytest.MonkeyPatch) -> None:
    both.hang_up(0)
    for server in both.servers:
        monkeypatch.setattr(server._server.config, "timeout_keep_alive", 0.02)  # type: ignore[union-attr]
    both.lines(0)
    assert ended(both) == b""


@pytest.mark.parametrize("over", [0, 1])
@pytest.mark.parametrize("where", ["target", "header", "headers", "upgrade"])
def test_large_heads_are_refused(both: Both, world: str, where: str, over: int) -> None:
    """To the byte, and whoever reads them."""
    request = plain("GET", "/course/1/", "member", world)
    if where == "upgrade":
        request = upgrading(request)
    if where == "headers":
        request = replace(request, headers=request.headers + (("X-Odd", "x" * 80),) * 600)
    room = MAX_HEAD + over - _size(request.with_("X-Odd", "") if where in ("header", "upgrade") else request)
    if where in ("header", "upgrade"):
        request = request.with_("X-Odd", "x" * room)
    else:
        request = replace(request, target=f"{request.target}?{'a' * (room - 1)}")
    (answer,) = both.take(Step((request,)))
    if over:
        assert problem(answer)[:2] == (431, "request_header_fields_too_large")
        assert problem(answer)[2] == "The request line and headers are larger than 65536 bytes together."
    else:
        assert answer.startswith(b"HTTP/1.1 200 ")


def _size(request: Request) -> int:
    """What the target and headers count for."""
    return len(request.target) + sum(len(name) + len(value) + 3 for name, value in request.headers)


def test_head_without_end_is_refused_before_it_ends(both: Both, world: str) -> None:
    request = plain("GET", "/course/1/", "member", world).raw
    for start in (request[:-2], request + request[:-2]):
        for line in both.lines(0):
            line.send(start + (b"X-Odd: " + b"x" * 8000 + b"\r\n") * 50)
        answers = ended(both)
        assert problem(b"HTTP/1.1 " + answers.rpartition(b"HTTP/1.1 ")[2])[0] == 431


def test_nothing_is_read_while_requests_wait(both: Both, world: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With bodies or without: at most what one read of the socket takes, which is 256 KiB."""
    read, most = Connection.on_headers_complete, [0]

    def watched(self: Connection) -> None:
        read(self)
        most[0] = max(most[0], len(self.pipeline))

    both.hang_up(0)
    monkeypatch.setattr(Connection, "on_headers_complete", watched)
    requests = [plain("GET", "/course/1/", "creator", world), written(world)]
    text = b"".join(request.with_("Prefer", "wait=0").with_("X-Odd", "x" * 8000).raw for request in requests)
    count = 150
    for line in both.lines(0):
        threading.Thread(target=line.send, args=(text * count,), daemon=True).start()
    for _ in range(2 * count):
        with_lane, without = (line.answer() for line in both.lines(0))
        assert with_lane == without
        assert without.startswith(b"HTTP/1.1 200 ")
    assert 0 < most[0] <= 256 * 1024 // 8000 + 1


@pytest.mark.parametrize("waits", [(), ("wait=0.05",), ("wait=0.05", "wait=0", "")], ids=len)
def test_client_may_end_its_half_after_asking(both: Both, world: str, waits: tuple[str, ...]) -> None:
    """And the connection ends with the last answer, which says so only if the server knew it when the answer began."""
    fast = plain("GET", "/course/1/", "member", world)
    requests = [fast, *(fast.with_("Prefer", wait) if wait else fast for wait in waits)]
    for line in both.lines(0):
        line.send(b"".join(request.raw for request in requests))
        line.end()
    for line in both.lines(0):
        answers = line.rest().split(b"HTTP/1.1 ")[1:]
        assert [answer[:3] for answer in answers] == [b"200"] * len(requests)
    both.hang_up(0)


def test_nothing_is_written_after_the_client_has_gone(both: Both, world: str, caplog: pytest.LogCaptureFixture) -> None:
    """Not even if later requests have been read already, while an answer waits for its client to read."""
    begun(both, Request("GET", "/openapi.json", (("Host", "localhost"),)).raw * 200)
    while sum(each.flow.write_paused for each in both.connections) < 2:
        both.ask(freeze(world), line=1)
    both.hang_up(0)
    while len(both.connections) > 2:
        both.ask(freeze(world), line=1)
    both.ask(freeze(world), line=1)
    assert [record.getMessage() for record in caplog.records] == []


def test_client_that_ends_within_a_request_gets_no_answer(both: Both, world: str) -> None:
    for line in both.lines(0):
        line.send(written(world).raw[:-1])
        line.end()
    assert ended(both) == b""
    assert description(both, world) != "Changed"


# Waiting for a reader


@pytest.mark.parametrize(
    ("looks", "dropped"),
    [
        ([(0, 0), (29, 500), (58, 500), (59, 500)], 59),
        ([(0, 0), (29, 500), (58, 499), (87, 499), (88, 499)], 88),
        ([(0, 0), (600, 0), (1200, 0)], None),
        ([(0, 500), (29, 500), (58, 0), (87, 500), (116, 500)], None),
        ([(0, 500), (29, 501), (58, 502)], 58),  # more for it, and it takes nothing
        ([(0, 500), (29, 9), (58, 8), (87, 7), (116, 6)], None),
        ([(0, 500), (30, 500)], 30),
    ],
)
def test_whoever_takes_something_in_time_is_waited_for(looks: list[tuple[float, int]], dropped: float | None) -> None:
    """Times, and how many bytes then wait for the client."""
    ends: list[float] = []
    each: Any = SimpleNamespace(_unread=0, _last_taken=0.0, _sender="a", logger=logging.getLogger("test"))
    for now, unread in looks:
        each.transport = SimpleNamespace(get_write_buffer_size=partial(int, unread), abort=partial(ends.append, now))
        Connection.look_for_reader(each, now)
    assert ends == ([] if dropped is None else [dropped])


LARGE = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n"


@pytest.mark.parametrize("fast_path", [True, False])
@pytest.mark.parametrize(
    "sent",
    [
        plain("GET", "/course/search/?limit=100").with_("Host", "localhost").raw * 3000,
        (LARGE + b"\r\n") * 200,
        (LARGE + b"\r\n") * 20 + LARGE + b"Connection: close\r\n\r\n",
        (LARGE + b"\r\n") * 50 + b"GARBAGE\r\n\r\n",
    ],
    ids=["lane", "stack", "close", "refusal"],
)
def test_client_that_reads_nothing_is_dropped(
    sent: bytes, fast_path: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Without a request that hangs: everything else that could close the connection waits for the client to read."""
    monkeypatch.setattr(connection, "WRITE_TIMEOUT", 0.01)
    background = Background(lambda: create_app(fast_path=fast_path))
    with background as url, socket.socket() as client:
        address = urlsplit(url)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # so that the kernel takes little for it
        client.settimeout(PATIENCE)
        client.connect((str(address.hostname), address.port or 0))
        threading.Thread(target=_send, args=(client, sent), daemon=True).start()
        deadline = time.monotonic() + PATIENCE
        while "has not read" not in caplog.text:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        httpx.get(f"{url}/__stub/health").raise_for_status()
        with contextlib.suppress(ConnectionError):
            while client.recv(1 << 20):  # what the kernel had taken; the end would not come if it were not dropped
                pass
    assert background.error is None
    assert "Traceback" not in caplog.text


def _send(client: socket.socket, text: bytes) -> None:
    with contextlib.suppress(OSError):
        client.sendall(text)


# Framing

POST = b"POST /api/v2/course/1/join/ HTTP/1.1\r\nHost: stub.test\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (POST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}", "can't be present with Content-Length"),
        (POST + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n{}", "can't be present with Transfer-Enc"),
        (POST + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", "Duplicate Content-Length"),
        (POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", "Duplicate Content-Length"),
        (POST + b"Content-Length: 2, 2\r\n\r\n{}", "Invalid character in Content-Length"),
        (POST + b"Content-Length: +2\r\n\r\n{}", "Invalid character in Content-Length"),
        (POST + b"Content-Length: -2\r\n\r\n{}", "Invalid character in Content-Length"),
        (POST + b"Content-Length: 0x2\r\n\r\n{}", "Invalid character in Content-Length"),
        (POST + b"X-Folded: a\r\n b\r\n\r\n", "Unexpected whitespace after header value"),
        (POST + b" folded: 1\r\n\r\n", "Unexpected whitespace after header value"),
        (POST + b"Content-Length : 2\r\n\r\n{}", "Invalid header field char"),
        (POST + b"X-A: a\nX-B: b\r\n\r\n", "Missing expected CR after header value"),
        (POST + b"X-A: a\rX-B: b\r\n\r\n", "Missing expected LF after header value"),
        (POST + b"\n", "Invalid header"),
        (POST.replace(b"\r\n", b"\n") + b"\n", "Expected CRLF after version"),
        (POST.replace(b"1.1", b"1.2") + b"\r\n", "Invalid HTTP version"),
        (b"BREW" + POST[4:] + b"\r\n", "Invalid method encountered"),
        (CHUNKED + b"0x2\r\n{}\r\n0\r\n\r\n", "Invalid character in chunk size"),
        (CHUNKED + b"2 \r\n{}\r\n0\r\n\r\n", "Invalid character in chunk size"),
        (CHUNKED + b"2\n{}\n0\n\n", "Missing expected CR after chunk size"),
        (CHUNKED + b"1\r\n{}\r\n0\r\n\r\n", "Expected"),
        (CHUNKED + b"fffffffffffffffff\r\n{}\r\n0\r\n\r\n", "Chunk size overflow"),
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(both: Both, text: bytes, reason: str) -> None:
    """RFC 9112, 2.2, 5.2, 6.3 and 7.1. Nothing after it is a request."""
    status, code, message = problem(both.raw(text + plain("GET", "/course/1/").raw))
    assert (status, code) == (400, "parse_error")
    assert message.startswith("This is not a valid request in HTTP/1.1: ")
    assert reason in message


@pytest.mark.parametrize(
    "coding", ["gzip", "gzip, chunked", "identity", "xchunked", "chunked\r\nTransfer-Encoding: gzip"]
)
def test_other_transfer_codings_are_refused(both: Both, coding: str) -> None:
    text = POST + f"Transfer-Encoding: {coding}\r\n\r\n0\r\n\r\n".encode()
    status, code, _ = problem(both.raw(text))
    assert (status, code) in ((501, "not_implemented"), (400, "parse_error"))


@pytest.mark.parametrize("trailer", ["Prefer: code=404", "Authorization: Bearer stub-creator", "X-Stub-World: a"])
def test_trailers_in_the_same_packet_are_no_headers(both: Both, world: str, trailer: str) -> None:
    request = plain("PATCH", "/course/1/", "member", world, {"name": "Changed"})
    answer = both.ask(replace(request, chunks=(5,), trailer=f"{trailer}\r\n"))
    assert answer.status == 403
    assert answer.headers["x-stub-request"] == f"{world}-1"


def test_nothing_follows_a_request_that_closes(both: Both, world: str) -> None:
    last = plain("GET", "/course/1/", "member", world).with_("Connection", "close")
    assert both.raw(last.raw + written(world).raw).count(b"HTTP/1.1 ") == 1
    assert description(both, world) != "Changed"


def test_empty_lines_before_a_request_are_ignored(both: Both, world: str) -> None:
    """RFC 9112, 2.2: some clients send one after a body."""
    last = plain("GET", "/course/1/", "member", world).with_("Connection", "close")
    answers = both.raw(written(world).raw + b"\r\n" + last.raw)
    assert [answer[:3] for answer in answers.split(b"HTTP/1.1 ")[1:]] == [b"200", b"200"]
