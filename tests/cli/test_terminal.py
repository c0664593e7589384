"""The terminal of `stubserver exec`: the command has it while it runs; before and after, whoever ran `exec` has it."""

import os
import shlex
import sys

import pytest

from tests.support.commands import COMMAND, PATIENCE
from tests.support.terminals import heard, running

pytestmark = pytest.mark.slow

EXEC = shlex.join([*COMMAND, "exec", "--"])


def test_the_command_reads_what_is_typed_and_then_others_do() -> None:
    script = f"""{EXEC} sh -c 'echo first; read line; echo "the command read $line"'; read line; echo "I read $line" """
    with running("sh", "-c", script) as (process, terminal):
        heard(terminal, "first")
        os.write(terminal, b"one\n")
        assert heard(terminal, "the command read one")
        os.write(terminal, b"two\n")
        assert heard(terminal, "I read two")
        assert process.wait(PATIENCE) == 0


def test_ctrl_z_stops_all_until_continued() -> None:
    """A shell with job control sees a stopped job, and the command goes on with the terminal once it is in the
    foreground again."""
    script = f"""{EXEC} sh -c 'echo begun; read line; echo "read $line"'; echo stopped; fg; echo over"""
    with running("bash", "--norc", "-mc", script) as (process, terminal):
        heard(terminal, "begun")
        os.write(terminal, b"\x1a")
        assert heard(terminal, "stopped")
        os.write(terminal, b"on\n")
        assert heard(terminal, "read on")
        assert heard(terminal, "over")
        assert process.wait(PATIENCE) == 0


def test_ctrl_c_ends_what_ran_exec_too() -> None:
    """The terminal would have sent it to both if the command had no group of its own."""
    command = f"{EXEC} sh -c 'echo begun; read line'"
    script = f"import subprocess; subprocess.run({command!r}, shell=True, check=False); print('after')"
    with running(sys.executable, "-c", script) as (process, terminal):
        heard(terminal, "begun")
        os.write(terminal, b"\x03")
        assert "after" not in heard(terminal, "KeyboardInterrupt")
        process.wait(PATIENCE)
