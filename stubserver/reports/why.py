"""Why the server answers as it does: the rules of the contract, with their sources and how sure each one is."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stubserver.api.guards import GUARDS
from stubserver.contract.contract import Contract
from stubserver.contract.operation import Operation
from stubserver.reports.text import wrapped

_DOCUMENTED = ("certain",)
"""Certainties that need no explanation."""


class UnknownName(Exception):
    """The contract has no operation or rule of that name; the message suggests similar names."""


@dataclass(frozen=True)
class Mark:
    """A detail of the contract that carries an `x-source`: its place, its sources, and how sure it is."""

    where: str
    sources: list[str]
    sure: str
    rule: str | None


def why(contract: Contract, name: str) -> str:
    """Explain an operation or a rule, for a terminal. Raises UnknownName."""
    book = contract.document["x-rules"]
    if name in book:
        return "\n".join(_rule(name, book[name]))
    operation = contract.operations.get(name)
    if operation is None:
        raise UnknownName(f"no operation or rule {name!r}: try one of {', '.join(_nearest(contract, name))}")
    raw = contract.document["paths"][operation.path][operation.method]
    lines = [f"{operation.id}: {raw['summary']}", f"  {operation.method.upper()} {operation.path}"]
    lines += [f"  who: {_first_line(GUARDS[operation.access].__doc__)}", f"  docs: {raw['externalDocs']['url']}", ""]
    for code in raw["x-rules"]:
        lines += [*_rule(code, book[code]), ""]
    marks = [mark for mark in marked(contract) if f"{mark.where} ".startswith(f"{operation.id} ")]
    if marks:
        lines.append("inferred or pieced together:")
        lines += [f"  {_mark(mark)}" for mark in marks]
    return "\n".join(lines).rstrip()


def rules_of(contract: Contract, name: str) -> Sequence[str]:
    """The rule of that name, or those of the operation; none if there is neither."""
    operation = contract.operations.get(name)
    if operation is None:
        return [name] if name in contract.document["x-rules"] else []
    rules: Sequence[str] = contract.document["paths"][operation.path][operation.method]["x-rules"]
    return rules


def decisions(contract: Contract) -> str:
    """The page "Decided, not documented" as Markdown: every rule and detail that the docs do not settle."""
    book = contract.document["x-rules"]
    users = _users(contract)
    lines = [_INTRODUCTION, "## Rules", ""]
    for topic in dict.fromkeys(rule["topic"] for rule in book.values()):
        lines += [f"### {topic.capitalize()}", "", "| rule | what we do | from | sure | answer | operations |"]
        lines.append("| --- | --- | --- | --- | --- | --- |")
        for code, rule in book.items():
            if rule["topic"] == topic and _is_decided(rule):
                lines.append(_row(code, rule, users.get(code, [])))
        lines.append("")
    lines += ["## Details", "", "Parameters, fields and answers that carry a mark of their own.", ""]
    lines += ["| where | from | sure | rule |", "| --- | --- | --- | --- |"]
    for mark in marked(contract):
        if {"framework", "inferred"} & set(mark.sources):
            lines.append(f"| {mark.where} | {', '.join(mark.sources)} | {mark.sure} | {mark.rule or ''} |")
    return "\n".join(lines) + "\n"


def marked(contract: Contract) -> Iterator[Mark]:
    """All marks of the contract, those of operations first."""
    for operation in contract.operations.values():
        raw = contract.document["paths"][operation.path][operation.method]
        yield from _marks(raw, operation.id)
    for kind, entries in contract.document["components"].items():
        for name, entry in entries.items():
            yield from _marks(entry, f"{name} ({kind})")


def _marks(node: Any, where: str) -> Iterator[Mark]:
    if isinstance(node, list):
        for part in node:
            yield from _marks(part, where)
    elif isinstance(node, dict):
        if "name" in node and "in" in node:
            where = f"{where} parameter {node['name']}"
        if "x-source" in node:
            source = node["x-source"]
            yield Mark(where, source["from"], source["sure"], source.get("rule"))
        for key, part in node.items():
            if key == "properties":
                for name, schema in part.items():
                    yield from _marks(schema, f"{where} field {name}")
            elif key == "responses" and isinstance(part, dict):
                for status, answer in part.items():
                    yield from _marks(answer, f"{where} answer {status}")
            elif key not in ("x-source", "example", "examples"):
                yield from _marks(part, where)


def _rule(code: str, rule: Mapping[str, Any]) -> Iterator[str]:
    answer = f", answers {rule['status']} {rule['code']}" if "status" in rule else ""
    yield f"{code}  ({rule['sure']}{answer})"
    yield wrapped(rule["rule"], "  ", "  ")
    if "note" in rule:
        yield wrapped(rule["note"], "  note: ", "  ")
    yield wrapped("; ".join(rule["source"]), "  source: ", "  ")


def _row(code: str, rule: Mapping[str, Any], operations: list[str]) -> str:
    answer = f"{rule['status']} {rule['code']}" if "status" in rule else ""
    text = " ".join(f"{rule['rule']} {rule.get('note', '')}".split()).replace("|", "\\|")
    source = "; ".join(rule["source"]).replace("|", "\\|")
    where = ", ".join(operations) or rule.get("scope", "")
    return f"| {code} | {text} | {source} | {rule['sure']} | {answer} | {where} |"


def _is_decided(rule: Mapping[str, Any]) -> bool:
    inferred = any("inferred" in source for source in rule["source"])
    return inferred or rule["sure"] not in _DOCUMENTED or rule.get("violation_sure", "certain") not in _DOCUMENTED


def _users(contract: Contract) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for operation in contract.operations.values():
        for code in _rules_of(contract, operation):
            found.setdefault(code, []).append(operation.id)
    return found


def _rules_of(contract: Contract, operation: Operation) -> list[str]:
    rules: list[str] = contract.document["paths"][operation.path][operation.method]["x-rules"]
    return rules


def _mark(mark: Mark) -> str:
    rule = f", rule {mark.rule}" if mark.rule else ""
    return f"{mark.where}: {', '.join(mark.sources)} (sure: {mark.sure}{rule})"


def _nearest(contract: Contract, name: str) -> list[str]:
    import difflib

    known = [*contract.operations, *contract.document["x-rules"]]
    return difflib.get_close_matches(name, known, n=3, cutoff=0.3) or known[:3]


def _first_line(text: str | None) -> str:
    return " ".join((text or "").split())


_INTRODUCTION = """# Decided, not documented

Generated by `make docs` from the sources and certainties in `openapi/`. The vendor's docs describe the happy path;
wherever they are silent or contradict themselves, this page says what the stub answers, what that is based on, and
how sure it is. `stubserver why OPERATION` or `stubserver why RULE` prints the same for a single one.
"""
