"""The contract in a newer version of OpenAPI, for tools that understand it better than 3.0.

The contract itself is OpenAPI 3.0, because Connexion reads nothing newer.
"""

from collections.abc import Mapping
from typing import Any


def as_openapi_31(document: Mapping[str, Any]) -> dict[str, Any]:
    """The same document in OpenAPI 3.1, where null is a type: what is `nullable` has it beside its own."""
    return {**_with_null(document), "openapi": "3.1.0"}


def _with_null(node: Any) -> Any:
    if isinstance(node, list):
        return [_with_null(part) for part in node]
    if not isinstance(node, Mapping):
        return node
    if node.get("nullable") is not True:
        return {key: _with_null(part) for key, part in node.items()}
    plain = {key: _with_null(part) for key, part in node.items() if key != "nullable"}
    if plain.get("enum") == [None]:
        return {"type": "null"}
    if "enum" in plain and None not in plain["enum"]:
        plain["enum"] = [*plain["enum"], None]
    return {**plain, "type": [plain["type"], "null"]}
