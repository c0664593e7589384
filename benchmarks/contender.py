"""A server that takes part: it is started, checked, put under load, paused and stopped, and holds its results."""

import time
from pathlib import Path

import httpx

from benchmarks import load
from benchmarks.checks import check, habits
from benchmarks.figures import Result, Sample, Start
from benchmarks.pace import at_rate
from benchmarks.peers import Server
from benchmarks.process import Process, free_port, pinned, spread
from benchmarks.recording import Recording, answer_to, ask
from benchmarks.workloads import GET, WORKLOADS, Workload

_READY_WITHIN = 120.0
"""Seconds that a server may take to start."""
_WAKES_WITHIN = 0.2
"""Seconds that a server needs to notice what it has missed in a pause."""
_POLL_EVERY = 0.005
"""Seconds between two attempts to reach it."""


class NotReady(Exception):
    """The server did not start, or is not running; the message says why."""


class Contender:
    """A server, its process, and its results."""

    def __init__(self, server: Server, folder: Path) -> None:
        """Its files go to a folder of its own inside `folder`."""
        self.server = server
        self.result = Result(server)
        self.url = ""
        self._folder = folder / server.name
        self._folder.mkdir(parents=True)
        self._process: Process | None = None

    def prepare(self, recording: Recording) -> None:
        """Write the server's configuration, made from the recording."""
        self.server.prepare(self._folder, recording)

    def start(self) -> None:
        """Start or restart the server, and wait for its first 200. Raises NotReady."""
        self.stop()
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        command = self.server.command(self._folder, port)
        with self._client() as client:
            begun = time.perf_counter()
            self._process = Process(pinned(command) if self.server.pinned else spread(command), self._folder)
            self._wait(client)
            seconds = time.perf_counter() - begun
        self.result.starts.append(Start(seconds, self._process.cpu_seconds(), self._process.megabytes()))

    def check(self, workloads: list[Workload], recording: Recording) -> None:
        """Check its answers, and observe its habits. Raises WrongAnswer."""
        with self._client() as client:
            for workload in filter(self.takes, workloads):
                for request, meant in zip(self.server.requests(workload), workload.requests, strict=True):
                    check(client, request, answer_to(meant, recording))
            self.result.habits = habits(client, self.server.requests(WORKLOADS["put"]))

    def takes(self, workload: Workload) -> bool:
        """Whether the server supports the workload."""
        return workload.name in self.server.workloads

    def load(self, workload: Workload, seconds: int) -> Sample:
        """Send as many requests as the server can handle. Raises BadSample."""
        before = self.process.cpu_seconds()
        found = load.saturate([self.url], self.server.requests(workload), seconds)
        used = self.process.cpu_seconds() - before
        return Sample(used / found.requests * 1e6, found.per_second, found.answer_bytes)

    def load_half(self, workload: Workload, seconds: int) -> None:
        """Send requests at half the maximum rate, and record the latencies. Raises BadSample."""
        rate = (self.result.per_second(workload.name) or 0) / 2
        paced = at_rate(self.url, self.server.requests(workload), rate, seconds)
        self.result.latencies.setdefault(workload.name, []).append(paced)

    def wake(self) -> None:
        """Let it continue after a pause, until it answers: a call to a store that was paused, too, may have failed.
        Raises NotReady."""
        self.process.resume()
        time.sleep(_WAKES_WITHIN)
        with self._client() as client:
            self._wait(client)

    def __enter__(self) -> "Contender":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop the server, if it is running."""
        if self._process is not None:
            self._process.stop()
        self._process = None

    @property
    def process(self) -> Process:
        """The running process. Raises NotReady."""
        if self._process is None:
            raise NotReady("it is not running")
        return self._process

    def _client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, timeout=10)

    def _wait(self, client: httpx.Client) -> None:
        deadline = time.perf_counter() + _READY_WITHIN
        while not _answers(client):
            if (status := self.process.ended) is not None:
                raise NotReady(f"it exited with status {status} before it answered")
            if time.perf_counter() > deadline:
                raise NotReady(f"it did not answer within {_READY_WITHIN:.0f} seconds")
            time.sleep(_POLL_EVERY)


def _answers(client: httpx.Client) -> bool:
    try:
        return ask(client, GET).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False
