"""Values at the edges of schemas."""

from typing import Any

import pytest

from stubserver.checking.edges import edges
from stubserver.contract.contract import Contract

pytestmark = pytest.mark.table


@pytest.mark.parametrize(
    ("schema", "some"),
    [
        ({"type": "string"}, [None, "", "   ", 5, [], {}, True]),
        ({"type": "string", "maxLength": 3}, ["xxx", "xxxx"]),
        ({"type": "string", "enum": ["a", "b", None]}, ["a", "b", "no such value", None]),
        ({"type": "string", "format": "date-time"}, ["2031-02-30T00:00:00Z", "2031-02-03T04:05:06"]),
        ({"type": "integer", "minimum": 2, "maximum": 9}, [1, 2, 9, 10, "x", 1.5]),
        ({"type": "boolean"}, [True, False, "maybe"]),
        ({"type": "array", "items": {}}, [[], "x", [None]]),
        ({"type": "object"}, ["x", [], {}]),
    ],
)
def test_edges(contract: Contract, schema: dict[str, Any], some: list[Any]) -> None:
    found = [*edges(contract, schema)]
    assert [value for value in some if value not in found] == []


def test_no_small_number_is_an_id(contract: Contract) -> None:
    found = [*edges(contract, {"type": "integer", "minimum": 1}, is_id=True)]
    assert [value for value in found if isinstance(value, int)] == []
    assert "$absent" in found
