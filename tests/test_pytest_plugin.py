"""The pytest plugin, as a project sees it after installing it: pytest runs in a folder of its own."""

import json
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.support.commands import CLEAN, PATIENCE

pytestmark = pytest.mark.slow

ENVIRONMENT = {name: value for name, value in CLEAN.items() if not name.startswith("PYTEST_")}
ENVIRONMENT["PYTEST_ADDOPTS"] = "-p no:schemathesis -p no:hypothesispytest"  # these plugins take long to load
USE = """
def test_{name}(course_world):
    member = course_world.client("member")
    assert member.get("/course/1/status/").json() == {{"status": "joined"}}
    assert member.delete("/course/1/join/").status_code == 204
"""
"""A test that passes only in a fresh world."""


def run(folder: Path, *options: str, **files: str) -> subprocess.CompletedProcess[str]:
    """Run pytest on files, named without their extension."""
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    (folder / "pytest.ini").write_text("[pytest]\n")
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options],
        cwd=folder,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def passed(done: subprocess.CompletedProcess[str], count: int) -> None:
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(rf"\b{count} passed\b", done.stdout), done.stdout


@pytest.mark.parametrize(
    "options",
    [["--stub-in-process"], ["-n", "2"], ["-n", "2", "--stub-in-process"]],
    ids=["in-process", "xdist", "in-process-xdist"],
)
def test_each_test_has_a_world_of_its_own(tmp_path: Path, options: list[str]) -> None:
    """So do tests of the same name in two files, and tests that run after each other."""
    text = USE.format(name="same") + USE.format(name="other")
    passed(run(tmp_path, *options, "-W", "error", test_one=text, test_two=text), 4)


def test_the_fixtures(tmp_path: Path) -> None:
    text = """
import pytest
from stubserver.testing import CourseWorld, Stub

def test_handles(course_stub, course_world):
    assert isinstance(course_stub, Stub) and isinstance(course_world, CourseWorld)
    assert course_world.stub is course_stub
    assert course_world.base_url == f"{course_stub.url}/~{course_world.name}"
    assert course_stub.control("GET", "/version")["name"]

@pytest.mark.parametrize("value", ["a/b c", "\\u00e4" * 200, ""])
def test_any_name(course_world, value):
    course_world.assert_called(times=0)
    assert course_world.client().get("/feature/").status_code == 200
    course_world.assert_called("list_features", times=1)

def test_worlds_are_forgotten_afterwards(course_stub):
    assert not [world for world in course_stub.control("GET", "/worlds")["results"] if "any" in world["name"]]
"""
    passed(run(tmp_path, test_it=text), 5)


@pytest.mark.parametrize("options", [["--stub-in-process"]], ids=["in-process"])
def test_the_fixture_option(tmp_path: Path, options: list[str]) -> None:
    text = """
def test_it(course_world):
    assert course_world.client("creator").get("/course/search/").json()["count"] == 0
"""
    passed(run(tmp_path, "--stub-fixture", "empty", *options, test_it=text), 1)


def test_in_process_a_dropped_connection_is_one(tmp_path: Path) -> None:
    text = """
import httpx
import pytest

@pytest.mark.parametrize("kind", ["reset", "lost", "truncate"])
def test_it(course_world, course_stub, kind):
    assert course_stub.app is not None
    course_world.faults.add(kind, times=1)
    with pytest.raises(httpx.TransportError):
        course_world.client("member").get("/course/1/")
    assert course_world.client("member").get("/course/1/").status_code == 200
"""
    passed(run(tmp_path, "--stub-in-process", test_it=text), 3)


@pytest.mark.parametrize("options", [["-n", "2"], ["-n", "2", "--stub-in-process"]], ids=["xdist", "in-process-xdist"])
def test_the_coverage_of_all_tests(tmp_path: Path, options: list[str]) -> None:
    done = run(
        tmp_path, *options, "--stub-coverage", "c.json", test_one=USE.format(name="a"), test_two=USE.format(name="b")
    )
    passed(done, 2)
    report = json.loads((tmp_path / "c.json").read_text())
    called = {one["operation"]: one["requests"] for one in report["operations"] if one["requests"]}
    assert called == {"get_course_status": 2, "leave_course": 2}
    assert f"stub coverage: {report['percent']} % of the contract, in c.json" in done.stdout


