"""The plugin beside others, each in a run of its own: tests pass, and the report of a failed one shows its requests.

The other plugins would change this project's own runs, so they are in an environment of their own, which `make unit`
installs.
"""

import json
import os
import re
import sys
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import pytest

from tests.support.pytest_runs import counted, run

pytestmark = [pytest.mark.slow, pytest.mark.untraced]

PYTHON = Path(os.environ.get("COMPAT", f"{sys.prefix}-compat"), "bin", "python")
"""The interpreter of that environment; the Makefile has the same default."""
BAD = """
    course_world.client("stranger").patch("/course/1/", json={"name": "mine"})
    assert False
"""
"""The end of a failing test."""
SYNC = f"""
def test_good(course_world):
    course_world.client("member").delete("/course/1/join/").raise_for_status()

def test_bad(course_world):{BAD}
"""


class Row(NamedTuple):
    """One plugin, or one way to run it."""

    plugins: str
    """Modules, separated by blanks."""
    options: str
    text: str
    good: int = 1
    bad: int = 1


RESPX = f"""
import httpx
import pytest
import respx

@respx.mock
def test_decorated(course_world):
    respx.get("https://partner.example/").respond(204)
    assert httpx.get("https://partner.example/").status_code == 204
    assert course_world.client("member").get("/course/1/").status_code == 200
    course_world.clock.advance(days=1)

def test_good(respx_mock, course_world):
    respx_mock.get("https://partner.example/").respond(204)
    assert httpx.get("https://partner.example/").status_code == 204
    assert course_world.client("member").get("/course/1/").status_code == 200

def test_bad(respx_mock, course_world):{BAD}
"""
HTTPX = f"""
import httpx

def test_good(httpx_mock, course_world):
    httpx_mock.add_response(url="https://partner.example/", status_code=204)
    assert httpx.get("https://partner.example/").status_code == 204
    assert course_world.client("member").get("/course/1/").status_code == 200

def test_bad(httpx_mock, course_world):{BAD}
"""
HTTPSERVER = f"""
import httpx

def test_good(httpserver, course_world):
    httpserver.expect_request("/x").respond_with_json({{"a": 1}})
    assert httpx.get(httpserver.url_for("/x")).json() == {{"a": 1}}
    assert course_world.client("member").get("/course/1/").status_code == 200

def test_bad(httpserver, course_world):{BAD}
"""
ASYNCIO = f"""
import httpx
import pytest

pytestmark = pytest.mark.asyncio

async def test_good(course_world):
    headers = {{"Authorization": f"Bearer {{course_world.tokens['member']}}"}}
    async with httpx.AsyncClient(base_url=course_world.api_url, headers=headers) as client:
        assert (await client.delete("/course/1/join/")).status_code == 204
    course_world.assert_called("leave_course", times=1)

async def test_bad(course_world):{BAD}
"""
ANYIO = ASYNCIO.replace("asyncio", "anyio")
RERUNS = f"""
import itertools

tries = itertools.count(1)

def test_good(course_world):
    course_world.client("member").delete("/course/1/join/").raise_for_status()
    course_world.fork("same").snapshot("same")
    assert course_world.journal.count() == 1
    assert next(tries) == 3

def test_bad(course_world):{BAD}
"""
GROUPS = f"""
import pytest

@pytest.mark.xdist_group("one")
@pytest.mark.parametrize("value", ["a/b", "a-b", "a b"])
def test_good(course_world, value):
    course_world.client("member").delete("/course/1/join/").raise_for_status()

@pytest.mark.xdist_group("one")
def test_bad(course_world):{BAD}
"""
FREEZE = f"""
from datetime import UTC, datetime, timedelta

import pytest
IMPORTS

MOMENT = datetime(2031, 5, 1, 9, 0, tzinfo=UTC)

DECORATOR
def test_good(course_world):
    "The world follows the real time, unless its own clock is frozen or moved."
    assert datetime.now(UTC).year == 2010
    assert course_world.clock.now.year > 2020
    lesson = "/course/3/section/8/lesson/16/"
    assert course_world.client("member").get(lesson).status_code == 403
    course_world.clock.advance(days=15)
    assert course_world.client("member").get(lesson).status_code == 200
    for act in (course_world.clock.freeze, course_world.clock.set):
        act(MOMENT)
        assert course_world.clock.now == MOMENT
    assert course_world.client("creator").post("/course/1/comment/", json={{"text": "x"}}).status_code < 500
    course_world.clock.release()
    assert course_world.clock.now.year > 2020

DECORATOR
def test_bad(course_world):{BAD}
"""
FREEZEGUN = FREEZE.replace("IMPORTS", "from freezegun import freeze_time").replace(
    "DECORATOR", '@freeze_time("2010-01-01")'
)
FROZEN_SESSION = FREEZE.replace(
    "IMPORTS",
    """
from freezegun import freeze_time

@pytest.fixture(scope="session", autouse=True)
def frozen():
    with freeze_time("2010-01-01"):
        yield
""",
).replace("DECORATOR", "")
TRAVEL = FREEZE.replace("IMPORTS", "import time_machine").replace(
    "DECORATOR", '@time_machine.travel("2010-01-01 00:00 +0000", tick=False)'
)
UNITTEST = """
import unittest

import pytest

class TestWithFixtures(unittest.TestCase):
    @pytest.fixture(autouse=True)
    def given(self, course_world):
        self.world = course_world

    def test_good(self):
        self.assertEqual(self.world.client("member").delete("/course/1/join/").status_code, 204)

    def test_bad(self):
        self.world.client("stranger").patch("/course/1/", json={"name": "mine"})
        self.fail()
"""
ROWS = {
    "respx": Row("respx.plugin", "", RESPX, good=2),
    "respx, in process": Row("respx.plugin", "--stub-in-process", RESPX, good=2),
    "pytest-httpx": Row("pytest_httpx", "", HTTPX),
    "pytest-httpserver": Row("pytest_httpserver.pytest_plugin", "", HTTPSERVER),
    "pytest-socket, loopback allowed": Row("pytest_socket", "--disable-socket --allow-hosts=127.0.0.1", SYNC),
    "pytest-socket, in process": Row("pytest_socket", "--disable-socket --stub-in-process", SYNC),
    "pytest-asyncio": Row("pytest_asyncio.plugin", "-o asyncio_default_fixture_loop_scope=function", ASYNCIO),
    "anyio": Row("anyio.pytest_plugin", "", ANYIO, good=2, bad=2),
    "pytest-randomly": Row("pytest_randomly", "--randomly-seed=1", SYNC),
    "pytest-rerunfailures": Row("pytest_rerunfailures", "--reruns=2", RERUNS),
    "pytest-rerunfailures, pytest-xdist": Row("xdist.plugin pytest_rerunfailures", "--reruns=2 -n2", RERUNS),
    "pytest-xdist": Row("xdist.plugin", "-n2", SYNC),
    "pytest-xdist, each": Row("xdist.plugin", "-n2 --dist=each", SYNC, good=2, bad=2),
    "pytest-xdist, groups": Row("xdist.plugin", "-n2 --dist=loadgroup", GROUPS, good=3),
    "freezegun": Row("", "", FREEZEGUN),
    "freezegun, in process": Row("", "--stub-in-process", FREEZEGUN),
    "freezegun, pytest-xdist": Row("xdist.plugin", "-n2", FREEZEGUN),
    "freezegun, the whole session": Row("", "", FROZEN_SESSION),
    "time-machine": Row("time_machine", "", TRAVEL),
    "time-machine, in process": Row("time_machine", "--stub-in-process", TRAVEL),
    "time-machine, pytest-xdist": Row("xdist.plugin time_machine", "-n2", TRAVEL),
    "unittest": Row("", "", UNITTEST),
    "importlib": Row("", "--import-mode=importlib", SYNC),
}


