"""Names in requests to the control plane: a misspelt one is refused, so that no expectation passes by mistake."""

from collections.abc import Iterator
from typing import Any

import pytest

from stubserver.contract.contract import Contract
from stubserver.control.names import may_match
from tests.support.answers import ok, refused
from tests.support.client import Api
from tests.support.control import CONTROL

VERIFY, FAULTS, REQUESTS = "/__stub/verify", "/__stub/faults", "/__stub/requests"
pytestmark = pytest.mark.in_process("it is about the world default")

# Fields and parameters


def bodies() -> Iterator[Any]:
    """Every field of every body, misspelt by one letter: operation, field, and the name as it is sent."""
    for operation in CONTROL.operations.values():
        for body in operation.bodies.values():
            for field in body.schema["properties"]:
                for misspelt in (field[:-1], f"{field}s", f"{field[1]}{field[0]}{field[2:]}"):
                    if misspelt and misspelt not in body.schema["properties"]:
                        yield pytest.param(operation.id, field, misspelt, id=f"{operation.id}-{misspelt}")


@pytest.mark.parametrize(("name", "field", "misspelt"), [*bodies()])
def test_a_misspelt_field_is_refused_with_the_right_one(api: Api, name: str, field: str, misspelt: str) -> None:
    operation = CONTROL.operations[name]
    path = operation.path.replace("{snapshot}", "s")
    response = api.request(operation.method.upper(), path, json={misspelt: 1})
    assert refused(response, 400)[misspelt] == "invalid"
    (entry,) = (found for found in response.json()["errors"] if found.get("field") == misspelt)
    assert f"There is no field {misspelt!r}." in entry["messages"][0]["message"]
    assert field in entry["messages"][0]["message"].partition("field ")[2].partition(".")[2]


@pytest.mark.parametrize("name", [name for name, found in CONTROL.operations.items() if "{" not in found.path])
def test_an_unknown_parameter_is_refused(api: Api, name: str) -> None:
    operation = CONTROL.operations[name]
    example = next(iter(operation.bodies.values())).schema if operation.bodies else None
    options: dict[str, Any] = {"json": {}} if example is not None else {}
    response = api.request(operation.method.upper(), f"{operation.path}?worlld=w", **options)
    assert refused(response, 400)["worlld"] == "invalid"
    assert "There is no query parameter 'worlld'." in response.text


def test_a_misspelt_parameter_is_refused_with_the_right_one(api: Api) -> None:
    response = api.get(f"{REQUESTS}?operaton=get_course")
    assert refused(response, 400) == {"operaton": "invalid"}
    assert "Did you mean operation" in response.text


def test_a_refusal_of_many_or_long_names_is_short(api: Api) -> None:
    """However much the request brings."""
    many = {f"field{number}": 1 for number in range(5000)}
    for sent in (many, {"x" * 1_000_000: 1}):
        response = api.post(VERIFY, json=sent)
        assert 1 <= len(refused(response, 400)) <= 20
        assert len(response.content) < 20_000


def test_the_api_goes_on_ignoring_what_it_does_not_know(api: Api) -> None:
    """R011."""
    ok(api.get("/course/search/?operaton=x"))
    ok(api.as_("creator").patch("/course/1/", json={"nmae": "x"}))


# Values


@pytest.mark.parametrize(
    ("wanted", "field", "says"),
    [
        ({"operation": "join_corse"}, "operation", "Did you mean join_course"),
        ({"operation": "delete_curse", "times": 0}, "operation", "Did you mean delete_course"),
        ({"operation": "zzz"}, "operation", "There is no operation 'zzz'."),
        ({"persona": "creater"}, "persona", "Did you mean stub-creator"),
        ({"persona": "stub-strangr"}, "persona", "Did you mean stub-stranger"),
        ({"persona": "nobody"}, "persona", "Use one of: stub-creator"),
        ({"method": "get"}, "method", "is not a valid choice"),
        ({"method": "OPTIONS"}, "method", "is not a valid choice"),
        ({"operation": "join_course", "method": "GET"}, "method", "of join_course; use POST"),
        ({"status": 299}, "status", "299 is not a status; use 200"),
        ({"operation": "join_course", "status": 201}, "status", "of join_course; use 200"),
        ({"path": "/course/1/jion/"}, "path", "Did you mean /api/v2/course/{id}/join/"),
        ({"path": "/api/v2/course/1"}, "path", "No request can have the path"),
        ({"path": "/api/v2/course/abc/"}, "path", "No request can have the path"),
        ({"path": "course/1/"}, "path", "No request can have the path"),
        ({"path": "/api/v2/course/?/"}, "path", "No request can have the path"),
        ({"path": "/courses/*"}, "path", "No request can have the path"),
        ({"path": "/API/V2/COURSE/1/"}, "path", "No request can have the path"),
        ({"operation": "join_course", "path": "/course/1/"}, "path", "Use /api/v2/course/{id}/join/."),
    ],
)
def test_an_expectation_that_nothing_can_meet_is_refused(
    api: Api, wanted: dict[str, Any], field: str, says: str
) -> None:
    response = api.post(VERIFY, json=wanted)
    assert refused(response, 400).keys() == {field}
    assert says in response.text


