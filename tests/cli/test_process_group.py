"""A command and all that it starts, which get signals as one and end as one."""

import os
import select
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from stubserver.cli import process_group
from stubserver.cli.process_group import ProcessGroup
from tests.support.commands import PATIENCE

pytestmark = pytest.mark.slow


class Pipe:
    """A named pipe: whoever writes to it is heard, and its end tells that nobody holds it any more."""

    def __init__(self, file: Path) -> None:
        os.mkfifo(file)
        self.file = file
        self.reading = os.open(file, os.O_RDONLY | os.O_NONBLOCK)

    def heard(self) -> bytes:
        assert select.select([self.reading], [], [], PATIENCE)[0]
        return os.read(self.reading, 100)


@pytest.fixture
def pipe(tmp_path: Path) -> Iterator[Pipe]:
    found = Pipe(tmp_path / "pipe")
    yield found
    os.close(found.reading)


# The scripts say that they are ready where their shell is not about to start a process: dash may lose a signal then.


def started(script: str, pipe: Pipe) -> ProcessGroup:
    return ProcessGroup(["sh", "-c", f"exec 3>{pipe.file}; {script}"], os.environ)


DEAF = "trap '' INT TERM HUP; echo a >&3; sleep 1000; true"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_reaches_descendants(pipe: Pipe, number: signal.Signals) -> None:
    """As with `npm run`, whose shell does not pass it on."""
    group = started("sh -c 'echo a >&3; exec sleep 1000'; true", pipe)
    assert pipe.heard() == b"a\n"
    group.pass_on(number)
    assert group.wait() == -number
    assert pipe.heard() == b""


@pytest.mark.parametrize("deaf", ["", "trap '' TERM;"])
def test_what_the_command_leaves_running_is_ended(monkeypatch: pytest.MonkeyPatch, pipe: Pipe, deaf: str) -> None:
    monkeypatch.setattr(process_group, "MOMENT", 0.1)
    monkeypatch.setattr(process_group, "GRACE", 0.1)
    group = started(f"({deaf} echo a >&3; exec sleep 1000) & exit 3", pipe)
    assert pipe.heard() == b"a\n"
    assert group.wait() == 3
    assert pipe.heard() == b""


def test_what_ends_by_itself_in_a_moment_may_do_so(monkeypatch: pytest.MonkeyPatch, pipe: Pipe) -> None:
    """For example, the `tee` of a script."""
    monkeypatch.setattr(process_group, "MOMENT", PATIENCE)
    group = started("echo a >&3; (sleep 0.1; echo end >&3) &", pipe)
    assert group.wait() == 0
    assert pipe.heard() == b"a\nend\n"


def test_who_stays_after_a_signal_is_killed(monkeypatch: pytest.MonkeyPatch, pipe: Pipe) -> None:
    monkeypatch.setattr(process_group, "GRACE", 0)
    group = started(DEAF, pipe)
    assert pipe.heard() == b"a\n"
    group.pass_on(signal.SIGTERM)
    assert group.wait() == -signal.SIGKILL
    assert pipe.heard() == b""


def test_the_same_signal_again_kills(monkeypatch: pytest.MonkeyPatch, pipe: Pipe) -> None:
    monkeypatch.setattr(process_group, "MOMENT", 0)
    group = started(DEAF, pipe)
    assert pipe.heard() == b"a\n"
    group.pass_on(signal.SIGINT)
    group.pass_on(signal.SIGTERM)
    group.pass_on(signal.SIGINT)
    assert group.wait() == -signal.SIGKILL
    assert pipe.heard() == b""


def test_a_signal_told_twice_at_once_counts_once(monkeypatch: pytest.MonkeyPatch, pipe: Pipe) -> None:
    """npm passes on what the whole group gets anyway."""
    monkeypatch.setattr(process_group, "MOMENT", PATIENCE)
    group = started("trap 'exit 7' TERM; echo a >&3; while :; do :; done", pipe)
    assert pipe.heard() == b"a\n"
    group.pass_on(signal.SIGTERM)
    group.pass_on(signal.SIGTERM)
    assert group.wait() == 7


def test_a_signal_after_the_end_reaches_nobody(monkeypatch: pytest.MonkeyPatch, pipe: Pipe) -> None:
    """The number of the group may be that of others by then."""
    group = started("true", pipe)
    assert group.wait() == 0
    monkeypatch.setattr(os, "killpg", None)
    group.pass_on(signal.SIGTERM)


# Windows, which has no groups


@pytest.fixture
def _without_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_group, "_HAS_GROUPS", False)
    monkeypatch.setattr(process_group, "_KILL", signal.SIGTERM)
    monkeypatch.delattr(os, "killpg")


@pytest.mark.usefixtures("_without_groups")
def test_without_groups_the_command_alone_gets_signals(pipe: Pipe) -> None:
    """All but SIGINT: the console sends it to the command as well."""
    group = started("trap 'echo int >&3' INT; trap 'exit 7' TERM; echo a >&3; while :; do :; done", pipe)
    assert pipe.heard() == b"a\n"
    group.pass_on(signal.SIGINT)
    group.pass_on(signal.SIGTERM)
    assert group.wait() == 7
    assert pipe.heard() == b""


@pytest.mark.usefixtures("_without_groups")
def test_without_groups_the_same_signal_again_ends_the_command(monkeypatch: pytest.MonkeyPatch, pipe: Pipe) -> None:
    monkeypatch.setattr(process_group, "MOMENT", 0)
    group = started("trap '' INT; echo a >&3; while :; do :; done", pipe)
    assert pipe.heard() == b"a\n"
    group.pass_on(signal.SIGINT)
    group.pass_on(signal.SIGINT)
    assert group.wait() == -signal.SIGTERM


def test_a_command_is_run_under_its_full_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Windows finds npm as npm.CMD, but does not run it as npm."""
    file = tmp_path / "npm.CMD"
    file.write_text("#!/bin/sh\nexit $1")
    file.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda name: str(file) if name == "npm" else None)
    assert ProcessGroup(["npm", "5"], os.environ).wait() == 5


def test_a_command_keeps_the_name_by_which_it_was_called() -> None:
    """Which some programs look at."""
    assert process_group._runnable(["sh", "-c", "true"]) == ["sh", "-c", "true"]
