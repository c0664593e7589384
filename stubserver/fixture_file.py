"""Reading the file of a fixture: YAML or JSON that holds only what JSON can, and no key twice; and the line of a place
in it."""

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson
import yaml

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"(\s*:)?|[{}]', re.DOTALL)
"""What decides which keys a JSON text has: texts, keys among them, and the ends of objects."""
_BLANKS = re.compile(r"\s*")
_TAG = "tag:yaml.org,2002:"
_MERGE = f"{_TAG}merge"
_PLAIN = {f"{_TAG}{kind}" for kind in ("str", "int", "float", "bool", "null", "seq", "map")}
"""The kinds of YAML values that JSON has, too."""
_NOT_JSON = re.compile(r"[-+]?\.(inf|nan)", re.IGNORECASE)
"""The numbers that JSON has not."""
_LONG = 64
"""Characters from which on it matters how often an alias repeats a text."""
_NODE = 16
"""What a value counts that is repeated, in bytes, besides the characters of a text."""
_MOST_REPEATED = 16 * 1024 * 1024
"""Bytes that the aliases of a file may stand for: a few lines can stand for more than any memory holds."""


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc] # with libyaml, ten times faster
    """Reads a date as the text that it is, with or without quotes."""

    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != f"{_TAG}timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


class WrongText(ValueError):
    """The text is no YAML or JSON, or means something that no fixture may; the message says what, in one line."""

    def __init__(self, message: str, line: int | None = None) -> None:
        """`line` is where, counted from 1, if that is known."""
        super().__init__(" ".join(message.split()))
        self.line = line


def text_of(file: Path) -> str:
    """The text of a file. Raises WrongText if it is not UTF-8, and OSError."""
    content = file.read_bytes()
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise WrongText(f"the byte 0x{content[error.start]:02x} is not UTF-8: save the file as UTF-8", line) from None


