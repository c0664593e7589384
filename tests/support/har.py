"""Whether something is a HAR file."""

import json
from typing import Any

import jsonschema_rs

from tests.sources import ROOT

SCHEMAS = json.loads((ROOT / "tests" / "exports" / "har_schema.json").read_text())["schemas"]


def whole(node: Any) -> Any:
    """A schema with those that it refers to in their places."""
    if isinstance(node, dict):
        if "$ref" in node:
            return whole(SCHEMAS[node["$ref"].removesuffix("#")])
        return {name: whole(part) for name, part in node.items() if name != "$id"}
    return [whole(part) for part in node] if isinstance(node, list) else node


VALIDATOR = jsonschema_rs.Draft6Validator(whole(SCHEMAS["har.json"]), validate_formats=True)


def check(content: Any) -> None:
    """Fail unless it is HAR 1.2, by the schema that tools use."""
    plain = json.loads(json.dumps(content))
    problems = [(error.instance_path, error.message) for error in VALIDATOR.iter_errors(plain)]
    assert problems == [], problems
