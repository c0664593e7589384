"""Each kind of change of a schema, for those who send it and for those who receive it."""

from typing import Any

import pytest

from stubserver.reports.compare import compare
from stubserver.reports.compare_changes import Unusable

pytestmark = pytest.mark.table


def document(schema: Any, *, is_sent: bool, **schemas: Any) -> Any:
    content = {"content": {"application/json": {"schema": schema}}}
    operation = {"requestBody": content, "responses": {}} if is_sent else {"responses": {"200": content}}
    return {"openapi": "3.0.3", "paths": {"/a": {"post": operation}}, "components": {"schemas": schemas}}


def changes(old: Any, new: Any, *, is_sent: bool) -> str:
    """Level and id of each change, separated by commas."""
    found = compare(document(old, is_sent=is_sent), document(new, is_sent=is_sent))
    return ", ".join(f"{change.level} {change.id}" for change in found)


def having(required: Any = (), **properties: Any) -> Any:
    return {"type": "object", "required": [*required], "properties": properties}


def string(**parts: Any) -> Any:
    return {"type": "string", **parts}


INTEGER, NUMBER = {"type": "integer"}, {"type": "number"}
A, B = {"$ref": "#/components/schemas/A"}, {"$ref": "#/components/schemas/B"}


@pytest.mark.parametrize(
    ("old", "new", "sent", "received"),
    [
        # Properties
        (
            having(a=string()),
            having(),
            "warning request-property-removed",
            "warning response-optional-property-removed",
        ),
        (
            having("a", a=string()),
            having(),
            "warning request-property-removed",
            "error response-required-property-removed",
        ),
        (having(), having(a=string()), "info new-optional-request-property", "info response-optional-property-added"),
        (
            having(),
            having("a", a=string()),
            "error new-required-request-property",
            "info response-required-property-added",
        ),
        (
            having(),
            having("a", a=string(default="")),
            "error new-required-request-property-with-default",
            "info response-required-property-added",
        ),
        (
            having(a=string()),
            having("a", a=string()),
            "error request-property-became-required",
            "info response-property-became-required",
        ),
        (
            having(a=string()),
            having("a", a=string(default="")),
            "error request-property-became-required-with-default",
            "info response-property-became-required",
        ),
        (
            having("a", a=string()),
            having(a=string()),
            "info request-property-became-optional",
            "error response-property-became-optional",
        ),
        (having(a=string(readOnly=True)), having(), "", "warning response-optional-property-removed"),
        (having(a=string(writeOnly=True)), having(), "warning request-property-removed", ""),
        # Types
        (
            having(a=string()),
            having(a=INTEGER),
            "error request-property-type-changed",
            "error response-property-type-changed",
        ),
        (
            having(a=INTEGER),
            having(a=NUMBER),
            "info request-property-type-generalized",
            "error response-property-type-generalized",
        ),
        (
            having(a=NUMBER),
            having(a=INTEGER),
            "error request-property-type-changed",
            "info response-property-type-specialized",
        ),
        (
            having(a=string()),
            having(a={}),
            "info request-property-type-generalized",
            "error response-property-type-generalized",
        ),
        (
            having(a=string()),
            having(a=string(format="date")),
            "error request-property-type-changed",
            "info response-property-type-specialized",
        ),
        (
            having(a=string(format="date")),
            having(a=string()),
            "info request-property-type-generalized",
            "error response-property-type-generalized",
        ),
        (string(), INTEGER, "error request-body-type-changed", "error response-body-type-changed"),
        # Null
        (
            having(a=string()),
            having(a=string(nullable=True)),
            "info request-property-became-nullable",
            "error response-property-became-nullable",
        ),
        (
            having(a=string(nullable=True)),
            having(a=string()),
            "error request-property-became-not-nullable",
            "info response-property-became-not-nullable",
        ),
        (having(a=string(nullable=True)), having(a={"type": ["string", "null"]}), "", ""),
        # Values
        (
            having(a=string(enum=["x", "y"])),
            having(a=string(enum=["x"])),
            "error request-property-enum-value-removed",
            "info response-property-enum-value-removed",
        ),
        (
            having(a=string(enum=["x"])),
            having(a=string(enum=["x", "y"])),
            "info request-property-enum-value-added",
            "warning response-property-enum-value-added",
        ),
        (having(a=string()), having(a=string(enum=["x"])), "error request-property-became-enum", ""),
        (having(a=string(enum=["x"])), having(a=string()), "", "warning response-property-enum-value-added"),
        (having(a=string(enum=["x"])), having(a=string(const="x")), "", ""),
        # Bounds
        (
            having(a=string(maxLength=5)),
            having(a=string(maxLength=4)),
            "error request-property-max-length-decreased",
            "info response-property-max-length-decreased",
        ),
        (
            having(a=string(maxLength=4)),
            having(a=string(maxLength=5)),
            "info request-property-max-length-increased",
            "error response-property-max-length-increased",
        ),
        (having(a=string()), having(a=string(maxLength=5)), "warning request-property-max-length-set", ""),
        (having(a=string(maxLength=5)), having(a=string()), "", "error response-property-max-length-unset"),
        (
            having(a=string(minLength=1)),
            having(a=string(minLength=2)),
            "error request-property-min-length-increased",
            "info response-property-min-length-increased",
        ),
        (
            having(a={"type": "integer", "maximum": 5}),
            having(a={"type": "integer", "maximum": 4}),
            "error request-property-max-decreased",
            "info response-property-max-decreased",
        ),
        (
            having(a={"type": "integer", "minimum": 2}),
            having(a={"type": "integer", "minimum": 1}),
            "info request-property-min-decreased",
            "error response-property-min-decreased",
        ),
        (
            having(a={"type": "array", "minItems": 1}),
            having(a={"type": "array"}),
            "",
            "error response-property-min-items-unset",
        ),
        (
            having(a={"type": "array", "maxItems": 2}),
            having(a={"type": "array", "maxItems": 1}),
            "error request-property-max-items-decreased",
            "info response-property-max-items-decreased",
        ),
        (
            having(a=string()),
            having(a=string(pattern="x")),
            "error request-property-pattern-added",
            "info response-property-pattern-added",
        ),
        (
            having(a=string(pattern="y")),
            having(a=string(pattern="x")),
            "warning request-property-pattern-changed",
            "info response-property-pattern-changed",
        ),
        (
            having(a=string(pattern="y")),
            having(a=string()),
            "info request-property-pattern-removed",
            "info response-property-pattern-removed",
        ),
        # Below
        (
            {"type": "array", "items": having(a=string())},
            {"type": "array", "items": having(a=INTEGER)},
            "error request-property-type-changed",
            "error response-property-type-changed",
        ),
        (
            {"additionalProperties": string()},
            {"additionalProperties": INTEGER},
            "error request-property-type-changed",
            "error response-property-type-changed",
        ),
        (having(a={"allOf": [having(b=string())]}), having(a=having(b=string())), "", ""),
        (
            {"allOf": [having("a", a=string()), having(b=string())]},
            having("a", a=string()),
            "warning request-property-removed",
            "warning response-optional-property-removed",
        ),
        # Alternatives
        (
            {"oneOf": [string(), INTEGER]},
            {"oneOf": [string()]},
            "error request-body-one-of-removed",
            "info response-body-one-of-removed",
        ),
        (
            {"oneOf": [string()]},
            {"oneOf": [string(), INTEGER]},
            "info request-body-one-of-added",
            "error response-body-one-of-added",
        ),
        (
            having(a={"anyOf": [string(), INTEGER]}),
            having(a={"anyOf": [string()]}),
            "error request-property-any-of-removed",
            "info response-property-any-of-removed",
        ),
        (
            {"anyOf": [string()]},
            {"anyOf": [string(), INTEGER]},
            "info request-body-any-of-added",
            "info response-body-any-of-added",
        ),
    ],
)
def test_each_change(old: Any, new: Any, sent: str, received: str) -> None:
    assert changes(old, new, is_sent=True) == sent
    assert changes(old, new, is_sent=False) == received
    for schema in (old, new):
        assert changes(schema, schema, is_sent=True) == changes(schema, schema, is_sent=False) == ""


