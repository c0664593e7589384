"""Runs against a server that others use as well, and runs whose processes share one."""

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from stubserver.app import create_app
from stubserver.serving.background import Background
from stubserver.testing import Stub
from tests.support.commands import Served
from tests.support.default import CONTROL_TOKEN
from tests.support.pytest_runs import counted, passed, run

pytestmark = [pytest.mark.slow, pytest.mark.untraced]

TEXT = """
import pytest

@pytest.fixture(autouse=True)
def note(request):
    yield
    worlds = [value for name, value in request.node.funcargs.items() if name.endswith("course_world")]
    with open("seen", "a") as seen:
        print(*(world.name for world in worlds), file=seen)

@pytest.mark.parametrize("value", ["a b", "a/b"])
def test_it(course_world, value):
    course_world.client("creator").patch("/course/1/", json={"name": value}).raise_for_status()
    course_world.snapshot("kept")
    fork = course_world.fork("theirs")
    course_world.reset()
    course_world.restore("kept")
    for world in (course_world, fork):
        assert world.client().get("/course/1/").json()["name"] == value

def test_module(module_course_world, session_course_world):
    module_course_world.fork("theirs")
    session_course_world.snapshot("kept")
"""
"""Tests that would meet if their worlds, forks or snapshots had the same names."""


class Shared:
    """A running server with a world and a snapshot of somebody else."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.stub = Stub(url, CONTROL_TOKEN)
        theirs = self.stub.world("theirs")
        theirs.client("creator").patch("/course/1/", json={"name": "Theirs"}).raise_for_status()
        theirs.snapshot("kept")

    def is_as_before(self) -> bool:
        """Whether nothing is left of a run, and nothing of somebody else was touched."""
        names = [
            [found["name"] for found in self.stub.control("GET", path)["results"]] for path in ("/worlds", "/snapshots")
        ]
        name = self.stub.world("theirs").client().get("/course/1/").json()["name"]
        return (names, name) == ([["theirs"], ["kept"]], "Theirs")


@pytest.fixture(scope="module")
def shared() -> Iterator[Shared]:
    with ExitStack() as stack:
        app = Background(lambda: create_app("default", control_token=CONTROL_TOKEN))
        found = Shared(stack.enter_context(app))
        stack.callback(found.stub.close)
        yield found


def seen(folder: Path) -> list[str]:
    return (folder / "seen").read_text().split()


@pytest.mark.parametrize("options", [[], ["-n", "2"], ["-n", "2", "--dist=each"]], ids=["serially", "xdist", "each"])
def test_runs_on_one_server_do_not_meet(tmp_path: Path, shared: Shared, options: list[str]) -> None:
    """Nor do workers that run the same test, nor does anything of somebody else."""
    count = 6 if "--dist=each" in options else 3
    for number in range(1, 3):
        done = run(
            tmp_path, *options, "--stub-url", shared.url, env={"STUBSERVER_CONTROL_TOKEN": CONTROL_TOKEN}, test_it=TEXT
        )
        passed(done, count)
        assert shared.is_as_before()
        assert len(seen(tmp_path)) == len(set(seen(tmp_path))) == number * (count + count // 3)
    assert len({name.split("-")[0] for name in seen(tmp_path)}) == 2  # each run has a prefix


def test_workers_with_the_same_test_do_not_meet(tmp_path: Path) -> None:
    """On a server of their own, where names are the same in every run."""
    names = []
    for _ in range(2):
        passed(run(tmp_path, "-n", "2", "--dist=each", test_it=TEXT), 6)
        names.append(set(seen(tmp_path)))
        (tmp_path / "seen").unlink()
    assert names[0] == names[1]
    assert len(names[0]) == 8
    assert {name.split("-")[-2] for name in names[0]} == {"gw0", "gw1"}


def test_the_options_for_a_shared_server(tmp_path: Path, shared: Shared) -> None:
    """Worlds start from another fixture, and the coverage is that of the run."""
    text = """
def test_it(course_world, course_worlds):
    assert course_world.client("creator").get("/course/search/").json()["count"] == 0
    with course_worlds("other", fixture="default") as other:
        assert other.client("creator").get("/course/search/").json()["count"] > 0
