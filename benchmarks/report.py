"""Writes the results of a comparison: as Markdown, as JSON for programs, and as a chart."""

import json
import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.figures import Result, median
from benchmarks.peers import PRISM
from benchmarks.picture import draw
from benchmarks.process import CORES
from benchmarks.workloads import WORKLOADS

Setting = dict[str, Any]
_NAME = "comparison"


def setting(rounds: int, seconds: int, took: float) -> Setting:
    """What readers must know about the run; `took` is its duration in seconds."""
    return {
        "rounds": rounds,
        "seconds": seconds,
        "processor": _processor(),
        "cores": os.cpu_count(),
        "pinned": CORES is not None,
        "python": platform.python_version(),
        "minutes": round(took / 60, 1),
    }


def write(folder: Path, results: list[Result], about: Setting) -> str:
    """Write the three files to `folder`; returns the Markdown."""
    folder.mkdir(parents=True, exist_ok=True)
    text = markdown(results, about)
    (folder / f"{_NAME}.md").write_text(text, encoding="utf-8")
    found = {"setting": about, "servers": [_figures(result) for result in results]}
    (folder / f"{_NAME}.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    draw(folder / f"{_NAME}.png", [result for result in results if result.samples])
    return text


def markdown(results: list[Result], about: Setting) -> str:
    """The report with all its tables, as Markdown."""
    prism = next((result for result in results if result.server.name == PRISM and not result.trouble), None)
    measured = [workload for workload in WORKLOADS.values() if any(workload.name in one.samples for one in results)]
    parts = [_head(about)]
    parts += [f"## {workload.title}\n\n{_load_table(results, prism, workload.name)}" for workload in measured]
    parts += [
        f"## Start, memory, latency\n\n{_other_table(results)}",
        f"## Servers\n\n{_habits_table(results)}",
    ]
    return "\n\n".join(parts) + "\n"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], last: str = "--:") -> str:
    """A Markdown table: a column of text, then columns of figures; `last` aligns the last column."""
    lines = [heads, ["---", *["--:"] * (len(heads) - 2), last], *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def number(value: float | None, form: str = ",.0f", unit: str = "") -> str:
    """A figure as text, or a dash for None."""
    return "-" if value is None else f"{value:{form}}{unit}"


def _head(about: Setting) -> str:
    cores = "server and load each on a core of their own" if about["pinned"] else "server and load on the same cores"
    return (
        f"# Comparison\n\n{about['rounds']} rounds of {about['seconds']} s, {cores}, 16 keep-alive connections;"
        f" {about['processor']}, {about['cores']} cores, Python {about['python']}; {about['minutes']} minutes in all.\n"
        "CPU is the processor time per request of all the server's processes, the median of the rounds. The columns x\n"
        "compare with Prism and its defaults: the medians of CPU, and the median of the rounds' ratios of requests/s."
    )


def _load_table(results: list[Result], prism: Result | None, workload: str) -> str:
    heads = ["server", "CPU us", "least", "x", "requests/s", "x", "bytes"]
    return table(heads, [_load_row(result, prism, workload) for result in results])


def _load_row(result: Result, prism: Result | None, workload: str) -> list[str]:
    return [
        result.server.name,
        number(result.cpu_us(workload)),
        number(result.least_cpu_us(workload)),
        number(result.cheaper(prism, workload) if prism else None, ".1f"),
        number(result.per_second(workload)),
        number(result.faster(prism, workload) if prism else None, ".1f"),
        number(result.answer_bytes(workload)),
    ]


def _other_table(results: list[Result]) -> str:
    heads = ["server", "start s", "CPU s", "MB", "MB after load", "p50 ms", "p99 ms", "at requests/s"]
    return table(heads, [_other_row(result) for result in results])


def _other_row(result: Result) -> list[str]:
    return [
        result.server.name,
        number(result.start_seconds(), ".2f"),
        number(result.start_cpu_seconds(), ".2f"),
        number(result.megabytes_at_start()),
        number(result.megabytes_after),
        number(median([load.p50_ms for load in result.latencies]), ".2f"),
        number(median([load.p99_ms for load in result.latencies]), ".2f"),
        number(median([load.per_second for load in result.latencies])),
    ]


def _habits_table(results: list[Result]) -> str:
    heads = ["server", "version", "invalid body", "no token", "remembers", "what it does"]
    rows = [[result.server.name, result.server.version, *_habits(result)] for result in results]
    return table(heads, rows, last="---")


def _habits(result: Result) -> list[str]:
    seen = result.habits
    if seen is None:
        return ["-", "-", "-", f"did not take part: {result.trouble}"]
    return [str(seen.invalid_body), str(seen.no_token), "yes" if seen.remembers else "no", result.server.about]


def _figures(result: Result) -> dict[str, Any]:
    """All measurements of a server, for programs."""
    return {
        "name": result.server.name,
        "version": result.server.version,
        "about": result.server.about,
        "trouble": result.trouble,
        "habits": asdict(result.habits) if result.habits else None,
        "starts": [asdict(start) for start in result.starts],
        "megabytes_after": result.megabytes_after,
        "samples": {name: [asdict(sample) for sample in found] for name, found in result.samples.items()},
        "latencies": [asdict(load) for load in result.latencies],
    }


def _processor() -> str:
    """The processor's model, if Linux knows it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown processor")
