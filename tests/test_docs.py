"""Derived documents are up to date."""

from pathlib import Path

import pytest

from stubserver.contract.contract import Contract
from tests import docs


@pytest.fixture(scope="module")
def derived(contract: Contract) -> dict[str, tuple[Path, str]]:
    """Name -> the file, and what it should hold."""
    return {file.name: (file, text) for file, text in docs.documents(contract).items()}


@pytest.mark.parametrize("name", ["operations.md", "fixtures.md", "control-plane.md", "DECISIONS.md", "rule_ledger.md"])
def test_the_derived_document_is_up_to_date(derived: dict[str, tuple[Path, str]], name: str) -> None:
    """`make docs` regenerates it."""
    file, text = derived[name]
    assert file.read_text(encoding="utf-8") == text


def test_every_rule_has_a_test(contract: Contract) -> None:
    """A rule that no test names is a promise that nothing checks."""
    found = docs.covered()
    book = contract.document["x-rules"]
    missing = [code for code, rule in book.items() if code not in found and rule.get("scope") != "background"]
    assert missing == []


def test_no_test_names_a_rule_that_is_not_there(contract: Contract) -> None:
    assert set(docs.covered()) - set(contract.document["x-rules"]) == set()
