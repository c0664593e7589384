"""Who plays whom in a story, and what is told of it."""

import pytest

from stubserver.checking.check import Effort
from stubserver.checking.telling import casting
from tests.checking.bugs import BUGS, Bug, checked


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
