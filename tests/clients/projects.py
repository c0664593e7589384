"""The npm package, packed, and fresh projects that have installed it."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.sources import ROOT

PACKAGE = ROOT / "clients" / "js"
PROJECT = Path(__file__).parent / "project"
"""A project in TypeScript, without what it installs."""
DEVELOPMENT = (
    "typescript@5.9.3",
    "@types/node@20.19.43",
    "@playwright/test@1.65.1",
    "vite@7.3.8",
    "vitest@4.1.12",
    "openapi-fetch@0.17.0",
)
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
PATIENCE = 300

NEEDS_PACKAGE = pytest.mark.skipif(
    not (PACKAGE / "node_modules" / "stamp").exists(), reason="needs what `make npm` installs; run that"
)


def environment(**more: str) -> Mapping[str, str]:
    """The environment of a user who has Node.js and the command on the PATH, with nothing from this test run."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("STUBSERVER_", "npm_"))}
    return {**clean, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "CI": "1", **more}


def attempt(command: Sequence[str | Path], folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*map(str, command)],
        cwd=folder,
        env=environment(**more),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def run(command: Sequence[str | Path], folder: Path, **more: str) -> str:
    """Run a command that must succeed, and return what it printed."""
    done = attempt(command, folder, **more)
    assert done.returncode == 0, (done.stdout + done.stderr)[-8000:]
    return done.stdout


def tool(name: str, *arguments: str | Path) -> list[str | Path]:
    """The command line of a tool that the project has installed."""
    return ["npx", "--no", "--", name, *arguments]
