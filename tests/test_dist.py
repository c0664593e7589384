"""`make dist`: what it takes for a wheel and an sdist to be released."""

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest

from tests import dist
from tests.sources import ROOT

WHEEL, SDIST = "stub-1-py3-none-any.whl", "stub-1.tar.gz"


def test_two_builds_that_are_the_same_are_fit() -> None:
    dist.compare({SDIST: "a", WHEEL: "b"}, {WHEEL: "b", SDIST: "a"})


@pytest.mark.parametrize(
    ("first", "second", "says"),
    [
        ({}, {}, "there is nothing"),
        ({WHEEL: "a"}, {WHEEL: "a"}, f"there is {WHEEL}"),
        ({SDIST: "a", WHEEL: "b"}, {SDIST: "a", WHEEL: "c"}, f"differ in {WHEEL}"),
        ({SDIST: "a", WHEEL: "b"}, {SDIST: "a"}, f"differ in {WHEEL}"),
    ],
)
def test_other_builds_are_not(first: dict[str, str], second: dict[str, str], says: str) -> None:
    with pytest.raises(dist.Unfit, match=says):
        dist.compare(first, second)


def test_the_copies_differ_in_what_must_not_matter(tmp_path: Path) -> None:
    one, other = (dist.copied(ROOT, tmp_path / name, mode) for name, mode in (("a", 0o755), ("b", 0o700)))
    names = [{str(file.relative_to(copy)) for file in copy.rglob("*")} for copy in (one, other)]
    assert names[0] == names[1] >= {"pyproject.toml", "stubserver/py.typed", "openapi/api.yaml"}
    stats = [(copy / "pyproject.toml").stat() for copy in (one, other)]
    assert len({stat.st_mode for stat in stats}) == len({stat.st_mtime for stat in stats}) == 2


@pytest.mark.parametrize("command", [("false",), ("sh", "-c", "echo first; echo last >&2; exit 3")])
def test_a_step_that_fails_says_why(tmp_path: Path, command: tuple[str, ...]) -> None:
    with pytest.raises(dist.Unfit, match=r"^(false  ended with status 1: nothing|sh .* ended with status 3: last)$"):
        dist._ran(*command, at=tmp_path)


@pytest.mark.slow
@pytest.mark.untraced
def test_what_cannot_be_built_leaves_the_last_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    source, target = tmp_path / "source", tmp_path / "dist"
    dist.copied(ROOT, source, 0o755)
    (source / "pyproject.toml").write_text("[build-system]\nrequires = []\nbuild-backend = 'nothing'\n")
    target.mkdir()
    (target / "before").touch()
    with pytest.raises(dist.Unfit, match="-m build --outdir ended with status 1: "):
        dist.release(tmp_path / "work", target, source)
    assert [file.name for file in target.iterdir()] == ["before"]


@pytest.mark.slow
@pytest.mark.untraced
def test_a_release_has_both_and_their_sums(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    target = tmp_path / "dist"
    dist.release(tmp_path / "work", target)
    wheel, sdist = (next(target.glob(pattern)) for pattern in ("*.whl", "*.tar.gz"))
    lines = [line.split("  ") for line in (target / dist.SUMS).read_text().splitlines()]
    sums = {name: digest for digest, name in lines}
    assert sums == {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in (wheel, sdist)}
    assert len([*target.iterdir()]) == 3
    if shutil.which("sha256sum"):
        subprocess.run(["sha256sum", "-c", dist.SUMS], cwd=target, check=True, capture_output=True)
