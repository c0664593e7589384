"""Runs a comparison: the servers are started, checked and warmed up, and then take turns."""

import math
import subprocess
from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path

from benchmarks.contender import Contender, NotReady
from benchmarks.figures import Result
from benchmarks.load import BadSample
from benchmarks.peers import Server, ours
from benchmarks.recording import Recording, WrongAnswer, record
from benchmarks.workloads import Workload

_LATENCY_ROUNDS = 3


class Lost(Exception):
    """A server that is needed does not work, so the comparison would be meaningless."""


class Match:
    """Servers that are measured side by side. Leaving the context stops them all."""

    def __init__(
        self, servers: list[Server], needed: Collection[str], workloads: list[Workload], seconds: int, folder: Path
    ) -> None:
        """The match is lost if a server fails whose name is `needed`. `seconds` is the length of a sample; files go to
        `folder`."""
        self._needed = needed
        self._contenders = [Contender(server, folder) for server in servers]
        self._workloads = workloads
        self._seconds = seconds
        self._folder = folder

    def __enter__(self) -> "Match":
        return self

    def __exit__(self, *_: object) -> None:
        for contender in self._contenders:
            contender.stop()

    def start(self, times: int) -> None:
        """Start each server several times. A server that fails takes no part; its result says why."""
        recording = self._record()
        for contender in self._contenders:
            try:
                self._enter(contender, recording, times)
                _say(contender, f"starts in {contender.result.start_seconds():.2f} s")
            except (NotReady, WrongAnswer, OSError, StopIteration, subprocess.CalledProcessError) as error:
                self._leave(contender, str(error) or "it is not installed")

    def warm_up(self, seconds: int) -> None:
        """Put each server under full load without measuring, for so long in all; virtual machines need much of it."""
        for contender in self._running():
            taken = [workload for workload in self._workloads if contender.takes(workload)]
            part = math.ceil(seconds / max(1, len(taken)))
            for workload in taken:
                self._turn(contender, workload, partial(Contender.load, seconds=part))
            if not contender.result.trouble:
                _say(contender, "is warm")

    def round(self) -> None:
        """Take one sample of each workload on each server."""
        for workload in self._workloads:
            for contender in self._running():
                self._turn(contender, workload, self._sample)

    def latencies(self, workload: Workload) -> None:
        """Measure how long answers take at half of each server's maximum load."""
        for _ in range(_LATENCY_ROUNDS):
            for contender in self._running():
                self._turn(contender, workload, partial(Contender.load_half, seconds=self._seconds))

    def results(self) -> list[Result]:
        """The results of all servers, including those that took no part."""
        for contender in self._running():
            contender.result.megabytes_after = contender.process.megabytes()
        return [contender.result for contender in self._contenders]

    def _record(self) -> Recording:
        with Contender(ours(), self._folder / "recorded") as contender:
            contender.start()
            return record(contender.url)

    def _enter(self, contender: Contender, recording: Recording, times: int) -> None:
        contender.prepare(recording)
        for _ in range(times):
            contender.start()
        contender.check(self._workloads, recording)
        contender.process.pause()

    def _leave(self, contender: Contender, reason: str) -> None:
        """Go on without a server, whose samples would be from other rounds than those of the others."""
        contender.stop()
        contender.result = Result(contender.server, reason)
        _say(contender, f"does not take part: {reason}")
        if contender.server.name in self._needed:
            raise Lost(f"{contender.server.name}: {reason}")

    def _running(self) -> list[Contender]:
        return [contender for contender in self._contenders if not contender.result.trouble]

    def _turn(self, contender: Contender, workload: Workload, act: Callable[[Contender, Workload], object]) -> None:
        """Do something with one server, while all others are paused."""
        if contender.result.trouble or not contender.takes(workload):
            return
        try:
            contender.wake()
            act(contender, workload)
            contender.process.pause()
        except (BadSample, NotReady) as error:
            self._leave(contender, f"{workload.name}: {error}")

    def _sample(self, contender: Contender, workload: Workload) -> None:
        sample = contender.load(workload, self._seconds)
        contender.result.samples.setdefault(workload.name, []).append(sample)
        _say(contender, f"{workload.name:6} {sample.cpu_us:8.1f} us {sample.per_second:9,.0f} requests/s")


def _say(contender: Contender, what: str) -> None:
    print(f"  {contender.server.name:19} {what}", flush=True)
