"""Handles: a server and a world in it, for tests and tools, with sockets and without."""

import asyncio
import http.client
import re
import select
import socket
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import httpcore
import httpx
import pytest

from stubserver.addressing import PRODUCT
from stubserver.app import create_app
from stubserver.serving.in_process import InProcess, StandardLoop, new_loop
from stubserver.testing import CourseWorld, Stub, StubError
from tests.support.default import CONTROL_TOKEN, PERSONAS

MOMENT = datetime(2031, 5, 1, 9, 0, tzinfo=UTC)


def name_of(world: CourseWorld) -> str:
    """The name of course 1 in a world."""
    name: str = world.client().get("/course/1/").json()["name"]
    return name


def rename(world: CourseWorld, name: str) -> None:
    world.client("creator").patch("/course/1/", json={"name": name}).raise_for_status()


async def statuses(world: CourseWorld, *paths: str) -> list[int]:
    """Ask for several paths at once, as a member."""
    async with world.async_client("member") as client:
        return [answer.status_code for answer in await asyncio.gather(*map(client.get, paths))]


# A server


def test_a_server_that_is_not_there_is_told_in_one_line() -> None:
    with closing(Stub("http://127.0.0.1:1/")) as stub, pytest.raises(StubError) as caught:
        stub.control("GET", "/health")
    assert str(caught.value).startswith("no stub server answers at http://127.0.0.1:1: ")


def test_a_refusal_of_the_control_plane_is_told_in_one_line(course_stub: Stub) -> None:
    """With everything that is wrong, and with the request."""
    with pytest.raises(StubError, match=r"^GET /worlds/nope: There is no world nope\.$"):
        course_stub.control("GET", "/worlds/nope")
    with pytest.raises(StubError) as caught:
        course_stub.control("POST", "/clock/advance", json={"days": "x", "hours": "y"})
    assert str(caught.value).count("is not valid") == 2


def test_what_is_no_stub_server_is_told_by_its_status() -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(502, text="Bad gateway"))
    with closing(Stub("http://proxy", transport=transport)) as stub, pytest.raises(StubError, match="status 502"):
        stub.coverage()


