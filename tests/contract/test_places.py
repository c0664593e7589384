"""The places of answers, and what the contract allows there."""

import copy
from typing import Any

import pytest

from stubserver.contract.contract import Contract
from stubserver.contract.load import load_contract
from stubserver.contract.places import KINDS, LARGEST, Place, Places, is_id, tokens

PAGE = {
    "type": "object",
    "required": ["count", "next", "previous", "results"],
    "properties": {
        "count": {"type": "integer", "minimum": 0},
        "next": {"type": "string", "nullable": True},
        "previous": {"type": "string", "nullable": True},
        "results": {"type": "array", "items": {"type": "object", "properties": {"a": {"type": "boolean"}}}},
    },
}
OBJECT: dict[str, Any] = {"type": "object", "properties": {"a": {"type": "boolean"}}}


def found(schema: Any, unordered: bool = False, **schemas: Any) -> dict[str, dict[str, list[str]]]:
    """Pointer -> kind -> choices, for an operation whose answer has the schema."""
    places = placed(schema, unordered, **schemas)
    return {pointer: {kind: [*place.offers[kind]] for kind in place.offers} for pointer, place in places.items()}


def placed(schema: Any, unordered: bool = False, **schemas: Any) -> dict[str, Place]:
    content = {"application/json": {"schema": schema}}
    operation: dict[str, Any] = {
        "operationId": "op",
        "x-access": "everyone",
        "responses": {"200": {"content": content}},
    }
    if unordered:
        operation["x-unordered"] = True
    document = {"paths": {"/a": {"get": operation}}, "components": {"schemas": schemas}}
    return dict(Places(Contract(copy.deepcopy(document))).of("op"))


def field(schema: Any, required: bool = True) -> dict[str, list[str]]:
    names = ["f"] if required else []
    return found({"type": "object", "required": names, "properties": {"f": schema}}).get("/f", {})


@pytest.mark.parametrize(
    ("schema", "offers"),
    [
        ({"type": "boolean"}, {}),
        ({"type": "boolean", "nullable": True}, {"null": []}),
        ({"type": "string"}, {"long": [], "unicode": [], "markup": []}),
        ({"type": "string", "pattern": "^a"}, {}),
        ({"type": "string", "format": "uri"}, {}),
        ({"type": "string", "format": "password"}, {}),
        ({"type": "string", "format": "date-time"}, {"time": ["whole", "zone", "past", "future"]}),
        ({"type": "string", "format": "date"}, {"time": ["past", "future"]}),
        ({"type": "string", "enum": ["a", "b"]}, {"enum": ["a", "b"]}),
        ({"type": "string", "enum": ["a"]}, {}),
        ({"type": "integer", "enum": [0, 1, None], "nullable": True}, {"null": [], "enum": ["0", "1"]}),
        ({"type": "integer"}, {"zero": [], "big": []}),
        ({"type": "integer", "minimum": 1, "maximum": 9}, {"big": []}),
        ({"type": "array", "items": {"type": "boolean"}}, {"empty": [], "one": []}),
        ({"type": "array", "maxItems": 0, "items": {"type": "boolean"}}, {"empty": []}),
        (OBJECT, {"unknown": []}),
        ({**OBJECT, "additionalProperties": False}, {}),
        ({"type": "object", "additionalProperties": {"type": "boolean"}}, {}),
        ({"type": "object", "properties": {"a": {}, "b": {}}}, {"unknown": [], "order": []}),
    ],
)
def test_what_a_schema_offers(schema: Any, offers: dict[str, list[str]]) -> None:
    assert field(schema) == offers


def test_only_fields_that_are_not_required_may_be_absent() -> None:
    assert field({"type": "boolean"}, required=False) == {"absent": []}
    assert field({"type": "boolean"}) == {}


def test_ids_vary_on_their_own() -> None:
    """A request with another id finds nothing, so `big` alone must not touch them; nor have they texts."""
    schema = {"type": "object", "properties": {"id": {"type": "integer"}, "upload_id": {"type": "string"}}}
    places = found(schema)
    assert places["/id"] == {"absent": [], "big-id": []}
    assert places["/upload_id"] == {"absent": []}


