"""The contract coverage report as one HTML page that loads nothing and runs nothing; for screens, phones and paper."""

import base64
import hashlib
from collections.abc import Iterator, Mapping
from html import escape
from itertools import pairwise
from typing import Any

from stubserver.records.coverage import DIMENSIONS, totals
from stubserver.reports.text import printable

Document = Mapping[str, Any]
"""A Coverage document, as in the control plane's contract, or the part of one operation."""


def html(document: Document) -> str:
    """The page for a Coverage document; the same document gives the same page."""
    page = [_HEAD.format(title=f"Contract coverage {document['percent']:.1f} %", policy=_POLICY, css=_CSS)]
    page += _summary(document)
    for name, operations in _resources(document["operations"]).items():
        page += _resource(name, operations)
    return "\n".join([*page, "</main>", "</html>", ""])


def _state(operation: Document) -> str:
    """How far an operation was exercised; one of _STATES."""
    if not operation["requests"]:
        return "never called"
    if operation["only_refused"]:
        return "only refused"
    return "partial" if totals([operation])["percent"] < 100 else "complete"


def escaped(text: str) -> str:
    """`text` escaped for HTML and XML, between tags and within quotes."""
    return escape(printable(text))


def _summary(document: Document) -> Iterator[str]:
    operations = document["operations"]
    requests = sum(operation["requests"] for operation in operations)
    states = [_state(operation) for operation in operations]
    counts = ", ".join(f"{states.count(name)} {name}" for name in _STATES if name in states)
    versions = f"Contract {escaped(document['contract'])}, stubserver {escaped(document['stubserver'])}"
    yield f'<header>\n<p class="muted">{versions}</p>\n<h1>Contract coverage</h1>'
    yield f'<p class="total">{document["percent"]:.1f}<span> %</span></p>\n{_bar(document["percent"])}'
    points = f"{document['covered']:,} of {_number(document['total'], 'point')} exercised"
    yield f"<p><b>{points}</b> by {_number(requests, 'request')}</p>"
    yield f"<p>{_number(len(operations), 'operation')}{': ' * bool(counts)}{counts}</p>"
    yield '<dl class="dimensions">'
    for dimension in DIMENSIONS:
        found = totals(operations, dimension)
        yield f"<div><dt>{dimension.capitalize()}</dt><dd><b>{found['percent']:.1f} %</b> {_bar(found['percent'])}"
        yield f"<small>{found['covered']:,} of {found['total']:,}</small></dd></div>"
    yield f"</dl>\n{_LEGEND}\n</header>\n<main>"


def _resources(operations: list[Document]) -> dict[str, list[Document]]:
    """Resource -> its operations. The resource is the last path segment that precedes an id in any of the paths, or
    else the first segment."""
    paths = [operation["path"].removeprefix("/api/v2").strip("/").split("/") for operation in operations]
    collections = {name for path in paths for name, after in pairwise(path) if after[:1] == "{"}
    found: dict[str, list[Document]] = {}
    for path, operation in zip(paths, operations, strict=True):
        name = next((part for part in reversed(path) if part in collections), path[0])
        found.setdefault(name, []).append(operation)
    return found


def _resource(name: str, operations: list[Document]) -> Iterator[str]:
    found = totals(operations)["percent"]
    yield f"<section>\n<h2>{escaped(name)} <small>{_number(len(operations), 'operation')}</small>"
    yield f"{_bar(found)}<b>{found:.1f} %</b></h2>"
    for operation in operations:
        yield from _operation(operation)
    yield "</section>"


def _operation(operation: Document) -> Iterator[str]:
    found, name = totals([operation])["percent"], _state(operation)
    mark = f' <span class="mark {name.split()[0]}">{name}</span>' if name in _MARKED else ""
    yield f"<details>\n<summary><h3>{_breakable(operation['operation'])}</h3>{mark}"
    yield f"<code>{escaped(operation['method'])} {_breakable(operation['path'])}</code>"
    yield f"<small>{_number(operation['requests'], 'request')}</small>{_bar(found)}"
    yield f"<b>{found:.1f} %</b></summary>"
    yield f'<div class="points">{_MARKED.get(name, "")}'
    for dimension in DIMENSIONS:
        if points := operation[dimension]:
            counted = totals([operation], dimension)
            yield f"<h4>{dimension.capitalize()} <small>{counted['covered']} of {counted['total']}</small></h4>\n<ul>"
            yield from (_chip(point, count) for point, count in points.items())
            yield "</ul>"
    yield "</div>\n</details>"


