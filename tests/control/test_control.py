"""Every operation of the control plane is one function, and has a test."""

import re
from inspect import getdoc

from stubserver.control import FUNCTIONS
from tests.sources import TEST_FILES
from tests.support.control import CONTROL, RAW
from tests.support.documents import declared


def test_every_operation_has_one_function_and_the_other_way_round() -> None:
    assert set(FUNCTIONS) == set(RAW)
    assert len(RAW) == len(list(declared(CONTROL.document)))
    assert all(getdoc(function) for function in FUNCTIONS.values())


def test_every_operation_has_a_test() -> None:
    texts = [file.read_text(encoding="utf-8") for file in TEST_FILES]
    tests = [name for text in texts for name in re.findall(r"^def test_(\w+)", text, re.MULTILINE)]
    assert [name for name in RAW if not any(test.startswith(f"{name}_") for test in tests)] == []
