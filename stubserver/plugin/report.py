"""What the report of a failed test tells about its worlds: the requests they received, and why one was refused."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from stubserver.plugin.worlds import Received
from stubserver.reports.text import printable

_LONGEST_LINE = 300
"""Characters of the line about a request."""
_LONGEST_STORY = 4000
"""Characters of the story of a refused request."""


def add(report: pytest.TestReport, received: Iterable[Received], with_command: bool, folder: Path | None) -> None:
    """Add what each world received to the report, where terminals, JUnit XML and other reports show it.

    `with_command` is whether the worlds will still be there for `stubserver explain` when people read the report.
    `folder` is where case files are written, if they are wanted.
    """
    failure = str(report.longreprtext).strip().rpartition("\n")[2][:_LONGEST_LINE] if folder else ""
    about = f"{report.nodeid}, {report.when}: {failure}"
    for found in received:
        lines = list(_lines(found, with_command))
        if folder is not None and found.case is not None:
            lines.append(_case_file(found, found.case, folder, about))
        _attach(report, f"requests to world {found.world.name}", "\n".join(lines))


def _case_file(found: Received, case: Mapping[str, Any], folder: Path, about: str) -> str:
    """Write a case file; returns how to use it."""
    from stubserver.reports.artifacts import save

    try:
        file = save(folder, f"{about.partition(': ')[0]} {found.world.name}", case, about)
    except OSError as error:
        return f"\nthe case file was not written: {error}"
    return f"\nto repeat it: stubserver replay {file}"


def _attach(report: pytest.TestReport, title: str, text: str) -> None:
    """Add a section to the failure itself, because JUnit XML and `--show-capture=no` leave out those of the report."""
    failure: Any = report.longrepr
    if isinstance(failure, str):
        report.longrepr = f"{failure}\n--- {title} ---\n{text}"
    elif hasattr(failure, "addsection"):
        failure.addsection(title, text)
    else:
        report.sections.append((title, text))


def _lines(found: Received, with_command: bool) -> Iterator[str]:
    if found.unknown:
        yield f"not known: {printable(found.unknown)}"
        return
    if found.earlier or found.forgotten:
        forgotten = f", {found.forgotten} of them forgotten by the journal" if found.forgotten else ""
        yield f"(after {found.earlier + found.forgotten} earlier requests{forgotten})"
    if found.forks:
        yield f"(its {found.forks} oldest forks are not shown)"
    yield from (printable(_line(request))[:_LONGEST_LINE] for request in reversed(found.newest))
    if not found.newest:
        yield "none"
    refused = next((request for request in found.newest if request["problems"]), None)
    if refused is not None:
        yield from ["", "the last one that was refused:", _story(refused)]
        if with_command and found.world.stub.app is None:
            yield f"\nto see it in another terminal: stubserver explain {refused['id']} --url {found.world.stub.url}"


def _line(request: Mapping[str, Any]) -> str:
    asked = request["request"]
    query = f"?{urlencode(asked['query'], doseq=True)}" if asked["query"] else ""
    why = "; ".join(f"{problem['field'] or ''}: {problem['message']}".lstrip(": ") for problem in request["problems"])
    answer = f"{request['status'] or 'no answer'} {request['persona']}{' - ' if why else ''}{why}"
    return f"{request['id']}  {asked['method']:6} {asked['path']}{query} {answer}"


def _story(request: Mapping[str, Any]) -> str:
    """What `stubserver explain` would tell if the world still existed."""
    from stubserver.contract.load import load_contract
    from stubserver.reports.explain import story

    try:
        told = story(request, load_contract())
    except Exception as error:  # the server may have another version of the contract
        return f"not known: {type(error).__name__}: {error}"[:_LONGEST_LINE]
    return told if len(told) <= _LONGEST_STORY else f"{told[:_LONGEST_STORY]}..."
