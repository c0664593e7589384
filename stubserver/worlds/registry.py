"""All worlds of one server, by name. Everything reaches state through this registry."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from stubserver.addressing import FIXTURE_HEADER
from stubserver.errors import invalid, refusal
from stubserver.settings import Settings
from stubserver.worlds.snapshot import Fixture, Snapshot
from stubserver.worlds.world import World

DEFAULT = "default"
"""The world of requests that do not name one. It is never evicted."""
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}", re.ASCII)
"""Valid names of worlds and snapshots."""
NAMING = "use 1 to 64 letters, digits, dots, dashes and underscores, not starting with a dot or a dash"
MAX_SNAPSHOTS = 1000
_MAX_FIXTURES = 8
"""Maximum number of cached fixtures, besides the one that the server started with."""

Load = Callable[[str, datetime], Fixture]
"""Loads a fixture by its name, as of a given time. Raises a 400 refusal if the server does not have it."""


def _no_other_fixture(name: str, _: datetime) -> Fixture:
    raise invalid("fixture", "does_not_exist", f"There is no fixture {name!r}.")


class Worlds:
    """The worlds and the stored snapshots of one server."""

    is_shared = False
    """Whether other processes use the same worlds, so that each request takes its turn at them."""

    def __init__(
        self,
        fixture: Fixture,
        settings: Settings | None = None,
        load: Load = _no_other_fixture,
        forget: Callable[[World], None] = lambda _: None,
    ) -> None:
        """Worlds start from `fixture` unless another is requested, which `load` provides; `forget` is called with each
        world that is deleted, replaced or evicted."""
        self.settings = settings or Settings()
        self.newest: Callable[[Fixture], Fixture] = lambda fixture: fixture
        """The newest version of a fixture, if files may change."""
        self.variants: Sequence[Mapping[str, Any]] = ()
        """What is different in the answers of every new world: VariantCreate objects of the control contract."""
        self.fixture_names: Callable[[], Iterable[str]] = lambda: [fixture.name]
        """Names all fixtures that can be requested."""
        self._first = fixture
        self._evicted = 0
        self.snapshots: dict[str, Snapshot] = {}
        self._load = load
        self._forget = forget
        self._names_given = 0
        self._held: dict[str, int] = {}
        """Name of a world -> what it takes, in bytes."""
        self._size = 0
        self._fixtures: dict[tuple[str, datetime], Fixture] = {}
        """Cache of the fixtures besides the first one, oldest first."""
        self._worlds: dict[str, World] = {}
        """Name -> world, least recently used first."""
        self._lost: dict[str, int] = {}
        """Name of an evicted world -> how many requests it had received, oldest first; bounded as the worlds are."""

    def __iter__(self) -> Iterator[World]:
        """All worlds, sorted by name."""
        return iter(sorted(self._worlds.values(), key=lambda world: world.name))

    def __len__(self) -> int:
        return len(self._worlds)

    def __contains__(self, name: str) -> bool:
        return name in self._worlds

    @property
    def fixture(self) -> Fixture:
        """What worlds start from, unless another fixture is requested."""
        return self.newest(self._first)

    def get(self, name: str = DEFAULT) -> World:
        """The world `name`, created from the server's fixture on first use."""
        world = self._worlds.pop(name, None)
        if world is None:
            return self._again(name, self.fixture)
        self._worlds[name] = world
        return world

    def touch(self, name: str, fixture: str | None) -> World:
        """Like `get`, but created from `fixture`. Raises a 400 refusal if it is unknown, or the world has another."""
        if fixture is not None and name not in self._worlds:
            return self._again(name, self.load_fixture(fixture))
        world = self.get(name)
        if fixture is not None and world.fixture.name != fixture:
            message = f"World {name} already exists, with fixture {world.fixture.name}; reset it, or use another name."
            raise invalid(FIXTURE_HEADER, "invalid", message)
        return world

    def new_name(self) -> str:
        """A name of the form `world-1` that no world has and that was not returned before."""
        while True:
            self._names_given += 1
            if (name := f"world-{self._names_given}") not in self._worlds:
                return name

    def peek(self, name: str) -> World:
        """The world `name`, or what it would be on first use, without creating it."""
        return self._worlds.get(name) or self._new(name, self.fixture)

    def _new(self, name: str, fixture: Fixture) -> World:
        """A world that a request names; if it had been evicted, it knows how many requests were lost with it."""
        world = World(name, fixture, self.settings)
        if name in self._lost:
            world.forgotten = {"max_worlds": self._lost[name]}
        return world

    def _again(self, name: str, fixture: Fixture) -> World:
        return self._add(self._new(name, fixture))

    def reset(self, name: str = DEFAULT, fixture: Fixture | None = None) -> World:
        """Create or replace the world `name`, from `fixture` (default: the server's)."""
        return self._add(World(name, fixture or self.fixture, self.settings))

    def restore(self, name: str, snapshot: Snapshot) -> World:
        """Create or replace the world `name`, from a snapshot."""
        return self._add(World.of(name, snapshot, self.settings))

    def delete(self, name: str) -> None:
        """Delete a world, if it exists."""
        self._lost.pop(name, None)
        world = self._worlds.pop(name, None)
        if world is not None:
            self._size -= self._held.pop(name)
            self._forget(world)
            world.close()

    def _add(self, world: World) -> World:
        if (replaced := self._worlds.get(world.name)) is not None:
            world.strict = replaced.strict
        for wanted in self.variants:
            world.add_variant(wanted)
        self.delete(world.name)
        self._worlds[world.name] = world
        self._held[world.name] = 0
        world.resized = self._resized
        self._resized(world)
        return world

    def _resized(self, world: World) -> None:
        """Count what a world takes now, unless it is gone, and make room for it. That never fails: the default world
        and this one always fit in, beside the snapshots (see Settings)."""
        if self._worlds.get(world.name) is not world:
            return
        held = world.held
        self._size += held - self._held[world.name]
        self._held[world.name] = held
        self._make_room(world.name)

    def _make_room(self, used: str = DEFAULT) -> None:
        """Evict the worlds that have been idle longest, as long as all take too much; never the one that is used."""
        while self._is_full():
            idle = next((name for name in self._worlds if name not in (DEFAULT, used)), None)
            if idle is None:
                return
            self._evict(idle)

    def _is_full(self) -> bool:
        if len(self._worlds) > self.settings.max_worlds:
            return True
        most = self.settings.max_memory
        return self._size > most // 2 and self._size + self.snapshots_size > most

    @property
    def evicted(self) -> int:
        """How many worlds have been evicted."""
        return self._evicted

    @property
    def size(self) -> int:
        """About what all worlds take, in bytes."""
        return self._size

    @property
    def snapshot_sizes(self) -> Mapping[str, int]:
        """Name of a stored snapshot -> about what it takes, in bytes."""
        return {name: snapshot.size for name, snapshot in self.snapshots.items()}

    @property
    def snapshots_size(self) -> int:
        """About what all stored snapshots take, in bytes."""
        return sum(self.snapshot_sizes.values())

    def _evict(self, name: str) -> None:
        received = self._worlds[name].asked + self._worlds[name].forgotten.get("max_worlds", 0)
        self.delete(name)
        self._evicted += 1
        if received:
            self._lost[name] = received
            if len(self._lost) > self.settings.max_worlds:
                del self._lost[next(iter(self._lost))]

    def load_fixture(self, name: str, moment: datetime | None = None) -> Fixture:
        """The fixture `name`, with its relative times as of `moment` (default: the start of the server). Raises a 400
        refusal if there is none."""
        moment = moment or self._first.moment
        if (name, moment) == (self._first.name, self._first.moment):
            return self.fixture
        if (name, moment) not in self._fixtures:
            loaded = self._load(name, moment)
            if len(self._fixtures) >= _MAX_FIXTURES:
                del self._fixtures[next(iter(self._fixtures))]
            self._fixtures[name, moment] = loaded
        return self.newest(self._fixtures[name, moment])

    def snapshot(self, name: str) -> Snapshot:
        """The stored snapshot `name`. Raises a 404 refusal if there is none."""
        if name not in self.snapshots:
            raise refusal(404, f"There is no snapshot {name}.")
        return self.snapshots[name]

    def keep_snapshot(self, name: str, snapshot: Snapshot) -> None:
        """Store a snapshot under a name. Raises a 400 refusal if it is too large, or if there are too many."""
        bounds, sizes = self.settings, self.snapshot_sizes
        room = bounds.max_memory // 2 - sum(sizes.values()) + sizes.get(name, 0)
        if name not in sizes and len(sizes) >= MAX_SNAPSHOTS:
            raise invalid("name", "max_length", f"There are {MAX_SNAPSHOTS} snapshots already; delete one first.")
        if snapshot.changed > bounds.max_rows:
            message = f"A world may differ from its fixture in at most {bounds.max_rows} rows."
            raise invalid("tables", "max_length", message)
        if snapshot.size > bounds.max_world:
            message = (
                f"Its rows take {snapshot.size} bytes; those of a world may take {bounds.max_world} (--max-world)."
            )
            raise invalid("tables", "max_length", message)
        if snapshot.size > room:
            message = f"It takes {snapshot.size} bytes, but only {max(0, room)} are left of half of --max-memory"
            raise invalid("name", "max_length", f"{message}; delete other snapshots first.")
        self._keep_snapshot(name, snapshot)

    def _keep_snapshot(self, name: str, snapshot: Snapshot) -> None:
        self.snapshots[name] = snapshot
        self._make_room()

    def all_snapshots(self) -> Iterable[tuple[str, Snapshot]]:
        """All stored snapshots with their names, sorted by name."""
        return sorted(self.snapshots.items())

    def delete_snapshot(self, name: str) -> None:
        """Delete a stored snapshot. Raises a 404 refusal if there is none."""
        self.snapshot(name)
        del self.snapshots[name]
