"""The turn of a request: its answer is that of a server whose worlds are in memory, and leaves once all is stored."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from stubserver.api.images import png
from stubserver.call import SCOPE_KEY, Call
from stubserver.contract.load import load_control_contract
from stubserver.pipeline.answer import send_encoded
from stubserver.pipeline.turn import TurnTaking
from stubserver.records.access_log import Facts
from stubserver.settings import Settings
from stubserver.shared import turns
from stubserver.stores.store import Unavailable
from stubserver.worlds.snapshot import Fixture
from stubserver.worlds.world import World
from tests.support.answers import ok, refused
from tests.support.client import Api
from tests.support.default import HOST, QUIZ
from tests.support.faults import create
from tests.support.journal import requests
from tests.support.stored import Process, store_of
from tests.support.tokens import APP, REQUEST_OF_CODE, WREN
from tests.support.twins import Twins
from tests.support.worlds import busy, found, named

JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
PAGE = {"Origin": "http://localhost:3000"}
FOREIGN = {"Origin": "https://foreign.example", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}
NAMED = {"name": "Knots", "type": "self-paced"}
COVER = {"image_original": ("a.png", png(8, "a"), "image/png")}
Asked = tuple[str, str, dict[str, Any]]

# One after the other, as the creator
ANSWERED: list[Asked] = [
    ("GET", "/course/1/", {}),
    ("GET", "/course/1/?view=edit", {}),
    ("HEAD", "/course/1/", {}),
    ("GET", "/course/search/?limit=2&search=a", {}),
    ("GET", "/~v/api/v2/course/1/", {}),
    ("GET", "/course/1/", {"headers": PAGE}),
    ("POST", "/course/", {"json": NAMED}),
    ("POST", "/course/", {"json": NAMED}),
    ("POST", "/course/", {"data": {"name": "Bends", "type": "self-paced", "description": ""}}),
    ("POST", "/course/", {"content": b"name=Hitches&type=self-paced&type=", "headers": FORM}),
    ("PATCH", "/course/1/", {"files": COVER}),
    ("PATCH", "/course/1/", {"files": {**COVER, "name": (None, "With a form")}}),
    ("PATCH", "/course/1/", {"json": {"enforce_lessons_order": "yes"}}),
    ("DELETE", "/course/2/", {}),
    ("POST", f"{QUIZ}attempt/", {"json": {"responses": []}}),
    ("POST", "/oauth/token/", {"json": {**APP, **WREN}}),
    ("POST", "/oauth/token/", {"data": {**APP, **WREN}}),
    ("POST", "/oauth/token/", {"json": {**APP, **WREN, "password": "wrong"}}),
    ("POST", "/oauth/token/", {"json": {"grant_type": "magic"}}),
    ("OPTIONS", "/course/1/", {"headers": {**PAGE, "Access-Control-Request-Method": "PATCH"}}),
    ("OPTIONS", "/course/1/", {}),
]
REFUSED: list[Asked] = [
    ("GET", "/course/1/", {"headers": {"Authorization": "Bearer nobody"}}),
    ("GET", "/course/", {"headers": {"Authorization": ""}}),
    ("GET", "/user/3/settings/", {}),
    ("GET", "/course/99/", {}),
    ("GET", "/course/7777777777777777777777/", {}),
    ("GET", "/nowhere/", {}),
    ("GET", "//nowhere", {}),
    ("GET", "/course/1", {}),
    ("PUT", "/course/", {}),
    ("PUT", "//docs/", {}),
    ("HEAD", "/course/99/", {}),
    ("GET", "/course/search/?limit=x&statuses=nothing", {}),
    ("GET", "/course/search/?search=%FF", {}),
    ("PATCH", "/course/1/", {"json": {"name": ""}}),
    ("PATCH", "/course/1/", {"content": b"{", "headers": JSON}),
    ("PATCH", "/course/1/", {"content": b"", "headers": JSON}),
    ("PATCH", "/course/1/", {"content": b"\x1f\x8b", "headers": {**JSON, "Content-Encoding": "gzip"}}),
    ("PATCH", "/course/1/", {"content": b"x", "headers": {"Content-Type": "text/plain"}}),
    ("PATCH", "/course/1/", {"content": b"--b\r\n", "headers": {"Content-Type": "multipart/form-data; boundary=b"}}),
    ("PATCH", "/course/1/", {"files": {"image_original": ("a.png", b"no picture", "image/png")}}),
    ("GET", "/course/1/", {"headers": {"Accept": "text/html"}}),
    ("POST", "/course/", {"content": b"{}", "headers": {**JSON, "Content-Length": "99999999999"}}),
    ("GET", "/course/1/", {"headers": {"X-Stub-World": "no name"}}),
    ("GET", "/course/1/", {"headers": {"X-Stub-Fixture": "empty"}}),
    ("GET", "/course/1/", {"headers": {"X-Stub-World": "v", "X-Stub-Fixture": "nothing"}}),
    ("GET", "/course/1/", {"headers": {"Host": "a b"}}),
    ("GET", "/course/1/", {"headers": FOREIGN}),
    ("GET", "/course/1/?__fault=none", {}),
    ("OPTIONS", "/course/1/", {"headers": {**FOREIGN, "Access-Control-Request-Method": "PATCH"}}),
]
PREFERRED: list[Asked] = [
    ("GET", "/course/1/", {"headers": {"Prefer": "code=404"}}),
    ("GET", "/course/1/", {"headers": {"Prefer": "code=503, wait=0"}}),
    ("GET", "/course/1/?__code=500", {}),
    ("GET", "/course/1/?__wait=0", {}),
    ("GET", "/course/1/", {"headers": {"Prefer": "code=777"}}),
    ("GET", "/course/1/", {"headers": {"Prefer": "respond-async"}}),
    ("DELETE", "/course/1/", {"headers": {"Prefer": "wait=0"}}),
    ("HEAD", "/course/1/", {"headers": {"Prefer": "code=404"}}),
]
PAGES: list[Asked] = [
    ("GET", "//", {}),
    ("GET", "//docs/", {}),
    ("GET", "//docs", {}),
    ("GET", "/~v/docs/", {}),
    ("GET", "//openapi.json", {}),
    ("GET", "//favicon.ico", {}),
    ("HEAD", "//docs/", {}),
    ("POST", "//docs/", {}),
    ("GET", "//upfiles/courses/small/a_0001.png", {}),
    ("HEAD", "//upfiles/courses/small/a_0001.png", {}),
    ("GET", "//upfiles/courses/huge/a.png", {}),
    ("GET", "//upfiles/svg/Z4.svg", {}),
    ("GET", "//upfiles/files/a.pdf", {}),
    ("GET", "/oauth/authorize/", {}),
    ("GET", "/oauth/authorize", {"params": REQUEST_OF_CODE}),
    ("GET", "/oauth/authorize/", {"params": REQUEST_OF_CODE}),
    ("GET", "/oauth/authorize/", {"params": {**REQUEST_OF_CODE, "login_hint": "dilys_pruett"}}),
    ("GET", "/oauth/authorize/", {"params": {**REQUEST_OF_CODE, "login_hint": "nobody"}}),
    ("GET", "/__stub/docs/", {}),
]
CONTROL: list[Asked] = [
    ("GET", "/__stub/", {}),
    ("GET", "/__stub", {}),
    ("GET", "/__stub/version", {}),
    ("GET", "/__stub/personas", {}),
    ("GET", "/__stub/openapi.json", {}),
    ("GET", "/__stub/worlds", {}),
    ("GET", "/__stub/worlds/none", {}),
    ("GET", "/__stub/worlds/", {}),
    ("PUT", "/__stub/worlds", {}),
    ("POST", "/__stub/worlds", {"json": {"name": "w"}}),
    ("POST", "/__stub/worlds", {"json": {"name": "w"}}),
    ("POST", "/__stub/worlds", {"json": {"name": "-"}}),
    ("POST", "/__stub/worlds", {"json": {"fixture": "empty"}}),
    ("POST", "/__stub/worlds", {"json": {"world": "none"}}),
    ("POST", "/__stub/worlds", {"json": {"colour": "red"}}),
    ("POST", "/__stub/worlds", {"content": b"x", "headers": {"Content-Type": "text/plain"}}),
    ("POST", "/__stub/worlds/w/reset?fixture=nothing", {}),
    ("POST", "/__stub/worlds/-/reset", {}),
    ("PATCH", "/__stub/worlds/w", {"json": {"strict": True}}),
    ("GET", "/__stub/clock", {}),
    ("POST", "/__stub/clock/advance", {"json": {"days": 10**9}}),
    ("POST", "/__stub/clock/advance", {"json": {"days": 1}, "headers": {"X-Stub-Fixture": "empty"}}),
    ("POST", "/__stub/clock/advance", {"json": {"days": 1}}),
    ("POST", "/__stub/faults", {"json": {"kind": "magic"}}),
    ("POST", "/__stub/faults", {"json": {"kind": "error", "times": 1}}),
    ("GET", "/__stub/faults", {}),
    ("DELETE", "/__stub/faults/7", {}),
    ("DELETE", "/__stub/faults", {}),
    ("POST", "/__stub/snapshots", {"json": {"name": "s"}}),
    ("GET", "/__stub/snapshots", {}),
    ("GET", "/__stub/snapshots/s", {}),
    ("GET", "/__stub/snapshots/none", {}),
    ("PUT", "/__stub/snapshots/t", {"json": {"broken": True}}),
    ("POST", "/__stub/snapshots/s/restore", {}),
    ("POST", "/__stub/snapshots/none/restore", {}),
    ("DELETE", "/__stub/snapshots/s", {}),
    ("DELETE", "/__stub/snapshots/s", {}),
    ("GET", "/__stub/requests", {}),
    ("GET", "/__stub/requests?persona=nobody", {}),
    ("GET", "/__stub/requests/default-99", {}),
    ("POST", "/__stub/verify", {"json": {"operation": "get_course", "times": 0}}),
    ("POST", "/__stub/verify", {"json": {"operation": "magic"}}),
    ("GET", "/__stub/case", {}),
    ("GET", "/__stub/coverage", {}),
    ("DELETE", "/__stub/coverage", {}),
    ("DELETE", "/__stub/requests", {}),
    ("DELETE", "/__stub/worlds/w", {}),
]
GROUPS = {"answered": ANSWERED, "refused": REFUSED, "preferred": PREFERRED, "pages": PAGES, "control": CONTROL}


@pytest.fixture
def api(twins: Callable[..., Twins]) -> Twins:
    """Servers that are asked the same."""
    return twins()


@pytest.fixture
def logs(api: Twins, monkeypatch: pytest.MonkeyPatch) -> list[list[Facts]]:
    """What is logged by the server with its worlds in memory, and by the others."""
    lines: list[list[Facts]] = [[], []]
    monkeypatch.setattr(api.app.recorder, "log", lines[0].append)
    for one in api._stored:
        monkeypatch.setattr(one.app.recorder, "log", lines[1].append)
    return lines


def plain(lines: list[Facts]) -> list[Facts]:
    """Lines of a log, without how long it took."""
    return [{**line, "ms": 0} for line in lines]


@pytest.mark.parametrize("group", GROUPS)
def test_answers_are_those_of_worlds_in_memory(api: Twins, logs: list[list[Facts]], group: str) -> None:
    """And so is what is logged and recorded of them, and the worlds that they make."""
    asked = api.as_("creator")
    for method, path, options in GROUPS[group]:
        asked.request(method, path, **options)
    assert len(logs[0]) >= len(GROUPS[group]) - 3  # those that CORS answers are not logged
    assert plain(logs[1]) == plain(logs[0])
    for path in ("/__stub/worlds", "/__stub/case", "/__stub/coverage"):
        ok(api.get(path))
    assert requests(api, world="v") == list(reversed(ok(api.get("/__stub/case", headers=named("v")))["requests"]))


def test_all_of_it_one_after_the_other(api: Twins, logs: list[list[Facts]]) -> None:
    """In a world in which much has been done, by different callers."""
    busy(api, "default")
    for persona in ("member", None, "manager"):
        for method, path, options in (*ANSWERED, *REFUSED, *PREFERRED, *PAGES):
            api.as_(persona).request(method, path, **options)
    assert plain(logs[1]) == plain(logs[0])
    assert len(ok(api.get("/__stub/case"))["requests"]) > 150


@pytest.mark.parametrize(
    "wanted",
    [
        {"kind": "error", "status": 429},
        {"kind": "error", "status": 500, "operation": "get_course"},
        {"kind": "error", "probability": 0.5},
        {"kind": "latency", "seconds": 3, "distribution": "exponential"},
        {"kind": "latency", "seconds": 3, "distribution": "uniform"},
        {"kind": "reset", "times": 2},
        {"kind": "stale"},
        {"kind": "lost", "times": 2},
        {"kind": "truncate", "method": "GET"},
        {"kind": "drip", "seconds": 5},
    ],
    ids=lambda wanted: f"{wanted['kind']}-{len(wanted)}",
)
def test_faults_do_what_they_do_in_memory(
    api: Twins, naps: list[float], logs: list[list[Facts]], wanted: dict[str, Any]
) -> None:
    """To reads, writes, refusals and pages; ids and journals are right, too."""
    asked = api.as_("creator")
    create(api, **wanted)
    for method, path, options in (
        ("GET", "/course/1/", {}),
        ("POST", "/course/", {"json": NAMED}),
        ("GET", "/course/search/?limit=100", {}),
        ("GET", "/course/99/", {}),
        ("GET", "//docs/", {}),
        ("GET", "//upfiles/courses/small/a_0001.png", {}),
        ("HEAD", "/course/1/", {}),
        ("DELETE", "/course/1/", {}),
        ("GET", "/course/1/", {}),
        ("GET", "/nowhere/", {"headers": {"Prefer": "wait=1"}}),
    ):
        asked.request(method, path, **options)
    assert sorted(naps)[::2] == pytest.approx(sorted(naps)[1::2])  # both wait as long
    assert plain(logs[1]) == plain(logs[0])
    entries = requests(api)
    assert len(entries) >= 8
    assert any(entry["faults"] for entry in entries)
    ok(api.get("/__stub/faults"))
    ok(api.get("/__stub/case"))


# The hop itself


@pytest.fixture
def process(tmp_path: Path, default_fixture: Fixture, runner: asyncio.Runner) -> Iterator[Process]:
    made = Process(tmp_path / "own.db", default_fixture, Settings(), runner)
    yield made
    runner.run(made.turns.close())


Inner = Callable[[Call], Awaitable[bytes]]
"""What the next hops answer."""


def take(
    process: Process, inner: Inner, path: str = "/api/v2/course/1/", **found: Any
) -> tuple[list[Message], list[bool]]:
    """What is sent for a request that is answered in this way, and whether each try is in a turn."""
    sent: list[Message] = []
    tries: list[bool] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert await receive() == {"type": "http.request", "body": b"", "more_body": False}
        tries.append(receive is not read)
        await send_encoded(send, "GET", 200, [], await inner(scope[SCOPE_KEY]))

    async def send(message: Message) -> None:
        sent.append(message)

    async def read() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    hop = TurnTaking(app, process.turns, load_control_contract(), waiting={"get_version"})
    world = World("w", process.worlds.fixture)
    call = Call(world, "GET", path, f"http://{HOST}", locate=partial(process.worlds.touch, "w", None), **found)
    process.runner.run(hop({"type": "http", SCOPE_KEY: call}, read, send))
    return sent, tries


def test_an_answer_leaves_once_it_is_stored(process: Process) -> None:
    """And it is that of the last try."""
    tries: list[str] = []

    async def answer(call: Call) -> bytes:
        tries.append(call.id)
        call.id = f"try-{len(tries)}"
        call.world.categories.put({"id": 101})
        process.worlds.need("another")
        return b"%d" % len(tries)

    (start, body), _ = take(process, answer)
    assert (start["status"], body["body"]) == (200, b"2")
    assert tries == ["", ""]  # each try begins with the request as it came
    assert process.do(process.added) == [[101]]


@pytest.mark.parametrize(
    ("path", "is_taken"),
    [
        ("/api/v2/course/1/", True),
        ("/oauth/token/", True),
        ("/upfiles/a/b/c.png", True),
        ("/docs/", False),
        ("/", False),
        ("/__stub/health", True),
        ("/__stub/version", False),  # which waits, as far as this test says
        ("/__stub/nowhere", False),
        ("/__stub/docs/", False),
    ],
)
def test_what_depends_on_no_world_takes_no_turn(process: Process, path: str, is_taken: bool) -> None:
    async def answer(_: Call) -> bytes:
        return b"{}"

    sent, tries = take(process, answer, path)
    assert tries == [is_taken]
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    assert process.names() == (["w"] if is_taken else [])


def test_what_was_takes_no_turn(process: Process) -> None:
    """A fault has put an earlier state in place of the world."""

    async def answer(call: Call) -> bytes:
        return call.world.name.encode()

    (_, body), tries = take(process, answer, past=True)
    assert (body["body"], tries) == (b"w", [False])
    assert process.names() == []


def test_what_waits_in_a_turn_is_a_bug(process: Process) -> None:
    """What it has begun is undone before anything is stored."""

    async def wait(call: Call) -> bytes:
        with call.world.transaction():
            call.world.categories.put({"id": 101})
            await asyncio.sleep(0)
        return b""

    with pytest.raises(RuntimeError, match="something waits within a turn"):
        take(process, wait)
    assert process.do(process.added) == [[]]


def test_an_error_that_no_hop_handles_is_the_callers(process: Process) -> None:
    async def fail(_: Call) -> bytes:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        take(process, fail)
    assert process.do(process.added) == [[]]


# A store that fails


@pytest.mark.parametrize("turn", [0, 1, 2], ids=["faults", "turn", "recorder"])
def test_a_store_that_fails_is_a_503(stored: Callable[..., Api], monkeypatch: pytest.MonkeyPatch, turn: int) -> None:
    """In the shape of the API, without an id, and in the log. An answer that has been stored stays one."""
    api = stored()
    lines: list[Facts] = []
    ok(api.get("/course/1/"))
    monkeypatch.setattr(api.app.recorder, "log", lines.append)
    monkeypatch.setattr(turns, "_PAUSE", 1000)
    store_of(api.app).failing = [*[("refresh", None)] * turn, ("refresh", Unavailable("the disk is full"))]
    answer = api.as_("creator").post("/course/", json=NAMED)
    (line,) = lines
    assert "request" not in line
    assert "x-stub-request" not in answer.headers
    if turn == 2:
        assert (answer.status_code, line["status"]) == (201, 201)
    else:
        assert refused(answer, 503) == {"": "service_unavailable"}
        assert answer.headers["retry-after"] == "1"
        reason = "The store of worlds does not work: the disk is full."
        assert (line["status"], line["reason"], line["path"]) == (503, reason, "/api/v2/course/")
        assert reason in answer.text
    monkeypatch.setattr(turns, "_PAUSE", 0)
    assert [entry["id"] for entry in requests(api)] == ["default-1"]
    assert ("Knots" in found(api)) == (turn == 2)


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/__stub/worlds"), ("PUT", "/__stub/snapshots/s"), ("GET", "//docs/"), ("GET", "/a")]
)
def test_a_store_that_fails_is_a_503_everywhere(stored: Callable[..., Api], method: str, path: str) -> None:
    """Where an answer needs it; a request that was refused before stays refused."""
    api = stored()
    store_of(api.app).failing = [("refresh", Unavailable("the disk is full"))]
    content = ok(api.get("/__stub/version")) if method == "PUT" else None
    answer = api.request(method, path, **({"json": {**content, "broken": True}} if content else {}))
    if path == "/a" or method == "PUT":
        assert answer.status_code in (404, 400)
    else:
        assert refused(answer, 503) == {"": "service_unavailable"}
        assert "\n" not in answer.json()["errors"][0]["message"]
