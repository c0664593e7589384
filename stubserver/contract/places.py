"""The places of an operation's answer that may look different, and how: what the contract allows beside what is sent.

A place is a JSON pointer in which `*` stands for all items of a list, or all values of a map. What it offers is found
in the response schema alone; where an answer may have several shapes, it is only what all of them allow.
"""

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, reduce
from typing import Any

import orjson

from stubserver.contract.contract import Contract
from stubserver.contract.schema import Schema

KINDS = (
    "null",
    "absent",
    "unknown",
    "enum",
    "empty",
    "one",
    "last-page",
    "count-only",
    "long",
    "unicode",
    "markup",
    "zero",
    "big",
    "big-id",
    "time",
    "order",
)
"""The kinds of variants: null instead of a value; a field left out; an unknown field; another value of an enumeration;
a list without items, or with one; the last page, or one behind it; a long text, one of many scripts, one with markup;
zero, a large number, a large id; another time; fields, and where nothing promises an order items, in another order."""
TIMES = ("whole", "zone", "past", "future")
"""The choices of times: whole seconds, another zone, long ago, far in the future."""
LARGEST = 2**53 - 1
"""The largest whole number that every client can read: more than JavaScript's is not safe."""
PAGE = {"count", "next", "previous", "results"}
"""The fields of a page of a list."""
TEXTS = ("long", "unicode", "markup")
"""The kinds of texts, for those that mean nothing to the server."""

Offers = Mapping[str, Sequence[str]]
"""Kind -> the choices that it has, usually none."""


@dataclass(frozen=True)
class Place:
    """What may be different at one place."""

    offers: Offers
    values: Mapping[str, Any] = field(default_factory=dict)
    """Choice of an enumeration -> its value."""
    longest: int = sys.maxsize
    """Characters that a text may have."""
    largest: int = LARGEST
    """The largest number that the contract allows, and every client can read."""


