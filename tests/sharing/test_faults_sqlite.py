"""When SQLite fails, requests are refused with the reason, nothing is half done, and the service returns by itself."""

import contextlib
import os
import re
import resource
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.sharing.check import violations
from tests.sharing.cluster import Cluster, database, serving, sqlite_url
from tests.sharing.load import Load
from tests.sharing.outage import Author, is_refused, until_answered
from tests.sources import ROOT
from tests.support.commands import CLEAN, COMMAND, PATIENCE

pytestmark = [pytest.mark.slow, pytest.mark.untraced]

_WITHOUT_PRIVILEGES = ("setpriv", "--bounding-set", "-dac_override") if os.geteuid() == 0 else ()
"""Has the modes of files count for root, too."""


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with serving(tmp_path, 2, "--store", sqlite_url(tmp_path)) as cluster:
        yield cluster


@pytest.fixture
def author(cluster: Cluster) -> Iterator[Author]:
    with contextlib.closing(Author(cluster.urls[0], "outage")) as author:
        yield author


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Another connection writes, and takes its time."""
    with contextlib.closing(sqlite3.connect(database(folder), isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")


@contextmanager
def full(cluster: Cluster) -> Iterator[None]:
    """The first process can write no more to any file, as on a full disk: no file may grow beyond a few bytes."""
    pid = cluster.served(0).process.pid
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE, (32, resource.RLIM_INFINITY))
    yield
    resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


def test_a_locked_file_is_told_and_passes(cluster: Cluster, author: Author, tmp_path: Path) -> None:
    with locked(tmp_path):
        is_refused(author, "sqlite")
    assert until_answered(lambda: author.rename("third")).status_code == 200
    assert author.state() == ("third", "third", ())


def test_a_full_disk_is_told_and_passes(cluster: Cluster, author: Author) -> None:
    with full(cluster):
        is_refused(author, "sqlite")
    assert until_answered(lambda: author.rename("third")).status_code == 200
    assert author.state() == ("third", "third", ())


def test_processes_behave_as_one_while_the_disk_is_full_for_one(cluster: Cluster) -> None:
    with contextlib.ExitStack() as disk:
        events = {500: lambda: disk.enter_context(full(cluster)), 1000: disk.close}
        load = Load(cluster.urls, requests=2000, events=events)
        assert violations(load.run()) == []
    assert {done.url for done in load.done if done.status == 503} == {cluster.urls[0]}


def test_processes_behave_as_one_while_others_lock_the_file(cluster: Cluster, tmp_path: Path) -> None:
    def lock_shortly() -> None:
        with locked(tmp_path):
            pass

    events = dict.fromkeys(range(100, 2000, 100), lock_shortly)
    assert violations(Load(cluster.urls, requests=2000, events=events).run()) == []


def test_a_process_that_may_not_write_does_not_start(cluster: Cluster, tmp_path: Path) -> None:
    for file in tmp_path.glob(f"{database(tmp_path).name}*"):
        file.chmod(0o444)
    command = [*_WITHOUT_PRIVILEGES, *COMMAND, "serve", "--port", "0", "--store", sqlite_url(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, env=CLEAN, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 2
    assert re.fullmatch(r"stubserver: .*readonly.*\n", done.stderr)
