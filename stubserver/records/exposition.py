"""The metrics as text, in the format that Prometheus reads. It loads Prometheus' own library, so it is loaded late."""

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from itertools import accumulate

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, InfoMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from stubserver.records.metrics import BOUNDS, Metrics

_BYTES = "as far as the server counts them"
GAUGES = {
    "worlds": "Worlds that are kept.",
    "worlds_bytes": f"Size of all worlds, {_BYTES}.",
    "snapshots": "Snapshots that are kept.",
    "snapshots_bytes": f"Size of all snapshots, {_BYTES}.",
    "journal_requests": "Requests in the journals of all worlds.",
    "journal_bytes": f"Size of all journals, {_BYTES}.",
}
EVICTED = {
    "worlds_evicted": "Worlds that were evicted for want of room.",
    "journal_requests_evicted": "Requests that journals have lost for want of room.",
}
LIMITS = {
    "worlds_limit": "Worlds that are kept at most (--max-worlds).",
    "memory_limit_bytes": "Size of all worlds and snapshots at most (--max-memory).",
    "journal_limit_bytes": "Size of all journals at most (--max-journal).",
}
STORE = {
    "store_turns": ("turns", "Turns that were taken at the store of worlds."),
    "store_conflicts": ("conflicts", "Commits that had to be repeated, because another process was faster."),
    "store_failures": ("failures", "Turns that failed, because the store did not answer or could keep nothing."),
}


class Exposition(Collector):
    """Everything that is known when it is asked for."""

    def __init__(
        self, metrics: Metrics, build: Mapping[str, str], held: Mapping[str, float] | None, limits: Mapping[str, float]
    ) -> None:
        """`held` is what is kept, by the names in GAUGES and EVICTED; None if the store does not tell."""
        self._metrics = metrics
        self._build = build
        self._held = held
        self._limits = limits

    def text(self, *, has_store: bool) -> bytes:
        """All metrics; those of a store only if there is one."""
        self._has_store = has_store
        registry = CollectorRegistry()
        registry.register(self)
        return generate_latest(registry)

    def collect(self) -> Iterator[Metric]:
        """The families of metrics, each with its samples."""
        yield InfoMetricFamily("stubserver_build", "Versions of the server and of its contract.", dict(self._build))
        yield self._requests()
        yield self._latency()
        yield self._transactions()
        for name, text in LIMITS.items():
            yield GaugeMetricFamily(f"stubserver_{name}", text, self._limits[name])
        if self._held is not None:
            yield from _kept(self._held)
        if self._has_store:
            yield from self._store()
        yield from _processes(self._metrics.processes)

    def _requests(self) -> Metric:
        labels = ["operation", "status"]
        family = CounterMetricFamily("stubserver_requests", "Requests, by what they reached and got.", labels=labels)
        for operation, status, number in self._metrics.statuses():
            family.add_metric([operation, status], number)
        return family

    def _latency(self) -> Metric:
        text = "Seconds from the head of a request to the end of its answer."
        family = HistogramMetricFamily("stubserver_request_duration_seconds", text, labels=["operation"])
        bounds = [*map(str, BOUNDS), "+Inf"]
        for operation, latency in self._metrics.latencies():
            family.add_metric([operation], [*zip(bounds, accumulate(latency.buckets), strict=True)], latency.seconds)
        return family

    def _transactions(self) -> Metric:
        text = "Requests that would change a world, by whether they did."
        family = CounterMetricFamily("stubserver_transactions", text, labels=["outcome"])
        for outcome in ("committed", "rolled_back"):
            family.add_metric([outcome], self._metrics.counters[outcome])
        return family

    def _store(self) -> Iterator[Metric]:
        text = "Whether the store of worlds has just answered."
        yield GaugeMetricFamily("stubserver_store_up", text, int(self._held is not None))
        for name, (counter, text) in STORE.items():
            yield CounterMetricFamily(f"stubserver_{name}", text, self._metrics.counters[counter])


def _kept(held: Mapping[str, float]) -> Iterator[Metric]:
    for name, text in GAUGES.items():
        yield GaugeMetricFamily(f"stubserver_{name}", text, held[name])
    for name, text in EVICTED.items():
        yield CounterMetricFamily(f"stubserver_{name}", text, held[name])


def _processes(processes: Mapping[int, int]) -> Iterable[Metric]:
    """The usual metrics of processes, with the number of the worker as a label."""
    families: dict[str, Metric] = {}
    for worker, process in processes.items():
        collector = ProcessCollector(pid=partial(int, process), registry=None)
        for family in collector.collect():
            known = families.setdefault(family.name, Metric(family.name, family.documentation, family.type))
            for sample in family.samples:
                known.add_sample(sample.name, {**sample.labels, "worker": str(worker)}, sample.value)
    return families.values()
