"""The example projects do what their READMEs say, against the stub server and nothing else."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.sources import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.untraced]

EXAMPLES = ROOT / "examples"
BIN = Path(sys.executable).parent
PATIENCE = 120
IN_PYTEST, IN_NODE = 7, 5
"""How many tests the examples have."""


def environment() -> dict[str, str]:
    """The environment of a user who has the commands on PATH, with nothing from this test run."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("STUBSERVER_", "PYTEST_"))}
    light = "-p no:schemathesis -p no:hypothesispytest"  # these plugins take long to load
    return {**clean, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "PYTEST_ADDOPTS": light}


def run(*command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=folder, env=environment(), capture_output=True, text=True, timeout=PATIENCE, check=False
    )


@pytest.fixture
def in_pytest(tmp_path: Path) -> Path:
    """A copy of the project, away from this repository's settings."""
    ignored = shutil.ignore_patterns("__pycache__", ".pytest_cache")
    return Path(shutil.copytree(EXAMPLES / "pytest", tmp_path / "project", ignore=ignored))


@pytest.fixture
def in_node(tmp_path: Path) -> Path:
    if shutil.which("npm", path=environment()["PATH"]) is None:
        pytest.skip("needs Node.js and npm")
    return Path(shutil.copytree(EXAMPLES / "node", tmp_path / "project"))


def called(report: dict[str, Any]) -> set[str]:
    return {operation["operation"] for operation in report["operations"] if operation["requests"]}


@pytest.mark.parametrize("options", [["-n", "2"], ["--stub-in-process"]], ids=["xdist", "in-process"])
def test_the_pytest_example(in_pytest: Path, options: list[str]) -> None:
    done = run("pytest", *options, "--stub-coverage", "coverage.json", folder=in_pytest)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(rf"^=* ?{IN_PYTEST} passed\b", done.stdout, re.MULTILINE), done.stdout
    report = json.loads((in_pytest / "coverage.json").read_text())
    assert {"join_course", "get_course", "create_course_comment", "leave_course"} <= called(report)
    assert f"stub coverage: {report['percent']} % of the contract, in coverage.json" in done.stdout


def test_the_node_example(in_node: Path) -> None:
    command = ["stubserver", "exec", "--coverage", "coverage.json", "--journal", "requests.ndjson"]
    done = run(*command, "--fail-on-violation", "--", "npm", "test", folder=in_node)
    assert done.returncode == 0, done.stdout + done.stderr
    counts = dict(re.findall(r"^(?:#|ℹ) (tests|pass|fail|skipped) (\d+)$", done.stdout, re.MULTILINE))
    assert counts == {"tests": str(IN_NODE), "pass": str(IN_NODE), "fail": "0", "skipped": "0"}
    asked = [json.loads(line) for line in (in_node / "requests.ndjson").read_text().splitlines()]
    worlds = {request["id"].rpartition("-")[0] for request in asked}
    assert len(worlds) == IN_NODE + 1  # one test uses two worlds
    assert [request["status"] for request in asked if request["operation"] == "get_course_lesson"] == [403, 200]
    operations = {request["operation"] for request in asked}
    assert operations == called(json.loads((in_node / "coverage.json").read_text()))
    assert operations == {"join_course", "get_course_status", "get_course_lesson", "create_course_comment"}


def test_the_node_example_needs_nothing_installed() -> None:
    assert not {"dependencies", "devDependencies"} & json.loads((EXAMPLES / "node" / "package.json").read_text()).keys()


@pytest.mark.parametrize("name", ["pytest", "node"])
def test_each_command_of_a_readme_is_one_that_is_tested(name: str) -> None:
    """Each file that it links to exists, too."""
    text = (EXAMPLES / name / "README.md").read_text(encoding="utf-8")
    lines = [line for block in re.findall(r"```\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]
    assert lines[0] == f"cd examples/{name}"
    assert set(lines[1:]) <= {
        "pip install ../.. pytest",
        "pytest",
        "stubserver exec -- npm test",
        "stubserver exec --coverage coverage.html --journal requests.ndjson --fail-on-violation -- npm test",
    }
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", text):
        assert (EXAMPLES / name / target).exists()
