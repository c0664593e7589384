"""Values at the edges of what a schema allows: those that are just right, and those that are just wrong."""

from collections.abc import Iterator
from typing import Any

from stubserver.contract.contract import Contract
from stubserver.contract.schema import Schema

_LONG = 300
"""Characters of a long text, if the schema sets no bound."""
_LARGE = 100_000
"""The longest text and the largest number of characters that is tried."""


def edges(contract: Contract, schema: Schema, *, is_id: bool = False) -> Iterator[Any]:
    """Values worth trying for a field or parameter with this schema, right and wrong ones. Of an id, no small number is
    tried: it may be that of a stranger's row at one server, and of none at the other."""
    schema = contract.resolve(schema)
    yield None
    if is_id:
        yield from ("", "x", 1.5, [], {}, "$absent")
        return
    for value in schema.get("enum", ()):
        if value is not None:
            yield value
    match schema.get("type"):
        case "string":
            yield from _texts(schema)
        case "integer" | "number":
            yield from _numbers(schema)
        case "boolean":
            yield from (True, False, "true", "maybe", 2)
        case "array":
            yield from ([], "x", {}, [None], [[]])
        case _:
            yield from ("x", 1, [], {})


def _texts(schema: Schema) -> Iterator[Any]:
    yield from ("", "   ", 5, True, [], {}, " Çà et là, 今日は 🎨 ", "a\nb", "<b>&amp;</b>")
    if schema.get("format") == "date-time":
        yield from ("2031-02-03", "2031-02-30T00:00:00Z", "2031-02-03T04:05:06", "$now+2d", "$now-2d")
    elif "enum" in schema:
        yield "no such value"
    elif (most := schema.get("maxLength", _LONG)) <= _LARGE:
        yield from ("x" * most, "x" * (most + 1))


def _numbers(schema: Schema) -> Iterator[Any]:
    least, most = schema.get("minimum", 0), schema.get("maximum", 100)
    yield from dict.fromkeys((least, least - 1, most, most + 1))
    yield from ("", "x", "7", 1.5, True, [], {})
