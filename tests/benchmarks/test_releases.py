"""The figures that are kept of releases."""

from pathlib import Path

import pytest

from benchmarks import peers, releases
from benchmarks.figures import Result, Sample
from benchmarks.workloads import WORKLOADS


def results(ours: float, **others: float) -> list[Result]:
    """One sample of each workload with these costs."""
    made = []
    for name, cost in {peers.OURS: ours, **others}.items():
        server = next(server for server in peers.servers() if server.name == name)
        samples = {workload: [Sample(cost, 1000.0, 2000.0)] for workload in WORKLOADS}
        made.append(Result(server, samples=samples))
    return made


def test_there_is_no_table_before_the_first_release(tmp_path: Path) -> None:
    (tmp_path / "comparison.json").write_text("{}")
    assert releases.table(tmp_path) == ""


def test_a_release_is_a_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for version, ours in (("0.10.0", 20.0), ("0.9.0", 40.0)):
        monkeypatch.setattr(releases, "__version__", version)
        releases.keep(tmp_path / "results", results(ours, wiremock=60.0, prism=1200.0))
    head, line, *rows = releases.table(tmp_path / "results").splitlines()
    assert head.startswith("| release | wiremock, get | wiremock, page |")
    assert rows == [
        "| 0.9.0 | 1.5 | 1.5 | 1.5 | 1.5 | - | - | - | - | 30.0 | 30.0 | 30.0 | 30.0 |",
        "| 0.10.0 | 3.0 | 3.0 | 3.0 | 3.0 | - | - | - | - | 60.0 | 60.0 | 60.0 | 60.0 |",
    ]
    assert {one.count("|") for one in (head, line, *rows)} == {14}
