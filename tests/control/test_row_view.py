"""Rows as the control plane shows them."""

import pytest

from stubserver.control.row_view import changed_rows, key_text, plain, shown_row
from stubserver.records.journal import REDACTED
from stubserver.worlds.world import World


@pytest.mark.parametrize(("key", "text"), [(1, "1"), ("a", "a"), ((3, 1), "3,1"), (("courses", 2), "courses,2")])
def test_a_key_is_text(key: object, text: str) -> None:
    assert key_text(key) == text


def test_credentials_are_hidden_unless_there_are_none() -> None:
    row = {"id": 1, "token": "t", "code": None}
    assert plain(row, {"token", "code"}) == {"id": 1, "token": REDACTED, "code": None}


def test_a_file_has_only_its_size() -> None:
    row = {"folder": "a", "number": 1, "content": b"abc"}
    assert shown_row("pictures", row, ()) == {**row, "content": "(3 bytes)"}
    assert shown_row("courses", None, ()) is None


def test_changes_of_a_row_are_one(world: World) -> None:
    first = world.courses[1]
    with world.transaction() as transaction:
        for name in ("a", "b"):
            world.courses.put({**world.courses[1], "name": name})
        world.courses.delete(2)
        found = changed_rows(transaction.changes())
    assert [*found] == [("courses", 1), ("courses", 2)]
    before, after = found["courses", 1]
    assert before is first
    assert after is not None
    assert after["name"] == "b"
    assert found["courses", 2][1] is None
