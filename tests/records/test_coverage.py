"""What counts as exercised: the points of the contract, and the requests that reach them."""

import re
from typing import Any

import pytest

from stubserver.contract.contract import Contract
from stubserver.contract.operation import Operation
from stubserver.records.coverage import COUNTED, DIMENSIONS, Coverage, percent
from stubserver.worlds.snapshot import Fixture
from stubserver.worlds.world import World
from tests.support.answers import ok
from tests.support.calls import called
from tests.support.client import Api
from tests.support.default import PERSONAS
from tests.support.documents import declared
from tests.support.journal import newest


@pytest.fixture
def coverage(contract: Contract, default_fixture: Fixture) -> Coverage:
    return Coverage(contract, default_fixture.tokens)


def points(coverage: Coverage, name: str) -> dict[str, dict[str, int]]:
    """The exercised points of an operation, by dimension."""
    (report,) = (found for found in coverage.report()["operations"] if found["operation"] == name)
    return {dimension: {name: n for name, n in report[dimension].items() if n} for dimension in DIMENSIONS}


# The points of the contract


def values(contract: Contract, name: str, schema: Any) -> set[str]:
    """The documented values of a parameter or field, if there are several."""
    schema = contract.resolve(schema)
    schema = contract.resolve(schema["items"]) if "items" in schema else schema
    options = schema.get("enum", [])
    return {f"{name}={option}" for option in options} if len(options) > 1 else set()


def test_the_universe_is_what_the_contract_declares(contract: Contract, coverage: Coverage) -> None:
    """Compared with the document itself, read here independently."""
    report = {found["operation"]: found for found in coverage.report()["operations"]}
    assert len(report) == sum(1 for _ in declared(contract.document))
    for path, method, raw in declared(contract.document):
        found = report[raw["operationId"]]
        assert (found["method"], found["path"]) == (method.upper(), contract.base + path)
        parameters = [contract.resolve(parameter) for parameter in raw.get("parameters", [])]
        named = {parameter["name"]: parameter["schema"] for parameter in parameters if parameter["in"] != "path"}
        content = contract.resolve(raw.get("requestBody", {})).get("content", {})
        fields: dict[str, Any] = {}
        for body in content.values():
            fields |= contract.properties(body["schema"])
        fields = {name: part for name, part in fields.items() if not contract.resolve(part).get("readOnly")}
        documented = {value for name, schema in {**named, **fields}.items() for value in values(contract, name, schema)}
        assert set(found["statuses"]) == set(raw["responses"])
        assert set(found["parameters"]) == set(named)
        assert set(found["fields"]) == set(fields)
        assert set(found["values"]) == documented
        assert list(found["personas"]) == [*[f"stub-{name}" for name in PERSONAS], "anonymous"]


def test_a_few_points_by_hand(coverage: Coverage) -> None:
    """In case the test above misreads the contract in the same way as the server."""
    report = {found["operation"]: found for found in coverage.report()["operations"]}
    assert list(report["get_course"]["statuses"]) == ["200", "400", "401", "403", "404", "406", "413"]
    assert list(report["get_course"]["parameters"]) == ["view", "user"]
    assert list(report["get_course"]["values"]) == ["view=user", "view=edit", "view=dashboard"]
    assert "statuses=joined" in report["search_courses"]["values"]
    assert {"privacy=open", "type=scheduled"} <= set(report["create_course"]["values"])
    assert list(report["upload_media_chunk"]["parameters"]) == ["Content-Range"]
    assert list(report["oauth_token"]["values"]) == [
        f"grant_type={kind}" for kind in ("password", "authorization_code", "refresh_token")
    ]
    assert {**report["delete_course"], "statuses": None, "personas": None} == {
        "operation": "delete_course",
        "method": "DELETE",
        "path": "/api/v2/course/{id}/",
        "requests": 0,
        "only_refused": False,
        "statuses": None,
        "parameters": {},
        "fields": {},
        "values": {},
        "personas": None,
    }


