"""The soak: everything at once against one real server for ten minutes, then a verdict.

Usage: python -m tests.soak [--duration SECONDS] [--seed N]
Prints a line for each minute, and exits with status 1 and a line for each promise that was broken:

- Memory stays level, and within its bounds.
- No answer has a 5xx but those that faults asked for; the log holds nothing odd; no client that behaves well fails.
- No descriptor, thread or task is left once all clients have gone.
- The server ends in time while requests hang.
"""

import argparse
import random
import sys
import tempfile
from pathlib import Path

from tests.soak.judge import MEGABYTE, TOLERANCE, Record, Sample, broken_promises, levels
from tests.soak.log import NONE
from tests.soak.running import ServerEnded, soak

CLASSES = ("2xx", "3xx", "4xx", "5xx", NONE)
_ROW = "{:>7} {:>9} {:>9} " + "{:>8} " * len(CLASSES) + "{:>5} {:>7}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak")
    parser.add_argument("--duration", type=int, default=600, help="seconds of load, at least 3")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))  # noqa: S311 (not a secret)
    options = parser.parse_args()
    if options.duration < 3:
        parser.error(f"argument --duration: {options.duration} is too short: use at least 3 seconds")
    print(f"seed {options.seed}, {options.duration} s", flush=True)
    print(_ROW.format("seconds", "memory/MB", "requests", *CLASSES, "files", "threads"), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        try:
            record = soak(options.duration, options.seed, Path(folder), Table().tell)
        except ServerEnded as error:
            print(f"BROKEN: {error}\nsoak failed")
            return 1
    _show(record.after)
    print("\n".join(summary(record)))
    broken = broken_promises(record)
    for line in broken:
        print(f"BROKEN: {line}")
    print("soak failed" if broken else "soak passed")
    return 1 if broken else 0


class Table:
    """Shows a sample of each minute."""

    def __init__(self) -> None:
        self._next = 60.0

    def tell(self, sample: Sample) -> None:
        """Show the sample if it is the first one of its minute."""
        if sample.at >= self._next:
            self._next += 60
            _show(sample)


def _show(sample: Sample) -> None:
    answers = (sample.answers.get(name, 0) for name in CLASSES)
    counted = ("-" if count is None else count for count in (sample.files, sample.threads))
    memory = f"{sample.memory / MEGABYTE:.1f}"
    print(_ROW.format(f"{sample.at:.0f}", memory, sample.requests, *answers, *counted), flush=True)


def summary(record: Record) -> list[str]:
    """What the table does not show. (Its last line is the server without clients again.)"""
    first, last = (level / MEGABYTE for level in levels(record))
    ending = record.ending
    return [
        f"memory: {first:.1f} MB after the first minute, {last:.1f} MB at the end; "
        f"{TOLERANCE / MEGABYTE:.0f} MB more would be tolerated",
        f"before the load: {record.before.files or 'uncounted'} files, {record.before.threads or 'uncounted'} threads",
        f"connections that ended with what is no request in HTTP/1.1: {record.refused}",
        f"SIGTERM: status {ending.status} after {ending.seconds:.1f} s, with {ending.running} requests still running, "
        f"of which {ending.hanging} were meant to hang",
    ]


if __name__ == "__main__":
    sys.exit(main())
