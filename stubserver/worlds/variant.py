"""A variant of a world, as data: what is different in its answers, and how often that was sent.

It never changes; a world replaces it. So it can be stored, and put back as it was.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

SIZE = 512
"""About what a variant takes, in bytes."""


@dataclass(frozen=True)
class Variant:
    """A variant of a world."""

    id: int
    wanted: Mapping[str, Any]
    """A VariantCreate of the control plane's contract."""
    sent: int = 0
    """In how many answers it made a difference."""

    def sent_again(self) -> "Variant":
        """The variant after it has made a difference once more."""
        return replace(self, sent=self.sent + 1)
