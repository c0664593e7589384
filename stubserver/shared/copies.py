"""Copies of the documents of a store, in one process: read, brought up to date, committed, undone."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import orjson

from stubserver.errors import Refusal
from stubserver.fixtures.fixture import FixtureError
from stubserver.settings import Settings
from stubserver.shared.held import Held
from stubserver.shared.turn import SNAPSHOT, Turn
from stubserver.stores.store import NO_ENTRIES, Commit, Found, Version
from stubserver.worlds import stored
from stubserver.worlds.registry import Load
from stubserver.worlds.snapshot import Fixture, Snapshot
from stubserver.worlds.world import State, World


class Copies:
    """The worlds and snapshots of which this process has copies. All that is new in a world is in its log and state."""

    def __init__(
        self, settings: Settings, load: Load, worlds: dict[str, World], snapshots: dict[str, Snapshot]
    ) -> None:
        """Keeps the copies in `worlds` and `snapshots`; `load` loads the fixtures that they start from."""
        self._settings = settings
        self._load = load
        self.worlds = worlds
        self.snapshots = snapshots
        self.versions: dict[str, Version] = {}
        """Name of a document -> the version of our copy."""
        self.states: dict[str, State] = {}
        """Name of a world -> the state that was committed last."""
        self._asked: dict[str, int] = {}
        """The same for the number of its last request."""
        self.foreign: set[str] = set()
        """Documents that cannot be used, because their fixture has changed."""

    def take(self, name: str, found: Found, losses: bool = True) -> None:
        """Bring the copy of a document up to date, with what its journal has lost if that was asked for."""
        if found.version is None:
            self.forget(name)
            return
        if name.startswith(SNAPSHOT):
            if found.whole is not None:
                self._load_snapshot(name, _parsed(found.whole))
        elif found.whole is not None:
            self._load_world(name, _parsed(found.whole))
        elif found.commits and (world := self.worlds.get(name)) is not None:
            for commit in found.commits:
                stored.replay(world, orjson.loads(commit), self._load)
            self.states[name] = world.state
        self.versions[name] = found.version
        if (copy := self.worlds.get(name)) is not None:
            copy.life = found.version.life
            if losses or found.forgotten:
                copy.forgotten = dict(found.forgotten)
            copy.asked = self._asked[name] = found.asked

    def _load_snapshot(self, name: str, content: Mapping[str, Any]) -> None:
        fixture = self._fixture(name, content)
        if fixture is not None:
            self.snapshots[name.removeprefix(SNAPSHOT)] = stored.snapshot_of(content, fixture)

    def _load_world(self, name: str, content: Mapping[str, Any]) -> None:
        self.worlds.pop(name, None)
        fixture = self._fixture(name, content)
        if fixture is not None:
            self.worlds[name] = world = stored.world_of(name, content, fixture, self._settings, self._load)
            world.shared = True
            self.states[name] = world.state

    def _fixture(self, name: str, content: Mapping[str, Any]) -> Fixture | None:
        """The fixture of a document; None, with a note, if it has changed."""
        self.foreign.discard(name)
        fixture = None
        with suppress(Refusal, FixtureError):  # this server does not have it, or not any more
            fixture = stored.fixture_of(content, self._load)
        if fixture is None:
            self.foreign.add(name)
        return fixture

    def only_adds(self, turn: Turn) -> bool:
        """Whether a turn changes nothing, and takes no number of a request that it does not add to a journal."""
        return turn.only_adds and all(self._is_unchanged(name, turn) for name in turn.fresh)

    def _is_unchanged(self, name: str, turn: Turn) -> bool:
        if (world := self.worlds.get(name)) is None:
            return name not in turn.entries
        is_same = not world.log and world.state == self.states[name]
        return is_same and (name in turn.entries or world.asked == self._asked[name])

    def hold(self, turn: Turn, held: Held) -> None:
        """Hold what a turn adds to journals and counters, instead of committing it."""
        for name in turn.entries:
            world = self.worlds[name]
            held.add(turn, world, self.versions[name])
            self._asked[name] = world.asked
        held.count_up(turn)

    def commits(self, turn: Turn) -> Iterator[Commit]:
        """What there is to commit after a turn."""
        for name in turn.gone:
            yield Commit(name, self.versions.get(name), None)
        for name in turn.replaced:
            made = self.worlds[name]
            yield self._described(turn, made, Version.first(made.life), stored.whole(made), whole=True)
        for name, snapshot in turn.snapshots.items():
            yield self._of_snapshot(SNAPSHOT + name, snapshot)
        for name in turn.fresh - turn.replaced - turn.gone:
            if (world := self.worlds.get(name)) is None:
                continue
            changes = stored.changes(world, self.states[name])
            if changes or name in turn.entries or name in turn.cleared or world.asked != self._asked[name]:
                version = self.versions[name]
                yield self._described(turn, world, version.next() if changes else version, changes)

    def _described(
        self, turn: Turn, world: World, version: Version, changes: Mapping[str, bytes | None], *, whole: bool = False
    ) -> Commit:
        name = world.name
        known, clears = self.versions.get(name), name in turn.cleared
        entries = turn.entries[name].packed() if name in turn.entries else NO_ENTRIES
        return Commit(name, known, version, changes, whole, world.held, world.asked, entries, clears, world.forgotten)

    def _of_snapshot(self, name: str, snapshot: Snapshot | None) -> Commit:
        known = self.versions.get(name)
        if snapshot is None:
            return Commit(name, known, None)
        return Commit(name, known, Version.first(), stored.snapshot_whole(snapshot), True, snapshot.size)

    def committed(self, commit: Commit) -> None:
        """Note that a commit was stored."""
        if commit.version is None:
            self.forget(commit.name)
            return
        self.versions[commit.name] = commit.version
        if (world := self.worlds.get(commit.name)) is not None:
            self.states[commit.name], self._asked[commit.name] = world.state, world.asked
            world.log.clear()

    def undo(self, name: str, turn: Turn) -> None:
        """Return to what was committed last, or forget the copy if the turn has replaced it."""
        world = self.worlds.get(name)
        if name in turn.replaced or name in turn.gone or name.startswith(SNAPSHOT) or world is None:
            self.forget(name)
        else:
            world.undo(0, self.states[name])
            world.asked = self._asked[name]
        turn.drop(name)

    def forget(self, name: str) -> None:
        """Forget the copy of a document, so that it is read again when it is needed."""
        self.worlds.pop(name, None)
        self.versions.pop(name, None)
        self.states.pop(name, None)
        self._asked.pop(name, None)
        self.foreign.discard(name)
        if name.startswith(SNAPSHOT):
            self.snapshots.pop(name.removeprefix(SNAPSHOT), None)


def _parsed(content: Mapping[str, bytes]) -> Mapping[str, Any]:
    return {key: orjson.loads(value) for key, value in content.items()}
