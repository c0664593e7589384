"""`stubserver exec`: a server for as long as a command runs, and what the command did with it."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

import orjson

from stubserver.app import StubServer
from stubserver.control.request_view import RequestView
from stubserver.records.journal import Entry
from stubserver.serving.background import Background
from stubserver.testing import Stub

NOT_FOUND = 127
"""Exit status where there is no such command, as shells have it."""


def run(command: Sequence[str], build: Callable[[], StubServer]) -> int:
    """Run a command beside a server, and return its exit status; 128 and the signal's number where one ended it.

    The command finds the server in STUBSERVER_URL and a token for each persona in STUBSERVER_TOKEN_<PERSONA>.
    Raises StubError where the server does not start, and FileNotFoundError where there is no such command.
    """
    with Background(build) as url:
        stub = Stub(url)
        tokens = stub.world("default").tokens  # by the time that it answers, the server is ready
        found = {f"STUBSERVER_TOKEN_{name.upper().replace('-', '_')}": token for name, token in tokens.items()}
        stub.close()
        process = subprocess.Popen(command, env={**os.environ, "STUBSERVER_URL": url, **found})  # noqa: S603
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda received, _: _pass_on(received, process))
        status = process.wait()
    return status if status >= 0 else 128 - status


def _pass_on(number: int, process: subprocess.Popen[bytes]) -> None:
    """Let the command have a signal too; Ctrl-C on a terminal it has got already."""
    if number != signal.SIGINT or not sys.stdin.isatty():
        process.send_signal(number)


def log_to(file: Any, app: StubServer) -> None:
    """Write each request to a file as it ends, one JSON object a line."""

    def write(entry: Entry) -> None:
        view = RequestView(app.contract, entry)
        file.write(orjson.dumps(view.as_dict()) + b"\n")

    app.journal.listeners.append(write)


def violations(app: StubServer) -> list[str]:
    """What was asked that the contract does not know, each once, with how often."""
    return [f"{times} x {what}" for what, times in sorted(app.journal.violations.items())]
