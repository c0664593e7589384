"""Standard streams that are closed or broken."""

import subprocess
import sys

import pytest

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
