"""What many worlds cost in Redis: its memory, and the time that it takes to fork one and to read from it."""

import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial

import httpx

from benchmarks.recording import WrongAnswer, ask
from benchmarks.sharing import REDIS, Stores
from benchmarks.tables import number, table
from benchmarks.workloads import GET, PUTS, Request
from stubserver.addressing import CONTROL, base_path

_ORIGIN = "default"
"""The world that is forked."""


def measured(stores: Stores, worlds: int) -> str:
    """Fork one world so many times, read a course in each fork, and return a table. Raises WrongAnswer or NotReady."""
    if stores.engine is None:
        return "## Many worlds\n\nLeft out, because there is no Redis."
    print(f"{worlds:,} worlds", flush=True)
    with (
        stores.group(REDIS, "many", 1, "--max-worlds", str(worlds + 1)) as group,
        httpx.Client(base_url=group.urls[0], timeout=30) as client,
    ):
        sent(client, PUTS[0])
        empty = _kilobytes(stores)
        forks = [seconds(partial(_fork, client, world)) for world in _names(worlds)]
        forked = _kilobytes(stores)
        reads = [seconds(partial(sent, client, GET, world)) for world in _names(worlds)]
        read = _kilobytes(stores)
        if (kept := client.get(f"{CONTROL}health").json()["worlds"]["kept"]) != worlds + 1:
            raise WrongAnswer(f"{kept} of {worlds + 1} worlds are left")
    rows = [
        ["fork a world, ms", *_milliseconds(forks)],
        ["the first read of a course in it, ms", *_milliseconds(reads)],
        ["memory of Redis for a fork, kB", number((forked - empty) / worlds, ".1f"), ""],
        ["the same, with that read in its journal, kB", number((read - empty) / worlds, ".1f"), ""],
    ]
    return f"## {worlds:,} worlds in Redis\n\n{table(['', 'median', 'p99'], rows)}"


def sent(client: httpx.Client, request: Request, world: str = _ORIGIN) -> None:
    """Send a request in a world. Raises WrongAnswer if it is refused."""
    answer = ask(client, request.at(base_path(world)))
    if not answer.is_success:
        raise WrongAnswer(f"{request.method} {request.path} in world {world} was answered with {answer.status_code}")


def seconds(act: Callable[[], object]) -> float:
    """How long something takes, in seconds."""
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun


def _names(worlds: int) -> Sequence[str]:
    return [f"fork-{number}" for number in range(worlds)]


def _fork(client: httpx.Client, world: str) -> None:
    answer = client.post(f"{CONTROL}worlds", json={"name": world, "world": _ORIGIN})
    if answer.status_code != httpx.codes.CREATED:
        raise WrongAnswer(f"a fork was answered with {answer.status_code}: {answer.text}")


def _kilobytes(stores: Stores) -> float:
    assert stores.engine is not None  # noqa: S101 (the caller has looked)
    return float(stores.engine.info("memory")["used_memory"]) / 1e3


def _milliseconds(times: list[float]) -> list[str]:
    high = statistics.quantiles(times, n=100)[98] if len(times) > 1 else times[0]
    return [number(value * 1e3, ".2f") for value in (statistics.median(times), high)]
