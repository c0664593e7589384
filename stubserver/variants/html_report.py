"""The report of a search as one HTML page that loads nothing and runs nothing: each place and each kind."""

from collections.abc import Iterator

from stubserver.checking.html_report import notes, page
from stubserver.contract.places import KINDS
from stubserver.reports.coverage_html import escaped
from stubserver.variants.report import BROKEN, FLAKY, NOT_SENT, SURVIVED, Finding, Report
from stubserver.variants.text_report import ending, shown

_STYLE = """
table { font-size: .85rem } td.cell, th.cell { text-align: center } .scroll { overflow-x: auto }
"""
_MARKS = {BROKEN: ("bad", "✗"), FLAKY: ("bad", "?"), NOT_SENT: ("muted", "·"), SURVIVED: ("good", "✓")}
"""Result -> style and mark, the worst first: a cell with several choices shows the worst."""


def html(report: Report) -> str:
    """The page."""
    state = f"{len(report.new)} broken" if report.new else "nothing broken"
    ended = f"; ended early: {report.ended}" if report.ended else ""
    body = [*(line for finding in report.findings for line in _finding(finding)), *_table(report), *notes(report.notes)]
    about = f"{report.circumstances}{ended}"
    return page(report.command, "Legal answers", state, bool(report.new), about, body, _STYLE)


def _finding(finding: Finding) -> Iterator[str]:
    what = "flaky" if finding.is_flaky else "broken"
    yield f'<article><h3><span class="bad">{what}</span> {escaped(finding.key)}</h3><dl>'
    yield f"<dt>end</dt><dd>{escaped(ending(finding))}</dd>"
    if finding.request is not None:
        yield f"<dt>request</dt><dd><code>{escaped(shown(finding.request))}<br>{escaped(finding.prefer)}</code></dd>"
    for asked in finding.refused:
        yield f"<dt>then refused</dt><dd><code>{escaped(shown(asked))}: {asked.status}</code></dd>"
    if finding.accepted:
        yield f"<dt>accepted</dt><dd>{escaped(finding.accepted)}</dd>"
    yield f"</dl><details><summary>Output</summary><pre>{escaped(finding.run.output)}</pre></details></article>"


def _table(report: Report) -> Iterator[str]:
    """Places by kinds, an operation after the other."""
    results: dict[tuple[str, str], dict[str, list[str]]] = {}
    for site in report.sites:
        results.setdefault((site.operation, site.place), {}).setdefault(site.kind, []).append(report.result(site))
    kinds = [kind for kind in KINDS if any(kind in found for found in results.values())]
    for operation, places in report.places.items():
        yield f'<h2>{escaped(operation)}</h2><div class="scroll"><table><tr><th>Place'
        yield "".join(f'<th class="cell">{kind}' for kind in kinds)
        for place in places:
            found = results.get((operation, place), {})
            cells = "".join(_cell(found.get(kind, [])) for kind in kinds)
            yield f"<tr><td><code>{escaped(place or '(the whole answer)')}</code>{cells}"
        yield "</table></div>"
    marks = ", ".join(f"{mark} {result}" for result, (_, mark) in _MARKS.items())
    yield f'<p class="muted">{marks}; empty: not offered, or the answers were so anyway.'


def _cell(results: list[str]) -> str:
    worst = next((name for name in _MARKS if name in results), None)
    if worst is None:
        return '<td class="cell">'
    style, mark = _MARKS[worst]
    return f'<td class="cell {style}" title="{worst}">{mark}'
