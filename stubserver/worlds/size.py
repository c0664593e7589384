"""About how many bytes a changed row takes: the bounds of worlds count them."""

from collections.abc import Mapping
from sys import getsizeof
from typing import Any

ROW = 640
"""What a row takes besides long texts, lists and objects: the average that was measured for small rows."""
_SHORT = 100
"""Texts of up to this many characters are not counted: they are part of ROW."""


def size_of(row: Mapping[str, Any] | None) -> int:
    """The size of a row, or of the note that it was deleted, in bytes. A text counts for each row that has it."""
    if row is None:
        return ROW
    size = ROW
    for value in row.values():
        if type(value) is str:
            if len(value) > _SHORT:
                size += getsizeof(value)
        elif isinstance(value, dict | list | tuple):
            size += _whole(value)
    return size


def _whole(value: Any) -> int:
    """The size of a value with everything in it."""
    parts = [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return getsizeof(value) + sum(map(_whole, parts))
