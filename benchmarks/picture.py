"""The chart of a comparison: processor time per request, where less is better."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl

from benchmarks.figures import Result

mpl.use("Agg")
from matplotlib import pyplot as plot
from matplotlib.axes import Axes

_SHOWN = {"get": ("GET one course", "#1f6f8b"), "put": ("PUT a course", "#e07a3f")}
_THICK = 0.38


def draw(file: Path, results: Sequence[Result]) -> None:
    """Draw two bars for each server, on a logarithmic axis, with the cheapest server on top."""
    shown = [name for name in _SHOWN if any(result.cpu_us(name) for result in results)]
    if not shown:
        return
    ordered = sorted(results, key=lambda result: result.cpu_us(shown[0]) or 0, reverse=True)
    figure, axes = plot.subplots(figsize=(9, 1.2 + 0.62 * len(ordered)))
    for place, name in enumerate(shown):
        _bars(axes, ordered, name, (len(shown) - 1) / 2 - place)
    _label(axes, ordered)
    figure.tight_layout()
    figure.savefig(file, dpi=140, metadata={"Software": None})
    plot.close(figure)


def _bars(axes: Axes, results: Sequence[Result], name: str, side: float) -> None:
    title, colour = _SHOWN[name]
    places = [number + side * _THICK for number in range(len(results))]
    lengths = [result.cpu_us(name) or 0 for result in results]
    bars = axes.barh(places, lengths, height=_THICK * 0.95, color=colour, label=title)
    axes.bar_label(bars, labels=[f"{length:,.0f}" if length else "" for length in lengths], padding=4, fontsize=9)


def _label(axes: Axes, results: Sequence[Result]) -> None:
    axes.set_xscale("log")
    axes.margins(x=0.12)
    axes.set_xlim(left=1)
    axes.set_yticks(range(len(results)), [result.server.name for result in results])
    axes.set_xlabel("processor time per request, microseconds (logarithmic)")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="x", which="major", alpha=0.3)
    axes.set_axisbelow(True)
    axes.legend(loc="upper right", frameon=False)
