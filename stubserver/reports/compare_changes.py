"""Changes between two contracts."""

from dataclasses import dataclass, field

ERROR, WARNING, INFO = "error", "warning", "info"
LEVELS = (ERROR, WARNING, INFO)
"""How much a change breaks, the worst first: clients; clients that rely on it; nobody."""
_MOST = 100_000
"""Changes of two documents that have nothing in common, beyond which there is no use in listing more."""


class Unusable(Exception):
    """A document that cannot be compared; the message says in one line which one, and why."""


@dataclass(frozen=True)
class Change:
    """One change for clients."""

    id: str
    """What sort of change, as oasdiff calls it."""
    level: str
    operation: str
    """Method and path."""
    text: str


@dataclass
class Changes:
    """The changes that were found so far."""

    all: list[Change] = field(default_factory=list)
    operation: str = ""
    """The operation that is being compared."""

    def add(self, level: str, kind: str, text: str) -> None:
        """Add a change of the operation. Raises Unusable if there are too many."""
        if len(self.all) == _MOST:
            raise Unusable(f"more than {_MOST:,} changes: these documents have hardly anything in common")
        self.all.append(Change(kind, level, self.operation, text))
