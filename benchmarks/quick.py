"""Has a request become more expensive? Compares our processor time per request with figures that were stored before.

Usage: python -m benchmarks.quick [--rounds 12] [--seconds 2] [--figures FILE] [--store-figures]

The speed of a machine varies by more than what is looked for, so the unit is a fixed piece of work in Python and JSON,
which is done on the server's core before and after each sample. A workload has regressed if both its median and its
least ratio to that work are higher than the stored ones by 10 % or more; the status is then 1. Store new figures after
a change that is meant to cost something, and on each new machine or Python.
"""

import argparse
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks import calibration, ratios, tables
from benchmarks.contender import Contender, NotReady
from benchmarks.load import BadSample
from benchmarks.options import need_wrk, positive
from benchmarks.peers import ours
from benchmarks.process import step_aside
from benchmarks.ratios import Figures, Ratio, Unreadable
from benchmarks.recording import WrongAnswer, record
from benchmarks.workloads import WORKLOADS

_FILE = Path(__file__).parent / "results" / "quick.json"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, then store the figures or compare them; a regression ends with status 1."""
    options = _options(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    step_aside()
    try:
        stored = None if options.store_figures else ratios.read(options.figures)
        found = Figures(ratios.here(), _measured(options.rounds, options.seconds))
    except KeyboardInterrupt:
        sys.exit("\nstopped")
    except (BadSample, NotReady, Unreadable, WrongAnswer) as error:
        sys.exit(f"error: {error}")
    if stored is None:
        ratios.write(options.figures, found)
        print(f"Stored in {options.figures}: {ratios.words(found)}")
    else:
        _compare(stored, found)


def _compare(stored: Figures, found: Figures) -> None:
    if stored.machine != found.machine:
        print(f"warning: the stored figures are from {stored.machine}, these from {found.machine}; they may differ")
    print(f"\n{tables.table(ratios.HEADS, ratios.rows(stored, found))}")
    if regressed := ratios.regressed(stored, found):
        sys.exit(f"error: slower by {ratios.TOLERATED - 1:.0%} or more: {', '.join(regressed)}")


def _measured(rounds: int, seconds: int) -> dict[str, Ratio]:
    """The ratio of each workload. Raises BadSample, NotReady or WrongAnswer."""
    samples: dict[str, list[float]] = {name: [] for name in WORKLOADS}
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder, Contender(ours(), Path(folder)) as contender:
        contender.start()
        record(contender.url)
        for workload in WORKLOADS.values():
            contender.load(workload, seconds)
        before = calibration.unit_us()
        for number in range(rounds):
            print(f"Round {number + 1} of {rounds}", flush=True)
            for name, workload in WORKLOADS.items():
                cost = contender.load(workload, seconds).cpu_us
                after = calibration.unit_us()
                samples[name].append(cost / ((before + after) / 2))
                before = after
    return {name: Ratio.of(found) for name, found in samples.items()}


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--rounds", type=positive, default=12, help="samples of each workload")
    parser.add_argument("--seconds", type=positive, default=2, help="length of a sample")
    parser.add_argument("--figures", type=Path, default=_FILE, help="file with the stored figures")
    parser.add_argument("--store-figures", action="store_true", help="store new figures; compare with nothing")
    options = parser.parse_args(arguments)
    need_wrk(parser, "make bench-quick")
    return options


if __name__ == "__main__":
    main()
