"""The report of a check for a terminal, and as JSON and JUnit XML."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from xml.sax.saxutils import quoteattr

from stubserver.checking.catalogue import as_yaml, unseen
from stubserver.checking.findings import AGREES, DIFFERS, NOT_REACHED, Finding, Report
from stubserver.reports.text import printable, shortened, wrapped

_SHOWN = 20
"""Steps of a sequence that the text shows, the last ones; the other formats have all."""
_NO_STORY = "not to be seen from outside, as `stubserver why` explains"
_WEIGHT = {
    "certain": "documented: the server's fault until shown otherwise",
    "high": "well supported",
    "medium": "inferred: a question to both sides",
    "low": "a guess: a question to both sides",
}
"""How sure a rule is -> what that means for a difference."""


def text(report: Report, rules: Mapping[str, Any]) -> str:
    """For a terminal. `rules` are those of the contract, by code."""
    return "\n".join([*_findings(report, rules), *_ledger(report), *_notes(report), _verdict(report)]) + "\n"


def _findings(report: Report, rules: Mapping[str, Any]) -> Iterator[str]:
    source = ""
    yield from _missing(report)
    for finding in report.findings:
        if finding.is_missing:
            continue
        if finding.source != source and finding.source in report.headings:
            yield from (f"{report.headings[finding.source]}:", "")
        source = finding.source
        yield from _finding(finding, rules)


def _missing(report: Report) -> Iterator[str]:
    """The operations that the target does not have, a line for each."""
    found = [finding for finding in report.findings if finding.is_missing]
    if found:
        yield "Not there: the target answers as if it had no such operations."
        for finding in found:
            accepted = f": accepted: {printable(finding.accepted)}" if finding.accepted else ""
            yield f"  {finding.operation.method.upper()} {finding.operation.path} ({finding.operation.id}){accepted}"
        yield ""


def _finding(finding: Finding, rules: Mapping[str, Any]) -> Iterator[str]:
    operation, difference = finding.operation, finding.difference
    times = f", {finding.times} times" if finding.times > 1 else ""
    yield f"{operation.method.upper()} {operation.path} ({operation.id}): {difference.at}{times}"
    yield f"  expected: {shortened(difference.expected, 200)}"
    yield f"  came:     {shortened(difference.found, 200)}"
    yield f"  seen in:  {finding.source}: {printable(finding.title)}"
    for code in finding.rules[:3]:
        yield from _rule(code, rules)
    if finding.accepted:
        yield f"  accepted: {printable(finding.accepted)}"
        return
    hidden = max(0, len(finding.steps) - _SHOWN)
    if finding.steps:
        yield f"  steps{f' (the last {_SHOWN} of {len(finding.steps)})' if hidden else ''}:"
    yield from (f"    {printable(line)}" for line in as_yaml(finding.steps[hidden:]))
    yield from (f"    {printable(line)}" for line in finding.curl[-1:])
    yield ""


def _rule(code: str, rules: Mapping[str, Any]) -> Iterator[str]:
    rule = rules.get(code)
    if rule is not None:
        sure = rule["sure"]
        yield wrapped(f"{code} ({sure}, {_WEIGHT[sure]}): {rule['rule']}", "  rule:     ", "            ")


def _ledger(report: Report) -> Iterator[str]:
    """How much was played, how many rules agree, and those that do not."""
    if report.played:
        yield f"Played: {', '.join(f'{part.done:,} of {part.all:,} {name}' for name, part in report.played.items())}"
    results = report.rules.values()
    counts = Counter(rule.result for rule in results)
    if results:
        said = [_counted(counts[name], name) for name in (AGREES, DIFFERS, NOT_REACHED) if counts[name]]
        yield f"Rules: {', '.join(said)}"
    differing = [rule.rule for rule in results if rule.result == DIFFERS]
    if differing:
        yield f"  {DIFFERS}: {', '.join(differing)}"
    reasons: dict[str, list[str]] = {}
    for rule in results:
        if rule.result == NOT_REACHED:
            reasons.setdefault(_NO_STORY if rule.rule in unseen() else rule.why, []).append(rule.rule)
    for why, codes in reasons.items():
        yield wrapped(f"{NOT_REACHED}, {why}: {', '.join(codes)}", "  ", "    ")


def _counted(number: int, result: str) -> str:
    return f"{number} {result if number == 1 else result.removesuffix('s')}"


def _notes(report: Report) -> Iterator[str]:
    yield from (wrapped(f"Note: {printable(note)}", "", "  ") for note in report.notes)


def _verdict(report: Report) -> str:
    accepted = len(report.findings) - len(report.new)
    found = f"{len(report.new)} difference{'s' * (len(report.new) != 1)}" if report.new else "no difference"
    known = f" ({accepted} accepted)" if accepted else ""
    lacking = f", but that is not all: {report.lacking}" if report.lacking else ""
    return f"{printable(report.target)}: {found}{known}{lacking}; {report.circumstances}."


# For programs


def document(report: Report) -> Mapping[str, Any]:
    """As one JSON value."""
    return {
        "target": report.target,
        **report.more,
        "requests": report.sent,
        "seconds": round(report.seconds, 1),
        "agrees": not report.new and not report.lacking,
        "lacking": report.lacking,
        "played": {name: {"done": part.done, "of": part.all} for name, part in report.played.items()},
        "differences": [_difference(finding) for finding in report.findings],
        "rules": {rule.rule: {"result": rule.result, "why": rule.why} for rule in _sorted(report)},
        "notes": report.notes,
    }


def _sorted(report: Report) -> Sequence[Any]:
    return [report.rules[code] for code in sorted(report.rules)]


def _difference(finding: Finding) -> Mapping[str, Any]:
    return {
        "key": finding.key,
        "operation": finding.operation.id,
        "at": finding.difference.at,
        "kind": finding.difference.kind,
        "expected": finding.difference.expected,
        "found": finding.difference.found,
        "rules": list(finding.rules),
        "source": finding.source,
        "title": finding.title,
        "times": finding.times,
        "accepted": finding.accepted,
        "steps": [*as_yaml(finding.steps)],
        "curl": list(finding.curl),
    }


def as_json(report: Report) -> str:
    """As JSON."""
    return json.dumps(document(report), indent=2, ensure_ascii=False) + "\n"


def junit(report: Report) -> str:
    """As JUnit XML: a test case for each rule, and one for each difference that is no rule's."""
    return suite("stubserver check", [*_cases(report)], report.seconds)


