"""The command that `stubserver exec` runs: what its environment says about the server, and which signals it gets."""

import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from types import FrameType
from typing import IO, NamedTuple

from stubserver.addressing import LOOPBACK
from stubserver.cli.process_group import ProcessGroup
from stubserver.testing import Stub

_PASSED_ON = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
"""Windows has no SIGHUP."""
_Handler = Callable[[int, FrameType | None], None]


@contextmanager
def interruptible() -> Iterator[None]:
    """Within, a signal raises SystemExit with 128 plus its number, until a command runs, which gets all further ones.
    Afterwards, signals do what they did before."""

    def end(number: int, _: FrameType | None) -> None:
        raise SystemExit(128 + number)

    with handled(end):
        yield


@contextmanager
def handled(handler: _Handler) -> Iterator[None]:
    """The same, but a signal calls `handler`."""
    before = {number: signal.getsignal(number) for number in _PASSED_ON}
    _handle(handler)
    try:
        yield
    finally:
        for number, its in before.items():
            signal.signal(number, its)


def run(command: Sequence[str], url: str) -> int:
    """Run a command with the server at `url`, and return its exit status: 128 plus the signal's number if a signal
    ended it. From now on, signals are passed on to the command and to all that it has started.

    Raises OSError if it cannot be run, and StubError if the server does not answer.
    """
    return captured(command, url, None, None).status


class Captured(NamedTuple):
    """How a command ended."""

    status: int
    overdue: bool
    """Whether it was ended because it took too long."""
    interrupted: int
    """The last signal that was passed on to it; 0 if there was none."""


def captured(
    command: Sequence[str],
    url: str,
    output: IO[bytes] | None,
    seconds: float | None,
    signals: list[int] | None = None,
) -> Captured:
    """The same, for so many seconds at most; what it writes goes to `output`, unless that is None. `signals` are those
    that came before and that the command gets as well; all further ones are added."""
    environment = {**os.environ, **direct(os.environ), "STUBSERVER_URL": url, **_tokens(url)}
    passed = [] if signals is None else signals
    early = [*passed]
    started: list[ProcessGroup] = []

    def pass_on(number: int, _: FrameType | None) -> None:
        passed.append(number)
        if started:
            started[0].pass_on(number)
        else:
            early.append(number)

    _handle(pass_on)
    group = ProcessGroup(command, environment, output)
    started.append(group)
    for number in early:
        group.pass_on(number)
    overdue = threading.Event()
    with _timer(seconds, group, overdue):
        status = group.wait()
    return Captured(status if status >= 0 else 128 - status, overdue.is_set(), passed[-1] if passed else 0)


@contextmanager
def _timer(seconds: float | None, group: ProcessGroup, overdue: threading.Event) -> Iterator[None]:
    """Within, the group is ended after so many seconds, and then `overdue` is set."""

    def end() -> None:
        overdue.set()
        group.pass_on(signal.SIGTERM)

    timer = threading.Timer(seconds or 0, end)
    timer.daemon = True
    if seconds is not None:
        timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _handle(handler: _Handler) -> None:
    for number in _PASSED_ON:
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup ignores a signal for the command, too
            signal.signal(number, handler)


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
