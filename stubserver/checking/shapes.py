"""What the values of an answer are, by the contract's schemas: ids of some kind, moments, addresses, or just values."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import yaml

from stubserver.contract.contract import Contract
from stubserver.contract.operation import Operation
from stubserver.contract.resources import folder
from stubserver.contract.schema import Schema

_FORMATS = {"date-time": "moment", "uri": "address", "password": "secret"}
"""Format of a text -> its kind, if it is not a plain one."""
_IN_BODIES = {"categories", "joined", "managers", "medias", "questions_order", "unjoined", "users"}
"""Fields that hold ids in bodies only."""
GIVEN = "given"
"""The kind of what a community has beside courses, of which a model knows little."""


class Shape:
    """The schemas that a value may have, and the kind that follows from them."""

    def __init__(self, shapes: "Shapes", schema: Schema, path: str = "") -> None:
        """`path` is the schema and the field that hold the value, such as `CourseComment.parent`."""
        self._shapes = shapes
        self._parts = list(shapes.parts(schema, path.partition(".")[0]))
        self._path = path
        self._fields: dict[str, Shape | None] = {}

    @property
    def name(self) -> str:
        """What the field is called, whichever of the schemas of users it is in."""
        owner, _, name = self._path.partition(".")
        return f"{'User' if owner.startswith('User') else owner}.{name}"

    @cached_property
    def kind(self) -> str:
        """The kind of row that an id names, `moment`, `address`, `secret` or `given`; empty for a plain value."""
        return self._shapes.kind(self._path) or next(
            (_FORMATS[part["format"]] for _, part in self._parts if part.get("format") in _FORMATS), ""
        )

    def field(self, name: str) -> "Shape | None":
        """The shape of a field; None if no schema has it."""
        if name not in self._fields:
            found = ((owner, part["properties"][name]) for owner, part in self._parts if name in _properties(part))
            owner, schema = next(found, ("", None))
            self._fields[name] = None if schema is None else Shape(self._shapes, schema, f"{owner}.{name}")
        return self._fields[name]

    @cached_property
    def item(self) -> "Shape | None":
        """The shape of the items of a list; None if it is none."""
        items = next((part["items"] for _, part in self._parts if "items" in part), None)
        return None if items is None else Shape(self._shapes, items, self._path)


class Shapes:
    """The shapes of the answers of a contract."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        written = yaml.safe_load((folder("openapi") / "stories" / "identities.yaml").read_text(encoding="utf-8"))
        self.ids: Mapping[str, str] = written["ids"]
        """Schema and field -> the kind of row that an id there names."""
        self.id_names = frozenset(path.partition(".")[2] for path in self.ids) | _IN_BODIES
        """Names of fields that hold ids, in answers or in bodies."""
        self._given = {*written[GIVEN]}
        self._viewed = {*written["viewed"]}
        self._addresses = {*written["addresses"]}
        self._answers: dict[str, Shape] = {}

    def answer(self, operation: Operation) -> Shape:
        """The shape of a successful answer."""
        if operation.id not in self._answers:
            self._answers[operation.id] = Shape(self, operation.answer or {})
        return self._answers[operation.id]

    def made(self, operation: Operation) -> str:
        """The kind of the row that an answer shows; empty if it shows none."""
        shown = self.answer(operation).field("id")
        return shown.kind if shown else ""

    def listed(self, operation: Operation) -> str:
        """The kind of the rows in the pages of a list; empty if it is none."""
        results = self.answer(operation).field("results")
        row = results and results.item
        shown = row and row.field("id")
        return shown.kind if shown else ""

    def kind(self, path: str) -> str:
        """The kind of a field, as far as the catalogue names it."""
        owner, _, name = path.partition(".")
        if path in self._addresses:
            return "address"
        is_given = owner in self._given and name != "id" and path not in self._viewed
        return self.ids.get(path) or (GIVEN if is_given else "")

    def parts(self, schema: Schema, owner: str) -> Iterator[tuple[str, Schema]]:
        """The schemas that are combined in one, each with the name of the component that it is in."""
        if "$ref" in schema:
            owner = schema["$ref"].rpartition("/")[2]
            schema = self._contract.resolve(schema)
        yield owner, schema
        for combined in ("allOf", "anyOf", "oneOf"):
            for part in schema.get(combined, ()):
                yield from self.parts(part, owner)


def _properties(schema: Schema) -> Mapping[str, Any]:
    found: Mapping[str, Any] = schema.get("properties", {})
    return found