def test_at_first_nothing_is_covered(contract: Contract, coverage: Coverage) -> None:
    report = coverage.report()
    total = sum(len(found[dimension]) for found in report["operations"] for dimension in COUNTED)
    assert (report["covered"], report["percent"], report["total"]) == (0, 0.0, total)
    assert report["contract"] == contract.document["info"]["version"]
    assert re.fullmatch(r"[0-9]+\.[0-9]+\.[0-9]+\S*", report["stubserver"])
    assert {count for found in report["operations"] for name in DIMENSIONS for count in found[name].values()} == {0}


# What counts


def test_an_answer_counts_for_its_status_and_its_caller(contract: Contract, coverage: Coverage, world: World) -> None:
    call = called(world, contract.operations["get_course"], user=3)
    for status in (200, 200, 404):
        coverage.note(call, status)
    coverage.note(called(world, contract.operations["get_course"]), 200)
    assert points(coverage, "get_course") == {
        "statuses": {"200": 3, "404": 1},
        "parameters": {},
        "fields": {},
        "values": {},
        "personas": {"stub-member": 3, "anonymous": 1},
    }


def test_sent_parameters_count_with_their_values(contract: Contract, coverage: Coverage, world: World) -> None:
    """Under the name that the contract gives them, however they were spelled."""
    query = {"statuses": ["joined", "manager"], "limit": 3, "ordering": "-created_at", "offset": 0}
    call = called(world, contract.operations["search_courses"], raw_query="statuses[]=x&limit=3", query=query)
    coverage.note(call, 200)
    found = points(coverage, "search_courses")
    assert found["parameters"] == {"statuses": 1, "limit": 1}
    assert found["values"] == {"statuses=joined": 1, "statuses=manager": 1}


def test_defaults_that_were_not_sent_do_not_count(contract: Contract, coverage: Coverage, world: World) -> None:
    operation = contract.operations["create_course"]
    body = {**operation.defaults, "type": "structured", "name": "x"}
    coverage.note(called(world, operation, body=body, sent_fields=("type", "name", "unknown")), 201)
    assert operation.defaults
    assert points(coverage, "create_course")["fields"] == {"type": 1, "name": 1}
    assert points(coverage, "create_course")["values"] == {"type=structured": 1}
    coverage.note(called(world, contract.operations["get_course"], query={"view": "user"}), 200)
    assert (points(coverage, "get_course")["parameters"], points(coverage, "get_course")["values"]) == ({}, {})


@pytest.mark.in_process("it clears the coverage")
@pytest.mark.parametrize("form", [{"status": ""}, {"status": "", "name": "Brushes"}], ids=["alone", "with others"])
def test_an_empty_choice_that_a_form_leaves_out_breaks_nothing(api: Api, form: dict[str, str]) -> None:
    """It counts as a field that was sent, without a value."""
    assert api.delete("/__stub/coverage").status_code == 204
    lesson = "/course/1/section/1/lesson/1/"
    ok(api.as_("creator").patch(lesson, data=form))
    (entry,) = (
        found for found in ok(api.get("/__stub/coverage"))["operations"] if found["operation"] == "patch_course_lesson"
    )
    assert {name for name, count in entry["fields"].items() if count} == {*form}
    assert not any(entry["values"].values())
    assert newest(api)["status"] == 200


def test_a_header_that_is_a_parameter_counts(contract: Contract, coverage: Coverage, world: World) -> None:
    headers = {"content-range": "bytes 0-2/3", "accept": "*/*"}
    read = {"Content-Range": "bytes 0-2/3"}
    coverage.note(called(world, contract.operations["upload_media_chunk"], headers=headers, query=read), 201)
    assert points(coverage, "upload_media_chunk")["parameters"] == {"Content-Range": 1}


@pytest.mark.parametrize("status", [400, 401, 403, 404, 500])
def test_of_a_refused_request_only_status_and_caller_count(
    contract: Contract, coverage: Coverage, world: World, status: int
) -> None:
    """A refused request exercises nothing else."""
    operation = contract.operations["update_course"]
    coverage.note(called(world, operation, body={"name": "x"}, sent_fields=("name",), raw_query="x=1"), status)
    found = points(coverage, "update_course")
    assert (found["parameters"], found["fields"], found["values"]) == ({}, {}, {})
    assert found["statuses"] == ({str(status): 1} if status != 500 else {})
    assert found["personas"] == {"anonymous": 1}