@pytest.mark.parametrize(
    ("pointer", "expected"),
    [
        ("/id", True),
        ("/results/*/course_id", True),
        ("/sections_order/*", True),
        ("/*", True),
        ("/parents/*", True),
        ("/order", False),
        ("/paid", False),
        ("/enforce_lessons_orders", False),
    ],
)
def test_is_id(pointer: str, expected: bool) -> None:
    assert is_id(pointer) is expected


def test_the_parts_of_a_schema_count_together() -> None:
    schema = {"allOf": [{"type": "object", "required": ["f"], "properties": {"f": {"type": "boolean"}}}, OBJECT]}
    assert found(schema) == {"": {"unknown": [], "order": []}, "/a": {"absent": []}}


def test_null_must_be_allowed_by_all_parts() -> None:
    named = {"type": "string", "enum": ["a", "b"]}
    both = {"nullable": True, "allOf": [{"$ref": "#/components/schemas/Named"}]}
    offers = found({"type": "object", "required": ["f"], "properties": {"f": both}}, Named=named)
    assert offers["/f"] == {"enum": ["a", "b"]}
    offers = found({"type": "object", "required": ["f"], "properties": {"f": both}}, Named={**named, "nullable": True})
    assert offers["/f"] == {"null": [], "enum": ["a", "b"]}


def test_null_as_an_alternative() -> None:
    schema = {"anyOf": [OBJECT, {"type": "string", "nullable": True, "enum": [None]}]}
    assert field(schema) == {"null": [], "unknown": []}


def test_of_several_shapes_only_what_all_of_them_allow() -> None:
    one = {"type": "object", "required": ["f"], "properties": {"f": {"type": "string", "enum": ["a", "b"]}}}
    other = {"type": "object", "properties": {"f": {"type": "string", "enum": ["b", "c"]}, "g": {"type": "boolean"}}}
    assert found({"anyOf": [one, other]}) == {"": {"unknown": []}, "/f": {"enum": ["b"]}, "/g": {"absent": []}}


def test_a_schema_within_itself_is_entered_once() -> None:
    tree = {"type": "object", "properties": {"below": {"$ref": "#/components/schemas/Tree"}}}
    assert found({"$ref": "#/components/schemas/Tree"}, Tree=tree) == {"": {"unknown": []}, "/below": {"absent": []}}


def test_the_fields_of_a_page_vary_together() -> None:
    places = found(PAGE)
    assert places[""] == {"order": []}
    assert places["/results"] == {"last-page": [], "count-only": [], "empty": [], "one": []}
    assert places.keys() == {"", "/results", "/results/*", "/results/*/a"}


def test_rows_change_places_only_where_nothing_promises_their_order() -> None:
    assert "order" in found(PAGE, unordered=True)["/results"]
    assert "order" not in found(PAGE)["/results"]


def test_the_order_of_rows_is_free_where_the_docs_say_that_they_do_not_specify_it(contract: Contract) -> None:
    unordered = {operation.id for operation in contract.operations.values() if operation.unordered}
    assert unordered == {
        "list_course_comments",
        "list_course_invited_users",
        "list_course_join_requests",
        "list_course_quiz_attempts",
        "list_course_suggested_users",
    }
    for name in unordered:
        assert "ordering" not in contract.operations[name].parameter_names


def test_bounds_are_kept() -> None:
    fields = {"t": {"type": "string", "maxLength": 5}, "n": {"type": "integer", "maximum": 9}, "m": {"type": "integer"}}
    places = placed({"type": "object", "properties": fields})
    assert (places["/t"].longest, places["/n"].largest, places["/m"].largest) == (5, 9, LARGEST)


def test_tokens_unescape() -> None:
    assert [*tokens("/a~1b/~0/*")] == ["a/b", "~", "*"]
    assert [*tokens("")] == []


def test_every_kind_is_offered_somewhere(contract: Contract) -> None:
    places = Places(contract)
    kinds = {kind for found in places.picked(None).values() for place in found.values() for kind in place.offers}
    assert kinds == set(KINDS)


def test_without_a_json_body_there_are_no_places() -> None:
    places = Places(load_contract())
    assert places.of("delete_course") == {}
    assert [*places.picked("get_course_status")] == ["get_course_status"]
