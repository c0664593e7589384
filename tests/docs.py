"""Derived documents: `python -m tests.docs` regenerates them, a test compares them."""

import ast
import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

from stubserver.api.guards import GUARDS
from stubserver.app import StubServer
from stubserver.contract.contract import Contract
from stubserver.contract.load import load_contract, load_control_contract
from stubserver.contract.operation import Operation
from stubserver.fixture import load
from stubserver.reports.why import decisions
from tests import permissions
from tests.sources import ROOT, TEST_FILES
from tests.support.default import NOW

TESTS = ROOT / "tests"
OPERATIONS = ROOT / "docs" / "operations.md"
FIXTURES = ROOT / "docs" / "fixtures.md"
CONTROL_PLANE = ROOT / "docs" / "control-plane.md"
LEDGER = """# Rule ledger

Made by `make docs`: every rule of `openapi/rules.yaml`, and the tests that say in their docstring that they protect
it. A rule without a test fails the suite, unless it is background only: something the sources tell that no operation
of the API lets anybody see.

| rule | what | tests |
| --- | --- | --- |
"""


def documents(contract: Contract) -> dict[Path, str]:
    """File -> its text, as far as the contract and the tests alone decide it."""
    return {
        OPERATIONS: with_table(OPERATIONS, "operations", _operations(contract)),
        FIXTURES: with_table(FIXTURES, "personas", _personas(contract)),
        CONTROL_PLANE: with_table(CONTROL_PLANE, "control", _commands(load_control_contract())),
        ROOT / "DECISIONS.md": decisions(contract),
        TESTS / "rule_ledger.md": ledger(contract),
    }


def with_table(page: Path, name: str, lines: Iterator[str]) -> str:
    """The page with new lines between its markers of that name."""
    begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->\n"
    before, rest = page.read_text(encoding="utf-8").split(begin)
    return "".join([before, begin, *(f"{line}\n" for line in lines), end, rest.split(end)[1]])


def _personas(contract: Contract) -> Iterator[str]:
    """The personas of the default fixture, in its own words."""
    yield from ("| token | who |", "| --- | --- |")
    for persona in load("default", contract, NOW).personas:
        yield f"| `{persona['token']}` | {persona['about']} |"
    yield "| (none) | anonymous: sees what the community shows to everybody |"


def _operations(contract: Contract) -> Iterator[str]:
    """The operations about courses, then the others."""
    everything = sorted(contract.operations.values(), key=lambda operation: (operation.path, operation.method))
    yield from _table([found for found in everything if _tag(contract, found) != "boot"])
    yield from ("", "And enough of the rest to start a frontend and to sign in:", "")
    yield from _table([found for found in everything if _tag(contract, found) == "boot"])


def _commands(control: Contract) -> Iterator[str]:
    """What the control plane offers, in the order of its contract."""
    yield "| request | what it does |"
    yield "| --- | --- |"
    for operation in control.operations.values():
        path = operation.path.removeprefix(control.base)
        yield f"| {operation.method.upper()} {path} | {control.document['paths'][path][operation.method]['summary']} |"


def _tag(contract: Contract, operation: Operation) -> str:
    tag: str = contract.document["paths"][operation.path][operation.method]["tags"][0]
    return tag


def _table(operations: list[Operation]) -> Iterator[str]:
    yield "| operation | request | who |"
    yield "| --- | --- | --- |"
    for operation in operations:
        who = " ".join((GUARDS[operation.access].__doc__ or "").split()).split(" (R")[0].rstrip(".")
        yield f"| `{operation.id}` | {operation.method.upper()} {operation.path} | {who} |"


def ledger(contract: Contract) -> str:
    """The table of rules and their tests."""
    found = covered()
    lines = [LEDGER.rstrip()]
    for code, rule in contract.document["x-rules"].items():
        tests = ", ".join(found.get(code, []))
        if not tests and rule.get("scope") == "background":
            tests = f"background only: {rule.get('note') or 'it steers the interface, not the API'}"
        lines.append(f"| {code} | {' '.join(rule['rule'].split()).replace('|', '/')[:90]} | {tests} |")
    return "\n".join(lines) + "\n"


def covered() -> dict[str, list[str]]:
    """Rule code -> names of the tests whose docstrings name it."""
    found: dict[str, list[str]] = {}
    for file in TEST_FILES:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                for code in _codes(ast.get_docstring(node) or ""):
                    if node.name not in found.setdefault(code, []):
                        found[code].append(node.name)
    return found


def _codes(text: str) -> Iterator[str]:
    """The rule codes in a text, ranges such as R101-R104 spelt out."""
    for first, last in re.findall(r"R(\d{3})(?:-R(\d{3}))?", text):
        for number in range(int(first), int(last or first) + 1):
            yield f"R{number:03}"


def main() -> None:
    contract = load_contract()
    found = documents(contract)
    server = StubServer(contract, load("default", contract, NOW))
    with asyncio.Runner() as runner:
        found[permissions.FILE] = permissions.matrix(server, runner)
    for file, text in found.items():
        file.write_text(text, encoding="utf-8")
        print(f"wrote {file.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
