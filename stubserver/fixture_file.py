"""Reading the file of a fixture: YAML or JSON, in which no object has a key twice."""

import json
import re
from pathlib import Path
from typing import Any

import orjson
import yaml

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""With libyaml, if it is available (ten times faster)."""
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"(\s*:)?|[{}]', re.DOTALL)
"""What decides which keys a JSON text has: texts, keys among them, and the ends of objects."""
_MERGE = "tag:yaml.org,2002:merge"


class DuplicateKey(ValueError):
    """An object has a key twice; which of the two values counts would be a matter of luck."""

    def __init__(self, key: str, first: int, second: int) -> None:
        """`first` and `second` are the lines of the key."""
        super().__init__(f"duplicate key {key!r}, first on line {first}")
        self.line = second


def parsed(text: str, file: Path) -> Any:
    """The content of a file; its name decides whether it is JSON. Raises DuplicateKey, other ValueErrors and
    yaml.YAMLError."""
    if file.suffix == ".json":
        data = orjson.loads(text)
        _check_json(text)
        return data
    loader = _LOADER(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        _check_yaml(node)
        return loader.construct_document(node)
    finally:
        loader.dispose()


def _check_yaml(root: yaml.Node) -> None:
    seen: set[int] = set()
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, yaml.ScalarNode) or id(node) in seen:  # an alias leads to a node again
            continue
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            _check_mapping(node)
            waiting += [value for _, value in node.value]
        else:
            waiting += node.value


def _check_mapping(node: yaml.MappingNode) -> None:
    found: dict[tuple[str, str], yaml.Node] = {}
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode) or key.tag == _MERGE:
            continue
        first = found.setdefault((key.tag, key.value), key)
        if first is not key:
            raise DuplicateKey(key.value, first.start_mark.line + 1, key.start_mark.line + 1)


def _check_json(text: str) -> None:
    """Check a valid JSON text."""
    objects: list[dict[str, int]] = []  # those around the place, each with its keys and where these begin
    for token in _TOKEN.finditer(text):
        if token[0] == "{":
            objects.append({})
        elif token[0] == "}":
            objects.pop()
        elif token[1]:
            key: str = json.loads(token[0].removesuffix(token[1]))
            first = objects[-1].setdefault(key, token.start())
            if first != token.start():
                raise DuplicateKey(key, *(text.count("\n", 0, place) + 1 for place in (first, token.start())))
