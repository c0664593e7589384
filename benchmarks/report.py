"""Writes the results of a comparison: as Markdown, as JSON for programs, and as a chart."""

import json
import os
import platform
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks import releases
from benchmarks.figures import Result, median
from benchmarks.pace import Paced
from benchmarks.peers import PRISM
from benchmarks.process import CORES, processor
from benchmarks.tables import number, table
from benchmarks.workloads import WORKLOADS

Setting = dict[str, Any]
_NAME = "comparison"


def setting(rounds: int, seconds: int, warm_up: int, took: float) -> Setting:
    """What readers must know about the run; `took` is its duration in seconds."""
    return {
        "rounds": rounds,
        "seconds": seconds,
        "warm_up": warm_up,
        "processor": processor(),
        "cores": os.cpu_count(),
        "pinned": CORES is not None,
        "python": platform.python_version(),
        "minutes": round(took / 60, 1),
    }


def write(folder: Path, results: list[Result], about: Setting) -> str:
    """Write the three files to `folder`; returns the Markdown."""
    folder.mkdir(parents=True, exist_ok=True)
    text = markdown(results, about, releases.table(folder))
    (folder / f"{_NAME}.md").write_text(text, encoding="utf-8")
    found = {"setting": about, "servers": [_figures(result) for result in results]}
    (folder / f"{_NAME}.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    from benchmarks.picture import draw  # the drawing library is big, and only needed here

    draw(folder / f"{_NAME}.png", [result for result in results if result.samples])
    return text


def markdown(results: list[Result], about: Setting, kept: str = "") -> str:
    """The report with all its tables, as Markdown; `kept` is that of the releases, if there are any."""
    prism = next((result for result in results if result.server.name == PRISM and not result.trouble), None)
    measured = [workload for workload in WORKLOADS.values() if any(workload.name in one.samples for one in results)]
    parts = [_head(about)]
    parts += [f"## {workload.title}\n\n{_load_table(results, prism, workload.name)}" for workload in measured]
    paced = [workload for workload in measured if any(workload.name in one.latencies for one in results)]
    parts += [f"## {load.title}, at half load\n\n{_latency_table(results, load.name)}" for load in paced]
    parts += [
        f"## Start and memory\n\n{_other_table(results)}",
        f"## Servers\n\n{_habits_table(results)}",
    ]
    parts += [f"## Releases\n\n{kept}"] if kept else []
    return "\n\n".join(parts) + "\n"


def _head(about: Setting) -> str:
    cores = "server and load each on a core of their own" if about["pinned"] else "server and load on the same cores"
    return (
        f"# Comparison\n\n{about['rounds']} rounds of {about['seconds']} s, after {about['warm_up']} s of full load for"
        f" each server; {cores}, 16 keep-alive\nconnections; {about['processor']}, {about['cores']} cores, Python"
        f" {about['python']}; {about['minutes']} minutes in all.\n"
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


def _latency_table(results: list[Result], workload: str) -> str:
    heads = ["server", "p50 ms", "p99 ms", "at requests/s"]
    return table(heads, [_latency_row(result.server.name, result.latencies.get(workload, [])) for result in results])


def _latency_row(name: str, found: list[Paced]) -> list[str]:
    return [
        name,
        number(median([load.p50_ms for load in found]), ".2f"),
        number(median([load.p99_ms for load in found]), ".2f"),
        number(median([load.per_second for load in found])),
    ]


def _other_table(results: list[Result]) -> str:
    heads = ["server", "start s", "CPU s", "MB", "MB after load"]
    return table(heads, [_other_row(result) for result in results])


def _other_row(result: Result) -> list[str]:
    return [
        result.server.name,
        number(result.start_seconds(), ".2f"),
        number(result.start_cpu_seconds(), ".2f"),
        number(result.megabytes_at_start()),
        number(result.megabytes_after),
    ]


def _habits_table(results: list[Result]) -> str:
    heads = ["server", "version", "invalid body", "no token", "remembers", "what it does"]
    rows = [[result.server.name, result.server.version, *_habits(result)] for result in results]
    return table(heads, rows, last="---")


def _habits(result: Result) -> list[str]:
    seen = result.habits
    if seen is None:
        return ["-", "-", "-", f"did not take part: {result.trouble}"]
    remembers = "yes" if seen.remembers else "two bodies" if seen.tells_apart else "no"
    return [str(seen.invalid_body), str(seen.no_token), remembers, result.server.about]


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
        "latencies": {name: [asdict(load) for load in found] for name, found in result.latencies.items()},
    }
