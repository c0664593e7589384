"""`stubserver coverage`: of a running server or of files, with thresholds and a baseline."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.reports.coverage_documents import DOCUMENT, PARTLY
from tests.support.commands import invoke, told

# A server


@pytest.mark.slow
def test_coverage_of_a_server_in_each_format(command: Callable[..., Any]) -> None:
    status, text, err = command("coverage")
    assert (status, err) == (0, "")
    assert text.startswith("Contract coverage: ")
    found = {form: command("coverage", "--format", form)[1] for form in ("text", "json", "junit", "html")}
    assert found["text"] == text
    called = {one["operation"] for one in json.loads(found["json"])["operations"] if one["requests"]}
    assert called == {"join_course", "patch_course"}
    assert ElementTree.fromstring(found["junit"]).tag == "testsuites"  # noqa: S314 (our own report)
    assert found["html"].startswith("<!doctype html>")


@pytest.mark.slow
def test_a_server_may_fall_short(command: Callable[..., Any]) -> None:
    status, out, err = command("coverage", "--fail-under", "join_course=100", "--fail-under", "fields=0")
    assert status == 1
    assert out.startswith("Contract coverage: ")
    assert err.endswith(" % of join_course is covered, less than 100 %\n")
    status, out, err = command("coverage", "--fail-under", "join_corse=100")
    assert (status, out) == (2, "")
    assert told(err, "stubserver: There is no kind of points or operation 'join_corse'. Did you mean join_course, ...")


# Files


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with reports: one.json, two.json (more exercised), other.json (another contract), and files
    that are none."""
    monkeypatch.chdir(tmp_path)
    two = copy.deepcopy(DOCUMENT)
    two["operations"][1]["statuses"]["400"] = two["operations"][3]["requests"] = 1
    reports = {"one": DOCUMENT, "two": two, "other": {**DOCUMENT, "contract": "1.9.0"}}
    for name, document in reports.items():
        Path(f"{name}.json").write_text(json.dumps(document))
    Path("empty.json").write_text("")
    Path("text.json").write_text("Contract coverage: 50.0 %")
    Path("binary.json").write_bytes(b"\xff\xfe")
    Path("list.json").write_text("[1]")
    Path("object.json").write_text("{}")
    Path("wrong.json").write_text(json.dumps({**DOCUMENT, "operations": [{**PARTLY, "requests": -1}]}))
    Path("folder").mkdir()
    return tmp_path


def test_coverage_of_files_adds_up() -> None:
    """Of each by itself, too; a URL in the environment is no mistake."""
    status, out, err = invoke("coverage", "--format", "json", "one.json", "two.json", STUBSERVER_URL="http://x.example")
    assert (status, err) == (0, "")
    both = json.loads(out)
    assert (both["covered"], both["total"]) == (8, 14)
    assert [operation["requests"] for operation in both["operations"]] == [6, 2400, 2, 1]


def test_each_shortfall_is_a_line_after_the_report() -> None:
    asked = ["--fail-under", "50", "--fail-under", "60", "--fail-under", "fields=100", "--fail-under", "search=33.4"]
    status, out, err = invoke("coverage", "one.json", *asked)
    assert status == 1
    assert out.startswith("Contract coverage: 50.0 %")
    assert err.splitlines() == [
        "stubserver: 50.0 % of the contract is covered, less than 60 %",
        "stubserver: 33.3 % of search is covered, less than 33.4 %",
    ]
    assert invoke("coverage", "one.json", *asked[:2], *asked[4:6])[0] == 0


# The baseline


@pytest.mark.parametrize(
    ("baseline", "report", "status", "lines"),
    [
        ("one.json", "one.json", 0, ["compared with one.json: 0 points lost, 0 points gained"]),
        (
            "one.json",
            "two.json",
            0,
            [
                "compared with one.json: 0 points lost, 2 points gained",
                *("  list_things", "    gained  status 400", "  delete_thing", "    gained  called"),
            ],
        ),
        (
            "two.json",
            "one.json",
            1,
            [
                "compared with two.json: 2 points lost, 0 points gained",
                *("  list_things", "    lost    status 400", "  delete_thing", "    lost    called"),
            ],
        ),
        (
            "other.json",
            "one.json",
            0,
            [
                "other.json is of contract 1.9.0, this is of 2.0.0: what both have is compared",
                "stubserver: compared with other.json: 0 points lost, 0 points gained",
            ],
        ),
    ],
)
def test_only_a_loss_fails(baseline: str, report: str, status: int, lines: list[str]) -> None:
    done = invoke("coverage", report, "--baseline", baseline, "--format", "json")
    assert (done[0], done[2]) == (status, "\n".join([f"stubserver: {lines[0]}", *lines[1:], ""]))
    assert json.loads(done[1])["operations"]


