"""What faults do: which requests they affect, when they fire, and what each kind does to a request and its answer."""

import asyncio
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from stubserver.app import StubServer
from stubserver.contract.contract import Contract
from stubserver.pipeline import exchange, faults
from stubserver.settings import Settings
from stubserver.shared.turns import Direct
from stubserver.worlds.snapshot import Fixture
from tests.support.answers import ok, refused
from tests.support.client import Api
from tests.support.default import NOW
from tests.support.faults import create, listed
from tests.support.journal import newest
from tests.support.rows import snapshot

COURSE, CATEGORIES = "/course/1/", "/category/"
pytestmark = pytest.mark.in_process("faults are acted out in this process")


def statuses(api: Api, count: int, path: str = COURSE) -> list[int]:
    return [api.get(path).status_code for _ in range(count)]


def fired(api: Api) -> list[int]:
    return [fault["fired"] for fault in listed(api)]


# Which requests they affect

ASKED = {
    "get 1": ("GET", "/course/1/"),
    "head 1": ("HEAD", "/course/1/"),
    "get 2": ("GET", "/course/2/?view=edit&path=/course/1/"),
    "patch 1": ("PATCH", "/course/1/"),
    "list": ("GET", "/category/"),
    "nowhere": ("GET", "/nowhere/"),
}


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({}, set(ASKED)),
        ({"operation": "get_course"}, {"get 1", "head 1", "get 2"}),
        ({"operation": "patch_course"}, {"patch 1"}),
        ({"operation": "delete_course"}, set()),
        ({"method": "GET"}, {"get 1", "get 2", "list", "nowhere"}),
        ({"method": "HEAD"}, {"head 1"}),
        ({"method": "DELETE"}, set()),
        ({"path": "*"}, set(ASKED)),
        ({"path": "/api/v2/course/1/"}, {"get 1", "head 1", "patch 1"}),
        ({"path": "/api/v2/course/*"}, {"get 1", "head 1", "get 2", "patch 1"}),
        ({"path": "*/1/"}, {"get 1", "head 1", "patch 1"}),
        ({"path": "/api/*/c*y/"}, {"list"}),
        ({"path": "/course/1/"}, {"get 1", "head 1", "patch 1"}),
        ({"path": "/course/*"}, {"get 1", "head 1", "get 2", "patch 1"}),
        ({"operation": "get_course", "method": "GET"}, {"get 1", "get 2"}),
        ({"operation": "get_course", "path": "*/1/"}, {"get 1", "head 1"}),
        ({"operation": "get_course", "method": "HEAD", "path": "*/1/"}, {"head 1"}),
    ],
)
def test_a_fault_concerns_what_its_filters_say(api: Api, wanted: dict[str, Any], expected: set[str]) -> None:
    """All filters must match; a path excludes the query, and * is its only wildcard."""
    create(api, status=599, **wanted)
    hit = {name for name, (method, path) in ASKED.items() if api.request(method, path).status_code == 599}
    assert hit == expected
    assert fired(api) == [len(expected)]


def test_the_path_of_a_filter_is_without_the_base_path_of_the_world(api: Api) -> None:
    create(api, world="w", path="/api/v2/course/1/", status=599)
    assert api.get("/~w/api/v2/course/1/").status_code == 599


@pytest.mark.parametrize("path", ["//", "//docs/", "//openapi.json", "//upfiles/courses/small/a_0001.png"])
def test_a_fault_without_filters_concerns_pages_and_files_too(api: Api, path: str) -> None:
    create(api, status=599)
    assert api.get(path).status_code == 599


def test_what_is_refused_on_the_wire_meets_no_fault(api: Api) -> None:
    create(api, status=599)
    assert api.get("/course/1").status_code == 404
    assert api.get(COURSE, headers={"Accept": "text/html"}).status_code == 406
    assert fired(api) == [0]


# When they fire


def test_a_fault_fires_so_many_times(api: Api) -> None:
    create(api, status=500, times=3, operation="get_course")
    ok(api.get(CATEGORIES))
    assert statuses(api, 5) == [500, 500, 500, 200, 200]
    assert fired(api) == [3]


def test_a_fault_without_times_fires_for_ever(api: Api) -> None:
    create(api, status=500)
    assert set(statuses(api, 30)) == {500}
    assert fired(api) == [30]


def test_of_several_errors_the_oldest_that_is_due_fires(api: Api) -> None:
    """Only that one: the others wait their turn."""
    create(api, status=500, operation="list_categories")
    create(api, status=501, probability=0)
    create(api, status=502, times=2)
    create(api, status=503, times=1)
    create(api, status=504, times=1)
    assert statuses(api, 6) == [502, 502, 503, 504, 200, 200]
    assert fired(api) == [0, 0, 2, 1, 1]
    assert statuses(api, 1, CATEGORIES) == [500]


@pytest.mark.parametrize(("probability", "expected"), [(0, 0), (1, 20)])
def test_a_probability_of_none_or_all_is_certain(api: Api, probability: float, expected: int) -> None:
    create(api, status=500, probability=probability)
    assert statuses(api, 20).count(500) == expected
    assert fired(api) == [expected]


