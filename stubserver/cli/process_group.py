"""A command and all that it starts: a process group, which gets signals as one and ends as one.

Windows has no such groups: there, the console itself sends Ctrl-C to all, and nothing else reaches what a command has
started.
"""

import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from stubserver.cli.terminal import Terminal

GRACE = 5.0
"""Seconds that the processes have to end after a signal, before they are killed."""
MOMENT = 0.5
"""Seconds within which a signal counts once (npm passes on what its group gets as well), and in which processes that
the command leaves behind may end by themselves."""
_PAUSE = 0.02
"""Seconds between two looks at what is left."""
_HAS_GROUPS = hasattr(os, "killpg")
_KILL = getattr(signal, "SIGKILL", signal.SIGTERM)


class ProcessGroup:
    """A running command with all its descendants, except those that leave the group, as daemons do."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], output: IO[bytes] | None = None) -> None:
        """Start the command. What it writes goes to `output`, or to where this process writes. Raises OSError if it
        cannot be run."""
        self._command = subprocess.Popen(  # noqa: S603
            _runnable(command), env=environment, process_group=0, stdout=output, stderr=output
        )
        self._sent: dict[int, float] = {}
        self._killer: threading.Timer | None = None
        self._is_over = False

    def pass_on(self, number: int) -> None:
        """Send a signal to all processes. They are killed if they get it again, or after `GRACE` seconds."""
        now = time.monotonic()
        first = self._sent.setdefault(number, now)
        if first == now:
            self._send(number)
            self._kill_later()
        elif now - first >= MOMENT:
            self._send(_KILL)

    def wait(self) -> int:
        """Wait for the command to end, then end what it has left running. Returns its status, negative if a signal
        ended it."""
        try:
            return Terminal().wait(self._command) if _HAS_GROUPS else self._command.wait()
        finally:
            self._end()

    def _end(self) -> None:
        if not self._sent and not self._is_gone_in(MOMENT):
            self.pass_on(signal.SIGTERM)
        self._is_gone_in(GRACE + MOMENT)  # else they are dead, but nobody has asked for their status
        self._is_over = True
        if self._killer is not None:
            self._killer.cancel()

    def _is_gone_in(self, seconds: float) -> bool:
        """Whether all processes end within so many seconds."""
        deadline = time.monotonic() + seconds
        while self._send(0):
            if time.monotonic() >= deadline:
                return False
            time.sleep(_PAUSE)
        return True

    def _kill_later(self) -> None:
        if self._killer is None:
            self._killer = threading.Timer(GRACE, self._send, [_KILL])
            self._killer.daemon = True
            self._killer.start()

    def _send(self, number: int) -> bool:
        """Whether there is a process left that got the signal; 0 is no signal, but asks."""
        if self._is_over:  # by now, the number of the group may be that of others
            return False
        if not _HAS_GROUPS:
            return self._send_to_command(number)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._command.pid, number)
            return True
        return False

    def _send_to_command(self, number: int) -> bool:
        """Whether the command is left. It cannot be sent SIGINT, but the console has sent Ctrl-C already."""
        if number not in (0, signal.SIGINT):
            self._command.terminate()
        return self._command.poll() is None


def _runnable(command: Sequence[str]) -> Sequence[str]:
    """The command as the system runs it: on Windows, `npm` is the file npm.cmd, which only its full name runs."""
    found = shutil.which(command[0])
    is_short = found is not None and Path(found).name != Path(command[0]).name
    return [str(found), *command[1:]] if is_short else command
