"""The terminal of `stubserver exec`: lent to the process group of the command while it runs, as shells do with jobs.

So Ctrl-C and Ctrl-Z reach the command and all that it has started, once, and only these may read what is typed.
"""

import os
import signal
import subprocess


class Terminal:
    """The controlling terminal of this process, if it has one."""

    def __init__(self) -> None:
        try:
            self._file = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY | os.O_CLOEXEC)
        except OSError:
            self._file = -1

    def wait(self, command: subprocess.Popen[bytes]) -> int:
        """Lend the terminal to the command, which leads a process group, and wait for the command to end. Returns its
        status, negative if a signal ended it. When the terminal stops it, this process stops, too, until continued."""
        if self._file < 0:
            return command.wait()
        self._lend(command.pid)
        try:
            while os.WIFSTOPPED(status := os.waitpid(command.pid, os.WUNTRACED)[1]):
                # How a terminal stops a process: Ctrl-Z, or reading and writing in the background.
                if os.WSTOPSIG(status) in (signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU):
                    self._pass(command.pid, os.getpgrp())
                    os.killpg(os.getpgrp(), signal.SIGTSTP)  # here we stand still
                    self._lend(command.pid)
        finally:
            self._pass(command.pid, os.getpgrp())
            os.close(self._file)
        command.returncode = os.waitstatus_to_exitcode(status)
        if command.returncode in (-signal.SIGINT, 128 + signal.SIGINT):
            os.killpg(os.getpgrp(), signal.SIGINT)  # whoever runs this process awaits Ctrl-C, too
        return command.returncode

    def _lend(self, group: int) -> None:
        """Pass the terminal to the group, unless this process is in the background; and continue the group, which may
        have wanted the terminal already."""
        self._pass(os.getpgrp(), group)
        os.killpg(group, signal.SIGCONT)

    def _pass(self, owner: int, group: int) -> None:
        """Pass the terminal from one group to another, if the first has it."""
        # Whoever does this from the background would be stopped.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTOU})
        try:
            if os.tcgetpgrp(self._file) == owner:
                os.tcsetpgrp(self._file, group)
        except OSError:  # the terminal is gone, or a group
            pass
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
