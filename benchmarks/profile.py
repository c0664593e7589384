"""Where the microseconds of a GET, a PUT and a lap through a lesson go, through the whole stack and on the fast lane.

Usage: python -m benchmarks.profile
In process, so the costs of HTTP and the operating system are not included. The last line is measured; the others are
its shares according to Python's profiler, and therefore approximate.
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

from benchmarks.workloads import BROWSE, GET, PUTS, Request
from stubserver.app import StubServer, create_app
from stubserver.records.access_log import Facts, as_text

LIBRARIES = {"jsonschema_rs": "validating body and answer", "orjson": "JSON"}
"""Library -> the part of the work that it does."""
MODULES = {
    "reading body and parameters": ("pipeline/reading", "pipeline/validation"),
    "authentication and permissions": ("pipeline/authentication", "pipeline/admission", "api/guards", "api/tokens"),
    "the operation": ("api/operations/", "api/body_checks", "api/removal", "worlds/"),
    "fields of the answer": ("pipeline/projection", "pipeline/paging", "api/"),
    "journal, coverage, log": ("pipeline/recorder", "records/"),
    "between the steps": ("",),
}
"""Part -> prefixes of the modules that do it; a module belongs to the first part with a matching prefix."""
OTHERS = "Connexion, Starlette, the standard library"
PARTS = (OTHERS, *LIBRARIES.values(), *MODULES)
_REQUESTS, _ROUNDS = 40, 60


def main() -> None:
    """Measure, and print the table."""
    columns = {
        "GET, stack": _stack(GET, changing=True),
        "GET, lane": _lane(GET, changing=True),
        "GET again, lane": _lane(GET, changing=False),
        "PUT, stack": _stack(*PUTS),
        "PUT, lane": _lane(*PUTS),
        "browse, lane": _lane(*BROWSE),
    }
    print(f"|  | {' | '.join(columns)} |\n| --- |{' ---: |' * len(columns)}")
    for part in PARTS:
        print(f"| {part} | {' | '.join(f'{column[part]:.1f}' for column in columns.values())} |")
    print(f"| **all** | {' | '.join(f'{sum(column.values()):.1f}' for column in columns.values())} |")


def _lane(*requests: Request, changing: bool = False) -> Mapping[str, float]:
    """Microseconds per part of a request that the lane answers. With `changing`, the world changes before each request,
    so that no cached answer can be used."""
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
    """Like _lane, for a request through the whole stack."""
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
    """Microseconds of a request in the fastest round, divided among the parts."""
    some()
    each = min(_seconds(some) for _ in range(_ROUNDS)) / _REQUESTS / requests * 1e6
    profiler = cProfile.Profile()
    for _ in range(_ROUNDS):
        profiler.runcall(some)
    found: Counter[str] = Counter()
    for function, (_, _, own, _, callers) in pstats.Stats(profiler).stats.items():  # type: ignore[attr-defined]
        if (part := _part(function)) is not None:
            found[part] += own
        else:  # built-in functions count as part of their callers
            for caller, (_, _, spent, _) in callers.items():
                found[_part(caller) or OTHERS] += spent
    return {part: each * found[part] / found.total() for part in PARTS}


def _part(function: tuple[str, int, str]) -> str | None:
    """The part that a function belongs to; None for a built-in function."""
    file, _, name = function
    if file == "~":
        return next((part for library, part in LIBRARIES.items() if library in name), None)
    _, ours, module = file.rpartition("/stubserver/")
    return next(part for part, begins in MODULES.items() if module.startswith(begins)) if ours else OTHERS


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
