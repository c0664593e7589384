"""Processes that are measured: a group and a core of their own, their processor time and memory, and their end."""

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path

import psutil


def cores() -> tuple[int, int] | None:
    """The core of the servers and that of the load; None where there is only one, or none can be chosen."""
    if shutil.which("taskset") is None:
        return None
    allowed = sorted(os.sched_getaffinity(0))
    return (allowed[0], allowed[-1]) if len(allowed) > 1 else None


CORES = cores()


def step_aside() -> None:
    """Keep this process off the servers' core."""
    if CORES:
        os.sched_setaffinity(0, {CORES[1]})


def pinned(command: Sequence[str], *, load: bool = False) -> list[str]:
    """The command on its core."""
    return ["taskset", "-c", str(CORES[load]), *command] if CORES else list(command)


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
    return port


class Process:
    """A server with all its children. What it prints goes nowhere."""

    def __init__(self, command: Sequence[str], folder: Path) -> None:
        """Start it in a folder of its own, which is also its home."""
        self._process = subprocess.Popen(  # noqa: S603 (the commands of this folder)
            pinned(command),
            cwd=folder,
            env={**os.environ, "HOME": str(folder)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    @property
    def ended(self) -> int | None:
        """The exit status, once there is one."""
        return self._process.poll()

    def cpu_seconds(self) -> float:
        """Processor time that it has used, in user and kernel mode."""
        times = [process.cpu_times() for process in self._tree()]
        return float(sum(time.user + time.system for time in times))

    def megabytes(self) -> float:
        """Resident memory."""
        return float(sum(process.memory_info().rss for process in self._tree())) / 1e6

    def pause(self) -> None:
        """Let it do nothing while others are measured; virtual machines are busy even without requests."""
        os.killpg(self._process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Go on after a pause."""
        os.killpg(self._process.pid, signal.SIGCONT)

    def stop(self) -> None:
        """End the whole group at once, paused or not."""
        if self.ended is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def _tree(self) -> list[psutil.Process]:
        process = psutil.Process(self._process.pid)
        return [process, *process.children(recursive=True)]
