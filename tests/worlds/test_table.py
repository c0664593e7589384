"""Tables: copy on write, ids, order and indexes."""

import contextlib
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stubserver.worlds.base import FixtureTable, Row
from stubserver.worlds.log import Log
from stubserver.worlds.table import Table
from tests.worlds.little import base, fork, ids, table, things_of

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
    undo = Log()
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


# Changes and rollbacks


ROWS = st.fixed_dictionaries({"id": st.integers(1, 6), "kind": st.sampled_from("ab")})
STEPS = st.lists(ROWS | st.integers(1, 6), max_size=6)
"""A row is put; a number deletes the row with that id."""


@settings(deadline=None)
@given(
    rows=st.lists(ROWS, max_size=5, unique_by=lambda row: row["id"]),
    changes=st.lists(st.tuples(STEPS, st.booleans()), max_size=6),
)
def test_table_behaves_like_a_dict(rows: list[Row], changes: list[tuple[list[Any], bool]]) -> None:
    """After any sequence of puts, deletes and rollbacks, rows, length and index equal those of a plain dict."""
    world, model = fork(rows), {row["id"]: row for row in rows}
    original = [dict(row) for row in rows]
    for steps, fails in changes:
        then = dict(model)
        try:
            with world.transaction():
                for step in steps:
                    if isinstance(step, int):
                        things_of(world).delete(step)
                        model.pop(step, None)
                    else:
                        things_of(world).put(step)
                        model[step["id"]] = step
                    assert_equal(things_of(world), model)
                if fails:
                    raise LookupError
        except LookupError:
            model = then
        assert_equal(things_of(world), model)
    assert rows == original
    assert ids(things_of(fork(rows))) == ids(rows)


def assert_equal(things: Table, model: dict[int, Row]) -> None:
    assert {row["id"]: row for row in things} == model
    assert len(list(things)) == len(things) == len(model)
    for number in range(1, 7):
        assert things.get(number) == model.get(number)
        assert (number in things) == (number in model)
    for kind in "ab":
        wanted = sorted((row for row in model.values() if row["kind"] == kind), key=lambda row: row["id"])
        assert things.where("kind", kind) == wanted


READS: Mapping[str, Callable[[Table], object]] = {
    "a row": lambda things: _most(things.get(1)),
    "a row that must be there": lambda things: _taken(things, 2),
    "a row and what is apart": lambda things: _all(things, 3),
    "all rows": lambda things: [dict(row) for row in things],  # list() would ask for their number first
    "their number": len,
    "the keys of a value": lambda things: list(things.keys("kind", "a")),
    "the rows of a value": lambda things: [_most(row) for row in things.where("kind", "b")],
}


def _most(row: Row | None) -> Row | None:
    """A row without what is kept apart."""
    return row and {field: value for field, value in row.items() if field != "seen"}


def _all(things: Table, key: int) -> Row | None:
    things.note_read("seen")
    return things.get(key)


def _taken(things: Table, key: int) -> Row | None:
    try:
        return _most(things[key])
    except KeyError:
        return None


SEEN = ROWS | st.builds(lambda row, seen: {**row, "seen": seen}, ROWS, st.integers(0, 1))


@settings(deadline=None)
@given(
    rows=st.lists(SEEN, max_size=5, unique_by=lambda row: row["id"]),
    steps=st.lists(SEEN | st.integers(1, 6), max_size=6),
    fails=st.booleans(),
)
def test_whoever_has_read_something_is_told_when_it_changes(rows: list[Row], steps: list[Any], fails: bool) -> None:
    """Also when a write is undone: somebody may have read in between."""
    world = fork(rows)
    things, log = things_of(world), world.log
    known: list[tuple[str, object, set[Any], int]] = []

    def check() -> None:
        for name, found, reads, writes in known:
            assert READS[name](things) == found or log.touches(reads, writes), name
        for name, read in READS.items():
            reads = log.reads = set()
            known.append((name, read(things), reads, log.writes))
            log.reads = None
            assert reads

    check()
    with contextlib.suppress(LookupError), world.transaction():
        for step in steps:
            things.delete(step) if isinstance(step, int) else things.put(step)
            check()
        if fails:
            raise LookupError
    check()


def test_a_write_to_what_is_apart_is_only_for_those_who_have_asked_for_it() -> None:
    things = things_of(world := fork([{"id": 1, "kind": "a", "seen": 0}]))
    for row, apart, most in (
        ({"id": 1, "kind": "a", "seen": 1}, True, False),
        ({"id": 1, "kind": "a", "new": 1, "seen": 1}, False, True),
        ({"id": 1, "kind": "a"}, True, True),
        ({"id": 2, "kind": "a"}, True, False),
    ):
        before = world.log.writes
        things.put(row)
        assert world.log.touches({("things", "seen")}, before) is apart, row
        assert world.log.touches({("things", 1)}, before) is most, row


# Keys and pages


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


# Many rows at once


@settings(max_examples=200, deadline=None)
@given(
    rows=st.lists(ROWS, max_size=5, unique_by=lambda row: row["id"]),
    earlier=st.lists(ROWS, max_size=3),
    filled=st.dictionaries(st.integers(1, 9), st.none() | st.sampled_from("abc"), max_size=9),
)
def test_filling_is_the_same_as_setting_one_by_one(
    rows: list[Row], earlier: list[Row], filled: dict[int, str | None]
) -> None:
    """Rows, order, length and index."""
    tables = []
    for _ in range(2):
        things = Table("things", FixtureTable(("id",), ("kind",), rows), Log())
        for row in earlier:
            things.put(row)
        tables.append(things)
    at_once, one_by_one = tables
    changes: dict[int, Row | None] = {key: {"id": key, "kind": kind} if kind else None for key, kind in filled.items()}
    at_once.fill(changes)
    for key, after in changes.items():
        one_by_one.set(key, one_by_one.get(key), after)
    assert list(at_once) == list(one_by_one)
    assert (len(at_once), at_once.differences) == (len(one_by_one), one_by_one.differences)
    for kind in "abc":
        assert list(at_once.keys("kind", kind)) == list(one_by_one.keys("kind", kind))
    assert at_once.snapshot().index == one_by_one.snapshot().index


def test_filling_leaves_a_snapshot_as_it_was() -> None:
    things = table()
    before = things.snapshot()
    things.fill({9: {"id": 9, "kind": "a"}, 2: None})
    assert before.rows == {}
    assert ids(things.where("kind", "a")) == [5, 9]
