"""Contract coverage: what of each operation has been exercised, in all worlds together, and what never."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from stubserver import __version__
from stubserver.call import Call
from stubserver.spec import Contract, Operation

DIMENSIONS = ("statuses", "parameters", "fields", "values", "personas")
"""What of an operation can be exercised."""

Points = dict[str, dict[str, int]]
"""Dimension -> name -> how often it was exercised."""


class Coverage:
    """Counts how often each point of a contract was exercised."""

    def __init__(self, contract: Contract, personas: Mapping[str, Any]) -> None:
        """`personas` are the tokens whose use counts; that there is none counts as well."""
        self._contract = contract
        self._points: Mapping[str, Points] = {
            operation.id: {dimension: dict.fromkeys(names, 0) for dimension, names in _declared(operation, personas)}
            for operation in contract.operations.values()
        }
        self._requests: Counter[str] = Counter()
        self._accepted: Counter[str] = Counter()

    def note(self, call: Call, status: int) -> None:
        """Count a request and its answer."""
        operation = call.routed
        if operation is None or (points := self._points.get(operation.id)) is None:
            return
        self._requests[operation.id] += 1
        _count(points["statuses"], str(status))
        _count(points["personas"], call.persona)
        if status < 400 and call.refusal is None:
            self._accepted[operation.id] += 1
            _count_exercised(points, call, operation)

    def clear(self) -> None:
        """Begin anew."""
        self._requests.clear()
        self._accepted.clear()
        for points in self._points.values():
            for counts in points.values():
                counts.update(dict.fromkeys(counts, 0))

    def report(self) -> dict[str, Any]:
        """The Coverage of the control plane's contract."""
        operations = [self._operation(operation) for operation in self._contract.operations.values()]
        versions = {"stubserver": __version__, "contract": self._contract.document["info"]["version"]}
        return {**versions, **totals(operations), "operations": operations}

    def _operation(self, operation: Operation) -> dict[str, Any]:
        requests = self._requests[operation.id]
        points = {dimension: dict(counts) for dimension, counts in self._points[operation.id].items()}
        return {
            "operation": operation.id,
            "method": operation.method.upper(),
            "path": operation.path,
            "requests": requests,
            "only_refused": requests > 0 and not self._accepted[operation.id],
            **points,
        }


def percent(part: int, whole: int) -> float:
    """`part` of `whole` in percent, rounded down to a tenth, so that 100 means all."""
    return 1000 * part // whole / 10 if whole else 100.0


def totals(operations: Iterable[Mapping[str, Any]], *dimensions: str) -> dict[str, Any]:
    """How many points of the operations there are and were exercised, in all dimensions or in some."""
    counts = [
        count for found in operations for dimension in dimensions or DIMENSIONS for count in found[dimension].values()
    ]
    covered = sum(count > 0 for count in counts)
    return {"covered": covered, "total": len(counts), "percent": percent(covered, len(counts))}


def _declared(operation: Operation, personas: Mapping[str, Any]) -> Iterator[tuple[str, Iterator[str]]]:
    yield "statuses", (str(status) for status in sorted({operation.status, *operation.answers}))
    yield "parameters", (parameter.name for parameter in operation.parameters)
    yield "fields", iter(operation.fields)
    yield "values", (f"{name}={value}" for name, values in operation.choices.items() for value in values)
    yield "personas", iter([*personas, "anonymous"])


def _count(counts: dict[str, int], name: str) -> None:
    if name in counts:
        counts[name] += 1


def _count_exercised(points: Points, call: Call, operation: Operation) -> None:
    """Count what an accepted request made use of."""
    sent = {name: call.body[name] for name in call.sent_fields if name in call.body}
    for name in sent:
        _count(points["fields"], name)
    if call.query:
        given = [p.name for p in operation.parameters if p.name in call.query and call.sent(p) is not None]
        sent |= {name: call.query[name] for name in given}
        for name in given:
            _count(points["parameters"], name)
    for name in operation.choices:
        if name in sent:
            value = sent[name]
            for option in value if isinstance(value, list) else [value]:
                _count(points["values"], f"{name}={option}")
