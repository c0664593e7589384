"""Verification: how many requests match an expectation and, if too few do, how the closest one differs."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stubserver.addressing import path_fits
from stubserver.control.request_view import RequestView

FILTERS = ("operation", "method", "path", "status", "persona")
"""The parts of an expectation that are single plain values; they filter the journal as well."""

NOTHING = object()
"""Stands for a field that only the other side has."""
Difference = tuple[str, Any, Any]
"""Where a request differs, the value expected there, and the value found."""


def verdict(expected: Mapping[str, Any], requests: Sequence[RequestView]) -> Mapping[str, Any]:
    """The Verdict (see the control plane's contract) on whether `requests` are as `expected`."""
    found = [(request, list(differences(expected, request))) for request in requests]
    count = sum(not differs for _, differs in found)
    least, most = _bounds(expected)
    verified = least <= count <= most
    wanted = _times_text(least, most)
    message = f"{_described(expected)}: expected {wanted}, found {count} of {len(requests)} requests."
    misses = [(request, differs) for request, differs in found if differs]
    nearest = None
    if count < least and misses:
        request, differs = min(misses, key=lambda miss: _distance(miss[1]))
        nearest = {"id": request.id, "differences": [_difference_view(difference) for difference in differs]}
        lines = [f"  {where}: expected {_text(want)}, found {_text(has)}" for where, want, has in differs]
        message = "\n".join([message, f"The nearest is {request.id}:", *lines])
    return {"verified": verified, "count": count, "message": message, "nearest": nearest}


def is_certain(expected: Mapping[str, Any], count: int, forgotten: int) -> bool:
    """Whether the verdict on `count` matching requests is the same however many of the forgotten ones matched, too."""
    least, most = _bounds(expected)
    return least <= count <= count + forgotten <= most or count > most or count + forgotten < least


def differences(expected: Mapping[str, Any], request: RequestView) -> Iterator[Difference]:
    """Where the request differs from the expectation; none if it matches."""
    asked = request.request
    plain = {
        "operation": request.operation,
        "method": asked["method"],
        "path": asked["path"],
        "status": request.status,
        "persona": request.persona,
    }
    for name in FILTERS:
        if name in expected and not _fits(name, expected[name], plain[name]):
            yield name, expected[name], plain[name]
    if "query" in expected:
        yield from _nested_differences("query", expected["query"], asked["query"], whole=False)
    for name, whole in (("body", True), ("contains", False)):
        if name in expected:
            yield from _nested_differences("body", expected[name], asked["body"], whole)


def _fits(name: str, wanted: Any, found: Any) -> bool:
    return path_fits(found, wanted) if name == "path" else _same(wanted, found)


def _nested_differences(where: str, wanted: Any, found: Any, whole: bool) -> Iterator[Difference]:
    """Where `found` differs from `wanted`, object by object; with `whole`, fields that only `found` has count too."""
    if not isinstance(wanted, Mapping) or not isinstance(found, Mapping):
        if not _same(wanted, found):
            yield where, wanted, found
        return
    for name in [*wanted, *(name for name in found if whole and name not in wanted)]:
        if name not in found:
            yield f"{where}.{name}", wanted[name], NOTHING
        elif name not in wanted:
            yield f"{where}.{name}", NOTHING, found[name]
        else:
            yield from _nested_differences(f"{where}.{name}", wanted[name], found[name], whole)


def _distance(differs: Sequence[Difference]) -> tuple[bool, int]:
    """A key to sort by: a different operation or path outweighs any number of other differences."""
    return any(where in ("operation", "path") for where, _, _ in differs), len(differs)


def _bounds(expected: Mapping[str, Any]) -> tuple[int, float]:
    times = expected.get("times")
    if times is not None:
        return times, times
    most = expected.get("at_most", float("inf"))
    return expected.get("at_least", 0 if "at_most" in expected else 1), most


def _times_text(least: int, most: float) -> str:
    if least == most:
        return f"exactly {least}"
    if most == float("inf"):
        return f"at least {least}"
    return f"{least} to {most}" if least else f"at most {most}"


def _described(expected: Mapping[str, Any]) -> str:
    parts = [f"{name} {_text(expected[name])}" for name in (*FILTERS, "query", "body", "contains") if name in expected]
    return ", ".join(parts) or "any request"


def _difference_view(difference: Difference) -> Mapping[str, Any]:
    where, wanted, found = difference
    plain = (None if value is NOTHING else value for value in (wanted, found))
    return {"what": where, **dict(zip(("expected", "found"), plain, strict=True))}


def _same(wanted: Any, found: Any) -> bool:
    """Whether two values are equal in JSON, where true is not 1."""
    return json.dumps(wanted, sort_keys=True) == json.dumps(found, sort_keys=True)


def _text(value: Any) -> str:
    if value is NOTHING:
        return "nothing"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
