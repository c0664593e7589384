"""The immutable rows of a fixture's tables, and changes over them."""

from stubserver.worlds.base import Changes, FixtureRow, FixtureTable, reader
from stubserver.worlds.size import size_of
from tests.worlds.little import base


def test_a_base_has_its_rows_by_key_and_the_keys_of_each_value_in_order() -> None:
    found = base()
    assert {key: dict(row) for key, row in found.rows.items()} == {
        2: {"id": 2, "kind": "a"},
        1: {"id": 1, "kind": "b"},
        5: {"id": 5, "kind": "a"},
    }
    assert {type(row) for row in found.rows.values()} == {FixtureRow}
    assert found.index == {"kind": {"b": [1], "a": [2, 5]}}
    assert found.next_id == 6


def test_a_base_takes_over_rows_that_are_its_own_already() -> None:
    row = FixtureRow(left=1, right=2)
    found = FixtureTable(("left", "right"), (), [row])
    assert found.rows[1, 2] is row
    assert found.next_id == 1


def test_what_an_index_is_on_is_one_field_or_several() -> None:
    row = {"a": 1, "b": 2, "c": 3}
    assert (reader("b")(row), reader(("c", "a"))(row)) == (2, (3, 1))


def test_changes_know_their_size() -> None:
    changes, row = Changes(base()), {"id": 1, "text": "x" * 1000}
    assert changes.set(1, row) == changes.size == size_of(row)
    assert changes.set(1, None) == size_of(None) - size_of(row)
    assert changes.set(2, row) == size_of(row)
    assert changes.drop(1) == -size_of(None)
    assert (changes.rows, changes.size) == ({2: row}, size_of(row))


def test_a_copy_of_changes_is_independent() -> None:
    shared = base()
    first = Changes(shared)
    first.set(1, {"id": 1, "kind": "a"})
    first.index["kind"]["a"] = [1, 2, 5]
    second = first.copy(shared)
    second.set(2, None)
    second.index["kind"]["b"] = []
    second.next_id += 1
    assert (list(first.rows), first.index, first.next_id) == ([1], {"kind": {"a": [1, 2, 5]}}, 6)
    assert (list(second.rows), second.index, second.next_id) == ([1, 2], {"kind": {"a": [1, 2, 5], "b": []}}, 7)
    assert second.size == first.size + size_of(None)
