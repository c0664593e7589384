"""The control plane's server operations: health, version, and the users that its tokens stand for."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

import stubserver
from stubserver.app import StubServer
from stubserver.contract.contract import Contract
from stubserver.settings import Settings
from stubserver.shared import turns
from stubserver.stores.store import Unavailable
from stubserver.worlds.snapshot import Fixture
from tests.support.answers import ok, refused
from tests.support.client import Api
from tests.support.control import CONTROL, RAW
from tests.support.default import PERSONAS, SECRET
from tests.support.stored import store_of
from tests.support.worlds import named

BOUNDED = Settings(jwt_secret=SECRET, max_worlds=3, max_rows=44, max_requests=3, max_body=66_000)
pytestmark = pytest.mark.no_world


@pytest.fixture(scope="module")
def server(contract: Contract, default_fixture: Fixture) -> StubServer:
    """A server for these tests alone, because health counts everything that it holds."""
    return StubServer(contract, default_fixture, BOUNDED)


@pytest.fixture
def without_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a failure, the store is asked again at once."""
    monkeypatch.setattr(turns, "_PAUSE", 0)


# Index


@pytest.mark.parametrize("path", ["/__stub/", "//__stub", "/~w/__stub/", "/~w/__stub"])
def test_get_index_lists_what_the_contract_has(api: Api, path: str) -> None:
    index = ok(api.get(path, headers={"Host": "localhost:8765"}))
    here = f"http://localhost:8765{'/~w' if '~w' in path else ''}/__stub"
    assert (index["docs"], index["openapi"]) == (f"{here}/docs/", f"{here}/openapi.json")
    assert index["name"] == CONTROL.document["info"]["title"]
    assert index["operations"] == [
        {"operation": name, "method": method.upper(), "path": f"/__stub{path}", "summary": raw["summary"]}
        for name, (path, method, raw) in RAW.items()
    ]


def test_get_index_leads_to_documents(api: Api) -> None:
    for start in ("/__stub/", "/~w/__stub/"):
        index = ok(api.get(start))
        assert api.get(index["docs"].removeprefix("http://localhost")).status_code == 200
        document = ok(api.get(index["openapi"].removeprefix("http://localhost")))
        assert document["servers"] == [{"url": start.rstrip("/")}]


def test_get_index_makes_no_world(api: Api) -> None:
    for path in ("/__stub/", "//__stub", "/~w/__stub"):
        assert api.get(path, headers={"Host": "localhost", "X-Stub-Fixture": "empty"}).status_code == 200
    assert len(api.app.worlds) == 0


# Health


def test_get_health_counts_worlds_and_snapshots(api: Api) -> None:
    assert ok(api.get("/__stub/health"))["worlds"] == {"kept": 0, "evicted": 0}
    for world in ("default", "a", "b", "c", "d"):
        ok(api.get("/course/1/", headers=named(world)))
    for name in ("one", "two", "one"):
        ok(api.post("/__stub/snapshots", json={"name": name}), 201)
    health = ok(api.get("/__stub/health"))
    assert (health["status"], health["snapshots"]) == ("ok", 2)
    assert health["worlds"] == {"kept": 3, "evicted": 2}
    assert api.delete("/__stub/worlds/d").status_code == api.delete("/__stub/snapshots/one").status_code == 204
    health = ok(api.get("/__stub/health"))
    assert (health["worlds"], health["snapshots"]) == ({"kept": 2, "evicted": 2}, 1)


def test_get_health_counts_requests(contract: Contract, default_fixture: Fixture, runner: asyncio.Runner) -> None:
    api = Api(StubServer(contract, default_fixture, BOUNDED), runner)

    def counted() -> tuple[int, int, int]:
        found = ok(api.get("/__stub/health"))["requests"]
        return found["kept"], found["forgotten"], found["bytes"]

    assert counted() == (0, 0, 0)
    for number in range(1, 4):
        ok(api.get(f"/course/{number}/", headers=named(f"w{number}")))
    kept, forgotten, size = counted()
    assert (kept, forgotten) == (3, 0)
    assert 6_000 < size < 60_000
    for number in range(1, 6):
        ok(api.get(f"/course/{number}/", headers=named("w3")))
    assert counted()[:2] == (5, 3)
    assert api.delete("/__stub/requests", headers=named("w3")).status_code == 204
    assert counted()[:2] == (2, 3)
    assert api.delete("/__stub/worlds/w1").status_code == api.delete("/__stub/worlds/w2").status_code == 204
    assert counted() == (0, 3, 0)


def test_get_health_tells_the_bounds_and_no_secret(api: Api) -> None:
    response = api.get("/__stub/health")
    limits = {"max_worlds": 3, "max_rows": 44, "max_world": 64 << 20, "max_memory": 512 << 20}
    limits |= {"max_requests": 3, "max_journal": 64 << 20, "max_body": 66_000}
    assert ok(response)["limits"] == limits
    assert str(BOUNDED.jwt_secret) not in response.text


def test_get_health_tells_how_long_the_server_runs(api: Api) -> None:
    first, second = (ok(api.get("/__stub/health"))["uptime_seconds"] for _ in range(2))
    assert 0 <= first <= second < 600


