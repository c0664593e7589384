"""What faults do to an answer on its way back: it drips, breaks off, or never arrives."""

import asyncio
import logging
from typing import Any

import pytest

from stubserver.app import StubServer
from tests.support.answers import ok
from tests.support.client import Api
from tests.support.faults import BREAKING, create
from tests.support.journal import newest
from tests.support.rows import snapshot
from tests.support.wire import ask, drive

COURSE = "/course/1/"
pytestmark = pytest.mark.in_process("faults are acted out in this process")


# Slow answers


def messages(app: StubServer, runner: asyncio.Runner, method: str, path: str, **headers: str) -> list[Any]:
    """Everything that the application sends for a request."""
    outbox: list[Any] = []
    drive(app, runner, outbox, method, path, {"Host": "stub.test", **headers})
    return outbox


@pytest.mark.parametrize("path", ["/api/v2/course/search/", "/api/v2/course/1/", "/api/v2/user/hidden_users_id/"])
def test_drip_sends_the_answer_slowly(
    api: Api, app: StubServer, runner: asyncio.Runner, naps: list[float], path: str
) -> None:
    """In equal pieces and over the requested time, even if the answer has two bytes."""
    creator = {"Authorization": "Bearer stub-creator"}
    whole = b"".join(m.get("body", b"") for m in messages(app, runner, "GET", path, **creator))
    create(api, "drip", seconds=5)
    start, *pieces = messages(app, runner, "GET", path, **creator)
    assert start["status"] == 200
    assert dict(start["headers"])[b"content-length"] == str(len(whole)).encode()
    assert b"".join(piece["body"] for piece in pieces) == whole
    sizes = [len(piece["body"]) for piece in pieces if piece["body"]]
    assert min(20, len(whole)) >= len(sizes) >= min(10, len(whole))
    assert len(set(sizes[:-1])) <= 1
    assert [piece.get("more_body", False) for piece in pieces] == [True] * (len(pieces) - 1) + [False]
    assert sum(naps) == pytest.approx(5, rel=0.05)


def test_drip_leaves_an_answer_without_a_body_alone(api: Api, app: StubServer, runner: asyncio.Runner) -> None:
    create(api, "drip", seconds=0)
    assert api.as_("creator").delete(COURSE).status_code == 204
    assert 1 not in api.world.courses
    assert newest(api)["faults"] == [{"id": 1, "kind": "drip"}]


@pytest.mark.parametrize(
    ("method", "path"),
    [("DELETE", "/api/v2/course/1/"), ("HEAD", "/api/v2/course/1/"), ("HEAD", "/api/v2/nowhere/"), ("HEAD", "/docs/")],
)
def test_an_answer_without_a_body_that_is_cut_never_arrives(
    api: Api, app: StubServer, runner: asyncio.Runner, naps: list[float], method: str, path: str
) -> None:
    """If it was also to drip, the connection breaks only after that time."""
    create(api, "truncate")
    create(api, "drip", seconds=5)
    outbox: list[Any] = []
    creator = {"Host": "stub.test", "Authorization": "Bearer stub-creator"}
    with pytest.raises(ConnectionResetError):
        drive(app, runner, outbox, method, path, creator)
    assert (outbox, naps) == ([], [5])
    assert (1 in api.world.courses) is (method == "HEAD")


def test_the_journal_has_the_whole_answer_that_dripped(api: Api) -> None:
    create(api, "drip", seconds=0)
    response = api.get(COURSE)
    assert newest(api)["response"]["body"] == ok(response)


# Without a connection to break


@pytest.mark.parametrize("kind", BREAKING)
def test_without_a_connection_the_break_is_an_exception(
    api: Api, app: StubServer, runner: asyncio.Runner, kind: str
) -> None:
    create(api, kind, times=1)
    with pytest.raises(ConnectionResetError, match="a fault of the stub server dropped the connection"):
        ask(app, runner, "GET", "/api/v2/course/1/", {"Host": "stub.test"})
    assert [api.get(COURSE).status_code for _ in range(2)] == [200, 200]


@pytest.mark.parametrize("kind", BREAKING)
def test_a_break_is_no_failure_of_the_server(api: Api, caplog: pytest.LogCaptureFixture, kind: str) -> None:
    create(api, kind, times=1)
    with caplog.at_level(logging.WARNING):
        api.get(COURSE)
    assert caplog.records == []


@pytest.mark.parametrize(("kind", "applied"), [("reset", False), ("lost", True), ("truncate", True)])
def test_the_journal_tells_what_a_break_left_behind(api: Api, kind: str, applied: bool) -> None:
    create(api, kind)
    api.as_("creator").patch(COURSE, json={"name": "Knots"})
    entry = newest(api)
    assert entry["faults"] == [{"id": 1, "kind": kind}]
    assert (api.world.courses[1]["name"] == "Knots") is applied
    change = {"op": "replace", "path": "/courses/1/name", "value": "Knots"}
    assert entry["changes"] == ([change] if applied else [])
    assert entry["violations"] == []
    if kind == "truncate":
        body = entry["response"]["body"]
        assert entry["status"] == 200
        assert body.startswith('{"id":1,"name":"Knots"')
        assert len(body.encode()) == int(entry["response"]["headers"]["content-length"]) // 2
    else:
        assert (entry["status"], entry["response"]) == (None, None)


def test_a_lost_answer_may_have_been_a_refusal(api: Api) -> None:
    before = snapshot(api.world)
    create(api, "lost")
    api.as_("stranger").patch(COURSE, json={"name": "Knots"})
    entry = newest(api)
    assert [problem["code"] for problem in entry["problems"]] == ["permission_denied"]
    assert (entry["status"], entry["changes"], entry["persona"]) == (None, [], "stub-stranger")
    assert snapshot(api.world) == before
