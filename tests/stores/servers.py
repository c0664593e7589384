"""Servers for the tests of links: Redis itself, with any option, and peers that only play it."""

import asyncio
import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.commands import PATIENCE

_TRIES = 5
"""How often a server may find that somebody else has taken its port."""
OK = b"+OK\r\n"
Run = Callable[[Coroutine[Any, Any, None]], None]
"""Runs a coroutine to its end."""
Peer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
"""What a peer does with one connection; it is closed at the end."""


def need(program: str) -> None:
    """Skip a test whose program is missing, except where ALL_ENGINES is set: there, nothing may be left out."""
    if shutil.which(program) is None:
        assert "ALL_ENGINES" not in os.environ, f"{program} is not installed"
        pytest.skip(f"{program} is not installed; on Debian, it is in the package {program}")


def free_port() -> int:
    """A port of loopback on which nobody listens, and nobody on the one that is 10,000 higher. No system gives these
    ports to clients, so they stay free while a server is stopped."""
    while True:
        port = random.randrange(10_000, 22_000)  # noqa: S311
        with (
            contextlib.suppress(OSError),
            socket.create_server(("127.0.0.1", port)),
            socket.create_server(("127.0.0.1", port + 10_000)),
        ):
            return port


class Redis:
    """A Redis in a process of its own, with its files in a folder. In its options, {other} is a second port for it."""

    def __init__(self, folder: Path, *options: str) -> None:
        need("redis-server")
        folder.mkdir(exist_ok=True)
        self._folder, self._options = folder, options
        for _ in range(_TRIES):
            self.port = free_port()
            self.other = self.port + 10_000
            if self._starts():
                break
        else:
            pytest.fail(self._log())
        self.url = f"redis://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it again, with an empty memory."""
        assert self._starts(), self._log()

    def _starts(self) -> bool:
        """Whether it runs, and answers; False if somebody else has taken its port."""
        fixed = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self._folder), "--save", ""]
        options = [option.replace("{other}", str(self.other)) for option in self._options]
        with (self._folder / "log").open("w") as log:
            self._process = subprocess.Popen(["redis-server", *fixed, *options], stdout=log, stderr=log)
        deadline = time.monotonic() + PATIENCE
        while "Ready to accept connections" not in self._log():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                assert "Address already in use" in self._log(), self._log()
                return False
            time.sleep(0.01)
        return True

    def _log(self) -> str:
        return (self._folder / "log").read_text()

    def tell(self, *command: str) -> str:
        """What redis-cli prints about the reply to a command."""
        client = ["redis-cli", "-p", str(self.port), "--raw", *command]
        done = subprocess.run(client, capture_output=True, text=True, timeout=PATIENCE, check=True)
        return done.stdout.strip()

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def stop(self) -> None:
        """End it, whatever state it is in, and wait until it has ended."""
        self._process.kill()
        self._process.wait(PATIENCE)


@contextmanager
def redis(folder: Path, *options: str) -> Iterator[Redis]:
    """A Redis from beginning to end."""
    server = Redis(folder, *options)
    try:
        yield server
    finally:
        server.stop()


def until_whole(node: Redis) -> None:
    """Wait until a node has heard of all others; each look at it takes a process, and so needs no pause."""
    while "cluster_state:ok" not in node.tell("CLUSTER", "INFO"):
        pass


@contextmanager
def cluster_of(folder: Path, *options: str) -> Iterator[list[Redis]]:
    """The nodes of a cluster from beginning to end: three, without replicas, each with a third of the slots."""
    need("redis-cli")
    options = ("--cluster-enabled", "yes", "--cluster-node-timeout", "60000", *options)
    with contextlib.ExitStack() as stack:
        nodes = [stack.enter_context(redis(folder / str(number), *options)) for number in range(3)]
        addresses = [f"127.0.0.1:{node.port}" for node in nodes]
        command = ["redis-cli", "--cluster", "create", *addresses, "--cluster-yes"]
        subprocess.run(command, capture_output=True, timeout=PATIENCE, check=True)
        for node in nodes:
            until_whole(node)
        yield nodes


@asynccontextmanager
async def peer(serve: Peer) -> AsyncIterator[str]:
    """Something that listens in this loop, as a URL. In the end, its connections have ended, too."""
    tasks: list[asyncio.Task[None] | None] = []

    async def serve_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.append(asyncio.current_task())
        with contextlib.suppress(ConnectionError):  # the link has had enough
            await serve(reader, writer)
            writer.close()
            await writer.wait_closed()

    async with await asyncio.start_server(serve_one, "127.0.0.1", 0) as listening:
        yield f"redis://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    await asyncio.gather(*filter(None, tasks))


def scripted(*replies: bytes) -> Peer:
    """A peer that says the next of these whenever it has read something, and closes the connection after the last."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for reply in replies:
            if await reader.read(65536):
                writer.write(reply)
                await writer.drain()

    return serve


async def silence(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    """A peer that reads whatever comes, and never answers."""
    while await reader.read(65536):
        pass


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that it has signed itself, and its key."""
    need("openssl")
    made, key = folder / "certificate.pem", folder / "key.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=test -days 2".split()
    subject = ["-addext", "subjectAltName=IP:127.0.0.1", "-out", str(made), "-keyout", str(key)]
    subprocess.run([*command, *subject], check=True, capture_output=True, timeout=PATIENCE)
    return made, key
