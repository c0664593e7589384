"""Where the time of one GET and one PUT goes: through the whole stack, by the lane, and each step of the lane alone.

Usage: python -m benchmarks.steps
Microseconds in process, the best of many short rounds. What HTTP and the operating system cost is not in them.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import StringIO
from typing import Any

import orjson
from starlette.types import Message

from stubserver import auth, operations
from stubserver.access_log import as_text, facts
from stubserver.app import StubServer, create_app
from stubserver.call import Call
from stubserver.head import Head
from stubserver.journal import Answer
from stubserver.pipeline import admit
from stubserver.shape import Shaper
from stubserver.wire import Headers

PATH = b"/api/v2/course/1/"
BODY = orjson.dumps(
    {
        "name": "Watercolour",
        "type": "self-paced",
        "privacy": "open",
        "categories": [1],
        "description": "From wet to dry.",
    }
)


@dataclass
class Asked:
    """One of the two requests."""

    method: bytes
    token: bytes
    body: bytes = b""

    @property
    def headers(self) -> Headers:
        """Those of a plain client."""
        sent = [(b"host", b"localhost"), (b"authorization", b"Bearer stub-" + self.token), (b"accept", b"*/*")]
        if self.body:
            sent += [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(self.body))]
        return sent

    @property
    def head(self) -> bytes:
        """As it is sent."""
        lines = [b"%b %b HTTP/1.1" % (self.method, PATH), *(b"%b: %b" % header for header in self.headers)]
        return b"\r\n".join((*lines, b"", b""))


def main() -> None:
    """Measure and print."""
    columns = [measured(Asked(b"GET", b"member")), measured(Asked(b"PUT", b"creator", BODY))]
    print("| step | GET | PUT |\n| --- | ---: | ---: |")
    for step in columns[1]:
        cells = (f"{column[step]:.1f}" if step in column else "" for column in columns)
        print(f"| {step} | {' | '.join(cells)} |")


def measured(asked: Asked) -> dict[str, float]:
    """Step -> microseconds."""
    app = create_app()
    stream, world = StringIO(), app.worlds.get()
    app.recorder.log = lambda facts: stream.write(as_text(facts))
    lane: Any = app.lane

    text = asked.head

    def ask() -> Any:
        return lane.answer(lane.heads.find(text), asked.body, lambda *_: None)

    def ask_after_a_change() -> None:
        world.categories.put(world.categories[1])
        ask()

    found = {"**the whole stack**": through_the_stack(app, asked), "**the lane**": best(ask_after_a_change)}
    found["**the lane, the same world again**"] = best(ask)
    return found | dict(steps(app, lane.heads.find(text), asked))


def steps(app: StubServer, head: Head, asked: Asked) -> Iterator[tuple[str, float]]:
    """The steps of the lane, each alone."""
    world = app.worlds.get()
    call = head.call.again(world, world.clock.watch())
    call.raw_body = asked.body
    operation = call.operation
    heads, text = app.lane.heads, asked.head  # type: ignore[union-attr]
    yield "finding the head", best(lambda: heads.find(text))
    yield "call of a known head", best(lambda: head.call.again(world, world.clock.watch()))
    yield "who calls", best(lambda: auth.identify(fresh(call)))
    auth.identify(call)
    yield "admission", best(lambda: admit(fresh(call), operation))
    if head.read is not None:
        yield "reading and validating the body", best(lambda: head.read(call))  # type: ignore[misc]
    function, shape = operations.FUNCTIONS[operation.id], Shaper(app.contract).projection(operation.answer or {})
    yield "operation", best(lambda: changing(call, function))
    yield "fields of the answer", best(lambda: shape(function(call))) - best(lambda: function(call))
    answer = shape(function(call))
    yield "validating the answer", best(lambda: operation.answers[200].fits(answer))
    yield "JSON", best(lambda: orjson.dumps(answer))
    text = orjson.dumps(answer)
    call.number = 1
    yield "coverage", best(lambda: app.coverage.note(call, 200))
    yield "journal", best(lambda: app.journal.add(call, Answer(200, [], text)))
    line = ("PUT", "/api/v2/course/1/", call, Answer(200, [], text), None, call.id)
    yield "a line of the log", best(lambda: as_text(facts(*line)))


def fresh(call: Call) -> Call:
    """The call before anything was done."""
    return call.again(call.world, call.at)


def changing(call: Call, function: Callable[[Call], Any]) -> None:
    """The operation within the span that takes it back when it fails."""
    with call.world.change():
        function(call)


def through_the_stack(app: StubServer, asked: Asked) -> float:
    """The same request as an ASGI call."""
    scope = {
        "type": "http",
        "method": asked.method.decode(),
        "path": PATH.decode(),
        "raw_path": PATH,
        "query_string": b"",
        "headers": asked.headers,
        "scheme": "http",
        "server": ("127.0.0.1", 80),
        "root_path": "",
    }

    async def receive() -> Message:
        return {"type": "http.request", "body": asked.body, "more_body": False}

    async def send(_: Message) -> None:
        pass

    async def rounds() -> float:
        return min([await some() for _ in range(60)])

    async def some() -> float:
        started = time.perf_counter()
        for _ in range(20):
            await app(dict(scope), receive, send)
        return (time.perf_counter() - started) / 20 * 1e6

    return asyncio.run(rounds())


def best(step: Callable[[], Any]) -> float:
    """Microseconds of one of them, in the best of many rounds."""
    step()
    return min(some(step) for _ in range(150))


def some(step: Callable[[], Any]) -> float:
    """Microseconds of one of a few."""
    started = time.perf_counter()
    for _ in range(40):
        step()
    return (time.perf_counter() - started) / 40 * 1e6


if __name__ == "__main__":
    main()
