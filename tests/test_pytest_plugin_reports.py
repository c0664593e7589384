"""The report of a failed test, as terminals and JUnit XML show it: what its worlds were asked, in every scope."""

import json
import re
import subprocess
from itertools import chain
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.support.commands import invoke
from tests.support.pytest_runs import counted, run

pytestmark = [pytest.mark.slow, pytest.mark.untraced]

SCOPES = """
import pytest

def refused(world, name):
    assert world.client("stranger").patch("/course/1/", json={"name": name}).status_code == 403

def test_call(course_world):
    refused(course_world, "in a call")
    course_world.client().get("/feature/")
    assert False

def test_dynamic(request):
    refused(request.getfixturevalue("course_world"), "found by name")
    assert False

@pytest.fixture
def broken(course_world):
    refused(course_world, "in a set-up")
    raise ValueError("set-up")

def test_set_up(broken):
    pass

@pytest.fixture
def breaking(course_world):
    yield
    refused(course_world, "in a tear-down")
    raise ValueError("tear-down")

def test_tear_down(breaking):
    pass

def test_module_before(module_course_world):
    refused(module_course_world, "by an earlier test")

def test_module(module_course_world):
    refused(module_course_world, "in a module")
    assert False

def test_module_dynamic(request):
    refused(request.getfixturevalue("module_course_world"), "in a module, found by name")
    assert False

def test_without_one():
    assert False

class TestClass:
    def test_class(self, class_course_world):
        refused(class_course_world, "in a class")
        assert False

def test_session(session_course_world):
    refused(session_course_world, "in a session")
    assert False

def test_block(course_worlds):
    with course_worlds("a block") as world:
        refused(world, "in a block")
        assert False

def test_forks(course_world):
    fork = course_world.fork("x")
    refused(fork, "in a fork")
    refused(fork.fork("y"), "in a fork of a fork")
    assert False

def test_without_trace(course_world):
    refused(course_world, "without a trace")
    pytest.fail("only this", pytrace=False)

def test_good(course_world):
    refused(course_world, "in a good test")
"""
EXPECTED = {
    "test_call": ["in a call"],
    "test_dynamic": ["found by name"],
    "test_set_up": ["in a set-up"],
    "test_tear_down": ["in a tear-down"],
    "test_module": ["in a module"],
    "test_module_dynamic": ["in a module, found by name"],
    "test_without_one": [],
    "test_class": ["in a class"],
    "test_session": ["in a session"],
    "test_block": ["in a block"],
    "test_forks": ["in a fork", "in a fork of a fork"],
    "test_without_trace": ["without a trace"],
}
"""Test -> the bodies that were refused in the worlds that its report shows."""
MODES = [[], ["-n", "2"], ["--stub-in-process"]]


def failures(xml: Path) -> dict[str, str]:
    """Test -> the text of its failure or error, as a CI server shows it."""
    cases = ElementTree.parse(xml).iter("testcase")  # noqa: S314 (our own report)
    texts = {case.attrib["name"]: [*case.iter("failure"), *case.iter("error")] for case in cases}
    return {name: "".join(element.text or "" for element in found) for name, found in texts.items() if found}


@pytest.mark.parametrize("options", MODES, ids=["serially", "xdist", "in-process"])
def test_a_failed_test_shows_what_its_worlds_were_asked(tmp_path: Path, options: list[str]) -> None:
    """For every scope and phase, in JUnit XML and in the terminal; only what it asked itself, and nobody else."""
    done = run(tmp_path, *options, "--dist=loadfile", "--junitxml=report.xml", test_it=SCOPES)
    counted(done, failed=10, passed=3, errors=2)
    found = failures(tmp_path / "report.xml")
    assert {name: re.findall(r'sent +{"name":"(.*?)"}', text) for name, text in found.items()} == EXPECTED
    assert sorted(re.findall(r'sent +{"name":"(.*?)"}', done.stdout)) == sorted(chain(*EXPECTED.values()))
    line = r"\n(test_call-\S*)-1  PATCH  /api/v2/course/1/ 403 stub-stranger - Only the creator .*\n"
    line += r"\1-2  GET    /api/v2/feature/ 200 anonymous\n\nthe last one that was refused:\n\1-1  PATCH "
    assert re.search(line, found["test_call"])
    assert "requests to world test_call-" in found["test_call"]
    worlds = re.findall(r"requests to world (\S+) ", found["test_forks"])
    assert worlds == [worlds[0], f"{worlds[0]}-x", f"{worlds[0]}-y"]
    assert "(after 1 earlier requests)" in found["test_module"]
    assert "requests to world" not in found["test_without_one"]
    assert "explain" not in done.stdout  # the server is gone


def test_the_field_that_was_refused_is_named(tmp_path: Path) -> None:
    text = """
def test_it(course_world):
    course_world.client("creator").get("/course/search/", params={"statuses": "many"})
    assert False
"""
    done = run(tmp_path, "--stub-in-process", test_it=text)
    assert re.search(r"GET    /api/v2/course/search/\?statuses=many 400 stub-creator - statuses: \S", done.stdout)


