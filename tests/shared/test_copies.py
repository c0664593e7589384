"""Copies of documents: brought up to date by whatever a store has of them, committed, undone, and forgotten."""

import gc
import weakref
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import orjson
import pytest

from stubserver.errors import invalid
from stubserver.fixtures.fixture import FixtureError
from stubserver.settings import Settings
from stubserver.shared.copies import Copies
from stubserver.shared.turn import SNAPSHOT, Turn
from stubserver.stores.store import Commit, Entries, Found, Version, packed
from stubserver.worlds import stored
from stubserver.worlds.snapshot import Fixture
from stubserver.worlds.world import World
from tests.support.default import NOW
from tests.support.stored import Texts


class Known:
    """The fixture that can be loaded, or what happens instead."""

    def __init__(self, fixture: Fixture) -> None:
        self.fixture: Fixture | Exception = fixture

    def __call__(self, name: str, moment: datetime) -> Fixture:
        if isinstance(self.fixture, Exception):
            raise self.fixture
        assert (name, moment) == ("default", NOW)
        return self.fixture


@pytest.fixture
def known(default_fixture: Fixture) -> Known:
    return Known(default_fixture)


@pytest.fixture
def copies(known: Known) -> Copies:
    return Copies(Settings(), known, {}, {})


def whole(world: World, version: Version, **options: Any) -> Found:
    """A world, as a store has it."""
    return Found(version, whole=stored.whole(world), **options)


def changed(world: World, before: Version, work: Callable[[World], Any], **options: Any) -> Found:
    """The same after some work, for a process that knows the version before."""
    state = world.state
    work(world)
    found = Found(before.next(), commits=[packed(stored.changes(world, state))], **options)
    world.log.clear()
    return found


@pytest.fixture
def first(copies: Copies, world: World) -> Version:
    """The version of the world w, of which there is a copy."""
    version = Version.first()
    copies.take("w", whole(world, version, asked=3, forgotten={"max_requests": 2}))
    return version


def rename(world: World) -> None:
    world.courses.put({**world.courses[1], "name": "Knots"})


def took(copies: Copies, turn: Turn) -> dict[str, Commit]:
    """The commits after a turn, by document."""
    return {commit.name: commit for commit in copies.commits(turn)}


# Brought up to date


def test_a_copy_has_all_that_the_store_has(copies: Copies, first: Version, world: World) -> None:
    copy = copies.worlds["w"]
    assert (copy.state, [*copy.courses]) == (world.state, [*world.courses])
    assert (copy.asked, copy.forgotten, copy.shared, copy.life) == (3, {"max_requests": 2}, True, first.life)
    assert copies.versions == {"w": first}


def test_a_copy_goes_through_the_commits_of_others(copies: Copies, first: Version, world: World) -> None:
    """It stays the same object, but what was cached of it is not valid any more."""
    copy = copies.worlds["w"]
    writes = copy.writes
    found = changed(world, first, rename, asked=5)
    copies.take("w", found)
    assert copies.worlds["w"] is copy
    assert (copy.courses[1]["name"], copy.asked, copy.forgotten) == ("Knots", 5, {})
    assert copy.writes > writes
    assert copies.versions["w"] == found.version


def test_a_copy_that_is_up_to_date_stays_as_it_is(copies: Copies, first: Version) -> None:
    copy = copies.worlds["w"]
    writes = copy.writes
    copies.take("w", Found(first, asked=9))
    assert copies.worlds["w"] is copy
    assert (copy.asked, copy.writes) == (9, writes)


def test_a_copy_of_what_is_gone_is_gone(copies: Copies, first: Version) -> None:
    copies.take("w", Found(None))
    assert (copies.worlds, copies.versions) == ({}, {})


def test_a_copy_of_a_world_that_was_made_anew_is_another_one(copies: Copies, first: Version, world: World) -> None:
    copy = copies.worlds["w"]
    rename(world)
    version = Version.first()
    copies.take("w", whole(world, version))
    assert copies.worlds["w"] is not copy
    assert copies.worlds["w"].courses[1]["name"] == "Knots"
    assert copies.worlds["w"].life == version.life != first.life


