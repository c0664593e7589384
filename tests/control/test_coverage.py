"""The control plane's coverage operations, and how requests to a server count."""

import re
from typing import Any

import pytest

from stubserver import __version__
from stubserver.contract.contract import Contract
from stubserver.records.coverage import COUNTED, DIMENSIONS, percent
from tests.support.answers import ok, refused
from tests.support.client import Api
from tests.support.faults import create

COVERAGE = "/__stub/coverage"
pytestmark = pytest.mark.in_process("coverage is of all worlds of a server together")


def report(api: Api) -> Any:
    return ok(api.get(COVERAGE))


def of(api: Api, name: str) -> Any:
    """The coverage of one operation."""
    (found,) = (found for found in report(api)["operations"] if found["operation"] == name)
    return found


def reached(api: Api, name: str) -> dict[str, dict[str, int]]:
    """What was exercised of an operation, by dimension."""
    return {dimension: {point: n for point, n in of(api, name)[dimension].items() if n} for dimension in DIMENSIONS}


def reached_by(api: Api) -> dict[str, int]:
    """The number of requests to each operation that had any."""
    return {found["operation"]: found["requests"] for found in report(api)["operations"] if found["requests"]}


def test_get_coverage_lists_all_operations(api: Api, contract: Contract) -> None:
    """Those of the contract, in its order, and no others."""
    found = report(api)
    assert [entry["operation"] for entry in found["operations"]] == list(contract.operations)
    assert (found["stubserver"], found["contract"]) == (__version__, contract.document["info"]["version"])
    assert (found["covered"], found["percent"]) == (0, 0)


def test_get_coverage_tells_what_a_request_exercised(api: Api) -> None:
    ok(api.as_("creator").get("/course/1/?view=edit&view=dashboard"))
    ok(api.get("/course/1/?nonsense=1"))
    refused(api.as_("member").get("/course/99/"), 404)
    found = of(api, "get_course")
    assert (found["method"], found["path"]) == ("GET", "/api/v2/course/{id}/")
    assert (found["requests"], found["only_refused"]) == (3, False)
    assert reached(api, "get_course") == {
        "statuses": {"200": 2, "404": 1},
        "parameters": {"view": 1},
        "fields": {},
        "values": {"view=dashboard": 1},
        "personas": {"stub-creator": 1, "stub-member": 1, "anonymous": 1},
    }


@pytest.mark.parametrize("as_json", [True, False])
def test_get_coverage_tells_which_fields_were_sent(api: Api, as_json: bool) -> None:
    """In a form as in JSON; ignored fields do not count."""
    body = {"name": "Knots", "type": "structured", "privacy": "private", "categories": [1], "nonsense": "x"}
    form = {**body, "categories[0]": "1"}
    del form["categories"]
    ok(api.as_("creator").post("/course/", **({"json": body} if as_json else {"data": form})), 201)
    found = reached(api, "create_course")
    assert found["fields"] == dict.fromkeys(("name", "type", "privacy", "categories"), 1)
    assert found["values"] == {"type=structured": 1, "privacy=private": 1}


@pytest.mark.parametrize(
    "query", ["statuses[]=joined&statuses[]=manager", "statuses=joined,manager", 'statuses=["joined","manager"]']
)
def test_get_coverage_counts_each_value_of_a_list(api: Api, query: str) -> None:
    ok(api.as_("creator").get(f"/course/search/?{query}&search=&limit=5"))
    found = reached(api, "search_courses")
    assert found["parameters"] == {"statuses": 1, "search": 1, "limit": 1}
    assert found["values"] == {"statuses=joined": 1, "statuses=manager": 1}


def test_get_coverage_counts_nothing_of_a_refused_body(api: Api) -> None:
    creator = api.as_("creator")
    refused(creator.post("/course/", json={"name": "", "type": "structured"}), 400)
    refused(api.as_("stranger").patch("/course/1/", json={"name": "Knots"}), 403)
    refused(creator.get("/course/search/?statuses=x&search=y"), 400)
    for name, status in (("create_course", "400"), ("patch_course", "403"), ("search_courses", "400")):
        found = reached(api, name)
        assert (found["statuses"], found["parameters"], found["fields"], found["values"]) == ({status: 1}, {}, {}, {})
        assert of(api, name)["only_refused"]


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/course/", {}, 401),
        ("/course/", {"Authorization": "Bearer nobody"}, 401),
        ("/course/", {"Authorization": "Bearer stub-creator", "Accept": "text/html"}, 406),
        ("/course/", {"Authorization": "Bearer stub-creator", "Content-Length": "99999999999"}, 413),
    ],
)
def test_get_coverage_counts_early_refusals_for_their_operation(
    api: Api, path: str, headers: dict[str, str], status: int
) -> None:
    """The contract declares them, so they count as covered."""
    assert api.get(path, headers=headers).status_code == status
    assert reached(api, "list_joined_courses")["statuses"] == {str(status): 1}


