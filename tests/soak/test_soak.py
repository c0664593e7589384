"""The soak itself, for a few seconds, and its command."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.soak import __main__ as command
from tests.soak.judge import MEGABYTE, Ending, Record, Sample, broken_promises
from tests.soak.load import Load
from tests.soak.log import NONE
from tests.soak.running import ServerEnded, Watch, soak
from tests.soak.steady import STEADY
from tests.sources import ROOT
from tests.support.commands import PATIENCE

IDLE = Sample(0, 80 * MEGABYTE, 14, 3)
HEALTH: dict[str, Any] = {
    "worlds": {"kept": 1},
    "requests": {"bytes": 1},
    "memory": {"worlds": 1, "snapshots": 1},
    "limits": {"max_worlds": 50, "max_journal": 9, "max_memory": 9},
}
SEEN = {"2xx": 70, "4xx": 20, "5xx": 7, NONE: 3}
SAMPLES = [Sample(at, 90 * MEGABYTE, 40, 4, 100, SEEN) for at in range(1, 130)]
RECORD = Record(130, IDLE, SAMPLES, IDLE, HEALTH, Ending(5.2, -15, 9, 9))


@pytest.mark.slow
@pytest.mark.untraced
def test_a_short_soak_breaks_no_promise(tmp_path: Path) -> None:
    told: list[Sample] = []
    record = soak(5, 1, tmp_path, told.append)
    assert broken_promises(record) == []
    assert told == [*record.samples]
    assert record.after.requests > record.before.requests
    assert record.ending.running == record.ending.hanging == 9
    assert record.after.answers["2xx"] > 0
    assert record.after.answers["4xx"] > 0


@pytest.mark.slow
@pytest.mark.untraced
def test_clients_that_cannot_do_what_they_should_say_so() -> None:
    """Nobody listens there."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    load = Load(f"http://127.0.0.1:{port}", 1)
    deadline = time.monotonic() + PATIENCE
    with load:
        while len(load.failures) < len(STEADY) and time.monotonic() < deadline:
            time.sleep(0.1)
    assert {failure.partition("-")[0] for failure in load.failures} == {*STEADY}


def run(monkeypatch: pytest.MonkeyPatch, record: Record) -> int:
    """The exit status of the command, had it seen this record."""

    def seen(seconds: float, seed: int, folder: Path, tell: Any) -> Record:
        for sample in record.samples:
            tell(sample)
        return record

    monkeypatch.setattr(command, "soak", seen)
    monkeypatch.setattr(sys, "argv", ["soak", "--seed", "7", "--duration", "130"])
    return command.main()


def test_the_command_shows_each_minute_and_passes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, RECORD) == 0
    first, _, *rows = capsys.readouterr().out.splitlines()
    assert first == "seed 7, 130 s"
    assert [row.split() for row in rows[:3]] == [
        ["60", "90.0", "100", "70", "0", "20", "7", "3", "40", "4"],
        ["120", "90.0", "100", "70", "0", "20", "7", "3", "40", "4"],
        ["0", "80.0", "0", "0", "0", "0", "0", "0", "14", "3"],
    ]
    assert rows[-1] == "soak passed"


def test_the_command_fails_with_a_line_for_each_broken_promise(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    leaky = Sample(0, 80 * MEGABYTE, None, 5)
    ending = Ending(20, None, 9, 9)
    assert run(monkeypatch, Record(130, IDLE, SAMPLES, leaky, HEALTH, ending, strange=["Traceback"])) == 1
    *_, traceback, threads, end, last = capsys.readouterr().out.splitlines()
    assert traceback == "BROKEN: this should not be in the log: Traceback"
    assert threads == "BROKEN: threads are left: 5 without clients again, 3 before the load"
    assert end == "BROKEN: the server did not end within 20.0 s of SIGTERM"
    assert last == "soak failed"


def test_a_server_that_has_ended_is_a_broken_promise(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def seen(*_: Any) -> Record:
        raise ServerEnded("the server ended with status 1 after 7 s: ")

    monkeypatch.setattr(command, "soak", seen)
    monkeypatch.setattr(sys, "argv", ["soak"])
    assert command.main() == 1
    *_, broken, last = capsys.readouterr().out.splitlines()
    assert broken.startswith("BROKEN: the server ended with status 1 after 7 s")
    assert last == "soak failed"


@pytest.mark.slow
@pytest.mark.untraced
@pytest.mark.parametrize("is_over", [True, False], ids=["reaped", "just ended"])
def test_a_server_that_has_ended_is_noticed(tmp_path: Path, is_over: bool) -> None:
    (tmp_path / "err").write_text("last words\n")
    ended = subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"])
    os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
    if is_over:
        ended.wait(PATIENCE)
    watch = Watch(SimpleNamespace(process=ended, err=tmp_path / "err"))  # type: ignore[arg-type]
    with pytest.raises(ServerEnded, match="ended with status 3 after 0 s: last words"):
        watch.sample()


@pytest.mark.slow
@pytest.mark.untraced
@pytest.mark.parametrize("duration", ["2", "x", "nan"])
def test_a_duration_that_cannot_be_is_refused(duration: str) -> None:
    asked = [sys.executable, "-m", "tests.soak", "--duration", duration]
    done = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("python -m tests.soak: error: argument --duration: ")
