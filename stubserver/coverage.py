"""Contract coverage: what of each operation has been exercised, in all worlds together, and what never."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from stubserver import __version__
from stubserver.call import Call
from stubserver.schema import Schema
from stubserver.spec import Contract, Operation

DIMENSIONS = ("statuses", "parameters", "fields", "values", "personas")
"""What of an operation can be exercised."""

Point = tuple[str, str, str]
"""operationId, dimension, name."""


class Coverage:
    """Counts how often each point of a contract was exercised."""

    def __init__(self, contract: Contract, personas: Mapping[str, Any]) -> None:
        """`personas` are the tokens whose use counts; that there is none counts as well."""
        self._contract = contract
        self._points = {
            operation.id: {dimension: list(names) for dimension, names in _declared(operation, personas)}
            for operation in contract.operations.values()
        }
        self._counts: Counter[Point] = Counter()
        self._requests: Counter[str] = Counter()
        self._accepted: Counter[str] = Counter()

    def note(self, call: Call, status: int) -> None:
        """Count a request and its answer."""
        operation = call.routed
        if operation is None or operation.id not in self._points:
            return
        self._requests[operation.id] += 1
        self._counts[operation.id, "statuses", str(status)] += 1
        self._counts[operation.id, "personas", call.persona] += 1
        if status < 400 and call.refusal is None:
            self._accepted[operation.id] += 1
            for dimension, name in _exercised(call, operation):
                self._counts[operation.id, dimension, name] += 1

    def clear(self) -> None:
        """Begin anew."""
        for counter in (self._counts, self._requests, self._accepted):
            counter.clear()

    def report(self) -> dict[str, Any]:
        """The Coverage of the control plane's contract."""
        operations = [self._operation(operation) for operation in self._contract.operations.values()]
        versions = {"stubserver": __version__, "contract": self._contract.document["info"]["version"]}
        return {**versions, **totals(operations), "operations": operations}

    def _operation(self, operation: Operation) -> dict[str, Any]:
        requests = self._requests[operation.id]
        points = {
            dimension: {name: self._counts[operation.id, dimension, name] for name in names}
            for dimension, names in self._points[operation.id].items()
        }
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
    parameters = {parameter.name: parameter.schema for parameter in operation.parameters}
    yield "statuses", (str(status) for status in sorted({operation.status, *operation.answers}))
    yield "parameters", iter(parameters)
    yield "fields", iter(operation.fields)
    yield "values", (f"{name}={value}" for name, value in _values({**parameters, **operation.fields}))
    yield "personas", iter([*personas, "anonymous"])


def _values(schemas: Mapping[str, Schema]) -> Iterator[tuple[str, Any]]:
    """Names with each value that they are documented to have, where there are several."""
    for name, schema in schemas.items():
        options = schema.get("items", schema).get("enum", ())
        if len(options) > 1:
            for value in options:
                yield name, value


def _exercised(call: Call, operation: Operation) -> Iterator[tuple[str, str]]:
    """What an accepted request made use of."""
    sent: dict[str, Any] = {}
    for parameter in operation.parameters:
        if call.sent(parameter) is not None and parameter.name in call.query:
            yield "parameters", parameter.name
            sent[parameter.name] = call.query[parameter.name]
    for name in call.sent_fields:
        if name in call.body:
            yield "fields", name
            sent[name] = call.body[name]
    for name, value in sent.items():
        for option in value if isinstance(value, list) else [value]:
            if isinstance(option, str | int | bool):
                yield "values", f"{name}={option}"
