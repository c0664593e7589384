"""Documents that are made, not written: `python -m tests.docs` writes them, a test compares them."""

import ast
import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

from stubserver.api.guards import GUARDS
from stubserver.app import StubServer
from stubserver.contract.contract import Contract
from stubserver.contract.load import load_contract
from stubserver.contract.operation import Operation
from stubserver.fixture import load
from stubserver.reports.why import decisions
from tests import permissions
from tests.sources import ROOT, TEST_FILES
from tests.support.default import NOW

TESTS = ROOT / "tests"
LEDGER = """# Rule ledger

Made by `make docs`: every rule of `openapi/rules.yaml`, and the tests that say in their docstring that they protect
it. A rule without a test fails the suite, unless it is background only: something the sources tell that no operation
of the API lets anybody see.

| rule | what | tests |
| --- | --- | --- |
"""


def documents(contract: Contract) -> dict[Path, str]:
    """File -> what it must hold, as far as the contract and the tests alone decide."""
    readme = ROOT / "README.md"
    return {
        readme: with_operations(readme.read_text(encoding="utf-8"), contract),
        ROOT / "DECISIONS.md": decisions(contract),
        TESTS / "rule_ledger.md": ledger(contract),
    }


def with_operations(readme: str, contract: Contract) -> str:
    """The README with its tables of operations made anew."""
    everything = sorted(contract.operations.values(), key=lambda operation: (operation.path, operation.method))
    courses = _table([found for found in everything if _tag(contract, found) != "boot"])
    boot = _table([found for found in everything if _tag(contract, found) == "boot"])
    table = "\n".join([*courses, "", "And enough of the rest to start a frontend and to sign in:", "", *boot])
    before, rest = readme.split("<!-- operations -->")
    return f"{before}<!-- operations -->\n{table}\n<!-- /operations -->{rest.split('<!-- /operations -->')[1]}"


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
