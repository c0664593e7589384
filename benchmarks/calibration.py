"""A fixed piece of work in Python and JSON, which tells how fast the servers' core is just now.

Usage: python -m benchmarks.calibration; prints the microseconds of processor time that one piece takes.
"""

import json
import subprocess
import sys
import time

from benchmarks.process import pinned
from benchmarks.workloads import CHANGES

_PIECES = 2500
"""How often the work is done: about a tenth of a second."""


def unit_us() -> float:
    """Do the work on the servers' core; returns the processor time that a piece takes, in microseconds."""
    command = pinned([sys.executable, "-m", __name__])
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)  # noqa: S603 (our own)


def main() -> None:
    """Do the work in this process, and print what a piece takes."""
    begun = time.process_time()
    for number in range(_PIECES):
        piece(number)
    print((time.process_time() - begun) / _PIECES * 1e6)


def piece(number: int) -> int:
    """One piece: what a server does, too, in small: reading and writing JSON, changing dicts, comparing, calling."""
    row = {**json.loads(json.dumps(CHANGES)), "id": number}
    names = sorted(row)
    found = {name: row[name] for name in names if _wanted(name, row)}
    return len(json.dumps(found))


def _wanted(name: str, row: dict[str, object]) -> bool:
    return not name.startswith("hide") and row.get(name) is not None


if __name__ == "__main__":
    main()
