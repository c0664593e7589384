"""What is released: `python -m tests.dist` builds the wheel and the sdist, proves them, and writes them to dist/.

Both are built twice, from copies of the checkout that differ in whatever must not matter: where they are, how old their
files are, and who may read them. Then each is installed into an environment of its own, with the packages of the lock
file, and answers a request.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.request
import venv
from collections.abc import Mapping
from pathlib import Path

from tests.sources import ROOT
from tests.support.pages import serving

DIST = ROOT / "dist"
SUMS = "SHA256SUMS"
PARTS = (
    *("pyproject.toml", "README.md", "LICENSE", "SECURITY.md", "CHANGELOG.md"),
    *("stubserver", "openapi", "fixtures", "docs"),
)
"""What they are built from."""
PATIENCE = 600


class Unfit(Exception):
    """What was built cannot be released; the message says why, in one line."""


def main() -> None:
    """Build, prove and write them; exits with status 1 and one line if they cannot be released."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            release(Path(folder), DIST)
    except Unfit as error:
        sys.exit(f"make dist: {error}")


def release(folder: Path, target: Path, root: Path = ROOT) -> None:
    """Build from `root`, work in `folder`, and replace `target` if all is well. Raises Unfit."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH") or _ran("git", "log", "-1", "--format=%ct", at=root).strip()
    first = build(copied(root, folder / "a", mode=0o755), folder / "first", epoch)
    second = build(copied(root, folder / "somewhere" / "else", mode=0o700), folder / "second", epoch)
    compare(digests(first), digests(second))
    for file in sorted(first.iterdir()):
        prove(file, folder / f"with-{file.suffix[1:]}")
    (first / SUMS).write_text("".join(f"{digest}  {name}\n" for name, digest in digests(first).items()))
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(first, target)
    print(f"built twice with SOURCE_DATE_EPOCH={epoch}, each the same to the byte; installed, and answered a request:")
    print((target / SUMS).read_text(), end="")


def copied(root: Path, folder: Path, mode: int) -> Path:
    """What they are built from, with other rights and other times."""
    folder.mkdir(parents=True)
    for name in PARTS:
        if (root / name).is_dir():
            shutil.copytree(root / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(root / name, folder / name)
    for file in folder.rglob("*"):
        file.chmod(mode if file.is_dir() else mode & 0o666)
        os.utime(file, (mode * 1_000_000, mode * 1_000_000))
    return folder


def build(source: Path, target: Path, epoch: str) -> Path:
    """The folder with both: the wheel is built from the sdist, so that is complete. Raises Unfit."""
    _ran(sys.executable, "-m", "build", "--outdir", str(target), str(source), at=source, SOURCE_DATE_EPOCH=epoch)
    return target


def digests(folder: Path) -> dict[str, str]:
    """Name of a file -> the SHA-256 of its content, by name."""
    files = sorted(file for file in folder.iterdir() if file.name != SUMS)
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def compare(first: Mapping[str, str], second: Mapping[str, str]) -> None:
    """Raises Unfit unless both builds are the same, and a wheel and an sdist."""
    if sorted(name.rpartition(".")[2] for name in first) != ["gz", "whl"]:
        raise Unfit(f"there should be a wheel and an sdist, but there is {', '.join(first) or 'nothing'}")
    if different := [name for name in {**first, **second} if first.get(name) != second.get(name)]:
        raise Unfit(f"two builds of the same files differ in {', '.join(different)}")


def prove(file: Path, folder: Path) -> None:
    """Install one into a fresh environment, start it there, and ask it for a course. Raises Unfit."""
    venv.create(folder, with_pip=True)
    pip = (str(folder / "bin" / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check")
    _ran(*pip, "-c", str(ROOT / "requirements.lock"), str(file), at=folder, PYTHONPATH="")
    where = _ran(str(folder / "bin" / "python"), "-c", "import stubserver; print(stubserver.__file__)", at=folder)
    if not where.startswith(str(folder)):
        raise Unfit(f"{file.name} was installed, but {where.strip()} is what runs")
    with serving(str(folder / "bin" / "stubserver")) as url:
        request = urllib.request.Request(f"{url}/api/v2/course/1/", headers={"Authorization": "Bearer stub-member"})  # noqa: S310 (loopback)
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310 (loopback)
            if b'"join_status":"joined"' not in answer.read():
                raise Unfit(f"{file.name} does not serve the default world")


def _ran(*command: str, at: Path, **environment: str) -> str:
    """What a command prints. Raises Unfit with the end of what it says."""
    given = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        command, cwd=at, env={**given, **environment}, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip() or "nothing").splitlines()[-1]
        raise Unfit(f"{Path(command[0]).name} {' '.join(command[1:4])} ended with status {done.returncode}: {said}")
    return done.stdout


if __name__ == "__main__":
    main()
