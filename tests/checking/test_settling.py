"""A server that knows only half of the operations: what is said of it is right, and short."""

from functools import cache

import pytest

from stubserver.checking.check import Effort
from stubserver.checking.findings import AGREES, DIFFERS, NOT_REACHED, Report
from stubserver.checking.text_report import text
from stubserver.contract.contract import Contract
from tests.checking.bugs import BUGS, Bug, Exchange, checked
from tests.checking.half_server import HALF

THREE = ("creator", "member", "stranger")


@cache
def half() -> Report:
    return checked(HALF, Effort(walks=1, seconds=300))


@pytest.mark.slow
def test_each_operation_that_is_not_there_is_one_difference(contract: Contract) -> None:
    report = half()
    assert {finding.key for finding in report.findings} == {
        f"{name} operation missing"
        for name in (
            *("create_course_section", "list_course_sections", "list_course_comments", "list_course_dashboard_users"),
            *("list_course_quiz_attempts", "list_suggested_courses", "list_incubators"),
            *("upload_media_chunk", "create_media", "verify_token", "oauth_token"),
        )
    }
    lines = text(report, contract.document["x-rules"]).splitlines()
    assert lines[0] == "Not there: the target answers as if it had no such operations."
    assert "  POST /api/v2/course/{id}/section/ (create_course_section)" in lines
    assert len(lines) < 80


@pytest.mark.slow
def test_rules_of_what_is_there_agree_and_the_others_were_not_reached() -> None:
    rules = half().rules
    assert {rule.result for rule in rules.values()} == {AGREES, NOT_REACHED}
    assert {rules[code].result for code in ("R101", "R116", "R119", "R205", "R601")} <= {AGREES, NOT_REACHED}
    assert (rules["R116"].result, rules["R401"].result) == (AGREES, NOT_REACHED)
    assert rules["R401"].why == "the target does not have create_course_section"
    assert not half().lacking


@pytest.mark.slow
def test_operations_and_requests_that_could_not_be_reached_are_named() -> None:
    report = half()
    (reached,) = [note for note in report.notes if note.startswith("operations that could not be reached: ")]
    assert "patch_course_lesson" in reached
    part = report.played["requests of the grid"]
    assert (part.left, part.done + part.skipped) == (0, part.all)
    named = [note for note in report.notes if note.startswith("grid: ")]
    assert sum(int(note.split()[1].replace(",", "")) for note in named) == part.skipped > 0


def test_an_operation_that_is_there_after_all_is_not_missing() -> None:
    """Only the first of its requests is answered as if it were not."""

    def once(one: Exchange) -> None:
        if one.is_about("POST", r"/api/v2/course/\d+/section/") and not one.memory.get("seen"):
            one.memory["seen"] = True
            one.status, one.answer = 404, {"detail": "Not Found"}

    report = checked(Bug(after=once), Effort(grid=False, walks=0, rules=("R102", "R301")))
    assert [finding.key for finding in report.findings if finding.is_missing] == []
    assert "create_course_section status status" in {finding.key for finding in report.findings}


def test_a_rule_differs_if_its_own_step_does() -> None:
    report = checked(BUGS["names need not be unique"], Effort(grid=False, walks=0, rules=("R116", "R117")))
    assert (report.rules["R116"].result, report.rules["R117"].result) == (DIFFERS, AGREES)


def test_a_field_that_no_story_is_about_does_not_touch_their_rules() -> None:
    """It differs everywhere, and that is told once."""
    report = checked(BUGS["users have a secret field"], Effort(grid=False, walks=0, rules=("R101", "R104", "R119")))
    assert [rule.result for rule in report.rules.values()] == [AGREES] * 3
    assert "get_course /created_by/email extra" in {finding.key for finding in report.findings}
