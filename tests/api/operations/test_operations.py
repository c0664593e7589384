"""Every operation of the contract has exactly one function, and at least one test."""

import ast
import re
from typing import Any

from stubserver.api.operations import FUNCTIONS
from tests.sources import SOURCES, TEST_FILES, tree
from tests.support.documents import declared


def test_every_operation_has_one_function_and_the_other_way_round(document: dict[str, Any]) -> None:
    names = [raw["operationId"] for _, _, raw in declared(document)]
    assert len(names) == len(set(names))
    assert set(FUNCTIONS) == set(names)
    made = [
        node.name
        for name in SOURCES
        if name.startswith("api.operations.")
        for node in tree(name).body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
    ]
    assert sorted(made) == sorted(names)


def test_every_operation_has_a_test(document: dict[str, Any]) -> None:
    texts = [file.read_text(encoding="utf-8") for file in TEST_FILES]
    tests = [name for text in texts for name in re.findall(r"def test_(\w+)", text)]
    names = {raw["operationId"] for _, _, raw in declared(document)}
    tested = {max((n for n in names if test.startswith(f"{n}_")), key=len, default="") for test in tests}
    assert names - tested == set()
