"""The report of a failed test: bounded, printable, and shown wherever a failure is."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from stubserver.plugin import report as module
from stubserver.plugin.report import add
from stubserver.plugin.worlds import Received
from stubserver.testing import CourseWorld, Stub

WORLD = CourseWorld(Stub("http://127.0.0.1:9"), "w")


def request(number: int = 1, **changed: Any) -> dict[str, Any]:
    """A refused request, as the journal shows it."""
    asked: dict[str, Any] = {"method": "PATCH", "path": "/api/v2/course/1/", "query": {}, "headers": {}, "body": None}
    problem = {"field": "name", "message": "Too long.", "code": "max_length"}
    return {
        **{"id": f"w-{number}", "time": "2026-11-23T12:00:00+00:00", "operation": "patch_course", "status": 400},
        **{"persona": "stub-creator", "milliseconds": 1.5, "response": None, "violations": [], "rules": []},
        **{"changes": [], "faults": [], "request": asked, "problems": [problem], **changed},
    }


def told(received: Received, failure: Any = "failed", with_command: bool = False) -> str:
    """The text of a report."""
    report = SimpleNamespace(longrepr=failure, nodeid="t", when="call", sections=[])
    add(cast(pytest.TestReport, report), [received], with_command, None)
    return str(report.longrepr)


def test_requests_are_shown_oldest_first_and_the_last_refused_one_in_full() -> None:
    good = request(3, problems=[], status=200)
    text = told(Received(WORLD, [good, request(2), request(1)]))
    head, _, story = text.partition("\n\nthe last one that was refused:\n")
    line = "PATCH  /api/v2/course/1/ 400 stub-creator - name: Too long."
    lines = [f"w-1  {line}", f"w-2  {line}", "w-3  PATCH  /api/v2/course/1/ 200 stub-creator"]
    assert head.splitlines() == ["failed", "--- requests to world w ---", *lines]
    assert story.startswith("w-2  PATCH /api/v2/course/1/\n\n  when      2026-")
    assert "because   name: Too long. (max_length)" in story


@pytest.mark.parametrize(
    ("received", "says"),
    [
        (Received(WORLD), "none"),
        (Received(WORLD, earlier=3), "(after 3 earlier requests)\nnone"),
        (
            Received(WORLD, earlier=3, forgotten=2),
            "(after 5 earlier requests, 2 of them forgotten by the journal)\nnone",
        ),
        (Received(WORLD, forgotten=2), "(after 2 earlier requests, 2 of them forgotten by the journal)\nnone"),
        (Received(WORLD, forks=3), "(its 3 oldest forks are not shown)\nnone"),
        (Received(WORLD, unknown="it is\x1b[1m gone"), "not known: it is\N{REPLACEMENT CHARACTER}[1m gone"),
        (Received(WORLD, [request(problems=[], status=None)]), "w-1  PATCH  /api/v2/course/1/ no answer stub-creator"),
    ],
)
def test_what_is_not_shown_is_counted_or_explained(received: Received, says: str) -> None:
    assert told(received) == f"failed\n--- requests to world w ---\n{says}"


def test_a_query_and_all_problems_are_part_of_the_line() -> None:
    asked = {**request()["request"], "query": {"search": ["a b", "c"]}}
    problems = [*request()["problems"], {"field": None, "message": "And this.", "code": "x"}]
    text = told(Received(WORLD, [request(request=asked, problems=problems)]))
    assert "/api/v2/course/1/?search=a+b&search=c 400 stub-creator - name: Too long.; And this.\n" in text


def test_a_report_is_bounded_and_cannot_control_a_terminal() -> None:
    asked = {**request()["request"], "path": "/\x1b[2J\n" + "x" * 9000, "body": {"y" * 900: "z" * 9000}}
    problems = [{"field": "f", "message": "m" * 900, "code": "c"}] * 20
    text = told(Received(WORLD, [request(number, request=asked, problems=problems) for number in range(50)]))
    assert len(text) < 50 * 301 + 4_100
    assert "\x1b" not in text
    assert text.count("\n") < 200


def test_a_request_of_another_version_is_shown_without_its_story() -> None:
    text = told(Received(WORLD, [request(rules=["R999"])]))
    assert text.endswith("the last one that was refused:\nnot known: KeyError: 'R999'")


def test_the_command_is_shown_while_it_works() -> None:
    """Only for a server with a socket."""
    received = Received(WORLD, [request()])
    assert "explain" not in told(received)
    command = "\nto see it in another terminal: stubserver explain w-1 --url http://127.0.0.1:9"
    assert told(received, with_command=True).endswith(command)
    served = CourseWorld(Stub("http://localhost"), "w")
    served.stub.app = object()
    assert "explain" not in told(Received(served, [request()]), with_command=True)


class Sections(list[tuple[str, str]]):
    """A failure as pytest represents most of them."""

    def addsection(self, title: str, text: str) -> None:
        self.append((title, text))


def test_the_section_is_part_of_the_failure_or_else_of_the_report() -> None:
    failure = Sections()
    told(Received(WORLD), failure)
    assert failure == [("requests to world w", "none")]
    other = SimpleNamespace(longrepr=object(), sections=[])
    module._attach(cast(pytest.TestReport, other), "title", "text")
    assert other.sections == [("title", "text")]


# Case files


def test_a_case_file_is_written_where_it_is_wanted(tmp_path: Path) -> None:
    report = SimpleNamespace(
        longrepr="failed", longreprtext="x\nAssertionError: 1", nodeid="test_a.py::test_b", when="call", sections=[]
    )
    received = Received(WORLD, case={"case": 1})
    add(cast(pytest.TestReport, report), [received, Received(WORLD)], False, tmp_path / "new")
    (file,) = (tmp_path / "new").iterdir()
    assert json.loads(file.read_text()) == {"about": "test_a.py::test_b, call: AssertionError: 1", "case": 1}
    assert report.longrepr.count("\nto repeat it: stubserver replay ") == 1
    assert f"stubserver replay {file}" in report.longrepr


def test_a_case_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    report = SimpleNamespace(longrepr="failed", longreprtext="", nodeid="t", when="call", sections=[])
    add(cast(pytest.TestReport, report), [Received(WORLD, case={})], False, tmp_path / "file")
    assert "the case file was not written: " in report.longrepr
