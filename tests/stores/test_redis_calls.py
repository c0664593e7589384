"""Calls of Redis: what is done again, what waits for the next call, and what is said about failures."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stubserver.stores.link import Interrupted
from stubserver.stores.redis_calls import RedisCalls, line, script
from stubserver.stores.redis_scripts import TRIM
from stubserver.stores.store import Unavailable
from stubserver.stores.wire import Command
from tests.stores.losses import lose
from tests.stores.servers import Redis, free_port, redis
from tests.support.commands import PATIENCE

pytestmark = pytest.mark.slow
SET: Command = ["SET", "calls", "1"]
GET: Command = ["GET", "calls"]
WRONG: Command = ["LPUSH", "calls", "x"]
TRIMMED = script(TRIM, ["none", "count"], 5, "reason", 3)
"""A script that finds nothing to do, and says so."""
NOTHING = [0, 0]


class Asked:
    """Calls, without waiting."""

    def __init__(self, url: str, runner: asyncio.Runner) -> None:
        self.calls = RedisCalls(url)
        self.calls.deadline = time.monotonic() + PATIENCE
        self._runner = runner

    def ask(self, *commands: Command) -> list[Any]:
        return self._runner.run(self.calls.ask(commands))

    def read(self, *commands: Command) -> list[Any]:
        return self._runner.run(self.calls.read(commands))

    def note(self, *commands: Command) -> list[Any]:
        return self._runner.run(self.calls.note(commands))

    def check(self) -> None:
        self._runner.run(self.calls.check())

    def close(self) -> None:
        self._runner.run(self.calls.close())

    def refusal(self, *commands: Command) -> str:
        """Why the commands were not carried out, or have no replies."""
        with pytest.raises(Unavailable) as raised:
            self.read(*commands)
        assert type(raised.value) is Unavailable
        return str(raised.value)


@pytest.fixture
def asked(server: Redis, runner: asyncio.Runner) -> Iterator[Asked]:
    asked = Asked(server.url, runner)
    asked.ask(["DEL", "calls", "calls:n"])
    yield asked
    asked.close()


# Replies


def test_replies_are_those_of_the_commands(asked: Asked) -> None:
    assert asked.ask(SET, GET) == [b"OK", b"1"]
    assert (asked.ask(), asked.read(GET), asked.note(GET, GET)) == ([], [b"1"], [b"1", b"1"])


def test_errors_are_replies_or_failures(asked: Asked, server: Redis) -> None:
    ok, failed, found = asked.ask(SET, WRONG, GET)
    assert (ok, found) == (b"OK", b"1")
    told = f"Redis at 127.0.0.1:{server.port}: WRONGTYPE Operation against a key holding the wrong kind of value"
    assert told.endswith(str(failed))
    assert asked.calls.error([b"OK", failed, ValueError("x")]) == told
    assert asked.calls.error([b"OK", None, 0]) == ""
    assert asked.refusal(GET, WRONG, ["NONSENSE"]) == told
    assert asked.note(GET, WRONG) == []


def test_an_error_is_told_in_one_line() -> None:
    assert line(ValueError("It is\n  not\tso. Really. ")) == "It is not so. Really"


# Later


def test_what_has_time_goes_with_the_next_call(asked: Asked) -> None:
    asked.calls.later += [SET, WRONG, ["INCR", "calls:n"]]
    assert asked.ask(GET) == [b"1"]
    assert asked.ask(["GET", "calls:n"]) == [b"1"]


def test_what_has_time_is_not_lost_with_the_connection(asked: Asked) -> None:
    lose(asked.calls, "connection")
    asked.calls.later += [["INCR", "calls:n"]]
    assert asked.refusal(GET) == "Redis is not there"
    assert asked.ask(["GET", "calls:n"]) == [b"1"]


def test_what_may_have_been_done_is_not_repeated(asked: Asked) -> None:
    lose(asked.calls, "answer")
    asked.calls.later += [["INCR", "calls:n"]]
    assert asked.note(GET) == []
    assert asked.ask(["GET", "calls:n"]) == [b"1"]


# Scripts


def test_a_script_that_redis_does_not_know_is_sent_with_its_text(asked: Asked, server: Redis) -> None:
    for _ in range(2):
        server.tell("SCRIPT", "FLUSH")
        lossy = lose(asked.calls)
        assert asked.ask(SET, TRIMMED, GET, TRIMMED) == [b"OK", NOTHING, b"1", NOTHING]
        assert [len(commands) for commands in lossy.asked] == [4, 2]
        lossy = lose(asked.calls)
        assert asked.ask(TRIMMED, GET) == [NOTHING, b"1"]
        assert [len(commands) for commands in lossy.asked] == [2]


def test_a_script_that_redis_does_not_know_keeps_what_has_time_in_its_place(asked: Asked, server: Redis) -> None:
    server.tell("SCRIPT", "FLUSH")
    asked.calls.later += [["INCR", "calls:n"], ["INCR", "calls:n"]]
    assert asked.ask(TRIMMED, ["GET", "calls:n"], TRIMMED) == [NOTHING, b"2", NOTHING]


@pytest.mark.parametrize("event", ["connection", "answer", "commands"])
def test_nobody_knows_what_a_call_did_that_cannot_be_finished(asked: Asked, server: Redis, event: Any) -> None:
    """The other commands were carried out, though the script was not."""
    server.tell("SCRIPT", "FLUSH")
    lose(asked.calls, "nothing", event)
    with pytest.raises(Interrupted):
        asked.ask(SET, TRIMMED)
    server.tell("SCRIPT", "FLUSH")
    lose(asked.calls, "nothing", event)
    assert asked.refusal(TRIMMED) == ("Redis is not there" if event == "connection" else "Redis closed the connection")


# Failures


def test_whoever_is_not_there_is_told_with_the_address(runner: asyncio.Runner) -> None:
    port = free_port()
    asked = Asked(f"redis://:secret@127.0.0.1:{port}", runner)
    assert asked.refusal(GET) == f"Redis at 127.0.0.1:{port} refused the connection"
    assert asked.note(GET) == []
    asked.close()


def test_a_call_after_the_deadline_may_still_be_answered(asked: Asked) -> None:
    """Redis is given a moment, so that a turn that took long can be ended."""
    asked.calls.deadline = 0.0
    assert asked.ask(GET) == [None]


def test_a_call_ends_before_the_deadline_by_as_much_as_is_to_be_spared(asked: Asked, runner: asyncio.Runner) -> None:
    patience = []

    class Link:
        async def ask(self, commands: Any, left: float) -> list[Any]:
            patience.append(left)
            return [b"" for _ in commands]

    asked.calls._link, link = Link(), asked.calls._link  # type: ignore[assignment]
    runner.run(asked.calls.ask([GET], spare=PATIENCE / 2))
    runner.run(asked.calls.ask([GET], spare=PATIENCE * 2))
    asked.calls._link = link
    assert 0.05 < patience[0] <= PATIENCE / 2
    assert patience[1] == 0.05


def test_a_link_that_was_closed_is_opened_again(asked: Asked) -> None:
    asked.ask(SET)
    asked.close()
    asked.close()
    assert asked.ask(GET) == [b"1"]


# What is trusted


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-ttl", "allkeys-random", "volatile-lfu"])
def test_a_redis_that_may_drop_keys_is_refused(mortal: Redis, runner: asyncio.Runner, policy: str) -> None:
    mortal.tell("CONFIG", "SET", "maxmemory-policy", policy)
    asked = Asked(mortal.url, runner)
    with pytest.raises(Unavailable) as raised:
        asked.check()
    assert str(raised.value) == (
        f"Redis at 127.0.0.1:{mortal.port}: maxmemory-policy is {policy}, so it may drop parts of a world; "
        "set it to noeviction"
    )
    mortal.tell("CONFIG", "SET", "maxmemory-policy", "noeviction")
    asked.check()
    asked.close()


def test_a_node_of_a_cluster_is_refused_unless_it_is_called_so(nodes: list[Redis], runner: asyncio.Runner) -> None:
    """Most keys are elsewhere."""
    asked = Asked(nodes[0].url, runner)
    with pytest.raises(Unavailable) as raised:
        asked.check()
    expected = f"Redis at 127.0.0.1:{nodes[0].port} is a node of a cluster: add the option cluster=true to the URL"
    assert str(raised.value) == expected
    asked.close()
    asked = Asked(f"{nodes[0].url}?cluster=true", runner)
    asked.check()
    asked.close()


def test_a_redis_that_tells_nothing_is_trusted(tmp_path: Path, runner: asyncio.Runner) -> None:
    with redis(tmp_path, "--rename-command", "INFO", "") as server:
        asked = Asked(server.url, runner)
        asked.check()
        asked.close()


def test_a_user_who_may_not_know_is_trusted(mortal: Redis, runner: asyncio.Runner) -> None:
    mortal.tell("ACL", "SETUSER", "limited", "on", ">secret", "~*", "+@all", "-info")
    asked = Asked(mortal.url.replace("//", "//limited:secret@"), runner)
    asked.check()
    assert asked.ask(GET) == [None]
    asked.close()


def test_a_script_is_named_by_its_digest() -> None:
    command = script(TRIM, ["a", "b"], 1, b"x")
    assert (command[0], *command[2:]) == ("EVALSHA", 2, "a", "b", 1, b"x")
