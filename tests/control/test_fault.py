"""The control plane's fault operations: create, list, delete."""

from collections.abc import Callable
from typing import Any

import pytest

from stubserver.app import StubServer
from tests.support.answers import ok, refused
from tests.support.client import Api
from tests.support.faults import DEFAULTS, FAULTS, create, listed

EVERYTHING: dict[str, Any] = {
    "kind": "latency",
    "operation": "get_course",
    "method": "GET",
    "path": "/api/v2/course/*",
    "switch": "slow",
    "times": 2,
    "probability": 0.5,
    "seed": 7,
    "status": 418,
    "retry_after": 30,
    "seconds": 0.25,
    "distribution": "uniform",
    "at_most": 0.5,
}
KINDS = ("latency", "error", "reset", "truncate", "drip", "stale", "lost")
pytestmark = pytest.mark.in_process("it counts faults and worlds of the server")


def numbers(api: Api, world: str = "default") -> list[int]:
    return [fault["id"] for fault in listed(api, world)]


# Listing


def test_list_faults_is_empty_at_first(api: Api) -> None:
    assert ok(api.get(FAULTS)) == {"count": 0, "next": None, "previous": None, "results": []}


def test_list_faults_tells_how_often_each_has_fired(api: Api) -> None:
    first = create(api, status=500, operation="get_course", times=2)
    second = create(api, status=501, path="*/category/")
    third = create(api, status=502)
    paths = ["/course/1/", "/category/", "/course/1/", "/user/me/", "/course/1/"]
    assert [api.get(path).status_code for path in paths] == [500, 501, 500, 502, 502]
    assert listed(api) == [{**first, "fired": 2}, {**second, "fired": 1}, {**third, "fired": 2}]


def test_list_faults_answers_pages(api: Api) -> None:
    """Oldest first."""
    for _ in range(5):
        create(api)
    page = ok(api.get(f"{FAULTS}?limit=2&offset=1"))
    assert (page["count"], [fault["id"] for fault in page["results"]]) == (5, [2, 3])
    assert page["next"] == "http://localhost/__stub/faults?limit=2&offset=3"
    assert page["previous"] == "http://localhost/__stub/faults?limit=2"


def test_list_faults_touches_no_world(api: Api, app: StubServer) -> None:
    assert listed(api, "nobody-was-here") == []
    assert "nobody-was-here" not in app.worlds


# Making


@pytest.mark.parametrize("kind", KINDS)
def test_create_fault_answers_it_with_its_defaults(api: Api, kind: str) -> None:
    """Filters that were not given are left out."""
    assert create(api, kind) == {"id": 1, "kind": kind, "fired": 0, **DEFAULTS}


def test_create_fault_keeps_all_that_is_wanted(api: Api) -> None:
    assert create(api, **EVERYTHING) == {"id": 1, "fired": 0, **EVERYTHING}
    assert listed(api) == [{"id": 1, "fired": 0, **EVERYTHING}]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"kind": None}, {"kind": "null"}),
        ({"kind": "flood"}, {"kind": "invalid_choice"}),
        ({"status": 399}, {"status": "min_value"}),
        ({"status": 600}, {"status": "max_value"}),
        ({"status": "teapot"}, {"status": "invalid"}),
        ({"probability": -0.01}, {"probability": "min_value"}),
        ({"probability": 1.01}, {"probability": "max_value"}),
        ({"times": 0}, {"times": "min_value"}),
        ({"times": 1_000_001}, {"times": "max_value"}),
        ({"times": 1.5}, {"times": "invalid"}),
        ({"seed": -1}, {"seed": "min_value"}),
        ({"seed": 2**32}, {"seed": "max_value"}),
        ({"seconds": -1}, {"seconds": "min_value"}),
        ({"seconds": 61}, {"seconds": "max_value"}),
        ({"at_most": 61}, {"at_most": "max_value"}),
        ({"retry_after": -1}, {"retry_after": "min_value"}),
        ({"retry_after": 86401}, {"retry_after": "max_value"}),
        ({"distribution": "normal"}, {"distribution": "invalid_choice"}),
        ({"method": "TRACE"}, {"method": "invalid_choice"}),
        ({"method": "get"}, {"method": "invalid_choice"}),
        ({"path": "x" * 201}, {"path": "max_length"}),
        ({"operation": "x" * 65}, {"operation": "max_length"}),
        ({"switch": ""}, {"switch": "blank"}),
        ({"switch": None}, {"switch": "null"}),
        ({"switch": True}, {"switch": "invalid"}),
        ({"switch": ["slow"]}, {"switch": "invalid"}),
        ({"switch": "slow.broken"}, {"switch": "invalid"}),
        ({"switch": "slow broken"}, {"switch": "invalid"}),
        ({"switch": "slów"}, {"switch": "invalid"}),
        ({"switch": "slow\n"}, {"switch": "invalid"}),
        ({"switch": "x" * 41}, {"switch": "max_length"}),
        ({"swich": "slow"}, {"swich": "invalid"}),
        ({"kind": "flood", "times": 0}, {"kind": "invalid_choice", "times": "min_value"}),
    ],
)
def test_create_fault_refuses_what_cannot_be(api: Api, wanted: dict[str, Any], expected: dict[str, str]) -> None:
    assert refused(api.post(FAULTS, json={"kind": "error", **wanted}), 400) == expected
    assert listed(api) == []


