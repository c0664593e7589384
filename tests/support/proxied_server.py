"""`stubserver serve` behind `stubserver proxy`, for suites that start a server of their own.

    python -m tests.support.proxied_server FOLDER serve --port 0

announces the address of the proxy as the server announces its own. When it is told to end, both end, and the proxy
leaves a report and a HAR file in the folder.
"""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO

from tests.support.commands import COMMAND, PATIENCE


def main(folder: str, *arguments: str) -> None:
    """Serve until told to end."""
    server = subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    upstream = _address(server.stdout, r"API +(http://[^/]+)/")
    report, har = (str(Path(folder) / f"{os.getpid()}.{kind}") for kind in ("json", "har"))
    options = ["--upstream", upstream, "--port", "0", "--format", "json", "--output", report, "--har", har]
    proxy = subprocess.Popen([*COMMAND, "proxy", *options], stderr=subprocess.PIPE, text=True)

    def end(*_: object) -> None:
        proxy.send_signal(signal.SIGINT)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    url = _address(proxy.stderr, r"^(http://\S+) passes")
    print(f"API {url}/api/v2/", flush=True)
    assert proxy.stderr is not None
    for _ in proxy.stderr:  # its log, until it ends
        pass
    proxy.wait(PATIENCE)
    server.terminate()
    server.wait(PATIENCE)


def _address(lines: IO[str] | None, pattern: str) -> str:
    """The address in the first line that has one."""
    for line in lines or ():
        if found := re.search(pattern, line):
            return found[1]
    sys.exit("it has not started")


if __name__ == "__main__":
    main(*sys.argv[1:])
