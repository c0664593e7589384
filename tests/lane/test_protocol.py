"""HTTP with the lane and without: bodies, the order of answers, and connections that stay open or close."""

import re
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from stubserver.contract.contract import Contract
from stubserver.lane.head import Head
from stubserver.lane.lane import Send
from stubserver.worlds.snapshot import Fixture
from tests.lane.both import Both
from tests.lane.oddities import MAX_BODY
from tests.lane.requests import Step, control, freeze, plain

pytestmark = pytest.mark.slow


def test_answers_come_in_the_order_of_the_requests(both: Both, world: str) -> None:
    """Fast answers of the lane do not overtake slow ones of the stack."""
    fast, missing = plain("GET", "/course/1/", "member", world), plain("GET", "/course/99/", "member", world)
    slow = fast.with_("Prefer", "wait=0.05")
    written = plain("PATCH", "/course/1/", "creator", world, {"name": "Changed"})
    requests = (fast, slow, fast, written, slow, missing, fast)
    answers = both.take(Step(requests))
    numbers = [int(re.search(rb"\r\nx-stub-request: .*-([0-9]+)\r", answer)[1]) for answer in answers]  # type: ignore[index]
    assert numbers == [1, 2, 3, 4, 5, 6, 7]
    assert [b'"name":"Changed"' in answer for answer in answers] == [False, False, False, True, True, False, True]


def test_body_that_is_too_large_is_not_waited_for(contract: Contract, default_fixture: Fixture) -> None:
    """However small the bound: the lane waits for small bodies only."""
    both = Both(contract, default_fixture, max_body=100)
    written = plain("PATCH", "/course/1/", "creator", body={"description": "x" * 100})
    for line in both.lines(0):
        line.send(written.raw.partition(b"{")[0])
    with_lane, without = (line.answer() for line in both.lines(0))
    assert with_lane == without
    assert without.startswith(b"HTTP/1.1 413 ")
    assert both.ask(plain("PATCH", "/course/1/", "creator", body={"description": "x"}), line=1).by_lane
    both.stop()


def test_refusals_that_need_no_body_do_not_wait_for_it(both: Both, world: str) -> None:
    good = plain("PATCH", "/course/1/", "creator", world, {"name": "Changed"})
    for refused, status in (
        (good.with_("Accept", "text/html"), 406),
        (good.with_("X-Stub-World", "-bad"), 400),
        (replace(good, body=b" " * (MAX_BODY + 1)), 413),
        (replace(good, target="/api/v2/course/1"), 404),
    ):
        head = refused.raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
        for line in both.lines(0):
            line.send(head)
        with_lane, without = (line.answer() for line in both.lines(0))
        assert with_lane == without
        assert int(without[9:12]) == status
        both.hang_up(0)


@pytest.mark.parametrize(
    ("size", "cuts", "by_lane"),
    [
        (0, (0,), True),  # as many clients do: first the head, then the body
        (0, (1, 2, 3), True),
        (60_000, (0, 1, 50_000), True),
        (70_000, (0, 50_000), False),  # too large for the lane to wait for
        (0, (-60, -3, 5), False),  # in the middle of the head
        (0, (-1,), False),
    ],
)
def test_body_may_come_in_pieces(both: Both, world: str, size: int, cuts: tuple[int, ...], by_lane: bool) -> None:
    """`cuts` are relative to the start of the body."""
    written = plain("PATCH", "/course/1/", "creator", world, {"description": "Changed." + "x" * size})
    begin, before = written.raw.index(b"\r\n\r\n") + 4, both.by_lane
    (answer,) = both.take(Step((written,), tuple(begin + cut for cut in cuts)))
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert both.by_lane - before == by_lane
    assert both.ask(plain("GET", "/course/1/", "creator", world)).json["description"].startswith("Changed.")


def test_requests_may_follow_each_other_without_a_pause(both: Both, world: str) -> None:
    """A body, a request for the stack, and the start of a request that is completed later."""
    seen = plain("GET", "/course/1/", "creator", world)
    written = plain("PATCH", "/course/1/", "creator", world, {"description": "Changed."})
    requests = (written, seen, written, replace(seen, method="HEAD"), seen, written)
    before = both.by_lane
    text = b"".join(request.raw for request in requests)
    answers = both.take(Step(requests, cuts=(len(text) - 5,)))
    assert [answer[9:12] for answer in answers] == [b"200"] * 6
    assert both.by_lane - before == 3  # requests that wait behind one for the stack are answered by the stack
    assert both.ask(seen).by_lane


def test_body_without_its_end_is_no_request(both: Both, world: str) -> None:
    form = plain("PATCH", "/course/1/", "creator", world).with_("Content-Type", "application/x-www-form-urlencoded")
    for request in (replace(form, body=b"name=Changed&description=Changed"), replace(form, body=b"x=1", chunks=(1,))):
        for line in both.lines(0):
            line.send(request.raw[:-12])
        both.ask(freeze(world), line=1)  # by now the servers have read it
        both.hang_up(0)
        both.ask(freeze(world), line=1)
    assert both.ask(control("GET", "requests", world)).json["results"] == []
    assert both.ask(plain("GET", "/course/1/", "creator", world)).json["name"] == "Watercolour for Absolute Beginners"


