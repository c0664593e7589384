"""Schemas: what they mean in OpenAPI 3.0, and the messages about values that do not fit."""

from typing import Any

import pytest

from stubserver.contract.schema import Validator, draft4, echo, reached


@pytest.mark.parametrize(
    ("schema", "meant"),
    [
        ({"type": "string", "nullable": True}, ["string", "null"]),
        ({"type": "string", "nullable": False}, "string"),
        ({"type": "string"}, "string"),
    ],
)
def test_nullable_becomes_a_type(schema: dict[str, Any], meant: Any) -> None:
    assert draft4(schema)["type"] == meant
    assert draft4({"items": [schema]})["items"][0]["type"] == meant


@pytest.mark.parametrize(("enum", "meant"), [(["a"], ["a", None]), (["a", None], ["a", None])])
def test_nullable_becomes_a_value_of_an_enum_once(enum: list[Any], meant: list[Any]) -> None:
    assert draft4({"type": "string", "nullable": True, "enum": enum})["enum"] == meant


def test_what_a_schema_refers_to_is_reached_once() -> None:
    """Also through others, in circles, and in a property that is called like a keyword."""
    schemas: dict[str, Any] = {
        "A": {
            "properties": {"b": {"items": {"$ref": "#/components/schemas/B"}}, "a": {"$ref": "#/components/schemas/A"}}
        },
        "B": {"anyOf": [{"$ref": "#/components/schemas/A"}, {"type": "string"}]},
        "C": {"$ref": "#/components/schemas/A"},
    }
    assert list(reached({"properties": {"$ref": {"type": "string"}}}, schemas)) == []
    assert dict(reached({"allOf": [{"$ref": "#/components/schemas/A"}]}, schemas)) == {
        "A": schemas["A"],
        "B": schemas["B"],
    }
    assert [name for name, _ in reached({"$ref": "#/components/schemas/C"}, schemas)] == ["C", "A", "B"]


def said(schema: dict[str, Any], value: Any) -> list[tuple[str, str]]:
    """The codes and messages of a value's problems."""
    validator = Validator(schema, {})
    problems = list(validator.problems(value))
    assert validator.fits(value) is not bool(problems)
    return [(problem.code, problem.message) for problem in problems]


@pytest.mark.parametrize(
    ("schema", "value", "code", "message"),
    [
        ({"type": "integer"}, "x", "invalid", '"x" is not valid; it must be a whole number within 64 bits.'),
        ({"type": "string", "nullable": True}, 5, "invalid", "5 is not valid; it must be a string."),
        ({"type": "array"}, 5, "not_a_list", "5 is not valid; it must be a list."),
        ({"type": "string"}, None, "null", "This field may not be null."),
        ({"enum": ["a", "b"]}, None, "null", "This field may not be null."),
        ({"enum": ["a", "b"]}, "c", "invalid_choice", '"c" is not a valid choice. Use one of: "a", "b".'),
        ({"minimum": 1}, 0, "min_value", "Must be greater than or equal to 1."),
        ({"maximum": 9}, 10, "max_value", "Must be less than or equal to 9."),
        ({"minLength": 1}, "", "blank", "This field may not be blank."),
        ({"maxLength": 2}, "abc", "max_length", "Must have no more than 2 characters."),
        ({"minItems": 1}, [], "empty", "This list may not be empty."),
        ({"minProperties": 1}, {}, "required", "At least one field must be given."),
        ({"pattern": "[a-z]"}, " ", "blank", "This field may not be blank."),
        ({"pattern": "^[a-z]+$"}, "a\0", "invalid", "Null characters are not allowed."),
        ({"pattern": "^[a-z]+$"}, "A", "invalid", '"A" does not match ^[a-z]+$.'),
        (
            {"format": "date-time"},
            "soon",
            "invalid",
            '"soon" is not a valid date-time: write 2031-05-01T09:00:00Z, for example.',
        ),
        ({"type": "integer"}, 1.0, "invalid", "1.0 is not valid; write a whole number without a decimal point: 1."),
        ({"uniqueItems": True}, [1, 1], "invalid", "[1,1] has a value twice; each may be there once."),
    ],
)
def test_each_keyword_has_its_code_and_its_words(schema: dict[str, Any], value: Any, code: str, message: str) -> None:
    """R018."""
    assert said(schema, value) == [(code, message)]


PERSON = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": {"type": "string"},
        "age": {"type": "integer"},
        "address": {"type": "object", "properties": {"town": {"type": "string"}}},
        "password": {"type": "string", "maxLength": 3},
    },
}


def test_problems_stand_under_their_fields() -> None:
    """R017: a nested problem says where it is; a problem of the whole body has no field."""
    problems = list(Validator(PERSON, {}).problems({"age": "old", "address": {"town": 5}}))
    assert {problem.field: problem.message for problem in problems} == {
        "name": "This field is required.",
        "age": '"old" is not valid; it must be a whole number within 64 bits.',
        "address": "5 is not valid; it must be a string. (at address.town)",
    }
    (whole,) = Validator(PERSON, {}).problems([])
    assert (whole.field, whole.code) == ("non_field_errors", "invalid")
    (named,) = Validator({"type": "integer"}, {}).problems("x", "limit")
    assert named.field == "limit"


def test_of_alternatives_the_one_that_fits_best_is_told() -> None:
    few = {"type": "object", "properties": {"a": {"type": "integer"}}}
    many = {"type": "object", "required": ["b"], "properties": {"a": {"type": "boolean"}}}
    for keyword in ("anyOf", "oneOf"):
        (problem,) = Validator({keyword: [many, few]}, {}).problems({"a": "x"})
        assert (problem.field, problem.message) == ("a", '"x" is not valid; it must be a whole number within 64 bits.')


def test_one_problem_is_told_once() -> None:
    twice = {"allOf": [{"maximum": 1}, {"maximum": 1}]}
    assert said(twice, 2) == [("max_value", "Must be less than or equal to 1.")]


@pytest.mark.parametrize("value", [12345, ["12345"], {"value": "12345"}], ids=str)
def test_a_credential_is_never_repeated(value: Any) -> None:
    """Values of other fields are."""
    for secrets, repeated in ({"password"}, False), ((), True):
        (problem,) = Validator(PERSON, {}, secrets).problems({"name": "x", "password": value})
        assert (problem.field, "12345" in problem.message) == ("password", repeated)


def test_references_lead_into_the_components() -> None:
    components = {"schemas": {"Limit": {"type": "integer", "minimum": 1}}}
    validator = Validator({"$ref": "#/components/schemas/Limit"}, components)
    assert validator.fits(1)
    assert [problem.code for problem in validator.problems(0)] == ["min_value"]


@pytest.mark.parametrize(
    ("value", "text"),
    [("a", '"a"'), ({"a": [None]}, '{"a":[null]}'), ("x" * 58, f'"{"x" * 58}"'), ("x" * 59, f'"{"x" * 59}...')],
)
def test_an_echo_is_as_long_as_a_message_can_bear(value: Any, text: str) -> None:
    assert echo(value) == text


def test_what_is_no_json_has_no_echo() -> None:
    assert echo(object()) == "This value"
