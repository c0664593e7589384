"""The metrics as text: what Prometheus' own parser makes of it, and whether the names follow its conventions."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping

import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from stubserver.records.exposition import EVICTED, GAUGES, LIMITS, Exposition
from stubserver.records.metrics import BOUNDS, Metrics
from tests.sources import ROOT

HELD = {name: float(number) for number, name in enumerate([*GAUGES, *EVICTED], start=1)}
BOUNDED = {name: float(number) for number, name in enumerate(LIMITS, start=100)}
UNITS = ("seconds", "bytes")


@pytest.fixture
def metrics() -> Metrics:
    found = Metrics(["get_course", "update_course"])
    for status, seconds in ((200, 0.0004), (200, 0.003), (404, 30.0)):
        found.request("get_course", status, seconds)
    found.count("committed", 4)
    found.count("conflicts", 5)
    return found


def families(metrics: Metrics, held: Mapping[str, float] | None = HELD, has_store: bool = True) -> dict[str, Metric]:
    text = Exposition(metrics, {"version": "1", "contract": "2"}, held, BOUNDED).text(has_store=has_store)
    return {family.name: family for family in text_string_to_metric_families(text.decode())}


def values(family: Metric) -> dict[tuple[str, ...], float]:
    return {(sample.name.removeprefix(family.name), *sample.labels.values()): sample.value for sample in family.samples}


def test_requests_have_operation_and_status(metrics: Metrics) -> None:
    family = families(metrics)["stubserver_requests"]
    assert family.type == "counter"
    assert values(family) == {("_total", "get_course", "200"): 2, ("_total", "get_course", "404"): 1}


def test_the_latency_is_a_histogram_in_seconds(metrics: Metrics) -> None:
    """Its buckets add up, as Prometheus expects."""
    family = families(metrics)["stubserver_request_duration_seconds"]
    assert family.type == "histogram"
    found = values(family)
    buckets = [number for (name, *_), number in found.items() if name == "_bucket"]
    assert buckets == [1, 1, 1, *[2] * (len(BOUNDS) - 3), 3]
    assert found["_count", "get_course"] == 3
    assert found["_sum", "get_course"] == pytest.approx(30.0034)
    bounds = [sample.labels["le"] for sample in family.samples if "le" in sample.labels]
    assert bounds == [*map(str, BOUNDS), "+Inf"]


def test_what_is_held_is_beside_its_bounds(metrics: Metrics) -> None:
    found = families(metrics)
    for name, value in {**{name: HELD[name] for name in GAUGES}, **BOUNDED}.items():
        assert (found[f"stubserver_{name}"].type, values(found[f"stubserver_{name}"])) == ("gauge", {("",): value})
    for name in EVICTED:
        assert values(found[f"stubserver_{name}"]) == {("_total",): HELD[name]}


def test_transactions_are_there_before_the_first_one() -> None:
    """So that a rate can be taken of them."""
    found = families(Metrics([]))["stubserver_transactions"]
    assert values(found) == {("_total", "committed"): 0, ("_total", "rolled_back"): 0}


def test_a_store_has_metrics_of_its_own(metrics: Metrics) -> None:
    found = families(metrics)
    assert values(found["stubserver_store_up"]) == {("",): 1}
    assert values(found["stubserver_store_conflicts"]) == {("_total",): 5}
    assert [name for name in families(metrics, has_store=False) if "store_" in name] == []


def test_a_store_that_fails_leaves_out_what_it_alone_knows(metrics: Metrics) -> None:
    found = families(metrics, held=None)
    assert values(found["stubserver_store_up"]) == {("",): 0}
    assert "stubserver_requests" in found
    assert not {f"stubserver_{name}" for name in (*GAUGES, *EVICTED)} & found.keys()


@pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="only Linux tells about processes")  # noqa: PTH110
def test_processes_have_the_usual_metrics(metrics: Metrics) -> None:
    found = families(metrics)
    for name in ("process_resident_memory_bytes", "process_cpu_seconds", "process_open_fds"):
        ((_, worker),) = values(found[name])
        assert worker == "1"
        assert next(iter(values(found[name]).values())) > 0


def test_a_process_that_has_ended_is_left_out(metrics: Metrics) -> None:
    metrics._own[0] = 2**22 + 1  # no process has so large an id
    assert not any(name.startswith("process_") for name in families(metrics))


def test_every_metric_is_in_the_docs(metrics: Metrics) -> None:
    """And no other."""
    page = (ROOT / "docs/deploying.md").read_text(encoding="utf-8")
    told = set(re.findall(r"`(stubserver_\w+)`", page.partition("## Metrics")[2].partition("- **")[0]))
    samples = {sample.name for family in families(metrics).values() for sample in family.samples}
    names = {re.sub("_(bucket|count|sum)$", "", name) for name in samples}
    assert told == {name for name in names if name.startswith("stubserver_")}
    rules = (ROOT / "deploy/prometheus-rules.yaml").read_text(encoding="utf-8")
    assert set(re.findall(r"stubserver_\w+", rules)) <= samples


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_promtool_has_nothing_to_say(metrics: Metrics) -> None:
    text = Exposition(metrics, {"version": "1", "contract": "2"}, HELD, BOUNDED).text(has_store=True)
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_names_and_units_follow_the_conventions(metrics: Metrics) -> None:
    """As `promtool check metrics` does: base units, `_total` for counters alone, help everywhere, no type in a name."""
    found = families(metrics)
    assert len(found) > 15
    for name, family in found.items():
        assert re.fullmatch(r"(stubserver|process)_[a-z]+(_[a-z]+)*", name), name
        assert family.documentation.strip(), name
        assert not re.search(r"milli|micro|minutes|kilo|mega|_ms$|percent", name), name
        assert not re.search(r"(counter|gauge|histogram|summary)", name), name
        assert all(sample.name.endswith("_total") == (family.type == "counter") for sample in family.samples), name
        for unit in UNITS:
            assert unit not in name or re.search(rf"_{unit}$", name), name
        for sample in family.samples:
            assert set(sample.labels) <= {"operation", "status", "le", "outcome", "worker", "version", "contract"}
