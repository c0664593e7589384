"""Standard streams that may be closed or broken: a command that goes on for long must not end because of them."""

import contextlib
import io
import os
import sys
from collections.abc import Iterator


def open_closed() -> None:
    """Let standard streams that are closed lead to nowhere. Otherwise the next file or socket would get the number of
    one of them, and whatever is printed."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            nowhere = os.open(os.devnull, os.O_RDWR)  # gets the lowest free number, which is this one
            setattr(sys, name, open(nowhere, "w" if number else "r", closefd=False))  # noqa: SIM115


def print_anything() -> None:
    """Let standard output show what its encoding lacks as escapes, as standard error does. Outside of UTF-8 (a Windows
    pipe, an old locale), a name that a client made up would end the command otherwise."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


@contextlib.contextmanager
def optional_output() -> Iterator[None]:
    """Within, what cannot be printed is lost, and so is all that follows on a stream that failed."""
    try:
        yield
        sys.stdout.flush()
    except OSError:  # the reader has gone, or the disk is full
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
