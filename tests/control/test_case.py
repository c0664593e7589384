"""Cases: the state before the first request in the journal, what was done to the faults, and the requests."""

from typing import Any

import pytest

import stubserver
from tests.support.answers import ok
from tests.support.client import Api
from tests.support.faults import FAULTS, create
from tests.support.journal import REQUESTS, requests
from tests.support.worlds import make, named

pytestmark = pytest.mark.in_process("it is about the journal of the world default")

CASE = "/__stub/case"


def test_get_case_of_a_new_world(api: Api) -> None:
    case = ok(api.get(CASE, headers=named("w")))
    start = case.pop("start")
    assert (start["fixture"], start["tables"], start["clock"]) == ("default", {}, {"ahead": 0})
    assert case == {
        "case": 1,
        "stubserver": stubserver.__version__,
        "contract": ok(api.get("/__stub/version"))["contract"],
        "world": "w",
        "seed": 0,
        "strict": False,
        "forgotten": 0,
        "faults": [],
        "variants": [],
        "requests": [],
    }


def test_get_case_has_the_requests_oldest_first(api: Api) -> None:
    make(api, "Knots")
    ok(api.get("/course/1/"))
    case = ok(api.get(CASE))
    assert case["requests"] == list(reversed(requests(api)))
    assert [entry["operation"] for entry in case["requests"]] == ["create_course", "get_course"]


def test_get_case_starts_before_the_first_request_in_the_journal(api: Api) -> None:
    make(api, "Before", "w")
    ok(api.post("/__stub/snapshots", json={"name": "taken"}, headers=named("w")), 201)
    taken = ok(api.get("/__stub/snapshots/taken"))
    assert taken["tables"]
    make(api, "Later", "w")
    assert ok(api.get(CASE, headers=named("w")))["start"]["tables"] == {}
    for name, source in (("restored", {"snapshot": "taken"}), ("forked", {"world": "w"})):
        ok(api.post("/__stub/worlds", json={"name": name, **source}), 201)
        make(api, "Afterwards", name)
    assert ok(api.get(CASE, headers=named("restored")))["start"] == taken
    assert "Later" in str(ok(api.get(CASE, headers=named("forked")))["start"]["tables"])
    assert api.delete(REQUESTS, headers=named("w")).status_code == 204
    case = ok(api.get(CASE, headers=named("w")))
    assert case["requests"] == []
    assert "Later" in str(case["start"]["tables"])
    ok(api.post("/__stub/worlds/w/reset"))
    assert ok(api.get(CASE, headers=named("w")))["start"]["tables"] == {}


def test_get_case_tells_what_was_done_to_the_faults(api: Api) -> None:
    first: dict[str, Any] = {"kind": "error", "status": 500, "operation": "get_course"}
    create(api, **first)
    api.get("/course/1/")
    create(api, "reset", times=1)
    assert api.delete(f"{FAULTS}/1").status_code == 204
    ok(api.get("/category/", headers=named("w")))
    assert api.delete(f"{FAULTS}/1").status_code == 404
    assert api.delete(FAULTS).status_code == 204
    assert ok(api.get(CASE))["faults"] == [
        {"after": 0, "operation": "create_fault", "id": 1, "fault": first},
        {"after": 1, "operation": "create_fault", "id": 2, "fault": {"kind": "reset", "times": 1}},
        {"after": 1, "operation": "delete_fault", "id": 1, "fault": None},
        {"after": 1, "operation": "clear_faults", "id": None, "fault": None},
    ]


def test_get_case_remembers_the_last_thousand_changes_of_faults(api: Api) -> None:
    for _ in range(501):
        create(api)
        assert api.delete(FAULTS).status_code == 204
    found = ok(api.get(CASE))["faults"]
    assert (len(found), found[0]["id"], found[-2]["id"]) == (1000, 2, 501)
