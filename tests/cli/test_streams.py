"""Standard streams that are closed or broken."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.commands import COMMAND
from tests.support.executing import execute

SCRIPT = """
import os, sys
from stubserver.cli.streams import open_closed, optional_output
open_closed()
print("err", file=sys.stderr)
assert sys.stdin.read() == ""
reading, writing = os.pipe()
with optional_output():
    print("out")
    print("banner" * 100000)
print("later", flush=True)
sys.exit(0 if reading > 2 else 9)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("streams", "out", "err"),
    [
        ("", True, True),
        (">&-", False, True),
        ("2>&-", True, False),
        (">&- 2>&-", False, False),
        ("<&- >&- 2>&-", False, False),
        (">/dev/full", False, True),
    ],
)
def test_what_is_printed_goes_where_it_can(streams: str, out: bool, err: bool) -> None:
    """No file gets the number of a standard stream, and nothing is raised, not even at the end."""
    done = subprocess.run(
        ["sh", "-c", f'exec "$0" -c "$1" {streams}', sys.executable, SCRIPT],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "err\n" if err else "")
    assert done.stdout == (f"out\n{'banner' * 100000}\nlater\n" if out else "")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("encoding", "out"), [("cp1252", b"\xfc \\u65e5\n"), ("latin-1", b"\xfc \\u65e5\n"), ("utf-8", "ü 日\n".encode())]
)
def test_what_the_encoding_lacks_is_printed_as_escapes(encoding: str, out: bytes) -> None:
    """Clients make up names, and not every terminal or pipe takes UTF-8."""
    text = "from stubserver.cli.streams import print_anything; print_anything(); print('ü 日')"
    done = subprocess.run(
        [sys.executable, "-c", text],
        env={**os.environ, "PYTHONIOENCODING": encoding},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, out, b"")


@pytest.mark.slow
def test_the_command_prints_what_the_encoding_lacks(tmp_path: Path) -> None:
    ask = "curl -s $STUBSERVER_URL/api/v2/course/search/?%E6%97%A5=1"
    text = f"{ask} >&2 && {shlex.join([*COMMAND, 'explain', 'default-1'])} --url $STUBSERVER_URL"
    done = execute(command=["sh", "-c", text], folder=tmp_path, PYTHONIOENCODING="cp1252")
    assert done.returncode == 0, done.stderr
    assert "unknown   parameter \\u65e5\n" in done.stdout
