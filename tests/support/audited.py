"""A server that notes what its process opens, runs and connects to: `python -m tests.support.audited NOTES [OPTION...]`
is `stubserver serve` with an audit hook, which writes each such event into the file NOTES."""

import json
import os
import sys
from collections.abc import Sequence
from types import CodeType
from typing import Any

WATCHED = (
    "open",
    "exec",
    "compile",
    "import",
    "code.__new__",
    "marshal.loads",
    "pickle.find_class",
    "os.",
    "shutil.",
    "pty.",
    "subprocess.",
    "socket.connect",
    "socket.getaddrinfo",
    "socket.gethostby",
    "socket.sendto",
    "urllib.",
    "http.client.",
    "ftplib.",
    "smtplib.",
    "sqlite3.",
    "ctypes.dlopen",
)
"""Beginnings of the names of Python's audit events that would show that a request names a file, code or a peer."""


def _plain(part: Any) -> Any:
    if isinstance(part, CodeType):
        return part.co_filename
    return part if isinstance(part, (int, str, type(None))) else repr(part)[:200]


def main(arguments: Sequence[str]) -> None:
    """Serve, and write notes."""
    notes = os.open(arguments[0], os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def note(event: str, details: tuple[Any, ...]) -> None:
        if event.startswith(WATCHED):
            os.write(notes, json.dumps([event, *map(_plain, details)]).encode() + b"\n")

    from stubserver.cli import main as stubserver

    sys.addaudithook(note)
    stubserver(["serve", *arguments[1:]])


if __name__ == "__main__":
    main(sys.argv[1:])
