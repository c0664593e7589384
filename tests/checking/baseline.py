"""What Schemathesis notices of the planted bugs by itself, with our own hooks and all its checks.

    python -m tests.checking.baseline SECONDS [NAME...]

prints that for each bug. SECONDS are what it may take for one, for a fair comparison as long as a check of a server
without bugs takes. A bug counts as noticed if any check fails; before the first bug, a server without one must pass.
"""

import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
import uvicorn

from stubserver.serving.sockets import bind, url_of
from tests.checking.bugs import BUGS
from tests.checking.faulty_server import FaultyServer
from tests.fuzz.gate import HERE, TARGETS, base_command, environment

NONE = "(no bug)"
_GRACE = 60
"""Seconds for the start and the end of Schemathesis."""


@contextmanager
def served(*bugs: str) -> Iterator[str]:
    """The URL of a server with these bugs, in the world that the hooks know."""
    listener = bind("127.0.0.1", 0)
    server = uvicorn.Server(
        uvicorn.Config(
            FaultyServer(*(BUGS[name] for name in bugs), fixture="default"), log_level="error", lifespan="off"
        )
    )
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    try:
        yield url_of(listener)
    finally:
        server.should_exit = True
        thread.join(10)


def noticed(url: str, seconds: int, document: Path) -> str:
    """The first check that fails; empty if none does. Raises RuntimeError if Schemathesis did not run."""
    bounds = ("--max-time", str(seconds), "--max-failures", "1", "--warnings", "off", "--seed", "1")
    done = subprocess.run(
        [*base_command(TARGETS[0], url, document), *bounds],
        cwd=HERE,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=seconds + _GRACE,
        check=False,
    )
    if done.returncode not in (0, 1):
        raise RuntimeError(done.stdout[-2000:] + done.stderr[-2000:])
    found = re.search(r"^- (.+)$", done.stdout, re.MULTILINE)
    return "" if not done.returncode else found[1] if found else done.stdout[-500:]


def main(seconds: str, *names: str) -> None:
    """Print what is noticed of each bug."""
    caught = 0
    with tempfile.TemporaryDirectory() as folder:
        document = Path(folder) / "openapi.json"
        document.write_bytes(orjson.dumps(TARGETS[0].contract.document))
        for name in (NONE, *(names or BUGS)):
            with served(*([] if name == NONE else [name])) as url:
                check = noticed(url, int(seconds), document)
            caught += bool(check) and name != NONE
            print(f"{name:50} {check or ' - '}", flush=True)
    print(f"{caught} of {len(names or BUGS)} noticed")


if __name__ == "__main__":
    main(*sys.argv[1:])
