"""Trace context: its values are not part of the head that is looked up, and nobody can tell."""

import random
from collections.abc import Sequence
from typing import Any

import httptools
import pytest

from stubserver.app import StubServer
from stubserver.lane import head
from tests.lane.both import Both
from tests.lane.oddities import Request
from tests.lane.requests import control, plain
from tests.support.default import HOST

PARENT = "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
OTHER = "traceparent: 00-11111111111111111111111111111111-2222222222222222-00"
STATE, LAST = "tracestate: congo=t61rcWkgMzE,rojo=00f067aa0ba902b7", "X-Last: 1"
LONG = f"traceparent: 00-{'x' * head.MAX_LENGTH}"
ODDITIES: Sequence[Sequence[str]] = [
    (PARENT,),
    (OTHER, STATE),
    (STATE, OTHER),
    (PARENT, STATE, LAST),
    (LAST, PARENT, LAST.replace("1", "2"), STATE),
    (STATE,),
    # Spellings
    (PARENT.replace("tracep", "Tracep"), STATE.replace("traces", "TraceS")),
    (PARENT.replace("traceparent", "TRACEPARENT"), STATE),
    (PARENT.replace("traceparent", "traceParent"), OTHER.replace("00-11", "00-13")),
    (PARENT.replace(": ", ":"), STATE),
    (PARENT.replace(": ", ":  ") + "  ", STATE + " "),
    (PARENT.replace(": ", ":\t") + "\t", STATE.replace(",", ", ")),
    (PARENT, STATE.replace(",", "\t,\t")),
    # Twice
    (PARENT, OTHER),
    (OTHER, STATE, PARENT),
    (PARENT, "Traceparent:" + OTHER.partition(":")[2].strip()),
    (PARENT, OTHER.upper()),
    (PARENT, STATE, "tracestate: a=b"),
    (PARENT, STATE, "tracestate:"),
    # Values
    ("traceparent:",),
    ("traceparent: ", STATE),
    ("traceparent: -", "tracestate: -"),
    ("traceparent: -",),
    ("traceparent: 00", STATE),
    ("traceparent: a b  c", "tracestate: =,=, ="),
    ("traceparent: \xfc", STATE),
    (PARENT, "tracestate: a=\xfc"),
    (PARENT.replace("00-", "ff-"), STATE),
    (PARENT + "-what-comes", STATE),
    (PARENT, "tracestate: " + ",".join(f"k{n}=v" for n in range(40))),
    (PARENT, "tracestate: a=" + "b" * 600),
    (LONG,),
    # What only looks like it
    (f"X-Note: {PARENT}",),
    (f"X-Note: {PARENT}", OTHER),
    (f"X-{PARENT}", STATE),
    (f"{PARENT} {OTHER}",),
    (f"baggage: {STATE}", PARENT),
    (PARENT.replace("traceparent", "traceparent2"), STATE),
    # In combination with what the lane leaves to the stack
    (PARENT, "Prefer: wait=0"),
    (PARENT, "Expect: 100-continue"),
    (PARENT, "X-Forwarded-Proto: https"),
    (PARENT, "Connection: traceparent"),
]
FOLDED = ("{}\r\n folded", "{}\r\n\tx", "X-Note: a\r\n {}", "X-Note: a\r\n\t{}", "{}\r\n ", "{}\n" + STATE, "{}\rx")
"""How a line may go on, or seem to."""


def traced(path: str, world: str, lines: Sequence[str]) -> Request:
    """A request with these lines in its head, as they are."""
    pairs = tuple((name, value.removeprefix(" ")) for name, _, value in (line.partition(":") for line in lines))
    request = plain("GET", path, "member", world)
    return Request(request.method, request.target, (*request.headers, *pairs))


def raw(path: str, world: str, lines: Sequence[str]) -> bytes:
    """The same, as bytes that may be no HTTP at all; the connection closes at the end."""
    first = (f"GET /api/v2{path} HTTP/1.1", f"Host: {HOST}", f"X-Stub-World: {world}")
    text = "\r\n".join((*first, "Authorization: Bearer stub-member", *lines, "", ""))
    return text.encode("latin-1")


def journal(both: Both, world: str) -> Any:
    """What the journals say, which `ask` compares, byte for byte."""
    return both.ask(control("GET", "requests?limit=100", world)).json["results"][::-1]


@pytest.fixture
def logs(both: Both, monkeypatch: pytest.MonkeyPatch) -> list[list[Any]]:
    """What both servers log."""
    found: list[list[Any]] = [[], []]
    for app, lines in zip(both.apps, found, strict=True):
        monkeypatch.setattr(app.recorder, "log", lines.append)
    return found


