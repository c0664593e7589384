"""Where the microseconds of one GET and one PUT go: through the whole stack, and by the lane.

Usage: python -m benchmarks.profile
In process: what HTTP and the operating system cost is not in it. The last line is measured; the others are its shares,
as the profiler of Python sees them, and so approximate.
"""

import asyncio
import cProfile
import pstats
import time
from collections import Counter
from collections.abc import Callable, Mapping
from io import StringIO
from typing import Any

import orjson
from starlette.types import Message

from benchmarks.workloads import GET, PUTS, Request
from stubserver.app import StubServer, create_app
from stubserver.records.access_log import Facts, as_text

LIBRARIES = {"jsonschema_rs": "validating body and answer", "orjson": "JSON"}
"""Library -> the part that it does."""
MODULES = {
    "reading body and parameters": ("reading",),
    "who calls, and may they": ("auth", "guards"),
    "the operation": ("operations/", "store", "world", "checks", "removal"),
    "fields of the answer": ("shape", "views/", "progress", "rules", "images", "pages"),
    "journal, coverage, log": ("recorder", "journal", "coverage", "access_log"),
    "between the steps": ("pipeline", "call", "lane", "head", "wire", "cors", "faults", "spec", "app", "protection"),
}
"""Part -> how the modules begin that do it."""
OTHERS = "Connexion, Starlette, the standard library"
PARTS = (OTHERS, *LIBRARIES.values(), *MODULES)
_REQUESTS, _ROUNDS = 40, 60


def main() -> None:
    """Measure and print."""
    columns = {
        "GET, stack": _stack(GET, changing=True),
        "GET, lane": _lane(GET, changing=True),
        "GET again, lane": _lane(GET, changing=False),
        "PUT, stack": _stack(*PUTS),
        "PUT, lane": _lane(*PUTS),
    }
    print(f"|  | {' | '.join(columns)} |\n| --- |{' ---: |' * len(columns)}")
    for part in PARTS:
        print(f"| {part} | {' | '.join(f'{column[part]:.1f}' for column in columns.values())} |")
    print(f"| **all** | {' | '.join(f'{sum(column.values()):.1f}' for column in columns.values())} |")


def _lane(*requests: Request, changing: bool = False) -> Mapping[str, float]:
    """Microseconds of a request that the lane answers, part by part; in a world that changes before each, or not."""
    app = _app()
    lane: Any = app.lane
    asked = [(_head(request), _body(request)) for request in requests]

    def turn() -> None:
        for head, body in asked:
            if changing:
                app.worlds.get().categories.put(app.worlds.get().categories[1])
            assert lane.answer(lane.heads.find(head), body, lambda *_: None)  # noqa: S101

    def some() -> None:
        for _ in range(_REQUESTS):
            turn()

    return _shares(some, len(asked))


def _stack(*requests: Request, changing: bool = False) -> Mapping[str, float]:
    """The same for a request through all layers."""
    app = _app()

    async def turn() -> None:
        for request in requests:
            if changing:
                app.worlds.get().categories.put(app.worlds.get().categories[1])
            await _call(app, request)

    async def some() -> None:
        for _ in range(_REQUESTS):
            await turn()

    with asyncio.Runner() as runner:
        return _shares(lambda: runner.run(some()), len(requests))


def _app() -> StubServer:
    app, stream = create_app(), StringIO()

    def log(facts: Facts) -> None:
        stream.write(as_text(facts))

    app.recorder.log = log
    return app


def _shares(some: Callable[[], None], requests: int) -> Mapping[str, float]:
    """The least time of a round, and how it is shared out among the parts."""
    some()
    each = min(_seconds(some) for _ in range(_ROUNDS)) / _REQUESTS / requests * 1e6
    profiler = cProfile.Profile()
    for _ in range(_ROUNDS):
        profiler.runcall(some)
    found: Counter[str] = Counter()
    for function, (_, _, own, _, callers) in pstats.Stats(profiler).stats.items():  # type: ignore[attr-defined]
        if (part := _part(function)) is not None:
            found[part] += own
        else:  # what is built in belongs to whoever calls it
            for caller, (_, _, spent, _) in callers.items():
                found[_part(caller) or OTHERS] += spent
    return {part: each * found[part] / found.total() for part in PARTS}


def _part(function: tuple[str, int, str]) -> str | None:
    """The part that a function belongs to; None for what is built in."""
    file, _, name = function
    if file == "~":
        return next((part for library, part in LIBRARIES.items() if library in name), None)
    module = file.rpartition("/stubserver/")[2]
    return next((part for part, begins in MODULES.items() if module.startswith(begins)), OTHERS)


def _seconds(some: Callable[[], None]) -> float:
    begun = time.perf_counter()
    some()
    return time.perf_counter() - begun


def _body(request: Request) -> bytes:
    return b"" if request.body is None else orjson.dumps(request.body)


def _headers(request: Request) -> list[tuple[bytes, bytes]]:
    sent = [(b"host", b"localhost"), (b"authorization", b"Bearer " + request.token.encode()), (b"accept", b"*/*")]
    if body := _body(request):
        sent += [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    return sent


def _head(request: Request) -> bytes:
    first = f"{request.method} {request.path} HTTP/1.1".encode()
    return b"\r\n".join((first, *(b"%b: %b" % header for header in _headers(request)), b"", b""))


async def _call(app: StubServer, request: Request) -> None:
    scope = {
        "type": "http",
        "method": request.method,
        "path": request.path,
        "raw_path": request.path.encode(),
        "query_string": b"",
        "headers": _headers(request),
        "scheme": "http",
        "server": ("127.0.0.1", 80),
        "root_path": "",
    }

    async def receive() -> Message:
        return {"type": "http.request", "body": _body(request), "more_body": False}

    async def send(_: Message) -> None:
        pass

    await app(scope, receive, send)


if __name__ == "__main__":
    main()
