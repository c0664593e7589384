"""Worlds in a store, for tests in one process: a SQLite file that loses against others or fails when a test wants, and
what each of several processes has."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from stubserver.app import StubServer
from stubserver.settings import Settings
from stubserver.shared.batch import Batch
from stubserver.shared.turn import Turn
from stubserver.shared.turns import Turns
from stubserver.shared.worlds import SharedWorlds
from stubserver.stores.sqlite import SqliteStore
from stubserver.stores.store import Commit, Entries, Found, Result, Wanted
from stubserver.worlds.snapshot import Fixture
from stubserver.worlds.world import World

PATIENCE = 60
"""Seconds after which a turn is taken to be lost."""


class TrickStore(SqliteStore):
    """A SQLite file that others change, or that fails, at the moments that a test wants."""

    def __init__(self, path: Path, max_requests: int) -> None:
        super().__init__(str(path), max_requests)
        self.meanwhile: list[Callable[[], Awaitable[Any]]] = []
        """What happens before each of the next commits."""
        self.earlier: list[Callable[[], Awaitable[Any]] | None] = []
        """What happens before each of the next turns."""
        self.failing: list[tuple[str, Exception | None]] = []
        """The next calls that fail, and how, or None if one of them must not: `refresh`, `commit`, `kept`, or
        `committed`, which is a commit that has been stored."""
        self.asked: list[str] = []
        """The calls there were."""
        self.committed: list[Sequence[Commit]] = []
        """The commits that each of them had."""

    def _ask(self, name: str) -> None:
        self.asked.append(name)
        if self.failing and self.failing[0][0] == name and (error := self.failing.pop(0)[1]):
            raise error

    async def _happen(self, events: list[Any]) -> None:
        if events and (event := events.pop(0)) is not None:
            await event()

    async def refresh(self, wanted: Mapping[str, Wanted]) -> Mapping[str, Found]:
        """See Store."""
        if not self._file.is_locked:
            await self._happen(self.earlier)
        self._ask("refresh")
        return await super().refresh(wanted)

    async def commit(self, commits: Sequence[Commit], counted: Mapping[str, int], reset: str = "") -> Result:
        """See Store."""
        self.committed.append(commits)
        await self._happen(self.meanwhile)
        self._ask("commit")
        result = await super().commit(commits, counted, reset)
        self._ask("committed")
        return result

    async def kept(self) -> Any:
        """See Store."""
        self._ask("kept")
        return await super().kept()


def shared(app: StubServer) -> SharedWorlds:
    """The worlds of a server that has a store."""
    assert isinstance(app.worlds, SharedWorlds)
    return app.worlds


def store_of(app: StubServer) -> TrickStore:
    """The store of a server that the fixture `stored` has made."""
    store = shared(app).store
    assert isinstance(store, TrickStore)
    return store


def turns_of(app: StubServer) -> Turns:
    """The turns that it takes."""
    assert isinstance(app.turns, Turns)
    return app.turns


def move(app: StubServer, path: Path) -> StubServer:
    """Have a server that is idle use another file, as if it had just started."""
    worlds = shared(app)
    for name in [*worlds._copies.versions]:
        worlds._copies.forget(name)
    worlds.commits.owed.clear()
    store_of(app).__init__(path, worlds.settings.max_requests)  # type: ignore[misc]
    turns_of(app)._failed = None
    return app


class Process:
    """What a process has of the worlds in a file."""

    def __init__(self, path: Path, fixture: Fixture, settings: Settings, runner: asyncio.Runner | None = None) -> None:
        """Without a runner, it works in the event loop that is running."""
        self.store = TrickStore(path, settings.max_requests)
        self.worlds = SharedWorlds(self.store, fixture, settings, self._load)
        self.turns = Turns(self.worlds)
        self.fixtures: dict[str, Fixture] = {}
        """The fixtures that can be loaded, besides the first one."""
        self._runner = runner

    @property
    def runner(self) -> asyncio.Runner:
        assert self._runner is not None
        return self._runner

    def _load(self, name: str, _: datetime) -> Fixture:
        return self.fixtures[name]

    def do(self, *works: Callable[[], Any], names: Sequence[str] = ("w",), number: int = 0) -> list[Any]:
        """The results of works in one turn; errors are among them."""
        return self.runner.run(self.doing(*works, names=names, number=number))

    async def doing(self, *works: Callable[[], Any], names: Sequence[str] = ("w",), number: int = 0) -> list[Any]:
        """The same, within the event loop."""
        running = [self.turns.run(work, *names, number=number) for work in works]
        async with asyncio.timeout(PATIENCE):
            return await asyncio.gather(*running, return_exceptions=True)

    def world(self, name: str = "w") -> World:
        """A world, to be used within a turn."""
        return self.worlds.touch(name, None)

    def add(self, number: int, name: str = "w") -> list[int]:
        """Work that adds a row to a world; the result are the rows that were added to it until then."""
        self.world(name).categories.put({"id": number})
        return self.added(name)

    def keep(self, name: str, world: str = "w") -> None:
        """Work that stores a snapshot of a world."""
        self.worlds.keep_snapshot(name, self.world(world).snapshot())

    def names(self) -> list[str]:
        """The names of all worlds, in a turn of its own."""
        (found,) = self.do(lambda: [world.name for world in self.worlds], names=[])
        return list(found)

    def added(self, name: str = "w") -> list[int]:
        """Work that finds out which rows were added to a world."""
        return [row["id"] for row in self.worlds.peek(name).categories if row["id"] >= 100]


class Texts(Batch):
    """Entries of a journal that are nothing but texts."""

    def __init__(self, *texts: tuple[int, bytes]) -> None:
        """Each of them has a number."""
        super().__init__()
        self.texts = [*texts]

    def __len__(self) -> int:
        return len(self.texts)

    def extend(self, other: Batch) -> None:
        assert isinstance(other, Texts)
        self.texts += other.texts

    def packed(self) -> Entries:
        return Entries(self.texts[0][0], len(self.texts), b"|".join(text for _, text in self.texts))


def note(turn: Turn, name: str, number: int, text: bytes = b"{}") -> None:
    """Add an entry to the journal of a world."""
    batch = turn.entries.setdefault(name, Texts())
    assert isinstance(batch, Texts)
    batch.texts.append((number, text))
