"""Files that are written as a whole or not at all."""

import errno
import os
import shutil
from pathlib import Path

import pytest

from stubserver.files import check_replaceable, replace


@pytest.mark.parametrize("before", [None, b"", b"of the last run"])
@pytest.mark.parametrize("data", [b"", b"new", b"x" * 1_000_000])
def test_a_file_is_written_and_nothing_else(tmp_path: Path, before: bytes | None, data: bytes) -> None:
    file = tmp_path / "f"
    if before is not None:
        file.write_bytes(before)
    for _ in range(2):
        check_replaceable(file)
        replace(file, data)
    assert file.read_bytes() == data
    assert [*tmp_path.iterdir()] == [file]


def test_who_has_the_old_file_open_reads_all_of_it(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_bytes(b"old")
    with file.open("rb") as opened:
        replace(file, b"new")
        assert opened.read() == b"old"


def test_a_file_keeps_its_mode_and_a_new_one_has_the_usual(tmp_path: Path) -> None:
    file, usual = tmp_path / "f", tmp_path / "usual"
    usual.touch()
    replace(file, b"1")
    assert file.stat().st_mode == usual.stat().st_mode
    file.chmod(0o640)
    replace(file, b"2")
    assert file.stat().st_mode & 0o777 == 0o640


def test_a_link_stays_one(tmp_path: Path) -> None:
    """Even if it leads to a file that is not there yet, in another folder."""
    (tmp_path / "there").mkdir()
    link, target = tmp_path / "link", tmp_path / "there" / "f"
    link.symlink_to(target)
    for data in (b"1", b"2"):
        check_replaceable(link)
        replace(link, data)
        assert link.is_symlink()
        assert target.read_bytes() == data
    assert [*target.parent.iterdir()] == [target]


@pytest.mark.parametrize(
    ("name", "number", "says"),
    [
        ("none/f", errno.ENOENT, "No such file or directory"),
        ("plain/f", errno.ENOTDIR, "Not a directory"),
        ("folder", errno.EINVAL, "it is not a regular file"),
        ("pipe", errno.EINVAL, "it is not a regular file"),
        ("x" * 300, errno.ENAMETOOLONG, "File name too long"),
    ],
)
def test_what_cannot_be_written_is_an_error_before_and_then(tmp_path: Path, name: str, number: int, says: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "plain").write_bytes(b"plain")
    os.mkfifo(tmp_path / "pipe")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(OSError, match=says) as caught:
        check_replaceable(tmp_path / name)
    with pytest.raises(OSError, match=says) as again:
        replace(tmp_path / name, b"new")
    assert caught.value.errno == again.value.errno == number
    assert sorted(tmp_path.rglob("*")) == before
    assert (tmp_path / "plain").read_bytes() == b"plain"


@pytest.mark.parametrize("step", ["fsync", "copymode", "replace"])
@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), KeyboardInterrupt()])
def test_whatever_goes_wrong_the_old_file_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, error: BaseException
) -> None:
    """A full disk, or a signal."""
    file = tmp_path / "f"
    file.write_bytes(b"old")

    def fails(*_: object) -> None:
        raise error

    holder = {"fsync": os, "copymode": shutil, "replace": Path}[step]
    monkeypatch.setattr(holder, step, fails)
    with pytest.raises(type(error)):
        replace(file, b"new")
    assert file.read_bytes() == b"old"
    assert [*tmp_path.iterdir()] == [file]