@pytest.fixture(scope="module", autouse=True)
def python() -> str:
    """The interpreter; without it, nothing here can run."""
    if not PYTHON.exists():
        pytest.fail(f"there is no {PYTHON}; `make unit` installs it", pytrace=False)
    return str(PYTHON)


def options_of(plugins: str, options: str) -> tuple[list[str], dict[str, str]]:
    """Options and environment of a run with these plugins and ours, and no others."""
    loaded = [option for name in ["stubserver.pytest_plugin", *plugins.split()] for option in ("-p", name)]
    return [*loaded, *options.split()], {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": ""}


def shows_requests(report: str, times: int = 1) -> None:
    """Assert that a report shows the refused request of each failed test."""
    assert len(re.findall(r"requests to world \S*test_bad\S*", report)) == times, report
    line = "PATCH  /api/v2/course/1/ 403 stub-stranger - Only the creator or a manager of the course may do this."
    assert report.count(line) == times, report
    assert report.count("because   Only the creator or a manager") == times, report


@pytest.mark.parametrize("name", ROWS)
def test_the_plugin_works_beside(name: str, tmp_path: Path, python: str) -> None:
    row = ROWS[name]
    options, env = options_of(row.plugins, row.options)
    done = run(tmp_path, *options, "-W", "error", "-rN", python=python, env=env, test_it=row.text)
    done.stdout = re.sub(r", \d+ rerun", "", done.stdout)
    counted(done, failed=row.bad, passed=row.good)
    shows_requests(done.stdout, row.bad)


def test_the_plugin_works_beside_all_of_them(tmp_path: Path, python: str) -> None:
    """With all that are installed, in files of the same name; and every report shows the requests."""
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "test_same.py").write_text(SYNC)
    reports = ["--json-report", "--json-report-file=r.json", "--html=r.html", "--self-contained-html"]
    options = ["-n2", "--import-mode=importlib", "--reruns=1", "--junitxml=r.xml", *reports]
    done = run(tmp_path, *options, python=python, env={"PYTEST_ADDOPTS": ""})
    done.stdout = re.sub(r", \d+ rerun", "", done.stdout)
    counted(done, failed=2, passed=2)
    shows_requests(done.stdout, 2)
    failed = [test for test in json.loads((tmp_path / "r.json").read_text())["tests"] if test["outcome"] == "failed"]
    shows_requests("".join(test["call"]["longrepr"] for test in failed), 2)
    texts = [element.text or "" for element in ElementTree.parse(tmp_path / "r.xml").iter("failure")]  # noqa: S314 (ours)
    shows_requests("".join(texts), 2)
    assert (tmp_path / "r.html").read_text().count("requests to world test_bad-") >= 2
