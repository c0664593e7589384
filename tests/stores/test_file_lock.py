"""Locks of files: alone or shared, never waiting, and gone with their process."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stubserver.stores.file_lock import FileLock
from tests.support.commands import PATIENCE


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[[], FileLock]]:
    """Makes locks of the same file, as each process has one."""
    made: list[FileLock] = []

    def make() -> FileLock:
        made.append(FileLock(str(tmp_path / "lock")))
        return made[-1]

    yield make
    for lock in made:
        lock.close()


def test_one_has_it_alone_or_several_share_it(make: Callable[[], FileLock]) -> None:
    one, other, third = make(), make(), make()
    assert (one.take(), other.take(), other.take(shared=True)) == (True, False, False)
    one.release()
    assert (one.take(shared=True), other.take(shared=True), third.take()) == (True, True, False)
    one.release()
    assert not third.take()
    other.close()
    assert third.take()


def test_a_file_is_made_when_it_is_first_needed(make: Callable[[], FileLock], tmp_path: Path) -> None:
    one = make()
    one.release()
    one.close()
    assert [*tmp_path.iterdir()] == []
    assert one.take()
    assert [path.name for path in tmp_path.iterdir()] == ["lock"]


def test_what_cannot_be_opened_is_told(make: Callable[[], FileLock], tmp_path: Path) -> None:
    (tmp_path / "lock").mkdir()
    with pytest.raises(IsADirectoryError):
        make().take()


DYING = """
import os, sys
from stubserver.stores.file_lock import FileLock
assert FileLock(sys.argv[1]).take()
os.kill(os.getpid(), 9)
"""


@pytest.mark.untraced
def test_a_lock_ends_with_its_process(make: Callable[[], FileLock], tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", DYING, tmp_path / "lock"], timeout=PATIENCE)
    assert done.returncode == -9
    assert make().take()
