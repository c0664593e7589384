"""Server processes that share their worlds through a store, each with its own port and log."""

import contextlib
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from tests.support.commands import COMMAND, PATIENCE, Served
from tests.support.engines import Redis

STORES = ["memory", "sqlite", "redis"]
"""The stores that the server has, by the schemes of their URLs: what works with each of them is tested with these."""
PROCESSES = {"memory": 1, "sqlite": 4, "redis": 4}
"""Store -> how many processes share their worlds through it."""
SHARED = [store for store in STORES if PROCESSES[store] > 1]


class Cluster:
    """Server processes, numbered from 0. What cannot be, such as a restart of one that runs, is an AssertionError."""

    def __init__(self, start: Callable[[int], Served], count: int) -> None:
        self._start = start
        self._servers: list[Served | None] = [None] * count
        self.urls: list[str] = []
        """The base URLs of those that run."""

    @property
    def ports(self) -> list[int]:
        """The ports of loopback on which they listen."""
        return [int(url.rpartition(":")[2]) for url in self.urls]

    def start(self) -> None:
        """Start all at once, since they may begin with an empty store together."""
        with ThreadPoolExecutor(len(self._servers)) as pool:
            starts = [pool.submit(self._start, number) for number in range(len(self._servers))]
        self._servers = [None if start.exception() else start.result() for start in starts]
        self.urls += [start.result().url for start in starts]

    def served(self, number: int) -> Served:
        """A process that runs."""
        found = self._servers[number]
        assert found is not None, f"process {number} does not run"
        return found

    def kill(self, number: int) -> None:
        """End a process with SIGKILL."""
        ended = self.served(number)
        self.urls.remove(ended.url)
        ended.process.send_signal(signal.SIGKILL)
        ended.process.wait(PATIENCE)
        self._servers[number] = None

    def restart(self, number: int) -> None:
        """Start a process again that was killed, on another port."""
        assert self._servers[number] is None, f"process {number} runs"
        self._servers[number] = again = self._start(number)
        self.urls.append(again.url)

    def end(self) -> None:
        """End all that run."""
        for served in filter(None, self._servers):
            served.end()


@contextmanager
def serving(folder: Path, count: int, *options: str, command: Sequence[str] = (*COMMAND, "serve")) -> Iterator[Cluster]:
    """So many server processes with the same options, and their logs in the folder; `command` starts each of them."""
    with contextlib.ExitStack() as stack:

        def start(number: int) -> Served:
            logs = folder / f"process-{number}"
            logs.mkdir(parents=True, exist_ok=True)
            return Served(logs, *options, command=command)

        cluster = Cluster(start, count)
        stack.callback(cluster.end)
        cluster.start()
        yield cluster


@contextmanager
def sharing(
    store: str, folder: Path, count: int = 0, command: Sequence[str] = (*COMMAND, "serve"), *options: str
) -> Iterator[Cluster]:
    """So many processes, or as many as usual, share a store, which is empty at first. Raises KeyError if there is no
    such store."""
    count = count or PROCESSES[store]
    with contextlib.ExitStack() as stack:
        needed = _options(store, folder, stack)
        yield stack.enter_context(serving(folder, count, *needed, *options, command=command))


class Replicas:
    """Server processes at ports that they keep, numbered from 0."""

    def __init__(self, folder: Path, ports: Sequence[int], options: Sequence[str]) -> None:
        self._folder, self._ports, self._options = folder, ports, options
        self._servers: dict[int, Served] = {}

    def begin(self, number: int) -> None:
        """Start one, and wait until it answers."""
        logs = self._folder / f"replica-{number}"
        logs.mkdir(parents=True, exist_ok=True)
        self._servers[number] = Served(logs, *self._options, "--port", str(self._ports[number]))

    def stop(self, number: int, by: signal.Signals) -> None:
        """End one with a signal, and wait until it has ended."""
        ended = self._servers.pop(number)
        ended.process.send_signal(by)
        ended.process.wait(PATIENCE)

    def end(self) -> None:
        """End all that run."""
        for served in self._servers.values():
            served.end()


@contextmanager
def serving_at(store: str, folder: Path, ports: Sequence[int]) -> Iterator[Replicas]:
    """Server processes at these ports share a store, which is empty at first."""
    with contextlib.ExitStack() as stack:
        replicas = Replicas(folder, ports, _options(store, folder, stack))
        stack.callback(replicas.end)
        for number in range(len(ports)):
            replicas.begin(number)
        yield replicas


def _options(store: str, folder: Path, stack: contextlib.ExitStack) -> list[str]:
    """The options with which a server uses an empty store; what it needs runs until the end of the stack."""
    if store == "redis":
        return ["--store", redis_url(stack.enter_context(Redis()).port)]
    return ["--store", sqlite_url(folder)] if store == "sqlite" else []


def redis_url(port: int) -> str:
    """The store in the Redis on this port of loopback."""
    return f"redis://127.0.0.1:{port}/0?prefix=tests"


def sqlite_url(folder: Path) -> str:
    """The store in the file of the folder that `database` names."""
    return f"sqlite:{database(folder)}"


def database(folder: Path) -> Path:
    """Where a SQLite store in this folder has its file."""
    return folder / "worlds.db"
