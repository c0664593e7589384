"""What a server that fails does to a comparison."""

from pathlib import Path
from typing import Any

import pytest

from benchmarks import match as module
from benchmarks.figures import Result, Sample
from benchmarks.load import BadSample
from benchmarks.match import Lost, Match
from benchmarks.peers import ours
from benchmarks.workloads import WORKLOADS


class Contender:
    """One that needs no process. "bad" fails under its second load."""

    process = type("Process", (), {"pause": lambda _: None})()

    def __init__(self, server: Any, _: Path) -> None:
        self.server, self.result, self.loads, self.is_stopped = server, Result(server), 0, False

    def takes(self, _: Any) -> bool:
        return True

    def wake(self) -> None:
        assert not self.is_stopped

    def load(self, *_: Any, **__: Any) -> Sample:
        self.loads += 1
        if self.server.name == "bad" and self.loads > 1:
            raise BadSample("7 requests were refused")
        return Sample(1.0, 1.0, 1.0)

    def stop(self) -> None:
        self.is_stopped = True


def match(monkeypatch: pytest.MonkeyPatch, needed: str) -> Match:
    monkeypatch.setattr(module, "Contender", Contender)
    return Match([ours("bad"), ours("good")], [needed], [*WORKLOADS.values()], 1, Path())


def test_a_server_that_fails_under_load_leaves_and_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    running = match(monkeypatch, "good")
    running.round()
    running.round()
    bad, good = running._contenders
    assert (bad.result.trouble, bad.result.samples) == ("page: 7 requests were refused", {})
    assert {name: len(samples) for name, samples in good.result.samples.items()} == dict.fromkeys(WORKLOADS, 2)
    assert "bad                 does not take part: page: 7 requests were refused" in capsys.readouterr().out


def test_a_server_that_fails_while_it_is_warmed_up_is_not_said_to_be_warm(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    match(monkeypatch, "good").warm_up(1)
    assert capsys.readouterr().out.splitlines() == [
        "  bad                 does not take part: page: 7 requests were refused",
        "  good                is warm",
    ]


def test_without_a_server_that_is_needed_the_match_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Lost, match=r"^bad: page: 7 requests were refused$"):
        match(monkeypatch, "bad").round()