def test_a_guarded_server_is_given_its_token() -> None:
    """Clients of the API are not given it."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"name": PRODUCT})

    with closing(Stub("http://far", CONTROL_TOKEN, httpx.MockTransport(answer))) as stub:
        stub.control("GET", "/health")
        stub.client().get("/api/v2/course/1/")
    assert [request.headers.get("authorization") for request in seen] == [*[f"Bearer {CONTROL_TOKEN}"] * 2, None]


def test_clients_come_and_go_while_the_server_is_held(course_stub: Stub) -> None:
    for _ in range(2):
        with course_stub.client() as client:
            assert client.get("/openapi.json").status_code == 200
    assert course_stub.control("GET", "/health")["status"] == "ok"


def test_a_closed_handle_says_so(course_stub: Stub) -> None:
    """And may be closed again."""
    stub = Stub(course_stub.url)
    client, world = stub.client(), stub.world("w")
    async_client = stub.async_client()
    stub.close()
    says = "the handle of this server has been closed; make a new one"
    with pytest.raises(StubError, match=f"^no stub server answers at {course_stub.url}: {says}$"):
        world.reset()
    with pytest.raises(httpx.ConnectError, match=f"^{says}$"):
        client.get("/openapi.json")
    with pytest.raises(httpx.ConnectError, match=f"^{says}$"):
        asyncio.run(async_client.get("/openapi.json"))
    stub.close()


# What tests replace


def refuse(*_: object, **__: object) -> Any:
    raise AssertionError("a test has replaced this")


class RefusedSocket(socket.socket):
    def __new__(cls, *_: object, **__: object) -> Any:
        refuse()


REPLACED = [
    (httpx.HTTPTransport, "handle_request", refuse),
    (httpx.AsyncHTTPTransport, "handle_async_request", refuse),
    (httpx.ASGITransport, "handle_async_request", refuse),
    (httpx.Client, "_transport_for_url", refuse),
    (httpx.AsyncClient, "_transport_for_url", refuse),
    (httpcore.ConnectionPool, "handle_request", refuse),
    (httpcore.HTTPConnection, "handle_request", refuse),
    (http.client, "HTTPConnection", refuse),
    (http.client, "HTTPResponse", refuse),
    pytest.param(
        *(socket, "socket", RefusedSocket),
        marks=pytest.mark.skipif(new_loop == StandardLoop, reason="only libuv's loop needs no sockets of Python's"),
    ),
    (socket, "create_connection", refuse),
    (socket, "getaddrinfo", refuse),
    (socket.socket, "connect", refuse),
    (select, "poll", refuse),
    (time, "time", lambda: 0.0),
    (time, "monotonic", lambda: 0.0),
]
"""What respx, pytest-httpx, vcrpy, pytest-socket, freezegun and the like replace."""


@pytest.mark.parametrize(("where", "name", "instead"), REPLACED)
def test_handles_need_nothing_that_tests_replace(
    course_world: CourseWorld,
    runner: asyncio.Runner,
    monkeypatch: pytest.MonkeyPatch,
    where: Any,
    name: str,
    instead: Any,
) -> None:
    """Neither those with a socket, nor those without; replaced before the first request or after it."""
    with closing(Stub(course_world.stub.url)) as stub:
        stub.control("GET", "/health")
        monkeypatch.setattr(where, name, instead)
        with closing(Stub(course_world.stub.url)) as fresh:
            for world in (course_world, stub.world("w"), fresh.world("w")):
                world.reset()
                assert world.client("member").get("/user/me/").status_code == 200
                assert runner.run(statuses(world, "/user/me/")) == [200]
        monkeypatch.undo()


# A world


def test_clients_are_personas_of_their_world(course_world: CourseWorld) -> None:
    """Given by name, by any token, or left out."""
    assert list(course_world.tokens) == list(PERSONAS)
    found = [
        course_world.client(persona).get("/user/me/").json().get("id") for persona in ("member", "stub-member", None)
    ]
    assert found == [3, 3, None]
    assert httpx.URL(course_world.api_url).path == f"/~{course_world.name}/api/v2"


def test_a_world_begins_anew(course_world: CourseWorld) -> None:
    """From its own fixture, or from another."""
    before = name_of(course_world)
    rename(course_world, "Knots")
    course_world.reset()
    assert name_of(course_world) == before
    course_world.reset("empty")
    assert course_world.client().get("/course/search/").json()["count"] == 0


def test_a_fork_is_the_world_as_it_is_now(course_world: CourseWorld) -> None:
    rename(course_world, "Knots")
    fork = course_world.fork(f"{course_world.name}-fork")
    rename(course_world, "Bends")
    assert (name_of(fork), name_of(course_world)) == ("Knots", "Bends")
    fork.delete()
    with pytest.raises(StubError, match="There is no world"):
        fork.delete()


def test_a_fork_leaves_snapshots_alone(course_world: CourseWorld) -> None:
    """Even one that has the name of the fork; and a world that nobody has touched can be forked as well."""
    name = f"{course_world.name}-fork"
    rename(course_world, "Knots")
    course_world.snapshot(name)
    course_world.delete()
    fork = course_world.fork(name)
    assert name_of(fork) == name_of(course_world) != "Knots"
    fork.restore(name)
    assert name_of(fork) == "Knots"
    fork.delete()


def test_a_snapshot_is_kept_until_it_is_restored(course_world: CourseWorld) -> None:
    rename(course_world, "Knots")
    course_world.snapshot(course_world.name)
    rename(course_world, "Bends")
    course_world.restore(course_world.name)
    assert name_of(course_world) == "Knots"
    course_world.stub.control("DELETE", f"/snapshots/{course_world.name}")


def test_the_clock_is_steered(course_world: CourseWorld) -> None:
    clock = course_world.clock
    clock.freeze(MOMENT)
    assert clock.now == MOMENT
    clock.advance(days=1, hours=2)
    assert clock.now == MOMENT + timedelta(days=1, hours=2)
    clock.set(MOMENT)
    assert clock.now == MOMENT
    clock.release()
    assert abs(clock.now - datetime.now(UTC)) < timedelta(minutes=1)


def test_faults_are_added_listed_and_ended(course_world: CourseWorld) -> None:
    """`add` returns the number of the fault."""
    number = course_world.faults.add("error", operation="get_course", status=503, times=1)
    answers = [course_world.client().get("/course/1/").status_code for _ in range(2)]
    assert answers == [503, 200]
    (fault,) = course_world.faults.list()
    assert (fault["id"], fault["fired"]) == (number, 1)
    course_world.faults.add("latency", seconds=0)
    course_world.faults.remove(number)
    assert [fault["kind"] for fault in course_world.faults.list()] == ["latency"]
    course_world.faults.clear()
    assert course_world.faults.list() == []


def test_variants_are_added_listed_and_ended(course_world: CourseWorld) -> None:
    """`add` returns the number of the variant."""
    client = course_world.client("member")
    number = course_world.variants.add("null", "/created_by/avatar", operation="get_course")
    course_world.variants.add("time", choice="past")
    course = client.get("/course/1/").json()
    assert (course["created_by"]["avatar"], course["created_at"][:4]) == (None, "1900")
    first, second = course_world.variants.list()
    assert (first["id"], first["sent"], second["sent"]) == (number, 1, 1)
    (request,) = course_world.journal.requests()
    assert [told["kind"] for told in request["variants"]] == ["time", "null"]
    course_world.variants.remove(number)
    assert course_world.variants.list() == [second]
    course_world.variants.clear()
    assert course_world.variants.list() == []
    assert client.get("/course/1/").json()["created_by"]["avatar"] is not None


def test_variants_are_offered_as_the_contract_allows_them(course_world: CourseWorld) -> None:
    """All of them take several pages."""
    (avatar,) = [
        offered
        for offered in course_world.variants.offered(operation="get_course", kind="null")
        if offered["place"] == "/created_by/avatar"
    ]
    assert avatar == {"operation": "get_course", "place": "/created_by/avatar", "kind": "null", "choices": []}
    everything = course_world.variants.offered()
    assert len(everything) > 200
    assert len({tuple(map(str, offered.values())) for offered in everything}) == len(everything)
    assert course_world.variants.offered(limit=2, offset=1) == everything[1:3]
    assert course_world.variants.offered(offset=len(everything) - 1) == everything[-1:]


def test_a_fault_can_be_switched_on_by_a_client(course_world: CourseWorld) -> None:
    course_world.faults.add("error", status=503, switch="broken")
    client = course_world.client("member")
    statuses = [client.get("/course/1/", params=params).status_code for params in ({}, {"__fault": "broken"})]
    client.cookies.set("stub-fault", "broken")
    assert [*statuses, client.get("/course/1/").status_code] == [200, 503, 503]


def test_the_journal_has_all_faults_of_a_request(course_world: CourseWorld) -> None:
    numbers = [course_world.faults.add(kind, seconds=0) for kind in ("error", "latency")]
    assert course_world.client("member").get("/course/1/").status_code == 503
    (request,) = course_world.journal.requests()
    fired = [{"id": numbers[1], "kind": "latency"}, {"id": numbers[0], "kind": "error"}]
    assert request["faults"] == fired


def test_the_journal_is_read_and_cleared(course_world: CourseWorld) -> None:
    client = course_world.client("member")
    for number in (1, 2, 99):
        client.get(f"/course/{number}/")
    assert [request["status"] for request in course_world.journal.requests(operation="get_course")] == [404, 200, 200]
    assert (course_world.journal.count(), course_world.journal.count(status=404)) == (3, 1)
    course_world.journal.clear()
    assert course_world.journal.count() == 0


def test_the_journal_gives_all_its_requests(course_world: CourseWorld) -> None:
    """However many pages they take, or as many as are asked for."""
    client = course_world.client()
    for number in range(1, 251):
        client.get(f"/feature/?n={number}")
    numbers = [int(request["request"]["query"]["n"]) for request in course_world.journal.requests()]
    assert numbers == list(range(250, 0, -1))
    assert [entry["request"]["query"]["n"] for entry in course_world.journal.requests(limit=2)] == ["250", "249"]
    assert len(course_world.journal.requests(path="/feature/")) == 250
    assert [len(course_world.journal.requests(offset=start)) for start in (0, 50, 240)] == [250, 200, 10]


def test_what_was_called_is_asserted(course_world: CourseWorld) -> None:
    """The message names the nearest request."""
    rename(course_world, "Knots")
    course_world.assert_called("patch_course", contains={"name": "Knots"}, persona="stub-creator", times=1)
    course_world.assert_called(method="PATCH", at_least=1)
    with pytest.raises(AssertionError, match=r"body\.name: expected Bends, found Knots"):
        course_world.assert_called("patch_course", contains={"name": "Bends"})


@pytest.mark.parametrize("is_remote", [True, False], ids=["socket", "in-process"])
def test_asynchronous_clients_are_personas_too(course_world: CourseWorld, is_remote: bool) -> None:
    """Many requests at once, while a synchronous client is used in the same event loop."""

    async def asked(world: CourseWorld) -> None:
        async with (
            world.async_client("member") as member,
            world.async_client(token="stub-staff") as staff,
            world.async_client() as nobody,
        ):
            answers = await asyncio.gather(*(client.get("/user/me/") for client in (member, staff, nobody)))
            assert [answer.json().get("id") for answer in answers] == [3, *[one["user"] for one in staffs], None]
            assert world.client("member").get("/user/me/").status_code == 200
        assert await statuses(world, *["/course/1/", "/course/99/"] * 20) == [200, 404] * 20

    staffs = [one for one in course_world.control("GET", "/personas")["results"] if one["token"] == "stub-staff"]
    with closing(Stub(course_world.stub.url)) as remote:
        asyncio.run(asked(remote.world(course_world.name) if is_remote else course_world))


def test_a_world_of_a_server_without_a_socket() -> None:
    """Its URL opens one; requests without it never do."""
    opened: list[str] = []

    def listen() -> str:
        opened.append("")
        return "http://127.0.0.1:1"

    transport = InProcess(create_app("empty"))
    with closing(Stub("http://localhost", transport=transport, listen=listen)) as stub:
        world = stub.world("w")
        assert world.client("staff").get("/user/me/").json()["username"] == "isla_quill"
        assert stub.coverage()["covered"] > 0
        assert opened == []
        assert (stub.url, world.base_url) == ("http://127.0.0.1:1", "http://127.0.0.1:1/~w")
        assert len(opened) == 1


def test_a_server_that_cannot_listen_says_why() -> None:
    def listen() -> str:
        raise OSError("Too many open files.")

    transport = httpx.MockTransport(refuse)
    with closing(Stub("http://localhost", transport=transport, listen=listen)) as stub:
        says = r"^no socket for other clients: Too many open files\. client\(\) and async_client\(\) need none\.$"
        with pytest.raises(StubError, match=says):
            _ = stub.world("w").api_url


# Mistakes


@pytest.mark.parametrize("make", [CourseWorld.client, CourseWorld.async_client])
@pytest.mark.parametrize(
    ("mistake", "says"),
    [
        ({"persona": "creater"}, "There is no persona 'creater'. Did you mean creator?"),
        ({"persona": "stub-creater"}, "There is no persona 'stub-creater'. "),
        ({"persona": "nobody"}, "There is no persona 'nobody'. "),
        ({"persona": ""}, "There is no persona ''. "),
        ({"persona": 3}, "There is no persona '3'. "),
        ({"persona": "member", "token": "x"}, "A client is a persona or has a token, which is not empty; "),
        ({"token": ""}, "A client is a persona or has a token, which is not empty; "),
        ({"token": "a\nb"}, "A token consists of printable ASCII characters; "),
        ({"token": "schlüssel"}, "A token consists of printable ASCII characters; "),
    ],
)
def test_a_client_of_nobody_is_refused_at_once(course_world: CourseWorld, make: Any, mistake: Any, says: str) -> None:
    with pytest.raises(StubError, match=f"^{re.escape(says)}"):
        make(course_world, **mistake)


@pytest.mark.parametrize("persona", ["member", "stub-member"])
def test_a_client_is_a_persona_by_name_or_token(course_world: CourseWorld, persona: str) -> None:
    assert course_world.client(persona).get("/user/me/").json()["username"] == "dilys_pruett"


def test_a_client_may_have_any_token(course_world: CourseWorld) -> None:
    assert course_world.client(token="stub-member").get("/user/me/").status_code == 200
    assert course_world.client(token="of-nobody").get("/user/me/").status_code == 401


@pytest.mark.parametrize(
    ("expected", "says"),
    [
        ({"person": "stub-member"}, "There is no field 'person'. Did you mean persona"),
        ({"contain": {"name": "x"}}, "There is no field 'contain'. Did you mean contains"),
        ({"exactly": 3}, "There is no field 'exactly'."),
        ({"persona": "creater"}, "Did you mean stub-creator"),
        ({"status": 299}, "299 is not a status"),
    ],
)
def test_a_mistake_in_an_expectation_is_an_error(
    course_world: CourseWorld, expected: dict[str, Any], says: str
) -> None:
    with pytest.raises(StubError, match=re.escape(says)):
        course_world.assert_called("join_course", **{"times": 0, **expected})


def test_an_expectation_of_no_operation_is_an_error(course_world: CourseWorld) -> None:
    with pytest.raises(StubError, match="Did you mean join_course"):
        course_world.assert_called("join_corse", times=0)


def test_other_mistakes_are_errors_too(course_world: CourseWorld) -> None:
    for mistaken, says in (
        (lambda: course_world.clock.advance(day=3), "There is no field 'day'. Did you mean days?"),
        (lambda: course_world.variants.add("nul"), "is not a valid choice"),
        (lambda: course_world.variants.add("null", "/created_by/avatr"), "Did you mean /created_by/avatar"),
        (lambda: course_world.variants.offered(kind="nul"), "is not a valid choice"),
        (lambda: course_world.variants.offered(operation="get_corse"), "Did you mean get_course"),
        (lambda: course_world.variants.offered(plaice="/name"), "There is no query parameter 'plaice'. Use one of"),
        (lambda: course_world.variants.remove(99), f"World {course_world.name} has no variant 99."),
        (
            lambda: course_world.variants.remove("first"),  # type: ignore[arg-type]
            "is no id: ids are whole numbers, such as 1.",
        ),
        (lambda: course_world.faults.remove(99), f"World {course_world.name} has no fault 99."),
        (lambda: course_world.faults.add("error", time=1), "There is no field 'time'. Did you mean times"),
        (lambda: course_world.faults.add("eror"), "is not a valid choice"),
        (lambda: course_world.faults.add("error", switch="a b"), '"a b" does not match'),
        (lambda: course_world.faults.add("error", swich="a"), "There is no field 'swich'. Did you mean switch?"),
        (lambda: course_world.journal.requests(operaton="get_course"), "Did you mean operation"),
        (lambda: course_world.journal.count(operation="get_curse"), "Did you mean get_course"),
    ):
        with pytest.raises(StubError, match=re.escape(says)):
            mistaken()


def test_the_clock_moves_by_weeks(course_world: CourseWorld) -> None:
    course_world.clock.freeze()
    before = course_world.clock.now
    course_world.clock.advance(weeks=2)
    assert course_world.clock.now - before == timedelta(days=14)


def test_a_world_may_be_strict(course_world: CourseWorld) -> None:
    """R028: and lenient again, without touching others; a fork is as strict as what it was made of."""

    def status(world: CourseWorld) -> int:
        return world.client("creator").patch("/course/1/", json={"description": 5}).status_code

    other = course_world.fork("other")
    course_world.be_strict()
    assert [status(world) for world in (course_world, course_world.fork("fork"), other)] == [400, 400, 200]
    course_world.be_strict(False)
    assert status(course_world) == 200
    unborn = course_world.stub.world(f"{course_world.name}-unborn")
    unborn.be_strict()
    assert status(unborn) == 400
    unborn.delete()
