"""What a message suggests in the place of a name that does not exist."""

import difflib
from collections.abc import Iterable

_MAX_NAME = 60
"""Characters of an unknown name that are compared and repeated."""
_MAX_LISTED = 20
"""Names that a message lists if none is near."""


def nearest(name: str, known: Iterable[str], most: int = 3) -> list[str]:
    """The known names that are most like `name`, the nearest first; empty if none is near."""
    return difflib.get_close_matches(name[:_MAX_NAME], [*known], n=most)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A question that suggests the nearest names, with a blank in front; empty if none is near."""
    near = nearest(name, known)
    return f" Did you mean {', '.join(near)}?" if near else ""


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """A sentence that `name` is not one of the known ones, and what would be right."""
    names = [*known]
    listed = f" Use one of: {', '.join(names)}." if len(names) <= _MAX_LISTED else ""
    right = did_you_mean(name, names) or listed if names else " There are none here."
    return f"There is no {what} {name[:_MAX_NAME]!r}.{right}"
