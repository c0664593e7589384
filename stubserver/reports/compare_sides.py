"""The documents of a comparison: references and compositions followed, and places within them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from stubserver.reports.compare_changes import Unusable

Node = Mapping[str, Any]


class Side:
    """One of the documents, and how to find one's way in it."""

    def __init__(self, document: Node, name: str) -> None:
        """`name` is what messages call it."""
        self.document = document
        self._name = name

    def resolve(self, node: Any) -> Any:
        """The node, or what it refers to; an empty object if there is none. Raises Unusable."""
        for _ in range(100):
            if not isinstance(node, dict) or not isinstance(node.get("$ref"), str):
                return {} if node is None else node
            node = self._at(node["$ref"])
        raise Unusable(f"{self._name}: a reference leads to itself")

    def _at(self, reference: str) -> Any:
        if not reference.startswith("#/"):
            raise Unusable(f"{self._name}: refers to {reference[:100]!r} outside of it; bundle the documents first")
        found: Any = self.document
        for part in reference[2:].split("/"):
            part = part.replace("~1", "/").replace("~0", "~")
            if not isinstance(found, dict) or part not in found:
                raise Unusable(f"{self._name}: {reference[:100]!r} leads to nothing")
            found = found[part]
        return found

    def flat(self, schema: Any, depth: int = 0) -> Node:
        """The schema with all that it refers to and consists of (`allOf`) at one level. Raises Unusable."""
        if depth > 50:
            raise Unusable(f"{self._name}: a schema consists of itself")
        schema = self.resolve(schema)
        if not isinstance(schema, dict):
            return {}  # true: anything
        found: dict[str, Any] = {}
        for part in schema.get("allOf", ()):
            _merge(found, self.flat(part, depth + 1))
        _merge(found, {key: value for key, value in schema.items() if key != "allOf"})
        return plain(found)


def _merge(into: dict[str, Any], schema: Node) -> None:
    for key, value in schema.items():
        if key == "properties":
            into[key] = {**into.get(key, {}), **value}
        elif key == "required":
            into[key] = [*into.get(key, ()), *value]
        else:
            into[key] = value


def plain(schema: dict[str, Any]) -> Node:
    """OpenAPI 3.1 in the words of 3.0."""
    kinds = schema.get("type")
    if isinstance(kinds, list):
        rest = sorted(kind for kind in kinds if kind != "null")
        schema["type"] = rest[0] if len(rest) == 1 else ", ".join(rest) or None
        schema["nullable"] = "null" in kinds
    if "const" in schema:
        schema["enum"] = [schema["const"]]
    return schema


@dataclass(frozen=True)
class Place:
    """Where a schema stands."""

    area: str
    """`request-parameter`, `request-body`, `response-body` or `response-header`."""
    of: str
    """What it is part of, in words."""
    path: str = ""
    """The property, within that: `results/items/name`."""

    @property
    def is_request(self) -> bool:
        """Whether clients send it."""
        return self.area.startswith("request")

    @property
    def prefix(self) -> str:
        """What ids about it begin with."""
        return self.area.replace("-body", "-property") if self.path else self.area

    @property
    def shown(self) -> str:
        """The place in words."""
        return f"the property {self.path} of {self.of}" if self.path else self.of

    def below(self, name: str) -> "Place":
        """A place within it."""
        return replace(self, path=f"{self.path}/{name}".lstrip("/"))
