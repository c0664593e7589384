"""Processes that share a store, as tests start, kill and restart them."""

import contextlib
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.sharing.cluster import PROCESSES, STORES, Cluster, serving, sharing
from tests.support import commands
from tests.support.commands import PATIENCE, Served
from tests.support.engines import free_port

_start = subprocess.Popen

pytestmark = [pytest.mark.slow, pytest.mark.untraced]


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with serving(tmp_path, 2) as cluster:
        yield cluster


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/__stub/health", timeout=PATIENCE).status_code == 200
    except httpx.ConnectError:
        return False


def test_processes_are_killed_and_restarted(cluster: Cluster) -> None:
    first, second = cluster.urls
    assert cluster.ports == [int(url.rpartition(":")[2]) for url in (first, second)]
    cluster.kill(0)
    assert (answers(first), answers(second), cluster.urls) == (False, True, [second])
    cluster.restart(0)
    assert answers(cluster.urls[1])


@pytest.mark.parametrize("store", STORES)
def test_as_many_as_usual_share_a_store(store: str, tmp_path: Path) -> None:
    with sharing(store, tmp_path) as cluster:
        urls = [*cluster.urls]
        assert len(urls) == PROCESSES[store]
        assert all(map(answers, urls))
    assert not any(map(answers, urls))


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda cluster: (cluster.kill(0), cluster.kill(0)), "process 0 does not run"),
        (lambda cluster: cluster.restart(1), "process 1 runs"),
        (lambda cluster: (cluster.kill(1), cluster.served(1)), "process 1 does not run"),
    ],
    ids=["kill twice", "restart one that runs", "look at one that was killed"],
)
def test_what_cannot_be_is_refused(cluster: Cluster, act: Callable[[Cluster], object], message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        act(cluster)


def test_if_one_cannot_start_the_others_end(tmp_path: Path) -> None:
    """They want the same port."""
    port = free_port()
    with (
        pytest.raises(AssertionError, match=f"cannot listen on 127.0.0.1 port {port}"),
        serving(tmp_path, 2, "--port", str(port)),
    ):
        pytest.fail("one of them has no port")
    assert not answers(f"http://127.0.0.1:{port}")


def test_processes_end_with_a_failed_test(tmp_path: Path) -> None:
    started: list[subprocess.Popen[bytes]] = []
    with contextlib.suppress(ZeroDivisionError), serving(tmp_path, 2) as cluster:
        started += [cluster.served(number).process for number in range(2)]
        raise ZeroDivisionError
    assert all(process.returncode is not None for process in started)


def test_a_process_that_never_listens_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[bytes]] = []

    def start(*arguments: Any, **options: Any) -> subprocess.Popen[bytes]:
        started.append(_start(*arguments, **options))
        return started[-1]

    monkeypatch.setattr(commands, "PATIENCE", 0.1)
    monkeypatch.setattr(subprocess, "Popen", start)
    with pytest.raises(AssertionError):
        Served(tmp_path, command=["sh", "-c", "exec sleep 600"])
    assert [process.returncode for process in started] == [-signal.SIGKILL]


def test_a_store_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="etcd"), sharing("etcd", tmp_path):
        pytest.fail("there is none")
