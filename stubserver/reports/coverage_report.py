"""Contract coverage reports: reads the documents of one or more servers, adds them up, and renders them."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import PurePath
from typing import Any

import orjson

from stubserver.records.coverage import DIMENSIONS, totals
from stubserver.reports.coverage_html import Document, escaped, html
from stubserver.reports.text import printable, wrapped

_NOUNS = dict(zip(DIMENSIONS, ("status", "parameter", "field", "value", "persona"), strict=True))
"""Dimension -> what one of its points is called."""
_COUNTS = {"": int}
_OPERATION = {"operation": str, "method": str, "path": str, "requests": int, "only_refused": bool}
_SHAPE = {
    **{"stubserver": str, "contract": str, "covered": int, "total": int, "percent": float},
    "operations": [{**_OPERATION, **dict.fromkeys(DIMENSIONS, _COUNTS)}],
}
"""The shape of a document; an empty key stands for every key."""
_TYPES = {
    str: ("a string", (str,)),
    int: ("a count", (int,)),
    bool: ("true or false", (bool,)),
    float: ("a number", (int, float)),
}


def read(source: str) -> dict[str, Any]:
    """Parse a document; its totals are recomputed. Raises ValueError, with the reason in one line."""
    try:
        document = orjson.loads(source)
    except orjson.JSONDecodeError as error:
        raise ValueError(f"not a coverage report: invalid JSON, {error}") from None
    _check(document, _SHAPE, "")
    return merged([document])


def _check(value: Any, shape: Any, where: str) -> None:
    if isinstance(shape, type):
        name, types = _TYPES[shape]
        _must(type(value) in types, f"{where} is not {name}")
        _must(shape not in (int, float) or value >= 0, f"{where} is negative")
    elif isinstance(shape, list):
        _must(isinstance(value, list), f"{where} is not a list")
        for number, part in enumerate(value):
            _check(part, shape[0], f"{where}[{number}]")
    else:
        _must(isinstance(value, dict), f"{where or 'it'} is not an object")
        for key in value if "" in shape else shape:
            _must(key in value, f"{where or 'it'} has no {key}")
            _check(value[key], shape.get(key, shape.get("")), f"{where}.{printable(key)}".lstrip("."))


def _must(good: bool, otherwise: str) -> None:
    if not good:
        raise ValueError(f"not a coverage report: {otherwise}")


def merged(documents: Sequence[Document]) -> dict[str, Any]:
    """One document with the counts of all added up. Raises ValueError unless all have the same versions."""
    versions = {(document["contract"], document["stubserver"]) for document in documents}
    if len(versions) != 1:
        found = " and ".join(f"contract {contract} (stubserver {server})" for contract, server in sorted(versions))
        raise ValueError(f"cannot add up coverage of {printable(found or 'no report')}")
    ((contract, server),) = versions
    same: dict[str, list[Document]] = {}
    for document in documents:
        for operation in document["operations"]:
            same.setdefault(operation["operation"], []).append(operation)
    operations = [_added(found) for found in same.values()]
    return {"stubserver": server, "contract": contract, **totals(operations), "operations": operations}


def _added(operations: Sequence[Document]) -> dict[str, Any]:
    """One operation from several reports, with the points of all: servers with other fixtures have other personas."""
    called = [operation for operation in operations if operation["requests"]]
    points = {dimension: Counter[str]() for dimension in DIMENSIONS}
    for operation in operations:
        for dimension, counter in points.items():
            counter.update(operation[dimension])
    return {
        **{name: operations[0][name] for name in ("operation", "method", "path")},
        "requests": sum(operation["requests"] for operation in called),
        "only_refused": bool(called) and all(operation["only_refused"] for operation in called),
        **{dimension: dict(counter) for dimension, counter in points.items()},
    }


def since(document: Document, before: Document) -> dict[str, Any]:
    """What was exercised after `before`, an earlier document of the same server; all of it if the counts were cleared
    in between."""
    earlier = {operation["operation"]: operation for operation in before["operations"]}
    operations = [_after(operation, earlier[operation["operation"]]) for operation in document["operations"]]
    if any(operation["requests"] < 0 for operation in operations):
        return merged([document])
    return merged([{**document, "operations": operations}])


def _after(operation: Document, before: Document) -> dict[str, Any]:
    points = {
        dimension: {name: count - before[dimension].get(name, 0) for name, count in operation[dimension].items()}
        for dimension in DIMENSIONS
    }
    requests = operation["requests"] - before["requests"]
    accepted = any(count for status, count in points["statuses"].items() if status < "400")
    return {**operation, **points, "requests": requests, "only_refused": requests > 0 and not accepted}


def _text(document: Document) -> str:
    """For a terminal: the total, then each operation with its points that were never exercised, then those operations
    that were never called."""
    operations = document["operations"]
    called = [operation for operation in operations if operation["requests"]]
    names = [printable(operation["operation"]) for operation in operations if not operation["requests"]]
    points = f"{document['covered']} of {document['total']} points"
    versions = printable(f"contract {document['contract']}, stubserver {document['stubserver']}")
    lines = [f"Contract coverage: {document['percent']:.1f} % ({points}; {versions})"]
    lines.append(", ".join(f"{name} {totals(operations, name)['percent']:.1f} %" for name in DIMENSIONS))
    if called:
        lines += ["", f"{'operation, and what was never exercised':<50}{'requests':>10}{'covered':>10}"]
        lines += [line for operation in called for line in _text_of(operation)]
    if names:
        lines += ["", f"never called ({len(names)}):", wrapped(", ".join(names), "  ", "  ")]
    return "\n".join([*lines, ""])


def _text_of(operation: Document) -> Iterator[str]:
    covered = f"{totals([operation])['percent']:.1f} %"
    mark = "  only refused" if operation["only_refused"] else ""
    yield f"{printable(operation['operation']):<50}{operation['requests']:>10}{covered:>10}{mark}"
    for dimension in DIMENSIONS:
        if never := _never(operation, dimension):
            label = f"    {dimension:<12}"
            yield wrapped(", ".join(never), label, " " * len(label))


def _never(operation: Document, dimension: str) -> list[str]:
    return [printable(name) for name, count in operation[dimension].items() if not count]


def _json(document: Document) -> str:
    return json.dumps(document, indent=2) + "\n"


def _junit(document: Document) -> str:
    """For tools that show test results: each operation is a suite, each point a case, skipped if never exercised."""
    operations = document["operations"]
    lines = ['<?xml version="1.0" encoding="UTF-8"?>']
    refused = sum(operation["only_refused"] for operation in operations)
    tests = totals(operations)["total"] + refused
    lines.append(f'<testsuites name="contract coverage" tests="{tests}" failures="{refused}" errors="0">')
    for operation in operations:
        lines += _suite(operation)
    return "\n".join([*lines, "</testsuites>", ""])


def _suite(operation: Document) -> Iterator[str]:
    name, refused, points = escaped(operation["operation"]), operation["only_refused"], totals([operation])
    counts = f'tests="{points["total"] + refused}" failures="{int(refused)}" errors="0"'
    yield f'  <testsuite name="{name}" {counts} skipped="{points["total"] - points["covered"]}">'
    if refused:
        why = f"requests: {operation['requests']}, accepted: 0"
        yield _case(name, "accepted", f'<failure message="{why}" type="only refused"/>')
    for dimension in DIMENSIONS:
        for point, count in operation[dimension].items():
            result = "" if count else '<skipped message="never exercised"/>'
            yield _case(name, f"{_NOUNS[dimension]} {escaped(point)}", result)
    yield "  </testsuite>"


def _case(suite: str, name: str, result: str) -> str:
    begin = f'    <testcase classname="{suite}" name="{name}"'
    return f"{begin}>{result}</testcase>" if result else f"{begin}/>"


FORMATS: dict[str, Callable[[Document], str]] = {"text": _text, "json": _json, "junit": _junit, "html": html}
"""Name -> the function that renders a document in this format, with a newline at the end."""
_ENDINGS = {".txt": "text", ".json": "json", ".xml": "junit", ".html": "html"}


def format_of(file: str) -> str:
    """The format that a file's name implies. Raises ValueError for an unknown ending."""
    ending = PurePath(file).suffix.lower()
    if ending not in _ENDINGS:
        raise ValueError(f"unknown report type {PurePath(file).name!r}: end it in {', '.join(_ENDINGS)}")
    return _ENDINGS[ending]
