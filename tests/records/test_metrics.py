"""What operators count: in one process, and in several that share the numbers."""

import os
from collections.abc import Callable

import pytest

from stubserver.records.metrics import BOUNDS, COUNTERS, Metrics


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(["a", "b"])


def test_nothing_has_been_counted_at_first(metrics: Metrics) -> None:
    assert [*metrics.statuses()] == []
    assert [*metrics.latencies()] == []
    assert metrics.counters == dict.fromkeys(COUNTERS, 0)
    assert metrics.processes == {1: os.getpid()}


def test_requests_are_counted_by_operation_and_status(metrics: Metrics) -> None:
    for operation, status in (("a", 200), ("a", 200), ("a", 404), ("b", 200), ("none", 404)):
        metrics.request(operation, status, 0.1)
    assert [*metrics.statuses()] == [("a", "200", 2), ("a", "404", 1), ("b", "200", 1), ("none", "404", 1)]


@pytest.mark.parametrize(
    ("status", "told"), [(0, "none"), (100, "other"), (299, "other"), (599, "other"), (503, "503")]
)
def test_the_names_of_statuses_are_bounded(metrics: Metrics, status: int, told: str) -> None:
    """A fault may send any number."""
    metrics.request("a", status, 0.1)
    assert [*metrics.statuses()] == [("a", told, 1)]


def test_an_operation_that_there_is_not_is_a_mistake(metrics: Metrics) -> None:
    with pytest.raises(KeyError):
        metrics.request("c", 200, 0.1)


@pytest.mark.parametrize(
    ("seconds", "bucket"),
    [(0.0, 0), (BOUNDS[0], 0), (BOUNDS[0] * 1.01, 1), (BOUNDS[-1], len(BOUNDS) - 1), (60.0, len(BOUNDS))],
)
def test_the_latency_is_counted_in_buckets(metrics: Metrics, seconds: float, bucket: int) -> None:
    """Each has its upper bound, and the last one all that is above."""
    metrics.request("a", 200, seconds)
    ((name, latency),) = metrics.latencies()
    assert name == "a"
    assert [place for place, number in enumerate(latency.buckets) if number] == [bucket]
    assert len(latency.buckets) == len(BOUNDS) + 1
    assert latency.seconds == seconds


@pytest.mark.parametrize("name", COUNTERS)
def test_all_else_has_a_counter(metrics: Metrics, name: str) -> None:
    metrics.count(name)
    metrics.count(name, 2)
    assert metrics.counters == {**dict.fromkeys(COUNTERS, 0), name: 3}


def forked(work: Callable[[], None]) -> int:
    """Do some work in a process of its own; returns its id."""
    if not (process := os.fork()):
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(process, 0)[1] == 0
    return process


@pytest.mark.slow
def test_processes_share_the_numbers(metrics: Metrics) -> None:
    """Whichever is asked knows those of all, also of those that have ended."""
    metrics.share(2)

    def work(place: int, times: int) -> None:
        metrics.join(place)
        for _ in range(times):
            metrics.request("a", 200, 0.25)
            metrics.count("committed")

    first = forked(lambda: work(0, 2))
    second = forked(lambda: work(1, 3))
    assert [*metrics.statuses()] == [("a", "200", 5)]
    assert metrics.counters["committed"] == 5
    ((_, latency),) = metrics.latencies()
    assert latency.seconds == 5 * 0.25
    assert metrics.processes == {1: first, 2: second}
    third = forked(lambda: work(0, 1))
    assert [*metrics.statuses()] == [("a", "200", 6)]
    assert metrics.processes == {1: third, 2: second}


def test_who_takes_over_writes_elsewhere(metrics: Metrics) -> None:
    """Two processes may have the same place for a moment, and neither may lose what the other counts."""
    metrics.share(1)
    metrics.join(0)
    before = metrics._own
    for _ in range(3):
        metrics.join(0)
        metrics.count("turns")
        before[0] = 0
    assert before[1 + COUNTERS.index("turns")] == 0
    assert metrics.counters["turns"] == 3
