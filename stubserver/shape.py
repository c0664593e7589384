"""The response schema chooses the fields: values are projected on it, so that nothing undocumented gets out."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any

from stubserver.schema import Schema
from stubserver.spec import Contract

OMIT = object()
"""A field with this value is left out of the answer."""

Projection = Callable[[Any], Any]


class Shaped:
    """A value together with the schema that an operation chose for it, where the contract offers several."""

    def __init__(self, schema: str, value: Any) -> None:
        self.schema = schema
        self.value = value


class Shaper:
    """Compiles response schemas into projections, each once."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._known: dict[str, Projection] = {}

    def projection(self, schema: Schema) -> Projection:
        """The function that turns a row, a view or a list of them into what `schema` documents."""
        if "$ref" in schema:
            return self._named(schema["$ref"])
        options = [option for option in schema.get("anyOf", []) if option.get("enum") != [None]]
        if len(options) > 1:
            return lambda shaped: self._named(f"#/components/schemas/{shaped.schema}")(shaped.value)
        if options:
            return _or_none(self.projection(options[0]))
        properties = self._contract.properties(schema)
        if properties:
            fields = {name: self.projection(part) for name, part in properties.items()}
            return _or_none(lambda value: _object(fields, value))
        if schema.get("type") == "array":
            item = self.projection(schema["items"])
            return lambda values: [item(value) for value in values]
        return _timestamp if schema.get("format") == "date-time" else lambda value: value

    def _named(self, ref: str) -> Projection:
        if ref not in self._known:
            # A schema may contain itself, so its name must be known before it is compiled.
            self._known[ref] = lambda value: self._known[ref](value)
            self._known[ref] = self.projection(self._contract.resolve({"$ref": ref}))
        return self._known[ref]


def _or_none(project: Projection) -> Projection:
    return lambda value: None if value is None else project(value)


def _object(fields: Mapping[str, Projection], value: Any) -> dict[str, Any]:
    read = partial(_get, value) if isinstance(value, Mapping) else partial(getattr, value)
    return {name: project(part) for name, project in fields.items() if (part := read(name)) is not OMIT}


def _get(row: Mapping[str, Any], name: str) -> Any:
    """A field of a row; one that is not there is left out, and missed by the validation if it is required."""
    try:
        return row[name]
    except KeyError:
        return OMIT


def _timestamp(value: datetime | None) -> str | None:
    """ISO 8601 with microseconds and a numeric offset (R020)."""
    return None if value is None else value.isoformat(timespec="microseconds")