def test_the_text_says_where() -> None:
    inner = {"type": "array", "items": having(name=string())}
    old, new = having(results=inner), having(results={"type": "array", "items": having(name=INTEGER)})
    (change,) = compare(document(old, is_sent=False), document(new, is_sent=False))
    assert change.text == "the type of the property results/items/name of the answer 200 changed from string to integer"
    assert change.operation == "POST /a"


def test_alternatives_with_a_name_are_compared() -> None:
    old = document({"anyOf": [A, B]}, is_sent=False, A=having(a=string()), B=having(b=string()))
    new = document({"anyOf": [B, A]}, is_sent=False, A=having(a=INTEGER), B=having(b=string()))
    (change,) = compare(old, new)
    assert (change.id, "anyOf[A]/a" in change.text) == ("response-property-type-changed", True)


def test_schemas_may_refer_to_themselves() -> None:
    old, new = (
        document(A, is_sent=False, A=having(a=kind, child=A, children={"type": "array", "items": B}), B=having(b=A))
        for kind in (string(), INTEGER)
    )
    assert [change.text for change in compare(old, new)] == [
        "the type of the property a of the answer 200 changed from string to integer"
    ]
    assert compare(old, old) == []


@pytest.mark.parametrize(
    ("schemas", "message"),
    [
        ({"A": A}, "OLD: a reference leads to itself"),
        ({"A": B, "B": A}, "OLD: a reference leads to itself"),
        ({"A": {"allOf": [A]}}, "OLD: a schema consists of itself"),
    ],
)
def test_schemas_that_are_nothing_but_themselves(schemas: Any, message: str) -> None:
    with pytest.raises(Unusable, match=message):
        compare(document(A, is_sent=True, **schemas), document(A, is_sent=True, **schemas))


def test_work_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few schemas that refer to each other twice at each level are a billion."""
    schemas = {
        f"S{number}": having(**{name: {"$ref": f"#/components/schemas/S{number + 1}"} for name in "ab"})
        for number in range(30)
    }
    huge = document({"$ref": "#/components/schemas/S0"}, is_sent=False, **schemas, S30=string())
    monkeypatch.setattr("stubserver.reports.compare_schemas._MOST", 1000)
    with pytest.raises(Unusable, match="too often"):
        compare(huge, huge)
