"""The response schema chooses the fields: results are projected on it, so nothing undocumented can get out."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from operator import itemgetter
from typing import Any

from stubserver.api.views import OMIT
from stubserver.contract.contract import Contract
from stubserver.contract.schema import Schema
from stubserver.worlds.base import FixtureRow

Projection = Callable[[Any], Any]


class Shaper:
    """Compiles response schemas into projections, each of them once."""

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
            return _Object({name: self.projection(part) for name, part in properties.items()})
        if schema.get("type") == "array":
            item = self.projection(schema["items"])
            return _same if item is _same else lambda values: [item(value) for value in values]
        return _timestamp if schema.get("format") == "date-time" else _same

    def _named(self, ref: str) -> Projection:
        if ref not in self._known:
            # A schema may contain itself, so its name must be known before it is compiled.
            self._known[ref] = lambda value: self._known[ref](value)
            self._known[ref] = self.projection(self._contract.resolve({"$ref": ref}))
        return self._known[ref]


def _reader(names: Sequence[str]) -> Callable[[Any], Iterable[Any]]:
    """A function that reads `names` from a mapping. The first name is read twice, because itemgetter returns a tuple
    only for two or more."""
    return itemgetter(*names, *names[:1]) if names else lambda _: ()


def _or_none(project: Projection) -> Projection:
    return lambda value: None if value is None else project(value)


def _same(value: Any) -> Any:
    return value


class _Object:
    """Projects rows and views on the fields of one schema. The plan is made once for each type of value: fields that a
    view's class has are derived, one by one or several together; all others are stored in its row, and are read at
    once. Results must not be changed, because they may be cached."""

    def __init__(self, fields: Mapping[str, Projection]) -> None:
        self._fields = fields
        self._plans: dict[type, _Plan] = {}

    def __call__(self, value: Any) -> Mapping[str, Any] | None:
        """The fields in the order of the schema. Raises AttributeError if a view lacks one."""
        if value is None:
            return None
        kind = type(value)
        plan = self._plans.get(kind)
        if plan is None:
            plan = self._plans[kind] = _Plan(self._fields, kind)
        return plan.project(value)


class _Plan:
    """How to project values of one type."""

    def __init__(self, fields: Mapping[str, Projection], kind: type) -> None:
        self._is_row = issubclass(kind, Mapping)
        together = [name for name in getattr(kind, "together", ()) if name in fields]
        stored = [name for name in fields if self._is_row or not (name in together or hasattr(kind, name))]
        self._blank = dict.fromkeys(fields)
        self._stored, self._read = tuple(stored), _reader(stored)
        self._converted = [(name, fields[name]) for name in stored if fields[name] is not _same]
        self._together, self._read_together = tuple(together), _reader(together)
        self._derived = [(name, fields[name]) for name in fields if name not in stored and name not in together]

    def project(self, value: Any) -> Mapping[str, Any]:
        """The value's fields; those of a fixture's row are cached with the row, which never changes."""
        row = value if self._is_row else value.row if self._stored else {}
        if type(row) is not FixtureRow:
            return self._derive(value, self._stored_fields(row))
        context = () if self._is_row else value.context
        if context is not None:
            fields = self._cached(row, context)
            return fields or self._cache(row, context, self._derive(value, self._stored_fields(row)))
        stored = self._cached(row, None) or self._cache(row, None, self._stored_fields(row))
        return self._derive(value, stored.copy())

    def _cached(self, row: FixtureRow, context: Any) -> dict[str, Any] | None:
        """The row's cached projection, if it was made in the same context."""
        try:
            known, shaped = row.cache[self]
        except (AttributeError, KeyError):
            return None
        return shaped if known == context else None

    def _cache(self, row: FixtureRow, context: Any, shaped: dict[str, Any]) -> dict[str, Any]:
        if not hasattr(row, "cache"):
            row.cache = {}
        row.cache[self] = (context, shaped)
        return shaped

    def _derive(self, value: Any, shaped: dict[str, Any]) -> dict[str, Any]:
        """Fill in the derived fields of a value, in their places."""
        if self._together:
            shaped.update(zip(self._together, self._read_together(value.derived_together()), strict=False))
        for name, convert in self._derived:
            part = getattr(value, name)
            if part is OMIT:
                del shaped[name]
            else:
                shaped[name] = part if convert is _same else convert(part)
        return shaped

    def _stored_fields(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The stored fields of a row, with a place held for each derived one. Raises AttributeError if the row of a
        view lacks one."""
        shaped: dict[str, Any] = self._blank.copy()
        try:
            shaped.update(zip(self._stored, self._read(row), strict=False))
        except KeyError as missing:
            if not self._is_row:
                raise AttributeError(f"the row of a view has no field {missing}") from None
            self._read_present(shaped, row)
        for name, convert in self._converted:
            if name in shaped:
                shaped[name] = convert(shaped[name])
        return shaped

    def _read_present(self, shaped: dict[str, Any], row: Mapping[str, Any]) -> None:
        """Leave out stored fields that the row lacks; validation reports them if they are required."""
        for name in self._stored:
            if name in row:
                shaped[name] = row[name]
            else:
                del shaped[name]


def _timestamp(value: datetime | None) -> str | None:
    """ISO 8601 with a numeric offset, and with microseconds unless they are zero (R020)."""
    return None if value is None else _iso(value, value.tzinfo)


@lru_cache(4096)
def _iso(value: datetime, _zone: Any) -> str:
    """The zone is part of the cache key, because equal times in different zones have different texts."""
    return value.isoformat()
