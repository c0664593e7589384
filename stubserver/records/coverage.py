"""Contract coverage: which points of each operation have been exercised, in all worlds together, and which have not."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from stubserver import __version__
from stubserver.call import Call
from stubserver.contract.contract import Contract
from stubserver.contract.operation import Operation

COUNTED = ("statuses", "parameters", "fields", "values")
"""The kinds of points that the totals count."""
DIMENSIONS = (*COUNTED, "personas")
"""All kinds of points that an operation has."""

Points = dict[str, dict[str, int]]
"""Dimension -> name -> how often it was exercised."""


class _Tally:
    """The counts of one operation."""

    def __init__(self, operation: Operation, personas: Mapping[str, Any]) -> None:
        self.points: Points = {name: dict.fromkeys(names, 0) for name, names in _declared(operation, personas)}
        self.requests = self.accepted = 0


class Coverage:
    """Counts how often each point of a contract was exercised."""

    def __init__(self, contract: Contract, personas: Mapping[str, Any]) -> None:
        """`personas` are the tokens whose use is counted; requests without a token are counted as well."""
        self._contract = contract
        self._personas = personas
        self.clear()

    def clear(self) -> None:
        """Reset all counts to zero."""
        self._tallies = {
            operation.id: _Tally(operation, self._personas) for operation in self._contract.operations.values()
        }

    def note(self, call: Call, status: int) -> None:
        """Count a request: its status, its persona and, if it was accepted, what it used."""
        operation = call.routed
        if operation is None or (tally := self._tallies.get(operation.id)) is None:
            return
        points = tally.points
        tally.requests += 1
        _count(points["statuses"], str(status))
        _count(points["personas"], call.persona)
        if status < 400 and call.refusal is None:
            tally.accepted += 1
            _count_exercised(points, call, operation)

    def report(self) -> dict[str, Any]:
        """All counts, as the Coverage of the control plane's contract."""
        operations = [self._operation(operation) for operation in self._contract.operations.values()]
        versions = {"stubserver": __version__, "contract": self._contract.document["info"]["version"]}
        return {**versions, **totals(operations), "operations": operations}

    def _operation(self, operation: Operation) -> dict[str, Any]:
        tally = self._tallies[operation.id]
        return {
            "operation": operation.id,
            "method": operation.method.upper(),
            "path": operation.path,
            "requests": tally.requests,
            "only_refused": tally.requests > 0 and not tally.accepted,
            **{dimension: dict(counts) for dimension, counts in tally.points.items()},
        }


def percent(part: int, whole: int) -> float:
    """`part` of `whole` in percent, rounded down to a tenth, so that 100 means all."""
    return 1000 * part // whole / 10 if whole else 100.0


def totals(operations: Iterable[Mapping[str, Any]], *dimensions: str) -> dict[str, Any]:
    """How many points the operations have and how many were exercised: in the dimensions given, or in those that
    count."""
    counts = [
        count for found in operations for dimension in dimensions or COUNTED for count in found[dimension].values()
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
    """Count the fields, parameters and values that an accepted request used."""
    fields, choices = points["fields"], operation.choices
    for name in call.sent_fields:
        if name in fields:
            fields[name] += 1
            if name in choices and name in call.body:  # an empty text in a form may be left out
                _count_values(points, name, call.body[name])
    for parameter in operation.parameters if call.query else ():
        name = parameter.name
        if name in call.query and call.sent(parameter) is not None:
            points["parameters"][name] += 1
            if name in choices:
                _count_values(points, name, call.query[name])


def _count_values(points: Points, name: str, value: Any) -> None:
    for option in value if isinstance(value, list) else (value,):
        _count(points["values"], f"{name}={option}")
