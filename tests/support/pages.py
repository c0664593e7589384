"""The pages of the documentation, their code blocks, and how these run."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.sources import ROOT

GUIDES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
"""Pages whose examples run."""
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "examples").glob("*/README.md")),
    ROOT / "benchmarks" / "README.md",
    *sorted((ROOT / "benchmarks" / "results").glob("*.md")),
    *sorted((ROOT / "tests").glob("*.md")),
    *sorted((ROOT / ".github").rglob("*.md")),
]
"""Pages whose links are checked."""
BLOCK = re.compile(r"^```([^\n`]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """A fenced block of a page."""

    page: str
    info: str
    """The words after its backticks."""
    text: str


def read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def named(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


BLOCKS = [Block(named(page), *match.groups()) for page in GUIDES for match in BLOCK.finditer(read(page))]


def blocks(info: str) -> dict[str, str]:
    """Text -> page, for every block with this info string; a text on two pages counts once."""
    return {block.text: block.page for block in reversed(BLOCKS) if block.info == info}


def scripts(info: str) -> list[Any]:
    """The blocks as parameters of a test."""
    return [pytest.param(text, id=page) for text, page in blocks(info).items()]


def environment(**more: str) -> dict[str, str]:
    """The environment of a user who has the project's commands on PATH, without the slowdown of coverage."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("STUBSERVER_", "COVERAGE_"))}
    return {**clean, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", **more}


def shell(script: str, folder: Path, timeout: float = 300, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a script to its end; it fails with the first command that fails."""
    return subprocess.run(
        ["bash", "-e", "-c", script],
        cwd=folder,
        env=environment(**more),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


@contextmanager
def serving(*command: str) -> Iterator[str]:
    """Run a server on a free port; yield its base URL."""
    line = [*command, "serve", "--port", "0"]
    process = subprocess.Popen(line, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    try:
        found = next(text.split()[1].decode() for text in process.stdout if text.lstrip().startswith(b"API"))
        yield found.removesuffix("/api/v2/")
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()
