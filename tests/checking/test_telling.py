"""Who plays whom in a story, and what is told of it."""

import itertools
from types import SimpleNamespace

import httpx
import pytest

from stubserver.checking import telling
from stubserver.checking.check import Effort
from stubserver.checking.telling import casting
from tests.checking.bugs import BUGS, Bug, Exchange, checked


@pytest.mark.table
@pytest.mark.parametrize(
    ("needed", "there", "cast"),
    [
        (["creator", "member"], ["creator", "member", "stranger"], {"creator": "creator", "member": "member"}),
        (["creator", "manager"], ["creator", "member"], {"creator": "creator", "manager": "member"}),
        (["manager", "member"], ["creator", "member", "stranger"], {"manager": "stranger", "member": "member"}),
        (["creator", "manager", "member"], ["creator", "member"], "manager"),
        (["creator"], ["member", "stranger"], "creator"),
        (["staff"], ["creator", "member"], "staff"),
        ([], ["creator"], {}),
    ],
)
def test_spare_people_take_parts(needed: list[str], there: list[str], cast: object) -> None:
    assert casting(needed, there) == cast


STORIES = Effort(grid=False, walks=0, rules=("R101",))


def test_a_story_that_agrees_says_so() -> None:
    report = checked(Bug(), STORIES)
    assert (report.findings, {rule.rule: rule.result for rule in report.rules.values()}) == ([], {"R101": "agrees"})
    assert report.notes == []


def test_a_story_that_differs_shows_its_steps() -> None:
    report = checked(BUGS["privacy has a value of its own"], STORIES)
    assert report.rules["R101"].result == "differs"
    finding = next(one for one in report.findings if one.operation.id == "get_course")
    assert finding.steps[-1].operation == "get_course"
    assert finding.steps[0].operation == "create_course"
    assert finding.curl[-1].startswith("curl -X GET")
    assert (finding.difference.at, finding.difference.found) == ("/privacy", '"public"')


def test_a_story_that_needs_a_category_is_not_played_without() -> None:
    def none(one: Exchange) -> None:
        if one.path == "/api/v2/category/":
            one.answer = {**one.answer, "count": 0, "results": []}

    report = checked(Bug(after=none), Effort(grid=False, walks=0, rules=("R012",)))
    assert (report.rules["R012"].result, report.rules["R012"].why) == (
        "not reached",
        "needs a category that is in use",
    )
    assert report.lacking == "no rule was reached"


def test_an_operation_that_hangs_is_waited_for_once_in_sweeps() -> None:
    asked = [0]

    def hang(one: Exchange) -> None:
        if one.path == "/api/v2/suggestion/course/":
            asked[0] += 1
            raise httpx.ReadTimeout("timed out")

    report = checked(Bug(before=hang), Effort(grid=False, walks=0, rules=("R116", "R117")))
    assert asked == [1]
    assert [finding.difference.kind for finding in report.findings] == ["transport"]
    assert {rule.result for rule in report.rules.values()} == {"agrees"}


def test_all_stories_come_before_the_readings_if_the_time_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a clock that is late already with the first of them."""
    report = checked(Bug(), Effort(grid=False, walks=0, rules=("R116", "R117"), seconds=3000))
    part = report.played["readings of all that a story has made"]
    assert (part.done, part.all, report.played["stories"].left) == (part.all, part.all, 0)
    ticking = itertools.count()
    monkeypatch.setattr(telling, "time", SimpleNamespace(monotonic=lambda: float(next(ticking)) * 10**9))
    report = checked(Bug(), Effort(grid=False, walks=0, rules=("R116", "R117"), seconds=3000))
    assert report.played["readings of all that a story has made"].done == 0
