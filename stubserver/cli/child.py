"""The command that `stubserver exec` runs: what its environment says about the server, and which signals it gets."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from types import FrameType

from stubserver.addressing import LOOPBACK
from stubserver.testing import Stub

_PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run(command: Sequence[str], url: str) -> int:
    """Run a command with the server at `url`, and return its exit status: 128 plus the signal's number if a signal
    ended it. From now on, signals are passed on to the command.

    Raises OSError if it cannot be run, and StubError if the server does not answer.
    """
    environment = {**os.environ, **direct(os.environ), "STUBSERVER_URL": url, **_tokens(url)}
    early: list[int] = []
    started: list[subprocess.Popen[bytes]] = []

    def pass_on(number: int, _: FrameType | None) -> None:
        if not started:
            early.append(number)
        elif number != signal.SIGINT or not _is_on_terminal(started[0]):
            started[0].send_signal(number)

    for which in _PASSED_ON:
        if signal.getsignal(which) is not signal.SIG_IGN:  # nohup ignores a signal for the command, too
            signal.signal(which, pass_on)
    process = subprocess.Popen(command, env=environment)  # noqa: S603
    started.append(process)
    for number in early:
        process.send_signal(number)
    status = process.wait()
    return status if status >= 0 else 128 - status


def direct(environment: Mapping[str, str]) -> dict[str, str]:
    """The two variables that name the hosts to reach without a proxy, with loopback among them."""
    upper, lower = (environment.get(name, "") for name in ("NO_PROXY", "no_proxy"))
    # A client that reads only one of the variables must not lose what the other says.
    return {"NO_PROXY": _with_loopback(upper or lower), "no_proxy": _with_loopback(lower or upper)}


def _with_loopback(hosts: str) -> str:
    listed = [host.strip() for host in hosts.split(",") if host.strip()]
    return hosts if "*" in listed else ",".join(dict.fromkeys([*listed, *LOOPBACK]))


def _tokens(url: str) -> dict[str, str]:
    """Environment variables with the personas' tokens. Once the server has told them, it is ready."""
    with closing(Stub(url)) as stub:
        tokens = stub.world("default").tokens
    return {f"STUBSERVER_TOKEN_{name.upper().replace('-', '_')}": token for name, token in tokens.items()}


def _is_on_terminal(process: subprocess.Popen[bytes]) -> bool:
    """Whether a Ctrl-C reaches the command by itself: terminals send it to every process in their foreground group."""
    try:
        with Path("/dev/tty").open("rb", buffering=0) as terminal:
            return os.tcgetpgrp(terminal.fileno()) == os.getpgrp() == os.getpgid(process.pid)
    except OSError:  # no terminal, or no process any more
        return False
