"""Several faults on one request: which act, in which order, and what becomes of the answer."""

import asyncio
import random
from collections import Counter
from itertools import product
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from stubserver.app import StubServer
from stubserver.contract.load import load_control_contract
from stubserver.pipeline import exchange
from stubserver.pipeline.dispatch import Dispatch
from stubserver.pipeline.faults import FAULT_KINDS
from tests.support.answers import ok
from tests.support.client import Api
from tests.support.faults import create, listed
from tests.support.journal import newest, requests
from tests.support.wire import drive

COURSE = "/course/1/"
pytestmark = pytest.mark.in_process("faults are acted out in this process")


def test_the_order_of_the_kinds_is_that_of_the_contract() -> None:
    assert [*FAULT_KINDS] == load_control_contract().schema("FaultCreate")["properties"]["kind"]["enum"]


# Two faults at a time

PAIRS = {
    "latency latency": "1 2 | 3 s | 200 whole | now",
    "latency reset": "1 2 | 1 s | nothing | -",
    "latency error": "1 2 | 1 s | 502 whole | -",
    "latency stale": "1 2 | 1 s | 200 whole | two",
    "latency lost": "1 2 | 1 s | nothing | now",
    "latency truncate": "1 2 | 1 s | 200 half | now",
    "latency drip": "1 2 | 3 s | 200 whole | now",
    "reset latency": "2 1 | 2 s | nothing | -",
    "reset reset": "1 | 0 s | nothing | -",
    "reset error": "1 | 0 s | nothing | -",
    "reset stale": "1 | 0 s | nothing | -",
    "reset lost": "1 | 0 s | nothing | -",
    "reset truncate": "1 | 0 s | nothing | -",
    "reset drip": "1 | 0 s | nothing | -",
    "error latency": "2 1 | 2 s | 501 whole | -",
    "error reset": "2 | 0 s | nothing | -",
    "error error": "1 | 0 s | 501 whole | -",
    "error stale": "1 | 0 s | 501 whole | -",
    "error lost": "1 | 0 s | 501 whole | -",
    "error truncate": "1 2 | 0 s | 501 half | -",
    "error drip": "1 2 | 2 s | 501 whole | -",
    "stale latency": "2 1 | 2 s | 200 whole | one",
    "stale reset": "2 | 0 s | nothing | -",
    "stale error": "2 | 0 s | 502 whole | -",
    "stale stale": "1 | 0 s | 200 whole | one",
    "stale lost": "1 2 | 0 s | nothing | one",
    "stale truncate": "1 2 | 0 s | 200 half | one",
    "stale drip": "1 2 | 2 s | 200 whole | one",
    "lost latency": "2 1 | 2 s | nothing | now",
    "lost reset": "2 | 0 s | nothing | -",
    "lost error": "2 | 0 s | 502 whole | -",
    "lost stale": "2 1 | 0 s | nothing | two",
    "lost lost": "1 | 0 s | nothing | now",
    "lost truncate": "1 | 0 s | nothing | now",
    "lost drip": "1 | 0 s | nothing | now",
    "truncate latency": "2 1 | 2 s | 200 half | now",
    "truncate reset": "2 | 0 s | nothing | -",
    "truncate error": "2 1 | 0 s | 502 half | -",
    "truncate stale": "2 1 | 0 s | 200 half | two",
    "truncate lost": "2 | 0 s | nothing | now",
    "truncate truncate": "1 | 0 s | 200 half | now",
    "truncate drip": "1 2 | 2 s | 200 half | now",
    "drip latency": "2 1 | 3 s | 200 whole | now",
    "drip reset": "2 | 0 s | nothing | -",
    "drip error": "2 1 | 1 s | 502 whole | -",
    "drip stale": "2 1 | 1 s | 200 whole | two",
    "drip lost": "2 | 0 s | nothing | now",
    "drip truncate": "2 1 | 1 s | 200 half | now",
    "drip drip": "1 2 | 3 s | 200 whole | now",
}
"""Kinds of fault 1 and fault 2 -> which fired, in the order of acting; seconds waited; the answer's status and how much
of its body arrived; what the course was called in the world in which the operation ran. Fault 1 was created when the
course was called one, refuses with 501, and takes 1 second; fault 2 was created when it was called two, refuses with
502, and takes 2 seconds."""


NAMES = ("one", "two", "three", "four", "five", "six", "seven")


def rename(api: Api, name: str) -> None:
    api.world.courses.put({**api.world.courses[1], "name": name})


