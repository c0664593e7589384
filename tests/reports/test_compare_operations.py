"""Each kind of change of an operation, by a pair of small documents."""

from typing import Any

import pytest

from stubserver.reports.compare import compare

pytestmark = pytest.mark.table

OK = {"200": {"description": "Yes."}}
SECURE: Any = {"security": [{"bearer": []}]}


def document(paths: Any, **others: Any) -> Any:
    return {"openapi": "3.0.3", "info": {"title": "T", "version": "1"}, "paths": paths, **others}


def get(**parts: Any) -> Any:
    """A document with one operation."""
    return document({"/a": {"get": {"responses": OK, **parts}}})


def parameter(name: str = "q", place: str = "query", **parts: Any) -> Any:
    return get(
        parameters=[{"name": name, "in": place, "schema": {"type": "string", **parts.pop("schema", {})}, **parts}]
    )


def body(*media: str, **parts: Any) -> Any:
    return get(requestBody={"content": {name: {"schema": {}} for name in media or ("application/json",)}, **parts})


def answers(**responses: Any) -> Any:
    return get(responses={status.removeprefix("s"): answer for status, answer in responses.items()})


def header(**parts: Any) -> Any:
    return answers(s200={"headers": {"X-A": {"schema": {"type": "string", **parts.pop("schema", {})}, **parts}}})


DEPRECATED = get(deprecated=True)
TWO = document({"/a": {"get": {"responses": OK}, "post": {"responses": OK}}})


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        (get(), document({}), [("error", "api-path-removed-without-deprecation")]),
        (DEPRECATED, document({}), [("info", "api-path-removed-with-deprecation")]),
        (TWO, get(), [("error", "api-removed-without-deprecation")]),
        (
            document({"/a": {"get": {"deprecated": True}, "put": {}}}),
            document({"/a": {"put": {}}}),
            [("info", "api-removed-with-deprecation")],
        ),
        (get(), TWO, [("info", "endpoint-added")]),
        (document({}), get(), [("info", "endpoint-added")]),
        (get(), DEPRECATED, [("info", "endpoint-deprecated")]),
        (DEPRECATED, get(), [("info", "endpoint-reactivated")]),
        # Security
        (get(), get(**SECURE), [("error", "api-security-added")]),
        (get(), {**get(), **SECURE}, [("error", "api-security-added")]),
        (get(**SECURE), get(), [("info", "api-security-removed")]),
        (get(**SECURE), get(security=[{"bearer": []}, {"key": []}]), [("info", "api-security-added")]),
        (get(security=[{"bearer": []}, {"key": []}]), get(**SECURE), [("error", "api-security-removed")]),
        (get(**SECURE), get(security=[{"bearer": []}, {}]), []),
        # Parameters
        (parameter(), get(), [("warning", "request-parameter-removed")]),
        (get(), parameter(), [("info", "new-optional-request-parameter")]),
        (get(), parameter(required=True), [("error", "new-required-request-parameter")]),
        (parameter(), parameter(required=True), [("error", "request-parameter-became-required")]),
        (parameter(required=True), parameter(), [("info", "request-parameter-became-optional")]),
        (
            parameter(schema={"default": "a"}),
            parameter(schema={"default": "b"}),
            [("error", "request-parameter-default-value-changed")],
        ),
        (parameter(), parameter(schema={"default": "b"}), [("error", "request-parameter-default-value-added")]),
        (parameter(schema={"default": "b"}), parameter(), [("error", "request-parameter-default-value-removed")]),
        (parameter(), parameter(schema={"enum": ["a"]}), [("error", "request-parameter-became-enum")]),
        (
            parameter(schema={"enum": ["a", "b"]}),
            parameter(schema={"enum": ["a"]}),
            [("error", "request-parameter-enum-value-removed")],
        ),
        (
            parameter(schema={"enum": ["a"]}),
            parameter(schema={"enum": ["a", "b"]}),
            [("info", "request-parameter-enum-value-added")],
        ),
        (parameter(), parameter(schema={"type": "integer"}), [("error", "request-parameter-type-changed")]),
        (parameter("X", "header"), parameter("x", "header"), []),
        (
            parameter("X", "header"),
            parameter("X", "query"),
            [("warning", "request-parameter-removed"), ("info", "new-optional-request-parameter")],
        ),
        (parameter(content={"a/b": {"schema": {"type": "string"}}}), parameter(), []),
        # Bodies
        (get(), body(required=True), [("error", "request-body-added-required")]),
        (get(), body(), [("info", "request-body-added-optional")]),
        (body(), get(), [("error", "request-body-removed")]),
        (body(), body(required=True), [("error", "request-body-became-required")]),
        (body(required=True), body(), [("info", "request-body-became-optional")]),
        (body("a/b", "c/d"), body("a/b"), [("error", "request-body-media-type-removed")]),
        (body("a/b"), body("a/b", "c/d"), [("info", "request-body-media-type-added")]),
        # Answers
        (answers(s200={}, s201={}), answers(s200={}), [("error", "response-success-status-removed")]),
        (answers(s200={}), answers(s200={}, s201={}), [("info", "response-success-status-added")]),
        (answers(s200={}, s404={}), answers(s200={}), [("info", "response-non-success-status-removed")]),
        (answers(s200={}), answers(s200={}, default={}), [("info", "response-non-success-status-added")]),
        (answers(s200={"content": {"a/b": {}}}), answers(s200={}), [("error", "response-media-type-removed")]),
        (answers(s200={}), answers(s200={"content": {"a/b": {}}}), [("info", "response-media-type-added")]),
        (header(), answers(s200={}), [("warning", "optional-response-header-removed")]),
        (header(required=True), answers(s200={}), [("error", "required-response-header-removed")]),
        (header(required=True), header(), [("error", "response-header-became-optional")]),
        (answers(s200={}), header(), [("info", "response-header-added")]),
        (header(), header(schema={"type": "integer"}), [("error", "response-header-type-changed")]),
        (header(), header(schema={"nullable": True}), [("error", "response-header-became-nullable")]),
    ],
)
def test_each_change(old: Any, new: Any, found: list[tuple[str, str]]) -> None:
    assert [(change.level, change.id) for change in compare(old, new)] == found
    assert compare(old, old) == compare(new, new) == []


def test_names_in_paths_are_free() -> None:
    def at(path: str, *names: str, kind: str = "integer") -> Any:
        parameters = [{"name": name, "in": "path", "required": True, "schema": {"type": kind}} for name in names]
        return document({path: {"get": {"parameters": parameters, "responses": OK}}})

    assert compare(at("/a/{x}/b/{y}", "x", "y"), at("/a/{id}/b/{x}", "x", "id")) == []
    (change,) = compare(at("/a/{x}", "x"), at("/a/{id}", "id", kind="string"))
    assert (change.id, change.operation) == ("request-parameter-type-changed", "GET /a/{x}")


def test_parameters_of_a_path_are_those_of_its_operations() -> None:
    shared = document({"/a": {"parameters": [{"name": "q", "in": "query"}], "get": {"responses": OK}}})
    assert compare(shared, get(parameters=[{"name": "q", "in": "query"}])) == []


def test_references_are_followed() -> None:
    components = {"responses": {"Yes": {"headers": {"X-A": {"required": True}}}}}
    old = document(
        {"/a": {"get": {"responses": {"200": {"$ref": "#/components/responses/Yes"}}}}}, components=components
    )
    assert [change.id for change in compare(old, answers(s200={}))] == ["required-response-header-removed"]
