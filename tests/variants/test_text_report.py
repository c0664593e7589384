"""The report for a terminal, and for programs."""

import json
import xml.etree.ElementTree as ET

from stubserver.variants import text_report
from stubserver.variants.running import Asked
from tests.variants.reports import made


def test_the_text_tells_what_breaks_and_how() -> None:
    report = made()
    report.findings[0].refused = [Asked("op", "GET", "/3", "anonymous", 404)]
    report.notes.append("so")
    lines = text_report.text(report).splitlines()
    assert lines[:6] == [
        "broken: null op /a",
        "  the command ended with status 1, after 2 requests",
        '  request:  GET /1 as stub-member Prefer: variant="null:/a"',
        "  then the server refused: GET /3 as anonymous 404",
        "    Traceback",
        "    boom",
    ]
    assert "flaky: null op /b" in lines
    assert "null        1 broken, 1 flaky, 1 not sent, 1 survived" in lines
    assert "Note: so" in lines
    verdict = "npm test: 1 broken, 1 flaky; 4 variants at 4 places of 1 operations, 9 runs in 12 s."
    assert lines[-1] == verdict


def test_the_verdict_says_what_is_known_and_why_it_ended() -> None:
    report = made()
    report.findings = report.findings[:1]
    report.findings[0].accepted, report.ended = "old", "time"
    assert text_report.verdict(report).startswith("npm test: nothing broken, 1 accepted; 4 variants")
    assert text_report.verdict(report).endswith("; ended early: time.")
    assert "  accepted: old" in text_report.text(report)


def test_a_command_that_did_not_end() -> None:
    report = made()
    report.findings[0].run.overdue = True
    try:
        assert "the command did not end, and was ended after 2 s" in text_report.text(report)
    finally:
        report.findings[0].run.overdue = False


def test_what_the_command_wrote_cannot_steer_the_terminal() -> None:
    report = made()
    report.findings[0].run.output = "\x1b[2J\x07"
    try:
        assert "\x1b" not in text_report.text(report)
        assert "\x07" not in text_report.text(report)
        ET.fromstring(text_report.junit(report))  # noqa: S314 (ours)
    finally:
        report.findings[0].run.output = "Traceback\nboom"


def test_json_has_everything() -> None:
    found = json.loads(text_report.as_json(made()))
    assert (found["command"], found["survives"], found["runs"], found["ended"]) == ("npm test", False, 9, "")
    assert [site["result"] for site in found["sites"]] == ["broken", "flaky", "survived", "not sent"]
    assert found["findings"][0]["key"] == "null op /a"
    assert found["findings"][0]["request"]["path"] == "/1"
    assert found["findings"][0]["output"] == "Traceback\nboom"
    assert found["sent"] == {"op": ["/a", "/b", "/c", "/d"]}


def test_junit_has_a_case_for_each_variant() -> None:
    report = made()
    suite = ET.fromstring(text_report.junit(report))  # noqa: S314 (ours)
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("4", "1", "2")
    assert [case.get("name") for case in suite] == [site.key for site in report.sites]
    report.findings[0].accepted = "old"
    suite = ET.fromstring(text_report.junit(report))  # noqa: S314 (ours)
    assert (suite.get("failures"), suite.get("skipped")) == ("0", "3")
