"""A contract: what it refuses to load, and what it says about its document."""

from typing import Any

import pytest

from stubserver.contract.contract import Contract
from stubserver.contract.merging import SpecError
from tests.support.control import CONTROL
from tests.support.documents import nodes


def minimal(**changes: Any) -> dict[str, Any]:
    answer = {"description": "Yes.", "content": {"application/json": {"schema": {"type": "object"}}}}
    operation = {"operationId": "x", "x-access": "everyone", "responses": {"200": answer}, **changes}
    return {"openapi": "3.0.3", "paths": {"/x/": {"get": operation}}}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"x-nonsense": 1}, "x-nonsense"),
        ({"parameters": [{"name": "a", "in": "query", "schema": {"type": "string", "x-odd": 1}}]}, "x-odd"),
        ({"parameters": [{"$ref": "#/components/parameters/Gone"}]}, "Gone"),
        ({"responses": {"200": {"$ref": "#/components/responses/Gone"}}}, "Gone"),
        (
            {
                "responses": {
                    "200": {
                        "description": "",
                        "content": {
                            "application/json": {"schema": {"properties": {"a": {"$ref": "#/components/schemas/Gone"}}}}
                        },
                    }
                }
            },
            "Gone",
        ),
    ],
    ids=["operation key", "nested key", "parameter", "response", "property"],
)
def test_a_contract_that_cannot_be_served(changes: dict[str, Any], says: str) -> None:
    Contract(minimal())
    with pytest.raises(SpecError, match=says):
        Contract(minimal(**changes))


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("GET", "/api/v2/course/1/", "get_course"),
        ("HEAD", "/api/v2/course/1/", "get_course"),
        ("GET", "/api/v2/course/-1/", "get_course"),
        ("GET", "/api/v2/course/search/", "search_courses"),
        ("POST", "/api/v2/course/1/", None),
        ("OPTIONS", "/api/v2/course/1/", None),
        ("GET", "/api/v2/course/x/", None),
        ("GET", "/api/v2/course/1", None),
        ("GET", "/course/1/", None),
    ],
)
def test_find_knows_the_operation_that_answers(contract: Contract, method: str, path: str, name: str | None) -> None:
    """A literal path takes precedence over one with a parameter; rows are named by numbers only."""
    found = contract.find(method, path)
    assert (found.id if found else None) == name


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/api/v2/course/1/", ["DELETE", "GET", "HEAD", "PATCH", "PUT"]),
        ("/api/v2/course/1/invite/", ["DELETE", "GET", "HEAD", "POST"]),
        ("/oauth/token/", ["POST"]),
        ("/nowhere/", []),
    ],
)
def test_allowed_methods_are_those_of_the_path(contract: Contract, path: str, methods: list[str]) -> None:
    assert contract.allowed_methods(path) == methods


def test_names_are_texts_where_the_contract_says_so() -> None:
    """Worlds of the control plane have names, which contain no slash."""
    found = CONTROL.find("GET", "/__stub/worlds/any name")
    assert found is CONTROL.operations["get_world"]
    assert CONTROL.find("GET", "/__stub/worlds/a/b") is None


def test_properties_are_those_of_all_parts_and_have_their_defaults() -> None:
    """R021: the target of a reference counts as if it were written there."""
    document = minimal()
    document["components"] = {
        "schemas": {
            "Part": {"properties": {"a": {"default": 1}, "b": {"type": "string"}}},
            "Whole": {"allOf": [{"$ref": "#/components/schemas/Part"}], "properties": {"c": {"default": []}}},
        }
    }
    contract = Contract(document)
    assert list(contract.properties({"$ref": "#/components/schemas/Whole"})) == ["a", "b", "c"]
    assert contract.defaults(contract.schema("Whole")) == {"a": 1, "c": []}


def test_credentials_are_the_fields_that_are_passwords(contract: Contract) -> None:
    """A password field added to the contract is hidden from logs and journals at once."""
    declared = {
        name
        for node in nodes(contract.document["components"]["schemas"])
        for name, part in (node["properties"].items() if isinstance(node.get("properties"), dict) else ())
        if isinstance(part, dict) and part.get("format") == "password"
    }
    assert contract.secrets == declared >= {"password", "client_secret", "access_token"}


def test_each_part_knows_its_file(contract: Contract) -> None:
    """A contract built in memory has none."""
    assert contract.operations["get_course"].file == "openapi/course.yaml"
    assert contract.file_of("components", "schemas", "ErrorResponse") == "openapi/shared.yaml"
    assert Contract(minimal()).operations["x"].file == "the document"


def test_headers_of_answers_are_those_that_are_sure(contract: Contract) -> None:
    """Headers with only one possible value, or with an example."""
    headers = {
        "Always": {"schema": {"enum": ["this"]}},
        "Perhaps": {"schema": {"type": "string"}, "example": "that"},
        "Either": {"schema": {"enum": ["a", "b"]}},
        "Unknown": {"schema": {"type": "string"}},
    }
    made = Contract(minimal(responses={"204": {"description": "Done.", "headers": headers}}))
    assert made.operations["x"].headers == {204: {"Always": "this", "Perhaps": "that"}}
    assert contract.operations["oauth_token"].headers[200] == {"Cache-Control": "no-store"}