@pytest.mark.parametrize(
    ("wanted", "field", "says"),
    [
        ({"kind": "error", "operation": "join_corse"}, "operation", "Did you mean join_course"),
        ({"kind": "error", "path": "/courses/*"}, "path", "No request can have the path"),
        ({"kind": "error", "operation": "get_course", "method": "PATCH"}, "method", "use GET, HEAD"),
        ({"kind": "error", "operation": "get_course", "path": "/category/"}, "path", "Use /api/v2/course/{id}/."),
        ({"kind": "stale", "method": "PUT"}, "method", "could never fire"),
        ({"kind": "stale", "operation": "patch_course"}, "operation", "could never fire"),
    ],
)
def test_a_fault_that_can_never_fire_is_refused(api: Api, wanted: dict[str, Any], field: str, says: str) -> None:
    response = api.post(FAULTS, json=wanted)
    assert refused(response, 400).keys() == {field}
    assert says in response.text
    assert ok(api.get(FAULTS))["count"] == 0


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("operation=join_corse", "operation"),
        ("persona=creater", "persona"),
        ("method=get", "method"),
        ("status=299", "status"),
    ],
)
def test_a_filter_that_nothing_can_pass_is_refused(api: Api, query: str, field: str) -> None:
    assert refused(api.get(f"{REQUESTS}?{query}"), 400).keys() == {field}


def test_requests_that_missed_the_contract_can_be_listed(api: Api) -> None:
    """They are in the journal, under paths that no operation has."""
    refused(api.get("/nowhere/"), 404)
    assert ok(api.get(f"{REQUESTS}?path=/api/v2/nowhere/"))["count"] == 1


@pytest.mark.parametrize("persona", ["stranger", "stub-stranger"])
def test_a_persona_may_be_named_in_short(api: Api, persona: str) -> None:
    ok(api.as_("stranger").post("/course/1/join/"))
    assert ok(api.post(VERIFY, json={"persona": persona}))["count"] == 1
    assert ok(api.get(f"{REQUESTS}?persona={persona}"))["count"] == 1


def test_a_path_may_be_relative_to_the_api(api: Api) -> None:
    ok(api.as_("stranger").post("/course/1/join/"))
    assert ok(api.post(VERIFY, json={"path": "/course/1/join/", "times": 1}))["verified"]
    created = ok(api.post(FAULTS, json={"kind": "error", "path": "/course/*"}), 201)
    assert created["path"] == "/api/v2/course/*"
    assert api.get("/course/1/").status_code == 503


def test_a_status_that_only_a_fault_gives_may_be_expected(api: Api) -> None:
    ok(api.post(FAULTS, json={"kind": "error", "status": 599, "operation": "join_course"}), 201)
    api.as_("stranger").post("/course/1/join/")
    assert ok(api.post(VERIFY, json={"operation": "join_course", "status": 599}))["verified"]


@pytest.mark.parametrize(
    ("pattern", "operation", "expected"),
    [
        ("/api/v2/course/1/", "get_course", True),
        ("/api/v2/course/-1/", "get_course", True),
        ("/api/v2/course/x/", "get_course", False),
        ("/api/v2/course//", "get_course", False),
        ("*", "get_course", True),
        ("**/1/", "get_course", True),
        ("*1*", "get_course", True),
        ("/api/*/c*e/12*", "get_course", True),
        ("/api/v2/course/*", "get_course_lesson", True),
        ("*/lesson/5/", "get_course_lesson", True),
        ("*/lesson/5/x*", "get_course_lesson", False),
        ("", "get_course", False),
        ("/api/v2/course/1", "get_course", False),
    ],
)
def test_a_pattern_may_match_the_paths_of_an_operation(
    contract: Contract, pattern: str, operation: str, expected: bool
) -> None:
    assert may_match(pattern, contract.operations[operation]) is expected


def test_a_pattern_of_many_stars_is_judged_in_time(contract: Contract) -> None:
    """In steps that grow with the product of the lengths, not exponentially."""
    assert not may_match("*a" * 95 + "!", contract.operations["get_course_lesson"])


# The clock


@pytest.mark.parametrize(
    "options", [{"json": {"at": "2031-05-01T09:00:00Z"}}, {"params": {"at": "2031-05-01T09:00:00Z"}}]
)
def test_freeze_clock_takes_the_time_in_the_body_or_the_query(api: Api, options: dict[str, Any]) -> None:
    clock = ok(api.post("/__stub/clock/freeze", **options))
    assert clock["now"].startswith("2031-05-01T09:00:00")


def test_freeze_clock_at_two_times_is_refused(api: Api) -> None:
    at = {"at": "2031-05-01T09:00:00Z"}
    assert refused(api.post("/__stub/clock/freeze", params=at, json=at), 400) == {"at": "invalid"}


def test_advance_clock_by_nothing_is_refused(api: Api) -> None:
    assert refused(api.post("/__stub/clock/advance", json={}), 400) == {"non_field_errors": "required"}
