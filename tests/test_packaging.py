"""The package: installed in every way the README names, and what it contains. And the project's habits."""

import os
import re
import shutil
import subprocess
import tomllib
import urllib.request
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
import yaml

from stubserver import __version__
from tests.sources import ROOT
from tests.support.pages import blocks, serving, shell

pytestmark = [pytest.mark.slow, pytest.mark.untraced]

INSTALLERS = ("pipx==1.18.4", "uv==0.13.9")
SOURCES = ("pyproject.toml", "README.md", "LICENSE", "requirements.lock", "stubserver", "openapi", "fixtures")
"""What the package is built from."""
LOCK = str(ROOT / "requirements.lock")
PATIENCE = 300


class Installed:
    """The package as the README's `sh checkout` block installs it: by each tool, and last from a wheel by pip."""

    def __init__(self, folder: Path) -> None:
        self.checkout = folder / "checkout"
        self.checkout.mkdir()
        for name in SOURCES:
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            copy(ROOT / name, self.checkout / name)
        self.pip = fresh_environment(folder / "venv", *INSTALLERS)
        """The folder of the command that pip installs; each other tool has a folder of its own."""
        self.pipx, self.uv = folder / "pipx", folder / "uv"
        homes = {"PIPX_HOME": folder / "pipx-home", "UV_TOOL_DIR": folder / "uv-home"}
        settings = {"PIPX_BIN_DIR": self.pipx, "UV_TOOL_BIN_DIR": self.uv, **homes}
        constraints = {"PIP_CONSTRAINT": LOCK, "UV_CONSTRAINT": LOCK, "PIP_NO_COMPILE": "1"}
        path = f"{self.pip}{os.pathsep}{os.environ['PATH']}"
        more = {name: str(value) for name, value in {**settings, **constraints, "PATH": path}.items()}
        (script,) = blocks("sh checkout")
        self.done = shell(script, self.checkout, PATIENCE, **more)
        assert self.done.returncode == 0, (self.done.stdout, self.done.stderr)


def fresh_environment(folder: Path, *packages: str) -> Path:
    """The commands of a new virtual environment with these packages and nothing else."""
    venv.create(folder, with_pip=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "-q", "--no-compile", "-c", LOCK]
    subprocess.run([*pip, *packages], check=True, capture_output=True, timeout=PATIENCE)
    return folder / "bin"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PYTHONPATH", raising=False)  # the installed package is imported, not that of this checkout
        yield Installed(tmp_path_factory.mktemp("installed"))


def test_the_package_installs_in_every_way_of_the_readme(installed: Installed) -> None:
    (script,) = blocks("sh checkout")
    assert {line.split()[0] for line in script.splitlines()} == {"pip", "pipx", "uv", "uvx"}
    assert f"stubserver, version {__version__}" in installed.done.stdout
    for folder in (installed.pip, installed.pipx, installed.uv):
        told = subprocess.run([folder / "stubserver", "--version"], capture_output=True, text=True, check=True)
        assert __version__ in told.stdout


def test_the_wheel_serves_a_course(installed: Installed, tmp_path: Path) -> None:
    """The contract, the fixtures and the starters are part of the wheel, where nothing else of the project is."""
    (wheel,) = (installed.checkout / "dist").glob("*.whl")
    assert wheel.name == f"course_stubserver-{__version__}-py3-none-any.whl"
    assert "stubserver/py.typed" in ZipFile(wheel).namelist()
    shutil.rmtree(installed.checkout / "stubserver")
    stubserver = str(installed.pip / "stubserver")
    for kind in ("react", "node", "pytest"):
        (tmp_path / kind).mkdir()
        subprocess.run([stubserver, "init", kind, "--directory", tmp_path / kind], check=True, capture_output=True)
    assert (tmp_path / "node" / ".env.stub").is_file()
    with serving(stubserver) as url:
        request = urllib.request.Request(f"{url}/api/v2/course/1/", headers={"Authorization": "Bearer stub-member"})  # noqa: S310 (loopback)
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310 (loopback)
            assert answer.status == 200
            assert b'"join_status":"joined"' in answer.read()


def test_the_changelog_begins_with_this_version() -> None:
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert newest
    assert newest[1] == __version__


def test_the_metadata_names_the_python_that_ci_runs() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (setup,) = [step["with"] for step in ci_steps() if "setup-python" in step.get("uses", "")]
    assert project["requires-python"] == f">={setup['python-version']}"
    assert f"Programming Language :: Python :: {setup['python-version']}" in project["classifiers"]


# Habits


def ci() -> dict[str, Any]:
    workflow: dict[str, Any] = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))
    return workflow


def ci_steps() -> list[dict[str, Any]]:
    return [step for job in ci()["jobs"].values() for step in job["steps"]]


def test_ci_runs_the_projects_own_command_with_least_permissions() -> None:
    """Every action that it uses is pinned to a commit."""
    assert [step["run"] for step in ci_steps() if "run" in step] == [".ci/run"]
    assert ci()["permissions"] == {"contents": "read"}
    for action in (step["uses"] for step in ci_steps() if "uses" in step):
        assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", action), action


def test_the_hooks_are_the_tools_of_make_lint() -> None:
    done = subprocess.run(["make", "-n", "lint", "VENV=.venv"], cwd=ROOT, capture_output=True, text=True, check=True)
    linted = re.findall(r"^\.venv/bin/((?:ruff|mypy).*)$", done.stdout, re.MULTILINE)
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    hooks = [hook for repository in config["repos"] for hook in repository["hooks"]]
    assert [hook["entry"].removeprefix(".venv/bin/") for hook in hooks] == linted
    assert {hook["language"] for hook in hooks} == {"system"}
