"""What the requests of a command had to do with the contract: what it does not define, and what was refused."""

from collections import Counter
from collections.abc import Iterator

from stubserver.records.journal import Entry
from stubserver.reports.text import shortened

_MAX_KEPT = 1000
"""Different findings of a kind that are counted."""
_MAX_SHOWN = 30
_LONGEST_NAME, _LONGEST_MESSAGE = 100, 200
"""Characters that are shown of what a client sent, and of a message."""


class _Tally:
    """How often each thing was found, and where it was found first."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._first: dict[str, str] = {}

    def note(self, what: str, where: str) -> None:
        """Count a finding. Beyond the maximum, new ones are left out."""
        if what in self._first or len(self._first) < _MAX_KEPT:
            self._first.setdefault(what, where)
            self.counts[what] += 1

    def lines(self) -> Iterator[str]:
        """The findings, the most frequent first, and how many more there are."""
        for what, times in self.counts.most_common(_MAX_SHOWN):
            yield f"{times} x {what} (first: {self._first[what]})"
        if len(self.counts) > _MAX_SHOWN:
            yield f"and {len(self.counts) - _MAX_SHOWN} more"


class Findings:
    """The violations and refusals in a journal, in all worlds, deleted ones included."""

    def __init__(self) -> None:
        self._violations = _Tally()
        self._refusals = _Tally()

    def note(self, entry: Entry) -> None:
        """Look at a request that has ended; a listener of the journal."""
        of = f" of {entry.operation.id}" if entry.operation else ""
        for kind, name in entry.violations:
            path = shortened(entry.path, _LONGEST_NAME)
            self._violations.note(
                f"{kind} {shortened(name, _LONGEST_NAME)}{of}", f"{entry.method} {path}, request {entry.id}"
            )
        if entry.status >= 400:
            self._refusals.note(f"{entry.status}{of}", f"request {entry.id}{_reason(entry)}")

    @property
    def violations(self) -> list[str]:
        """A line for each thing that the contract does not define."""
        return [f"not in the contract: {line}" for line in self._violations.lines()]

    @property
    def refusals(self) -> list[str]:
        """A line for each operation and status with which it refused requests."""
        return [f"refused: {line}" for line in self._refusals.lines()]


def _reason(entry: Entry) -> str:
    if entry.refusal is not None:
        return f": {shortened(entry.refusal.reason, _LONGEST_MESSAGE)}"
    return f": fault {entry.faults[0]['kind']}" if entry.faults else ""
