"""The figures of releases: what a request cost with each version, and how it compared with the peers of its day.

Each release has a file `<version>.json` beside the results. Compare its ratios with those of other releases, never its
microseconds: they come from another day, and perhaps another machine.
"""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import tables
from benchmarks.figures import Result
from benchmarks.peers import OURS, PRISM
from benchmarks.workloads import WORKLOADS
from stubserver import __version__

_BESIDE = ("wiremock", "mockserver", PRISM)
"""The peers in the table."""
_VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)")


def keep(folder: Path, results: Sequence[Result]) -> Path:
    """Write the medians of all servers as those of this version; returns the file."""
    costs = {result.server.name: {name: result.cpu_us(name) for name in result.samples} for result in results}
    versions = {result.server.name: result.server.version for result in results}
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{__version__}.json"
    file.write_text(json.dumps({"versions": versions, "cpu_us": costs}, indent=2) + "\n", encoding="utf-8")
    return file


def table(folder: Path) -> str:
    """What peers take for a request as multiples of ours, for each release that is kept, oldest first; empty if there
    is none."""
    found = {
        tuple(map(int, match.groups())): file for file in folder.iterdir() if (match := _VERSION.fullmatch(file.stem))
    }
    rows = [_row(found[version]) for version in sorted(found)]
    heads = ["release", *(f"{peer}, {name}" for peer in _BESIDE for name in WORKLOADS)]
    return tables.table(heads, rows) if rows else ""


def _row(file: Path) -> list[str]:
    costs: dict[str, dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))["cpu_us"]
    pairs = [(costs.get(peer, {}).get(name), costs[OURS].get(name)) for peer in _BESIDE for name in WORKLOADS]
    return [file.stem, *(tables.number(other / mine if mine and other else None, ".1f") for other, mine in pairs)]
