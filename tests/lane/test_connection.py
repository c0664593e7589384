"""What a connection makes of unusual and broken HTTP, with the lane and without."""

import json
from dataclasses import replace

import pytest

from tests.lane.both import Both
from tests.lane.oddities import FORM, Request
from tests.lane.requests import Step, control, freeze, plain

pytestmark = pytest.mark.slow


def problem(raw: bytes) -> tuple[int, str, str]:
    """Status, code and message of a refusal in the API's error shape that closes the connection."""
    head, _, body = raw.partition(b"\r\n\r\n")
    assert b"\r\nconnection: close" in head
    assert b"\r\ncontent-type: application/json" in head
    assert b"\r\ncontent-length: %d" % len(body) in head
    (found,) = json.loads(body)["errors"]
    return int(head[9:12]), found["code"], found["message"]


# Upgrades

UPGRADES = (
    ("Upgrade", "h2c"),
    ("Upgrade, HTTP2-Settings", "h2c"),
    ("upgrade", "websocket"),
    ("keep-alive, Upgrade", "TLS/1.0, h2c"),
)


def upgrading(request: Request, connection: str = "Upgrade, HTTP2-Settings", protocol: str = "h2c") -> Request:
    """The request as a client sends it that would rather speak HTTP/2."""
    return request.with_("Connection", connection).with_("Upgrade", protocol).with_("HTTP2-Settings", "AAMAAABk")


def written(world: str, text: str = "Changed") -> Request:
    return plain("PATCH", "/course/1/", "creator", world, {"description": text})


def description(both: Both, world: str) -> str:
    found: str = both.ask(plain("GET", "/course/1/", "creator", world)).json["description"]
    return found


@pytest.mark.parametrize(("connection", "protocol"), UPGRADES)
@pytest.mark.parametrize("cuts", [(), (-30,), (0,), (3,)], ids=["whole", "head", "body", "middle"])
def test_upgrades_are_ignored(both: Both, world: str, connection: str, protocol: str, cuts: tuple[int, ...]) -> None:
    """The body counts, wherever it is cut."""
    request = upgrading(written(world), connection, protocol)
    begin = request.raw.index(b"\r\n\r\n") + 4
    (answer,) = both.take(Step((request,), tuple(begin + cut for cut in cuts)))
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert description(both, world) == "Changed"


@pytest.mark.parametrize("how", ["form", "chunked", "expect"])
def test_upgrades_are_ignored_however_the_body_is_sent(both: Both, world: str, how: str) -> None:
    request = upgrading(written(world))
    if how == "form":
        request = replace(request.with_("Content-Type", FORM), body=b"description=Changed")
    elif how == "chunked":
        request = replace(request, chunks=(5,), trailer="Prefer: code=404\r\n")
    else:
        request = request.with_("Expect", "100-continue")
    (answer,) = both.take(Step((request,)))
    assert b"HTTP/1.1 200 OK" in answer
    assert description(both, world) == "Changed"


def test_body_after_an_upgrade_is_no_request(both: Both, world: str) -> None:
    smuggled = plain("DELETE", "/course/1/", "creator", world).raw
    outer = replace(upgrading(plain("POST", "/course/2/join/", "stranger", world)), body=smuggled)
    both.take(Step((outer,), cuts=(len(outer.raw) - len(smuggled),)))
    asked = both.ask(control("GET", "requests", world)).json["results"]
    assert [entry["request"]["method"] for entry in asked] == ["POST"]
    assert both.ask(plain("GET", "/course/1/", "creator", world)).status == 200


def test_requests_behind_an_upgrade_are_answered(both: Both, world: str) -> None:
    """Thousands of them, too."""
    seen = plain("GET", "/course/1/", "creator", world)
    requests = (upgrading(written(world, "Alpha-1")), seen, upgrading(written(world, "Beta-2")), upgrading(seen), seen)
    answers = both.take(Step(requests))
    assert [b"Alpha-1" in answer for answer in answers] == [True, True, False, False, False]
    assert [b"Beta-2" in answer for answer in answers] == [False, False, True, True, True]
    assert len(both.take(Step((upgrading(replace(seen, method="HEAD")),) * 1200))) == 1200


def test_journal_shows_that_an_upgrade_was_asked_for(both: Both, world: str) -> None:
    both.ask(upgrading(written(world)))
    (entry,) = both.ask(control("GET", "requests", world)).json["results"]
    assert entry["request"]["headers"]["upgrade"] == "h2c"


@pytest.mark.parametrize(
    ("text", "status", "code", "message"),
    [
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "http_version_not_supported", "HTTP/1.1 only"),
        (b"CONNECT a.test:80 HTTP/1.1\r\nHost: a.test:80\r\n\r\n", 501, "not_implemented", "not a proxy"),
        (
            b"CONNECT a.test:80 HTTP/1.1\r\nHost: a.test:80\r\n\r\nGET / HTTP/1.1\r\n",
            501,
            "not_implemented",
            "not a proxy",
        ),
        (b"\x16\x03\x01\x02\x00\x01\x00", 400, "parse_error", "not a valid request in HTTP/1.1: "),
    ],
)
def test_other_protocols_are_refused(both: Both, text: bytes, status: int, code: str, message: str) -> None:
    found = problem(both.raw(text))
    assert found[:2] == (status, code)
    assert message in found[2]


# Refusals in their turn


def test_refusal_waits_for_the_answers_before_it(both: Both, world: str) -> None:
    fast = plain("GET", "/course/1/", "member", world)
    slow = fast.with_("Prefer", "wait=0.05")
    for requests in ((fast,), (fast, fast), (slow,), (fast, slow, fast)):
        answers = both.raw(b"".join(request.raw for request in requests) + b"GARBAGE\r\n\r\n")
        *good, bad = answers.split(b"HTTP/1.1 ")[1:]
        assert [answer[:3] for answer in good] == [b"200"] * len(requests)
        assert problem(b"HTTP/1.1 " + bad)[0] == 400


@pytest.mark.parametrize("before", [(), ("wait=0.05",), ("wait=0.05", "wait=0")], ids=len)
def test_broken_body_is_refused_and_changes_nothing(both: Both, world: str, before: tuple[str, ...]) -> None:
    """In its turn, whether its request is being answered or waits behind others."""
    first = [plain("GET", "/course/1/", "member", world).with_("Prefer", wait).raw for wait in before]
    broken = replace(written(world), chunks=(5,)).raw.replace(b"\r\n0\r\n", b"\r\nzz\r\n")
    *good, bad = both.raw(b"".join((*first, broken))).split(b"HTTP/1.1 ")[1:]
    assert [answer[:3] for answer in good] == [b"200"] * len(before)
    assert problem(b"HTTP/1.1 " + bad)[:2] == (400, "parse_error")
    assert description(both, world) != "Changed"


def test_broken_body_after_its_answer_only_closes(both: Both, world: str) -> None:
    request = replace(written(world), chunks=(5,)).with_("Accept", "text/html")
    head, _, body = request.raw.partition(b"\r\n\r\n")
    for line in both.lines(0):
        line.send(head + b"\r\n\r\n")
    assert {line.answer()[:12] for line in both.lines(0)} == {b"HTTP/1.1 406"}
    for line in both.lines(0):
        line.send(b"zz\r\n" + body)
    assert [line.rest() for line in both.lines(0)] == [b"", b""]
    both.hang_up(0)
    both.ask(freeze(world))
