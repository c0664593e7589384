"""Fixtures as YAML for people: comments on top, a blank line between tables, and short rows on one line each."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

_SHORT = ("sections", "memberships", "completions")
"""Tables whose rows fit on a line."""
_ODD = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff]")


class _Line(dict[str, Any]):
    """A row to be written on one line."""


class _Keys(list[Any]):
    """A list to be written on one line."""


class _Dumper(yaml.SafeDumper):
    """Writes rows as people would, and each value in full wherever it occurs."""

    def ignore_aliases(self, data: Any) -> bool:
        """No row is written as a reference to another one."""
        return True


_Dumper.add_representer(
    _Line, lambda dumper, row: dumper.represent_mapping("tag:yaml.org,2002:map", row, flow_style=True)
)
_Dumper.add_representer(
    _Keys, lambda dumper, keys: dumper.represent_sequence("tag:yaml.org,2002:seq", keys, flow_style=True)
)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    """A text with characters that are breaks of lines to YAML, or not allowed there, is written with escapes."""
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"' if _ODD.search(text) else None)


_Dumper.add_representer(str, _text)


def fixture_text(data: Mapping[str, Any], comments: Sequence[str]) -> str:
    """The text of a fixture, with each of the comments on a line of its own."""
    heading = "".join(f"# {_ODD.sub(' ', ' '.join(comment.split()))}\n" for comment in comments)
    return heading + "\n".join(_parts(data))


def _parts(data: Mapping[str, Any]) -> Iterator[str]:
    for name, value in data.items():
        yield yaml.dump(
            {name: _shaped(name, value)}, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1_000_000
        )


def _shaped(name: str, value: Any) -> Any:
    if name in _SHORT:
        return [_Line(row) for row in value]
    if name == "remove":
        return {table: _Keys(keys) for table, keys in value.items()}
    if isinstance(value, list):
        return [_inner(row) for row in value]
    return value


def _inner(row: Any) -> Any:
    """A row whose lists of ids are on one line."""
    if not isinstance(row, dict):
        return row
    return {field: _field(part) for field, part in row.items()}


def _field(part: Any) -> Any:
    if isinstance(part, list):
        return _Keys(part) if all(isinstance(one, int) for one in part) else [_Line(one) for one in part]
    return part
