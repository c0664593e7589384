"""Wrong use of the benchmarks: one line says what would be right, and nothing is measured."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from benchmarks import compare, quick, stores
from benchmarks.match import Match
from benchmarks.recording import Answer
from benchmarks.workloads import BROWSE, GET, PAGE, PUTS

Main = Callable[[Sequence[str] | None], None]
WRONG: list[tuple[Main, str, str]] = [
    (compare.main, "--only prims", "argument --only: unknown: 'prims'; choose from json-server, mockoon, mockserver"),
    (compare.main, "--only prism,", "argument --only: unknown: ''; choose from json-server, mockoon, mockserver"),
    (compare.main, "--only prism,a,b", "argument --only: unknown: 'a', 'b'; choose from json-server, mockoon"),
    (
        compare.main,
        "--workloads GET",
        "argument --workloads: unknown: 'GET'; choose from browse, get, page, put, start",
    ),
    (compare.main, "--rounds 0", "argument --rounds: '0' is not a whole number above 0"),
    (compare.main, "--seconds 1.5", "argument --seconds: '1.5' is not a whole number above 0"),
    (compare.main, "--warm-up -1", "argument --warm-up: '-1' is not a whole number above 0"),
    (compare.main, "--warm-up", "argument --warm-up: expected one argument"),
    (compare.main, "--release --only prism", "--release keeps the figures of all servers and workloads: leave out"),
    (compare.main, "--release --workloads get", "--release keeps the figures of all servers and workloads: leave out"),
    (compare.main, "now", "unrecognized arguments: now"),
    (quick.main, "--rounds none", "argument --rounds: 'none' is not a whole number above 0"),
    (quick.main, "--seconds 0", "argument --seconds: '0' is not a whole number above 0"),
    (quick.main, "--store", "unrecognized arguments: --store"),
    (stores.main, "--rounds 0", "argument --rounds: '0' is not a whole number above 0"),
]


@pytest.mark.parametrize(("main", "options", "message"), WRONG)
def test_wrong_options_are_refused(main: Main, options: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(options.split())
    assert ended.value.code == 2
    assert f"error: {message}" in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize(
    ("main", "target"),
    [(compare.main, "make bench"), (quick.main, "make bench-quick"), (stores.main, "make bench-stores")],
)
def test_a_missing_load_generator_is_told(
    main: Main, target: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WRK", "no-such-wrk")
    with pytest.raises(SystemExit) as ended:
        main([])
    assert ended.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1].endswith(f"error: wrk is missing; `{target}` installs it")


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which everything is there but the server that is asked for."""
    recording = [Answer(request, 200, json.dumps({"results": []})) for request in (*PUTS, GET, PAGE, *BROWSE)]
    monkeypatch.setattr(Match, "_record", lambda _: recording)
    monkeypatch.setenv("WRK", "true")
    monkeypatch.setenv("JAVA", "/no/such/java")
    monkeypatch.setattr(compare, "step_aside", lambda: None)
    monkeypatch.setattr("benchmarks.peers.MODULES", Path("/no/such/modules"))
    real = __import__("shutil").which
    monkeypatch.setattr("shutil.which", lambda name, *rest: None if "redis" in name else real(name, *rest))


@pytest.mark.usefixtures("recorded")
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("stubserver-redis", "redis-server is not installed; `make engines` installs it"),
        ("wiremock", "it is not installed"),
        ("mockserver-stateful", "it is not installed"),
    ],
)
def test_a_server_that_is_asked_for_must_take_part(name: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as ended:
        compare.main(["--only", name, "--output", str(tmp_path)])
    assert ended.value.code == f"error: {name}: {reason}"
    assert [*tmp_path.iterdir()] == []
