"""Processes on a terminal of their own."""

import fcntl
import os
import pty
import select
import signal
import subprocess
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.support.commands import CLEAN, PATIENCE


@contextmanager
def running(
    *command: str, terminal: bool = True, ignored: int | None = None, stdin: bool = True, **options: Any
) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A command in a session of its own, with a terminal to write to, which controls the session unless told otherwise;
    and where to read what it says."""
    mine, its = pty.openpty()

    def begin() -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN if number == ignored else signal.SIG_DFL)
        if terminal:
            fcntl.ioctl(1, termios.TIOCSCTTY, 0)

    process = subprocess.Popen(
        command,
        env=CLEAN,
        stdin=its if stdin else subprocess.DEVNULL,
        stdout=its,
        stderr=its,
        start_new_session=True,
        preexec_fn=begin,
        **options,
    )
    os.close(its)
    try:
        yield process, mine
    finally:
        process.kill()
        process.wait()
        os.close(mine)


def heard(terminal: int, word: str) -> list[str]:
    """The lines that the command says, up to this one."""
    said = b""
    while f"{word}\r\n".encode() not in said:
        assert select.select([terminal], [], [], PATIENCE)[0], said
        said += os.read(terminal, 1000)
    return [line.replace("^C", "").replace("^Z", "") for line in said.decode().splitlines()]
