"""Examples and rules of bodies in pacts. That a verifier understands them is shown in tests/tools/test_pact.py."""

from typing import Any

import pytest

from stubserver.contract.contract import Contract
from stubserver.exports.matching import Body

TYPE = {"combine": "AND", "matchers": [{"match": "type"}]}
SOME = {"combine": "AND", "matchers": [{"match": "type", "min": 1}]}
OR_NULL = {"combine": "OR", "matchers": [{"match": "type"}, {"match": "null"}]}
EXACT = {"combine": "AND", "matchers": [{"match": "equality"}]}


def regex(text: str) -> Any:
    return {"combine": "AND", "matchers": [{"match": "regex", "regex": text}]}


COLOUR = {"type": "string", "enum": ["red", "blue"]}
OBJECT = {"type": "object", "properties": {"colour": COLOUR, "name": {"type": "string"}}}


@pytest.mark.parametrize(
    ("schema", "body", "example", "rules"),
    [
        # values are other ones of their type
        (None, {"a": 1, "b": "x", "c": None}, {"a": 1, "b": "x", "c": None}, {}),
        (None, "text", "text", {}),
        (None, None, None, {}),
        # values that the contract enumerates
        (OBJECT, {"colour": "red", "name": "x"}, {"colour": "red", "name": "x"}, {"$.colour": EXACT}),
        ({"allOf": [{}, OBJECT]}, {"colour": "red"}, {"colour": "red"}, {"$.colour": EXACT}),
        ({"type": "array", "items": COLOUR}, ["red"], ["red"], {"$": SOME, "$[*]": regex("^(red|blue)$")}),
        # lists have one element, which stands for all
        (None, {"l": [1, 2]}, {"l": [1]}, {"$.l": SOME}),
        (None, {"l": []}, {"l": []}, {}),
        (None, [{"l": []}, {"l": [1]}], [{"l": [1]}], {"$": SOME, "$[*].l": TYPE}),
        (None, [{"a": 1}, {"a": 2, "b": 3}], [{"a": 1}], {"$": SOME}),
        (None, [{"a": None}, {"a": "x"}], [{"a": "x"}], {"$": SOME, "$[*].a": OR_NULL}),
        (None, [{"a": 1}, {"a": 1.5}], [{"a": 1}], {"$": SOME}),
        # nothing can be demanded of what is of several kinds
        (None, [{"a": None}, {"a": {"b": 1}}], [{}], {"$": SOME}),
        (None, [{"a": 1, "c": 1}, {"a": "x", "c": 1}], [{"c": 1}], {"$": SOME}),
        (None, [1, "x"], [], {}),
        # names that need quotes
        (None, {"a b": [1], "it's": [1]}, {"a b": [1], "it's": [1]}, {"$['a b']": SOME, "$['it\\'s']": SOME}),
    ],
    ids=str,
)
def test_a_body(contract: Contract, schema: Any, body: Any, example: Any, rules: Any) -> None:
    found = Body(contract, schema, body)
    assert found.example == example
    assert found.rules == {"$": TYPE, **rules}


def test_the_schemas_of_the_contract_are_followed(contract: Contract) -> None:
    schema = {"$ref": "#/components/schemas/CoursePage"}
    course = {"id": 1, "type": "structured", "created_by": {"id": 1}, "join_status": None}
    found = Body(contract, schema, {"count": 1, "results": [course]})
    assert found.rules["$.results[*].type"] == regex("^(self\\-paced|structured|scheduled)$")
    assert found.rules["$.results"] == SOME
    assert found.example == {"count": 1, "results": [course]}
