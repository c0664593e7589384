"""What usually runs on one server, on two processes that share a store: `python -m tests.sharing STORE PART`.

STORE is sqlite or redis. The parts are `suite` (pytest over HTTP), `client` (the vendor's client) and `fuzz` (the
gate). nginx sends each request to the other process. `python -m tests.sharing STORE serve` is such a pair, with the
banner of a server; it stands for the command `stubserver` in the last two parts, which start servers themselves.
"""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.sharing.cluster import SHARED, sharing
from tests.support.commands import COMMAND
from tests.support.engines import round_robin

ROOT = Path(__file__).parent.parent.parent
SUITE = (sys.executable, "-m", "tests.sharing.suite_server")
ELSEWHERE = ("tests/tools", "tests/sharing", "tests/edges", "tests/soak", "tests/framework")
"""Tests that start all their servers themselves, so the store would make no difference."""
NOT_BEHIND_NGINX = (
    "tests/test_errors.py::test_refusals[path with NUL]",
    "tests/test_errors.py::test_refusals[file of the server]",
    "tests/pages/test_consent.py::test_authorize_takes_the_one_it_is_told[state6]",
)
"""Tests whose requests nginx refuses, or answers otherwise: a NUL, a path with dots, and a head of five kilobytes."""
PROCESSES = 2


@contextmanager
def pair(store: str, command: Sequence[str], *options: str) -> Iterator[tuple[str, str]]:
    """Two processes that share a new store; gives the URL of nginx in front of them, and the banner of the first."""
    with (
        tempfile.TemporaryDirectory() as folder,
        sharing(store, Path(folder), PROCESSES, command, *options) as cluster,
        round_robin(cluster.ports) as url,
    ):
        yield url, cluster.served(0).banner.replace(cluster.urls[0], url)


def suite(store: str) -> int:
    """Run the suite of pytest; what it does not do over HTTP, it does in its own processes as ever."""
    with pair(store, SUITE) as (url, _):
        options = ["-o", "addopts=--strict-markers --strict-config -q -p no:schemathesis", "--stub-url", url]
        chosen = ["-n", "2", "--maxschedchunk", "4", "-m", "not slow and not long"]
        left_out = [*(f"--ignore={name}" for name in ELSEWHERE), *(f"--deselect={name}" for name in NOT_BEHIND_NGINX)]
        return subprocess.run([sys.executable, "-m", "pytest", *options, *chosen, *left_out], cwd=ROOT).returncode


def serve(store: str) -> int:
    """Be such a pair until a signal ends it."""
    signals = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    with pair(store, (*COMMAND, "serve")) as (_, banner):
        print(banner, end="", flush=True)
        signal.sigwait(signals)
    return 0


def client(store: str) -> int:
    """Run the tests of the vendor's client."""
    return _run(store, ["npm", "test"], ROOT / "tests" / "node")


def fuzz(store: str) -> int:
    """Run the fuzz gate, with the arguments that follow."""
    return _run(store, [sys.executable, "-m", "tests.fuzz.gate", *sys.argv[3:]], ROOT)


def _run(store: str, command: Sequence[str], folder: Path) -> int:
    """Run a command for which the command `stubserver` is such a pair."""
    with tempfile.TemporaryDirectory() as scripts:
        script = Path(scripts) / "stubserver"
        script.write_text(f'#!/bin/sh\ncd "{ROOT}" && exec "{sys.executable}" -m tests.sharing {store} serve\n')
        script.chmod(0o755)
        return subprocess.run(command, cwd=folder, env={**os.environ, "STUBSERVER": str(script)}).returncode


PARTS = {part.__name__: part for part in (suite, client, fuzz, serve)}


def main() -> int:
    if len(sys.argv) < 3 or sys.argv[1] not in SHARED or sys.argv[2] not in PARTS:
        print(f"usage: python -m tests.sharing {'|'.join(SHARED)} {'|'.join(PARTS)}", file=sys.stderr)
        return 2
    return PARTS[sys.argv[2]](sys.argv[1])


if __name__ == "__main__":
    sys.exit(main())
