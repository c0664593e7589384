"""What a request costs as a multiple of a fixed piece of work: measured, stored in a file, and compared."""

import json
import platform
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.process import processor
from benchmarks.workloads import WORKLOADS

TOLERATED = 1.1
"""From this multiple of a stored ratio on, a workload has regressed."""
HEADS = ("ratio to the fixed work", "stored", "now", "x", "stored, least", "now, least", "x", "")


class Unreadable(Exception):
    """There are no stored figures to compare with; the message says why in one line."""


@dataclass(frozen=True)
class Ratio:
    """Processor time of a request as a multiple of the fixed work's, over all samples."""

    median: float
    least: float

    @classmethod
    def of(cls, samples: Sequence[float]) -> "Ratio":
        """Of at least one sample."""
        return cls(statistics.median(samples), min(samples))

    def regressed(self, since: "Ratio") -> bool:
        """Whether both figures are too high. Noise raises the least of many samples only rarely, and may lower it; the
        median must agree with it."""
        return self.median >= since.median * TOLERATED and self.least >= since.least * TOLERATED


@dataclass(frozen=True)
class Figures:
    """The ratio of each workload, and where they were measured."""

    machine: str
    ratios: Mapping[str, Ratio]


def here() -> str:
    """The machine and Python that ratios depend on."""
    return f"{processor()}, Python {platform.python_version()}"


def write(file: Path, figures: Figures) -> None:
    """Store figures, creating the folder if necessary."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(asdict(figures), indent=2) + "\n", encoding="utf-8")


def read(file: Path) -> Figures:
    """The stored figures. Raises Unreadable."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        stored = {name: Ratio(**found["ratios"][name]) for name in WORKLOADS}
        if not all(0 < ratio.least <= ratio.median for ratio in stored.values()):
            raise ValueError
        return Figures(str(found["machine"]), stored)
    except FileNotFoundError:
        raise Unreadable(f"there are no figures in {file}; --store-figures writes them") from None
    except OSError as error:
        raise Unreadable(f"{file}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError):
        raise Unreadable(f"{file} does not have figures of all workloads; --store-figures writes them anew") from None


def regressed(stored: Figures, found: Figures) -> list[str]:
    """The workloads that have become more expensive."""
    return [name for name, ratio in found.ratios.items() if ratio.regressed(stored.ratios[name])]


def rows(stored: Figures, found: Figures) -> list[list[str]]:
    """Both figures of each workload, and how they have changed, as cells of a table."""
    bad = regressed(stored, found)
    pairs = [(name, stored.ratios[name], ratio) for name, ratio in found.ratios.items()]
    return [
        [
            name,
            *_change(before.median, after.median),
            *_change(before.least, after.least),
            "REGRESSED" if name in bad else "ok",
        ]
        for name, before, after in pairs
    ]


def words(figures: Figures) -> str:
    """The medians in one line."""
    return ", ".join(f"{name} {ratio.median:.3f}" for name, ratio in figures.ratios.items())


def _change(before: float, after: float) -> list[str]:
    return [f"{before:.3f}", f"{after:.3f}", f"{after / before:.2f}"]