def suite(name: str, cases: Sequence[str], seconds: float) -> str:
    """A file in JUnit's format."""
    failures, skipped = (sum(f"<{kind}" in each for each in cases) for kind in ("failure", "skipped"))
    head = f'<testsuite name="{name}" tests="{len(cases)}" failures="{failures}" skipped="{skipped}"'
    time = f'time="{seconds:.1f}"'
    return "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', f"{head} {time}>", *cases, "</testsuite>", ""])


def _cases(report: Report) -> Iterator[str]:
    by_rule: dict[str, list[Finding]] = {}
    for finding in report.new:
        for code in finding.rules[:1] if finding.source == "story" else [""]:
            by_rule.setdefault(code, []).append(finding)
    for rule in _sorted(report):
        found = by_rule.get(rule.rule, [])
        skipped = f"<skipped message={quoteattr(rule.why)}/>" if rule.result == NOT_REACHED else ""
        yield case("rules", rule.rule, [*map(_failure, found), skipped])
    for finding in by_rule.get("", []):
        yield case(finding.source, finding.key, [_failure(finding)])
    if report.lacking:
        yield case("check", "everything was played", [f"<failure message={quoteattr(report.lacking)}/>"])


def case(group: str, name: str, inside: Sequence[str]) -> str:
    """A test case in JUnit's format, with the elements inside."""
    return f"<testcase classname={quoteattr(group)} name={quoteattr(printable(name))}>{''.join(inside)}</testcase>"


def _failure(finding: Finding) -> str:
    difference = finding.difference
    message = f"{finding.key}: expected {difference.expected}, came {difference.found}"
    return f"<failure message={quoteattr(printable(message))}/>"
