"""What a message suggests in the place of a name that does not exist."""

import difflib
from collections.abc import Iterable


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A question that suggests the nearest names, with a blank in front; empty if none is near."""
    near = difflib.get_close_matches(name, [*known], n=3, cutoff=0.6)
    return f" Did you mean {', '.join(near)}?" if near else ""


_MAX_LISTED = 20
"""Names that a message lists if none is near."""
_MAX_ECHO = 60
"""Characters of the unknown name that a message repeats."""


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """A sentence that `name` is not one of the known ones, and what would be right."""
    names = [*known]
    listed = f" Use one of: {', '.join(names)}." if len(names) <= _MAX_LISTED else ""
    right = did_you_mean(name, names) or listed
    return f"There is no {what} {name[:_MAX_ECHO]!r}.{right}"
