"""Recordings: of a journal, and of a server from now on, with worlds that are replaced or deleted."""

import pytest

from stubserver.exports import recording
from stubserver.exports.recording import Recorder, of_case
from tests.support.answers import ok
from tests.support.client import Api
from tests.support.traffic import case, reading, recorded, writing

pytestmark = pytest.mark.in_process("looks into the server")


def ask(api: Api, world: str, path: str = "/course/1/") -> None:
    ok(api.as_("creator").get(path, headers={"X-Stub-World": world}))


def test_a_case_becomes_a_recording(api: Api) -> None:
    reading(api)
    found = recorded(api)
    assert (found.world, found.fixture, found.is_complete, found.lost) == ("default", "default", True, 0)
    assert [request["id"] for request in found.requests] == [f"default-{n + 1}" for n in range(len(found.requests))]


def test_a_world_that_began_differently_is_not_complete(api: Api) -> None:
    writing(api)
    api.delete("/__stub/requests")
    api.get("/course/1/")
    found = recorded(api)
    assert (found.is_complete, len(found.requests)) == (False, 1)


def test_a_journal_that_forgot_is_not_complete(api: Api) -> None:
    api.get("/course/1/")
    found = of_case({**case(api), "forgotten": 3})
    assert (found.is_complete, found.lost) == (False, 3)


def test_a_recorder_keeps_what_the_journal_has(api: Api) -> None:
    recorder = Recorder(api.app)
    try:
        reading(api)
        writing(api)
        assert recorder.recordings() == [recorded(api)]
    finally:
        api.app.journal.listeners.clear()


def test_a_recorder_keeps_worlds_that_are_gone(api: Api) -> None:
    """A world of the same name is another one, even if it looks the same."""
    recorder = Recorder(api.app)
    try:
        ask(api, "a")
        ask(api, "a")
        ask(api, "b")
        api.post("/__stub/worlds/a/reset")
        ask(api, "a")
        api.delete("/__stub/worlds/b")
        ask(api, "b")
        found = recorder.recordings()
    finally:
        api.app.journal.listeners.clear()
    assert [(one.world, [request["id"] for request in one.requests]) for one in found] == [
        ("a", ["a-1", "a-2"]),
        ("b", ["b-1"]),
        ("a", ["a-1"]),
        ("b", ["b-1"]),
    ]


def test_a_recorder_sees_whether_a_world_was_as_its_fixture(api: Api) -> None:
    recorder = Recorder(api.app)
    try:
        api.as_("creator").patch("/course/1/", json={"name": "Knots"})
        api.post("/__stub/snapshots", json={"name": "s"})
        api.post("/__stub/worlds", json={"name": "forked", "snapshot": "s"})
        ask(api, "forked")
        found = recorder.recordings()
    finally:
        api.app.journal.listeners.clear()
    assert [(one.world, one.is_complete) for one in found] == [("default", True), ("forked", False)]


def test_a_recorder_is_bounded(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "MAX_RECORDED", 12_000)
    recorder = Recorder(api.app)
    try:
        for _ in range(10):
            ask(api, "default")
        (found,) = recorder.recordings()
    finally:
        api.app.journal.listeners.clear()
    assert 0 < len(found.requests) < 10
    assert found.lost == 10 - len(found.requests)
