"""The tools that teams run on the documents of the server: where they are, and how tests run them."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.support.commands import COMMAND

HERE = Path(__file__).parent
USE = HERE / "use"
"""A few lines for each tool, as a project would write them."""
NODE_MODULES = HERE / "node_modules"
PYTHON = Path(os.environ.get("TOOLS", f"{sys.prefix}-tools"), "bin", "python")
"""The interpreter of the tools' own environment; the Makefile has the same default."""
JAVA = shutil.which("java")
PATIENCE = 600
"""The seconds that a tool may take."""

NEEDS_NODE = pytest.mark.skipif(
    not (NODE_MODULES / "stamp").exists(), reason="the tools for Node.js are not installed; `make tools` installs them"
)
NEEDS_PYTHON = pytest.mark.skipif(
    not PYTHON.exists(), reason="the tools in Python are not installed; `make tools` installs them"
)
NEEDS_JAVA = pytest.mark.skipif(JAVA is None, reason="Java is not installed; `make tools` installs it")
DOCUMENTS = {
    "api": (),
    "api31": ("--openapi", "3.1"),
    "control": ("--control",),
}
"""Name -> options of `stubserver spec`."""
EVERY_DOCUMENT = pytest.mark.parametrize("name", DOCUMENTS)


def run(command: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None) -> str:
    """Run a tool in `folder`, and return what it printed. Fails the test if the tool fails."""
    tools = [NODE_MODULES / ".bin", PYTHON.parent, Path(sys.executable).parent]  # the last one has Node.js
    path = os.pathsep.join([*map(str, tools), os.environ["PATH"]])
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PATH": path, "NO_COLOR": "1", "CI": "1", **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-20000:]
    return re.sub(r"\x1b\[[0-9;]*m", "", done.stdout)


def document(name: str, folder: Path) -> Path:
    """Write a document into `folder`, as api.json."""
    file = folder / "api.json"
    file.write_text(run([*COMMAND, "spec", *DOCUMENTS[name]], HERE.parents[1]), encoding="utf-8")
    return file


def type_check(folder: Path) -> None:
    """Check all TypeScript in `folder`, strictly."""
    (folder / "node_modules").symlink_to(NODE_MODULES)
    shutil.copy(HERE / "tsconfig.json", folder)
    run(["tsc", "--project", "."], folder)
