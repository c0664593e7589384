"""All worlds of one server: the seam through which everything reaches state. Worlds come and go by their names."""

import re
from collections.abc import Callable, Iterator
from datetime import datetime

from stubserver.addressing import FIXTURE_HEADER
from stubserver.errors import invalid, refusal
from stubserver.settings import Settings
from stubserver.worlds.world import Fixture, Snapshot, World

DEFAULT = "default"
"""The world of whoever names none. It is never evicted."""
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}", re.ASCII)
"""What worlds and snapshots may be called."""
NAMING = "use 1 to 64 letters, digits, dots, dashes and underscores, the first no dot and no dash"
MAX_SNAPSHOTS = 1000
_MAX_FIXTURES = 8
"""Fixtures that are cached besides the one that the server started with."""

Load = Callable[[str, datetime], Fixture]
"""Loads a fixture by its name, as of a moment. Raises a 400 refusal where the server has none of that name."""


def _no_other(name: str, _: datetime) -> Fixture:
    raise invalid("fixture", "does_not_exist", f"There is no fixture {name!r}.")


class Worlds:
    """The worlds and the named snapshots."""

    def __init__(
        self,
        fixture: Fixture,
        settings: Settings | None = None,
        load: Load = _no_other,
        forget: Callable[[World], None] = lambda _: None,
    ) -> None:
        """Worlds start as `fixture` unless they ask for another fixture, which `load` knows; `forget` is told of each
        world that goes."""
        self.settings = settings or Settings()
        self.fixture = fixture
        self.evicted = 0
        """How many worlds had to make room."""
        self.snapshots: dict[str, Snapshot] = {}
        self._load = load
        self._forget = forget
        self._named = 0
        self._fixtures: dict[tuple[str, datetime], Fixture] = {}
        """Fixtures besides the first one, the one that was loaded first in front."""
        self._worlds: dict[str, World] = {}
        """The one that was idle for longest comes first."""

    def __iter__(self) -> Iterator[World]:
        """All worlds, by name."""
        return iter(sorted(self._worlds.values(), key=lambda world: world.name))

    def __len__(self) -> int:
        return len(self._worlds)

    def __contains__(self, name: str) -> bool:
        return name in self._worlds

    def get(self, name: str = DEFAULT) -> World:
        """The world `name`, forked from the fixture on first touch."""
        world = self._worlds.pop(name, None)
        if world is None:
            return self.reset(name)
        self._worlds[name] = world
        return world

    def touch(self, name: str, fixture: str | None) -> World:
        """The world `name`, forked at first touch from the fixture that is asked for. Raises a 400 refusal."""
        if fixture and name not in self._worlds:
            return self.reset(name, self.load_fixture(fixture))
        world = self.get(name)
        if fixture and world.fixture.name != fixture:
            message = f"World {name} already exists, with fixture {world.fixture.name}; reset it, or use another name."
            raise invalid(FIXTURE_HEADER, "invalid", message)
        return world

    def new_name(self) -> str:
        """A name that no world has or had before, unless somebody chose it."""
        while True:
            self._named += 1
            if (name := f"world-{self._named}") not in self._worlds:
                return name

    def peek(self, name: str) -> World:
        """The world `name`, or what it would be at first touch; leaves no trace."""
        return self._worlds.get(name) or World(name, self.fixture, self.settings)

    def reset(self, name: str = DEFAULT, fixture: Fixture | None = None) -> World:
        """The world `name` anew, from its fixture or from `fixture`."""
        return self._keep(World(name, fixture or self.fixture, self.settings))

    def restore(self, name: str, snapshot: Snapshot) -> World:
        """The world `name` as the snapshot has it; what it was is forgotten."""
        return self._keep(World.of(name, snapshot, self.settings))

    def delete(self, name: str) -> None:
        """Forget a world, if it is there."""
        world = self._worlds.pop(name, None)
        if world is not None:
            self._forget(world)

    def _keep(self, world: World) -> World:
        self.delete(world.name)
        self._worlds[world.name] = world
        if len(self._worlds) > self.settings.max_worlds:
            idle = next((name for name in self._worlds if name not in (DEFAULT, world.name)), None)
            if idle is not None:
                self.delete(idle)
                self.evicted += 1
        return world

    def load_fixture(self, name: str, moment: datetime | None = None) -> Fixture:
        """The fixture `name`, with its relative times as of `moment` (default: as of the server's start). Raises a
        400 refusal where there is none."""
        moment = moment or self.fixture.moment
        if (name, moment) == (self.fixture.name, self.fixture.moment):
            return self.fixture
        if (name, moment) not in self._fixtures:
            loaded = self._load(name, moment)
            if len(self._fixtures) >= _MAX_FIXTURES:
                del self._fixtures[next(iter(self._fixtures))]
            self._fixtures[name, moment] = loaded
        return self._fixtures[name, moment]

    def snapshot(self, name: str) -> Snapshot:
        """The snapshot `name`. Raises a 404 refusal."""
        if name not in self.snapshots:
            raise refusal(404, f"There is no snapshot {name}.")
        return self.snapshots[name]

    def keep_snapshot(self, name: str, snapshot: Snapshot) -> None:
        """Remember a snapshot under a name. Raises a 400 refusal where there are too many, or too large a one."""
        if name not in self.snapshots and len(self.snapshots) >= MAX_SNAPSHOTS:
            raise invalid("name", "max_length", f"There are {MAX_SNAPSHOTS} snapshots already; delete one first.")
        if snapshot.changed > self.settings.max_rows:
            raise invalid(
                "tables", "max_length", f"A world may differ from its fixture in {self.settings.max_rows} rows."
            )
        self.snapshots[name] = snapshot
