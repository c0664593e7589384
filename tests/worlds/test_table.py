"""Tables and worlds: copy on write, undo, ids, order, indexes and the clock."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stubserver.settings import Settings
from stubserver.worlds.clock import EARLIEST, LATEST, Clock
from stubserver.worlds.registry import Worlds
from stubserver.worlds.table import FixtureTable, Log, Newest, Row, Table
from stubserver.worlds.world import TABLES, Fixture, World
from tests.support.default import NOW
from tests.support.rows import snapshot


def base() -> FixtureTable:
    """Three rows, out of the order of their ids."""
    rows = [{"id": number, "kind": kind} for number, kind in ((2, "a"), (1, "b"), (5, "a"))]
    return FixtureTable(("id",), ("kind",), rows)


def table() -> Table:
    return Table("things", base(), Log())


def fork(rows: Iterable[Row] | None = None) -> World:
    """A world of one table, `things`."""
    things = base() if rows is None else FixtureTable(("id",), ("kind",), rows)
    return World("test", Fixture(name="test", tables={"things": things}, preferences={}, tokens={}))


def ids(rows: Iterable[Row]) -> list[int]:
    return [row["id"] for row in rows]


# One table


def test_table_reads_its_base() -> None:
    things = table()
    assert ids(things) == [2, 1, 5]
    assert len(things) == 3
    assert things[1] == {"id": 1, "kind": "b"}
    assert things.get(3) is None
    assert 1 in things
    assert 3 not in things
    with pytest.raises(KeyError):
        things[3]


def test_table_iterates_in_order_of_creation() -> None:
    things = table()
    for number in (9, 6, 7):
        things.put({"id": number, "kind": "c"})
    assert ids(things) == [2, 1, 5, 9, 6, 7]
    things.put({"id": 1, "kind": "changed"})
    things.put({"id": 9, "kind": "changed"})
    things.delete(6)
    assert ids(things) == [2, 1, 5, 9, 7]
    assert len(things) == 5
    things.delete(2)
    assert ids(things) == [1, 5, 9, 7]


def test_table_finds_by_index_in_order_of_keys() -> None:
    things = table()
    assert ids(things.where("kind", "a")) == [2, 5]
    for row in ({"id": 9, "kind": "a"}, {"id": 3, "kind": "a"}, {"id": 1, "kind": "a"}, {"id": 5, "kind": "b"}):
        things.put(row)
    assert ids(things.where("kind", "a")) == [1, 2, 3, 9]
    assert ids(things.where("kind", "b")) == [5]
    things.delete(2)
    things.delete(9)
    assert ids(things.where("kind", "a")) == [1, 3]
    assert things.where("kind", "c") == []
    with pytest.raises(KeyError):
        things.where("id", 1)


def test_table_knows_rows_by_several_keys() -> None:
    rows = [{"course": 2, "user": 1, "status": "x"}, {"course": 1, "user": 3, "status": "x"}]
    pairs = Table("pairs", FixtureTable(("course", "user"), ("course", "user"), rows), Log())
    pairs.put({"course": 1, "user": 1, "status": "y"})
    pairs.put({"course": 1, "user": 3, "status": "y"})
    assert pairs[1, 3]["status"] == "y"
    assert [row["user"] for row in pairs.where("course", 1)] == [1, 3]
    pairs.delete((1, 3))
    assert (1, 3) not in pairs
    assert [row["user"] for row in pairs.where("course", 1)] == [1]
    assert len(pairs) == 2


def test_table_never_gives_an_id_twice() -> None:
    things = table()
    assert [things.next_id(), things.next_id()] == [6, 7]
    things.put({"id": 7, "kind": "a"})
    things.delete(7)
    things.delete(5)
    assert things.next_id() == 8
    assert Table("things", FixtureTable(("id",), ()), Log()).next_id() == 1


def test_table_ignores_deleting_what_is_not_there() -> None:
    undo: list[Callable[[], None]] = []
    things = Table("things", base(), undo)
    things.delete(77)
    things.delete(1)
    things.delete(1)
    assert (len(things), len(undo)) == (2, 1)


def test_tables_share_a_base_that_never_changes() -> None:
    shared = base()
    before = (dict(shared.rows), {field: dict(values) for field, values in shared.index.items()}, shared.next_id)
    first, second = Table("things", shared, Log()), Table("things", shared, Log())
    first.put({"id": 1, "kind": "a"})
    first.put({"id": first.next_id(), "kind": "a"})
    first.delete(2)
    assert ids(first) == [1, 5, 6]
    assert ids(second) == [2, 1, 5]
    assert len(second) == 3
    assert ids(second.where("kind", "a")) == [2, 5]
    assert ids(second.where("kind", "b")) == [1]
    assert second.next_id() == 6
    assert (shared.rows, shared.index, shared.next_id) == before


# Undo


def test_change_keeps_what_succeeds() -> None:
    world = fork()
    with world.transaction():
        world.things.put({"id": world.things.next_id(), "kind": "c"})
        world.things.delete(2)
    with pytest.raises(ZeroDivisionError), world.transaction():
        raise ZeroDivisionError
    assert ids(world.things) == [1, 5, 6]
    assert world.things.next_id() == 7


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_change_leaves_no_trace_of_what_fails(error: type[BaseException]) -> None:
    world = fork()
    with world.transaction():
        world.things.put({"id": world.things.next_id(), "kind": "a"})
        world.things.put({"id": 2, "kind": "b"})
    before = (list(world.things), len(world.things), world.things.where("kind", "a"), world.things.where("kind", "b"))

    def fail() -> None:
        with world.transaction():
            world.things.put({"id": world.things.next_id(), "kind": "a"})
            world.things.put({"id": world.things.next_id(), "kind": "z"})
            world.things.put({"id": 6, "kind": "z"})
            world.things.put({"id": 6, "kind": "b"})
            world.things.put({"id": 1, "kind": "a"})
            world.things.delete(2)
            world.things.delete(5)
            world.things.put({"id": 5, "kind": "z"})
            world.things.delete(7)
            raise error

    with pytest.raises(error):
        fail()
    after = (list(world.things), len(world.things), world.things.where("kind", "a"), world.things.where("kind", "b"))
    assert after == before
    assert world.things.where("kind", "z") == []
    assert world.things.next_id() == 7


def test_change_undoes_every_table(default_fixture: Fixture) -> None:
    world = World("test", default_fixture)
    before = snapshot(world)

    def fail() -> None:
        with world.transaction():
            world.courses.put({**world.courses[1], "id": world.courses.next_id(), "name": "New", "slug": "new"})
            world.memberships.delete((1, 3))
            world.memberships.put({"course_id": 1, "user_id": 6, "status": "joined"})
            world.completions.delete((3, 1))
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert snapshot(world) == before
    assert world.courses.where("slug", "new") == []
    assert [row["user_id"] for row in world.memberships.where("course_id", 1)] == [1, 2, 3, 4, 8, 9, 10, 11, 12, 13, 14]
    assert world.courses.next_id() == 16


ROWS = st.fixed_dictionaries({"id": st.integers(1, 6), "kind": st.sampled_from("ab")})
STEPS = st.lists(ROWS | st.integers(1, 6), max_size=6)
"""A row is put, a number deletes the row of this id."""


@settings(deadline=None)
@given(
    rows=st.lists(ROWS, max_size=5, unique_by=lambda row: row["id"]),
    changes=st.lists(st.tuples(STEPS, st.booleans()), max_size=6),
)
def test_table_behaves_like_a_dict(rows: list[Row], changes: list[tuple[list[Any], bool]]) -> None:
    """Whatever is put, deleted and taken back: rows, length and index are those of a plain dict."""
    world, model = fork(rows), {row["id"]: row for row in rows}
    original = [dict(row) for row in rows]
    for steps, fails in changes:
        then = dict(model)
        try:
            with world.transaction():
                for step in steps:
                    if isinstance(step, int):
                        world.things.delete(step)
                        model.pop(step, None)
                    else:
                        world.things.put(step)
                        model[step["id"]] = step
                    assert_equal(world.things, model)
                if fails:
                    raise LookupError
        except LookupError:
            model = then
        assert_equal(world.things, model)
    assert rows == original
    assert ids(fork(rows).things) == ids(rows)


def assert_equal(things: Table, model: dict[int, Row]) -> None:
    assert {row["id"]: row for row in things} == model
    assert len(list(things)) == len(things) == len(model)
    for number in range(1, 7):
        assert things.get(number) == model.get(number)
        assert (number in things) == (number in model)
    for kind in "ab":
        wanted = sorted((row for row in model.values() if row["kind"] == kind), key=lambda row: row["id"])
        assert things.where("kind", kind) == wanted


# Worlds


def test_worlds_do_not_see_each_other(default_fixture: Fixture) -> None:
    worlds = Worlds(default_fixture)
    first, second = worlds.get("first"), worlds.get("second")
    untouched = snapshot(World("test", default_fixture))
    first.courses.delete(1)
    first.courses.put({**first.courses[2], "name": "Changed"})
    first.memberships.put({"course_id": 3, "user_id": 6, "status": "joined"})
    first.clock.freeze(NOW)
    assert snapshot(first) != untouched
    assert snapshot(second) == untouched
    assert snapshot(worlds.get()) == untouched
    assert second.memberships.get((3, 6)) is None
    assert second.clock.now() != NOW


def test_worlds_start_anew_on_reset(default_fixture: Fixture) -> None:
    worlds = Worlds(default_fixture, Settings(seed=7))
    old = worlds.get()
    assert worlds.get() is old
    assert (old.name, old.settings.seed) == ("default", 7)
    old.courses.delete(1)
    old.courses.next_id()
    new = worlds.reset()
    assert worlds.get() is new
    assert snapshot(new) == snapshot(World("test", default_fixture))
    assert new.courses.next_id() == 16
    assert 1 not in old.courses
    other = worlds.reset(
        "other", fixture=replace(default_fixture, preferences={"configurations.content_availability": False})
    )
    assert worlds.get("other") is other
    assert other.preferences == {"configurations.content_availability": False}
    assert worlds.get().preferences == default_fixture.preferences
    assert worlds.reset("other").preferences == default_fixture.preferences


def test_world_knows_its_tables_only(default_fixture: Fixture) -> None:
    world = World("test", default_fixture)
    assert {name for name in TABLES if len(getattr(world, name)) == 0} == {"uploads", "grants"}  # no fixture has any
    with pytest.raises(AttributeError, match="nonsense"):
        _ = world.nonsense


# The clock


def runs(clock: Clock, ahead: timedelta = timedelta()) -> bool:
    """Whether it shows the real time, that much ahead."""
    earliest = datetime.now(UTC) + ahead
    shown = clock.now()
    return earliest <= shown <= datetime.now(UTC) + ahead and shown.tzinfo is UTC


def test_clock_runs_until_it_is_frozen() -> None:
    clock = Clock()
    assert runs(clock)
    clock.freeze(NOW)
    assert clock.now() == clock.now() == NOW
    clock.freeze(datetime(2026, 11, 23, 14, 0, tzinfo=timezone(timedelta(hours=2))))
    assert clock.now() == NOW
    assert clock.now().tzinfo is UTC


def test_clock_freezes_at_the_moment_it_shows() -> None:
    clock = Clock()
    clock.advance(timedelta(days=3))
    clock.freeze()
    moment = clock.now()
    assert clock.now() == moment
    assert timedelta(days=3) - (moment - datetime.now(UTC)) < timedelta(minutes=1)


@pytest.mark.parametrize("by", [timedelta(days=3), timedelta(days=-1), timedelta(microseconds=1)])
def test_clock_advances_frozen_or_not(by: timedelta) -> None:
    clock = Clock()
    clock.advance(by)
    clock.advance(by)
    assert runs(clock, 2 * by)
    clock.freeze(NOW)
    clock.advance(by)
    clock.advance(by)
    assert clock.now() == NOW + 2 * by


def test_clock_shows_the_real_time_when_released() -> None:
    clock = Clock()
    clock.advance(timedelta(days=3))
    clock.freeze(NOW)
    clock.advance(timedelta(days=3))
    clock.release()
    assert runs(clock)


def test_clock_tells_between_which_moments_it_would_say_the_same() -> None:
    clock = Clock()
    clock.freeze(NOW)
    hours = [timedelta(hours=number) for number in (-2, -1, 0, 1, 2)]
    assert clock.watch() == NOW
    assert [clock.has_come(NOW + by) for by in hours] == [True, True, True, False, False]
    assert (clock.since, clock.until) == (NOW, NOW + timedelta(hours=1))
    clock.watch()
    assert (clock.since, clock.until) == (EARLIEST, LATEST)


@pytest.mark.parametrize("later", [timedelta(hours=-1), timedelta(hours=1)])
def test_clock_says_the_same_at_no_other_moment_once_it_was_read(later: timedelta) -> None:
    clock = Clock()
    clock.watch()
    clock.now()
    clock.has_come(clock.now() + later)
    assert clock.until == EARLIEST


def test_table_replaces_the_keys_of_a_value_only_when_they_change() -> None:
    things = table()
    before = things.keys("kind", "a")
    things.put({"id": 2, "kind": "a", "name": "new"})
    assert things.keys("kind", "a") is before
    things.put({"id": 3, "kind": "a"})
    things.put({"id": 5, "kind": "b"})
    assert (before, things.keys("kind", "a"), things.keys("kind", "b")) == ([2, 5], [2, 3], [1, 5])
    assert things.keys("kind", "z") == ()


def test_table_forgets_values_that_came_and_went() -> None:
    things = table()
    for number in range(50):
        things.put({"id": 9, "kind": f"kind {number}"})
    assert set(things.own().index["kind"]) == {"kind 49"}
    things.delete(9)
    assert things.own().index["kind"] == {}


def test_table_is_looked_up_by_several_fields_together() -> None:
    rows = [
        {"id": 1, "user": 1, "status": "x"},
        {"id": 2, "user": 1, "status": "y"},
        {"id": 3, "user": 1, "status": "x"},
    ]
    things = Table("things", FixtureTable(("id",), (("user", "status"),), rows), Log())
    assert things.keys(("user", "status"), (1, "x")) == [1, 3]
    things.put({"id": 1, "user": 1, "status": "y"})
    assert (things.keys(("user", "status"), (1, "x")), things.keys(("user", "status"), (1, "y"))) == ([3], [1, 2])


@given(
    st.lists(st.sampled_from("abc"), max_size=30), st.integers(0, 35), st.integers(0, 35), st.sampled_from(["ab", "c"])
)
def test_newest_cuts_pages_out_of_several_lists(kinds: list[str], offset: int, limit: int, wanted: str) -> None:
    rows = [{"id": 3 * number, "kind": kind} for number, kind in enumerate(kinds, start=1)]
    things = Table("things", FixtureTable(("id",), ("kind",), rows), Log())
    newest = Newest(things, [things.keys("kind", kind) for kind in wanted])
    expected = [row for row in reversed(rows) if row["kind"] in wanted]
    assert len(newest) == len(expected)
    assert newest[offset : offset + limit] == expected[offset : offset + limit]
    assert newest[:] == expected


def test_what_is_derived_from_keys_is_made_anew_when_they_change() -> None:
    world, made = fork(), []

    def look() -> list[int]:
        keys = world.things.keys("kind", "a")
        return world.derived("doubled", [keys], lambda: made.append(keys) or [2 * key for key in keys])

    assert (look(), look(), len(made)) == ([4, 10], [4, 10], 1)
    world.things.put({"id": 5, "kind": "a", "name": "new"})
    assert (look(), len(made)) == ([4, 10], 1)
    world.things.delete(5)
    assert (look(), look(), len(made)) == ([4], [4], 2)
