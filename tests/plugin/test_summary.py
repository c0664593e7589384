"""The summary of a run: options that had no effect, coverage, and errors of the plugin's own."""

from pathlib import Path
from typing import Any

import pytest

from stubserver.app import StubServer
from stubserver.plugin.summary import Summary


@pytest.mark.parametrize(
    ("given", "file", "says"),
    [
        ([], None, []),
        (["--stub-fixture"], None, ["no test used the stub server, so --stub-fixture had no effect"]),
        (
            ["--stub-url", "--stub-coverage"],
            "c.json",
            [
                "no test used the stub server, so --stub-url, --stub-coverage had no effect; "
                "no coverage report was written to c.json"
            ],
        ),
    ],
)
def test_a_run_that_never_asks_the_server_says_so_if_it_was_given_options(
    given: list[str], file: str | None, says: list[str]
) -> None:
    summary = Summary()
    assert summary.lines(given, file) == says
    summary.used = True
    assert summary.lines(given, file) == []


def test_a_controller_hears_its_workers() -> None:
    """A note of several workers is shown once."""
    summary, worker = Summary(), Summary()
    worker.notes.append("a note")
    for _ in range(2):
        summary.hear(worker.told())
    assert (summary.used, summary.notes) == (False, ["a note"])
    worker.used = True
    summary.hear(worker.told())
    assert summary.used


def test_a_worker_that_crashed_may_have_used_the_server() -> None:
    summary = Summary()
    summary.hear(None)
    assert summary.lines(["--stub-fixture"], None) == []


@pytest.mark.parametrize("error", [ValueError("no"), AssertionError("no"), KeyError("no")])
def test_an_error_of_the_plugin_becomes_a_line(error: Exception) -> None:
    summary = Summary()
    with summary.guarded():
        raise error
    with summary.guarded("nothing was written"):
        raise error
    reason = f"{type(error).__name__}: {error}"
    assert summary.notes == [f"the plugin stubserver failed: {reason}", f"nothing was written: {reason}"]


def test_what_ends_a_run_on_purpose_still_does() -> None:
    for error in (KeyboardInterrupt(), pytest.exit.Exception("enough")):
        with pytest.raises(type(error)), Summary().guarded():
            raise error


@pytest.mark.parametrize("others", [None, "http://far"])
def test_coverage_is_written_and_told(tmp_path: Path, server: StubServer, others: str | None) -> None:
    summary, report = Summary(), dict[str, Any](server.coverage.report())
    summary.reports.append(report)
    summary.write_coverage(str(tmp_path / "c.txt"), others)
    assert (tmp_path / "c.txt").read_text().startswith("Contract coverage: ")
    told = f"stub coverage: {report['percent']} % of the contract, in {tmp_path / 'c.txt'}"
    assert summary.notes == [told + (f", including what others did at {others} meanwhile" if others else "")]
