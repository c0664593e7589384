"""Many clients at once ask server processes that share their worlds; what they did and saw is judged.

Usage: python -m tests.sharing.load URL... [--requests N] [--clients N] [--worlds N] [--seed N]
Each request goes to one of the servers by chance. Prints what was done, and exits with status 1 and a line for each
contradiction if the servers did not behave as one.
"""

import argparse
import asyncio
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from stubserver.addressing import WORLD_HEADER, base_path
from stubserver.testing import Stub, StubError
from tests.sharing.check import violations
from tests.sharing.history import History, Operation, Outcome
from tests.sharing.script import Request, Script
from tests.sharing.wire import DEADLINE, Answer, Connection, Lost, NotSent, raw

SHOWN = 20
"""How many contradictions are printed."""
_TOKEN = {"Authorization": "Bearer stub-creator"}
_PAUSE = 0.05
"""Seconds between two tries to reach a server that does not answer."""


class Done(NamedTuple):
    """A request that has ended."""

    url: str
    outcome: Outcome
    status: int | None
    """None if there was no answer."""
    seconds: float


@dataclass
class Load:
    """Clients that send a number of requests to servers, each to one of them by chance, and at last read everything
    from every server."""

    urls: Sequence[str]
    """The servers; may change while the load runs."""
    requests: int
    clients: int = 16
    worlds: int = 1
    seed: int = 0
    events: Mapping[int, Callable[[], object]] = field(default_factory=dict)
    """Number of requests -> what is done, in a thread, once so many have ended. The load lasts until all are done."""
    done: list[Done] = field(default_factory=list)
    """The requests so far, in the order in which they ended; without those that read everything at last."""

    def __post_init__(self) -> None:
        """Raises ValueError if there is nothing to do, or an event can never happen."""
        if min(len(self.urls), self.requests, self.clients, self.worlds) < 1:
            raise ValueError("a load needs at least one URL, request, client and world")
        if late := [count for count in self.events if not 0 < count <= self.requests]:
            raise ValueError(f"no event can happen after {late[0]} of {self.requests} requests")
        self.chance = random.Random(self.seed)  # noqa: S311
        self._scripts = [Script(f"load-{self.seed}-{number}", self.seed) for number in range(self.worlds)]
        self._left = self.requests
        self._events = sorted(self.events.items())
        self._start = 0
        self._operations: list[Operation] = []
        self._ids: list[str] = []
        self._strange: list[str] = []

    def run(self) -> History:
        """Run the load, once, in new worlds. Raises AssertionError or StubError if these cannot be prepared, NotSent,
        perhaps in a group, if a server does not listen, and in a group whatever an event raises."""
        stub = Stub(self.urls[0])
        try:
            for script in self._scripts:
                with stub.world(script.world).client("creator") as client:
                    script.prepare(client, -(-self.requests // self.worlds))
        finally:
            stub.close()
        self._start = time.monotonic_ns()
        asyncio.run(self._run())
        initial = {key: value for script in self._scripts for key, value in script.initial.items()}
        return History(initial, self._operations, self._ids, self._strange)

    async def _run(self) -> None:
        clients = [_Client(number, self) for number in range(self.clients)]
        try:
            async with asyncio.TaskGroup() as group:
                for client in clients:
                    group.create_task(self._work(client, group))
            for url in self.urls:
                for script in self._scripts:
                    await self._read_all(clients[0], url, script)
        finally:
            for client in clients:
                client.close()

    async def _work(self, client: "_Client", group: asyncio.TaskGroup) -> None:
        """Let a client ask, until enough is asked."""
        while self._left > 0:
            self._left -= 1
            script = self.chance.choice(self._scripts)
            self.done.append(await client.ask_any(script.world, script.next()))
            while self._events and len(self.done) >= self._events[0][0]:
                group.create_task(asyncio.to_thread(self._events.pop(0)[1]))

    async def _read_all(self, client: "_Client", url: str, script: Script) -> None:
        """Read everything in a world from a server; what it cannot tell now, it has to tell soon."""
        deadline = time.monotonic() + DEADLINE
        for request in script.last():
            while (await client.ask(url, script.world, request)).outcome is Outcome.UNKNOWN:
                if time.monotonic() > deadline:
                    self._strange.append(f"{url} does not tell {request.path} in {script.world} at last")
                    return
                await asyncio.sleep(_PAUSE)

    def record(self, request: Request, answer: Answer | None, began: int, who: str) -> Outcome:
        """Note what a request did and saw."""
        ended = answer.ended if answer else time.monotonic_ns()
        outcome, operations = request.told(answer, began - self._start, ended - self._start, who)
        self._operations += operations
        if answer is not None:
            self._ids += [answer.request] if answer.request else []
            if request.is_strange(answer):
                told = answer.body[:200].decode(errors="replace")
                self._strange.append(f"{answer.status} for {request.method} {request.path} of {who}: {told}")
        return outcome


class _Client:
    """A client with a connection to each server. Every other one names worlds in the path, not in the header."""

    def __init__(self, number: int, load: Load) -> None:
        self._number = number
        self._load = load
        self._connections: dict[str, Connection] = {}

    async def ask_any(self, world: str, request: Request) -> Done:
        """Send a request to one of the servers by chance, or to another one if it does not listen. Raises NotSent if
        none does for long."""
        deadline = time.monotonic() + DEADLINE
        while True:
            try:
                return await self.ask(self._load.chance.choice(self._load.urls), world, request)
            except NotSent:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(_PAUSE)

    async def ask(self, url: str, world: str, request: Request) -> Done:
        """Send a request to a server. Raises NotSent."""
        connection = await self._connection(url)
        text = raw(request.method, url, *self._addressed(world, request), request.body)
        answer, began = None, time.monotonic_ns()
        try:
            answer = await connection.ask(text)
            began = answer.began
        except Lost:
            del self._connections[url]
        outcome = self._load.record(request, answer, began, f"client {self._number} at {url}")
        seconds = ((answer.ended if answer else time.monotonic_ns()) - began) / 1e9
        return Done(url, outcome, answer.status if answer else None, seconds)

    async def _connection(self, url: str) -> Connection:
        """The connection to a server: a new one if there was none, or it was closed since the last answer."""
        found = self._connections.get(url)
        if found is None or not found.is_open:
            found = self._connections[url] = await Connection.to(url)
        return found

    def _addressed(self, world: str, request: Request) -> tuple[str, dict[str, str]]:
        """The path and headers of a request in a world."""
        if self._number % 2:
            return f"{base_path(world)}/api/v2{request.path}", _TOKEN
        return f"/api/v2{request.path}", {**_TOKEN, WORLD_HEADER: world}

    def close(self) -> None:
        for connection in self._connections.values():
            connection.close()


def summary(load: Load, seconds: float) -> str:
    """What a load did, in a line."""
    counts = Counter(done.outcome for done in load.done)
    slowest = max((done.seconds for done in load.done), default=0.0)
    return (
        f"{len(load.done)} requests of {load.clients} clients to {len(load.urls)} servers in {seconds:.1f} s, "
        f"{len(load.done) / seconds:.0f} per second, the slowest in {slowest * 1000:.0f} ms; "
        f"{counts[Outcome.REFUSED]} refused, {counts[Outcome.UNKNOWN]} without an outcome"
    )


def main() -> int:
    """The command."""
    load = _parsed()
    print(f"seed {load.seed}", flush=True)
    began = time.monotonic()
    try:
        history = load.run()
    except (AssertionError, StubError, NotSent, ExceptionGroup) as error:
        print(f"load: {_told(error)}", file=sys.stderr)
        return 2
    print(summary(load, time.monotonic() - began), flush=True)
    began = time.monotonic()
    found = violations(history)
    print(f"{len(history.operations)} operations judged in {time.monotonic() - began:.1f} s")
    print("\n".join(_shown(found)))
    return 1 if found else 0


def _parsed() -> Load:
    parser = argparse.ArgumentParser(prog="python -m tests.sharing.load")
    parser.add_argument("urls", nargs="+", metavar="URL", help="a server, such as http://127.0.0.1:8765")
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--worlds", type=int, default=1)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))  # noqa: S311
    try:
        return Load(**vars(parser.parse_args()))
    except ValueError as error:
        parser.error(str(error))


def _told(error: BaseException) -> str:
    """The reason in one line; of several, the first."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error).partition("\n")[0]


def _shown(found: Sequence[str]) -> Iterator[str]:
    yield from (f"BROKEN: {line}" for line in found[:SHOWN])
    if len(found) > SHOWN:
        yield f"... and {len(found) - SHOWN} more"
    yield "the servers did not behave as one" if found else "the servers behaved as one"


if __name__ == "__main__":
    sys.exit(main())
