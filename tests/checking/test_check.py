"""A whole check."""

import pytest

from stubserver.checking.check import Effort
from stubserver.checking.meeting import CannotCheck
from tests.checking.bugs import BUGS, Bug, checked

RULES = ("R101",)


def test_a_check_leaves_nothing_behind() -> None:
    courses: list[int] = []

    def note(one: object) -> None:
        courses.append(one.status) if one.method == "DELETE" and one.path.count("/") == 5 else None  # type: ignore[attr-defined]

    checked(Bug(after=note), Effort(rules=RULES))
    assert courses
    assert {*courses} <= {204}


def test_rules_limit_it_to_their_stories() -> None:
    report = checked(Bug(), Effort(rules=RULES))
    assert {*report.rules} == {*RULES}


def test_an_interrupted_check_cleans_up_and_reports() -> None:
    asked = [0]

    def interrupt(one: object) -> None:
        asked[0] += one.method == "POST"  # type: ignore[attr-defined]
        if asked[0] == 9:
            asked[0] += 1
            raise KeyboardInterrupt

    deleted: list[str] = []

    def note(one: object) -> None:
        deleted.append(one.path) if one.method == "DELETE" else None  # type: ignore[attr-defined]

    report = checked(Bug(before=interrupt, after=note), Effort(grid=False, walks=0))
    assert report.lacking.startswith("it was interrupted, and ")
    assert {rule.why for rule in report.rules.values()} >= {"it was interrupted"}
    assert len(deleted) > 1


def test_the_time_ends_a_check_and_what_was_made_goes() -> None:
    report = checked(Bug(), Effort(seconds=3.0, walks=1000))
    assert report.ended == "time"
    assert report.lacking.startswith("the time was over, and ")
    (pace,) = [note for note in report.notes if note.startswith("at this pace, all stories take --time ")]
    assert int(pace.split()[-1]) > 3
    assert [note for note in report.notes if "left behind" in note] == []


def test_a_target_that_dies_is_reported() -> None:
    import httpx

    asked = [0]

    def die(_: object) -> None:
        asked[0] += 1
        if asked[0] > 60:
            raise httpx.ConnectError("gone")

    report = checked(Bug(before=die), Effort(grid=False, walks=0, rules=RULES))
    assert "transport" in {finding.difference.kind for finding in report.findings}
    assert [note for note in report.notes if note.startswith("left behind: course")]


@pytest.mark.parametrize(
    "name",
    [
        "PUT of a course drops the description",
        "search shows strangers what the creator sees",
        "members see the right answers",
        "lessons are not deleted",
        "401 has no challenge",
    ],
)
def test_stories_notice_bugs(name: str) -> None:
    """`python -m tests.checking.bugs` has many more, and takes minutes."""
    assert checked(BUGS[name], Effort(grid=False, walks=0, most=1, seconds=300)).findings


@pytest.mark.parametrize("is_reading", [True, False])
def test_a_time_that_is_over_at_once_is_no_check(is_reading: bool) -> None:
    effort = Effort(seconds=-1.0, read_only=is_reading)
    with pytest.raises(CannotCheck, match="the time was over before anything was checked; --time gives more"):
        checked(Bug(), effort)


def test_what_cannot_be_met_leaves_no_course_behind() -> None:
    """The course that tells the time is made before the model."""
    deleted: list[str] = []

    def spoil(one: object) -> None:
        if one.method == "DELETE":  # type: ignore[attr-defined]
            deleted.append(one.path)  # type: ignore[attr-defined]
        if one.path == "/api/v2/category/":  # type: ignore[attr-defined]
            one.answer["results"][0]["name"] = {"a": 1}  # type: ignore[attr-defined]

    with pytest.raises(CannotCheck, match="no model can be made of what the target has"):
        checked(Bug(after=spoil), Effort())
    assert len(deleted) == 1


def test_an_interrupted_meeting_leaves_no_course_behind() -> None:
    names: list[str] = []

    def interrupt(one: object) -> None:
        if one.method == "POST":  # type: ignore[attr-defined]
            raise KeyboardInterrupt
        if one.path == "/api/v2/course/search/":  # type: ignore[attr-defined]
            names.extend(row["name"] for row in one.answer["results"])  # type: ignore[attr-defined]

    report = checked(Bug(after=interrupt), Effort())
    assert report.lacking == "it was interrupted"
    assert [name.split()[0] for name in names] == ["Clock"]
    assert report.notes == []
