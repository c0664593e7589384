"""What a process pays for having been away: the time to its first answer after another process changed a world."""

import statistics
from collections.abc import Callable, Mapping
from functools import partial

import httpx

from benchmarks.many_worlds import seconds, sent
from benchmarks.sharing import Stores
from benchmarks.tables import number, table
from benchmarks.workloads import GET, PUTS, Request

_AWAY = {0: 5, 100: 5, 10_000: 1}
"""Number of commits that were missed -> how often it is measured."""
_COMMENT = Request("", "POST", "/api/v2/course/1/section/1/lesson/1/comment/", "stub-member", {"text": "Once more."})
_KINDS: Mapping[str, Callable[[int], Request]] = {
    "each changes the same course": lambda turn: PUTS[turn % len(PUTS)],
    "each adds a comment": lambda _: _COMMENT,
}
"""What the commits are -> the request that makes the one of this number."""


def measured(stores: Stores) -> str:
    """Let one process miss commits of another, and return a table. Raises WrongAnswer or NotReady."""
    rows = [_row(stores, store, kind) for store in stores.names for kind in _KINDS]
    heads = ["ms until the first answer after so many commits", *(f"{count:,}" for count in _AWAY)]
    return f"## Catching up\n\n{table(heads, rows)}"


def _row(stores: Stores, store: str, kind: str) -> list[str]:
    print(f"Catching up with {store}: {kind}", flush=True)
    with (
        stores.group(store, f"away-{store.lower()}-{[*_KINDS].index(kind)}", 2) as group,
        httpx.Client(base_url=group.urls[0], timeout=30) as busy,
        httpx.Client(base_url=group.urls[1], timeout=30) as away,
    ):
        times = [_milliseconds(busy, away, _KINDS[kind], count) for count in _AWAY]
    return [f"{store}, {kind}", *(number(time, ",.1f") for time in times)]


def _milliseconds(busy: httpx.Client, away: httpx.Client, make: Callable[[int], Request], count: int) -> float:
    """The time of a first answer after so many commits, the median if there are several."""
    times = []
    for turn in range(_AWAY[count]):
        world = f"away-{count}-{turn}"
        sent(away, GET, world)
        for commit in range(count):
            sent(busy, make(commit), world)
        times.append(seconds(partial(sent, away, GET, world)))
    return statistics.median(times) * 1e3
