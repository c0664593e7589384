"""The files that `stubserver init` writes: complete and working, and they never overwrite a file."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from stubserver.cli import starter
from stubserver.contract.contract import Contract
from stubserver.worlds.snapshot import Fixture
from tests.sources import ROOT
from tests.support.commands import Served, invoke, told

REACT = ROOT / "examples" / "react"
FILES = {
    "react": {".env.stub", "src/stub/conf.js", "src/stub/session.js", "tests/stub.spec.mjs"},
    "playwright": {"tests/stub.spec.mjs"},
    "vitest": {"tests/stub.test.mjs"},
    "node": {".env.stub", "stub.mjs", "stub.test.mjs"},
    "pytest": {"test_stub.py"},
    "schemathesis": {"schemathesis.toml", "stub_hooks.py"},
}


TYPED = {
    "react": {".env.stub", "src/stub/conf.ts", "src/stub/session.ts", "tests/stub.spec.ts"},
    "node": {"stub.test.ts"},
    "playwright": {"tests/stub.spec.ts"},
    "vitest": {"tests/stub.test.ts"},
    "pytest": FILES["pytest"],
}
"""What is written into a project with a tsconfig.json."""


def init(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "stubserver", "init", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


def written(folder: Path) -> set[str]:
    return {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}


@pytest.mark.slow
@pytest.mark.parametrize("kind", FILES)
def test_init_writes_the_files_and_says_what_comes_next(tmp_path: Path, kind: str) -> None:
    done = init(kind, folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert written(tmp_path) == FILES[kind]
    assert {line.removeprefix("wrote ") for line in done.stdout.splitlines()[:-1]} == FILES[kind]
    assert done.stdout.splitlines()[-1] == starter.NEXT[kind]


@pytest.mark.parametrize("kind", TYPED)
def test_a_project_in_typescript_gets_typescript(tmp_path: Path, kind: str) -> None:
    (tmp_path / "tsconfig.json").touch()
    starter.write(kind, tmp_path)
    assert written(tmp_path) - {"tsconfig.json"} == TYPED[kind]


@pytest.mark.parametrize("kind", ["react", "node", "playwright", "vitest"])
def test_the_next_step_installs_what_the_files_import(tmp_path: Path, kind: str) -> None:
    starter.write(kind, tmp_path)
    text = "".join(file.read_text() for file in tmp_path.rglob("*.mjs"))
    assert "from 'course-stubserver" in text
    assert "npm i -D course-stubserver " in starter.NEXT[kind]


@pytest.mark.slow
@pytest.mark.parametrize("kind", FILES)
def test_init_never_writes_over_a_file(tmp_path: Path, kind: str) -> None:
    """If one file is in the way, nothing at all is written."""
    last = tmp_path / max(FILES[kind])
    last.parent.mkdir(parents=True, exist_ok=True)
    last.write_text("mine")
    done = init(kind, folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"stubserver: {last.relative_to(tmp_path)} already exists; nothing was written\n"
    assert written(tmp_path) == {max(FILES[kind])}
    assert last.read_text() == "mine"


@pytest.mark.slow
def test_init_writes_into_the_folder_that_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "new" / "project").mkdir(parents=True)
    assert init("node", "--directory", "new/project", folder=tmp_path).returncode == 0
    assert written(tmp_path / "new" / "project") == FILES["node"]


KINDS = ", ".join(repr(kind) for kind in starter.NEXT)
CHOICE = "|".join(starter.NEXT)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("vue", f"Error: Invalid value for '{{{CHOICE}}}': 'vue' is not one of {KINDS}."),
        ("React", f"Error: Invalid value for '{{{CHOICE}}}': 'React' is not one of {KINDS}."),
        ("node react", "Error: Got unexpected extra argument (react)"),
        ("node --directry x", "Error: No such option '--directry'. Did you mean '--directory'?"),
        ("node --directory", "Error: Option '--directory' requires an argument."),
        (
            "node --directory=",
            "Error: Invalid value for '--directory': it is empty; the current folder is written as .",
        ),
        ("node --directory file", "Error: Invalid value for '--directory': Directory 'file' is a file."),
        (
            "node --directory new",
            "stubserver: there is no folder new: create it first; the nearest one that exists is {here}",
        ),
        (
            "react --directory new/er",
            "stubserver: there is no folder new/er: create it first; the nearest one that exists is {here}",
        ),
        (
            "node --directory old/new",
            "stubserver: there is no folder old/new: create it first; the nearest one that exists is {here}/old",
        ),
        (
            "node --directory {here}/old/new",
            "stubserver: there is no folder {here}/old/new: create it first; the nearest one that exists is {here}/old",
        ),
        (
            "node --directory file/below",
            "stubserver: there is no folder file/below: create it first; the nearest one that exists is {here}",
        ),
        ("node --directory old", "stubserver: old/stub.mjs already exists; nothing was written"),
        ("pytest --directory old", "stubserver: old/test_stub.py already exists; nothing was written"),
        ("react --directory old", "stubserver: cannot write old/src/stub: Not a directory"),
    ],
)
def test_init_tells_a_mistake_and_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: str, says: str
) -> None:
    """A folder that does not exist is probably misspelt."""
    monkeypatch.chdir(tmp_path)
    Path("old").mkdir()
    Path("old/test_stub.py").symlink_to("nowhere")
    for name in ("file", "old/stub.mjs", "old/src"):
        Path(name).write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    status, out, err = invoke("init", *arguments.replace("{here}", str(tmp_path)).split())
    assert (status, out) == (2, "")
    assert told(err, says.replace("{here}", str(tmp_path))), err
    assert sorted(tmp_path.rglob("*")) == before


def test_the_node_starter_names_the_tokens_of_the_default_world(default_fixture: Fixture, tmp_path: Path) -> None:
    starter.write("node", tmp_path)
    named = dict(re.findall(r"^STUBSERVER_TOKEN_(\w+)=(.+)$", (tmp_path / ".env.stub").read_text(), re.MULTILINE))
    assert named == {persona["role"].upper(): persona["token"] for persona in default_fixture.personas}


def test_the_react_starter_is_what_the_example_uses(tmp_path: Path) -> None:
    """The example's pages are tested in a browser, which proves these files, too."""
    starter.write("react", tmp_path)
    for name in ("src/stub/conf.js", "src/stub/session.js"):
        assert (tmp_path / name).read_text() == (REACT / name).read_text()


