"""What a report keeps, and how steps are written."""

import pytest

from stubserver.checking.comparison import Difference
from stubserver.checking.findings import AGREES, DIFFERS, NOT_REACHED, Finding, Progress, Report
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


@pytest.mark.parametrize(
    ("ended", "parts", "lacking"),
    [
        ("", {"stories": Progress(3, 3)}, ""),
        ("", {"stories": Progress(3, 1, 2)}, ""),
        ("time", {"stories": Progress(3, 3), "walks": Progress(3, 1, is_needed=False)}, ""),
        ("time", {"stories": Progress(3, 2)}, "the time was over, and 1 of 3 stories are left"),
        (
            "gone",
            {"stories": Progress(30, 2, 3), "requests of the grid": Progress(1965)},
            "the target no longer answers, and 25 of 30 stories and 1,965 of 1,965 requests of the grid are left",
        ),
        ("interrupted", {}, "it was interrupted"),
    ],
)
def test_what_is_lacking(ended: str, parts: dict[str, Progress], lacking: str) -> None:
    report = Report("http://t", 0, [], ended=ended, played=parts)
    report.note_rule("R101", AGREES)
    assert report.lacking == lacking


def test_without_any_rule_nothing_agrees() -> None:
    report = Report("http://t", 0, [], played={"stories": Progress(1, skipped=1)})
    report.note_rule("R101", NOT_REACHED, "needs the token of member")
    assert report.lacking == "no rule was reached"
