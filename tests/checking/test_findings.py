"""What a report keeps, and how steps are written."""

import pytest

from stubserver.checking.comparison import Difference
from stubserver.checking.findings import AGREES, DIFFERS, NOT_REACHED, Finding, Report
from stubserver.checking.sides import Stopped
from stubserver.contract.contract import Contract


def finding(contract: Contract, at: str) -> Finding:
    difference = Difference(at, "value", "1", "2")
    return Finding(contract.operations["get_course"], difference, ["R101"], "story", "A title")


def test_the_like_is_reported_once(contract: Contract) -> None:
    report = Report("http://t", 0, ["creator"])
    for at in ("/sections/0/id", "/sections/17/id", "/name"):
        report.add(finding(contract, at))
    assert [(one.key, one.times) for one in report.findings] == [
        ("get_course /sections/N/id value", 2),
        ("get_course /name value", 1),
    ]


def test_enough_is_enough(contract: Contract) -> None:
    report = Report("http://t", 0, ["creator"], most=2)
    report.add(finding(contract, "/a"))
    report.add(finding(contract, "/a"))
    with pytest.raises(Stopped):
        report.add(finding(contract, "/b"))


@pytest.mark.parametrize(
    ("results", "last"),
    [
        ([AGREES, NOT_REACHED], AGREES),
        ([NOT_REACHED, AGREES], AGREES),
        ([AGREES, DIFFERS], DIFFERS),
        ([DIFFERS, AGREES], DIFFERS),
        ([NOT_REACHED], NOT_REACHED),
    ],
)
def test_the_worst_of_a_rule_counts(results: list[str], last: str) -> None:
    report = Report("http://t", 0, [])
    for result in results:
        report.note_rule("R1", result, "why")
    assert report.rules["R1"].result == last