@pytest.mark.slow
@pytest.mark.untraced
def test_the_pytest_starter_passes(tmp_path: Path) -> None:
    starter.write("pytest", tmp_path)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(
        command, cwd=tmp_path, env={**os.environ, "PATH": path}, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout


@pytest.mark.slow
@pytest.mark.untraced
def test_the_schemathesis_starter_reaches_every_operation(tmp_path: Path, contract: Contract) -> None:
    """As somebody runs it who has only the server's address: no check fails, and every operation succeeds."""
    starter.write("schemathesis", tmp_path)
    (tmp_path / "server").mkdir()
    served = Served(tmp_path / "server")
    command = [
        sys.executable,
        "-m",
        "schemathesis.cli",
        "run",
        f"{served.url}/openapi.json",
        "--seed",
        "1",
        "--no-color",
    ]
    command += ["--phases", "examples,fuzzing", "--max-examples", "2", "--report", "ndjson", "--report-dir", "reports"]
    try:
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=900, check=False)
    finally:
        served.end()
    assert done.returncode == 0, done.stdout[-5000:]
    assert "dropped" in done.stderr
    succeeded = set(successes(tmp_path / "reports"))
    assert {o.id for o in contract.operations.values() if (o.method.upper(), o.path) not in succeeded} == set()


def successes(reports: Path) -> Iterator[tuple[str, str]]:
    """Method and path of every recorded request that got a 2xx."""
    for file in reports.rglob("ndjson*"):
        for line in file.read_text(encoding="utf-8").splitlines():
            recorder = (json.loads(line).get("ScenarioFinished") or {}).get("recorder", {})
            for number, case in recorder.get("cases", {}).items():
                response = (recorder["interactions"].get(number) or {}).get("response")
                if response and 200 <= response["status_code"] < 300:
                    yield case["value"]["method"], case["value"]["path"]
