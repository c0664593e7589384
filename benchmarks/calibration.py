"""A fixed piece of work in Python and JSON, which tells how fast the servers' core is just now.

Usage: python -m benchmarks.calibration; prints the microseconds of processor time that one piece takes.

Busy neighbours take room in the processor's caches and wake the kernel more often, and a server suffers from both. So
the work goes over many rows, and passes them through a socket.
"""

import json
import socket
import subprocess
import sys
import time

from benchmarks.process import pinned
from benchmarks.workloads import CHANGES

_ROWS = 4096
"""How many rows there are: more than fit into the caches of one core."""
_PIECES = 6000
"""How often the work is done: about a fifth of a second."""
_STRIDE = 1031
"""From one row to the next, so that neighbours in memory do not follow each other."""


def unit_us() -> float:
    """Do the work on the servers' core; returns the processor time that a piece takes, in microseconds."""
    command = pinned([sys.executable, "-m", __name__])
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)  # noqa: S603 (our own)


def main() -> None:
    """Do the work in this process, and print what a piece takes."""
    with Work() as work:
        begun = time.process_time()
        for number in range(_PIECES):
            work.piece(number)
        print((time.process_time() - begun) / _PIECES * 1e6)


class Work:
    """Rows to work with, and a socket. Leaving the context closes it."""

    def __init__(self) -> None:
        self._rows = [{**CHANGES, "name": f"{CHANGES['name']}, part {number}"} for number in range(_ROWS)]
        self._texts = [json.dumps(row).encode() for row in self._rows]
        self._here, self._there = socket.socketpair()

    def __enter__(self) -> "Work":
        return self

    def __exit__(self, *_: object) -> None:
        self._here.close()
        self._there.close()

    def piece(self, number: int) -> int:
        """One piece: what a server does, too, in small. Reads a row of JSON from the socket, changes another one with
        it, and writes that one; returns its size."""
        place = number * _STRIDE % _ROWS
        self._there.sendall(self._texts[place])
        sent = json.loads(self._here.recv(4096))
        before = self._rows[-place]
        row = {**before, **{name: sent[name] for name in sorted(sent) if _wanted(name, sent)}, "id": place}
        self._rows[-place] = row
        text = json.dumps(row).encode()
        self._here.sendall(text)
        return len(self._there.recv(4096))


def _wanted(name: str, row: dict[str, object]) -> bool:
    return not name.startswith("hide") and row.get(name) is not None


if __name__ == "__main__":
    main()
