"""Finding one's way in a document, and places in words."""

from typing import Any

import pytest

from stubserver.reports.compare_changes import Unusable
from stubserver.reports.compare_sides import Place, Side, plain

pytestmark = pytest.mark.table

DOCUMENT: Any = {
    "a/b": {"~": 1},
    "loop": {"$ref": "#/loop"},
    "all": {"allOf": [{"required": ["x"]}, {"$ref": "#/one"}]},
}
DOCUMENT["one"] = {"type": "object", "required": ["y"], "properties": {"y": {}}}
SIDE = Side(DOCUMENT, "OLD")


def test_references_are_followed() -> None:
    assert SIDE.resolve({"$ref": "#/a~1b/~0"}) == 1
    assert SIDE.resolve(None) == {}
    for wrong in ("#/loop", "#/none", "#/a~1b/~0/x", "http://x/y"):
        with pytest.raises(Unusable, match="OLD: "):
            SIDE.resolve({"$ref": wrong})


def test_what_a_schema_consists_of_is_at_one_level() -> None:
    assert SIDE.flat({"$ref": "#/all"}) == {"type": "object", "required": ["x", "y"], "properties": {"y": {}}}
    assert SIDE.flat(True) == {}


@pytest.mark.parametrize(
    ("schema", "meant"),
    [
        ({"type": ["string", "null"]}, {"type": "string", "nullable": True}),
        ({"type": ["string"]}, {"type": "string", "nullable": False}),
        ({"type": ["string", "integer"]}, {"type": "integer, string", "nullable": False}),
        ({"const": 1}, {"const": 1, "enum": [1]}),
    ],
)
def test_words_of_3_1_become_those_of_3_0(schema: Any, meant: Any) -> None:
    assert plain(schema) == meant


def test_places() -> None:
    top = Place("request-body", "the body")
    inner = top.below("a").below("items")
    assert (top.prefix, top.shown) == ("request-body", "the body")
    assert (inner.prefix, inner.shown) == ("request-property", "the property a/items of the body")
    assert (top.is_request, Place("response-body", "x").is_request) == (True, False)