def test_a_baseline_goes_with_thresholds() -> None:
    status, _, err = invoke("coverage", "one.json", "--baseline", "one.json", "--fail-under", "51")
    assert status == 1
    assert err.splitlines()[-1] == "stubserver: 50.0 % of the contract is covered, less than 51 %"


# Mistakes

NOT_A_PERCENTAGE = "is not a percentage from 0 to 100, or NAME=PERCENTAGE, such as 80 or fields=90."
BESIDE_FILES = "is for a server; leave it out to read files, or leave out the files"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        # options
        ("--formt json", "Error: No such option '--formt'. Did you mean '--format'?"),
        ("--fail-below 80", "Error: No such option '--fail-below'. Did you mean '--fail-under'?"),
        ("--base-line one.json", "Error: No such option '--base-line'. Did you mean '--baseline'?"),
        ("--format", "Error: Option '--format' requires an argument."),
        ("--format csv", "Error: Invalid value for '--format': 'csv' is not one of 'text', 'json', 'junit', 'html'."),
        ("--format JSON", "Error: Invalid value for '--format': 'JSON' is not one of 'text', 'json', 'junit', 'html'."),
        # thresholds
        ("--fail-under", "Error: Option '--fail-under' requires an argument."),
        *(
            (f"one.json --fail-under {text}", f"Error: Invalid value for '--fail-under': '{text}' {NOT_A_PERCENTAGE}")
            for text in ("abc", "80%", "-1", "101", "nan", "inf", "=80", "fields=", "fields=many", "fields=101")
        ),
        (
            "one.json --fail-under 80 --fail-under search=-0.1",
            f"Error: Invalid value for '--fail-under': 'search=-0.1' {NOT_A_PERCENTAGE}",
        ),
        (
            "one.json --fail-under valeus=1",
            "stubserver: There is no kind of points or operation 'valeus'. Did you mean values?",
        ),
        (
            "one.json --fail-under Personas=1",
            "stubserver: There is no kind of points or operation 'Personas'. Did you mean personas?",
        ),
        (
            "one.json --fail-under 99 --fail-under serch=1",
            "stubserver: There is no kind of points or operation 'serch'. Did you mean search?",
        ),
        (
            "one.json --fail-under total=1",
            "stubserver: There is no kind of points or operation 'total'. Use one of: statuses, parameters, fields, "
            "values, personas, get_thing, list_things, search, delete_thing.",
        ),
        # files
        ("none.json", "Error: Invalid value for '[FILES]...': File 'none.json' does not exist."),
        ("one.json none.json", "Error: Invalid value for '[FILES]...': File 'none.json' does not exist."),
        ("folder", "Error: Invalid value for '[FILES]...': File 'folder' is a directory."),
        (
            "empty.json",
            "stubserver: empty.json: not a coverage report: invalid JSON, ...",
        ),
        (
            "one.json text.json",
            "stubserver: text.json: not a coverage report: invalid JSON, unexpected character...",
        ),
        (
            "binary.json",
            "stubserver: binary.json: not a coverage report: invalid JSON, str is not valid UTF-8...",
        ),
        ("one.json list.json", "stubserver: list.json: not a coverage report: it is not an object"),
        ("object.json one.json", "stubserver: object.json: not a coverage report: it has no stubserver"),
        ("wrong.json", "stubserver: wrong.json: not a coverage report: operations[0].requests is negative"),
        (
            "one.json two.json other.json",
            "stubserver: other.json: coverage of contract 1.9.0 cannot be added to one.json, of contract 2.0.0",
        ),
        # a server and files
        ("--url http://127.0.0.1:8765 one.json", f"stubserver: --url {BESIDE_FILES}"),
        ("one.json two.json --url nonsense", f"stubserver: --url {BESIDE_FILES}"),
        ("one.json --control-token x", f"stubserver: --control-token {BESIDE_FILES}"),
        # the baseline
        ("one.json --baseline", "Error: Option '--baseline' requires an argument."),
        ("one.json --baseline none.json", "Error: Invalid value for '--baseline': File 'none.json' does not exist."),
        ("one.json --baseline folder", "Error: Invalid value for '--baseline': File 'folder' is a directory."),
        (
            "one.json --baseline object.json",
            "stubserver: object.json: not a coverage report: it has no stubserver",
        ),
        (
            "one.json --baseline wrong.json --fail-under 99",
            "stubserver: wrong.json: not a coverage report: operations[0].requests is negative",
        ),
    ],
)
def test_a_mistake_is_told_before_anything_is_shown(arguments: str, says: str) -> None:
    status, out, err = invoke("coverage", *arguments.split())
    assert (status, out) == (2, "")
    assert told(err, says), err
