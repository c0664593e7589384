"""What a proxy sees: single exchanges, and the report on all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from stubserver.checking.findings import Report
from stubserver.reports.text import printable

REQUEST, ANSWER = "request", "answer"
"""The sources of findings: which side is at fault."""


@dataclass
class Exchange:
    """One request and its answer, as they passed."""

    method: str
    path: str
    """Decoded, without the query."""
    query: str
    headers: Mapping[str, str]
    """By lower-case name."""
    body: bytes | None = b""
    """As it was sent, perhaps compressed; None if it was too large to be kept."""
    status: int = 0
    """0 if there was no answer."""
    answer_headers: Sequence[tuple[bytes, bytes]] = ()
    """By lower-case name."""
    answer: bytes | None = b""
    """As it was sent, perhaps compressed; None if it was too large to be kept."""
    failure: str = ""
    """Why there was no answer, or not all of it."""
    seconds: float = 0.0


@dataclass
class Observed(Report):
    """All that was seen of an application and a server that talk to each other."""

    documented: int = 0
    """How many of the requests were for operations of the contract."""
    coverage: Mapping[str, Any] = field(default_factory=dict)
    """What of the contract they used, as the control plane reports it."""
    journal: Sequence[Mapping[str, Any]] = ()
    """The newest requests and answers, as the control plane shows them, oldest first."""
    forgotten: int = 0
    """How many older ones are not among them."""

    headings: ClassVar[Mapping[str, str]] = {
        REQUEST: "What the application sent, and the contract does not allow",
        ANSWER: "What the server answered, and the contract does not allow",
    }

    @property
    def circumstances(self) -> str:
        """How much was seen."""
        return f"{self.sent:,} requests in {self.seconds:.0f} s, {self.documented:,} of documented operations"

    @property
    def more(self) -> Mapping[str, Any]:
        """What the report for programs has besides that of a check."""
        return {"documented": self.documented, "coverage": self.coverage, "journal": list(self.journal)}


def as_line(exchange: Exchange, wrong: int) -> str:
    """An exchange as a line of a log, without its query, which may hold credentials."""
    state = exchange.failure or f"{exchange.status} {exchange.seconds * 1000:.1f} ms"
    broken = f" - {wrong} against the contract" if wrong else ""
    return printable(f"{exchange.method:6} {exchange.path} {state}{broken}") + "\n"