@pytest.mark.parametrize(
    "trailer",
    [
        "Prefer: code=404",
        "Authorization: Bearer stub-creator",
        "X-Stub-World: a",
        "Connection: close",
        "Expect: 100-continue",
    ],
)
def test_trailers_are_no_headers(both: Both, world: str, trailer: str) -> None:
    """At least those that arrive later than the body."""
    request = plain("PATCH", "/course/1/", "member", world, {"name": "Changed"})
    raw = replace(request, chunks=(5,), trailer=f"{trailer}\r\n").raw
    end = raw.index(b"0\r\n" + trailer.encode())
    for line in both.lines(0):
        line.send(raw[:end])
    both.ask(freeze(world), line=1)  # by now the servers have read it
    for line in both.lines(0):
        line.send(raw[end:])
    with_lane, without = (line.answer() for line in both.lines(0))
    assert with_lane == without
    assert without.startswith(b"HTTP/1.1 403 ")


def test_slow_reader_is_not_answered_into_memory(both: Both, world: str) -> None:
    """As soon as answers pile up, the next ones wait until they can be sent."""
    served, piled_up = both.apps[0].lane, [0]
    assert served is not None
    answer, offer, count = served.answer, served.offer, 1500
    page = plain("GET", "/course/search/?limit=100", "creator", world)

    def look() -> None:
        piled_up.append(max(each.transport.get_write_buffer_size() + each._size for each in both.connections))

    def answered(head: Head, body: bytes, send: Send) -> bool:
        look()
        return answer(head, body, send)

    def offered(head: Head, body: bytes, send: Send, done: Callable[[bool], None]) -> None:
        look()
        offer(head, body, send, done)

    served.answer, served.offer = answered, offered  # type: ignore[method-assign]
    for line in both.lines(0):
        line.send(page.raw * count)
    both.ask(freeze(world), line=1)
    for number in range(1, count + 1):
        with_lane, without = (line.answer() for line in both.lines(0))
        assert with_lane == without
        assert b"\r\nx-stub-request: %b-%d\r\n" % (world.encode(), number) in without
    served.answer, served.offer = answer, offer  # type: ignore[method-assign]
    assert len(piled_up) > 2
    assert max(piled_up) < 200_000


def test_idle_connection_is_closed_and_a_busy_one_is_not(both: Both, world: str) -> None:
    fast, waits = plain("GET", "/course/1/", "member", world), 0.2
    slow = fast.with_("Prefer", f"wait={3 * waits}")
    written = plain("PATCH", "/course/1/", "creator", world, {"name": "Changed"})
    both.hang_up(0)
    both.lines(0)
    both.ask(freeze(world), line=1)
    for each in both.connections:
        each.timeout_keep_alive = waits
    assert len(both.take(Step((fast, slow)))) == 2  # the connection was not idle until the second answer ended
    for line in both.lines(0):
        line.send(fast.raw + written.raw[:-5])
    assert len({line.answer() for line in both.lines(0)}) == 1
    time.sleep(3 * waits)  # a slow body
    for line in both.lines(0):
        line.send(written.raw[-5:])
    assert {line.answer()[:15] for line in both.lines(0)} == {b"HTTP/1.1 200 OK"}
    assert both.ask(fast).by_lane
    assert [line.rest() for line in both.lines(0)] == [b"", b""]  # closed by the servers
    both.hang_up(0)
    both.hang_up(1)


@pytest.mark.parametrize("header", [("Upgrade", "websocket"), ("Upgrade", "h2c"), ("Connection", "keep-alive")])
def test_requests_may_follow_one_that_asks_for_more(both: Both, world: str, header: tuple[str, str]) -> None:
    fast = plain("GET", "/course/1/", "member", world)
    more = fast.with_(*header)
    for request in (fast, more.with_("Connection", "Upgrade") if header[0] == "Upgrade" else more, fast, fast):
        for line in both.lines(0):
            line.send(request.raw)
        assert len({line.answer() for line in both.lines(0)}) == 1
    both.hang_up(0)


def test_connection_that_is_used_stays(both: Both, world: str) -> None:
    """However long ago it was opened."""
    fast, waits = plain("GET", "/course/1/", "member", world), 0.8
    both.hang_up(0)
    both.lines(0)
    both.ask(freeze(world), line=1)
    for each in both.connections:
        each.timeout_keep_alive = waits
    for _ in range(4):
        assert both.ask(fast).by_lane
        time.sleep(waits / 2)
    both.hang_up(0)
    both.hang_up(1)


def test_server_stops_with_an_idle_connection(contract: Contract, default_fixture: Fixture) -> None:
    both = Both(contract, default_fixture)
    assert both.ask(plain("GET", "/course/1/")).by_lane
    for server in both.servers:
        server.stop()
    assert [line.rest() for line in both.lines(0)] == [b"", b""]
    assert [server._thread.is_alive() for server in both.servers] == [False, False]
    both.stop()


def test_server_ends_what_has_begun_before_it_stops(contract: Contract, default_fixture: Fixture) -> None:
    both = Both(contract, default_fixture)
    written = plain("PATCH", "/course/1/", body={"name": "Changed"}).raw
    for line in both.lines(0):
        line.send(written[:-5])
    both.ask(freeze("default"), line=1)  # by now the servers have read it
    for server in both.servers:
        assert server._server is not None
        server._server.should_exit = True
    both.hang_up(1)
    for server in both.servers:
        while server._server.servers[0].sockets:  # type: ignore[union-attr]
            time.sleep(0.01)  # until it has started to stop
    for line in both.lines(0):
        line.send(written[-5:])
    with_lane, without = (line.rest() for line in both.lines(0))
    assert with_lane == without
    assert without.startswith(b"HTTP/1.1 200 OK\r\n")
    both.stop()


def test_what_comes_before_broken_http_is_answered_the_same(both: Both, world: str) -> None:
    both.raw(plain("GET", "/course/1/", "member", world).raw + b"GARBAGE\r\n\r\n")