def told(log: list[Any]) -> list[Any]:
    """Lines of a log, without what must differ, and without the last one, which may come after its answer."""
    lines = [line for line in log if "/__stub/" not in line["path"]]
    return [{name: value for name, value in line.items() if name not in ("ms", "at", "time")} for line in lines]


@pytest.mark.parametrize("lines", ODDITIES, ids=lambda lines: "|".join(lines)[:60])
def test_every_spelling_is_answered_logged_and_recorded_the_same(
    both: Both, world: str, logs: list[list[Any]], lines: Sequence[str]
) -> None:
    """Also after heads that differ only in their values, for which an answer is cached."""
    for sent in ((PARENT,), (OTHER, STATE), lines, (OTHER, STATE), lines, lines):
        assert both.ask(traced("/course/1/", world, sent)).status == 200
    entries = journal(both, world)
    assert len(entries) == 6
    assert entries[1]["trace"] == entries[3]["trace"]
    assert entries[2]["request"]["headers"] == entries[4]["request"]["headers"]
    assert told(logs[0]) == told(logs[1])


@pytest.mark.parametrize("form", FOLDED)
@pytest.mark.parametrize("what", [PARENT, STATE])
def test_what_goes_on_in_the_next_line_is_none_of_it(both: Both, world: str, form: str, what: str) -> None:
    """It belongs to another header, or is no HTTP for the parser."""
    close, odd = "Connection: close", form.format(what)
    for lines in ((OTHER, odd, close), (odd, OTHER, close), (what.replace(":", " :"), odd, close)):
        both.ask(traced("/course/1/", world, (OTHER, STATE)))
        both.raw(raw("/course/1/", world, lines))
        both.ask(traced("/course/1/", world, (OTHER, STATE)))
    journal(both, world)


def test_any_mixture_of_them_is_the_same(both: Both, world: str, logs: list[list[Any]]) -> None:
    chance = random.Random(19)  # noqa: S311 (not for security)
    lines = [line for each in ODDITIES for line in each if "Expect" not in line and line != LONG]
    paths = ("/course/1/", "/course/2/", "/course/99/", "/user/me/", "/course/search/?limit=2")
    for _ in range(300):
        both.ask(traced(chance.choice(paths), world, chance.choices(lines, k=chance.randint(1, 4))))
    journal(both, world)
    assert told(logs[0]) == told(logs[1])


def test_a_traced_client_shares_heads_and_answers(both: Both, world: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One head is read for all of them, and one answer made; each is recorded with its own trace."""
    app: StubServer = both.apps[0]
    assert app.lane is not None
    read: list[bytes] = []
    made: list[object] = []
    real, make = head.Heads._read, app.lane._make

    def noted(self: head.Heads, text: bytes) -> Any:
        if app.lane is not None and self is app.lane.heads:
            read.append(text)
        return real(self, text)

    def counted(*args: Any) -> bytes:
        made.append(args)
        return make(*args)

    monkeypatch.setattr(head.Heads, "_read", noted)
    monkeypatch.setattr(app.lane, "_make", counted)
    sent = [f"traceparent: 00-{number:032x}-{number:016x}-01" for number in range(1, 20)]
    answers = [both.ask(traced("/course/1/", world, (line, f"tracestate: a={line[-8:]}"))) for line in sent]
    assert all(answer.by_lane for answer in answers)
    assert (len(read), len(made)) == (1, 1)
    entries = journal(both, world)
    assert [entry["trace"]["trace_id"] for entry in entries] == [line.split("-")[1] for line in sent]
    assert [entry["trace"]["tracestate"] for entry in entries] == [f"a={line[-8:]}" for line in sent]


def test_its_changes_reach_a_traced_client(both: Both, world: str) -> None:
    for number, name in enumerate(("One", "Two", "Three")):
        line = OTHER.replace("1111", f"111{number}")
        both.ask(plain("PATCH", "/course/1/", "manager", world, {"name": name}))
        for _ in range(2):
            answer = both.ask(traced("/course/1/", world, (line, STATE)))
            assert (answer.json["name"], answer.by_lane) == (name, True)


@pytest.mark.parametrize("lines", ODDITIES, ids=lambda lines: "|".join(lines)[:60])
def test_what_is_taken_out_is_what_the_parser_reads(both: Both, lines: Sequence[str]) -> None:
    """The headers of the call are those of uvicorn's parser, in its order, for whatever the lane takes."""
    assert both.apps[0].lane is not None
    text = raw("/course/1/", "default", lines)
    found = both.apps[0].lane.heads.find(text)
    if found is None:
        return
    sent: dict[str, str] = {}

    class Reader:
        def on_header(self, name: bytes, value: bytes) -> None:
            sent[name.lower().decode()] = value.decode("latin-1")

    httptools.HttpRequestParser(Reader()).feed_data(text)
    assert list(found.call.headers.items()) == list(sent.items())