"""
    server = ["--stub-url", shared.url, "--stub-token", CONTROL_TOKEN]
    done = run(tmp_path, "-n", "2", *server, "--stub-fixture=empty", "--stub-coverage=c.json", test_it=text)
    passed(done, 1)
    assert shared.is_as_before()
    report = json.loads((tmp_path / "c.json").read_text())
    assert {one["operation"]: one["requests"] for one in report["operations"] if one["requests"]} == {
        "search_courses": 2
    }
    says = f"stub coverage: {report['percent']} % of the contract, in c.json, including what others did at {shared.url}"
    assert says in done.stdout


@pytest.mark.parametrize("options", [[], ["-n", "2"]], ids=["serially", "xdist"])
@pytest.mark.parametrize(
    ("mistake", "says"),
    [
        (["--stub-url={url}"], "--stub-url: {url} needs its token: give --stub-token, or set STUBSERVER_CONTROL_TOKEN"),
        (["--stub-url={url}", "--stub-token=x"], "--stub-token: this is not the token of {url}"),
        (["--stub-url=http://127.0.0.1:1"], "--stub-url: no stub server answers at http://127.0.0.1:1: "),
        (["--stub-url={url}", "--stub-in-process"], "--stub-url: the server runs already, so leave out --stub-in-"),
        (["--stub-fixture=nope"], "--stub-fixture: unknown fixture 'nope': use one of default, empty, or a file"),
        (["--stub-coverage=nowhere/c.json"], "--stub-coverage: cannot write nowhere/c.json: No such file or directory"),
    ],
)
def test_an_option_that_cannot_work_ends_the_run_before_it_begins(
    tmp_path: Path, shared: Shared, options: list[str], mistake: list[str], says: str
) -> None:
    """In one line. `tests/plugin/test_options.py` has the other mistakes."""
    given = [option.format(url=shared.url) for option in mistake]
    done = run(tmp_path, *options, *given, test_it="def test_it(course_world): open('ran', 'w').close()")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR, done.stdout + done.stderr
    assert done.stderr.startswith(f"ERROR: {says.format(url=shared.url)}")
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "ran").exists()


def test_a_server_that_dies_is_told_in_one_line_per_test(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    served = Served(tmp_path_factory.mktemp("served"))
    with ExitStack() as stack, closing(Stub(served.url)) as stub:
        stack.callback(served.end)
        stub.control("GET", "/health")
        text = f"""
import os
import signal

def test_before(course_world):
    pass

def test_last(course_world, course_stub):
    os.kill({served.process.pid}, signal.SIGKILL)
    while True:
        try:
            course_stub.control("GET", "/health")
        except Exception:
            break

def test_next(course_world):
    pass

def test_without():
    pass
"""
        done = run(tmp_path, "--stub-url", served.url, "--stub-coverage=c.json", test_it=text)
    counted(done, passed=3, errors=2)
    gone = f"no stub server answers at {served.url}: "
    told = [line.split(gone)[0] for line in done.stdout.splitlines() if gone in line and not line.startswith("ERROR")]
    assert re.fullmatch(r"world [0-9a-f]{8}-test_last-[0-9a-f]{10} may be left on the stub server: ", told[0])
    report = "no coverage report was written to c.json: StubError: "
    assert told[1:] == ["not known: ", "the stub server has no world for this test: ", report]
    assert "Traceback" not in done.stdout + done.stderr


STRICT = """
def test_it(course_world):
    creator = course_world.client("creator")
    assert creator.patch("/course/1/", json={"description": 5}).status_code == 400
    course_world.reset()
    assert creator.patch("/course/1/", json={"description": 5}).status_code == 400
"""


@pytest.mark.parametrize("on", [(), ("-n", "2"), ("--stub-in-process",), ("--stub-url",)], ids=" ".join)
def test_all_worlds_of_a_run_may_be_strict(tmp_path: Path, shared: Shared, on: tuple[str, ...]) -> None:
    """R028: on a server of its own, and on one that is not strict itself."""
    options = (*on, shared.url, "--stub-token", CONTROL_TOKEN) if on == ("--stub-url",) else on
    counted(run(tmp_path, "--stub-strict", *options, test_it=STRICT), passed=1)
    counted(run(tmp_path, *options, test_it=STRICT), failed=1)
    assert shared.is_as_before()


def test_worlds_are_strict_on_a_server_that_the_project_builds(tmp_path: Path) -> None:
    """R028: the option is not lost on a hook that does not know it."""
    hook = """
def pytest_course_stub():
    from stubserver.app import create_app
    return create_app()
"""
    counted(run(tmp_path, "--stub-strict", conftest=hook, test_it=STRICT), passed=1)
    counted(run(tmp_path, conftest=hook, test_it=STRICT), failed=1)
