"""Reports for terminals and programs."""

import json
import xml.etree.ElementTree as ET

import pytest

from stubserver.checking import html_report, text_report
from stubserver.checking.catalogue import Step
from stubserver.checking.comparison import Difference
from stubserver.checking.findings import AGREES, DIFFERS, NOT_REACHED, Finding, Progress, Report
from stubserver.contract.contract import Contract

NASTY = "<b>\x1b[31m&\ud800'\""


@pytest.fixture
def report(contract: Contract) -> Report:
    report = Report("http://t", 7, ["creator", "member"], sent=1234, seconds=8.4)
    operation = contract.operations["get_course"]
    steps = [Step("creator", "create_course", body={"name": NASTY}), Step("member", "get_course", "course")]
    difference = Difference("/name", "value", '"Pottery"', NASTY)
    report.add(Finding(operation, difference, ["R101"], "story", "A course is shown", steps, ["curl -X GET x"], 3))
    report.add(Finding(operation, Difference("status", "status", "200", "500"), [], "grid", "grid", steps[1:]))
    report.findings[1].accepted = "known since May"
    for rule, result, why in (("R101", DIFFERS, ""), ("R102", AGREES, ""), ("R103", NOT_REACHED, "needs staff")):
        report.note_rule(rule, result, why)
    report.notes.append("left behind: course 5")
    return report


def test_the_text_says_what_was_expected_what_came_and_by_which_rule(report: Report, contract: Contract) -> None:
    text = text_report.text(report, contract.document["x-rules"])
    lines = text.splitlines()
    assert lines[0] == "GET /api/v2/course/{id}/ (get_course): /name, 3 times"
    assert lines[1] == '  expected: "Pottery"'
    assert lines[2].startswith("  came:     <b>")
    assert lines[3] == "  seen in:  story: A course is shown"
    assert lines[4].startswith("  rule:     R101 (")
    assert "    - {as: member, do: get_course, at: course}" in lines
    assert "  accepted: known since May" in lines
    assert "Rules: 1 agrees, 1 differs, 1 not reached" in lines
    assert "  not reached, needs staff: R103" in lines
    assert "Note: left behind: course 5" in lines
    assert lines[-1] == "http://t: 1 difference (1 accepted); 1,234 requests in 8 s, seed 7, as creator, member."


def test_nothing_can_control_a_terminal(report: Report, contract: Contract) -> None:
    text = text_report.text(report, contract.document["x-rules"])
    assert "\x1b" not in text
    text.encode()


def test_json_has_all_of_it(report: Report) -> None:
    found = json.loads(text_report.as_json(report).encode("utf-8", "replace"))
    assert (found["agrees"], found["target"], found["seed"], found["requests"]) == (False, "http://t", 7, 1234)
    first, second = found["differences"]
    assert (first["key"], first["rules"], first["times"]) == ("get_course /name value", ["R101"], 3)
    assert second["accepted"] == "known since May"
    assert found["rules"]["R103"] == {"result": "not reached", "why": "needs staff"}


def test_junit_has_a_case_for_each_rule(report: Report) -> None:
    suite = ET.fromstring(text_report.junit(report).encode("utf-8", "replace"))  # noqa: S314 (ours)
    assert {key: suite.get(key) for key in ("tests", "failures", "skipped")} == {
        "tests": "3",
        "failures": "1",
        "skipped": "1",
    }
    cases = {case.get("name"): [part.tag for part in case] for case in suite}
    assert cases == {"R101": ["failure"], "R102": [], "R103": ["skipped"]}


def test_the_page_escapes_and_loads_nothing(report: Report, contract: Contract) -> None:
    page = html_report.html(report, contract.document["x-rules"])
    page.encode()
    assert "<b>" not in page
    assert "\x1b" not in page
    assert "default-src 'none'" in page
    assert "src=" not in page
    for said in ("http://t", "1 difference<", "R101", "known since May", "left behind: course 5", "needs staff"):
        assert said in page


def test_what_is_lacking_is_said_in_every_format(contract: Contract) -> None:
    report = Report("http://t", 0, ["creator"], ended="time", played={"stories": Progress(30, 2)}, sent=5)
    lacking = "the time was over, and 28 of 30 stories are left"
    rules = contract.document["x-rules"]
    lines = text_report.text(report, rules).splitlines()
    assert lines[0] == "Played: 2 of 30 stories"
    assert lines[-1].startswith(f"http://t: no difference, but that is not all: {lacking}; ")
    found = json.loads(text_report.as_json(report))
    assert (found["agrees"], found["lacking"], found["played"]) == (False, lacking, {"stories": {"done": 2, "of": 30}})
    suite = ET.fromstring(text_report.junit(report))  # noqa: S314 (ours)
    assert [(case.get("name"), case[0].get("message")) for case in suite] == [("everything was played", lacking)]
    page = html_report.html(report, rules)
    assert f"That is not all: {lacking}" in page
    assert '<span class="bad">no difference' in page


def test_operations_that_are_not_there_take_a_line_each(contract: Contract) -> None:
    report = Report("http://t", 0, ["creator"])
    for name in ("get_course", "get_me"):
        difference = Difference("operation", "missing", "the operation", "as if there were none, 7 times")
        report.add(Finding(contract.operations[name], difference, (), "story", "A title", times=7))
    report.findings[1].accepted = "never needed"
    rules = contract.document["x-rules"]
    assert text_report.text(report, rules).splitlines()[:4] == [
        "Not there: the target answers as if it had no such operations.",
        "  GET /api/v2/course/{id}/ (get_course)",
        "  GET /api/v2/user/me/ (get_me): accepted: never needed",
        "",
    ]
    page = html_report.html(report, rules)
    assert "<li>GET /api/v2/user/me/: accepted: never needed" in page
    assert page.count("<article>") == 0
