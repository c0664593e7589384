"""What changed from one coverage report to another: which points are no longer exercised, and which are now."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from stubserver.records.coverage import DIMENSIONS
from stubserver.reports.coverage_html import Document
from stubserver.reports.coverage_report import NOUNS
from stubserver.reports.text import printable, wrapped

_MAX_OPERATIONS = 20
"""Operations that are shown."""
_MAX_POINTS = 12
"""Points that are shown of those that an operation lost or gained."""


@dataclass
class Difference:
    """The points that were lost and gained, by operation."""

    lost: dict[str, list[str]] = field(default_factory=dict)
    """Operation -> its points that were exercised before, exist still, and are not exercised any more."""
    gained: dict[str, list[str]] = field(default_factory=dict)
    """Operation -> its points that are exercised now and were not before."""
    gone: int = 0
    """How many points were exercised before and do not exist any more."""

    def __str__(self) -> str:
        """For a terminal: the numbers, then the operations, those that lost points first."""
        names = list(dict.fromkeys([*self.lost, *self.gained]))
        lines = [f"{_number(self.lost)} lost, {_number(self.gained)} gained"]
        for name in names[:_MAX_OPERATIONS]:
            lines.append(f"  {printable(name)}")
            lines += [*_line("lost", self.lost.get(name, ())), *_line("gained", self.gained.get(name, ()))]
        if len(names) > _MAX_OPERATIONS:
            lines.append(f"  and {len(names) - _MAX_OPERATIONS} more operations")
        if self.gone:
            lines.append(f"  not counted: {self.gone} exercised before that the contract or the fixture no longer has")
        return "\n".join(lines)


def difference(before: Document, now: Document) -> Difference:
    """Compare two documents."""
    found = Difference()
    old = {operation["operation"]: _exercised(operation) for operation in before["operations"]}
    for operation in now["operations"]:
        name, counts = operation["operation"], _counts(operation)
        was = old.pop(name, [])
        found.gone += sum(point not in counts for point in was)
        if lost := [point for point in was if counts.get(point) == 0]:
            found.lost[name] = lost
        if gained := [point for point in _exercised(operation) if point not in was]:
            found.gained[name] = gained
    found.gone += sum(map(len, old.values()))
    return found


def _counts(operation: Document) -> dict[str, int]:
    """Point -> how often it was exercised. That the operation was called at all is a point, too."""
    kinds = ((NOUNS[dimension], operation[dimension]) for dimension in DIMENSIONS)
    points = {f"{noun} {name}": count for noun, names in kinds for name, count in names.items()}
    return {"called": operation["requests"], **points}


def _exercised(operation: Document) -> list[str]:
    return [point for point, count in _counts(operation).items() if count]


def _number(found: dict[str, list[str]]) -> str:
    number = sum(map(len, found.values()))
    return f"{number} point{'s' * (number != 1)}"


def _line(label: str, points: Sequence[str]) -> Iterator[str]:
    if points:
        shown = [printable(point) for point in points[:_MAX_POINTS]]
        if len(points) > _MAX_POINTS:
            shown.append(f"and {len(points) - _MAX_POINTS} more")
        yield wrapped(", ".join(shown), f"    {label:<8}", " " * 12)
