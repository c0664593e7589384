"""What a check has found: differences, each with the steps that show it and how sure its rule is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from stubserver.checking.catalogue import Step
from stubserver.checking.comparison import Difference
from stubserver.checking.sides import Stopped
from stubserver.contract.operation import Operation

AGREES, DIFFERS, NOT_REACHED = "agrees", "differs", "not reached"
ENDS: Mapping[str, str] = {
    "interrupted": "it was interrupted",
    "time": "the time was over",
    "gone": "the target no longer answers",
}
"""Why a check ended early -> in words."""


@dataclass
class Finding:
    """A difference, and how to see it."""

    operation: Operation
    difference: Difference
    rules: Sequence[str]
    """The rules that may be broken: that of the story, or those of the operation."""
    source: str
    """What found it: `story`, `sweep`, `grid`, `walk` or `clean-up`."""
    title: str
    steps: Sequence[Step] = ()
    """What was done, up to the request whose answer differs."""
    curl: Sequence[str] = ()
    """The same, as it was sent."""
    times: int = 1
    """How often the like was seen."""
    accepted: str = ""
    """Why it is known, if it is."""

    @property
    def is_missing(self) -> bool:
        """Whether it is that the target does not have the operation."""
        return self.difference.at == "operation"

    @property
    def key(self) -> str:
        """The same for findings with probably one cause."""
        return f"{self.operation.id} {self.difference.place} {self.difference.kind}"


@dataclass
class RuleResult:
    """What became of one rule."""

    rule: str
    result: str = NOT_REACHED
    why: str = ""
    """Why it was not reached."""


@dataclass
class Progress:
    """How much of a part of a check was played."""

    all: int = 0
    done: int = 0
    skipped: int = 0
    """How much of it cannot be played at this target, or with these tokens."""
    is_needed: bool = True
    """Whether nobody can say that the target agrees if some of it is left."""

    @property
    def left(self) -> int:
        """How much of it should have been played, too."""
        return self.all - self.done - self.skipped


@dataclass
class Report:
    """All that a check has found."""

    target: str
    seed: int
    personas: Sequence[str]
    findings: list[Finding] = field(default_factory=list)
    rules: dict[str, RuleResult] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    """What a reader should know: what was left out, what could not be cleaned up."""
    most: int = 0
    """After so many findings, enough has been seen; 0 for no bound."""
    ended: str = ""
    """Why it ended before all was done: `interrupted`, `time`, `gone` (the target does not answer), or empty."""
    played: dict[str, Progress] = field(default_factory=dict)
    """Part of the check, in the plural -> how much of it was played."""
    blocked: list[tuple[str, str, bool]] = field(default_factory=list)
    """Rules whose stories have met an operation that the target does not seem to have; that operation; and whether the
    rule differs if it has it after all."""
    sent: int = 0
    seconds: float = 0.0

    headings: ClassVar[Mapping[str, str]] = {}
    """Source of findings -> what is written above them, where that is known."""

    @property
    def circumstances(self) -> str:
        """How much was done, and how."""
        who = ", ".join(self.personas) or "nobody"
        return f"{self.sent:,} requests in {self.seconds:.0f} s, seed {self.seed}, as {who}"

    @property
    def more(self) -> Mapping[str, Any]:
        """What only programs are told."""
        return {"seed": self.seed, "personas": list(self.personas)}

    @property
    def new(self) -> Sequence[Finding]:
        """The findings that are not accepted."""
        return [finding for finding in self.findings if not finding.accepted]

    @property
    def lacking(self) -> str:
        """What was left out, so that nobody can say that the target agrees; empty if all was done."""
        needed = {name: part for name, part in self.played.items() if part.is_needed and part.left}
        if self.ended and (needed or not self.played):
            left = " and ".join(f"{part.left:,} of {part.all:,} {name}" for name, part in needed.items())
            return f"{ENDS[self.ended]}{f', and {left} are left' if left else ''}"
        if "stories" in self.played and all(rule.result == NOT_REACHED for rule in self.rules.values()):
            return "no rule was reached"
        return ""

    def add(self, finding: Finding) -> None:
        """Add a finding, unless the like is there. Raises Stopped if that is enough."""
        for known in self.findings:
            if known.key == finding.key:
                known.times += 1
                return
        self.findings.append(finding)
        if len(self.findings) == self.most:
            raise Stopped

    def note_rule(self, rule: str, result: str, why: str = "") -> None:
        """Note what became of a rule. A difference outweighs an agreement, and that outweighs not being reached."""
        order = (NOT_REACHED, AGREES, DIFFERS)
        known = self.rules.setdefault(rule, RuleResult(rule, NOT_REACHED))
        if order.index(result) > order.index(known.result):
            known.result, known.why = result, ""
        elif result == known.result == NOT_REACHED:
            known.why = known.why or why
