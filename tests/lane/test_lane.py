"""The fast lane: nobody can tell its answers from those of the whole stack, nor what they leave behind."""

import contextlib
import itertools
import re
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import orjson
import pytest

from stubserver.app import StubServer
from stubserver.contract.contract import Contract
from stubserver.lane import head, lane
from stubserver.lane.head import Head
from stubserver.lane.lane import Send
from stubserver.records import journal
from stubserver.records.journal import Entry
from stubserver.serving.background import Background
from stubserver.worlds.world import Fixture
from tests.lane.oddities import MAX_BODY, Request, broken, signed
from tests.lane.requests import WORLDS, Requests, Step, control, freeze, plain
from tests.support.default import NOW, SETTINGS

PATIENCE = 5
"""Seconds after which an answer is missed."""
OPENS = "/course/9/section/20/lesson/33/"
"""A lesson that opens for the member four days after NOW."""


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    by_lane: bool
    """Whether the lane gave it."""

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)


class Line:
    """A connection to one server."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._own = b"127.0.0.1:%d" % port
        self._read = b""

    def send(self, text: bytes, cuts: Sequence[int] = ()) -> None:
        """Send in pieces."""
        for start, end in zip((0, *cuts), (*cuts, len(text)), strict=True):
            if start:
                time.sleep(0.001)  # most likely the server reads one piece before it gets the next
            with contextlib.suppress(ConnectionError):  # it may have refused what came before
                self._socket.sendall(text[start:end])

    def answer(self, method: str = "GET") -> bytes:
        """The next answer; where it ends early, all there is. What must differ has one form: times and addresses."""
        while b"\r\n\r\n" not in self._read:
            if not self._more():
                return self._taken(len(self._read)) + b"(closed)"
        head = self._read.partition(b"\r\n\r\n")[0]
        status, end = int(head[9:12]), len(head) + 4
        if status < 200:
            return self._taken(end) + self.answer(method)
        length = re.search(rb"\r\ncontent-length: ([0-9]+)", head)
        end += int(length[1]) if length and method != "HEAD" else 0
        while len(self._read) < end:
            if not self._more():
                return self._taken(len(self._read)) + b"(closed)"
        return self._taken(end)

    def rest(self) -> bytes:
        """Everything until the server closes."""
        while self._more():
            pass
        return self._taken(len(self._read))

    def _more(self) -> bool:
        try:
            more = self._socket.recv(1 << 20)
        except ConnectionError:
            more = b""
        self._read += more
        return bool(more)

    def _taken(self, length: int) -> bytes:
        taken, self._read = self._read[:length], self._read[length:]
        taken = re.sub(rb"\r\ndate: [^\r]*", b"", taken).replace(self._own, b"(server)")
        return re.sub(rb'"now":"[^"]*","frozen":false', b'"now":"(now)","frozen":false', taken)

    def close(self) -> None:
        self._socket.close()


class Both:
    """Two servers that differ in the lane only. Each request goes to both, and they must answer the same."""

    def __init__(self, contract: Contract, default_fixture: Fixture, **options: Any) -> None:
        self.by_lane = 0
        """How many answers the lane gave."""
        self.operations: set[str] = set()
        """To which operations."""
        settings = replace(SETTINGS, **{"max_body": MAX_BODY, **options})
        without = replace(settings, fast_path=False)
        self.servers = [
            Background(lambda: self._watched(StubServer(contract, default_fixture, settings))),
            Background(lambda: StubServer(contract, default_fixture, without)),
        ]
        self._ports = [int(server.start().rpartition(":")[2]) for server in self.servers]
        self._lines: dict[int, list[Line]] = {}
        self.ask(freeze("default"))

    def _watched(self, app: StubServer) -> StubServer:
        assert app.lane is not None
        answer = app.lane.answer

        def watched(head: Head, body: bytes, send: Send) -> bool:
            found = answer(head, body, send)
            if found:
                self.by_lane += 1
                self.operations.add(head.call.operation.id)
            return found

        app.lane.answer = watched  # type: ignore[method-assign]
        return app

    @property
    def apps(self) -> list[StubServer]:
        """With the lane, and without."""
        return [server.app for server in self.servers if server.app is not None]

    @property
    def connections(self) -> list[Any]:
        """Every connection to either, as it knows it."""
        return [each for server in self.servers for each in server._server.server_state.connections]  # type: ignore[union-attr]

    def ask(self, request: Request, line: int = 0) -> Answer:
        """The answer to one request."""
        before = self.by_lane
        (raw,) = self.take(Step((request,)), line)
        head, _, body = raw.partition(b"\r\n\r\n")
        first, *headers = head.decode("latin-1").split("\r\n")
        return Answer(int(first.split()[1]), dict(text.split(": ", 1) for text in headers), body, self.by_lane > before)

    def take(self, step: Step, line: int = 0) -> list[bytes]:
        """The raw answers to a step."""
        lines, text = self.lines(line), b"".join(request.raw for request in step.requests)
        for each in lines:
            each.send(text, step.cuts)
        found: list[bytes] = []
        for request in step.requests:
            with_lane, without = (each.answer(request.method) for each in lines)
            assert with_lane == without, f"{request.raw[:3000]!r}\nas number {len(found)} of {len(step.requests)}"
            found.append(without)
            if without.endswith(b"(closed)") or b"\r\nconnection: close" in without.partition(b"\r\n\r\n")[0]:
                with_lane, without = (each.rest() for each in lines)
                assert with_lane == without, request.raw
                self.hang_up(line)
                return found
        if step.last:
            self.hang_up(line)
        return found

    def raw(self, text: bytes) -> bytes:
        """Everything that is answered on a connection of its own, until the servers close."""
        for each in self.lines(-1):
            each.send(text)
        with_lane, without = (each.rest() for each in self.lines(-1))
        assert with_lane == without, text
        self.hang_up(-1)
        return without

    def lines(self, number: int) -> list[Line]:
        """A connection to each server."""
        if number not in self._lines:
            self._lines[number] = [Line(port) for port in self._ports]
        return self._lines[number]

    def hang_up(self, number: int) -> None:
        """Close that connection."""
        for line in self._lines.pop(number, ()):
            line.close()

    def journals(self, world: str) -> list[Entry]:
        """What the server with the lane has in its journal; the one without has the same."""
        answers = [self.ask(control("GET", "requests?limit=100&offset=0", world)) for _ in range(1)]
        assert answers[0].json["count"] <= 100
        return list(journal.entries(self.apps[0].worlds.peek(world)))

    def stop(self) -> None:
        for number in list(self._lines):
            self.hang_up(number)
        for server in self.servers:
            server.stop()
            assert server.error is None


@pytest.fixture(scope="module")
def both(contract: Contract, default_fixture: Fixture) -> Iterator[Both]:
    servers = Both(contract, default_fixture)
    yield servers
    servers.stop()


_NUMBERS = itertools.count(1)


@pytest.fixture
def world(both: Both) -> str:
    """A fresh world of both servers, in which time stands still, and fresh connections."""
    both.hang_up(0)
    both.hang_up(1)
    name = f"own-{next(_NUMBERS)}"
    both.ask(freeze(name))
    return name


# Everything


@pytest.mark.long
def test_thousands_of_requests_are_answered_the_same(contract: Contract, default_fixture: Fixture) -> None:
    both = Both(contract, default_fixture, max_requests=2_000)
    worlds = sorted({*WORLDS, "fresh", "a__b"})
    for world in worlds:
        both.ask(freeze(world))
    with_lane, without = both.apps
    assert without.lane is None
    requests = Requests(contract, 20261123, without.worlds.peek)
    sent = succeeded = 0
    while sent < 4_500:
        steps = [Step((request,)) for request in requests.event()] if sent % 60 == 59 else [requests.step()]
        for step in steps:
            for answer in both.take(step, line=sent % 3):
                succeeded += answer[9:10] == b"2" and b"\r\nx-stub-request: " in answer.partition(b"\r\n\r\n")[0]
            sent += 1
    for text in broken():
        both.raw(text)
    for world in worlds:
        for offset in range(0, 2_000, 100):
            if not both.ask(control("GET", f"requests?limit=100&offset={offset}", world)).json["results"]:
                break
        assert both.ask(control("POST", "snapshots", world, {"name": world})).status == 201
        assert both.ask(control("GET", f"snapshots/{world}")).status == 200
    assert both.ask(control("GET", "coverage")).json["covered"] > 600
    assert with_lane.journal.violations == without.journal.violations
    assert with_lane.journal.forgotten == without.journal.forgotten
    both.stop()
    assert contract.operations.keys() - both.operations == set()
    assert both.by_lane > succeeded / 2


# Cached answers


def test_answer_is_not_kept_when_somebody_else_writes(both: Both, world: str) -> None:
    seen = plain("GET", "/course/1/", "member", world)
    for name, how in (("By the lane", ()), ("By the stack", ("wait=0",))):
        before = [both.ask(seen) for _ in range(2)]
        changed = both.ask(plain("PATCH", "/course/1/", "manager", world, {"name": name}).with_("Prefer", *how))
        after = [both.ask(seen) for _ in range(2)]
        assert [answer.by_lane for answer in (*before, changed, *after)] == [True, True, not how, True, True]
        assert [answer.json["name"] == name for answer in (*before, *after)] == [False, False, True, True]


def test_answer_is_not_kept_in_a_world_begun_anew(both: Both, world: str) -> None:
    """Everything is as it was when the answer was kept, but in another fixture, or in another state of the same."""
    categories, course = plain("GET", "/category/", "member", world), plain("GET", "/course/1/", "member", world)
    assert [both.ask(categories).json["count"] for _ in range(2)] == [4, 4]
    both.ask(control("POST", f"worlds/{world}/reset?fixture=empty"))
    assert [both.ask(categories).json["count"] for _ in range(2)] == [2, 2]
    both.ask(control("POST", f"worlds/{world}/reset?fixture=default"))
    both.ask(plain("PATCH", "/course/1/", "creator", world, {"name": "Changed"}))
    both.ask(control("POST", "snapshots", world, {"name": world}))
    both.ask(control("POST", f"worlds/{world}/reset"))
    assert both.ask(course).json["name"] == "Watercolour for Absolute Beginners"
    both.ask(control("POST", f"snapshots/{world}/restore", world))
    answer = both.ask(course)
    assert (answer.json["name"], answer.by_lane) == ("Changed", True)
    assert both.ask(control("DELETE", f"worlds/{world}")).status == 204
    both.ask(freeze(world))
    answer = both.ask(course)
    assert (answer.json["name"], answer.headers["x-stub-request"]) == (
        "Watercolour for Absolute Beginners",
        f"{world}-1",
    )


def test_answer_is_kept_until_a_section_opens_and_not_after_it(both: Both, world: str) -> None:
    """R313; to and fro, by a microsecond."""
    course, lesson = (plain("GET", path, "member", world) for path in ("/course/9/", OPENS))
    opens = NOW + timedelta(days=4)
    for moment, is_open in ((opens - timedelta(microseconds=1), False), (opens, True)) * 2:
        both.ask(freeze(world, moment))
        sections = both.ask(course).json["sections"]
        assert [section["locked"] for section in sections] == [False, not is_open]
        assert [both.ask(lesson).status for _ in range(2)] == [200 if is_open else 403] * 2
        assert both.ask(course).by_lane


def test_answer_is_not_kept_when_the_access_token_expires(both: Both, world: str) -> None:
    granted = {
        "grant_type": "password",
        "client_id": "stub-app",
        "username": "dilys_pruett",
        "password": "stub-password",
    }
    token = both.ask(plain("POST", "/oauth/token/", None, world, granted)).json["access_token"]
    jwt = signed(3, NOW + timedelta(hours=10))
    for path in ("/user/me/", "/course/search/"):  # one that asks for a login, one that can do without
        for text in (token, jwt):
            seen = plain("GET", path, None, world).with_("Authorization", f"Bearer {text}")
            both.ask(freeze(world))
            answers = [both.ask(seen) for _ in range(2)]
            assert [(answer.status, answer.by_lane) for answer in answers] == [(200, True), (200, True)]
            both.ask(control("POST", "clock/advance", world, {"hours": 10}))
            assert both.ask(seen).status == 401
            both.ask(freeze(world))
            assert both.ask(seen).status == 200


def test_answer_is_not_kept_when_the_access_token_is_revoked(both: Both, world: str) -> None:
    granted = {
        "grant_type": "password",
        "client_id": "stub-app",
        "username": "dilys_pruett",
        "password": "stub-password",
    }
    token = both.ask(plain("POST", "/oauth/token/", None, world, granted)).json["access_token"]
    seen = plain("GET", "/user/me/", None, world).with_("Authorization", f"Bearer {token}")
    assert [both.ask(seen).by_lane for _ in range(2)] == [True, True]
    revoked = {"client_id": "stub-app", "token": token}
    assert both.ask(plain("POST", "/oauth/revoke_token/", None, world, revoked)).by_lane
    assert both.ask(seen).status == 401


def test_few_heads_and_no_large_answers_are_kept(both: Both, world: str, monkeypatch: pytest.MonkeyPatch) -> None:
    served = both.apps[0].lane
    assert served is not None
    monkeypatch.setattr(head, "MAX_HEADS", 2)
    monkeypatch.setattr(lane, "MAX_CACHED", 1000)
    for _ in range(2):
        for limit in range(1, 8):
            assert both.ask(plain("GET", f"/course/search/?limit={limit}", "member", world)).by_lane
            assert both.ask(plain("GET", f"/user/3/groups/?limit={limit}", "member", world)).by_lane
            assert len(served.heads._known) <= 2
    long = plain("GET", "/course/1/", "member", world).with_("Cookie", "x" * head.MAX_LENGTH)
    assert both.ask(long).by_lane
    assert not any(len(text) > head.MAX_LENGTH for text in served.heads._known)
    kept = {(known.call.path, known.cached is not None) for known in served.heads._known.values() if known}
    assert kept == {("/api/v2/course/search/", False), ("/api/v2/user/3/groups/", True)}


# What is in a world


def test_fault_meets_the_next_request(both: Both, world: str) -> None:
    seen, written = plain("GET", "/course/1/", "member", world), plain("POST", "/course/15/join/", "member", world)
    assert [both.ask(seen).by_lane for _ in range(2)] == [True, True]
    both.ask(control("POST", "faults", world, {"kind": "error", "status": 503, "times": 2}))
    assert [both.ask(request).status for request in (seen, written, seen)] == [503, 503, 200]
    both.ask(control("DELETE", "faults", world))
    answers = [both.ask(request) for request in (seen, written)]
    assert [(answer.status, answer.by_lane) for answer in answers] == [(200, True), (200, True)]


@pytest.mark.parametrize("wish", ["Prefer: code=404", "prefer: code=404, wait=0", "?__code=404", "&__code=404"])
def test_wishes_are_granted(both: Both, world: str, wish: str) -> None:
    path = "/course/search/?limit=1" if wish.startswith("&") else "/course/1/"
    seen = plain("GET", path, "member", world)
    assert both.ask(seen).status == 200
    name, colon, value = wish.partition(": ")
    wished = seen.with_(name, value) if colon else replace(seen, target=seen.target + wish)
    answer = both.ask(wished)
    assert (answer.status, answer.by_lane) == ((404, False) if "search" not in path else (400, False))


def test_fixture_is_asked_for_each_time(both: Both, world: str) -> None:
    """A head that was good once is refused where the world is of another fixture by then."""
    both.ask(control("DELETE", f"worlds/{world}"))
    seen = plain("GET", "/category/", "member", world).with_("X-Stub-Fixture", "empty")
    answers = [both.ask(seen) for _ in range(2)]
    assert [(answer.json["count"], answer.by_lane) for answer in answers] == [(2, True), (2, True)]
    both.ask(control("POST", f"worlds/{world}/reset?fixture=default"))
    assert both.ask(seen).status == 400


def test_worlds_are_evicted_in_the_same_order(contract: Contract, default_fixture: Fixture) -> None:
    """Being asked through the lane counts as being used, also where the answer was kept."""
    both = Both(contract, default_fixture, max_worlds=3)
    for world in ("a", "b", "a", "a", "c", "a", "d"):
        both.ask(freeze(world))
        assert both.ask(plain("GET", "/course/1/", "member", world)).by_lane
    worlds = both.ask(control("GET", "worlds")).json["results"]
    assert [(row["name"], row["requests"]) for row in worlds] == [("a", 4), ("d", 1), ("default", 0)]
    assert both.apps[0].worlds.evicted == both.apps[1].worlds.evicted == 2
    both.stop()


def test_refused_request_leaves_nothing_behind(both: Both, world: str) -> None:
    """The operation has taken an id before its rules refuse; the next one gets it."""
    made = plain(
        "POST", "/course/1/section/1/lesson/", "creator", world, {"name": "A", "type": "lesson", "medias": [99]}
    )
    assert both.ask(made).status == 400
    good = plain("POST", "/course/1/section/1/lesson/", "creator", world, {"name": "A", "type": "lesson"})
    answer = both.ask(good)
    next_id = both.apps[0].worlds.peek("untouched").lessons.base.next_id
    assert (answer.status, answer.by_lane, answer.json["id"]) == (201, True, next_id)
    section = both.ask(plain("GET", "/course/1/section/1/", "creator", world)).json
    assert section["lessons_order"] == [1, 2, 3, next_id]


def test_full_world_refuses(contract: Contract, default_fixture: Fixture) -> None:
    both = Both(contract, default_fixture, max_rows=3)
    made = plain("POST", "/course/1/section/", "creator", body={"name": "Part"})  # the section, and its course
    answers = [both.ask(made) for _ in range(4)]
    assert [(answer.status, answer.by_lane) for answer in answers] == [
        (201, True),
        (201, True),
        (503, False),
        (503, False),
    ]
    assert both.ask(plain("PATCH", "/course/1/", body={"name": "Changed"})).by_lane
    both.stop()


# What is told of it


def test_journal_tells_all(both: Both, world: str) -> None:
    jwt = signed(8, NOW + timedelta(hours=1))
    requests = (
        plain("GET", "/course/1/?foo=1&view=user", "member", world),
        plain("GET", "/course/1/?foo=1&view=user", "member", world),
        plain("PATCH", "/course/1/", "creator", world, {"name": "Changed", "bar": 1}),
        plain("POST", "/course/15/join/", None, world).with_("Authorization", f"Bearer {jwt}"),
    )
    for request in requests:
        assert both.ask(request).by_lane
    found = both.ask(control("GET", "requests", world)).json["results"][::-1]
    assert [row["operation"] for row in found] == ["get_course", "get_course", "patch_course", "join_course"]
    assert [row["id"] for row in found] == [f"{world}-{number}" for number in range(1, 5)]
    assert [row["persona"] for row in found] == ["stub-member", "stub-member", "stub-creator", "bram_tolliver"]
    foo, bar = {"kind": "parameter", "name": "foo"}, {"kind": "field", "name": "bar"}
    assert [row["violations"] for row in found] == [[foo], [foo], [bar], []]
    changes = [[(change["op"], change["path"]) for change in row["changes"]] for row in found]
    assert changes == [[], [], [("replace", "/courses/1/name")], [("add", "/memberships/15,8")]]
    assert [(row["status"], row["milliseconds"]) for row in found] == [(200, 0)] * 4


def test_journal_knows_how_long_it_took(both: Both, world: str) -> None:
    both.ask(control("POST", "clock/release", world))
    for method in ("GET", "GET", "PATCH"):
        body = {"description": "Changed"} if method == "PATCH" else None
        assert both.ask(plain(method, "/course/1/", "creator", world, body)).by_lane
    for app in both.apps:
        assert all(0 < entry.seconds < PATIENCE for entry in journal.entries(app.worlds.get(world)))


def test_journal_has_the_body_of_each_request(both: Both, world: str) -> None:
    """Also of requests that need none, and are answered the same."""
    seen = plain("GET", "/course/2/", "member", world)
    for text in (b"1", b"2", b"", b"3" * 20_000, b"4" * 20_000):
        assert both.ask(replace(seen, body=text)).status == 200
    bodies = [row["request"]["body"] for row in both.ask(control("GET", "requests", world)).json["results"]]
    assert bodies == ["(20000 bytes)", "(20000 bytes)", None, 2, 1]


def test_journal_forgets_the_oldest(contract: Contract, default_fixture: Fixture) -> None:
    both = Both(contract, default_fixture, max_requests=3)
    for number in range(1, 6):
        assert both.ask(plain("GET", f"/course/{number}/")).by_lane
        found = both.ask(control("GET", "requests")).json["results"]
        assert [row["id"] for row in found] == [f"default-{n}" for n in range(number, max(0, number - 3), -1)]
    assert [app.journal.forgotten for app in both.apps] == [2, 2]
    both.stop()


def test_access_log_has_a_line_for_each(both: Both, world: str, monkeypatch: pytest.MonkeyPatch) -> None:
    logs: tuple[list[Any], list[Any]] = ([], [])
    for app, lines in zip(both.apps, logs, strict=True):
        monkeypatch.setattr(app.recorder, "log", lines.append)
    for path in ("/course/1/?", "/course/search/?limit=1", "/course/99/"):
        both.ask(plain("GET", path, "member", world))
    both.ask(plain("GET", "/user/me/", None, world))
    both.ask(replace(plain("GET", "/course/1/", "member"), target=f"/~{world}/api/v2/course/1/"))
    told = [
        [(line["method"], line["path"], line["status"], line["persona"], line["request"]) for line in log]
        for log in logs
    ]
    assert told[0] == told[1]
    assert told[0] == [
        ("GET", "/api/v2/course/1/", 200, "stub-member", f"{world}-1"),
        ("GET", "/api/v2/course/search/?limit=1", 200, "stub-member", f"{world}-2"),
        ("GET", "/api/v2/course/99/", 404, "stub-member", f"{world}-3"),
        ("GET", "/api/v2/user/me/", 401, "anonymous", f"{world}-4"),
        ("GET", f"/~{world}/api/v2/course/1/", 200, "stub-member", f"{world}-5"),
    ]


def test_broken_log_breaks_no_answer(both: Both, world: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken_log(_: Any) -> None:
        raise ValueError("I/O operation on closed file")

    for app in both.apps:
        monkeypatch.setattr(app.recorder, "log", broken_log)
    assert both.ask(plain("PATCH", "/course/1/", "creator", world, {"name": "Changed"})).status == 200
    both.hang_up(0)


# HTTP


@pytest.mark.parametrize("origin", ["http://localhost:3000", "https://app.example", "http://evil.example", None])
def test_pages_may_call(both: Both, world: str, origin: str | None) -> None:
    headers = [("Origin", origin)] if origin else []
    seen = plain("GET", "/course/1/", "member", world)
    answer = both.ask(replace(seen, headers=(*seen.headers, *headers)))
    allowed = answer.headers.get("access-control-allow-origin")
    assert (allowed, answer.headers["vary"], answer.by_lane) == (
        None if origin == "http://evil.example" else origin,
        "Origin",
        True,
    )
    assert ("access-control-allow-credentials" in answer.headers) == (origin is not None)


def test_every_page_may_call(contract: Contract, default_fixture: Fixture) -> None:
    both = Both(contract, default_fixture, cors_origins=("*",))
    for more in ((), (("Origin", "http://evil.example"),), (("Origin", "http://evil.example"), ("Cookie", "a=b"))):
        seen = plain("GET", "/course/1/", "member")
        answer = both.ask(replace(seen, headers=(*seen.headers, *more)))
        assert (answer.headers.get("access-control-allow-origin"), answer.by_lane) == ("*" if more else None, True)
    both.stop()


def test_head_has_no_body(both: Both, world: str) -> None:
    seen, asked = (plain(method, "/course/1/", "member", world) for method in ("GET", "HEAD"))
    first, head = both.ask(seen), both.ask(asked)
    assert (head.body, head.headers["content-length"]) == (b"", str(len(first.body)))
    assert both.ask(seen).body == first.body


@pytest.mark.parametrize("host", ["under_score.test", "", "stub.test:123456", "a b", None])
def test_addresses_are_those_of_the_server_where_the_host_makes_no_sense(
    both: Both, world: str, host: str | None
) -> None:
    hosts = [] if host is None else [host]
    category = both.ask(plain("GET", "/category/1/", "member", world).with_("Host", *hosts)).json
    assert category["image_small"].startswith("http://(server)/upfiles/")


def test_addresses_are_those_that_a_proxy_tells(both: Both, world: str) -> None:
    seen = plain("GET", "/category/1/", "member", world)
    for headers, address in (((), "http"), ((("X-Forwarded-Proto", "https"),), "https"), ((), "http")):
        category = both.ask(replace(seen, headers=(*seen.headers, *headers))).json
        assert category["image_small"].startswith(f"{address}://stub.test/upfiles/")


def test_answers_come_in_the_order_of_the_requests(both: Both, world: str) -> None:
    """Those of the lane do not overtake those that take their time."""
    fast, missing = plain("GET", "/course/1/", "member", world), plain("GET", "/course/99/", "member", world)
    slow = fast.with_("Prefer", "wait=0.05")
    written = plain("PATCH", "/course/1/", "creator", world, {"name": "Changed"})
    requests = (fast, slow, fast, written, slow, missing, fast)
    answers = both.take(Step(requests))
    numbers = [int(re.search(rb"\r\nx-stub-request: .*-([0-9]+)\r", answer)[1]) for answer in answers]  # type: ignore[index]
    assert numbers == [1, 2, 3, 4, 5, 6, 7]
    assert [b'"name":"Changed"' in answer for answer in answers] == [False, False, False, True, True, False, True]


def test_body_that_is_too_large_is_not_waited_for(contract: Contract, default_fixture: Fixture) -> None:
    """However little is too large: the lane waits for small bodies."""
    both = Both(contract, default_fixture, max_body=100)
    written = plain("PATCH", "/course/1/", "creator", body={"description": "x" * 100})
    for line in both.lines(0):
        line.send(written.raw.partition(b"{")[0])
    with_lane, without = (line.answer() for line in both.lines(0))
    assert with_lane == without
    assert without.startswith(b"HTTP/1.1 413 ")
    assert both.ask(plain("PATCH", "/course/1/", "creator", body={"description": "x"}), line=1).by_lane
    both.stop()


def test_refusals_that_need_no_body_do_not_wait_for_it(both: Both, world: str) -> None:
    good = plain("PATCH", "/course/1/", "creator", world, {"name": "Changed"})
    for refused, status in (
        (good.with_("Accept", "text/html"), 406),
        (good.with_("X-Stub-World", "-bad"), 400),
        (replace(good, body=b" " * (MAX_BODY + 1)), 413),
        (replace(good, target="/api/v2/course/1"), 404),
    ):
        head = refused.raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
        for line in both.lines(0):
            line.send(head)
        with_lane, without = (line.answer() for line in both.lines(0))
        assert with_lane == without
        assert int(without[9:12]) == status
        both.hang_up(0)


@pytest.mark.parametrize(
    ("size", "cuts", "by_lane"),
    [
        (0, (0,), True),  # as many clients send: first the head, then the body
        (0, (1, 2, 3), True),
        (60_000, (0, 1, 50_000), True),
        (70_000, (0, 50_000), False),  # that much does not wait
        (0, (-60, -3, 5), False),  # in the midst of the head
        (0, (-1,), False),
    ],
)
def test_body_may_come_in_pieces(both: Both, world: str, size: int, cuts: tuple[int, ...], by_lane: bool) -> None:
    """`cuts` count from the begin of the body."""
    written = plain("PATCH", "/course/1/", "creator", world, {"description": "Changed." + "x" * size})
    begin, before = written.raw.index(b"\r\n\r\n") + 4, both.by_lane
    (answer,) = both.take(Step((written,), tuple(begin + cut for cut in cuts)))
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert both.by_lane - before == by_lane
    assert both.ask(plain("GET", "/course/1/", "creator", world)).json["description"].startswith("Changed.")


def test_requests_may_follow_each_other_without_a_pause(both: Both, world: str) -> None:
    """A body, a request that is for the stack, and the begin of one that comes later."""
    seen = plain("GET", "/course/1/", "creator", world)
    written = plain("PATCH", "/course/1/", "creator", world, {"description": "Changed."})
    requests = (written, seen, written, replace(seen, method="HEAD"), seen, written)
    before = both.by_lane
    text = b"".join(request.raw for request in requests)
    answers = both.take(Step(requests, cuts=(len(text) - 5,)))
    assert [answer[9:12] for answer in answers] == [b"200"] * 6
    assert both.by_lane - before == 3  # what waits for an answer of the stack is answered by it
    assert both.ask(seen).by_lane


def test_body_without_its_end_is_no_request(both: Both, world: str) -> None:
    form = plain("PATCH", "/course/1/", "creator", world).with_("Content-Type", "application/x-www-form-urlencoded")
    for request in (replace(form, body=b"name=Changed&description=Changed"), replace(form, body=b"x=1", chunks=(1,))):
        for line in both.lines(0):
            line.send(request.raw[:-12])
        both.ask(freeze(world), line=1)  # by then the servers have read it
        both.hang_up(0)
        both.ask(freeze(world), line=1)
    assert both.ask(control("GET", "requests", world)).json["results"] == []
    assert both.ask(plain("GET", "/course/1/", "creator", world)).json["name"] == "Watercolour for Absolute Beginners"


@pytest.mark.parametrize(
    "trailer",
    [
        "Prefer: code=404",
        "Authorization: Bearer stub-creator",
        "X-Stub-World: a",
        "Connection: close",
        "Expect: 100-continue",
    ],
)
def test_trailers_are_no_headers(both: Both, world: str, trailer: str) -> None:
    """Those that come later than the body, at least."""
    request = plain("PATCH", "/course/1/", "member", world, {"name": "Changed"})
    raw = replace(request, chunks=(5,), trailer=f"{trailer}\r\n").raw
    end = raw.index(b"0\r\n" + trailer.encode())
    for line in both.lines(0):
        line.send(raw[:end])
    both.ask(freeze(world), line=1)  # by then the servers have read it
    for line in both.lines(0):
        line.send(raw[end:])
    with_lane, without = (line.answer() for line in both.lines(0))
    assert with_lane == without
    assert without.startswith(b"HTTP/1.1 403 ")


def test_slow_reader_is_not_answered_into_memory(both: Both, world: str) -> None:
    """As soon as answers pile up, the next ones wait until they can be sent."""
    served, piled_up = both.apps[0].lane, [0]
    assert served is not None
    answer, count = served.answer, 1500
    page = plain("GET", "/course/search/?limit=100", "creator", world)

    def watched(*request: Any) -> Any:
        piled_up.append(max(each.transport.get_write_buffer_size() + each._size for each in both.connections))
        return answer(*request)

    served.answer = watched  # type: ignore[method-assign]
    for line in both.lines(0):
        line.send(page.raw * count)
    both.ask(freeze(world), line=1)
    for number in range(1, count + 1):
        with_lane, without = (line.answer() for line in both.lines(0))
        assert with_lane == without
        assert b"\r\nx-stub-request: %b-%d\r\n" % (world.encode(), number) in without
    served.answer = answer  # type: ignore[method-assign]
    assert max(piled_up) < 200_000


def test_idle_connection_is_closed_and_a_busy_one_is_not(both: Both, world: str) -> None:
    fast, waits = plain("GET", "/course/1/", "member", world), 0.2
    slow = fast.with_("Prefer", f"wait={3 * waits}")
    written = plain("PATCH", "/course/1/", "creator", world, {"name": "Changed"})
    both.hang_up(0)
    both.lines(0)
    both.ask(freeze(world), line=1)
    for each in both.connections:
        each.timeout_keep_alive = waits
    assert len(both.take(Step((fast, slow)))) == 2  # nobody was idle before the end of the second
    for line in both.lines(0):
        line.send(fast.raw + written.raw[:-5])
    assert len({line.answer() for line in both.lines(0)}) == 1
    time.sleep(3 * waits)  # a body that takes its time
    for line in both.lines(0):
        line.send(written.raw[-5:])
    assert {line.answer()[:15] for line in both.lines(0)} == {b"HTTP/1.1 200 OK"}
    assert both.ask(fast).by_lane
    assert [line.rest() for line in both.lines(0)] == [b"", b""]  # closed by the servers
    both.hang_up(0)
    both.hang_up(1)


@pytest.mark.parametrize("header", [("Upgrade", "websocket"), ("Upgrade", "h2c"), ("Connection", "keep-alive")])
def test_requests_may_follow_one_that_asks_for_more(both: Both, world: str, header: tuple[str, str]) -> None:
    fast = plain("GET", "/course/1/", "member", world)
    more = fast.with_(*header)
    for request in (fast, more.with_("Connection", "Upgrade") if header[0] == "Upgrade" else more, fast, fast):
        for line in both.lines(0):
            line.send(request.raw)
        assert len({line.answer() for line in both.lines(0)}) == 1
    both.hang_up(0)


def test_connection_that_is_used_stays(both: Both, world: str) -> None:
    """However long ago it was begun."""
    fast, waits = plain("GET", "/course/1/", "member", world), 0.8
    both.hang_up(0)
    both.lines(0)
    both.ask(freeze(world), line=1)
    for each in both.connections:
        each.timeout_keep_alive = waits
    for _ in range(4):
        assert both.ask(fast).by_lane
        time.sleep(waits / 2)
    both.hang_up(0)
    both.hang_up(1)


def test_server_stops_with_an_idle_connection(contract: Contract, default_fixture: Fixture) -> None:
    both = Both(contract, default_fixture)
    assert both.ask(plain("GET", "/course/1/")).by_lane
    for server in both.servers:
        server.stop()
    assert [line.rest() for line in both.lines(0)] == [b"", b""]
    assert [server._thread.is_alive() for server in both.servers] == [False, False]
    both.stop()


def test_server_ends_what_has_begun_before_it_stops(contract: Contract, default_fixture: Fixture) -> None:
    both = Both(contract, default_fixture)
    written = plain("PATCH", "/course/1/", body={"name": "Changed"}).raw
    for line in both.lines(0):
        line.send(written[:-5])
    both.ask(freeze("default"), line=1)  # by then the servers have read it
    for server in both.servers:
        assert server._server is not None
        server._server.should_exit = True
    both.hang_up(1)
    for server in both.servers:
        while server._server.servers[0].sockets:  # type: ignore[union-attr]
            time.sleep(0.01)  # until it has begun to stop
    for line in both.lines(0):
        line.send(written[-5:])
    with_lane, without = (line.rest() for line in both.lines(0))
    assert with_lane == without
    assert without.startswith(b"HTTP/1.1 200 OK\r\n")
    both.stop()


def test_what_comes_before_broken_http_is_answered_the_same(both: Both, world: str) -> None:
    both.raw(plain("GET", "/course/1/", "member", world).raw + b"GARBAGE\r\n\r\n")
