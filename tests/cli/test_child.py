"""The command that `stubserver exec` runs: what it is told about the server, and which signals reach it."""

import json
import os
import re
import signal
from pathlib import Path
from typing import Any

import httpx
import pytest

from stubserver.cli import child
from stubserver.cli.child import direct
from tests.support import terminals
from tests.support.commands import CLEAN, COMMAND, PATIENCE
from tests.support.default import PERSONAS
from tests.support.executing import execute, script
from tests.support.terminals import heard

SIGNALS = """
import os, signal, sys
if "apart" in sys.argv:
    os.setpgid(0, 0)
read, write = os.pipe()
os.set_blocking(write, False)
signal.set_wakeup_fd(write)  # gets the number of each signal as it comes
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, lambda *_: None)
print("ready", flush=True)
name = ""
while name != "SIGTERM":
    name = signal.Signals(os.read(read, 1)[0]).name
    print(name, flush=True)
sys.exit(9)
"""
"""Print each signal received; SIGTERM is the last. With the argument `apart`, in a process group of its own."""


# Its environment


@pytest.mark.slow
def test_the_environment(tmp_path: Path) -> None:
    """The server ends with the command, too."""
    done = execute(command=script("print(json.dumps(dict(os.environ)))"), folder=tmp_path, MINE="yes")
    found = json.loads(done.stdout)
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", found["STUBSERVER_URL"])
    tokens = {name: value for name, value in found.items() if name.startswith("STUBSERVER_TOKEN_")}
    assert tokens == {f"STUBSERVER_TOKEN_{persona.upper()}": f"stub-{persona}" for persona in PERSONAS}
    assert found["MINE"] == "yes"
    assert found["PATH"] == CLEAN["PATH"]
    with pytest.raises(httpx.ConnectError):
        httpx.get(found["STUBSERVER_URL"])


@pytest.mark.slow
def test_standard_streams_pass_through(tmp_path: Path) -> None:
    text = "import sys; print(sys.stdin.read().upper(), end=''); print('oops', file=sys.stderr)"
    done = execute(command=script(text), folder=tmp_path, stdin="from a pipe\n")
    assert (done.returncode, done.stdout, done.stderr) == (0, "FROM A PIPE\n", "oops\n")


PROXY = {"HTTP_PROXY": "http://127.0.0.1:1", "http_proxy": "http://127.0.0.1:1", "ALL_PROXY": "http://127.0.0.1:1"}


@pytest.mark.slow
def test_no_proxy_stands_in_between(tmp_path: Path) -> None:
    """Even if the environment has one, which here is dead."""
    done = execute(command=script("print(ask('GET', '/api/v2/feature/') != 0)"), folder=tmp_path, **PROXY)
    assert (done.returncode, done.stdout, done.stderr) == (0, "True\n", "")


HOSTS = "localhost,127.0.0.1,::1"


@pytest.mark.parametrize(
    ("given", "upper", "lower"),
    [
        ({}, HOSTS, HOSTS),
        ({"NO_PROXY": "", "no_proxy": " , "}, HOSTS, HOSTS),
        ({"NO_PROXY": "corp.example, .lan"}, f"corp.example,.lan,{HOSTS}", f"corp.example,.lan,{HOSTS}"),
        ({"no_proxy": "corp.example"}, f"corp.example,{HOSTS}", f"corp.example,{HOSTS}"),
        ({"NO_PROXY": "a.example", "no_proxy": "b.example"}, f"a.example,{HOSTS}", f"b.example,{HOSTS}"),
        ({"no_proxy": "::1,a.example,localhost"}, *["::1,a.example,localhost,127.0.0.1"] * 2),
        ({"NO_PROXY": "*"}, "*", "*"),
    ],
)
def test_loopback_is_added_to_the_hosts_without_a_proxy(given: dict[str, str], upper: str, lower: str) -> None:
    """What is there stays, also for clients that read only the other variable."""
    assert direct(given) == {"NO_PROXY": upper, "no_proxy": lower}


# Signals


def running(*arguments: str, terminal: bool = False, **options: Any) -> Any:
    """The command on a terminal, which controls it only if asked to."""
    return terminals.running(*COMMAND, "exec", "--", *script(SIGNALS), *arguments, terminal=terminal, **options)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize("stdin", [True, False])
