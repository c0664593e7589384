"""What rows count for in the bounds of worlds: no less than the texts in them, wherever they stand."""

import sys
from typing import Any

import orjson
import pytest

from stubserver.worlds.size import ROW, size_of

LONG = "x" * 100_000


def test_small_rows_all_count_the_same() -> None:
    assert {size_of(row) for row in ({"id": 1}, {"id": 2, "name": "x" * 100, "at": None, "on": True}, None)} == {ROW}


@pytest.mark.parametrize("value", [LONG, [LONG], (LONG,), {"a": LONG}, {LONG: 1}, [{"a": [{"b": LONG}]}]])
def test_a_long_text_counts_in_full_wherever_it_stands(value: Any) -> None:
    assert 0 <= size_of({"id": 1, "value": value}) - ROW - len(LONG) < 1000


@pytest.mark.parametrize("letter", "éж字")
def test_texts_count_no_less_than_python_needs_for_them(letter: str) -> None:
    text = letter * 100_000
    orjson.dumps(text)  # which leaves the UTF-8 with the text
    assert sys.getsizeof(text) - 100 <= size_of({"text": text}) - ROW < 3 * sys.getsizeof(text)


def test_the_size_depends_on_the_content_only() -> None:
    """What was added when a row came is subtracted when it goes."""
    row = {"text": "é" * 1000, "list": list(range(5))}
    before = size_of(row)
    orjson.dumps(row["text"])
    row["list"] = [*range(5), 0][:5]
    assert size_of(orjson.loads(orjson.dumps(row))) == size_of(row) == before


def test_many_short_parts_count_too() -> None:
    assert size_of({"options": [{"text": "abc"} for _ in range(1000)]}) > 1000 * 64