@pytest.mark.parametrize(
    ("ending", "begins"), [("txt", "Contract coverage: "), ("html", "<!doctype html>"), ("xml", "")]
)
def test_the_coverage_in_other_formats(tmp_path: Path, ending: str, begins: str) -> None:
    passed(run(tmp_path, "--stub-in-process", "--stub-coverage", f"c.{ending}", test_it=USE.format(name="a")), 1)
    text = (tmp_path / f"c.{ending}").read_text()
    assert text.startswith(begins)
    assert begins or ElementTree.fromstring(text).tag == "testsuites"  # noqa: S314 (our own report)


def test_a_bad_ending_is_told_before_any_test_runs(tmp_path: Path) -> None:
    done = run(tmp_path, "--stub-coverage", "c.csv", test_it="def test_it(course_world): open('ran', 'w').close()")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR, done.stdout + done.stderr
    assert "unknown report type 'c.csv'" in done.stderr
    assert not (tmp_path / "ran").exists()
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("options", [["-n", "2"]], ids=["xdist"])
def test_a_failed_test_shows_what_its_world_was_asked(tmp_path: Path, options: list[str]) -> None:
    text = """
def test_good(course_world):
    course_world.client().get("/feature/")

def test_bad(course_world):
    course_world.client("stranger").get("/course/2/status/")
    assert course_world.client("stranger").patch("/course/1/", json={}).status_code == 200
"""
    done = run(tmp_path, *options, test_it=text)
    assert done.returncode == 1
    assert "requests to world test_bad-" in done.stdout
    assert (
        "\nGET    /api/v2/course/2/status/ 200 stub-stranger\nPATCH  /api/v2/course/1/ 403 stub-stranger - Only "
        in (done.stdout)
    )
    assert "/feature/" not in done.stdout.partition("requests to world")[2]


def test_a_fixture_of_the_same_name_is_left_alone(tmp_path: Path) -> None:
    """A failed test of a project with a `course_world` of its own fails, and the run goes on."""
    text = """
import pytest

@pytest.fixture
def course_world():
    return {"name": "mine"}

def test_bad(course_world):
    assert not course_world

def test_good(course_world):
    assert course_world
"""
    done = run(tmp_path, test_it=text)
    assert "1 failed, 1 passed" in done.stdout, done.stdout
    assert "INTERNALERROR" not in done.stdout + done.stderr
    assert "requests to world" not in done.stdout


def test_a_report_that_cannot_ask_the_server_says_so(tmp_path: Path) -> None:
    text = """
def refuse(*_, **__):
    raise RuntimeError("nobody is there")

def test_bad(course_world, monkeypatch):
    monkeypatch.setattr(course_world.stub, "control", refuse)
    assert False

def test_good():
    pass
"""
    done = run(tmp_path, test_it=text)
    assert "INTERNALERROR" not in done.stdout + done.stderr, done.stdout
    assert "not known: RuntimeError: nobody is there" in done.stdout
    assert "1 passed" in done.stdout


NO_SOCKETS = """
import socket

class Refused(socket.socket):
    def __new__(cls, *_, **__):
        raise RuntimeError("No sockets here.")

def pytest_runtest_setup(item):
    socket.socket = Refused

def pytest_runtest_teardown(item):
    socket.socket = Refused.__base__
"""
"""A conftest.py that keeps tests off the network before any fixture is set up, as pytest-socket does."""


@pytest.mark.parametrize(
    "options",
    [[], ["--stub-in-process"], ["-n", "2", "--stub-in-process"]],
    ids=["with-a-socket", "in-process", "in-process-xdist"],
)
def test_neither_fixtures_nor_reports_need_what_tests_replace(tmp_path: Path, options: list[str]) -> None:
    text = """
import httpx
import pytest

def refuse(self, request):
    raise RuntimeError("no route is mocked for this")

def test_bad(course_world, monkeypatch):
    assert course_world.base_url.startswith("http://127.0.0.1:")
    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", refuse)
    assert course_world.client("member").get("/user/me/").status_code == 200
    raise AssertionError("on purpose")

def test_good(course_world):
    assert course_world.client("member").get("/user/me/").status_code == 200
"""
    done = run(tmp_path, *options, conftest=NO_SOCKETS, test_it=text)
    assert "1 failed, 1 passed" in done.stdout, done.stdout
    assert "\nGET    /api/v2/user/me/ 200 stub-member\n" in done.stdout


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ([], "RuntimeError: no socket for the stub server: No sockets here. --stub-in-process needs none."),
        (
            ["--stub-in-process"],
            "StubError: no socket for other clients: No sockets here. client() and async_client() ",
        ),
    ],
    ids=["with-a-socket", "in-process"],
)
def test_a_socket_that_is_refused_is_told(tmp_path: Path, options: list[str], says: str) -> None:
    """Where nobody could know beforehand that the test would ask for the fixture."""
    text = "def test_it(request): assert request.getfixturevalue('course_world').base_url\n"
    done = run(tmp_path, *options, conftest=NO_SOCKETS, test_it=text)
    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    assert says in done.stdout