def parsed(text: str, file: Path) -> Any:
    """The content of a file; its name decides whether it is JSON. Raises WrongText."""
    try:
        return _json(text) if _is_json(file) else _yaml(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise WrongText(f"this is no YAML: {error.problem}", mark.line + 1 if mark else None) from None
    except orjson.JSONDecodeError as error:
        raise WrongText(f"this is no JSON: {error.msg}", error.lineno) from None
    except (ValueError, yaml.YAMLError) as error:
        raise error if isinstance(error, WrongText) else WrongText(str(error)) from None


def digest_of(data: Any) -> str:
    """A digest of what a file says, however it is written: the order of keys, comments and quotes do not count. Raises
    WrongText if it is nested too deeply."""
    try:
        return hashlib.sha256(orjson.dumps(data, option=orjson.OPT_SORT_KEYS)).hexdigest()
    except TypeError as error:
        raise WrongText(f"this cannot be written as JSON: {error}") from None


def line_of(path: Sequence[str | int], text: str, file: Path) -> int | None:
    """The line of the place that keys and positions lead to, counted from 1; of what is around it, if it is not there;
    None for a text that cannot be read."""
    try:
        return _json_line(path, text) if _is_json(file) else _yaml_line(path, text)
    except (ValueError, IndexError, yaml.YAMLError):
        return None


def _is_json(file: Path) -> bool:
    return file.suffix == ".json"


# YAML


def _yaml(text: str) -> Any:
    loader = _Loader(text)
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
    repeated: list[yaml.Node] = []
    waiting: list[tuple[tuple[str, ...], yaml.Node]] = [((), root)]
    while waiting:
        path, node = waiting.pop()
        if node.tag not in _PLAIN or (node.tag == f"{_TAG}float" and _NOT_JSON.fullmatch(node.value)):
            raise _odd(path, node, "is nothing that JSON has: write a number or a text")
        if isinstance(node, yaml.ScalarNode) and len(node.value) < _LONG:
            continue
        if id(node) in seen:  # an alias leads to a node again
            repeated.append(node)
            continue
        seen.add(id(node))
        if isinstance(node, yaml.ScalarNode):
            continue
        if isinstance(node, yaml.MappingNode):
            _check_mapping(node, path)
            waiting += [((*path, str(key.value)), value) for key, value in node.value]
        else:
            waiting += [((*path, str(index)), value) for index, value in enumerate(node.value)]
    _check_repeated(repeated)


def _check_repeated(nodes: Sequence[yaml.Node]) -> None:
    """Check what aliases stand for; some of it may have aliases, too, even of what is around it."""
    size = 0
    for first in nodes:
        waiting = [first]
        while waiting:
            node = waiting.pop()
            if isinstance(node, yaml.ScalarNode):
                size += len(node.value)
            else:
                waiting += [value for _, value in node.value] if isinstance(node, yaml.MappingNode) else node.value
            size += _NODE
            if size > _MOST_REPEATED:
                message = f"aliases repeat what begins here until it has more than {_MOST_REPEATED} bytes"
                raise WrongText(message, _line(first))


def _check_mapping(node: yaml.MappingNode, path: tuple[str, ...]) -> None:
    found: dict[str, yaml.Node] = {}
    for key, _ in node.value:
        if key.tag == _MERGE:
            continue
        if key.tag != f"{_TAG}str":
            raise _odd(path, key, "is a key that is no text: write it in quotes")
        first = found.setdefault(key.value, key)
        if first is not key:
            raise WrongText(_twice(key.value, _line(first)), _line(key))


def _odd(path: tuple[str, ...], node: yaml.Node, what: str) -> WrongText:
    place = ".".join(path) or "the file"
    is_plain = isinstance(node, yaml.ScalarNode) and node.tag in _PLAIN
    spelt = node.value[:60] if is_plain else node.tag.replace(_TAG, "!!")
    return WrongText(f"{place}: {spelt} {what}", _line(node))


def _line(node: yaml.Node) -> int:
    line: int = node.start_mark.line + 1
    return line


def _yaml_line(path: Sequence[str | int], text: str) -> int | None:
    loader = _Loader(text)
    try:
        place = value = loader.get_single_node()
    finally:
        loader.dispose()
    if place is None:
        return None
    for step in path:
        if isinstance(value, yaml.MappingNode):
            found = [(key, below) for key, below in value.value if key.value == step]
        else:
            found = [(below, below) for below in value.value[step : step + 1]]  # type: ignore[operator]
        if not found:
            break
        place, value = found[0]
    return _line(place)


# JSON


def _json(text: str) -> Any:
    data = orjson.loads(text)
    if not _is_compact(text, data):
        _check_json(text)
    return data


def _is_compact(text: str, data: Any) -> bool:
    """Whether a text is what orjson writes, which has no key twice; as large files are, whose check takes long."""
    try:
        return orjson.dumps(data).decode() == text
    except TypeError:  # nested too deeply
        return False


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
                first_line, line = (text.count("\n", 0, place) + 1 for place in (first, token.start()))
                raise WrongText(_twice(key, first_line), line)


def _json_line(path: Sequence[str | int], text: str) -> int:
    place = value = _behind_blanks(text, 0)
    for step in path:
        found = next((places for name, *places in _members(text, value) if name == step), None)
        if found is None:
            break
        place, value = found
    return text.count("\n", 0, place) + 1


def _members(text: str, place: int) -> Iterator[tuple[Any, int, int]]:
    """What the object or array at a place of a valid JSON text holds: key or position, where that begins, and where its
    value does."""
    read = json.JSONDecoder().raw_decode
    keyed, position = text[place] == "{", 0
    place = _behind_blanks(text, place + 1)
    while text[place] not in "}]":
        start, name = place, position
        if keyed:
            name, place = read(text, place)
            place = _behind_blanks(text, _behind_blanks(text, place) + 1)
        yield name, start, place
        place = _behind_blanks(text, read(text, place)[1])
        place = _behind_blanks(text, place + (text[place] == ","))
        position += 1


def _behind_blanks(text: str, place: int) -> int:
    match = _BLANKS.match(text, place)
    return match.end() if match else place


def _twice(key: str, first: int) -> str:
    return f"duplicate key {key!r}, first on line {first}"
