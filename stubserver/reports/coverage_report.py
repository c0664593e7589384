"""Contract coverage reports: reads the documents of one or more servers, adds them up, and renders them."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePath
from typing import Any

import orjson

from stubserver.records.coverage import COUNTED, DIMENSIONS, totals
from stubserver.reports.coverage_html import Document, escaped, html
from stubserver.reports.text import printable, wrapped

NOUNS = dict(zip(DIMENSIONS, ("status", "parameter", "field", "value", "persona"), strict=True))
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


def read_files(files: Sequence[Path]) -> dict[str, Any]:
    """The documents in files, added up. Raises ValueError, with the file and the reason in one line."""
    documents = [read_file(file) for file in files]
    for file, document in zip(files, documents, strict=True):
        if document["contract"] != documents[0]["contract"]:
            first, other = (printable(found["contract"]) for found in (documents[0], document))
            raise ValueError(f"{file}: coverage of contract {other} cannot be added to {files[0]}, of contract {first}")
    return merged(documents)


def read_file(file: Path) -> dict[str, Any]:
    """The document in a file. Raises ValueError, with the file and the reason in one line."""
    try:
        return read(file.read_bytes())
    except OSError as error:
        raise ValueError(f"cannot read {file}: {error.strerror}") from None
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from None


def read(source: str | bytes) -> dict[str, Any]:
    """Parse a document. Raises ValueError, with the reason in one line."""
    try:
        document = orjson.loads(source)
    except orjson.JSONDecodeError as error:
        raise ValueError(f"not a coverage report: invalid JSON, {error}") from None
    return checked(document)


def checked(document: Any) -> dict[str, Any]:
    """The document with its totals recomputed. Raises ValueError, with the reason in one line, if it is none."""
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
    """One document with the counts of all added up. Raises ValueError unless all are of the same contract."""
    contracts = sorted({document["contract"] for document in documents})
    if len(contracts) != 1:
        found = " and ".join(f"contract {contract}" for contract in contracts)
        raise ValueError(f"cannot add up coverage of {printable(found or 'no report')}")
    servers = {server for document in documents for server in document["stubserver"].split(", ")}
    same: dict[str, list[Document]] = {}
    for document in documents:
        for operation in document["operations"]:
            same.setdefault(operation["operation"], []).append(operation)
    operations = [_added(found) for found in same.values()]
    versions = {"stubserver": ", ".join(sorted(servers)), "contract": contracts[0]}
    return {**versions, **totals(operations), "operations": operations}


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
    lines.append(", ".join(f"{name} {totals(operations, name)['percent']:.1f} %" for name in COUNTED))
    lines.append(f"personas {totals(operations, 'personas')['percent']:.1f} %, which the total does not count")
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
    """For tools that show test results: each operation is a suite, each point that counts a case, skipped if it was
    never exercised. Personas are a property of the suite, because such tools count every case."""
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
    personas = totals([operation], "personas")
    figure = f"{personas['covered']} of {personas['total']}"
    yield f'    <properties><property name="personas" value="{figure}"/></properties>'
    if refused:
        why = f"requests: {operation['requests']}, accepted: 0"
        yield _case(name, "accepted", f'<failure message="{why}" type="only refused"/>')
    for dimension in COUNTED:
        for point, count in operation[dimension].items():
            result = "" if count else '<skipped message="never exercised"/>'
            yield _case(name, f"{NOUNS[dimension]} {escaped(point)}", result)
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