def create_each(api: Api, *kinds: str) -> None:
    for number, (kind, name) in enumerate(zip(kinds, NAMES, strict=False), 1):
        rename(api, name)
        create(api, kind, seconds=number, status=500 + number)
    rename(api, "now")


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the course was called in the world of each operation that ran."""
    names: list[str] = []
    run = Dispatch.run

    def noted(self: Dispatch, call: Any, operation: Any) -> bytes:
        if not call.is_control:
            names.append(call.world.courses[1]["name"])
        return run(self, call, operation)

    monkeypatch.setattr(Dispatch, "run", noted)
    return names


def outcome(api: Api, runner: asyncio.Runner, naps: list[float], ran: list[str], **headers: str) -> str:
    """What became of a GET of the course, in the words of the tables."""
    outbox: list[Any] = []
    try:
        drive(api.app, runner, outbox, "GET", "/api/v2/course/1/", {"Host": "stub.test", **headers})
        end = "whole"
    except ConnectionResetError:
        end = "half"
    entry = newest(api)
    acted = " ".join(str(fault["id"] or fault["kind"]) for fault in entry["faults"])
    answer = f"{outbox[0]['status']} {end}" if outbox else "nothing"
    if outbox:
        arrived = sum(len(message.get("body", b"")) for message in outbox[1:])
        length = int(dict(outbox[0]["headers"])[b"content-length"])
        assert arrived == (length if end == "whole" else length // 2)
    return f"{acted} | {sum(naps):g} s | {answer} | {' '.join(ran) or '-'}"


def test_the_table_has_all_pairs() -> None:
    assert set(PAIRS) == {f"{first} {second}" for first, second in product(FAULT_KINDS, repeat=2)}


@pytest.mark.parametrize("kinds", PAIRS)
def test_two_faults(api: Api, runner: asyncio.Runner, naps: list[float], ran: list[str], kinds: str) -> None:
    """A fault that did not act has not fired."""
    create_each(api, *kinds.split())
    found = outcome(api, runner, naps, ran)
    assert found == PAIRS[kinds]
    acted = found.partition(" |")[0].split()
    assert [fault["fired"] for fault in listed(api)] == [acted.count("1"), acted.count("2")]


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        ("drip truncate error latency", "4 3 2 1 | 5 s | 503 half | -"),
        ("drip drip latency latency", "3 4 1 2 | 10 s | 200 whole | now"),
        ("drip truncate stale", "3 2 1 | 1 s | 200 half | three"),
        ("drip truncate lost stale latency", "5 4 3 | 5 s | nothing | four"),
        ("drip truncate lost stale error reset latency", "7 6 | 7 s | nothing | -"),
    ],
)
def test_many_faults(
    api: Api, runner: asyncio.Runner, naps: list[float], ran: list[str], kinds: str, expected: str
) -> None:
    create_each(api, *kinds.split())
    assert outcome(api, runner, naps, ran) == expected


def test_latency_everywhere_and_an_error_in_one_operation(api: Api, naps: list[float]) -> None:
    create(api, "latency", seconds=3)
    create(api, "error", status=500, operation="patch_course")
    assert api.as_("creator").patch(COURSE, json={"name": "Knots"}).status_code == 500
    ok(api.get(COURSE))
    assert naps == [3, 3]
    assert [[fault["kind"] for fault in entry["faults"]] for entry in requests(api)] == [
        ["latency"],
        ["latency", "error"],
    ]


@pytest.mark.parametrize("lost", ["lost", "error lost"])
def test_lost_fires_only_for_what_was_carried_out(api: Api, naps: list[float], lost: str) -> None:
    """So whoever counts on it never finds that nothing was done."""
    create_each(api, *lost.split())
    api.as_("creator").patch(COURSE, json={"name": "Knots"})
    assert [change["value"] for change in newest(api)["changes"]] == (["Knots"] if lost == "lost" else [])
    assert [fault["fired"] for fault in listed(api) if fault["kind"] == "lost"] == ([1] if lost == "lost" else [0])


# What a request prefers, beside each kind

BESIDE = {
    "latency": "wait=4 1 code=404 | 5 s | 404 whole | -",
    "reset": "wait=4 1 | 4 s | nothing | -",
    "error": "wait=4 code=404 | 4 s | 404 whole | -",
    "stale": "wait=4 code=404 | 4 s | 404 whole | -",
    "lost": "wait=4 code=404 | 4 s | 404 whole | -",
    "truncate": "wait=4 code=404 1 | 4 s | 404 half | -",
    "drip": "wait=4 code=404 1 | 5 s | 404 whole | -",
}
"""Kind -> what becomes of a request that prefers a status and a wait."""
WAITING = {
    "latency": "wait=4 1 | 5 s | 200 whole | now",
    "reset": "wait=4 1 | 4 s | nothing | -",
    "error": "wait=4 1 | 4 s | 501 whole | -",
    "stale": "wait=4 1 | 4 s | 200 whole | one",
    "lost": "wait=4 1 | 4 s | nothing | now",
    "truncate": "wait=4 1 | 4 s | 200 half | now",
    "drip": "wait=4 1 | 5 s | 200 whole | now",
}
"""Kind -> what becomes of a request that prefers only a wait."""


@pytest.mark.parametrize("kind", FAULT_KINDS)
@pytest.mark.parametrize(("wish", "table"), [("code=404, wait=4", BESIDE), ("wait=4", WAITING)])
def test_a_wish_beside_a_fault(
    api: Api,
    runner: asyncio.Runner,
    naps: list[float],
    ran: list[str],
    wish: str,
    table: dict[str, str],
    kind: str,
) -> None:
    create_each(api, kind)
    found = outcome(api, runner, naps, ran, Prefer=wish)
    assert found == table[kind]
    assert [fault["fired"] for fault in listed(api)] == [found.partition(" |")[0].split().count("1")]


@pytest.mark.parametrize("wish", ["code=418", "wait=abc", "code=404, wait=61"])
@pytest.mark.parametrize("kind", FAULT_KINDS)
def test_an_impossible_wish_is_refused_before_any_fault(api: Api, naps: list[float], kind: str, wish: str) -> None:
    create(api, kind)
    assert api.get(COURSE, headers={"Prefer": wish}).status_code == 400
    assert ([fault["fired"] for fault in listed(api)], naps, newest(api)["faults"]) == ([0], [], [])


# How often, and by what chance


def test_a_fault_that_did_not_act_is_due_again(api: Api) -> None:
    for kind in ("truncate", "lost", "stale", "error", "reset"):
        create(api, kind, times=1)
    for _ in range(6):
        api.get(COURSE)
    acted = [[fault["kind"] for fault in entry["faults"]] for entry in reversed(requests(api))]
    assert acted == [["reset"], ["error", "truncate"], ["stale", "lost"], [], [], []]


def test_the_journal_counts_what_the_faults_count(api: Api, naps: list[float]) -> None:
    """However many there are: none fires twice for one request, more often than its times, or out of order."""
    chance = random.Random(7)  # noqa: S311
    for kind in [*FAULT_KINDS] * 3:
        create(api, kind, times=chance.randint(1, 9), probability=chance.choice((0.5, 1)))
    for _ in range(90):
        api.get(COURSE)
    acted = Counter[int]()
    order = [*FAULT_KINDS]
    for entry in requests(api):
        fired = [(order.index(fault["kind"]), fault["id"]) for fault in entry["faults"]]
        assert fired == sorted(set(fired))
        acted.update(number for _, number in fired)
    faults = listed(api)
    assert [fault["fired"] for fault in faults] == [acted[fault["id"]] for fault in faults]
    assert all(fault["fired"] <= fault["times"] for fault in faults)
    assert sum(acted.values()) > 60


def hits(api: Api, world: str, *before: dict[str, Any]) -> list[bool]:
    """Which of 64 requests an error of probability 0.5 hits, in a new world in which other faults were created
    before."""
    api.app.worlds.reset(world)
    for wanted in before:
        create(api, world=world, **wanted)
    create(api, world=world, probability=0.5, status=599)
    return [api.get(f"/~{world}/api/v2/category/").status_code == 599 for _ in range(64)]


@pytest.mark.parametrize("kind", FAULT_KINDS)
def test_chance_does_not_depend_on_other_faults(api: Api, naps: list[float], kind: str) -> None:
    """Even if they come before it: then it fires less often, but never for other requests."""
    alone = hits(api, "w", {"kind": kind, "path": "/user/999/", "status": 500})
    beside = hits(api, "w", {"kind": kind, "probability": 0.5, "status": 500})
    first = [any(fault["id"] == 1 for fault in entry["faults"]) for entry in reversed(requests(api, world="w"))]
    precludes = kind in ("reset", "error")
    assert beside == [drawn and not (precludes and other) for drawn, other in zip(alone, first, strict=True)]
    assert (beside == alone) is not precludes


def test_delays_do_not_depend_on_other_faults(api: Api, naps: list[float]) -> None:
    wanted: dict[str, Any] = {
        "kind": "latency",
        "probability": 0.5,
        "distribution": "uniform",
        "seconds": 1,
        "at_most": 9,
    }
    found = []
    for others in ([], ["reset", "lost", "drip", "error"]):
        api.app.worlds.reset("w")
        create(api, world="w", **wanted)
        for kind in others:
            create(api, kind, world="w", probability=0.5, seconds=0)
        for _ in range(30):
            api.get("/~w/api/v2/category/")
        found.append(naps[:])
        naps.clear()
    assert found[0] == found[1]
    assert len(set(found[0])) > 5


# While a request waits


def test_what_fires_is_decided_when_the_request_arrives(
    api: Api, app: StubServer, runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two requests that wait at the same time, one meets an error that fires once; it does so even if the fault is
    removed meanwhile."""
    create(api, "latency", seconds=9)
    create(api, "error", status=500, times=1)
    statuses: list[int] = []

    async def both() -> None:
        waiting: list[float] = []
        all_are_waiting = asyncio.Event()

        async def nap(seconds: float) -> None:
            waiting.append(seconds)
            if len(waiting) == 2:
                app.worlds.get().faults = {}
                all_are_waiting.set()
            await all_are_waiting.wait()

        async def get() -> None:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://stub.test") as client:
                statuses.append((await client.get("/api/v2/course/1/")).status_code)

        monkeypatch.setattr(exchange, "asyncio", SimpleNamespace(sleep=nap))
        await asyncio.wait_for(asyncio.gather(get(), get()), 30)

    runner.run(both())
    assert sorted(statuses) == [200, 500]
