"""The pytest plugin, as a project sees it after installing it: pytest runs in a folder of its own."""

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.support.pytest_runs import counted, passed, run

pytestmark = pytest.mark.slow

USE = """
def test_{name}(course_world):
    member = course_world.client("member")
    assert member.get("/course/1/status/").json() == {{"status": "joined"}}
    assert member.delete("/course/1/join/").status_code == 204
"""
"""A test that passes only in a fresh world."""


@pytest.mark.parametrize(
    "options",
    [["--stub-in-process"], ["-n", "2"], ["-n", "2", "--stub-in-process"]],
    ids=["in-process", "xdist", "in-process-xdist"],
)
def test_each_test_has_a_world_of_its_own(tmp_path: Path, options: list[str]) -> None:
    """So do tests of the same name in two files, and tests that run after each other."""
    text = USE.format(name="same") + USE.format(name="other")
    passed(run(tmp_path, *options, "-W", "error", test_one=text, test_two=text), 4)


SERVING = {
    "connexion",
    "starlette",
    "uvicorn",
    "httpx",
    "jsonschema_rs",
    "orjson",
    "redis",
    "prometheus_client",
    "yaml",
}
"""What it takes to serve: packages that cost most of the start of a server."""
LOADED = f"""
import sys

def loaded():
    return sorted({SERVING!r} & sys.modules.keys())
"""


def test_the_plugin_loads_no_server_until_a_test_asks(tmp_path: Path) -> None:
    """It is installed beside tests that never ask, and must cost them nothing."""
    script = f"{LOADED}\nimport stubserver.pytest_plugin\nprint(loaded())"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
    idle = "from conftest import loaded\ndef test_it():\n    assert loaded() == []\n"
    asking = (
        "from conftest import loaded\ndef test_it(course_world):\n    assert {'httpx', 'connexion'} <= {*loaded()}\n"
    )
    passed(run(tmp_path, conftest=LOADED, test_it=idle), 1)
    passed(run(tmp_path, "--stub-in-process", test_it=asking), 1)


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


@pytest.mark.parametrize("options", [[], ["--stub-in-process"]], ids=["with-a-socket", "in-process"])
def test_fixtures_of_a_folder(tmp_path: Path, options: list[str]) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "mine.yaml").write_text("extends: empty\nremove: {users: [3, 4]}\n")
    text = """
def test_it(course_worlds, course_world):
    with course_worlds("mine", fixture="mine") as world:
        assert world.client().get("/user/search/").json()["count"] == 5
    assert course_world.client().get("/user/search/").json()["count"] == 14
    course_world.reset("mine")
    assert course_world.client().get("/user/search/").json()["count"] == 5
"""
    passed(run(tmp_path, "--stub-fixture-dir", "own", *options, test_it=text), 1)


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
    counted(done, failed=1, passed=1)
    assert "GET    /api/v2/user/me/ 200 stub-member\n" in done.stdout


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


def test_worlds_of_wider_scopes_end_with_their_scope(tmp_path: Path) -> None:
    """And so do those of blocks, whatever they are called."""
    text = """
import pytest
from contextlib import nullcontext

def there(stub):
    return {world["name"] for world in stub.control("GET", "/worlds")["results"]}

@pytest.fixture(scope="module")
def empty(course_worlds):
    with course_worlds("empty", fixture="empty") as world:
        yield world

class TestFirst:
    def test_one(self, class_course_world, module_course_world, session_course_world, course_world, empty):
        self.worlds = {class_course_world, module_course_world, session_course_world, course_world, empty}
        assert len({world.name for world in self.worlds}) == 5
        assert empty.client("creator").get("/course/search/").json()["count"] == 0
        for world in (class_course_world, module_course_world, session_course_world):
            world.client("member").delete("/course/1/join/")

    def test_two(self, class_course_world, module_course_world, session_course_world, course_stub):
        for world in (class_course_world, module_course_world, session_course_world):
            assert world.client("member").get("/course/1/status/").json() == {"status": None}
        assert len(there(course_stub)) == 4

class TestSecond:
    def test_it(self, class_course_world, course_stub):
        assert class_course_world.client("member").get("/course/1/status/").json() == {"status": "joined"}
        assert len(there(course_stub)) == 4

def test_blocks(course_worlds, course_stub):
    with course_worlds("a/b") as first, course_worlds("a/b") as second, course_worlds("") as third:
        assert len({first.name, second.name, third.name} & there(course_stub)) == 3
    assert len(there(course_stub)) == 3
    with pytest.raises(pytest.fail.Exception, match="Unknown fixture 'nope': use one of"):
        course_worlds("x", fixture="nope").__enter__()
"""
    other = """
def test_other_module(module_course_world, session_course_world, course_stub):
    assert module_course_world.client("member").get("/course/1/status/").json() == {"status": "joined"}
    assert session_course_world.client("member").get("/course/1/status/").json() == {"status": None}
    assert len(course_stub.control("GET", "/worlds")["results"]) == 2
"""
    passed(run(tmp_path, "--stub-in-process", test_a=text, test_b=other), 5)


def test_unittest_classes_get_a_world_for_each_test(tmp_path: Path) -> None:
    """From a fixture of their own that is used automatically."""
    text = """
import unittest
import pytest

class TestIt(unittest.TestCase):
    @pytest.fixture(autouse=True)
    def give(self, course_world):
        self.world = course_world

    def test_good(self):
        self.assertEqual(self.world.client("member").delete("/course/1/join/").status_code, 204)

    def test_bad(self):
        self.assertEqual(self.world.client("member").delete("/course/1/join/").status_code, 200)

@pytest.mark.usefixtures("course_world")
class TestOther(unittest.TestCase):
    def test_bad(self):
        self.fail("no reason")
"""
    done = run(tmp_path, "--stub-in-process", test_it=text)
    counted(done, failed=2, passed=1)
    assert "DELETE /api/v2/course/1/join/ 204 stub-member" in done.stdout
    assert done.stdout.count("requests to world test_bad-") == 2


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
    """No module of the server is loaded but the clock's, nor any of the handles, and no thread is started."""
    text = """
import sys
import threading

def test_it():
    loaded = {name for name in sys.modules if name.startswith(("stubserver", "connexion", "uvicorn", "httpx"))}
    own = {name for name in loaded if not name.startswith("stubserver.plugin")}
    assert own == {"stubserver", "stubserver.pytest_plugin", "stubserver.worlds", "stubserver.worlds.clock"}
    assert not loaded & {"stubserver.plugin.worlds", "stubserver.plugin.report"}
    assert threading.active_count() == 1
"""
    passed(run(tmp_path, "-p", "no:schemathesis", test_it=text), 1)
