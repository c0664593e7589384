"""What is only known at the end of a check: which operations the target does not have, and which rules that hides."""

from dataclasses import replace

from stubserver.checking.comparison import Difference
from stubserver.checking.findings import DIFFERS, NOT_REACHED, Finding, Report
from stubserver.checking.presence import Presence
from stubserver.contract.contract import Contract
from stubserver.contract.operation import Operation


def settle(report: Report, contract: Contract, presence: Presence) -> None:
    """Make one difference of all that was seen of an operation that is not there. The rules whose stories need it were
    not reached; those of other operations differ."""
    missing = presence.missing
    first = {finding.operation.id: finding for finding in reversed(report.findings)}
    others = [finding for finding in report.findings if finding.operation.id not in missing]
    report.findings = [*(_missing(contract.operations[name], presence, first.get(name)) for name in missing), *others]
    for rule, operation, is_about in report.blocked:
        if presence.is_missing(operation):
            report.note_rule(rule, NOT_REACHED, f"the target does not have {operation}")
        else:
            result = DIFFERS if is_about else NOT_REACHED
            report.note_rule(rule, result, f"{operation} differs, which comes before")
    never = [name for name in contract.operations if not presence.was_asked(name)]
    if missing and never and report.played:
        report.notes.append(f"operations that could not be reached: {', '.join(never)}")


def _missing(operation: Operation, presence: Presence, seen: Finding | None) -> Finding:
    times = presence.refused(operation.id)
    difference = Difference("operation", "missing", "the operation", f"as if there were none, {times} times")
    found = seen or Finding(operation, difference, (), "walk", "a random walk")
    return replace(found, difference=difference, rules=(), times=times)
