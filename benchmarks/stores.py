"""What stores of worlds cost: requests, many worlds, and catching up, beside worlds in the memory of one process.

Usage: python -m benchmarks.stores [--rounds 5] [--seconds 1] [--worlds 10000] [--parts requests worlds catch-up]

All servers are up at once and take turns, so compare the figures of one run with each other. Tables are printed, and
written to benchmarks/results/stores.md. A wrong answer ends the run with status 1; a bound that is exceeded does not.
"""

import argparse
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks import catching_up, many_worlds, sharing, store_costs
from benchmarks.contender import NotReady
from benchmarks.load import BadSample
from benchmarks.options import need_wrk, positive
from benchmarks.process import step_aside
from benchmarks.recording import WrongAnswer

_FILE = Path(__file__).parent / "results" / "stores.md"
Part = Callable[[sharing.Stores, argparse.Namespace], str]
PARTS: Mapping[str, Part] = {
    "requests": lambda stores, options: store_costs.measured(stores, options.rounds, options.seconds),
    "worlds": lambda stores, options: many_worlds.measured(stores, options.worlds),
    "catch-up": lambda stores, _: catching_up.measured(stores),
}
"""Each of them returns what it found, as Markdown."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, then write and print the results."""
    options = _options(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    try:
        with sharing.stores() as stores:  # whose Redis has all cores, as the servers have
            step_aside()
            found = [PARTS[part](stores, options) for part in options.parts]
    except KeyboardInterrupt:
        sys.exit("\nstopped")
    except (BadSample, NotReady, WrongAnswer) as error:
        sys.exit(f"error: {error}")
    text = "\n\n".join(["# Stores", *found]) + "\n"
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(text, encoding="utf-8")
    print(f"\n{text}")


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=positive, default=5, help="samples of each request")
    parser.add_argument("--seconds", type=positive, default=1, help="length of a sample")
    parser.add_argument("--worlds", type=positive, default=10_000, help="how many worlds are forked")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=[*PARTS], help="what is measured")
    parser.add_argument("--output", type=Path, default=_FILE, help="file for the tables")
    options = parser.parse_args(arguments)
    if "requests" in options.parts:
        need_wrk(parser, "make bench-stores")
    return options


if __name__ == "__main__":
    main()
