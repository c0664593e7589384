"""Thresholds of contract coverage: how much a build demands, in total, of a kind of points, or of an operation."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from stubserver.records.coverage import DIMENSIONS, totals
from stubserver.reports.coverage_html import Document
from stubserver.suggestions import unknown


class Threshold(NamedTuple):
    """The least percentage that must be covered of what `name` stands for."""

    name: str
    """A dimension or an operation; empty for the total."""
    percent: float


def parsed(text: str) -> Threshold:
    """The threshold in `80`, `fields=90` or `create_course=100`. Raises ValueError, with the reason in one line."""
    name, equals, number = text.rpartition("=")
    try:
        percent = float(number)
    except ValueError:
        percent = -1
    if not 0 <= percent <= 100 or (equals and not name):
        raise ValueError(f"{text!r} is not a percentage from 0 to 100, or NAME=PERCENTAGE, such as 80 or fields=90.")
    return Threshold(name, percent)


def shortfalls(document: Document, thresholds: Iterable[Threshold]) -> list[str]:
    """A sentence for each threshold that is not reached. Raises ValueError for a name that is neither a dimension
    nor an operation of the document, with the reason in one line."""
    return list(_shortfalls(document, thresholds))


def _shortfalls(document: Document, thresholds: Iterable[Threshold]) -> Iterator[str]:
    operations = {operation["operation"]: operation for operation in document["operations"]}
    for name, least in thresholds:
        if name and name not in DIMENSIONS and name not in operations:
            raise ValueError(unknown("kind of points or operation", name, [*DIMENSIONS, *operations]))
        if name in operations:
            what, found = f"{name} is", totals([operations[name]])
        elif name:
            what, found = f"the {name} are", totals(operations.values(), name)
        else:
            what, found = "the contract is", totals(operations.values())
        if found["percent"] < least:
            yield f"{found['percent']} % of {what} covered, less than {least:g} %"
