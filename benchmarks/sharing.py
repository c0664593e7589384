"""Groups of server processes that share a store of worlds: started, put under load together, and stopped."""

import contextlib
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
import redis

from benchmarks import load
from benchmarks.contender import Contender
from benchmarks.peers import ours
from benchmarks.recording import WrongAnswer, ask
from benchmarks.workloads import GET, Workload
from tests.support.engines import Redis, why_missing

MEMORY, SQLITE, REDIS = "memory", "SQLite", "Redis"


@dataclass(frozen=True)
class Cost:
    """What a request costs in one sample."""

    cpu_us: float
    """Processor time of all server processes, in microseconds."""
    engine_us: float
    """That of Redis."""
    per_second: float
    """Requests per second."""


class Stores:
    """Where stores can be: a folder and, if it is installed, a Redis."""

    def __init__(self, folder: Path, engine: Redis | None) -> None:
        self.folder = folder
        self.engine = redis.Redis.from_url(engine.url) if engine else None
        self.names = (SQLITE, REDIS) if engine else (SQLITE,)
        """Those that can be shared."""
        self._url = engine.url if engine else ""

    def url(self, store: str, name: str) -> str:
        """The URL of a store of its own, which is empty."""
        made: Mapping[str, Callable[[], str]] = {
            MEMORY: lambda: "memory:",
            SQLITE: lambda: f"sqlite:{self.folder / name}.db",
            REDIS: lambda: f"{self._url}?prefix={name}",
        }
        return made[store]()

    def group(self, store: str, name: str, processes: int = 1, *options: str) -> "Group":
        """A group of its own, not yet started."""
        given = ("--store", self.url(store, name), *options)
        servers = [ours(f"{name}-{number}", *given, pinned=False) for number in range(processes)]
        engine = self.engine if store == REDIS else None
        return Group(store, [Contender(server, self.folder) for server in servers], engine)


@contextlib.contextmanager
def stores() -> Iterator[Stores]:
    """Stores that are gone at the end. Says so if there is no Redis."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder, contextlib.ExitStack() as stack:
        missing = why_missing("redis-server")
        if missing:
            print(f"Redis is left out: {missing}", flush=True)
        engine = None if missing else stack.enter_context(Redis(appendonly=False))
        yield Stores(Path(folder), engine)


class Group:
    """Server processes at one store. Leaving the context stops them."""

    def __init__(self, store: str, contenders: list[Contender], engine: "redis.Redis | None") -> None:
        self.store = store
        self.contenders = contenders
        self._engine = engine

    def __enter__(self) -> "Group":
        try:
            for contender in self.contenders:
                contender.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for contender in self.contenders:
            contender.stop()

    @property
    def title(self) -> str:
        """What it is called in tables."""
        count = len(self.contenders)
        return f"{self.store}, {count} process{'es' * (count > 1)}"

    @property
    def urls(self) -> list[str]:
        """The URL of each process."""
        return [contender.url for contender in self.contenders]

    def load(self, workload: Workload, seconds: int, *, apart: bool = False) -> Cost:
        """Send as many requests as the processes can handle, to all of them at once: the same ones or, if they are kept
        `apart`, each to one process. Raises BadSample."""
        before, engine = self._cpu_seconds(), self._engine_seconds()
        found = load.saturate(self.urls, workload.requests, seconds, apart=apart)
        used, of_engine = self._cpu_seconds() - before, self._engine_seconds() - engine
        return Cost(used / found.requests * 1e6, of_engine / found.requests * 1e6, found.per_second)

    def check(self, workload: Workload) -> None:
        """Send each request once, to one process after the other; all of them must agree on what came of it. Raises
        WrongAnswer."""
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(httpx.Client(base_url=url, timeout=10)) for url in self.urls]
            for number, request in enumerate(workload.requests):
                if not (answer := ask(clients[number % len(clients)], request)).is_success:
                    raise WrongAnswer(f"{request.method} {request.path} was answered with {answer.status_code}")
            for base in {request.path.partition("/api/")[0] for request in workload.requests}:
                if len({ask(client, GET.at(base)).json()["description"] for client in clients}) > 1:
                    raise WrongAnswer(f"the processes of {self.title} do not show the same course")

    def _cpu_seconds(self) -> float:
        return sum(contender.process.cpu_seconds() for contender in self.contenders)

    def _engine_seconds(self) -> float:
        if self._engine is None:
            return 0.0
        used = self._engine.info("cpu")
        return float(used["used_cpu_user"] + used["used_cpu_sys"])