def test_a_snapshot_is_taken_by_its_name(copies: Copies, world: World) -> None:
    rename(world)
    found = Found(Version.first(), whole=stored.snapshot_whole(world.snapshot()))
    copies.take(f"{SNAPSHOT}s", found)
    taken = copies.snapshots["s"]
    assert [*World.of("w", taken).courses] == [*world.courses]
    copies.take(f"{SNAPSHOT}s", Found(found.version))
    assert copies.snapshots["s"] is taken
    copies.take(f"{SNAPSHOT}s", Found(None))
    assert (copies.snapshots, copies.worlds, copies.versions) == ({}, {}, {})


# Of fixtures that are no more


def gone(default_fixture: Fixture) -> list[Any]:
    """What became of a fixture."""
    return [
        replace(default_fixture, digest="other"),
        invalid("fixture", "does_not_exist", "Unknown fixture."),
        FixtureError("no such file"),
    ]


@pytest.mark.parametrize("number", range(3), ids=["changed", "unknown", "broken"])
def test_a_world_of_a_fixture_that_is_no_more_cannot_be_used(
    copies: Copies, known: Known, world: World, default_fixture: Fixture, number: int
) -> None:
    """Whatever others make of it, until it is made anew or goes."""
    known.fixture = gone(default_fixture)[number]
    first = Version.first()
    for name in ("w", f"{SNAPSHOT}s"):
        copies.take(name, whole(world, first))
    assert copies.foreign == {"w", f"{SNAPSHOT}s"}
    copies.take("w", changed(world, first, rename))
    assert (copies.worlds, copies.snapshots, copies.foreign) == ({}, {}, {"w", f"{SNAPSHOT}s"})
    copies.take(f"{SNAPSHOT}s", Found(None))
    known.fixture = default_fixture
    copies.take("w", whole(world, Version.first()))
    assert (list(copies.worlds), copies.foreign) == (["w"], set())


def test_a_copy_goes_if_its_world_was_made_anew_of_a_fixture_that_is_no_more(
    copies: Copies, first: Version, known: Known, world: World
) -> None:
    known.fixture = FixtureError("no such file")
    copies.take("w", whole(world, Version.first()))
    assert (copies.worlds, copies.foreign) == ({}, {"w"})


# Committed


def test_what_was_only_read_is_not_committed(copies: Copies, first: Version) -> None:
    assert took(copies, Turn(fresh={"w", "elsewhere"})) == {}


def test_a_change_is_committed_on_the_version_that_was_known(copies: Copies, first: Version) -> None:
    copy = copies.worlds["w"]
    rename(copy)
    copy.asked = 4
    turn = Turn(fresh={"w"}, entries={"w": Texts((4, b"{}"))}, cleared={"w"})
    (commit,) = took(copies, turn).values()
    assert (commit.expected, commit.version) == (first, replace_commit(first.next(), commit.version))
    assert [*commit.changes] == ["courses/1"]
    assert (commit.whole, commit.held, commit.asked) == (False, copy.held, 4)
    assert (commit.entries, commit.clears) == (Entries(4, 1, b"{}"), True)
    copies.committed(commit)
    assert (copies.versions["w"], len(copy.log)) == (commit.version, 0)
    assert took(copies, Turn(fresh={"w"})) == {}


def replace_commit(version: Version, like: Version | None) -> Version:
    """A version with the random part of another one."""
    assert like is not None
    return version._replace(commit=like.commit)


@pytest.mark.parametrize("kind", ["entries", "cleared", "number"])
def test_a_journal_is_committed_without_a_new_version(copies: Copies, first: Version, kind: str) -> None:
    """And so is a number that was given to a request whose entry will come later."""
    turn = Turn(fresh={"w"}, entries={"w": Texts((4, b"{}"))} if kind == "entries" else {})
    turn.cleared = {"w"} if kind == "cleared" else set()
    copies.worlds["w"].asked += kind == "number"
    (commit,) = took(copies, turn).values()
    assert (commit.expected, commit.version, commit.changes) == (first, first, {})
    assert commit.asked == 3 + (kind == "number")
    copies.committed(commit)
    assert took(copies, Turn(fresh={"w"})) == {}


