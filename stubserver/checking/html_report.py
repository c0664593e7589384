"""The report of a check as one HTML page that loads nothing and runs nothing, for a team that has to mend a server."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from stubserver.checking.catalogue import as_yaml
from stubserver.checking.findings import AGREES, DIFFERS, NOT_REACHED, Finding, Report
from stubserver.reports.coverage_html import escaped

_CSS = """
:root { color-scheme: light dark; --muted: #667; --line: #8884; --bad: #b3261e; --good: #1a7f37 }
@media (prefers-color-scheme: dark) { :root { --muted: #99a; --bad: #ff8a80; --good: #7ee2a0 } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h1 { margin: 0 } h2 { margin-top: 2.5rem } .muted, small { color: var(--muted) }
.bad { color: var(--bad) } .good { color: var(--good) }
article { border-top: 1px solid var(--line); padding: 1rem 0 } article h3 { margin: 0; overflow-wrap: anywhere }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem } dt { color: var(--muted) }
dd { margin: 0; overflow-wrap: anywhere }
pre { overflow-x: auto; padding: .75rem; background: #8882; border-radius: 6px }
table { border-collapse: collapse; width: 100% } td, th { text-align: left; padding: .25rem .5rem; vertical-align: top;
border-bottom: 1px solid var(--line) }
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def html(report: Report, rules: Mapping[str, Any]) -> str:
    """The page. `rules` are those of the contract, by code."""
    many = len(report.new)
    state = f"{many} difference{'s' * (many != 1)}" if many else "no difference"
    is_bad = bool(many or report.lacking)
    played = [f"{part.done:,} of {part.all:,} {name}" for name, part in report.played.items()]
    ledger = _ledger(report, rules) if report.rules else ()
    about = [
        f"<p>Played: {', '.join(played)}</p>" if played else "",
        f'<p class="bad">That is not all: {escaped(report.lacking)}</p>' if report.lacking else "",
    ]
    body = [*about, *_findings(report, rules), *ledger, *notes(report.notes)]
    return page(report.target, "Contract check", state, is_bad, report.circumstances, body)


def page(target: str, title: str, state: str, is_bad: bool, about: str, body: Iterable[str], style: str = "") -> str:
    """A page in the style of the reports: what was looked at, how it is, and how that was found out, above the body."""
    head = [
        '<!doctype html><html lang="en"><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        f"<title>{escaped(target)}: {state}</title><style>{_CSS}{style}</style>",
        f'<header><p class="muted">{escaped(target)}</p><h1>{title}: '
        f'<span class="{"bad" if is_bad else "good"}">{state}</span></h1>',
        f"<p>{escaped(about)}</p></header><main>",
    ]
    return "\n".join([*head, *body, "</main></html>", ""])


def _findings(report: Report, rules: Mapping[str, Any]) -> Iterator[str]:
    source = ""
    if missing := [finding for finding in report.findings if finding.is_missing]:
        yield "<h2>Not there</h2><p>The target answers as if it had no such operations.</p><ul>"
        for finding in missing:
            accepted = f": accepted: {escaped(finding.accepted)}" if finding.accepted else ""
            yield f"<li>{finding.operation.method.upper()} {escaped(finding.operation.path)}{accepted}"
        yield "</ul>"
    for finding in report.findings:
        if finding.is_missing:
            continue
        if finding.source != source and finding.source in report.headings:
            yield f"<h2>{escaped(report.headings[finding.source])}</h2>"
        source = finding.source
        yield from _finding(finding, rules)


def _finding(finding: Finding, rules: Mapping[str, Any]) -> Iterator[str]:
    operation, difference = finding.operation, finding.difference
    yield f"<article><h3>{operation.method.upper()} {escaped(operation.path)}</h3>"
    where = f"{operation.id}, {difference.at}"
    yield f'<p class="muted">{escaped(where)} · seen {finding.times} times, first in a {escaped(finding.source)}</p>'
    yield "<dl>"
    yield f"<dt>expected</dt><dd><code>{escaped(difference.expected)}</code></dd>"
    yield f'<dt>came</dt><dd class="bad"><code>{escaped(difference.found)}</code></dd>'
    for code in finding.rules[:3]:
        if rule := rules.get(code):
            yield f"<dt>{code} <small>{rule['sure']}</small></dt><dd>{escaped(rule['rule'])}</dd>"
    if finding.accepted:
        yield f"<dt>accepted</dt><dd>{escaped(finding.accepted)}</dd>"
    yield "</dl><details><summary>Steps</summary><pre>"
    yield "\n".join(escaped(line) for line in [*as_yaml(finding.steps), "", *finding.curl])
    yield "</pre></details></article>"


def _ledger(report: Report, rules: Mapping[str, Any]) -> Iterator[str]:
    counts = Counter(rule.result for rule in report.rules.values())
    said = ", ".join(f"{counts[name]} {name}" for name in (AGREES, DIFFERS, NOT_REACHED) if counts[name])
    yield f"<h2>Rules <small>{said}</small></h2><table><tr><th>Rule<th>Result<th>What it says"
    for code in sorted(report.rules):
        rule = report.rules[code]
        style = {AGREES: "good", DIFFERS: "bad"}.get(rule.result, "muted")
        why = f" ({escaped(rule.why)})" if rule.why else ""
        yield f'<tr><td>{code}<td class="{style}">{rule.result}{why}<td>{escaped(rules[code]["rule"])}'
    yield "</table>"


def notes(texts: Sequence[str]) -> Iterator[str]:
    """What a reader should know."""
    if texts:
        yield "<h2>Notes</h2><ul>"
        yield from (f"<li>{escaped(text)}" for text in texts)
        yield "</ul>"