def test_get_coverage_can_reach_every_status(api: Api, contract: Contract) -> None:
    """By preferring it."""
    for operation in contract.operations.values():
        path = re.sub(r"\{\w+\}", "1", operation.path)
        for status in {operation.status, *operation.answers}:
            api.request(operation.method.upper(), path, headers={"Prefer": f"code={status}"})
    assert {n for found in report(api)["operations"] for n in found["statuses"].values()} == {1}


def test_get_coverage_counts_head_with_get(api: Api) -> None:
    assert api.request("HEAD", "/course/1/").status_code == 200
    assert reached_by(api) == {"get_course": 1}


def test_get_coverage_is_of_all_worlds_together(api: Api) -> None:
    for world in ("default", "a", "b"):
        ok(api.get(f"/~{world}/api/v2/course/1/"))
    assert reached_by(api) == {"get_course": 3}
    assert ok(api.get("/~a/__stub/coverage")) == report(api)
    ok(api.post("/__stub/worlds/a/reset"))
    api.delete("/__stub/worlds/b")
    api.delete("/__stub/requests")
    assert reached_by(api) == {"get_course": 3}


def test_get_coverage_does_not_count_the_control_plane(api: Api) -> None:
    ok(api.get("/__stub/health"))
    ok(api.get("/__stub/requests"))
    api.get("/nowhere/")
    api.get("/course/1")
    api.put("/course/", json={})
    api.get("//docs/")
    found = report(api)
    assert (reached_by(api), found["covered"]) == ({}, 0)
    assert not [entry for entry in found["operations"] if entry["path"].startswith("/__stub")]


def test_get_coverage_sums_up(api: Api) -> None:
    """All points but the personas, which are so many that nothing else would matter."""
    ok(api.as_("creator").get("/course/1/?view=edit"))
    ok(api.as_("creator").get("/course/1/?view=edit"))
    found = report(api)
    counts = [n for entry in found["operations"] for dimension in COUNTED for n in entry[dimension].values()]
    assert (found["covered"], found["total"]) == (3, len(counts))  # status, parameter, value
    assert found["percent"] == percent(3, len(counts))
    assert sum(counts) == 6


def test_get_coverage_counts_an_error_that_a_fault_made(api: Api) -> None:
    """If the contract declares its status; what the request sent was not exercised."""
    create(api, status=403)
    api.as_("creator").patch("/course/1/", json={"name": "Knots"})
    found = reached(api, "patch_course")
    assert (found["statuses"], found["fields"], found["personas"]) == ({"403": 1}, {}, {"stub-creator": 1})
    assert of(api, "patch_course")["only_refused"]


def test_get_coverage_counts_no_refusal_that_was_lost_as_accepted(api: Api) -> None:
    create(api, "lost")
    api.as_("stranger").patch("/course/1/", json={"name": "Knots"})
    found = reached(api, "patch_course")
    assert (found["statuses"], found["fields"]) == ({}, {})
    assert (of(api, "patch_course")["requests"], of(api, "patch_course")["only_refused"]) == (1, True)


def test_get_coverage_counts_no_parameter_that_was_never_read(api: Api) -> None:
    """The request preferred its answer."""
    assert api.get("/course/search/?limit=nonsense&__code=200").status_code == 200
    found = reached(api, "search_courses")
    assert (found["statuses"], found["parameters"]) == ({"200": 1}, {})


def test_clear_coverage_counts_anew(api: Api) -> None:
    fresh = report(api)
    ok(api.as_("creator").patch("/course/1/", json={"name": "Knots"}))
    assert report(api) != fresh
    for _ in range(2):
        response = api.delete(COVERAGE)
        assert (response.status_code, response.content, report(api)) == (204, b"", fresh)
    ok(api.get("/course/1/"))
    assert reached_by(api) == {"get_course": 1}


def test_clear_coverage_leaves_worlds_and_journals_alone(api: Api) -> None:
    ok(api.as_("creator").patch("/course/1/", json={"name": "Knots"}))
    api.delete(COVERAGE)
    assert ok(api.get("/course/1/"))["name"] == "Knots"
    assert ok(api.get("/__stub/requests"))["count"] == 2
