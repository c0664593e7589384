"""Lists of known differences."""

from pathlib import Path

import pytest

from stubserver.checking import acceptance
from stubserver.checking.comparison import Difference
from stubserver.checking.findings import Finding, Report
from stubserver.contract.contract import Contract

pytestmark = pytest.mark.table

KEY = "get_course /name value"


@pytest.fixture
def report(contract: Contract) -> Report:
    report = Report("http://t", 0, ["creator"])
    report.add(Finding(contract.operations["get_course"], Difference("/name", "value", "a", "b"), [], "story", "It's"))
    return report


def test_what_is_written_needs_reasons_and_then_counts(report: Report, tmp_path: Path) -> None:
    file = tmp_path / "known.yaml"
    file.write_text(acceptance.written(report))
    with pytest.raises(acceptance.BadList, match=f"{KEY}: there is no reason"):
        acceptance.read(file)
    file.write_text(file.read_text().replace("TODO: say why this is accepted", "it''s old"))
    known = acceptance.read(file)
    assert known == {KEY: "it's old"}
    assert acceptance.apply(report, known, is_whole=True) == []
    assert report.new == []
    file.write_text(acceptance.written(report))
    assert acceptance.read(file) == known


def test_what_no_longer_occurs_is_told_of_whole_checks_only(report: Report) -> None:
    known = {KEY: "old", "get_course /slug value": "older"}
    assert acceptance.apply(report, known, is_whole=True) == ["get_course /slug value"]
    assert acceptance.apply(report, known, is_whole=False) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("- a\n", "it has to be a mapping"),
        ("a: 1\n", "a: there is no reason"),
        ("a: ' '\n", "a: there is no reason"),
        ("a: b: c\n", "mapping values are not allowed"),
        ("\ud800", "codec"),
    ],
)
def test_lists_that_cannot_be_used(tmp_path: Path, text: str, problem: str) -> None:
    file = tmp_path / "known.yaml"
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(acceptance.BadList, match=problem) as refused:
        acceptance.read(file)
    assert "\n" not in str(refused.value)