@pytest.mark.parametrize("options", [["--show-capture=no"], ["--tb=short"], ["--tb=native"]])
def test_the_requests_are_shown_however_failures_are(tmp_path: Path, options: list[str]) -> None:
    done = run(tmp_path, "--stub-in-process", *options, test_it="def test_it(course_world): assert False")
    counted(done, failed=1)
    assert re.search(r"requests to world test_it-\S+ -+\nnone\n", done.stdout), done.stdout


MANY = """
def test_it(course_world):
    client = course_world.client("member")
    for number in range(130):
        client.get("/course/search/", params={"search": f"{number}-" + "x" * 5000})
    client.post("/course/", json={"name": "y" * 9000, "nope" * 500: 1})
    assert False
"""


def test_a_report_shows_the_newest_requests_and_counts_the_others(tmp_path: Path) -> None:
    """In lines of bounded length."""
    done = run(tmp_path, "--stub-in-process", test_it=MANY)
    counted(done, failed=1)
    section = done.stdout.partition("requests to world")[2].partition("short test summary")[0]
    assert "\n(after 81 earlier requests)\n" in section
    assert re.findall(r"search=(\d+)-x", section) == [str(number) for number in range(81, 130)]
    assert len(section) < 25_000


def shown(done: subprocess.CompletedProcess[str]) -> str:
    return done.stdout.partition("requests to world")[2]


def test_a_report_that_cannot_ask_the_server_says_so(tmp_path: Path) -> None:
    text = """
from stubserver.testing import Stub

def refuse(self, *_, **__):
    raise RuntimeError("no route is mocked for this\\n\\x1b[1m")

def test_bad(course_world, monkeypatch):
    monkeypatch.setattr(Stub, "control", refuse)
    assert False

def test_good():
    pass
"""
    done = run(tmp_path, "--stub-in-process", test_it=text)
    counted(done, failed=1, passed=1)
    assert "not known: RuntimeError: no route is mocked for this" in shown(done)
    assert "\x1b" not in done.stdout


def test_a_debugger_is_told_how_to_explain_a_request(tmp_path: Path) -> None:
    """The world exists as long as the debugger runs; it ends at once here, because nobody types anything."""
    text = """
def test_it(course_world):
    course_world.client("stranger").patch("/course/1/", json={})
    assert False
"""
    done = run(tmp_path, "--pdb", "--pdbcls=bdb:Bdb", test_it=text)
    assert re.search(r"stubserver explain test_it-\S+-1 --url http://127\.0\.0\.1:\d+\n", done.stdout), done.stdout


@pytest.mark.parametrize("options", MODES, ids=["serially", "xdist", "in-process"])
def test_each_failure_leaves_a_case_file(tmp_path: Path, options: list[str]) -> None:
    """In every phase and scope; those of tests that pass are not kept. Each can be replayed."""
    text = """
import pytest

def refused(world):
    return world.client("member").patch("/course/1/", json={"name": "Mine"}).status_code == 403

def test_call(course_world):
    course_world.clock.freeze()
    assert not refused(course_world)

@pytest.fixture
def broken(course_world):
    assert not refused(course_world)

def test_set_up(broken): ...

@pytest.fixture
def breaking(course_world):
    yield
    assert not refused(course_world)

def test_tear_down(breaking): ...

def test_module(module_course_world):
    assert not refused(module_course_world)

def test_fork(course_world):
    assert not refused(course_world.fork("x"))

def test_good(course_world):
    assert refused(course_world)
"""
    done = run(tmp_path, *options, "--stub-artifacts", "cases", test_it=text)
    counted(done, failed=3, passed=2, errors=2)
    files = sorted((tmp_path / "cases").iterdir())
    about = [json.loads(file.read_text())["about"] for file in files]
    names = ("call", "fork", "fork", "module", "set_up", "tear_down")
    assert [text.partition(",")[0] for text in about] == [f"test_it.py::test_{name}" for name in names]
    assert all(text.endswith(": AssertionError") for text in about), about
    for file in files:
        assert f"stubserver replay {file}" in done.stdout
    assert invoke("replay", str(files[0]))[1].endswith("requests sent again: all answered the same\n")


def test_a_traceback_ends_in_the_test(tmp_path: Path) -> None:
    """Nobody needs to read the inside of the handles."""
    text = """
def test_verdict(course_world):
    course_world.assert_called("join_course")

def test_refusal(course_world):
    course_world.assert_called("join_corse")

def test_persona(course_world):
    course_world.client("creater")
"""
    done = run(tmp_path, test_it=text)
    counted(done, failed=3)
    assert "test_it.py:3: AssertionError" in done.stdout
    assert "channel.py" not in done.stdout
    assert "testing.py" not in done.stdout
