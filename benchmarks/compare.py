"""Compares our server with other stub and mock servers: the same requests, answers of the same size, one core.

Usage: python -m benchmarks.compare [--rounds 5] [--seconds 3] [--warm-up 120] [--only NAMES] [--workloads NAMES]
[--skip-latency] [--release] [--output FOLDER]

Each server is put under full load first, because virtual machines compile what runs often. Then they take turns,
workload by workload; all others are paused. Compare the processor time per request: requests per second also depend on
what else the machine does. Tables, figures and a chart go to benchmarks/results/. With --release, the medians are kept
there as those of this version, too.
"""

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks import peers, releases, report
from benchmarks.contender import NotReady
from benchmarks.figures import Result
from benchmarks.match import Lost, Match
from benchmarks.options import names, need_wrk, positive
from benchmarks.process import step_aside
from benchmarks.recording import WrongAnswer
from benchmarks.workloads import WORKLOADS

START = "start"
_STARTS = 3
_PACED = ("get", "put")
"""Workloads whose latency is measured."""
_FOLDER = Path(__file__).parent / "results"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, then write and print the results."""
    options = _options(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    step_aside()
    begun = time.monotonic()
    try:
        results = _measured(options)
    except KeyboardInterrupt:
        sys.exit("\nstopped")
    except (Lost, NotReady, WrongAnswer) as error:
        sys.exit(f"error: {error}")
    setting = report.setting(options.rounds, options.seconds, options.warm_up, time.monotonic() - begun)
    if options.release:
        releases.keep(options.output, results)
    print(report.write(options.output, results, setting))


def _measured(options: argparse.Namespace) -> list[Result]:
    servers = [server for server in peers.servers() if server.name in (options.only or [server.name])]
    workloads = [WORKLOADS[name] for name in options.workloads if name != START]
    with (
        tempfile.TemporaryDirectory(prefix="benchmark-") as folder,
        Match(servers, options.only or [peers.OURS], workloads, options.seconds, Path(folder)) as match,
    ):
        print("Starting the servers", flush=True)
        match.start(_STARTS if START in options.workloads else 1)
        if workloads:
            print("Warming up", flush=True)
            match.warm_up(options.warm_up)
        for number in range(options.rounds if workloads else 0):
            print(f"Round {number + 1} of {options.rounds}", flush=True)
            match.round()
        for workload in [] if options.skip_latency else workloads:
            if workload.name in _PACED:
                print(f"Latency at half load: {workload.title}", flush=True)
                match.latencies(workload)
        return match.results()


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    servers, workloads = [server.name for server in peers.servers()], [*WORKLOADS, START]
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--rounds", type=positive, default=5, help="samples of each workload and server")
    parser.add_argument("--seconds", type=positive, default=3, help="length of a sample")
    parser.add_argument("--warm-up", type=positive, default=120, metavar="SECONDS", help="load before, for each server")
    parser.add_argument("--only", type=names(servers), metavar="NAMES", help="servers, separated by commas")
    parser.add_argument("--workloads", type=names(workloads), metavar="NAMES", default=workloads)
    parser.add_argument("--skip-latency", action="store_true", help="do not measure p50 and p99")
    parser.add_argument("--release", action="store_true", help="keep the medians as those of this version")
    parser.add_argument("--output", type=Path, default=_FOLDER, help="folder for the results")
    options = parser.parse_args(arguments)
    if options.release and (options.only or options.workloads != workloads):
        parser.error("--release keeps the figures of all servers and workloads: leave out --only and --workloads")
    need_wrk(parser, "make bench")
    return options


if __name__ == "__main__":
    main()