def test_a_probability_counts_what_fired_towards_times(api: Api) -> None:
    create(api, status=500, probability=0.5, times=4)
    assert statuses(api, 40).count(500) == 4


@pytest.fixture(scope="module")
def servers(contract: Contract, default_fixture: Fixture) -> dict[str, StubServer]:
    """Two servers with the same seed, and one with a different seed."""
    seeds = {"one": 5, "twin": 5, "other": 6}
    return {name: StubServer(contract, default_fixture, Settings(seed=number)) for name, number in seeds.items()}


def sequence(
    server: StubServer, runner: asyncio.Runner, world: str = "w", before: int = 0, **wanted: Any
) -> list[bool]:
    """Which of 64 requests a fault of probability 0.5 hits, in a new world that has had `before` other faults."""
    server.worlds.reset(world)
    api = Api(server, runner)
    for _ in range(before):
        create(api, world=world, path="/user/999/")
    create(api, world=world, status=500, probability=0.5, **wanted)
    return [api.get(f"/~{world}/api/v2/category/").status_code == 500 for _ in range(64)]


def test_chance_is_the_same_in_every_run(servers: dict[str, StubServer], runner: asyncio.Runner) -> None:
    """The same seed, world, number and requests give the same sequence, in which about half of the requests fail."""
    first = sequence(servers["one"], runner)
    assert 20 < sum(first) < 44
    assert first == sequence(servers["twin"], runner) == sequence(servers["one"], runner)


def test_chance_is_another_by_seed_world_and_number(servers: dict[str, StubServer], runner: asyncio.Runner) -> None:
    found = [
        sequence(servers["one"], runner),
        sequence(servers["other"], runner),
        sequence(servers["one"], runner, world="v"),
        sequence(servers["one"], runner, seed=1),
        sequence(servers["one"], runner, before=1),
    ]
    assert len(set(map(tuple, found))) == len(found)


def test_requests_that_a_fault_does_not_concern_draw_no_chance(
    servers: dict[str, StubServer], runner: asyncio.Runner
) -> None:
    api = Api(servers["twin"], runner)
    wanted: dict[str, Any] = {"probability": 0.5, "operation": "list_categories", "status": 500}
    servers["twin"].worlds.reset("w")
    create(api, world="w", **wanted)
    found = []
    for number in range(64):
        if number % 3 == 0:
            ok(api.get("/~w/api/v2/course/1/"))
        found.append(api.get("/~w/api/v2/category/").status_code == 500)
    assert found == sequence(servers["one"], runner)


def test_faults_of_one_world_are_not_those_of_another(api: Api) -> None:
    create(api, world="stormy", status=500)
    assert statuses(api, 1) == [200]
    assert statuses(api, 1, "/~stormy/api/v2/course/1/") == [500]


# error


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 418, 429, 451, 500, 502, 503, 504, 599])
def test_error_refuses_with_any_status_of_an_error(api: Api, status: int) -> None:
    before = snapshot(api.world)
    create(api, status=status, retry_after=7)
    response = api.as_("creator").delete(COURSE)
    assert refused(response, status) == {"": "error"}
    assert response.headers["content-type"] == "application/json"
    assert response.headers.get("retry-after") == ("7" if status in (429, 503) else None)
    assert ("www-authenticate" in response.headers) == (status == 401)
    assert response.json()["errors"][0]["message"] == "Fault 1 of world default caused this answer."
    assert snapshot(api.world) == before


def test_error_is_a_503_by_default(api: Api) -> None:
    create(api)
    assert (api.get(COURSE).status_code, api.get(COURSE).headers["retry-after"]) == (503, "1")


def test_error_is_readable_for_pages_of_allowed_origins(api: Api) -> None:
    create(api, status=429)
    headers = api.get(COURSE, headers={"Origin": "https://app.example"}).headers
    assert headers["access-control-allow-origin"] == "https://app.example"
    assert {"Retry-After", "X-Stub-Request"} <= set(headers["access-control-expose-headers"].split(", "))


def test_the_journal_tells_of_an_error(api: Api) -> None:
    """Which fault it was; the request itself violates nothing."""
    create(api, operation="delete_course")
    create(api, status=500)
    response = api.as_("creator").patch(COURSE, json={"name": "Knots"})
    entry = newest(api)
    assert entry["id"] == response.headers["x-stub-request"]
    assert (entry["status"], entry["faults"]) == (500, [{"id": 2, "kind": "error"}])
    assert entry["request"]["body"] == {"name": "Knots"}
    assert [problem["code"] for problem in entry["problems"]] == ["error"]
    assert (entry["rules"], entry["changes"], entry["violations"]) == ([], [], [])


@pytest.mark.parametrize("kind", ["error", "reset"])
def test_the_journal_knows_who_met_a_fault_and_where(api: Api, kind: str) -> None:
    """Even if the request never reached its operation."""
    create(api, kind)
    api.as_("creator").patch(COURSE, json={"name": "Knots"})
    entry = newest(api)
    assert (entry["operation"], entry["persona"]) == ("patch_course", "stub-creator")


