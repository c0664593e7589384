"""Processes that are measured: each in a group and on a core of its own, with its processor time and memory."""

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_ALL = sorted(os.sched_getaffinity(0)) if shutil.which("taskset") else []
"""All cores that this process may use; none if they cannot be chosen."""
CORES = (_ALL[0], _ALL[-1]) if len(_ALL) > 1 else None
"""The core for the servers and the core for the load; None if there is only one, or none can be chosen."""


def step_aside() -> None:
    """Keep this process off the servers' core."""
    if CORES:
        os.sched_setaffinity(0, {CORES[1]})


def pinned(command: Sequence[str], *, load: bool = False) -> list[str]:
    """The command, pinned to the core for servers or for load."""
    return ["taskset", "-c", str(CORES[load]), *command] if CORES else list(command)


def spread(command: Sequence[str]) -> list[str]:
    """The command on all cores, although this process has stepped aside."""
    return ["taskset", "-c", ",".join(map(str, _ALL)), *command] if _ALL else list(command)


def free_port() -> int:
    """A free port on loopback."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
    return port


def processor() -> str:
    """The processor's model, if Linux knows it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown processor")


class Process:
    """A server process with all its children. Its output is discarded."""

    def __init__(self, command: Sequence[str], folder: Path) -> None:
        """Start the command in `folder`, which is also its HOME."""
        self._process = subprocess.Popen(  # noqa: S603 (the commands of this folder)
            command,
            cwd=folder,
            env={**os.environ, "HOME": str(folder)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    @property
    def ended(self) -> int | None:
        """The exit status; None while it is running."""
        return self._process.poll()

    def cpu_seconds(self) -> float:
        """Processor time used so far, in user and kernel mode."""
        times = [process.cpu_times() for process in self._tree()]
        return float(sum(time.user + time.system for time in times))

    def megabytes(self) -> float:
        """Resident memory, in megabytes."""
        return float(sum(process.memory_info().rss for process in self._tree())) / 1e6

    def pause(self) -> None:
        """Suspend it while others are measured, because virtual machines are busy even without requests."""
        os.killpg(self._process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let it continue after `pause`."""
        os.killpg(self._process.pid, signal.SIGCONT)

    def stop(self) -> None:
        """Kill the whole group, paused or not."""
        if self.ended is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def _tree(self) -> list[Any]:
        import psutil  # which only `make bench` installs, and the tests of this folder do not need

        process = psutil.Process(self._process.pid)
        return [process, *process.children(recursive=True)]