def test_what_is_no_operation_counts_for_nothing(coverage: Coverage, world: World) -> None:
    before = coverage.report()
    coverage.note(called(world, None), 404)
    assert coverage.report() == before


def test_what_is_undeclared_is_no_point(contract: Contract, coverage: Coverage, world: World) -> None:
    """A fault's own status, or a caller who is not a persona, adds no points."""
    total = coverage.report()["total"]
    operation = contract.operations["get_course"]
    coverage.note(called(world, operation, user=8), 418)
    assert (coverage.report()["total"], coverage.report()["covered"]) == (total, 0)
    (report,) = (found for found in coverage.report()["operations"] if found["operation"] == "get_course")
    assert (report["requests"], report["only_refused"]) == (1, True)


def test_only_refused_means_asked_but_never_accepted(contract: Contract, coverage: Coverage, world: World) -> None:
    def refused() -> list[str]:
        return [found["operation"] for found in coverage.report()["operations"] if found["only_refused"]]

    call = called(world, contract.operations["delete_course"])
    assert refused() == []
    coverage.note(call, 403)
    coverage.note(called(world, contract.operations["get_course"]), 200)
    assert refused() == ["delete_course"]
    coverage.note(call, 204)
    coverage.note(call, 403)
    assert refused() == []


def test_clear_begins_anew(contract: Contract, coverage: Coverage, world: World) -> None:
    fresh = coverage.report()
    coverage.note(called(world, contract.operations["get_course"], raw_query="view=user", query={"view": "user"}), 200)
    assert coverage.report() != fresh
    coverage.clear()
    assert coverage.report() == fresh


def test_a_report_is_not_changed_by_what_comes_later(contract: Contract, coverage: Coverage, world: World) -> None:
    before = coverage.report()
    coverage.note(called(world, contract.operations["get_course"]), 200)
    assert before["covered"] == 0
    assert before["operations"][0] == coverage.report()["operations"][0]


# Percent


@pytest.mark.parametrize(
    ("part", "whole", "expected"),
    [
        (0, 7, 0.0),
        (1, 1000, 0.1),
        (1, 1001, 0.0),
        (1, 3, 33.3),
        (2, 3, 66.6),
        (1, 2, 50.0),
        (999, 1000, 99.9),
        (9999, 10000, 99.9),
        (10**9 - 1, 10**9, 99.9),
        (7, 7, 100.0),
        (0, 0, 100.0),
    ],
)
def test_percent_is_100_only_when_it_is_all(part: int, whole: int, expected: float) -> None:
    assert percent(part, whole) == expected


def everything(operation: Operation) -> Any:
    """All parameters, with each value in turn; their query string; and the fields with their values."""

    def options(schema: Any) -> list[Any]:
        return list(schema.get("items", schema).get("enum", ["x"]))

    declared = {parameter.name: options(parameter.schema) for parameter in operation.parameters}
    texts = "&".join(f"{name}=x" for name in declared)
    body = {name: options(schema) for name, schema in operation.fields.items()}
    return lambda n: {name: found[n % len(found)] for name, found in declared.items()}, texts, body


def test_everything_exercised_is_100_percent(contract: Contract, coverage: Coverage, world: World) -> None:
    for operation in contract.operations.values():
        for user in (None, *world.personas):
            coverage.note(called(world, operation, user=user), 404)
        for status in {operation.status, *operation.answers}:
            coverage.note(called(world, operation), status)
        query, texts, body = everything(operation)
        headers = {parameter.name.lower(): "x" for parameter in operation.parameters if parameter.place == "header"}
        for n in range(50):
            picked = {name: options[n % len(options)] for name, options in body.items()}
            call = called(world, operation, query=query(n), raw_query=texts, headers=headers)
            call.body, call.sent_fields = picked, tuple(picked)
            coverage.note(call, operation.status)
    report = coverage.report()
    missing = [
        (found["operation"], dimension, name)
        for found in report["operations"]
        for dimension in DIMENSIONS
        for name, count in found[dimension].items()
        if not count
    ]
    assert missing == []
    assert (report["covered"], report["percent"]) == (report["total"], 100.0)
