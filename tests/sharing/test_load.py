"""The load: what it asks, what it takes answers for, and its command."""

import socket
import sys
from collections import Counter
from collections.abc import Iterator

import pytest

from stubserver.testing import StubError
from tests.sharing import load as command
from tests.sharing.check import violations
from tests.sharing.cluster import Cluster, serving
from tests.sharing.history import FOREVER, Act, Outcome
from tests.sharing.load import Load
from tests.sharing.script import RUSH, SHARES, WINDOW, Script
from tests.sharing.wire import Answer, NotSent
from tests.support.commands import Served
from tests.support.peer import OK, Peer

pytestmark = [pytest.mark.slow, pytest.mark.untraced]

DONE, REFUSED, UNKNOWN = Outcome.DONE, Outcome.REFUSED, Outcome.UNKNOWN


@pytest.fixture(scope="module")
def apart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Two processes that share nothing."""
    with serving(tmp_path_factory.mktemp("logs"), 2) as cluster:
        yield cluster


def nobody() -> str:
    """A URL at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return f"http://127.0.0.1:{free.getsockname()[1]}"


# What clients ask


def test_shares_fill_a_window() -> None:
    assert sum(SHARES.values()) + RUSH == WINDOW


def test_clients_ask_for_everything_as_often_as_said(plain: Served) -> None:
    load = Load([plain.url], requests=2 * WINDOW, worlds=2, seed=7)
    history = load.run()
    assert violations(history) == []
    assert len(load.done) == 2 * WINDOW
    assert {operation.act for operation in history.operations} == {*Act}
    written = {each.key.split(", ")[-1] for each in history.operations if each.act is Act.WRITE}
    assert written == {"name", "description", "name and description"}
    claims = Counter(each.key for each in history.operations if each.act is Act.CLAIM)
    assert max(claims.values()) == RUSH
    assert {each.key.partition(",")[0] for each in history.operations} == {"load-7-0", "load-7-1"}


CLAIM = Script("w", 1).next()
"""Creates a course with the name claim-000000."""


def answer(status: int, body: bytes = b'{"id":5,"name":"claim-000000"}') -> Answer:
    return Answer(status, "w-1", body, 10, 20)


@pytest.mark.parametrize(
    ("found", "outcome", "ended", "number"),
    [
        (answer(201), DONE, 20, 5),
        (answer(400), REFUSED, 20, None),
        (answer(503), UNKNOWN, FOREVER, None),
        (answer(500), UNKNOWN, FOREVER, None),
        (None, UNKNOWN, FOREVER, None),
    ],
)
def test_an_answer_says_what_became_of_a_request(
    found: Answer | None, outcome: Outcome, ended: float, number: int | None
) -> None:
    told, (claim,) = CLAIM.told(found, 10, 20, "client 1")
    assert told is claim.outcome is outcome
    assert (claim.act, claim.value, claim.began, claim.ended, claim.number) == (
        Act.CLAIM,
        "claim-000000",
        10,
        ended,
        number,
    )


@pytest.mark.parametrize(
    ("status", "is_strange"), [(201, False), (400, False), (503, False), (404, True), (500, True), (302, True)]
)
def test_some_answers_are_strange(status: int, is_strange: bool) -> None:
    assert CLAIM.is_strange(answer(status)) == is_strange


# Loads that cannot be


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"urls": []}, "at least one URL"),
        ({"requests": 0}, "at least one URL, request, client and world"),
        ({"clients": 0}, "at least one"),
        ({"worlds": -1}, "at least one"),
        ({"events": {11: print}}, "no event can happen after 11 of 10 requests"),
        ({"events": {0: print}}, "no event can happen after 0 of 10 requests"),
    ],
)
def test_a_load_that_cannot_be_is_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Load(**{"urls": ["http://localhost"], "requests": 10, **options})  # type: ignore[arg-type]


def test_worlds_that_cannot_be_prepared_are_told(plain: Served) -> None:
    """Nobody listens, somebody else does, or the worlds are used already."""
    with pytest.raises(StubError, match="no stub server answers"):
        Load([nobody()], requests=10).run()
    with Peer(OK) as peer, pytest.raises(StubError, match="is not a stub server"):
        Load([peer.url], requests=10).run()
    Load([plain.url], requests=10, seed=8).run()
    with pytest.raises(AssertionError, match="already exists"):
        Load([plain.url], requests=10, seed=8).run()


def test_a_server_that_does_not_listen_gets_no_request_and_is_told_at_last(plain: Served) -> None:
    dead = nobody()
    load = Load([plain.url, dead], requests=50, seed=9)
    with pytest.raises(NotSent, match=dead):
        load.run()
    assert {done.url for done in load.done} == {plain.url}
    assert len(load.done) == 50


def test_an_event_that_fails_fails_the_load(plain: Served) -> None:
    seen: list[int] = []

    def fail() -> None:
        seen.append(len(load.done))
        raise ZeroDivisionError

    load = Load([plain.url], requests=200, seed=10, events={50: fail})
    with pytest.raises(ExceptionGroup) as caught:
        load.run()
    assert caught.group_contains(ZeroDivisionError)
    assert seen[0] >= 50


# The command


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["load", *arguments])
    return command.main()


def test_the_command_tells_what_was_done(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], plain: Served
) -> None:
    assert run(monkeypatch, plain.url, "--requests", "300", "--seed", "11", "--clients", "3") == 0
    seed, done, judged, verdict = capsys.readouterr().out.splitlines()
    assert seed == "seed 11"
    assert done.startswith("300 requests of 3 clients to 1 servers in ")
    assert "operations judged in " in judged
    assert verdict == "the servers behaved as one"


def test_the_command_fails_if_servers_are_not_as_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], apart: Cluster
) -> None:
    assert run(monkeypatch, *apart.urls, "--requests", "300", "--seed", "1") == 1
    _, _, _, *broken, more, verdict = capsys.readouterr().out.splitlines()
    assert len(broken) == command.SHOWN
    assert all(line.startswith("BROKEN: ") for line in broken)
    assert more.startswith("... and ")
    assert verdict == "the servers did not behave as one"


def test_the_command_says_in_one_line_what_it_cannot_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], plain: Served
) -> None:
    for urls, told in (([nobody()], "no stub server answers"), ([plain.url, nobody()], "nobody listens at")):
        assert run(monkeypatch, *urls, "--requests", "10", "--seed", f"12{len(urls)}") == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("load: ")
        assert told in line


@pytest.mark.parametrize("wrong", [["--requests", "0"], ["--clients", "x"], []])
def test_the_command_refuses_what_it_does_not_know(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], wrong: list[str]
) -> None:
    urls = ["http://localhost"] if wrong else []
    with pytest.raises(SystemExit) as caught:
        run(monkeypatch, *urls, *wrong)
    assert caught.value.code == 2
    assert "load: error: " in capsys.readouterr().err.splitlines()[-1]
