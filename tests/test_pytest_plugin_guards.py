"""The plugin never ends a run by an error of its own, and gives way to what a project calls by the same names."""

import os
from pathlib import Path

import pytest

from tests.support.pytest_runs import counted, passed, run

pytestmark = [pytest.mark.slow, pytest.mark.untraced]

OWN = {
    "a dict": "@pytest.fixture\ndef course_world():\n    return {'name': 'mine'}",
    "of a session": "@pytest.fixture(scope='session')\ndef course_world():\n    return {'name': 'mine'}",
    "a server": "@pytest.fixture(scope='session')\ndef course_stub():\n    return {'name': 'mine'}",
    "a server of another scope": "@pytest.fixture\ndef course_stub():\n    return {'name': 'mine'}",
}


@pytest.mark.parametrize("fixture", OWN.values(), ids=list(OWN))
def test_a_fixture_of_the_same_name_is_left_alone(tmp_path: Path, fixture: str) -> None:
    """A failed test of a project with a fixture of that name fails, and the run goes on."""
    name = "course_world" if "course_world" in fixture else "course_stub"
    text = f"""
import pytest

{fixture}

def test_bad({name}):
    assert not {name}

def test_good({name}):
    assert {name} == {{"name": "mine"}}
"""
    done = run(tmp_path, test_it=text)
    counted(done, failed=1, passed=1)
    assert "requests to world" not in done.stdout


def test_a_world_on_something_that_is_no_server_is_told_in_one_line(tmp_path: Path) -> None:
    text = OWN["a server of another scope"] + "\n\ndef test_it(course_world): pass\n"
    done = run(tmp_path, "--stub-coverage=c.json", test_it=f"import pytest\n{text}")
    counted(done, errors=1)
    assert "the fixture course_stub of this project is of type dict, not a Stub: rename it" in done.stdout
    assert "Traceback" not in done.stdout


def test_a_project_may_prepare_the_fixtures(tmp_path: Path) -> None:
    """By overriding them, as pytest allows."""
    text = """
import pytest

@pytest.fixture(scope="session")
def course_stub(course_stub):
    course_stub.prepared = True
    return course_stub

@pytest.fixture
def course_world(course_world):
    course_world.reset("empty")
    return course_world

def test_bad(course_world):
    assert course_world.stub.prepared
    assert course_world.client("creator").get("/course/search/").json()["count"] == 0
    raise ValueError
"""
    done = run(tmp_path, "--stub-in-process", test_it=text)
    counted(done, failed=1)
    assert "/course/search/ 200 stub-creator" in done.stdout


@pytest.mark.parametrize(
    "name", ["--stub-fixture", "--stub-url", "--stub-token", "--stub-coverage", "--stub-in-process"]
)
@pytest.mark.parametrize("first", [True, False], ids=["of a plugin", "of the project"])
def test_an_option_of_the_same_name_is_told_in_one_line(tmp_path: Path, name: str, first: bool) -> None:
    """Whoever declares it first. Without the plugin, it works."""
    text = f"def pytest_addoption(parser):\n    parser.addoption('{name}', action='store_true')\n"
    use = f"def test_it(pytestconfig): assert pytestconfig.getoption('{name}') is False"
    files, option = ({"mine": text}, ["-p", "mine"]) if first else ({"conftest": text}, [])
    path = {"PYTHONPATH": os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])}
    done = run(tmp_path, *option, env=path, test_it=use, **files)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR, done.stdout + done.stderr
    says = f"{name} is an option of the pytest plugin stubserver and of something else: rename the other one, or switch"
    assert done.stderr.strip() == f"ERROR: {says} the plugin off with -p no:stubserver"
    if name == "--stub-url":
        done = run(tmp_path, *option, "-p", "no:stubserver", env=path)
        passed(done, 1)


def test_other_errors_of_a_conftest_are_left_alone(tmp_path: Path) -> None:
    done = run(tmp_path, conftest="raise ValueError('of the project')", test_it="")
    assert "of the project" in done.stderr
    assert "rename" not in done.stderr


@pytest.mark.parametrize("options", [[], ["-n", "2"]], ids=["serially", "xdist"])
@pytest.mark.parametrize("given", [["--stub-coverage=c.json"], ["--stub-fixture=empty", "--stub-coverage=c.json"]])
def test_a_run_that_never_asks_the_server_says_so(tmp_path: Path, options: list[str], given: list[str]) -> None:
    done = run(tmp_path, *options, *given, test_it="def test_it(): pass")
    passed(done, 1)
    names = ", ".join(option.partition("=")[0] for option in given)
    says = f"no test used the stub server, so {names} had no effect; no coverage report was written to c.json"
    assert says in done.stdout.splitlines()
    assert not (tmp_path / "c.json").exists()
    done = run(tmp_path, *options, *given, "--collect-only")
    assert "no test used" not in done.stdout


@pytest.mark.parametrize("options", [[], ["-n", "2"], ["--stub-in-process"]], ids=["serially", "xdist", "in-process"])
def test_errors_of_the_plugin_become_lines_of_the_summary(tmp_path: Path, options: list[str]) -> None:
    """A report that cannot be written any more, and whatever else goes wrong in a hook."""
    conftest = """
from stubserver.plugin import worlds

def broken(self):
    raise ZeroDivisionError("in a hook")

worlds.Worlds.next_test = worlds.Worlds.received = broken
"""
    text = """
import os

def test_bad(course_world):
    os.rmdir("reports")
    assert False

def test_good(course_world):
    pass
"""
    (tmp_path / "reports").mkdir()
    done = run(tmp_path, *options, "--stub-coverage=reports/c.json", conftest=conftest, test_it=text)
    counted(done, failed=1, passed=1)
    lines = done.stdout.splitlines()
    assert "the plugin stubserver failed: ZeroDivisionError: in a hook" in lines
    missing = "FileNotFoundError: [Errno 2] No such file or directory: 'reports/c.json'"
    assert f"no coverage report was written to reports/c.json: {missing}" in lines


@pytest.mark.parametrize("options", [[], ["-n", "2"]], ids=["serially", "xdist"])
def test_a_server_that_cannot_start_is_told(tmp_path: Path, options: list[str]) -> None:
    """In the report of each test, or under pytest-xdist in the summary."""
    conftest = """
from stubserver.serving import background

def broken(self):
    raise OSError("no socket today")

background.Background.start = broken
"""
    done = run(tmp_path, *options, conftest=conftest, test_it="def test_it(course_world): pass\ndef test_other(): pass")
    counted(done, errors=1, passed=1)
    assert "no socket today" in done.stdout
