"""The whole search, on a client with planted weaknesses: all of them are found, and nothing else."""

import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from stubserver.app import StubServer
from stubserver.contract.contract import Contract
from stubserver.contract.places import Places
from stubserver.variants.memory import Memory
from stubserver.variants.report import BROKEN, NOT_SENT, SURVIVED, Report
from stubserver.variants.running import Command, Ended
from stubserver.variants.searching import CannotSearch, Searching, Task
from stubserver.variants.site import DEFAULT_KINDS
from stubserver.worlds.snapshot import Fixture
from tests.support.default import SETTINGS
from tests.variants.planted import PLANTED, use

Use = Callable[[str], Any]
Search = Callable[..., Report]


def command_of(use: Use) -> Command:
    """A command that is a function."""

    def command(url: str, _: float | None) -> Ended:
        try:
            use(url)
        except Exception:
            return Ended(1, traceback.format_exc())
        return Ended(0, "")

    return command


@pytest.fixture
def search(contract: Contract, default_fixture: Fixture) -> Search:
    def searched(use: Use, kinds: Sequence[str] = DEFAULT_KINDS, file: Path | None = None, **options: Any) -> Report:
        task = Task(
            build=lambda: StubServer(contract, default_fixture, SETTINGS),
            command=options.pop("command", command_of(use)),
            text="use",
            places=Places(contract),
            kinds=kinds,
            **options,
        )
        return Searching(task, Memory(file, {})).search()

    return searched


@pytest.mark.slow
@pytest.mark.untraced
def test_ten_planted_weaknesses_are_found_and_nothing_else(search: Search) -> None:
    report = search(use)
    assert {finding.key for finding in report.findings} == PLANTED
    assert not any(finding.is_flaky for finding in report.findings)
    assert all("Traceback" in finding.run.output for finding in report.findings)
    assert report.counts[BROKEN] == len(PLANTED)
    assert report.counts[SURVIVED] > 300
    assert report.counts.get(NOT_SENT, 0) == 0
    assert report.runs <= 60
    print(report.runs, report.counts)


# What a search says, and when it ends


def get(url: str, path: str = "/course/1/") -> Any:
    answer = httpx.get(f"{url}/api/v2{path}", headers={"Authorization": "Bearer stub-manager"}, timeout=30)
    answer.raise_for_status()
    return answer.json()


def needs_a_picture(url: str) -> None:
    assert get(url)["created_by"]["avatar"]


def test_a_command_that_survives(search: Search) -> None:
    told: list[str] = []
    report = search(get, ("null", "unknown"), told=told.append)
    assert (report.findings, report.ended) == ([], "")
    assert {*report.counts} == {SURVIVED}
    assert report.runs == 3
    assert told[2].startswith(f"{len(report.sites)} variants of 1 operations in 2 runs of about ")


def test_a_command_that_fails_without_variants_cannot_be_searched(search: Search) -> None:
    with pytest.raises(CannotSearch, match="fails with status 1 without any variant; it has to pass first") as refused:
        search(lambda url: get(url, "/nope/"))
    assert "404" in refused.value.output


def test_a_command_that_asks_nothing_cannot_be_searched(search: Search) -> None:
    with pytest.raises(CannotSearch, match="sent no request to the server; its URL is in STUBSERVER_URL"):
        search(lambda _: None)


def test_nothing_that_varies_cannot_be_searched(search: Search) -> None:
    with pytest.raises(CannotSearch, match="nothing of what use was sent can vary"):
        search(get, ("null",), operations=("get_course_lesson",))


def test_what_a_failed_run_tells_makes_it_quick(search: Search) -> None:
    """Runs: plain, all variants, the field that the traceback names, all others, that field again, and plain again."""
    assert search(needs_a_picture, ("null",)).runs == 6


def test_what_was_not_sent_before_it_failed_is_not_suspected(search: Search) -> None:
    """Here, it says nothing, and asks for something else in between."""

    def silent(url: str) -> None:
        person = get(url, "/user/me/")
        get(url, "/category/")
        if len(person["real_name"]) > 100:
            raise ConnectionError
        get(url)
        get(url, "/course/?limit=3")

    def command(url: str, limit: float | None) -> Ended:
        return command_of(silent)(url, limit)._replace(output="")

    report = search(silent, ("long",), command=command)
    assert [finding.key for finding in report.findings] == ["long get_me /real_name"]
    assert report.runs == 9


def test_a_flaky_command_is_noticed(search: Search) -> None:
    """It fails in its third run only."""
    runs: list[str] = []

    def flaky(url: str) -> None:
        runs.append(url)
        get(url)
        assert len(runs) != 3

    report = search(flaky, ("null", "unknown"))
    assert [finding.is_flaky for finding in report.findings] == [True]
    assert report.new == []


def test_a_command_that_has_begun_to_fail_is_noticed(search: Search) -> None:
    """From its second run on, it fails whatever it is sent."""
    runs: list[str] = []

    def worn(url: str) -> None:
        runs.append(url)
        get(url)
        assert len(runs) < 2

    report = search(worn, ("null",))
    assert report.new == []
    assert "Without variants, the command failed in the end" in report.notes[0]


def test_an_interrupted_search_goes_on_where_it_was(search: Search, tmp_path: Path) -> None:
    file, runs = tmp_path / "state", []

    def command(url: str, limit: float | None) -> Ended:
        runs.append(url)
        done = command_of(needs_a_picture)(url, limit)
        return done._replace(interrupted=2) if len(runs) == 4 else done

    first = search(get, ("null",), file, command=command)
    assert (first.ended, first.findings) == ("interrupted", [])
    second = search(get, ("null",), file, command=command)
    assert [finding.key for finding in second.findings] == ["null get_course /created_by/avatar"]
    whole = search(needs_a_picture, ("null",))
    assert (len(runs) - 1, second.runs) == (whole.runs, whole.runs)


def test_no_run_begins_after_the_time(search: Search) -> None:
    report = search(get, seconds=0.0001)
    assert (report.ended, report.runs) == ("time", 1)


def test_a_command_that_does_not_end_has_failed(search: Search) -> None:
    """The first run is not bounded; all others are, by how long it took."""
    limits: list[float | None] = []

    def command(url: str, limit: float | None) -> Ended:
        limits.append(limit)
        is_bad = get(url)["created_by"]["avatar"] is None
        return Ended(143 if is_bad else 0, "", is_bad)

    report = search(get, ("null",), command=command)
    assert [finding.run.overdue for finding in report.findings] == [True]
    assert limits[0] is None
    assert all(limit is not None and limit > 15 for limit in limits[1:])
    assert report.counts[BROKEN] == 1


def test_what_the_server_refused_afterwards_is_told(search: Search) -> None:
    """Here, the client is not wrong to believe what it was sent."""

    def curious(url: str) -> None:
        number = get(url)["sections"][0]["id"]
        get(url, f"/course/1/section/{number}/")

    report = search(curious, ("big-id",))
    (finding,) = report.findings
    assert [(asked.path, asked.status) for asked in finding.refused] == [
        ("/api/v2/course/1/section/9007199254740991/", 404)
    ]


def test_two_that_break_it_only_together(search: Search) -> None:
    def choosy(url: str) -> None:
        course = get(url)
        assert (
            course["created_by"]["avatar"] or course["categories"][0]["html_info"] or course["image_bigger"] is not None
        )

    def both(url: str) -> None:
        course = get(url)
        assert course["created_by"]["avatar"] is not None or course["user_completion_rate"] is not None

    assert search(choosy, ("null",)).findings == []
    report = search(both, ("null",))
    for finding in report.findings:
        assert len(finding.sites) == 2
