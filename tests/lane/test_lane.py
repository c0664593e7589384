"""The fast lane: its answers and their side effects cannot be told apart from those of the whole stack."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
import pytest

from stubserver.contract.contract import Contract
from stubserver.worlds.snapshot import Fixture
from tests.lane.both import Both
from tests.lane.oddities import broken, signed
from tests.lane.requests import WORLDS, Requests, Step, control, freeze, plain
from tests.support.commands import PATIENCE
from tests.support.default import NOW

# Everything together


@pytest.mark.long
def test_thousands_of_requests_are_answered_the_same(contract: Contract, default_fixture: Fixture) -> None:
    both = Both(contract, default_fixture, max_requests=2_000)
    worlds = sorted({*WORLDS, "fresh", "a__b"})
    for world in worlds:
        both.ask(freeze(world))
    with_lane, without = both.apps
    assert without.lane is None
    requests = Requests(contract, 20261123, without.worlds.peek)
    sent = succeeded = 0
    while sent < 4_500:
        steps = [Step((request,)) for request in requests.event()] if sent % 60 == 59 else [requests.step()]
        for step in steps:
            for answer in both.take(step, line=sent % 3):
                succeeded += answer[9:10] == b"2" and b"\r\nx-stub-request: " in answer.partition(b"\r\n\r\n")[0]
            sent += 1
    for text in broken():
        both.raw(text)
    for world in worlds:
        for offset in range(0, 2_000, 100):
            if not both.ask(control("GET", f"requests?limit=100&offset={offset}", world)).json["results"]:
                break
        assert both.ask(control("POST", "snapshots", world, {"name": world})).status == 201
        assert both.ask(control("GET", f"snapshots/{world}")).status == 200
    assert both.ask(control("GET", "coverage")).json["covered"] > 500
    assert with_lane.journal.forgotten == without.journal.forgotten
    both.stop()
    assert contract.operations.keys() - both.operations == set()
    assert both.by_lane > succeeded / 2


# The contents of a world


def test_fault_meets_the_next_request(both: Both, world: str) -> None:
    seen, written = plain("GET", "/course/1/", "member", world), plain("POST", "/course/15/join/", "member", world)
    assert [both.ask(seen).by_lane for _ in range(2)] == [True, True]
    both.ask(control("POST", "faults", world, {"kind": "error", "status": 503, "times": 2}))
    assert [both.ask(request).status for request in (seen, written, seen)] == [503, 503, 200]
    both.ask(control("DELETE", "faults", world))
    answers = [both.ask(request) for request in (seen, written)]
    assert [(answer.status, answer.by_lane) for answer in answers] == [(200, True), (200, True)]


def test_variants_meet_the_next_request(both: Both, world: str) -> None:
    """Whatever had been cached, with the same bytes, and not longer than they are there."""
    seen = plain("GET", "/course/1/", "member", world)
    before = [both.ask(seen) for _ in range(2)]
    assert [answer.by_lane for answer in before] == [True, True]
    wanted = {"kind": "null", "operation": "get_course", "place": "/created_by/avatar"}
    both.ask(control("POST", "variants", world, wanted))
    varied = [both.ask(seen) for _ in range(2)]
    assert [(answer.json["created_by"]["avatar"], answer.by_lane) for answer in varied] == [(None, False)] * 2
    assert both.ask(control("GET", "variants", world)).json["results"][0]["sent"] == 2
    both.ask(control("DELETE", "variants", world))
    assert both.ask(seen).body == before[0].body
    preferred = both.ask(seen.with_("Prefer", 'variant="null:/created_by/avatar"'))
    assert (preferred.body, preferred.by_lane) == (varied[0].body, False)


@pytest.mark.parametrize("wish", ["Prefer: code=404", "prefer: code=404, wait=0", "?__code=404", "&__code=404"])
def test_wishes_are_granted(both: Both, world: str, wish: str) -> None:
    path = "/course/search/?limit=1" if wish.startswith("&") else "/course/1/"
    seen = plain("GET", path, "member", world)
    assert both.ask(seen).status == 200
    name, colon, value = wish.partition(": ")
    wished = seen.with_(name, value) if colon else replace(seen, target=seen.target + wish)
    answer = both.ask(wished)
    assert (answer.status, answer.by_lane) == ((404, False) if "search" not in path else (400, False))


@pytest.mark.parametrize(
    ("query", "cookie"), [("?__fault=broken", None), ("", "stub-fault=broken"), ("", "a=b; stub-fault=broken; c=d")]
)
def test_switches_are_never_missed(both: Both, world: str, query: str, cookie: str | None) -> None:
    """Not even by requests whose answers were cached, and not in a world without faults."""
    seen = plain("GET", "/course/1/", "member", world)
    assert [both.ask(seen).by_lane for _ in range(2)] == [True, True]
    switched = replace(seen, target=seen.target + query)
    switched = switched.with_("Cookie", cookie) if cookie else switched
    for _ in range(2):
        answer = both.ask(switched)
        assert (answer.status, answer.by_lane) == (400, False)
        assert b"No fault of world" in answer.body
    both.ask(control("POST", "faults", world, {"kind": "error", "status": 503, "switch": "broken"}))
    assert [both.ask(request).status for request in (seen, switched, seen, switched)] == [200, 503, 200, 503]
    both.ask(control("DELETE", "faults", world))
    assert [both.ask(request).status for request in (seen, switched)] == [200, 400]


def test_other_cookies_are_no_switches(both: Both, world: str) -> None:
    seen = plain("GET", "/course/1/", "member", world).with_("Cookie", "theme=dark; stub_fault=broken")
    assert [both.ask(seen).by_lane for _ in range(2)] == [True, True]


def test_fixture_is_asked_for_each_time(both: Both, world: str) -> None:
    """A head that was accepted once is refused if the world now has another fixture."""
    both.ask(control("DELETE", f"worlds/{world}"))
    seen = plain("GET", "/category/", "member", world).with_("X-Stub-Fixture", "empty")
    answers = [both.ask(seen) for _ in range(2)]
    assert [(answer.json["count"], answer.by_lane) for answer in answers] == [(2, True), (2, True)]
    both.ask(control("POST", f"worlds/{world}/reset?fixture=default"))
    assert both.ask(seen).status == 400


def test_worlds_are_evicted_in_the_same_order(contract: Contract, default_fixture: Fixture) -> None:
    """A request through the lane counts as use of its world, even if the answer was cached."""
    both = Both(contract, default_fixture, max_worlds=3)
    for world in ("a", "b", "a", "a", "c", "a", "d"):
        both.ask(freeze(world))
        assert both.ask(plain("GET", "/course/1/", "member", world)).by_lane
    worlds = both.ask(control("GET", "worlds")).json["results"]
    assert [(row["name"], row["requests"]) for row in worlds] == [("a", 4), ("d", 1), ("default", 0)]
    assert both.apps[0].worlds.evicted == both.apps[1].worlds.evicted == 2
    both.stop()


def test_refused_request_leaves_nothing_behind(both: Both, world: str) -> None:
    """The operation takes an id before its rules refuse; the next request gets that id."""
    made = plain(
        "POST", "/course/1/section/1/lesson/", "creator", world, {"name": "A", "type": "lesson", "medias": [99]}
    )
    assert both.ask(made).status == 400
    good = plain("POST", "/course/1/section/1/lesson/", "creator", world, {"name": "A", "type": "lesson"})
    answer = both.ask(good)
    next_id = both.apps[1].fixture.tables["lessons"].next_id
    assert (answer.status, answer.by_lane, answer.json["id"]) == (201, True, next_id)
    section = both.ask(plain("GET", "/course/1/section/1/", "creator", world)).json
    assert section["lessons_order"] == [1, 2, 3, next_id]


def test_full_world_refuses(contract: Contract, default_fixture: Fixture) -> None:
    both = Both(contract, default_fixture, max_rows=3)
    made = plain("POST", "/course/1/section/", "creator", body={"name": "Part"})  # changes the section and its course
    answers = [both.ask(made) for _ in range(4)]
    assert [(answer.status, answer.by_lane) for answer in answers] == [
        (201, True),
        (201, True),
        (503, False),
        (503, False),
    ]
    assert both.ask(plain("PATCH", "/course/1/", body={"name": "Changed"})).by_lane
    both.stop()


# What is recorded


def test_journal_tells_all(both: Both, world: str) -> None:
    jwt = signed(8, NOW + timedelta(hours=1))
    requests = (
        plain("GET", "/course/1/?foo=1&view=user", "member", world),
        plain("GET", "/course/1/?foo=1&view=user", "member", world),
        plain("PATCH", "/course/1/", "creator", world, {"name": "Changed", "bar": 1}),
        plain("POST", "/course/15/join/", None, world).with_("Authorization", f"Bearer {jwt}"),
    )
    for request in requests:
        assert both.ask(request).by_lane
    found = both.ask(control("GET", "requests", world)).json["results"][::-1]
    assert [row["operation"] for row in found] == ["get_course", "get_course", "patch_course", "join_course"]
    assert [row["id"] for row in found] == [f"{world}-{number}" for number in range(1, 5)]
    assert [row["persona"] for row in found] == ["stub-member", "stub-member", "stub-creator", "bram_tolliver"]
    foo, bar = {"kind": "parameter", "name": "foo"}, {"kind": "field", "name": "bar"}
    assert [row["violations"] for row in found] == [[foo], [foo], [bar], []]
    changes = [[(change["op"], change["path"]) for change in row["changes"]] for row in found]
    assert changes == [[], [], [("replace", "/courses/1/name")], [("add", "/memberships/15,8")]]
    assert [(row["status"], row["milliseconds"]) for row in found] == [(200, 0)] * 4


def test_journal_knows_how_long_it_took(both: Both, world: str) -> None:
    both.ask(control("POST", "clock/release", world))
    for method in ("GET", "GET", "PATCH"):
        body = {"description": "Changed"} if method == "PATCH" else None
        assert both.ask(plain(method, "/course/1/", "creator", world, body)).by_lane
    for number in (0, 1):
        line = both.lines(2)[number]
        line.send(control("GET", "requests", world).raw)
        found = orjson.loads(line.answer().partition(b"\r\n\r\n")[2])["results"]
        assert len(found) == 3
        assert all(0 < entry["milliseconds"] < PATIENCE * 1000 for entry in found)
    both.hang_up(2)


def test_journal_has_the_body_of_each_request(both: Both, world: str) -> None:
    """Even of requests that need no body, and get the same answer with any."""
    seen = plain("GET", "/course/2/", "member", world)
    for text in (b"1", b"2", b"", b"3" * 20_000, b"4" * 20_000):
        assert both.ask(replace(seen, body=text)).status == 200
    bodies = [row["request"]["body"] for row in both.ask(control("GET", "requests", world)).json["results"]]
    assert bodies == ["(20000 bytes)", "(20000 bytes)", None, 2, 1]


def test_journal_forgets_the_oldest(contract: Contract, default_fixture: Fixture) -> None:
    both = Both(contract, default_fixture, max_requests=3)
    for number in range(1, 6):
        assert both.ask(plain("GET", f"/course/{number}/")).by_lane
        found = both.ask(control("GET", "requests")).json["results"]
        assert [row["id"] for row in found] == [f"default-{n}" for n in range(number, max(0, number - 3), -1)]
    assert [app.journal.forgotten for app in both.apps] == [2, 2]
    both.stop()


def test_access_log_has_a_line_for_each(both: Both, world: str, monkeypatch: pytest.MonkeyPatch) -> None:
    logs: tuple[list[Any], list[Any]] = ([], [])
    for app, lines in zip(both.apps, logs, strict=True):
        monkeypatch.setattr(app.recorder, "log", lines.append)
    for path in ("/course/1/?", "/course/search/?limit=1", "/course/99/"):
        both.ask(plain("GET", path, "member", world))
    both.ask(plain("GET", "/user/me/", None, world))
    both.ask(replace(plain("GET", "/course/1/", "member"), target=f"/~{world}/api/v2/course/1/"))
    told = [
        [(line["method"], line["path"], line["status"], line["persona"], line["request"]) for line in log]
        for log in logs
    ]
    assert told[0] == told[1]
    assert told[0] == [
        ("GET", "/api/v2/course/1/", 200, "stub-member", f"{world}-1"),
        ("GET", "/api/v2/course/search/?limit=1", 200, "stub-member", f"{world}-2"),
        ("GET", "/api/v2/course/99/", 404, "stub-member", f"{world}-3"),
        ("GET", "/api/v2/user/me/", 401, "anonymous", f"{world}-4"),
        ("GET", f"/~{world}/api/v2/course/1/", 200, "stub-member", f"{world}-5"),
    ]


def test_broken_log_breaks_no_answer(both: Both, world: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken_log(_: Any) -> None:
        raise ValueError("I/O operation on closed file")

    for app in both.apps:
        monkeypatch.setattr(app.recorder, "log", broken_log)
    both.hang_up(0)  # a server may still be recording the request before, of which we have the answer
    assert both.ask(plain("PATCH", "/course/1/", "creator", world, {"name": "Changed"})).status == 200
    both.hang_up(0)
