"""The log: what is known about a request, in a line for people or for machines, written once per turn of the event
loop."""

import asyncio
import json
from datetime import datetime
from typing import Any

import pytest

from stubserver.call import Accepted
from stubserver.contract.contract import Contract
from stubserver.errors import not_found, refusal
from stubserver.records.access_log import AccessLog, as_json, as_text, facts, redacted
from stubserver.records.journal import Answer
from stubserver.worlds.world import World
from tests.support.calls import called

FACTS: dict[str, Any] = {"method": "GET", "path": "/a?b=c", "status": 404, "ms": 1.25, "persona": "stub-member"}


@pytest.mark.parametrize("status", [400, 404])
def test_the_facts_of_a_refused_request(world: World, status: int) -> None:
    answer = Answer(status=status, seconds=0.5)
    found = facts("GET", "/a", called(world, user=3), answer, not_found("It"), "w-1")
    assert found == {
        "method": "GET",
        "path": "/a",
        "status": status,
        "ms": 500,
        "persona": "stub-member",
        "request": "w-1",
        "world": "w",
        "reason": "It does not exist or is not visible to you.",
    }


def test_the_facts_of_what_never_became_a_call() -> None:
    """No answer was sent, which counts as a failure of the server."""
    found = facts("GET", "/a", None, Answer(), None, None)
    assert (found["status"], found["persona"]) == (500, "anonymous")
    assert not {"request", "reason"} & set(found)


def test_a_refusal_that_nobody_saw_is_no_reason(world: World) -> None:
    """For example, when the request preferred a success instead."""
    assert "reason" not in facts("GET", "/a", called(world), Answer(status=200), not_found("It"), None)


def test_what_was_accepted_is_told_in_the_line(world: World) -> None:
    """R028: so that accepting is not silence."""
    call = called(world)
    call.accepted = (Accepted("categories.0", "text for a whole number"), Accepted("name", "a number for text"))
    found = facts("POST", "/a", call, Answer(status=201), None, "w-1")
    told = "categories.0: text for a whole number, name: a number for text"
    assert found["accepted"] == told
    assert as_text(found).endswith(f" w-1 - accepted as Django REST Framework would: {told}")


@pytest.mark.parametrize(
    ("more", "line"),
    [
        ({}, "GET    /a?b=c 404 1.2 ms stub-member"),
        ({"request": "w-1"}, "GET    /a?b=c 404 1.2 ms stub-member w-1"),
        ({"request": "w-1", "reason": "Why."}, "GET    /a?b=c 404 1.2 ms stub-member w-1 - Why."),
        ({"reason": "Why."}, "GET    /a?b=c 404 1.2 ms stub-member - Why."),
    ],
)
def test_a_line_for_people(more: dict[str, Any], line: str) -> None:
    assert as_text({**FACTS, **more}) == line


@pytest.mark.parametrize("control", ["\n", "\r", "\x1b", "\x00", "\x85", "\x9b"])
def test_no_part_of_a_line_steers_a_terminal(control: str) -> None:
    """All other characters stay."""
    line = as_text({**FACTS, "path": f"/ü{control}x", "reason": f"a{control}b"})
    assert line == "GET    /ü?x 404 1.2 ms stub-member - a?b"


@pytest.mark.parametrize(
    ("target", "shown"),
    [
        ("/a/", "/a/"),
        ("/a/?", "/a/?"),
        ("/a/?token", "/a/?token"),
        ("/a/?x=token&tokens=1", "/a/?x=token&tokens=1"),
        ("/a/?token=s", "/a/?token=[redacted]"),
        ("/a/?x=1&access_token=s&y=2", "/a/?x=1&access_token=[redacted]&y=2"),
        ("/a/?access_token=s=?/&access_token=t", "/a/?access_token=[redacted]&access_token=[redacted]"),
        ("/a/?access%5Ftoken=s&p%61ssword=", "/a/?access%5Ftoken=[redacted]&p%61ssword=[redacted]"),
        (
            "/a/?token[]=s&token[0]=t&%74oken%5b%5d=u",
            "/a/?token[]=[redacted]&token[0]=[redacted]&%74oken%5b%5d=[redacted]",
        ),
    ],
)
def test_no_credential_is_shown(contract: Contract, target: str, shown: str) -> None:
    assert redacted(target, contract.secrets) == shown


def test_a_line_for_machines() -> None:
    """It escapes whatever would break the line."""
    line = as_json({**FACTS, "path": "/a\nb"})
    assert "\n" not in line
    told = json.loads(line)
    assert [*told][:3] == ["time", "level", "message"]
    assert datetime.fromisoformat(told.pop("time")).tzinfo is not None
    about = {"level": "info", "message": "GET /a\nb 404"}
    assert told == {**about, **FACTS, "path": "/a\nb", "ms": 1.2}


@pytest.mark.parametrize(
    ("status", "faults", "level"),
    [(200, (), "info"), (404, (), "info"), (500, (), "error"), (503, ("error",), "info"), (0, (), "info")],
)
def test_only_what_nobody_asked_for_is_an_error(world: World, status: int, faults: tuple[str, ...], level: str) -> None:
    call = called(world)
    call.faults = [{"id": 1, "kind": kind} for kind in faults]
    found = facts("GET", "/a", call, Answer(status=status), refusal(status, "Why.") if status >= 400 else None, "w-1")
    assert json.loads(as_json(found))["level"] == level
    assert found.get("faults") == (", ".join(faults) or None)


def test_a_line_for_machines_names_operation_world_and_trace(world: World, contract: Contract) -> None:
    call = called(world)
    call.routed = contract.operations["get_course"]
    call.headers = {"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "tracestate": "a=1"}
    told = json.loads(as_json(facts("GET", "/a", call, Answer(status=200), None, "w-1")))
    assert (told["operation"], told["world"], told["request"]) == ("get_course", "w", "w-1")
    assert told["trace_id"] == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert (told["parent_id"], told["trace_flags"], told["tracestate"]) == ("00f067aa0ba902b7", "01", "a=1")


def test_the_lines_of_one_turn_are_written_together() -> None:
    """At its end, without delay: a reader of the log sees the request that was just answered."""
    written: list[str] = []
    log = AccessLog(written.append, lambda facts: str(facts["path"]))

    async def ask() -> list[str]:
        seen = []
        for turn in (("a", "b"), ("c",)):
            for path in turn:
                log({"path": path})
            seen.append("".join(written))
            await asyncio.sleep(0)
        return seen

    assert asyncio.run(ask()) == ["", "a\nb\n"]
    assert written == ["a\nb\n", "c\n"]
