"""The report of a search for a terminal, and as JSON and JUnit XML."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from xml.sax.saxutils import quoteattr

from stubserver.checking.text_report import case, suite
from stubserver.contract.places import KINDS
from stubserver.reports.text import printable, shortened, wrapped
from stubserver.variants.report import BROKEN, RESULTS, SURVIVED, Finding, Report
from stubserver.variants.running import Asked

_LINES = 12
"""Lines of output that the text shows, the last ones; the other formats have more."""
_REFUSED = 3
"""Refused requests that it shows."""


def text(report: Report) -> str:
    """For a terminal."""
    return "\n".join([*_findings(report), *_ledger(report), *_notes(report), verdict(report)]) + "\n"


def _findings(report: Report) -> Iterator[str]:
    for finding in report.findings:
        yield f"{'flaky' if finding.is_flaky else 'broken'}: {printable(finding.key)}"
        yield f"  {ending(finding)}"
        if finding.request is not None:
            yield f"  request:  {shown(finding.request)} {finding.prefer}"
        for asked in finding.refused[:_REFUSED]:
            yield f"  then the server refused: {shown(asked)} {asked.status}"
        if finding.accepted:
            yield f"  accepted: {printable(finding.accepted)}"
        else:
            yield from (f"    {shortened(printable(line), 200)}" for line in finding.run.output.splitlines()[-_LINES:])
        yield ""


def ending(finding: Finding) -> str:
    """How the command ended."""
    if finding.run.overdue:
        return f"the command did not end, and was ended after {finding.run.seconds:.0f} s"
    return f"the command ended with status {finding.run.status}, after {finding.run.total} requests"


def shown(asked: Asked) -> str:
    """A request in one line."""
    return printable(f"{asked.method} {asked.path} as {asked.persona}")


def _ledger(report: Report) -> Iterator[str]:
    """How many variants survived, by kind."""
    for kind in KINDS:
        results = [report.result(site) for site in report.sites if site.kind == kind]
        if results:
            yield f"{kind:11} {', '.join(f'{results.count(name)} {name}' for name in RESULTS if name in results)}"


def _notes(report: Report) -> Iterator[str]:
    yield from (wrapped(f"Note: {printable(note)}", "", "  ") for note in report.notes)


def verdict(report: Report) -> str:
    """What came of it, in a line."""
    found = f"{len(report.new)} broken" if report.new else "nothing broken"
    others = [
        f"{sum(bool(finding.accepted) for finding in report.findings)} accepted",
        f"{sum(finding.is_flaky for finding in report.findings)} flaky",
    ]
    known = ", ".join(["", *(other for other in others if not other.startswith("0 "))])
    ended = f"; ended early: {report.ended}" if report.ended else ""
    return f"{printable(report.command)}: {found}{known}; {report.circumstances}{ended}."


# For programs


def as_json(report: Report) -> str:
    """As JSON."""
    return json.dumps(document(report), indent=2, ensure_ascii=False) + "\n"


def document(report: Report) -> Mapping[str, Any]:
    """As one JSON value."""
    return {
        "command": report.command,
        "survives": not report.new,
        "runs": report.runs,
        "seconds": round(report.seconds, 1),
        "ended": report.ended,
        "counts": report.counts,
        "findings": [_finding(finding) for finding in report.findings],
        "sites": [{**site.wanted, "result": report.result(site)} for site in report.sites],
        "sent": {name: list(places) for name, places in sorted(report.places.items())},
        "notes": report.notes,
    }


def _finding(finding: Finding) -> Mapping[str, Any]:
    return {
        "key": finding.key,
        "variants": [site.wanted for site in finding.sites],
        "flaky": finding.is_flaky,
        "accepted": finding.accepted,
        "status": finding.run.status,
        "overdue": finding.run.overdue,
        "request": finding.request and finding.request._asdict(),
        "prefer": finding.prefer,
        "refused": [asked._asdict() for asked in finding.refused],
        "output": finding.run.output,
    }


def junit(report: Report) -> str:
    """As JUnit XML: a test case for each variant."""
    failing = {site: finding for finding in report.findings for site in finding.sites}
    cases = []
    for site in report.sites:
        result, finding = report.result(site), failing.get(site)
        inside: Sequence[str] = []
        if finding is not None and result == BROKEN and not finding.accepted:
            output = quoteattr(printable(finding.run.output.replace("\n", " | ")))
            inside = [f"<failure message={output}/>"]
        elif result != SURVIVED:
            why = finding.accepted if finding else ""
            inside = [f"<skipped message={quoteattr(printable(why) or result)}/>"]
        cases.append(case(f"{site.operation}.{site.kind}", site.key, inside))
    return suite("stubserver variants", cases, report.seconds)