class Places:
    """The places of the answers of all operations, found once for each."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self.of = cache(self._of)
        """operationId -> pointer -> what may be different there, in the JSON body of a success; empty without one."""

    def _of(self, operation: str) -> Mapping[str, Place]:
        found = self._contract.operations[operation]
        if found.answer is None:
            return {}
        walked = _Walk(self._contract, found.unordered).places("", found.answer, {}, frozenset())
        return {pointer: place for pointer, place in walked.items() if place.offers}

    def picked(self, operation: str | None) -> Mapping[str, Mapping[str, Place]]:
        """operationId -> its places, for one operation, or for all."""
        names = [operation] if operation is not None else [*self._contract.operations]
        return {name: self.of(name) for name in names}


class _Walk:
    """Walks the schema of one answer."""

    def __init__(self, contract: Contract, unordered: bool) -> None:
        self._contract = contract
        self._unordered = unordered

    def places(self, pointer: str, schema: Schema, own: Offers, seen: frozenset[str]) -> dict[str, Place]:
        """The places at and below a pointer; `own` is what its surroundings offer there. A schema within itself is not
        entered again."""
        inner = _alternatives(schema)
        offers: Offers = {**({"null": ()} if self._is_nullable(schema) else {}), **own}
        names = {part["$ref"] for part in inner if "$ref" in part}
        if names & seen:
            return {pointer: Place(offers)}
        found = [self._shape(pointer, self._flat(part), offers, seen | names) for part in inner]
        return reduce(_common, found)

    def _shape(self, pointer: str, schema: Schema, own: Offers, seen: frozenset[str]) -> dict[str, Place]:
        """The places of one shape, whose parts are merged."""
        fields = schema["properties"]
        is_page = fields.keys() >= PAGE
        found = {pointer: _place(pointer, schema, own, is_page)}
        for name, part in fields.items():
            where = f"{pointer}/{_escaped(name)}"
            if is_page and name in PAGE:
                found.update(self._page_part(where, name, part, seen))
            else:
                found.update(self.places(where, part, {} if name in schema["required"] else {"absent": ()}, seen))
        below = schema.get("items") or schema.get("additionalProperties")
        if isinstance(below, dict):
            found.update(self.places(f"{pointer}/*", below, {}, seen))
        return found

    def _page_part(self, pointer: str, name: str, part: Schema, seen: frozenset[str]) -> dict[str, Place]:
        """The places of the rows of a page; its other fields follow from them, so they do not vary on their own."""
        if name != "results":
            return {}
        schema = self._flat(part)
        has_rows = schema.get("maxItems", 1) > 0
        more: Offers = {"last-page": (), "count-only": ()} if has_rows else {}
        return self._shape(pointer, schema, {**more, **({"order": ()} if self._unordered else {})}, seen)

    def _flat(self, schema: Schema) -> Schema:
        """The schema, resolved, with the parts of its `allOf`."""
        schema = self._contract.resolve(schema)
        parts = [self._flat(part) for part in schema.get("allOf", [])]
        merged: dict[str, Any] = reduce(lambda one, other: {**one, **other}, parts, {})
        required = {name for part in [*parts, schema] for name in part.get("required", ())}
        properties = {name: part for each in [*parts, schema] for name, part in each.get("properties", {}).items()}
        return {**merged, **schema, "required": required, "properties": properties}

    def _is_nullable(self, schema: Schema) -> bool:
        if "anyOf" in schema:
            return any(self._is_nullable(part) for part in schema["anyOf"])
        schema = self._contract.resolve(schema)
        parts = schema.get("allOf", [])
        return bool(schema.get("nullable", bool(parts)) and all(map(self._is_nullable, parts)))


def _alternatives(schema: Schema) -> Sequence[Schema]:
    """The shapes that a value may have, besides null."""
    return [part for part in schema.get("anyOf", [schema]) if part.get("enum") != [None]]


def _common(one: dict[str, Place], other: dict[str, Place]) -> dict[str, Place]:
    """What both of two shapes offer; where only one of them has a place, what that one offers."""
    both = {pointer: _both(one[pointer], other[pointer]) for pointer in one.keys() & other.keys()}
    return {pointer: both.get(pointer, place) for pointer, place in {**one, **other}.items()}


def _both(one: Place, other: Place) -> Place:
    offers = {}
    for kind in one.offers.keys() & other.offers.keys():
        choices = [choice for choice in one.offers[kind] if choice in other.offers[kind]]
        if choices or not one.offers[kind]:
            offers[kind] = choices
    return Place(offers, one.values, min(one.longest, other.longest), min(one.largest, other.largest))


def _place(pointer: str, schema: Schema, own: Offers, is_page: bool) -> Place:
    """What a place offers by the schema of its value, besides its `own`."""
    values = {written(value): value for value in schema.get("enum", ()) if value is not None}
    if "enum" in schema:
        return Place({**own, **({"enum": [*values]} if len(values) > 1 else {})}, values)
    match schema.get("type"):
        case "object" if is_page:
            more: Offers = {"order": ()}
        case "object":
            more = _of_object(schema)
        case "array":
            more = {"empty": (), **({"one": ()} if schema.get("maxItems", 1) else {})}
        case "string":
            more = _of_text(pointer, schema)
        case "integer" | "number":
            more = _of_number(pointer, schema)
        case _:
            more = {}
    largest = min(schema.get("maximum", LARGEST), LARGEST)
    return Place({**own, **more}, {}, schema.get("maxLength", sys.maxsize), largest)


def _of_object(schema: Schema) -> Offers:
    """An object whose other fields have a schema is a map: each of its names means something."""
    is_open = schema.get("additionalProperties", True) is True
    return {**({"unknown": ()} if is_open else {}), **({"order": ()} if len(schema["properties"]) > 1 else {})}


def _of_text(pointer: str, schema: Schema) -> Offers:
    match schema.get("format"):
        case "date-time":
            return {"time": TIMES}
        case "date":
            return {"time": ("past", "future")}
        case None if not is_id(pointer) and "pattern" not in schema:
            return dict.fromkeys(TEXTS, ())
    return {}


def _of_number(pointer: str, schema: Schema) -> Offers:
    if is_id(pointer):
        return {"big-id": ()}
    return {**({"zero": ()} if schema.get("minimum", 0) <= 0 else {}), "big": ()}


def is_id(pointer: str) -> bool:
    """Whether the value there names something that a client may ask for next."""
    name = pointer.removesuffix("/*").rpartition("/")[2]
    return re.fullmatch(r"|(.*_)?id|.*_ids|.*_order|parents", name) is not None


def written(value: Any) -> str:
    """A value of an enumeration as a choice: a text as it is, all others as JSON."""
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def tokens(pointer: str) -> Sequence[str]:
    """The steps of a pointer."""
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