def test_a_signal_reaches_the_command(number: signal.Signals, stdin: bool) -> None:
    """The command then decides how it ends. A terminal on its standard input alone sends no Ctrl-C."""
    with running(stdin=stdin) as (process, terminal):
        heard(terminal, "ready")
        process.send_signal(number)
        assert heard(terminal, number.name) == [number.name]
        process.send_signal(signal.SIGTERM)
        assert heard(terminal, "SIGTERM") == ["SIGTERM"]
        assert process.wait(PATIENCE) == 9


@pytest.mark.slow
@pytest.mark.parametrize("stdin", [True, False])
def test_ctrl_c_reaches_the_command_once(stdin: bool) -> None:
    """The terminal sends it to both, whatever their standard input is; many commands read a second Ctrl-C as an order
    to drop everything."""
    with running(terminal=True, stdin=stdin) as (process, terminal):
        heard(terminal, "ready")
        for _ in range(50):  # two signals in quick succession may merge into one
            os.write(terminal, b"\x03")
            assert heard(terminal, "SIGINT") == ["SIGINT"]
        process.send_signal(signal.SIGTERM)
        assert heard(terminal, "SIGTERM") == ["SIGTERM"]
        assert process.wait(PATIENCE) == 9


@pytest.mark.slow
def test_ctrl_c_is_passed_on_to_a_command_in_a_group_of_its_own() -> None:
    """Which the terminal does not send it to."""
    with running("apart", terminal=True) as (process, terminal):
        heard(terminal, "ready")
        os.write(terminal, b"\x03")
        assert heard(terminal, "SIGINT") == ["SIGINT"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 9


@pytest.mark.slow
def test_a_signal_that_nohup_ignores_stays_ignored() -> None:
    with running(ignored=signal.SIGHUP) as (process, terminal):
        heard(terminal, "ready")
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGTERM)
        assert heard(terminal, "SIGTERM") == ["SIGTERM"]


def test_a_signal_is_kept_until_the_command_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[int] = []

    class Starting:
        def __init__(self, *_: object) -> None:
            signal.raise_signal(signal.SIGTERM)
            assert sent == []

        def pass_on(self, number: int) -> None:
            sent.append(number)

        def wait(self) -> int:
            return -15

    monkeypatch.setattr(child, "_tokens", lambda _: {})
    monkeypatch.setattr(child, "ProcessGroup", Starting)
    with child.interruptible():
        assert child.run(["x"], "http://127.0.0.1:1") == 128 + 15
    assert sent == [signal.SIGTERM]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_before_the_command_runs_ends_all(monkeypatch: pytest.MonkeyPatch, number: signal.Signals) -> None:
    """The command is never run, and signals mean again what they meant before."""

    def interrupted(_: str) -> dict[str, str]:
        signal.raise_signal(number)
        return {}

    before = signal.getsignal(number)
    monkeypatch.setattr(child, "_tokens", interrupted)
    monkeypatch.setattr(child, "ProcessGroup", None)
    with pytest.raises(SystemExit) as ended, child.interruptible():
        child.run(["x"], "http://127.0.0.1:1")
    assert ended.value.code == 128 + number
    assert signal.getsignal(number) == before


# What a command writes, and how long it may take


def test_what_a_command_writes_is_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(child, "_tokens", lambda _: {})
    with (tmp_path / "output").open("w+b") as file, child.interruptible():
        done = child.captured(["sh", "-c", "echo out; echo err >&2; exit 3"], "http://127.0.0.1:1", file, None)
        file.seek(0)
        assert sorted(file.read().split()) == [b"err", b"out"]
    assert done == (3, False, 0)


def test_a_command_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "_tokens", lambda _: {})
    with child.interruptible():
        done = child.captured(["sleep", "1000"], "http://127.0.0.1:1", None, 0.1)
    assert done == (128 + 15, True, 0)


def test_a_signal_that_was_passed_on_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "_tokens", lambda _: {})
    with child.interruptible():
        done = child.captured(["sh", "-c", f"kill -TERM {os.getpid()}; sleep 1000"], "http://127.0.0.1:1", None, None)
    assert done == (128 + 15, False, 15)