def test_create_fault_says_how_a_switch_may_be_called(api: Api) -> None:
    for wanted, says in (
        ({"switch": "slow.broken"}, '"slow.broken" does not match ^[A-Za-z0-9_-]+$.'),
        ({"switch": "x" * 41}, "Must have no more than 40 characters."),
        ({"swich": "slow"}, "There is no field 'swich'. Did you mean switch?"),
        ({"switches": "slow"}, "There is no field 'switches'. Did you mean switch?"),
    ):
        response = api.post(FAULTS, json={"kind": "error", **wanted})
        assert response.json()["errors"][0]["messages"][0]["message"] == says


def test_create_fault_needs_a_kind(api: Api) -> None:
    assert refused(api.post(FAULTS, json={}), 400) == {"kind": "required"}


@pytest.mark.parametrize(
    "wanted",
    [
        {"status": 400},
        {"status": 599},
        {"probability": 0},
        {"seconds": 0},
        {"seconds": 60, "at_most": 60},
        {"retry_after": 86400},
        {"times": 1_000_000},
        {"seed": 2**32 - 1},
        {"path": "*" * 200},
        {"method": "HEAD"},
        {"switch": "x" * 40},
        {"switch": "Slow_2-b"},
    ],
)
def test_create_fault_takes_the_bounds_themselves(api: Api, wanted: dict[str, Any]) -> None:
    assert wanted.items() <= create(api, **wanted).items()


@pytest.mark.parametrize(
    ("name", "suggested"),
    [
        ("update_cource", "update_course"),
        ("updateCourse", "update_course"),
        ("get_lesson", "get_course_lesson"),
        ("list_faults", "list_features"),
    ],
)
def test_create_fault_suggests_an_operation(api: Api, name: str, suggested: str) -> None:
    """Operations of the control plane cannot fail, so none is suggested."""
    response = api.post(FAULTS, json={"kind": "error", "operation": name})
    assert refused(response, 400) == {"operation": "does_not_exist"}
    said, _, hint = response.json()["errors"][0]["messages"][0]["message"].partition(" Did you mean ")
    assert said == f"There is no operation {name!r}."
    assert suggested in hint.removesuffix("?").split(", ")
    assert listed(api) == []


@pytest.mark.parametrize("name", ["zzzz", "", "404"])
def test_create_fault_suggests_nothing_far_from_any_operation(api: Api, name: str) -> None:
    response = api.post(FAULTS, json={"kind": "error", "operation": name})
    assert response.json()["errors"][0]["messages"][0]["message"] == f"There is no operation {name!r}."


def test_create_fault_stops_at_a_hundred(api: Api) -> None:
    """The limit is per world; numbers are never reused."""
    for _ in range(100):
        create(api, times=1, path="/user/999/")
    response = api.post(FAULTS, json={"kind": "error"})
    assert refused(response, 400) == {"non_field_errors": "max_length"}
    assert "World default already has 100 faults." in response.text
    assert len(listed(api)) == 100
    assert create(api, world="roomy")["id"] == 1
    assert api.delete(f"{FAULTS}/50").status_code == 204
    assert create(api)["id"] == 101
    refused(api.post(FAULTS, json={"kind": "error"}), 400)


# Ending


def test_delete_fault_ends_that_one(api: Api) -> None:
    for status in (500, 501, 502):
        create(api, status=status)
    assert api.get("/course/1/").status_code == 500
    response = api.delete(f"{FAULTS}/1")
    assert (response.status_code, response.content) == (204, b"")
    assert numbers(api) == [2, 3]
    assert api.get("/course/1/").status_code == 501
    assert create(api)["id"] == 4


@pytest.mark.parametrize("number", [2, 99, 9223372036854775807])
def test_delete_fault_of_an_unknown_number_is_refused(api: Api, number: int) -> None:
    create(api)
    response = api.delete(f"{FAULTS}/{number}")
    assert refused(response, 404) == {"": "not_found"}
    assert f"World default has no fault {number}." in response.text
    assert numbers(api) == [1]


def test_delete_fault_twice_is_refused(api: Api) -> None:
    create(api)
    assert [api.delete(f"{FAULTS}/1").status_code for _ in range(2)] == [204, 404]


