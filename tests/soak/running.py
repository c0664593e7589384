"""One soak: a server in a process of its own, the load, samples of the server, and its end while requests hang."""

import contextlib
import http.client
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from stubserver.testing import Stub
from tests.soak import process
from tests.soak.attacks import MAX_BODY
from tests.soak.filling import fill
from tests.soak.judge import MEGABYTE, Ending, Record, Sample
from tests.soak.load import Load
from tests.soak.log import Log
from tests.support.commands import COMMAND, PATIENCE, Served
from tests.support.default import SECRET

OPTIONS: Mapping[str, str | int] = {
    "--max-worlds": 50,
    "--max-world": MEGABYTE,
    "--max-memory": 8 * MEGABYTE,
    "--max-requests": 300,
    "--max-journal": 4 * MEGABYTE,
    "--max-body": MAX_BODY,
    "--allowed-host": "*",
    "--jwt-secret": SECRET,
    "--log-format": "json",
}
"""Bounds that are reached within a minute, so that whatever grows after that is not bounded."""
ALLOCATOR = ("MALLOC_MMAP_THRESHOLD_=16384", "MALLOC_TRIM_THRESHOLD_=16384", "MALLOC_ARENA_MAX=1")
"""Has glibc give back to the system what is freed. By default it keeps much of it, more and more for minutes, so that
memory would seem to grow."""
SETTLING = 100.0
"""Seconds that the server has for what clients have left: the longest wait that a request or a fault may ask for is a
minute, and the rest of a request is waited for for half of one."""
_GET = b"GET %b HTTP/1.1\r\nHost: localhost\r\n\r\n"
HANGING = {
    "a slow answer": (_GET % b"/api/v2/category/?__wait=60", 1),
    "an unfinished head": (_GET[:-2] % b"/api/v2/category/", 0),
    "an unfinished body": (b"POST /api/v2/course/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{", 1),
    "answers that nobody reads": (_GET % b"/openapi.json" * 200, 1),
}
"""What hangs when the server ends -> what was sent, and how many of its requests are running."""


class ServerEnded(Exception):
    """The server has ended, although nobody asked it to."""


class Watch:
    """Looks at the server from outside."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._began = time.monotonic()
        self.log = Log(served.err)

    @property
    def elapsed(self) -> float:
        """Seconds since the watch began."""
        return time.monotonic() - self._began

    def sample(self) -> Sample:
        """The server now. Raises ServerEnded."""
        self.log.read()
        pid, server = self._served.process.pid, self._served.process
        try:
            if server.poll() is not None:
                raise ProcessLookupError
            taken = process.memory(pid), process.files(pid), process.threads(pid)
        except ProcessLookupError:
            status, last = server.wait(PATIENCE), self._served.err.read_text(errors="replace")[-600:]
            raise ServerEnded(f"the server ended with status {status} after {self.elapsed:.0f} s: {last}") from None
        return Sample(self.elapsed, *taken, self.log.requests, dict(self.log.answers))

    def settled(self, before: Sample) -> Sample:
        """The server as soon as it has no more descriptors and threads than before, or when it has had its time. Raises
        ServerEnded."""
        deadline = time.monotonic() + SETTLING
        while True:
            found = self.sample()
            pairs = ((found.files, before.files), (found.threads, before.threads))
            if all((now or 0) <= (then or 0) for now, then in pairs) or time.monotonic() > deadline:
                return found
            time.sleep(0.5)


def soak(seconds: float, seed: int, folder: Path, tell: Callable[[Sample], None]) -> Record:
    """Run a soak; the logs go into `folder`, and `tell` is called with a sample every second. Raises ServerEnded."""
    options = (str(part) for option in OPTIONS.items() for part in option)
    served = Served(folder, *options, command=("env", *ALLOCATOR, *COMMAND, "serve"))
    try:
        _warm(served.url)
        idle = Watch(served).sample()
        fill(served.url)
        watch = Watch(served)
        before, samples = watch.settled(idle), []
        with Load(served.url, seed) as load:
            while watch.elapsed < seconds:
                time.sleep(1)
                samples.append(watch.sample())
                tell(samples[-1])
        stub = Stub(served.url)
        health = stub.control("GET", "/health")
        stub.close()
        after = watch.settled(before)
        ending = end(served, watch.log)
    finally:
        served.end()
    log = watch.log
    found = (log.refused, log.unasked, log.strange, load.failures)
    return Record(seconds, before, samples, after, health, ending, *found)


def _warm(url: str) -> None:
    """Ask for all that is loaded when it is first needed: the pages, with the thread that reads their files."""
    for path in ("/docs/", "/docs/swagger-ui.css", "/openapi.json", "/api/v2/category/", "/__stub/health"):
        with contextlib.closing(http.client.HTTPConnection(urlsplit(url).netloc, timeout=PATIENCE)) as connection:
            connection.request("GET", path)
            connection.getresponse().read()


def end(served: Served, log: Log) -> Ending:
    """End the server while requests hang."""
    with hanging(served.url) as running:
        began = time.monotonic()
        served.process.send_signal(signal.SIGTERM)
        status: int | None = None
        with contextlib.suppress(subprocess.TimeoutExpired):
            status = served.process.wait(PATIENCE)
        seconds = time.monotonic() - began
    log.read()
    return Ending(seconds, status, log.cancelled, running)


@contextlib.contextmanager
def hanging(url: str) -> Iterator[int]:
    """Three clients of each kind that hang; gives how many of their requests are running."""
    address: Any = (urlsplit(url).hostname, urlsplit(url).port)
    with contextlib.ExitStack() as stack:
        for text, _ in [*HANGING.values()] * 3:
            stack.enter_context(socket.create_connection(address, PATIENCE)).sendall(text)
        _warm(url)  # by now the server has read what was sent before
        yield 3 * sum(count for _, count in HANGING.values())
