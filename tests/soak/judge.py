"""What a soak promises, and where its record breaks the promises."""

import signal
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from stubserver.serving.server import GRACE

MEGABYTE = 1 << 20
TOLERANCE = 48 * MEGABYTE
"""How much more memory the server may take at the end than after the first minute. What it keeps is bounded, and full
by then. The rest is for what waits for Python's collector, which runs seldom, and for the gaps that it leaves."""
SLACK = 3.0
"""Seconds that the end may take beyond the grace of running requests: a busy machine needs a moment for the rest."""
ENDS = (-signal.SIGTERM, 128 + signal.SIGTERM)
"""The exit status after SIGTERM, as docs/commands.md tells it: by the signal, which a shell adds to 128."""
_WINDOW = 60.0
"""Seconds whose median counts as the level of memory; in a short soak, a third of it."""
_SHOWN = 5
"""How many of many alike broken promises are shown."""


@dataclass(frozen=True)
class Sample:
    """The server at one moment. What a system cannot count is None."""

    at: float
    """Seconds since the load began."""
    memory: int
    """The resident memory, in bytes."""
    files: int | None = None
    """Open file descriptors."""
    threads: int | None = None
    requests: int = 0
    """Requests logged so far."""
    answers: Mapping[str, int] = field(default_factory=dict)
    """Class of status, such as 2xx -> answers so far."""


@dataclass(frozen=True)
class Ending:
    """How the server ended after SIGTERM."""

    seconds: float
    status: int | None
    """The exit status; None if it had to be killed."""
    running: int
    """Requests that still ran when their grace was over."""
    hanging: int
    """How many of them clients had left hanging on purpose."""


@dataclass(frozen=True)
class Record:
    """All that a soak saw."""

    seconds: float
    before: Sample
    """The server before its first client."""
    samples: Sequence[Sample]
    after: Sample
    """The server without a client again."""
    health: Mapping[str, Any]
    """A Health of the control plane's contract, from the end of the load."""
    ending: Ending
    refused: int = 0
    """Connections that ended with what is no request in HTTP/1.1."""
    unasked: Sequence[str] = ()
    """Lines of the log about an answer with a 5xx that no fault asked for."""
    strange: Sequence[str] = ()
    """Lines of the log, or of standard error, that should not be there."""
    failures: Sequence[str] = ()
    """What went wrong for clients that did nothing unusual."""


def broken_promises(record: Record) -> list[str]:
    """A line for each promise that was broken."""
    return [
        *_memory(record),
        *_bounds(record.health),
        *(f"an answer with a 5xx that no fault asked for: {line}" for line in _few(record.unasked)),
        *(f"this should not be in the log: {line}" for line in _few(record.strange)),
        *(f"a client failed: {line}" for line in _few(record.failures)),
        *_left(record),
        *_end(record.ending),
    ]


def levels(record: Record) -> tuple[float, float]:
    """The level of memory after the first minute, and the one at the end, in bytes; of a short soak, after a third.
    Raises ValueError if there are no samples of these times."""
    window = min(_WINDOW, record.seconds / 3)
    first = [sample.memory for sample in record.samples if window <= sample.at < 2 * window]
    last = [sample.memory for sample in record.samples if sample.at >= record.seconds - window]
    if not first or not last:
        raise ValueError(f"There are no samples of the memory to compare: {len(record.samples)} in all.")
    return statistics.median(first), statistics.median(last)


def _memory(record: Record) -> Iterator[str]:
    first, last = levels(record)
    if last > first + TOLERANCE:
        figures = f"from {first / MEGABYTE:.1f} to {last / MEGABYTE:.1f} MB"
        yield f"memory grew {figures}, by more than {TOLERANCE / MEGABYTE:.0f} MB"


def _bounds(health: Mapping[str, Any]) -> Iterator[str]:
    limits, memory = health["limits"], health["memory"]
    for name, held in (
        ("max_worlds", health["worlds"]["kept"]),
        ("max_journal", health["requests"]["bytes"]),
        ("max_memory", memory["worlds"] + memory["snapshots"]),
    ):
        if held > limits[name]:
            yield f"the server holds {held}, but {name} is {limits[name]}"


def _left(record: Record) -> Iterator[str]:
    for what, before, after in (
        ("descriptors", record.before.files, record.after.files),
        ("threads", record.before.threads, record.after.threads),
    ):
        if before is not None and after is not None and after > before:
            yield f"{what} are left: {after} without clients again, {before} before the load"
    if record.ending.running > record.ending.hanging:
        yield f"tasks are left: {record.ending.running} ran at the end, {record.ending.hanging} of hanging clients"


def _end(ending: Ending) -> Iterator[str]:
    if ending.status is None:
        yield f"the server did not end within {ending.seconds:.1f} s of SIGTERM"
        return
    if ending.seconds > GRACE + SLACK:
        yield f"the server took {ending.seconds:.1f} s to end, instead of {GRACE} s and {SLACK:g} s of slack"
    if ending.status not in ENDS:
        yield f"the server ended with status {ending.status} after SIGTERM"


def _few(lines: Sequence[str]) -> Iterator[str]:
    """The first of some lines, and how many more there are."""
    yield from (line[:600] for line in lines[:_SHOWN])
    if len(lines) > _SHOWN:
        yield f"... and {len(lines) - _SHOWN} more"
