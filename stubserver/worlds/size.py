"""About how many bytes a changed row takes: the bounds of worlds count them.

The size depends on nothing but the row's content. What Python reports does not: it counts the UTF-8 that a text has
once been encoded to, and the room that a list has for more.
"""

from collections.abc import Mapping
from typing import Any

ROW = 640
"""What a row takes besides long texts, lists and objects: the average that was measured for small rows."""
_SHORT = 100
"""Texts of up to this many characters are not counted in a row: they are part of ROW."""
_WIDE = 5
"""What a character takes, in bytes, if not all of its text is ASCII: two or four, and what UTF-8 needs."""
_VALUE = 64
"""What a value in a list or an object takes besides a text."""


def size_of(row: Mapping[str, Any] | None) -> int:
    """The size of a row, or of the note that it was deleted, in bytes. A text counts for each row that has it."""
    size = ROW
    for value in row.values() if row else ():
        kind = type(value)  # every change of a row comes here, and isinstance takes longer
        if kind is str:
            if len(value) > _SHORT:
                size += _text(value)
        elif kind is list or kind is dict or kind is tuple:
            size += _whole(value)
        elif kind is bytes:
            size += len(value)
    return size


def _text(text: str) -> int:
    return len(text) if text.isascii() else len(text) * _WIDE


def _whole(value: Any) -> int:
    """The size of a list, tuple or object with everything in it."""
    parts = [*value, *value.values()] if type(value) is dict else value
    size = _VALUE * (1 + len(parts))
    for part in parts:
        kind = type(part)
        if kind is str:
            size += _text(part)
        elif kind is list or kind is dict or kind is tuple:
            size += _whole(part)
    return size
