"""The files that `stubserver init` writes: complete and working, and they never overwrite a file."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from stubserver.cli import starter
from stubserver.worlds.world import Fixture
from tests.sources import ROOT

pytestmark = pytest.mark.slow

REACT = ROOT / "examples" / "react"
FILES = {
    "react": {".env.stub", "src/stub/conf.js", "src/stub/session.js"},
    "node": {".env.stub", "stub.mjs", "stub.test.mjs"},
    "pytest": {"test_stub.py"},
}


def init(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "stubserver", "init", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


def written(folder: Path) -> set[str]:
    return {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}


@pytest.mark.parametrize("kind", FILES)
def test_init_writes_the_files_and_says_what_comes_next(tmp_path: Path, kind: str) -> None:
    done = init(kind, folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert written(tmp_path) == FILES[kind]
    assert {line.removeprefix("wrote ") for line in done.stdout.splitlines()[:-1]} == FILES[kind]
    assert done.stdout.splitlines()[-1] == starter.NEXT[kind]


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


def test_init_makes_the_folder_that_is_asked_for(tmp_path: Path) -> None:
    assert init("node", "--directory", "new/project", folder=tmp_path).returncode == 0
    assert written(tmp_path / "new" / "project") == FILES["node"]


def test_init_says_in_one_line_where_it_cannot_write(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = init("react", "--directory", "file/below", folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("stubserver: cannot write ")
    assert done.stderr.count("\n") == 1


def test_the_node_starter_names_the_tokens_of_the_default_world(default_fixture: Fixture, tmp_path: Path) -> None:
    starter.write("node", tmp_path)
    named = dict(re.findall(r"^STUBSERVER_TOKEN_(\w+)=(.+)$", (tmp_path / ".env.stub").read_text(), re.MULTILINE))
    assert named == {persona["role"].upper(): persona["token"] for persona in default_fixture.personas}


def test_the_react_starter_is_what_the_example_uses(tmp_path: Path) -> None:
    """The example's pages are tested in a browser, which proves these files, too."""
    starter.write("react", tmp_path)
    for name in ("src/stub/conf.js", "src/stub/session.js"):
        assert (tmp_path / name).read_text() == (REACT / name).read_text()


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
