"""What a request costs at each store, with one process and with two: in one world that both use, and in 16, each of
which is used through one of them, as that of a test with its own connection is."""

import contextlib
import os
import statistics
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from benchmarks.sharing import MEMORY, REDIS, SQLITE, Cost, Group, Stores
from benchmarks.tables import number, table
from benchmarks.workloads import WORKLOADS, Workload
from stubserver.addressing import base_path

BOUNDS: Mapping[tuple[str, int], Mapping[str, float]] = {
    (SQLITE, 1): {"get": 1.5, "put": 1.5},
    (REDIS, 1): {"get": 2, "put": 2.5},
    (SQLITE, 2): {"get": 3, "put": 4.5},
    (REDIS, 2): {"get": 3, "put": 4.5},
}
"""Store and number of processes -> workload -> what a request may cost, as a multiple of the same in memory."""
_WORKLOADS = ("get", "put", "browse")
_WORLDS = (1, 16)


@dataclass
class _Row:
    """A group under one workload, and its samples."""

    group: Group
    workload: Workload
    worlds: int
    costs: list[Cost] = field(default_factory=list)

    def sample(self, seconds: int) -> Cost:
        """What a request costs now."""
        return self.group.load(self.workload, seconds, apart=self.worlds > 1)

    @property
    def cpu_us(self) -> float:
        return statistics.median(cost.cpu_us for cost in self.costs)

    @property
    def engine_us(self) -> float:
        return statistics.median(cost.engine_us for cost in self.costs)

    @property
    def per_second(self) -> float:
        return statistics.median(cost.per_second for cost in self.costs)

    @property
    def bound(self) -> float | None:
        """The maximum of its ratio; None if there is none."""
        return BOUNDS.get((self.group.store, len(self.group.contenders)), {}).get(self.workload.name)

    def ratio(self, memory: "_Row") -> float:
        """Its processor time as a multiple of that in memory, the median of the rounds' ratios."""
        pairs = zip(self.costs, memory.costs, strict=True)
        return statistics.median(mine.cpu_us / other.cpu_us for mine, other in pairs)


def measured(stores: Stores, rounds: int, seconds: int) -> str:
    """Measure all groups in turn, and return the tables. Raises BadSample, WrongAnswer or NotReady."""
    print("Requests", flush=True)
    with contextlib.ExitStack() as stack:
        groups = [stack.enter_context(group) for group in _groups(stores)]
        rows = [*_rows(groups)]
        for row in rows:
            row.group.check(row.workload)
            row.sample(seconds)
        for turn in range(rounds):
            print(f"  round {turn + 1} of {rounds}", flush=True)
            for row in rows:
                row.costs.append(row.sample(seconds))
        for row in rows:
            row.group.check(row.workload)
        return _markdown(rows, rounds, seconds)


def _groups(stores: Stores) -> Iterator[Group]:
    yield stores.group(MEMORY, "memory")
    for processes in (1, 2):
        for store in stores.names:
            yield stores.group(store, f"{store.lower()}-{processes}", processes)


def _rows(groups: list[Group]) -> Iterator[_Row]:
    """Those next to each other are compared, so they are measured one right after the other."""
    for worlds in _WORLDS:
        for name in _WORKLOADS:
            for group in groups:
                yield _Row(group, _spread(WORKLOADS[name], worlds), worlds)


def _spread(workload: Workload, worlds: int) -> Workload:
    """The workload in one world, or each of its requests in one world after the other."""
    if worlds == 1:
        return workload
    paths = [base_path(f"bench-{world}") for world in range(worlds)]
    asked = (request.at(path) for request in workload.requests for path in paths)
    return replace(workload, requests=tuple(asked))


def _markdown(rows: list[_Row], rounds: int, seconds: int) -> str:
    parts = [
        f"## Requests\n\n{rounds} rounds of {seconds} s, 16 keep-alive connections; {os.cpu_count()} cores. CPU is the"
        " processor time per request of all server processes; that of Redis is beside it. Ratios compare with memory.",
    ]
    for worlds in _WORLDS:
        for name in _WORKLOADS:
            found = [row for row in rows if row.worlds == worlds and row.workload.name == name]
            where = "1 world" if worlds == 1 else f"{worlds} worlds, each at one process"
            parts.append(f"### {found[0].workload.title}, {where}\n\n{_table(found)}")
    parts.append(_scaling(rows))
    return "\n\n".join(parts)


def _table(rows: list[_Row]) -> str:
    heads = ["store", "CPU us", "x memory", "bound", "within it", "Redis us", "requests/s"]
    return table(heads, [_line(row, rows[0]) for row in rows])


def _line(row: _Row, memory: _Row) -> list[str]:
    ratio, bound = row.ratio(memory), row.bound
    verdict = "-" if bound is None else "yes" if ratio <= bound else "NO"
    cpu, engine, speed = number(row.cpu_us, ",.1f"), number(row.engine_us or None, ",.1f"), number(row.per_second)
    return [row.group.title, cpu, f"{ratio:.2f}", number(bound, ".1f"), verdict, engine, speed]


def _scaling(rows: list[_Row]) -> str:
    """Requests per second with two processes, compared with one."""
    shared = [row for row in rows if row.group.store != MEMORY]
    pairs = [
        (one, two)
        for one in shared
        for two in shared
        if (one.group.store, one.workload, one.worlds) == (two.group.store, two.workload, two.worlds)
        and len(one.group.contenders) < len(two.group.contenders)
    ]
    heads = ["requests/s", "1 process", "2 processes", "x"]
    lines = [
        [
            f"{one.group.store}: {one.workload.title}, {one.worlds} worlds",
            number(one.per_second),
            number(two.per_second),
            f"{two.per_second / one.per_second:.2f}",
        ]
        for one, two in pairs
    ]
    return f"## Two processes\n\n{_about_cores()}\n\n{table(heads, lines)}"


def _about_cores() -> str:
    cores = os.cpu_count() or 1
    if cores < 4:
        return f"This says little: two processes, the load and Redis had only {cores} cores."
    return f"Two processes, the load and Redis had {cores} cores."
