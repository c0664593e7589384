"""The metrics of a server: what its requests, its worlds and its store add to them."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from stubserver.app import StubServer
from stubserver.contract.contract import Contract
from stubserver.settings import Settings
from stubserver.shared import turns
from stubserver.stores.store import Unavailable
from stubserver.worlds.snapshot import Fixture
from tests.support.answers import done, ok
from tests.support.client import Api
from tests.support.faults import create
from tests.support.stored import store_of
from tests.support.worlds import named

pytestmark = pytest.mark.no_world
BOUNDED = Settings(max_worlds=3, max_requests=3)


@pytest.fixture
def api(contract: Contract, default_fixture: Fixture, runner: Any) -> Api:
    """A server for each test, because metrics only ever grow."""
    return Api(StubServer(contract, default_fixture, BOUNDED), runner)


@pytest.fixture
def shared(contract: Contract, stored: Callable[..., Api], monkeypatch: pytest.MonkeyPatch) -> Callable[[], Api]:
    """Makes servers with a store, which have counted nothing yet."""
    monkeypatch.setattr(turns, "_PAUSE", 0)

    def make() -> Api:
        api = stored()
        api.app.metrics.__init__([*contract.operations, *api.app.control.operations])  # type: ignore[misc]
        return api

    return make


def parsed(response: httpx.Response) -> dict[str, float]:
    """Name and labels of each sample, as in the text -> its value."""
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    samples = (sample for family in text_string_to_metric_families(response.text) for sample in family.samples)
    return {
        " ".join([sample.name, *sample.labels.values()]).removeprefix("stubserver_"): sample.value for sample in samples
    }


def metrics(api: Api) -> dict[str, float]:
    return parsed(api.get("/__stub/metrics"))


def requests(api: Api) -> dict[str, float]:
    found = metrics(api)
    return {name.removeprefix("requests_total "): found[name] for name in found if name.startswith("requests_total ")}


def transactions(api: Api) -> tuple[float, float]:
    found = metrics(api)
    return found["transactions_total committed"], found["transactions_total rolled_back"]


@pytest.mark.parametrize("path", ["//metrics", "/~w/metrics", "/__stub/metrics"])
def test_get_metrics_answers_where_prometheus_looks(api: Api, path: str) -> None:
    found = parsed(api.get(path, headers={"Host": "localhost"}))
    assert found["worlds"] == 0
    assert len(api.app.worlds) == 0


def test_get_metrics_counts_requests_by_operation_and_status(api: Api) -> None:
    ok(api.get("/course/1/"))
    ok(api.get("/course/1/"))
    assert api.get("/course/99/").status_code == 404
    assert api.get("//nowhere").status_code == 404
    assert api.get("//docs/").status_code == 200
    assert api.get("/course/1/", headers={"Accept": "text/html"}).status_code == 406
    ok(api.get("/__stub/health"))
    assert requests(api) == {
        "get_course 200": 2,
        "get_course 404": 1,
        "get_course 406": 1,
        "get_health 200": 1,
        "none 200": 1,
        "none 404": 1,
    }
    assert metrics(api)["request_duration_seconds_count get_course"] == 4


def test_get_metrics_counts_itself(api: Api) -> None:
    metrics(api)
    assert requests(api) == {"get_metrics 200": 1}


def test_get_metrics_counts_transactions(api: Api) -> None:
    """Those that would change something, and what became of them."""
    creator = api.as_("creator")
    ok(creator.get("/course/1/"))
    assert transactions(api) == (0, 0)
    ok(creator.patch("/course/1/", json={"name": "Knots"}))
    done(creator.delete("/course/2/"))
    assert transactions(api) == (2, 0)
    assert api.as_("stranger").patch("/course/1/", json={"name": "Mine"}).status_code == 403  # nothing has begun
    assert creator.post("/course/1/invite/", json={}).status_code == 400
    assert transactions(api) == (2, 0)
    assert creator.post("/course/1/role/", json={"joined": [1]}).status_code == 400  # it notices as it runs
    assert transactions(api) == (2, 1)
    ok(api.post("/__stub/worlds", json={"name": "made"}), 201)
    assert transactions(api) == (2, 1)


def test_get_metrics_counts_an_answer_that_was_lost(api: Api) -> None:
    """What it did is committed nevertheless."""
    create(api, kind="lost")
    api.as_("creator").patch("/course/1/", json={"name": "Knots"})
    assert requests(api)["patch_course none"] == 1
    assert transactions(api) == (1, 0)


def test_get_metrics_tells_what_is_held_and_evicted(api: Api) -> None:
    for number in range(5):
        ok(api.get("/course/1/", headers=named(f"w{number}")))
    for _ in range(5):
        ok(api.get("/course/1/", headers=named("w4")))
    ok(api.post("/__stub/snapshots", json={"name": "s"}), 201)
    found, health = metrics(api), ok(api.get("/__stub/health"))
    assert found["worlds"] == health["worlds"]["kept"] == 3
    assert found["worlds_limit"] == 3
    assert found["worlds_evicted_total"] == health["worlds"]["evicted"] == 3
    assert found["snapshots"] == 1
    assert found["worlds_bytes"] == health["memory"]["worlds"] > 0
    assert found["snapshots_bytes"] == health["memory"]["snapshots"]
    assert found["memory_limit_bytes"] == BOUNDED.max_memory
    assert found["journal_requests"] == health["requests"]["kept"]
    assert found["journal_requests_evicted_total"] == health["requests"]["forgotten"] == 3
    assert found["journal_bytes"] == health["requests"]["bytes"] > 0
    assert found["journal_limit_bytes"] == BOUNDED.max_journal
    assert not any(name.startswith("store_") for name in found)


def test_get_metrics_tells_of_the_store(shared: Callable[[], Api]) -> None:
    """Two servers at one store each count their own requests, and both tell what the store holds."""
    one, other = shared(), shared()
    ok(one.get("/course/1/", headers=named("w")))
    ok(other.as_("creator").patch("/course/1/", json={"name": "Knots"}, headers=named("w")))
    first, second = metrics(one), metrics(other)
    assert first["store_up"] == second["store_up"] == 1
    assert first["worlds"] == second["worlds"] == 1
    assert first["journal_requests"] == second["journal_requests"] == 2
    assert first["store_turns_total"] > 0
    assert (first["transactions_total committed"], second["transactions_total committed"]) == (0, 1)
    assert {"requests_total get_course 200", "requests_total patch_course 200"} & first.keys() == {
        "requests_total get_course 200"
    }


def test_get_metrics_counts_conflicts_and_each_request_once(shared: Callable[[], Api]) -> None:
    """What a conflict has undone is done again, but it is one request, and one transaction."""
    one, other = shared(), shared()
    ok(one.get("/course/1/", headers=named("w")))

    async def faster() -> None:
        headers = {"Authorization": "Bearer stub-creator", **named("w")}
        assert (await other._run("PATCH", "/api/v2/course/2/", headers, {"json": {"name": "Bends"}})).is_success

    store_of(one.app).meanwhile = [faster]
    ok(one.as_("creator").patch("/course/1/", json={"name": "Knots"}, headers=named("w")))
    found = metrics(one)
    assert found["store_conflicts_total"] == 1
    assert found["transactions_total committed"] == found["requests_total patch_course 200"] == 1


def test_get_metrics_survives_the_store(shared: Callable[[], Api]) -> None:
    """What the store alone knows is left out, and nothing has been committed."""
    api = shared()
    ok(api.get("/course/1/"))
    error = Unavailable("SQLite file worlds.db is full")
    store_of(api.app).failing = [("refresh", None), ("commit", error)]
    response = api.as_("creator").patch("/course/1/", json={"name": "Knots"})
    assert response.status_code == 503
    store_of(api.app).failing = [("kept", error)]
    found = metrics(api)
    assert (found["store_up"], found["store_failures_total"]) == (0, 2)
    assert (found["transactions_total committed"], found["transactions_total rolled_back"]) == (0, 1)
    assert found["requests_total patch_course 503"] == 1
    assert "worlds" not in found
    assert "memory_limit_bytes" in found
    assert metrics(api)["store_up"] == 1
