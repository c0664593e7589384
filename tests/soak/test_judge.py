"""The judgement can fail: each promise is broken once, in a record that is good otherwise."""

import signal
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from stubserver.serving.server import GRACE
from tests.soak.judge import MEGABYTE, SLACK, TOLERANCE, Ending, Record, Sample, broken_promises, levels

IDLE = Sample(0, 80 * MEGABYTE, files=14, threads=3)
HEALTH: Mapping[str, Any] = {
    "worlds": {"kept": 50},
    "requests": {"bytes": 4000},
    "memory": {"worlds": 5000, "snapshots": 3000},
    "limits": {"max_worlds": 50, "max_journal": 4000, "max_memory": 8000},
}
ENDING = Ending(GRACE + 0.2, -signal.SIGTERM, running=9, hanging=9)


def samples(seconds: int, growth: float = 0, spike: int = 0) -> list[Sample]:
    """A sample each second: memory jumps in the first minute, then grows by so many bytes each second."""
    return [
        Sample(at, int(100 * MEGABYTE + growth * at + (spike if at == seconds // 2 else 0))) for at in range(1, seconds)
    ]


def record(**parts: Any) -> Record:
    """A good record, but for these parts."""
    good = Record(600, IDLE, samples(600), IDLE, HEALTH, ENDING)
    return replace(good, **parts)


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"samples": samples(600, spike=900 * MEGABYTE)},
        {"before": replace(IDLE, files=None, threads=None), "after": replace(IDLE, files=None, threads=None)},
        {"after": replace(IDLE, files=13, threads=2)},
        {"ending": replace(ENDING, seconds=0.1, running=0)},
        {"ending": replace(ENDING, status=143)},
        {"samples": samples(600, growth=0.9 * TOLERANCE / 450)},
        {"seconds": 3, "samples": samples(3)},
    ],
    ids=["plain", "spike", "uncounted", "fewer", "quick end", "status of a shell", "within tolerance", "short"],
)
def test_a_good_record_breaks_no_promise(parts: dict[str, Any]) -> None:
    assert broken_promises(record(**parts)) == []


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        ({"samples": samples(600, growth=TOLERANCE / 400)}, "memory grew from 110.7 to 168.3 MB, by more than 48 MB"),
        ({"unasked": ['{"status":500}']}, 'an answer with a 5xx that no fault asked for: {"status":500}'),
        (
            {"after": replace(IDLE, files=16)},
            "descriptors are left: 16 without clients again, 14 before the load",
        ),
        ({"ending": replace(ENDING, seconds=GRACE + SLACK + 0.1)}, "the server took 8.1 s to end, instead of 5 s and"),
        ({"ending": replace(ENDING, status=None, seconds=60)}, "the server did not end within 60.0 s of SIGTERM"),
        ({"ending": replace(ENDING, status=1)}, "the server ended with status 1 after SIGTERM"),
        ({"ending": replace(ENDING, status=0)}, "the server ended with status 0 after SIGTERM"),
        ({"ending": replace(ENDING, running=11)}, "tasks are left: 11 ran at the end, 9 of hanging clients"),
        ({"after": replace(IDLE, threads=4)}, "threads are left: 4 without"),
        ({"strange": ["Traceback (most recent call last):"]}, "this should not be in the log: Traceback"),
        ({"failures": ["journey-0 in turn 3: AssertionError"]}, "a client failed: journey-0 in turn 3: "),
        ({"health": {**HEALTH, "worlds": {"kept": 51}}}, "the server holds 51, but max_worlds is 50"),
        ({"health": {**HEALTH, "requests": {"bytes": 4001}}}, "the server holds 4001, but max_journal is 4000"),
        (
            {"health": {**HEALTH, "memory": {"worlds": 6000, "snapshots": 3000}}},
            "the server holds 9000, but max_memory",
        ),
    ],
)
def test_a_broken_promise_is_a_line(parts: dict[str, Any], told: str) -> None:
    (line,) = broken_promises(record(**parts))
    assert line.startswith(told)


def test_many_alike_are_counted() -> None:
    lines = broken_promises(record(strange=[f"line {number}" for number in range(9)]))
    assert [line.rpartition(": ")[2] for line in lines] == [*(f"line {n}" for n in range(5)), "... and 4 more"]


def test_nothing_to_compare_is_no_success() -> None:
    """The server may have ended in the first second."""
    with pytest.raises(ValueError, match="no samples of the memory to compare: 5 in all"):
        levels(record(samples=samples(6)))