def test_delete_fault_of_another_world_is_refused(api: Api) -> None:
    create(api)
    assert refused(api.delete(f"{FAULTS}/1", headers={"X-Stub-World": "other"}), 404) == {"": "not_found"}
    assert numbers(api) == [1]


def test_clear_faults_ends_all(api: Api) -> None:
    for _ in range(3):
        create(api)
    create(api, world="other")
    for _ in range(2):  # the second time there are none
        response = api.delete(FAULTS)
        assert (response.status_code, response.content) == (204, b"")
    assert (numbers(api), numbers(api, "other")) == ([], [1])
    assert api.get("/course/1/").status_code == 200
    assert create(api)["id"] == 4


# Worlds


def test_create_fault_is_about_the_world_that_is_named(api: Api) -> None:
    """By the header or by the base path."""
    create(api, world="stormy", status=500)
    ok(api.post("/~stormy/__stub/faults", json={"kind": "error", "status": 501}), 201)
    assert (numbers(api), numbers(api, "stormy")) == ([], [1, 2])
    assert api.get("/course/1/").status_code == 200
    assert api.get("/~stormy/api/v2/course/1/").status_code == 500
    assert api.get("/course/1/", headers={"X-Stub-World": "stormy"}).status_code == 500
    assert [ok(api.get(f"/__stub/worlds/{name}"))["faults"] for name in ("default", "stormy")] == [0, 2]


def test_a_slash_too_many_never_leads_to_another_world(api: Api) -> None:
    """A client that follows redirects must not create a fault elsewhere."""
    response = api.post("/~stormy/__stub/faults/", json={"kind": "error"})
    assert "/~stormy/" in response.headers.get("location", "/~stormy/")
    assert "/~stormy/" in api.get("/~stormy/__stub/faults/").headers.get("location", "/~stormy/")


@pytest.mark.parametrize("ending", ["reset", "restore", "delete"])
def test_a_world_that_begins_anew_has_no_faults(api: Api, ending: str) -> None:
    """Its fault numbers start at 1 again."""
    ok(api.post("/__stub/snapshots", json={"name": "calm"}, headers={"X-Stub-World": "stormy"}), 201)
    create(api, world="stormy")
    match ending:
        case "reset":
            ok(api.post("/__stub/worlds/stormy/reset"))
        case "restore":
            ok(api.post("/__stub/snapshots/calm/restore", headers={"X-Stub-World": "stormy"}))
        case "delete":
            assert api.delete("/__stub/worlds/stormy").status_code == 204
    assert numbers(api, "stormy") == []
    assert api.get("/~stormy/api/v2/course/1/").status_code == 200
    assert create(api, world="stormy")["id"] == 1


def test_a_stale_fault_takes_the_room_of_a_world(fresh: Callable[..., Api]) -> None:
    """Because it has the rows as they were; others take little. A refused one uses up no number."""
    api = fresh(max_world=60_000, max_memory=480_000)
    ok(api.as_("creator").patch("/~w/api/v2/course/1/", json={"description": "x" * 20_000}))
    create(api, "error", world="w")
    create(api, "stale", world="w")
    response = api.post(FAULTS, json={"kind": "stale"}, headers={"X-Stub-World": "w"})
    assert refused(response, 400) == {"non_field_errors": "max_length"}
    assert "World w would take more than 60000 bytes" in response.text
    assert numbers(api, "w") == [1, 2]
    held = ok(api.get("/__stub/health"))["memory"]["worlds"]
    api.delete(f"{FAULTS}/2", headers={"X-Stub-World": "w"})
    assert held - 30_000 < ok(api.get("/__stub/health"))["memory"]["worlds"] < held - 20_000
    assert create(api, "stale", world="w")["id"] == 3


def test_only_stale_faults_keep_rows(api: Api) -> None:
    for kind in KINDS:
        create(api, kind)
    kept = [fault.kind for fault in api.world.faults.values() if fault.snapshot is not None]
    assert kept == ["stale"]


def test_a_fork_does_not_inherit_faults(api: Api) -> None:
    create(api)
    ok(api.post("/__stub/worlds", json={"name": "fork", "world": "default"}), 201)
    assert numbers(api, "fork") == []


# Form


def test_create_fault_reads_json_only(api: Api) -> None:
    assert refused(api.post(FAULTS, data={"kind": "error"}), 415) == {"": "unsupported_media_type"}
    assert refused(api.post(FAULTS, content=b"{", headers={"Content-Type": "application/json"}), 400) == {
        "": "parse_error"
    }


def test_faults_never_concern_the_control_plane(api: Api) -> None:
    for kind in ("error", "reset"):
        create(api, kind)
    assert numbers(api) == [1, 2]
    assert [fault["fired"] for fault in listed(api)] == [0, 0]
    assert api.get("/__stub/nowhere").status_code == 404
