"""Does a large world cost more? Sends the same requests to worlds of 10, 1,000 and 100,000 courses.

Usage: python -m benchmarks.growth [--courses 10 1000 100000] [--rounds 3] [--seconds 2]

The server runs as users run it; the figures are its processor time per request. Every request finds one course or ten,
whatever the size of the world. The table is printed, and written to benchmarks/results/growth.md.
"""

import argparse
import signal
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import httpx
import orjson

from benchmarks.contender import Contender
from benchmarks.figures import Start
from benchmarks.peers import ours
from benchmarks.process import step_aside
from benchmarks.recording import ask
from benchmarks.tables import number, table
from benchmarks.workloads import Request, Workload
from stubserver.authoring.generator import generate

_FILE = Path(__file__).parent / "results" / "growth.md"
_SEARCH = "/api/v2/course/search/?limit=10"
_TOKEN = "stub-creator"  # noqa: S105 (a persona, no secret)
_WORLD = "world.json"
_LAST = "The last of all courses"
_SLOW = 0.002
"""Requests that take longer than this, in seconds, are sent one at a time."""


@dataclass
class World:
    """The measurements of a world of one size."""

    courses: int
    start: Start
    cpu_us: dict[str, float]
    """Workload -> processor time per request in microseconds, the median of the rounds."""


def main() -> None:
    """Measure, then write and print the results."""
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    step_aside()
    try:
        worlds = [_measured(courses, options.rounds, options.seconds) for courses in options.courses]
    except KeyboardInterrupt:
        sys.exit("\nstopped")
    text = f"# Growth\n\n{_markdown(worlds)}\n"
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(text, encoding="utf-8")
    print(f"\n{text}")


def _measured(courses: int, rounds: int, seconds: int) -> World:
    print(f"A world of {courses:,} courses", flush=True)
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        last = _write(Path(folder) / _WORLD, courses)
        with Contender(ours("stubserver", "--fixture", f"../{_WORLD}"), Path(folder)) as contender:
            contender.start()
            found = _rounds(contender, courses, last, rounds, seconds)
            return World(courses, contender.result.starts[0], found)


def _write(file: Path, courses: int) -> str:
    """Write the fixture; returns the name of its last course."""
    data = generate(courses, 0)
    data["courses"][-1].update(name=_LAST, privacy="open")
    file.write_bytes(orjson.dumps(data))
    return _LAST


def _rounds(contender: Contender, courses: int, last: str, rounds: int, seconds: int) -> dict[str, float]:
    with httpx.Client(base_url=contender.url, timeout=60) as client:
        workloads = _workloads(courses, last, ask(client, _get(_SEARCH)).json()["count"])
        found = [[_cpu_us(contender, client, workload, seconds) for workload in workloads] for _ in range(rounds)]
    medians = (statistics.median(column) for column in zip(*found, strict=True))
    return {workload.title: median for workload, median in zip(workloads, medians, strict=True)}


def _workloads(courses: int, last: str, listed: int) -> list[Workload]:
    """The requests. Only the last course has `last` in its name. A write makes the server's cached answers useless."""
    first, oldest = _get(_SEARCH), _get(f"{_SEARCH}&ordering=id")
    found = _get(f"{_SEARCH}&search={quote(last)}")
    writes = [Request("", "PATCH", "/api/v2/course/1/", _TOKEN, {"description": text}) for text in ("One.", "Two.")]
    asked = {
        "GET the first course": [_get("/api/v2/course/1/")],
        "GET the last course": [_get(f"/api/v2/course/{courses}/")],
        "first page of 10": [first],
        "last page of 10": [_get(f"{_SEARCH}&offset={listed - 10}")],
        "first page of 10, oldest first": [oldest],
        "search for one name": [found],
        "PATCH a course": writes,
        "PATCH and first page, each": [writes[0], first, writes[1], first],
        "PATCH and first page, oldest first, each": [writes[0], oldest, writes[1], oldest],
        "PATCH and search, each": [writes[0], found, writes[1], found],
    }
    return [Workload("growth", title, tuple(requests)) for title, requests in asked.items()]


def _get(path: str) -> Request:
    return Request("", "GET", path, _TOKEN)


def _cpu_us(contender: Contender, client: httpx.Client, workload: Workload, seconds: int) -> float:
    """Processor microseconds per request. Slow requests are sent one at a time, so that each is counted in full."""
    if min(_took(client, workload) for _ in range(5)) < _SLOW:
        return contender.load(workload, seconds).cpu_us
    cycles, before, end = 0, contender.process.cpu_seconds(), time.perf_counter() + seconds
    while time.perf_counter() < end:
        _took(client, workload)
        cycles += 1
    return (contender.process.cpu_seconds() - before) / (cycles * len(workload.requests)) * 1e6


def _took(client: httpx.Client, workload: Workload) -> float:
    """Mean duration of a request, in seconds."""
    begun = time.perf_counter()
    for request in workload.requests:
        ask(client, request).raise_for_status()
    return (time.perf_counter() - begun) / len(workload.requests)


def _markdown(worlds: list[World]) -> str:
    first = worlds[0]
    heads = ["", *(f"{world.courses:,} courses" for world in worlds), *(f"x {world.courses:,}" for world in worlds[1:])]
    rows = [_row(f"{what}, CPU us", [world.cpu_us[what] for world in worlds], ",.0f") for what in first.cpu_us]
    rows.append(_row("start, s", [world.start.seconds for world in worlds], ",.2f"))
    rows.append(_row("memory, MB", [world.start.megabytes for world in worlds], ",.0f"))
    more = [_kilobytes(world, first) for world in worlds]
    rows.append(
        ["memory per added course, kB", *(number(kilobytes, ",.1f") for kilobytes in more), *[""] * (len(worlds) - 1)]
    )
    return table(heads, rows)


def _row(what: str, values: list[float], form: str) -> list[str]:
    ratios = [f"{value / values[0]:,.2f}" for value in values[1:]]
    return [what, *(number(value, form) for value in values), *ratios]


def _kilobytes(world: World, first: World) -> float | None:
    more = world.courses - first.courses
    return (world.start.megabytes - first.start.megabytes) * 1000 / more if more else None


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--courses", type=int, nargs="+", default=[10, 1000, 100_000], help="sizes of the worlds")
    parser.add_argument("--rounds", type=int, default=3, help="samples of each request")
    parser.add_argument("--seconds", type=int, default=2, help="length of a sample")
    parser.add_argument("--output", type=Path, default=_FILE, help="file for the table")
    return parser.parse_args()


if __name__ == "__main__":
    main()