def _chip(name: str, count: int) -> str:
    if count:
        return f"<li>{escaped(name)} <small>&times;{count:,}</small></li>"
    return f'<li class="never">{escaped(name)}<i>, never</i></li>'  # the word is for screen readers and copied text


def _breakable(name: str) -> str:
    return escaped(name).replace("/", "/<wbr>").replace("_", "_<wbr>")


def _bar(part: float) -> str:
    """A bar as an SVG, because the page's own policy forbids a width in a style attribute."""
    drawn = f'<rect class="all" width="100" height="1"/><rect width="{part:.1f}" height="1"/>'
    return f'<svg viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">{drawn}</svg>'


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'s' * (count != 1)}"


_STATES = ("complete", "partial", "only refused", "never called")
_MARKED = {
    "only refused": "<p>Every request was refused, so none of its parameters, fields or values count.</p>",
    "never called": "<p>No request reached it.</p>",
}
"""States that are marked on the page -> their explanation."""
_LEGEND = """<p class="legend">Open an operation to see its points:
<span class="chip">limit <small>&times;12</small></span> was exercised 12 times,
<span class="chip never">offset</span> never; parameters, fields and values count only in requests that were
accepted. The percentages of operations, and the total, leave personas out.</p>"""
_CSS = """
:root {
  color-scheme: light dark;
  --paper: #fff; --ink: #1c2127; --muted: #59616c; --line: #e2e5e9; --hover: #f5f7f8; --edge: #858d98;
  --bar: #0f766e; --trough: #e4e8eb; --chip: #dff0ec; --chip-ink: #0b4a45;
  --alarm: #8f2d0b; --alarm-paper: #fdeee5;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --paper: #15181b; --ink: #e5e8eb; --muted: #a0a8b2; --line: #2b3036; --hover: #1c2024; --edge: #767f8a;
    --bar: #45b5a5; --trough: #2e343a; --chip: #173b37; --chip-ink: #b4e3da;
    --alarm: #f5b48f; --alarm-paper: #43230f;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  max-width: 66rem; margin: 0 auto; padding: 3.5rem 2rem 6rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  font-variant-numeric: tabular-nums;
}
h1, h2, h3, h4, p, dl, dd, ul { margin: 0; padding: 0; font-size: 1rem; }
small, code, .muted, h4, .legend { font-size: .875rem; font-weight: 400; color: var(--muted); }
code, li, h3, .chip { font-family: ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, monospace; }
b { font-weight: 600; }
svg { display: block; width: 100%; height: .375rem; border-radius: 1rem; fill: var(--bar); }
svg .all { fill: var(--trough); }
h1 { font-size: 1.5rem; line-height: 1.3; letter-spacing: -.01em; }
.total { margin: 1.25rem 0 .75rem; font-size: 5rem; line-height: 1; font-weight: 650; letter-spacing: -.04em; }
.total span { font-size: 2.5rem; font-weight: 400; color: var(--muted); }
header > svg { height: .75rem; margin-bottom: 1rem; }
.dimensions { display: grid; grid-template-columns: repeat(5, 1fr); gap: 2rem; margin: 2.5rem 0; }
.dimensions dt { font-size: .875rem; color: var(--muted); }
.dimensions b { font-size: 1.375rem; }
.dimensions svg { margin: .25rem 0 .375rem; }
.legend { max-width: 46rem; line-height: 1.75; }
section { margin-top: 3.5rem; }
details { border-top: 1px solid var(--line); }
details:last-child { border-bottom: 1px solid var(--line); }
h2, summary {
  display: grid; grid-template-columns: auto 1fr 7rem 8rem 4.5rem; gap: 0 1rem; align-items: center;
  padding: .625rem .5rem .625rem 0;
}
h2 { font-size: 1.25rem; }
h2 b { font-size: 1rem; }
summary { position: relative; padding-left: 1.75rem; cursor: pointer; list-style: none; }
summary::-webkit-details-marker { display: none; }
summary::before {
  content: ""; position: absolute; left: .5rem; top: 1.1rem; width: .4rem; height: .4rem;
  border: solid var(--muted); border-width: 0 1.5px 1.5px 0; transform: rotate(-45deg);
}
[open] > summary::before { transform: rotate(45deg); }
summary:hover { background: var(--hover); }
summary:focus-visible { outline: 2px solid var(--bar); outline-offset: -2px; }
h3 { font-size: .9375rem; font-weight: 600; overflow-wrap: anywhere; }
summary code { grid-row: 2; grid-column: 1 / 3; font-size: .8125rem; overflow-wrap: anywhere; }
:is(h2, summary) > :is(small, b) { text-align: right; white-space: nowrap; }
:is(h2, summary) > small { grid-column: 3; }
:is(h2, summary) > svg { grid-column: 4; }
:is(h2, summary) > b { grid-column: 5; }
:is(h2, summary) > :is(small, svg, b) { grid-row: 1 / 3; }
.mark {
  justify-self: start; padding: 0 .5rem; border: 1px dashed var(--edge); border-radius: 1rem;
  font-size: .8125rem; line-height: 1.3; color: var(--muted); white-space: nowrap;
}
.mark.only { border: 1px solid var(--alarm); background: var(--alarm-paper); color: var(--alarm); font-weight: 600; }
.points { padding: .25rem .5rem 1.5rem 1.75rem; }
.points { display: grid; grid-template-columns: 9rem 1fr; gap: .875rem 1rem; }
.points p { grid-column: 1 / 3; }
h4 { padding-top: .125rem; color: var(--ink); }
h4 small { margin-left: .25rem; }
ul { display: flex; flex-wrap: wrap; gap: .375rem; list-style: none; }
li, .chip {
  padding: .0625rem .5rem; border: 1px solid transparent; border-radius: .375rem; background: var(--chip);
  color: var(--chip-ink); font-size: .8125rem; overflow-wrap: anywhere;
}
li small, .chip small { margin-left: .125rem; font-size: .75rem; color: inherit; }
.never { border: 1px dashed var(--edge); background: none; color: var(--muted); }
li i { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
@media screen and (max-width: 48rem) {
  body { padding: 2rem 1rem 4rem; }
  .total { font-size: 4rem; }
  .dimensions { grid-template-columns: 1fr; gap: .5rem; margin: 1.5rem 0; }
  .dimensions div { display: grid; grid-template-columns: 5.5rem 1fr 4rem 5.5rem; gap: .75rem; align-items: center; }
  .dimensions dd { display: contents; }
  .dimensions b { order: 1; font-size: 1rem; text-align: right; }
  .dimensions small { order: 2; text-align: right; }
  .dimensions svg { margin: 0; }
  h2, summary { grid-template-columns: 6.5rem 1fr 4rem; gap: .125rem .5rem; padding-right: 0; }
  h3 { grid-column: 1 / 3; }
  .mark, summary code { grid-row: auto; grid-column: 1 / 4; }
  :is(h2, summary) > b { grid-row: 1; grid-column: 3; }
  :is(h2, summary) > svg { grid-row: 4; grid-column: 2 / 4; }
  :is(h2, summary) > small { grid-row: 4; grid-column: 1; text-align: left; }
  .points { grid-template-columns: 1fr; gap: .375rem; padding-right: 0; }
  .points p { grid-column: 1; }
  ul { margin-bottom: .5rem; }
}
@media print {
  html { font-size: 10.5px; color-scheme: light; }
  body { max-width: none; padding: 0; }
  details { break-inside: avoid; }
  details::details-content { content-visibility: visible; }
  h2 { break-after: avoid; }
  li, .chip, .mark { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
"""
_POLICY = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; "
    f"style-src 'sha256-{base64.b64encode(hashlib.sha256(_CSS.encode()).digest()).decode()}'"
)
"""Allows nothing but this one style sheet."""
_HEAD = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{css}</style>"""