@pytest.mark.parametrize("options", [["--stub-in-process"]], ids=["in-process"])
def test_a_project_may_build_its_own_server(tmp_path: Path, options: list[str]) -> None:
    conftest = """
from stubserver.app import create_app

def pytest_course_stub(config):
    return create_app("empty", jwt_secret="a-secret-of-this-project-that-is-long-enough")
"""
    text = """
def test_it(course_world):
    assert course_world.client("creator").get("/course/search/").json()["count"] == 0
"""
    passed(run(tmp_path, *options, conftest=conftest, test_it=text), 1)


@pytest.mark.parametrize("options", [[], ["-n", "2"]], ids=["serially", "xdist"])
def test_a_server_that_cannot_be_built_says_why(tmp_path: Path, options: list[str]) -> None:
    """Quickly, and without an internal error of pytest."""
    conftest = "def pytest_course_stub(config):\n    raise ValueError('no server today')\n"
    done = run(tmp_path, *options, conftest=conftest, test_it=USE.format(name="a"))
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout + done.stderr
    assert "no server today" in done.stdout + done.stderr
    assert "INTERNALERROR" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("options", [[], ["-n", "2"], ["--stub-in-process"]], ids=["serially", "xdist", "in-process"])
@pytest.mark.parametrize(
    ("mistake", "says"),
    [
        (["--stub-fixture", "nope"], "--stub-fixture: unknown fixture 'nope': use one of default, empty, or a file"),
        (
            ["--stub-coverage", "nowhere/c.json"],
            "--stub-coverage: cannot write nowhere/c.json: No such file or directory",
        ),
    ],
    ids=["fixture", "coverage"],
)
def test_an_option_that_cannot_work_ends_the_run_before_it_begins(
    tmp_path: Path, options: list[str], mistake: list[str], says: str
) -> None:
    """In one line."""
    done = run(tmp_path, *options, *mistake, test_it="def test_it(course_world): open('ran', 'w').close()")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR, done.stdout + done.stderr
    assert says in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "ran").exists()


def test_workers_share_one_server(tmp_path: Path) -> None:
    text = """
import os
import pytest

@pytest.mark.parametrize("number", range(6))
def test_it(course_stub, number):
    with open("seen", "a") as file:
        file.write(f"{os.environ['PYTEST_XDIST_WORKER']} {course_stub.url}\\n")
"""
    passed(run(tmp_path, "-n", "2", test_it=text), 6)
    seen = [line.split() for line in (tmp_path / "seen").read_text().splitlines()]
    assert {worker for worker, _ in seen} == {"gw0", "gw1"}
    assert len({url for _, url in seen}) == 1


def test_each_worker_has_a_server_in_its_process(tmp_path: Path) -> None:
    """With clients that time out, and a URL for those that need one."""
    text = """
import os
import httpx
import pytest

@pytest.mark.parametrize("number", range(6))
def test_it(course_stub, course_world, number):
    assert course_stub.app is not None
    course_world.faults.add("latency", seconds=5, times=1)
    with pytest.raises(httpx.ReadTimeout):
        course_world.client("member").get("/user/me/", timeout=0.1)
    assert httpx.get(f"{course_world.api_url}/feature/").status_code == 200
    with open("seen", "a") as file:
        file.write(f"{os.environ['PYTEST_XDIST_WORKER']} {course_stub.url}\\n")
"""
    passed(run(tmp_path, "-n", "2", "--stub-in-process", "-W", "error", test_it=text), 6)
    seen = {tuple(line.split()) for line in (tmp_path / "seen").read_text().splitlines()}
    assert len({url for _, url in seen}) == len(seen) == 2


def test_who_does_not_ask_does_not_pay(tmp_path: Path) -> None:
    """No module of the server is loaded, and no thread is started."""
    text = """
import sys
import threading

def test_it():
    loaded = {name for name in sys.modules if name.startswith(("stubserver", "connexion", "uvicorn", "httpx"))}
    assert loaded <= {"stubserver", "stubserver.pytest_plugin"}
    assert threading.active_count() == 1
"""
    passed(run(tmp_path, "-p", "no:schemathesis", test_it=text), 1)
