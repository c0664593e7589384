"""What a pact demands of a body: an example, and rules that say how far another body may differ from it.

A value may be another one of its type; one of the values that the contract enumerates must be such a value.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from stubserver.contract.contract import Contract
from stubserver.contract.schema import Schema

Rules = dict[str, dict[str, Any]]
"""JSON path -> the matchers there."""
_PARTS = ("allOf", "anyOf", "oneOf")
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


def rule(*matchers: Mapping[str, Any], combine: str = "AND") -> dict[str, Any]:
    """Matchers of one place, as a pact writes them."""
    return {"combine": combine, "matchers": list(matchers)}


class Body:
    """The example and the rules of one body."""

    def __init__(self, contract: Contract, schema: Schema | None, body: Any) -> None:
        """`schema` is that of the body, if the contract has one."""
        self._contract = contract
        self.rules: Rules = {"$": rule({"match": "type"})}
        self.example = self._example([body], [schema] if schema else [], "$", False)

    def _example(self, found: Sequence[Any], schemas: Sequence[Schema], path: str, in_list: bool) -> Any:
        """An example of all values found at a path, which are several below a list."""
        values = [value for value in found if value is not None]
        if not values:
            return None
        schemas = [*self._alternatives(schemas)]
        first = values[0]
        if isinstance(first, dict):
            return self._object(values, schemas, path, in_list)
        if isinstance(first, list):
            return self._list(values, schemas, path)
        self._allow(path, found, _choices(schemas), in_list)
        return first

    def _object(
        self, found: Sequence[Mapping[str, Any]], schemas: Sequence[Schema], path: str, in_list: bool
    ) -> dict[str, Any]:
        """Of fields that only some of the objects have, or whose values are of several kinds, nothing is demanded."""
        return {
            name: self._example(
                [value[name] for value in found],
                [schema["properties"][name] for schema in schemas if name in schema.get("properties", ())],
                f"{path}.{name}" if _PLAIN.fullmatch(name) else f"{path}['{_escaped(name)}']",
                in_list,
            )
            for name in found[0]
            if all(name in value for value in found) and _are_alike([value[name] for value in found])
        }

    def _list(self, found: Sequence[Sequence[Any]], schemas: Sequence[Schema], path: str) -> list[Any]:
        """One element, which stands for all; an empty list may have any."""
        elements = [element for value in found for element in value]
        if not elements or not _are_alike(elements):
            return []
        self.rules[path] = rule({"match": "type", "min": 1} if all(found) else {"match": "type"})
        items = [schema["items"] for schema in schemas if "items" in schema]
        return [self._example(elements, items, f"{path}[*]", True)]

    def _allow(self, path: str, found: Sequence[Any], choices: Sequence[Any] = (), in_list: bool = False) -> None:
        """Say what may be at a path, if that is not only a value of the type of the example."""
        matchers: list[dict[str, Any]] = []
        if choices and not in_list:
            matchers = [{"match": "equality"}]
        elif choices and all(isinstance(choice, str) for choice in choices):
            matchers = [{"match": "regex", "regex": f"^({'|'.join(map(re.escape, choices))})$"}]
        if any(value is None for value in found):
            self.rules[path] = rule(*(matchers or [{"match": "type"}]), {"match": "null"}, combine="OR")
        elif matchers:
            self.rules[path] = rule(*matchers)

    def _alternatives(self, schemas: Iterable[Schema]) -> Iterator[Schema]:
        """The schemas without references, each with those that it consists of."""
        for part in schemas:
            schema = self._contract.resolve(part)
            yield schema
            for key in _PARTS:
                yield from self._alternatives(schema.get(key, ()))


def _are_alike(values: Iterable[Any]) -> bool:
    """Whether one rule can say what all of them are: of one kind, or null where that is a plain value."""
    kinds = {_KINDS.get(type(value), type(value)) for value in values}
    return len(kinds) == 1 or (len(kinds - {type(None)}) == 1 and kinds.isdisjoint({dict, list}))


_KINDS: Mapping[type, type] = {float: int}


def _choices(schemas: Iterable[Schema]) -> list[Any]:
    """The values that the contract enumerates, if it does."""
    return [*dict.fromkeys(value for schema in schemas for value in schema.get("enum", ()) if value is not None)]


def _escaped(name: str) -> str:
    return name.replace("\\", "\\\\").replace("'", "\\'")
