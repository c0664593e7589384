"""The engines that tests start: they do what tests ask of them, refuse what cannot be, and leave nothing."""

import contextlib
import os
import socket
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest

from tests.support import engines
from tests.support.engines import PACKAGES, PortTaken, Redis, free_port, need, nginx, round_robin, why_missing
from tests.support.peer import OK, RESET, Peer

pytestmark = [pytest.mark.slow, pytest.mark.untraced]


@pytest.fixture
def redis() -> Iterator[Redis]:
    with Redis() as redis:
        yield redis


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the engines of a test have their folders."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 20):
        return True
    return False


# Redis


@pytest.mark.parametrize("way", ["restart", "stop", "kill"])
@pytest.mark.parametrize("is_kept", [True, False])
def test_data_survive_if_they_are_to(way: str, is_kept: bool) -> None:
    with Redis(appendonly=is_kept) as redis:
        port = redis.port
        redis.ask("SET knot bend")
        getattr(redis, way)()
        if way != "restart":
            assert not listens(port)
            redis.start()
        assert redis.ask("EXISTS knot") == (":1" if is_kept else ":0")
        assert redis.url == f"redis://127.0.0.1:{port}/0"


def test_a_full_server_refuses_and_evicts_nothing(redis: Redis) -> None:
    redis.ask("SET knot bend")
    redis.ask("CONFIG SET maxmemory 1")
    with pytest.raises(AssertionError, match="Redis refuses SET other x: -OOM"):
        redis.ask("SET other x")
    assert redis.ask("EXISTS knot") == ":1"


def test_a_paused_server_does_nothing_until_it_goes_on(redis: Redis) -> None:
    with socket.create_connection(("127.0.0.1", redis.port), 20) as connection:
        redis.pause()
        connection.sendall(b"PING\r\n")
        connection.settimeout(0.2)
        with pytest.raises(TimeoutError):
            connection.recv(7)
        redis.resume()
        connection.settimeout(20)
        assert connection.recv(7) == b"+PONG\r\n"


WRONG: list[tuple[str, str]] = [
    ("start", "Redis is running"),
    ("resume", "Redis is not paused"),
    ("pause pause", "Redis is paused"),
    ("pause stop", "Redis is paused"),
    ("pause ask", "Redis is paused"),
    ("pause kill resume", "Redis is not paused"),
    ("kill kill", "Redis is not running"),
    ("stop restart", "Redis is not running"),
    ("stop pause", "Redis is not running"),
    ("stop ask", "Redis is not running"),
    ("ask", "Redis refuses KNOT: -ERR unknown command"),
]


@pytest.mark.parametrize(("acts", "message"), WRONG)
def test_what_cannot_be_is_refused(redis: Redis, acts: str, message: str) -> None:
    *before, last = (partial(redis.ask, "KNOT") if act == "ask" else getattr(redis, act) for act in acts.split())
    for act in before:
        act()
    with pytest.raises(AssertionError, match=message):
        last()


def test_a_server_starts_with_its_context_only() -> None:
    with pytest.raises(AssertionError, match="when its context begins"):
        Redis().start()


@pytest.mark.parametrize("state", ["running", "pause", "stop", "kill"])
def test_nothing_is_left_after_a_failed_test(folders: Path, state: str) -> None:
    with contextlib.suppress(ZeroDivisionError), Redis() as redis:
        process = redis._running()._running
        if state != "running":
            getattr(redis, state)()
        raise ZeroDivisionError
    assert process.returncode is not None
    assert not listens(redis.port)
    assert [*folders.iterdir()] == []


def test_a_port_that_somebody_else_has_taken_is_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        ports = [other.getsockname()[1], other.getsockname()[1], free_port()]
        monkeypatch.setattr(engines, "free_port", lambda: ports.pop(0))
        with Redis() as redis:
            assert redis.ask("PING") == "+PONG"
    assert ports == []


def test_nothing_is_left_of_a_server_that_cannot_start(folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        monkeypatch.setattr(engines, "free_port", lambda: other.getsockname()[1])
        with pytest.raises(PortTaken, match="Address already in use"), Redis():
            pytest.fail("it cannot run")
    assert [*folders.iterdir()] == []


# nginx


def test_requests_go_to_each_in_turn_and_keep_their_host() -> None:
    with contextlib.ExitStack() as stack:
        peers = [stack.enter_context(Peer(OK, OK, OK)) for _ in range(3)]
        url = stack.enter_context(round_robin([int(peer.url.rpartition(":")[2]) for peer in peers]))
        with httpx.Client(base_url=url) as client:
            for number in range(9):
                assert client.post(f"/{number}", content=b"x" * 100_000).text == "ok"
        assert [peer.connections for peer in peers] == [1, 1, 1]
        requests = [[request.partition(b" HTTP")[0] for request in peer.received] for peer in peers]
        assert sorted(requests) == [[f"POST /{number + n}".encode() for n in (0, 3, 6)] for number in range(3)]
        assert all(f"Host: {url.removeprefix('http://')}".encode() in peer.received[0] for peer in peers)


def test_a_request_that_one_drops_goes_to_no_other() -> None:
    with Peer(RESET) as first, Peer(RESET) as second:
        with round_robin([int(peer.url.rpartition(":")[2]) for peer in (first, second)]) as url:
            assert httpx.get(url).status_code == 502
        assert len(first.received) + len(second.received) == 1


def test_settings_that_nginx_does_not_know_are_told(folders: Path) -> None:
    with pytest.raises(AssertionError, match=r'nginx ended: .*unknown directive "knot"'), nginx("knot bend;"):
        pytest.fail("it cannot run")
    assert [*folders.iterdir()] == []


def test_nothing_of_nginx_is_left_after_a_failed_test(folders: Path) -> None:
    with contextlib.suppress(ZeroDivisionError), nginx("return 204;") as url:
        assert httpx.get(url).status_code == 204
        raise ZeroDivisionError
    assert not listens(int(url.rpartition(":")[2]))
    assert [*folders.iterdir()] == []


def test_a_proxy_of_nothing_is_refused() -> None:
    with pytest.raises(AssertionError, match="a port to pass requests on to"):
        round_robin([])


# Missing engines


@pytest.mark.parametrize("program", PACKAGES)
def test_a_missing_engine_is_told_with_its_package(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    monkeypatch.setattr(engines, "_path", lambda _: None)
    assert why_missing(program).startswith(f"{program} is not installed: `make engines` installs it")
    assert why_missing(program).endswith(PACKAGES[program])


@pytest.mark.parametrize("start", [Redis().__enter__, lambda: nginx("").__enter__(), lambda: need("nginx")])
def test_a_missing_engine_skips_a_test_but_not_in_ci(
    monkeypatch: pytest.MonkeyPatch, start: Callable[[], object]
) -> None:
    monkeypatch.setattr(engines, "_path", lambda _: None)
    monkeypatch.delenv("ALL_ENGINES", raising=False)
    for is_ci in (False, True):
        if is_ci:
            monkeypatch.setenv("ALL_ENGINES", "1")
        with pytest.raises((AssertionError, pytest.skip.Exception), match="is not installed") as caught:
            start()
        assert caught.type is (AssertionError if is_ci else pytest.skip.Exception)


def test_engines_are_found_where_only_root_looks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    need("nginx")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert engines._path("nginx") in (None, "/usr/sbin/nginx")
    assert os.environ["PATH"] == str(tmp_path)
