"""What rows count for in the bounds of worlds: no less than the texts in them, wherever they stand."""

from typing import Any

import pytest

from stubserver.worlds.size import ROW, size_of

LONG = "x" * 100_000


def test_small_rows_all_count_the_same() -> None:
    assert {size_of(row) for row in ({"id": 1}, {"id": 2, "name": "x" * 100, "at": None, "on": True}, None)} == {ROW}


@pytest.mark.parametrize("value", [LONG, [LONG], (LONG,), {"a": LONG}, {LONG: 1}, [{"a": [{"b": LONG}]}]])
def test_a_long_text_counts_in_full_wherever_it_stands(value: Any) -> None:
    assert 0 <= size_of({"id": 1, "value": value}) - ROW - len(LONG) < 1000


def test_texts_count_what_python_needs_for_them() -> None:
    plain, other = (size_of({"text": letter * 100_000}) for letter in "xж")
    assert [(size - ROW) // 1000 for size in (plain, other)] == [100, 200]


def test_many_short_parts_count_too() -> None:
    assert size_of({"options": [{"text": "abc"} for _ in range(1000)]}) > 1000 * 64
