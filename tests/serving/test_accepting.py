"""Connections are spread over the processes that share a socket; here, all of them are in one event loop."""

import asyncio
import contextlib
import errno
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator

import pytest

from stubserver.serving import accepting
from stubserver.serving.accepting import Acceptor, Counts
from tests.support.commands import PATIENCE


class Listener(socket.socket):
    """A listening socket that may fail."""

    errors: list[OSError] = []
    """What its next calls of `accept` raise."""

    def accept(self) -> tuple[socket.socket, object]:
        if self.errors:
            raise self.errors.pop(0)
        return super().accept()


class Connection(asyncio.Protocol):
    """One that is in a set while it is open."""

    def __init__(self, connections: set["Connection"]) -> None:
        self._connections = connections

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._connections.add(self)
        self.transport = transport

    def connection_lost(self, error: Exception | None) -> None:
        self._connections.discard(self)


class Process:
    """What would be a process of its own."""

    def __init__(self, listener: socket.socket, counts: Counts, place: int) -> None:
        self.listener = listener.dup()  # an event loop knows a file descriptor once
        self.connections = set[Connection]()
        self.acceptor = Acceptor(self.listener, counts, place)
        self.acceptor.start(lambda: Connection(self.connections), self.connections)


class Place:
    """Processes that share a socket, and its clients."""

    def __init__(self) -> None:
        self.listener = Listener()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen()
        self.processes = list[Process]()
        self.clients = list[socket.socket]()

    def start(self, counts: Counts, *places: int) -> None:
        self.processes += [Process(self.listener, counts, place) for place in places]

    def connect(self, number: int = 1) -> None:
        address = self.listener.getsockname()
        self.clients += [socket.create_connection(address, PATIENCE) for _ in range(number)]

    async def shares(self) -> list[int]:
        """How many connections each process has, once no client waits any more."""
        async with asyncio.timeout(PATIENCE):
            while sum(shares := [len(process.connections) for process in self.processes]) < len(self.clients):
                await asyncio.sleep(0)
        return shares

    async def end(self) -> None:
        for process in self.processes:
            await process.acceptor.stop()
            for connection in process.connections:
                connection.transport.close()
        for opened in (*self.clients, *(process.listener for process in self.processes), self.listener):
            opened.close()
        await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def place() -> AsyncIterator[Place]:
    made = Place()
    try:
        yield made
    finally:
        await made.end()


@pytest.fixture(autouse=True)
def _no_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Listener, "errors", [])


@pytest.mark.parametrize("number", [2, 3, 4])
def test_clients_that_come_at_once_are_spread(number: int, runner: asyncio.Runner) -> None:
    async def test() -> None:
        async with place() as one:
            one.start(Counts(number), *range(number))
            one.connect(24)
            shares = await one.shares()
            assert max(shares) - min(shares) <= 1, shares

    runner.run(test())


def test_a_client_goes_to_whoever_has_fewer(monkeypatch: pytest.MonkeyPatch, runner: asyncio.Runner) -> None:
    """Also if the others see it first."""
    monkeypatch.setattr(accepting, "TURN", 3600)

    async def test() -> None:
        async with place() as one:
            counts = Counts(2)
            counts[1] = 3
            one.start(counts, 0)
            one.connect(3)
            assert await one.shares() == [3]
            counts[1] = 0
            one.start(counts, 1)
            one.connect(2)
            assert await one.shares() == [3, 2]

    runner.run(test())


def test_nobody_waits_for_a_process_that_hangs(runner: asyncio.Runner) -> None:
    """It has few connections, and takes no more."""

    async def test() -> None:
        async with place() as one:
            one.start(Counts(2), 0)
            one.connect(5)
            assert await one.shares() == [5]

    runner.run(test())


def test_connections_that_have_ended_count_no_more(runner: asyncio.Runner) -> None:
    async def test() -> None:
        async with place() as one:
            counts = Counts(1)
            one.start(counts, 0)
            one.connect(3)
            await one.shares()
            (process,) = one.processes
            assert process.acceptor.count() == counts.least() == 3
            next(iter(process.connections)).transport.close()
            async with asyncio.timeout(PATIENCE):
                while process.acceptor.count() != 2:
                    await asyncio.sleep(0)
            assert counts.least() == 2

    runner.run(test())


def test_an_error_is_told_and_tried_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, runner: asyncio.Runner
) -> None:
    monkeypatch.setattr(accepting, "_REST", 0.001)

    async def test() -> None:
        async with place() as one:
            one.start(Counts(1), 0)
            Listener.errors = [OSError(errno.EMFILE, os.strerror(errno.EMFILE)) for _ in range(2)]
            one.connect()
            assert await one.shares() == [1]

    runner.run(test())
    assert [record.getMessage() for record in caplog.records] == ["Cannot accept connections: Too many open files"] * 2


def test_an_error_is_not_tried_again_at_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, runner: asyncio.Runner
) -> None:
    """The client that waits would wake up the event loop for ever."""
    monkeypatch.setattr(accepting, "_REST", 3600)

    async def test() -> None:
        async with place() as one:
            one.start(Counts(1), 0)
            Listener.errors = [OSError(errno.EMFILE, os.strerror(errno.EMFILE)) for _ in range(2)]
            one.connect()
            async with asyncio.timeout(PATIENCE):
                while len(Listener.errors) > 1:
                    await asyncio.sleep(0)
            for _ in range(10):
                await asyncio.sleep(0)

    runner.run(test())
    assert len(caplog.records) == 1


def test_clients_that_have_gone_are_no_error(caplog: pytest.LogCaptureFixture, runner: asyncio.Runner) -> None:
    """Whether they go before they are taken, or right after."""

    async def gone(*_: object) -> None:
        raise OSError(errno.ENOTCONN, os.strerror(errno.ENOTCONN))

    async def test() -> None:
        async with place() as one:
            one.start(Counts(1), 0)
            Listener.errors = [ConnectionAbortedError()]
            one.connect()
            assert await one.shares() == [1]
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(asyncio.get_running_loop(), "connect_accepted_socket", gone)
                one.connect()
                with one.clients.pop() as client:
                    assert await asyncio.get_running_loop().run_in_executor(None, client.recv, 1) == b""
            one.connect()
            assert await one.shares() == [2]

    runner.run(test())
    assert caplog.records == []


def test_whoever_stops_has_what_it_took_and_takes_no_more(runner: asyncio.Runner) -> None:
    async def test() -> None:
        async with place() as one:
            one.start(Counts(2), 0)
            (process,) = one.processes
            one.connect(3)
            process.acceptor._accept()
            await process.acceptor.stop()
            assert len(process.connections) == 1
            assert process.acceptor._rest is not None
            assert process.acceptor._rest.cancelled()
            assert not asyncio.get_running_loop().remove_reader(process.listener)

    runner.run(test())


@pytest.mark.slow
def test_processes_that_are_forked_share_the_counts() -> None:
    script = """
import os
from stubserver.serving.accepting import Counts
counts = Counts(2)
counts[0] = 9
if not os.fork():
    counts[1] = 7
    os._exit(0)
os.wait()
print(counts.least())
"""
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, check=True).stdout == b"7\n"
