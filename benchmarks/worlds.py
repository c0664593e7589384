"""The cost of worlds: forks, resets and first reads, the memory of idle worlds, and load on many worlds at once.

Usage: python -m benchmarks.worlds [--requests 100000]
The figures are from one run on one machine; compare them with each other, not with those of another day.
"""

import argparse
import asyncio
import gc
import resource
import statistics
import time
import tracemalloc
from collections.abc import Callable

import httpx

from stubserver.app import StubServer, create_app
from stubserver.serving.background import Background

WORLDS = 10_000
CLIENTS = 16
ME = {"Authorization": "Bearer stub-creator"}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=100_000, help="requests sent to 16 worlds")
    options = parser.parse_args()
    app = create_app(max_worlds=3 * WORLDS)
    print("In process")
    report("fork a world", times(lambda number: app.worlds.reset(f"fork-{number}")))
    report("reset a world", times(lambda number: app.worlds.reset(f"fork-{number}")))
    world = app.worlds.get("busy")
    for number in range(1000):
        with world.transaction():
            world.courses.put({**world.courses[1], "id": 1000 + number, "name": f"C{number}", "slug": f"c{number}"})
    report("take a snapshot of a world with 1,000 changes", times(lambda _: world.snapshot()))
    taken = world.snapshot()
    report("restore a snapshot", times(lambda number: app.worlds.restore("restored", taken)))
    report("first read of a world, through the whole server", asyncio.run(first_reads(app)))
    print(f"  {WORLDS:,} idle worlds: {memory():.1f} MB\n")
    print(f"Over HTTP: {CLIENTS} clients in {CLIENTS} worlds, {options.requests:,} requests, half of them writes")
    with Background(create_app) as url:
        seconds, foreign = asyncio.run(load(url, options.requests))
    print(f"  {options.requests / seconds:,.0f} requests per second (clients run on the same cores)")
    print(f"  rows of another world seen: {foreign}")


def times(act: Callable[[int], object]) -> list[float]:
    """Duration of each of 10,000 calls, in seconds."""
    found = []
    gc.collect()
    for number in range(WORLDS):
        started = time.perf_counter()
        act(number)
        found.append(time.perf_counter() - started)
    return found


def report(what: str, found: list[float]) -> None:
    middle, high = statistics.median(found) * 1e6, statistics.quantiles(found, n=100)[98] * 1e6
    print(f"  {what:50} median {middle:9.1f} us   p99 {high:9.1f} us")


async def first_reads(app: StubServer) -> list[float]:
    """Durations of a GET of one course in a new world, without a socket, in seconds."""
    found = []
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
        for number in range(1000):
            started = time.perf_counter()
            answer = await client.get("/api/v2/course/1/", headers={**ME, "X-Stub-World": f"read-{number}"})
            found.append(time.perf_counter() - started)
            assert answer.status_code == 200  # noqa: S101
    return found


def memory() -> float:
    """Memory of 10,000 idle worlds, in megabytes."""
    app = create_app(max_worlds=WORLDS + 1)
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for number in range(WORLDS):
        app.worlds.get(f"idle-{number}")
    used = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    return used / 1e6


async def load(url: str, requests: int) -> tuple[float, int]:
    """The duration in seconds, and how often a client read a course as another world's client had written it."""
    limits = httpx.Limits(max_connections=CLIENTS)
    started = time.perf_counter()
    async with httpx.AsyncClient(base_url=url, limits=limits, timeout=60) as client:
        foreign = await asyncio.gather(*(visitor(client, number, requests // CLIENTS) for number in range(CLIENTS)))
    return time.perf_counter() - started, sum(foreign)


async def visitor(client: httpx.AsyncClient, number: int, requests: int) -> int:
    """Rename one course and read it back, over and over, in a world of its own; returns the number of wrong reads."""
    foreign, path = 0, f"/~visitor-{number}/api/v2/course/1/"
    for turn in range(requests // 2):
        name = f"Visitor {number}, turn {turn}"
        await client.patch(path, headers=ME, json={"name": name})
        foreign += (await client.get(path, headers=ME)).json()["name"] != name
    return foreign


if __name__ == "__main__":
    main()
    print(f"\nPeak memory of this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