def test_the_state_is_a_change(copies: Copies, first: Version) -> None:
    copies.worlds["w"].strict = True
    (commit,) = took(copies, Turn(fresh={"w"})).values()
    assert commit.changes["@strict"] == b"true"
    copies.committed(commit)
    assert took(copies, Turn(fresh={"w"})) == {}


@pytest.mark.parametrize("name", ["w", "new"])
def test_a_world_that_is_made_is_committed_as_a_whole(
    copies: Copies, first: Version, default_fixture: Fixture, name: str
) -> None:
    """With what it has forgotten: the requests of a world that was evicted."""
    copies.worlds[name] = made = World(name, default_fixture)
    made.life, made.forgotten = "life", {"max_worlds": 7}
    (commit,) = took(copies, Turn(fresh={"w", "new"}, replaced={name})).values()
    assert (commit.expected, commit.whole) == (first if name == "w" else None, True)
    assert commit.version is not None
    assert (commit.version.life, commit.version.number) == ("life", 1)
    assert orjson.loads(commit.changes["@fixture"] or b"")[0] == "default"
    assert commit.forgotten == {"max_worlds": 7}
    copies.committed(commit)
    assert took(copies, Turn(fresh={name})) == {}


def test_a_world_that_goes_leaves_nothing(copies: Copies, first: Version, world: World) -> None:
    """Its last state would keep a snapshot of each stale fault."""
    origin = weakref.ref(snapshot := world.snapshot())
    copies.worlds["w"].state = copies.worlds["w"].state._replace(origin=snapshot)
    del snapshot
    copies.committed(next(iter(took(copies, Turn(fresh={"w"})).values())))
    del copies.worlds["w"]
    (commit,) = took(copies, Turn(fresh={"w"}, gone={"w"})).values()
    assert (commit.name, commit.version) == ("w", None)
    copies.committed(commit)
    gc.collect()
    assert origin() is None
    assert copies.versions == {}


def test_snapshots_are_committed_as_they_are(copies: Copies, world: World) -> None:
    snapshot = world.snapshot()
    made = took(copies, Turn(snapshots={"s": snapshot, "t": None}))
    stored_one, deleted = made[f"{SNAPSHOT}s"], made[f"{SNAPSHOT}t"]
    assert (stored_one.expected, stored_one.whole, stored_one.held) == (None, True, snapshot.size)
    assert stored_one.changes == stored.snapshot_whole(snapshot)
    assert deleted.version is None
    copies.committed(stored_one)
    (again,) = took(copies, Turn(snapshots={"s": snapshot})).values()
    assert again.expected == stored_one.version


# Undone, and forgotten


def test_a_copy_returns_to_what_was_committed(copies: Copies, first: Version) -> None:
    copy = copies.worlds["w"]
    turn = Turn(fresh={"w"}, entries={"w": Texts((4, b"{}"))})
    rename(copy)
    copy.strict = True
    copy.asked += 1
    copies.undo("w", turn)
    assert copies.worlds["w"] is copy
    assert (copy.courses[1]["name"] != "Knots", copy.strict, copy.asked, len(copy.log)) == (True, False, 3, 0)
    assert (turn.entries, turn.fresh) == ({}, set())
    assert copies.versions == {"w": first}


@pytest.mark.parametrize("kind", ["replaced", "gone"])
def test_a_copy_that_was_replaced_is_read_again(
    copies: Copies, first: Version, default_fixture: Fixture, kind: str
) -> None:
    del copies.worlds["w"]
    if kind == "replaced":
        copies.worlds["w"] = World("w", default_fixture)
    turn = Turn(fresh={"w"})
    getattr(turn, kind).add("w")
    copies.undo("w", turn)
    assert (copies.worlds, copies.versions, getattr(turn, kind)) == ({}, {}, set())


def test_a_snapshot_is_read_again(copies: Copies, world: World) -> None:
    copies.snapshots["s"] = world.snapshot()
    turn = Turn(snapshots={"s": copies.snapshots["s"]})
    copies.undo(f"{SNAPSHOT}s", turn)
    assert (copies.snapshots, turn.snapshots) == ({}, {})
