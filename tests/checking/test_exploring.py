"""What the grid and the walks find, and how it is shown."""

import pytest

from stubserver.checking.check import Effort
from tests.checking.bugs import BUGS, Bug, Exchange, checked

WALKS = Effort(stories=False, grid=False, walks=1)


def test_a_walk_at_our_own_server_finds_nothing() -> None:
    report = checked(Bug(), WALKS)
    assert (report.findings, report.notes) == ([], [])
    assert report.sent > 150


def test_what_a_walk_finds_is_shortened() -> None:
    report = checked(BUGS["PATCH of a lesson drops the text"], Effort(stories=False, grid=False, walks=8, most=1))
    (finding,) = report.findings
    assert finding.title == "a random walk"
    assert len(finding.steps) < 10
    assert [note for note in report.notes if "left behind" in note] == []


@pytest.mark.long
def test_the_grid_at_our_own_server_finds_nothing() -> None:
    report = checked(Bug(), Effort(stories=False, walks=0, seconds=600))
    assert (report.findings, report.notes) == ([], [])
    assert report.sent > 1500


def test_the_grid_begins_anew_after_a_difference() -> None:
    report = checked(BUGS["a new section answers 200"], Effort(stories=False, walks=0, most=1))
    assert [finding.source for finding in report.findings] == ["grid"]


def test_an_operation_that_differs_time_and_again_is_left_out() -> None:
    report = checked(BUGS["created_at moves"], Effort(stories=False, walks=0, seconds=600))
    part = report.played["requests of the grid"]
    (note,) = [note for note in report.notes if note.startswith("grid: ")]
    assert note.endswith(" not sent: 8 in a row had differed in the same way")
    assert "patch_course " in note
    assert (part.left, part.skipped > 10) == (0, True)


def test_what_one_side_does_not_make_is_left_out_on_both() -> None:
    """Then what follows it is no difference of its own."""

    def refuse(one: Exchange) -> None:
        if one.is_about("POST", r".*/attempt/"):
            one.status, one.answer = 400, {"errors": [{"message": "No.", "code": "no"}]}

    report = checked(Bug(after=refuse), Effort(stories=False, grid=False, walks=2, seconds=600))
    assert {finding.operation.id for finding in report.findings} == {"make_course_attempt"}