def test_get_health_is_the_same_from_every_world(api: Api) -> None:
    ok(api.get("/course/1/"))
    here, there = (ok(api.get(f"{base_path}/__stub/health")) for base_path in ("", "/~w"))
    assert {**here, "uptime_seconds": 0} == {**there, "uptime_seconds": 0}


# Probes


@pytest.mark.parametrize("probe", ["live", "ready"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_probes_leave_no_trace(api: Api, probe: str, method: str) -> None:
    """Neither a world nor anything in the journal, the coverage or the log."""
    lines: list[object] = []
    api.app.recorder.log = lines.append
    try:
        response = api.request(method, f"/~w/__stub/{probe}")
    finally:
        api.app.recorder.log = None
    assert (response.status_code, response.text) == (200, '{"status":"ok"}' if method == "GET" else "")
    assert len(response.headers["content-length"]) == 2
    assert ok(api.get("/__stub/health"))["worlds"]["kept"] == len(api.app.worlds) == api.app.journal.kept == 0
    assert ok(api.get("/__stub/coverage"))["covered"] == 0
    assert lines == []


def test_get_live_waits_for_no_store(stored: Callable[..., Api]) -> None:
    api = stored()
    store_of(api.app).failing = [("refresh", Unavailable("SQLite file worlds.db is gone"))] * 2
    assert ok(api.get("/__stub/live")) == {"status": "ok"}
    assert store_of(api.app).asked == []


def test_get_ready_asks_the_store(stored: Callable[..., Api], without_pause: None) -> None:
    """It is ready again as soon as the store is, and a failure is in the log."""
    api, lines = stored(), list[Any]()
    api.app.recorder.log = lines.append
    store_of(api.app).failing = [("refresh", Unavailable("SQLite file worlds.db is gone"))]
    message = "The store of worlds does not work: SQLite file worlds.db is gone."
    response = api.get("/__stub/ready")
    assert (response.status_code, response.json()["errors"][0]["message"]) == (503, message)
    assert ok(api.get("/__stub/ready")) == {"status": "ok"}
    api.app.recorder.log = None
    assert store_of(api.app).asked == ["refresh", "refresh"]
    assert [(line["status"], line["reason"]) for line in lines] == [(503, message)]


def test_get_ready_says_when_the_server_ends(contract: Contract, default_fixture: Fixture, runner: Any) -> None:
    """It still lives, and answers whatever has been asked."""
    api = Api(StubServer(contract, default_fixture, BOUNDED), runner)
    ok(api.get("/__stub/ready"))
    api.app.begin_end()
    lines: list[Any] = []
    api.app.recorder.log = lines.append
    response = api.get("/__stub/ready")
    assert [line["operation"] for line in lines] == ["get_ready"]  # a failure is logged
    assert refused(response, 503) == {"": "service_unavailable"}
    assert response.json()["errors"][0]["message"] == "The server is shutting down."
    assert ok(api.get("/__stub/live")) == {"status": "ok"}
    ok(api.get("/course/1/"))


# Version


def test_get_version_names_the_server_and_its_contract(api: Api, contract: Contract) -> None:
    assert ok(api.get("/__stub/version")) == {
        "name": "course-stubserver",
        "version": stubserver.__version__,
        "contract": ok(api.get("//openapi.json"))["info"]["version"],
        "operations": sum(
            method in ("get", "put", "post", "patch", "delete")
            for item in contract.document["paths"].values()
            for method in item
        ),
    }


# Personas


def test_list_personas_says_whom_the_tokens_stand_for(api: Api) -> None:
    page = ok(api.get("/__stub/personas"))
    assert (page["count"], page["next"], page["previous"]) == (7, None, None)
    assert [persona["token"] for persona in page["results"]] == [f"stub-{name}" for name in PERSONAS]
    for persona in page["results"]:
        me = ok(api.get("/user/me/", headers={"Authorization": f"Bearer {persona['token']}"}))
        assert (me["id"], me["username"]) == (persona["user"], persona["username"])
        assert persona["about"]
        assert persona["role"] == persona["token"].removeprefix("stub-")


def test_list_personas_is_about_the_worlds_fixture(api: Api) -> None:
    ok(api.post("/__stub/worlds", json={"name": "w", "fixture": "empty"}), 201)
    for path, headers in (("/__stub/personas", named("w")), ("/~w/__stub/personas", {})):
        first = ok(api.get(path, headers=headers))["results"][0]
        assert first["about"] == "ready to make the first course"
    assert ok(api.get("/__stub/personas"))["results"][0]["about"] == "made every course of this world"


def test_list_personas_comes_in_pages(api: Api) -> None:
    page = ok(api.get("/__stub/personas?limit=3&offset=3"))
    assert [persona["role"] for persona in page["results"]] == ["invited", "requested", "stranger"]
    assert page["next"] == "http://localhost/__stub/personas?limit=3&offset=6"
    assert page["previous"] == "http://localhost/__stub/personas?limit=3"


@pytest.mark.parametrize(("query", "field"), [("limit=0", "limit"), ("limit=x", "limit"), ("offset=-1", "offset")])
def test_list_personas_refuses_no_page(api: Api, query: str, field: str) -> None:
    assert refused(api.get(f"/__stub/personas?{query}"), 400).keys() == {field}
