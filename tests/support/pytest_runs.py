"""pytest, run in a folder of its own, as a project that has installed the plugin."""

import re
import subprocess
import sys
from pathlib import Path

from tests.support.commands import CLEAN, PATIENCE

ENVIRONMENT = {name: value for name, value in CLEAN.items() if not name.startswith("PYTEST_")}
ENVIRONMENT["PYTEST_ADDOPTS"] = "-p no:schemathesis -p no:hypothesispytest"  # these plugins take long to load


def run(
    folder: Path, *options: str, python: str = sys.executable, env: dict[str, str] | None = None, **files: str
) -> subprocess.CompletedProcess[str]:
    """Run pytest on files, named without their extension."""
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    if not (folder / "pytest.ini").exists():
        (folder / "pytest.ini").write_text("[pytest]\n")
    return subprocess.run(
        [python, "-m", "pytest", "-p", "no:cacheprovider", *options],
        cwd=folder,
        env={**ENVIRONMENT, **(env or {})},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def counted(done: subprocess.CompletedProcess[str], **counts: int) -> None:
    """Assert how many tests passed, failed and so on, and that pytest itself did not fail."""
    told = done.stdout + done.stderr
    assert "INTERNALERROR" not in told, told
    last = done.stdout.strip().splitlines()[-1]
    found = {what.rstrip("s"): int(count) for count, what in re.findall(r"(\d+) ([a-z]+)", last.partition(" in ")[0])}
    found.pop("warning", None)
    assert found == {what.rstrip("s"): count for what, count in counts.items()}, told


def passed(done: subprocess.CompletedProcess[str], count: int) -> None:
    """Assert that all tests passed, and how many they are."""
    assert done.returncode == 0, done.stdout + done.stderr
    counted(done, passed=count)