def test_where_no_fault_fires_the_journal_has_none(api: Api) -> None:
    create(api, probability=0)
    ok(api.get(COURSE))
    assert newest(api)["faults"] == []


# latency


def test_latency_waits_and_answers_as_ever(api: Api, naps: list[float]) -> None:
    plain = ok(api.get(COURSE))
    create(api, "latency", seconds=2.5)
    assert ok(api.get(COURSE)) == plain
    assert ok(api.as_("creator").patch(COURSE, json={"name": "Knots"}))["name"] == "Knots"
    assert naps == [2.5, 2.5]
    assert newest(api)["faults"] == [{"id": 1, "kind": "latency"}]


def test_latency_comes_before_the_operation(api: Api, app: StubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Changes made by others during the wait are visible."""
    create(api, "latency", seconds=1)

    async def nap(_: float) -> None:
        app.worlds.get().courses.put({**app.worlds.get().courses[1], "name": "Meanwhile"})

    monkeypatch.setattr(exchange, "asyncio", SimpleNamespace(sleep=nap))
    assert ok(api.get(COURSE))["name"] == "Meanwhile"


def test_the_journal_has_the_moment_when_a_request_came(
    api: Api, app: StubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(api, "latency", seconds=1)

    async def nap(_: float) -> None:
        app.worlds.get().clock.advance(timedelta(hours=1))

    monkeypatch.setattr(exchange, "asyncio", SimpleNamespace(sleep=nap))
    ok(api.get(COURSE))
    assert newest(api)["time"] == NOW.isoformat()


# stale


def test_stale_answers_as_the_world_was(api: Api, app: StubServer) -> None:
    """Writes go through meanwhile, and become visible once the fault has ended."""
    creator = api.as_("creator")
    was = ok(api.get(COURSE))
    create(api, "stale")
    assert ok(creator.patch(COURSE, json={"name": "Knots"}))["name"] == "Knots"
    made = ok(creator.post("/course/", json={"name": "New", "type": "self-paced"}), 201)
    world = app.worlds.get()
    assert ok(api.get(COURSE)) == was
    assert api.request("HEAD", COURSE).headers["content-length"] == str(len(api.get(COURSE).content))
    assert refused(creator.get(f"/course/{made['id']}/"), 404) == {"": "not_found"}
    assert app.worlds.get() is world
    assert (world.courses[1]["name"], world.courses[made["id"]]["name"]) == ("Knots", "New")
    api.delete("/__stub/faults")
    assert (ok(api.get(COURSE))["name"], ok(creator.get(f"/course/{made['id']}/"))["name"]) == ("Knots", "New")


def test_stale_shows_what_was_changed_before_the_fault(api: Api) -> None:
    creator = api.as_("creator")
    ok(creator.patch(COURSE, json={"name": "Before"}))
    create(api, "stale")
    ok(creator.patch(COURSE, json={"name": "After"}))
    assert ok(api.get(COURSE))["name"] == "Before"


def test_stale_concerns_get_and_head_only(api: Api) -> None:
    create(api, "stale")
    for method in ("GET", "HEAD", "PUT", "PATCH", "DELETE"):
        api.as_("creator").request(method, COURSE)
    api.as_("creator").post("/course/1/join/")
    assert fired(api) == [2]
    assert 1 not in api.world.courses


def test_stale_lasts_for_its_times(api: Api) -> None:
    create(api, "stale", times=1, operation="get_course")
    ok(api.as_("creator").patch(COURSE, json={"name": "Knots"}))
    assert [ok(api.get(COURSE))["name"] == "Knots" for _ in range(3)] == [False, True, True]


def test_the_books_of_a_stale_answer_are_those_of_the_true_world(api: Api) -> None:
    """Journal, counter and ids go on."""
    ok(api.get(COURSE))
    create(api, "stale")
    response = api.as_("member").get(COURSE)
    assert response.headers["x-stub-request"] == "default-2"
    entry = newest(api)
    assert (entry["id"], entry["persona"], entry["operation"]) == ("default-2", "stub-member", "get_course")
    assert (entry["faults"], entry["changes"]) == ([{"id": 1, "kind": "stale"}], [])
    assert ok(api.get("/__stub/requests"))["count"] == 2
    assert ok(api.get("/__stub/worlds/default"))["requests"] == 2


def test_stale_has_the_clock_of_then(api: Api) -> None:
    """The true clock goes on."""
    section = api.as_("member").get("/course/3/").json()
    create(api, "stale")
    ok(api.post("/__stub/clock/advance", json={"days": 30}))
    assert ok(api.as_("member").get("/course/3/")) == section
    entry = newest(api)
    assert entry["time"] == (NOW + timedelta(days=30)).isoformat()


def test_what_is_no_request_passes(runner: asyncio.Runner, contract: Contract) -> None:
    seen: list[Any] = []

    async def inner(scope: Any, _receive: Any, _send: Any) -> None:
        seen.append(scope)

    runner.run(faults.Faults(inner, contract, Direct())({"type": "lifespan"}, None, None))  # type: ignore[arg-type]
    assert seen == [{"type": "lifespan"}]
