"""Compares our server with other stub and mock servers: the same requests, answers of the same size, one core.

Usage: python -m benchmarks.compare [--rounds 5] [--seconds 3] [--only NAMES] [--workloads NAMES] [--skip-latency]

The servers take turns, workload by workload; all others are paused. Compare the processor time per request: requests
per second also depend on what else the machine does. Tables, figures and a chart go to benchmarks/results/.
"""

import argparse
import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import peers, report
from benchmarks.figures import Result
from benchmarks.match import Lost, Match
from benchmarks.process import step_aside
from benchmarks.workloads import WORKLOADS

START = "start"
_STARTS = 3
_FOLDER = Path(__file__).parent / "results"


def main() -> None:
    """Measure, then write and print the results."""
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    step_aside()
    begun = time.monotonic()
    try:
        results = _measured(options)
    except KeyboardInterrupt:
        sys.exit("\nstopped")
    except Lost as error:
        sys.exit(f"error: {error}")
    setting = report.setting(options.rounds, options.seconds, time.monotonic() - begun)
    print(report.write(options.output, results, setting))


def _measured(options: argparse.Namespace) -> list[Result]:
    servers = [server for server in peers.servers() if server.name in (options.only or [server.name])]
    workloads = [WORKLOADS[name] for name in options.workloads if name != START]
    with (
        tempfile.TemporaryDirectory(prefix="benchmark-") as folder,
        Match(servers, workloads, options.seconds, Path(folder)) as match,
    ):
        print("Starting the servers", flush=True)
        match.start(_STARTS if START in options.workloads else 1)
        if workloads:
            print("Warming up", flush=True)
            match.warm_up()
        for number in range(options.rounds if workloads else 0):
            print(f"Round {number + 1} of {options.rounds}", flush=True)
            match.round()
        if WORKLOADS["get"] in workloads and not options.skip_latency:
            print("Latency at half load", flush=True)
            match.latencies(WORKLOADS["get"])
        return match.results()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="samples of each workload and server")
    parser.add_argument("--seconds", type=int, default=3, help="length of a sample")
    parser.add_argument("--only", type=_names, metavar="NAMES", help="servers, separated by commas")
    parser.add_argument("--workloads", type=_names, metavar="NAMES", default=[*WORKLOADS, START])
    parser.add_argument("--skip-latency", action="store_true", help="do not measure p50 and p99")
    parser.add_argument("--output", type=Path, default=_FOLDER, help="folder for the results")
    options = parser.parse_args()
    _refuse_unknown(parser, options)
    return options


def _refuse_unknown(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    known = {"--only": {server.name for server in peers.servers()}, "--workloads": {*WORKLOADS, START}}
    for option, given in (("--only", options.only or []), ("--workloads", options.workloads)):
        if unknown := set(given) - known[option]:
            parser.error(
                f"{option}: unknown {', '.join(sorted(unknown))}; choose from {', '.join(sorted(known[option]))}"
            )
    if shutil.which(os.environ.get("WRK", "wrk")) is None:
        parser.error("wrk is missing; `make bench` installs it")


def _names(text: str) -> list[str]:
    return text.split(",")


if __name__ == "__main__":
    main()
