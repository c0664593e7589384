"""Counters in a file: what is added to them is summed up now and then, and nobody sees the difference."""

from pathlib import Path

import pytest

from stubserver.stores import sqlite_counters
from tests.stores.processes import Process, count


def test_what_was_counted_apart_is_summed_up(process: Process, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_counters, "_APART", 3)
    for number in range(1, 8):
        process.commit(counted={"a": 1, f"b{number % 2}": number})
        assert process.counters() == {
            "a": number,
            **{f"b{odd}": total for odd in (0, 1) if (total := sum(range(odd or 2, number + 1, 2)))},
        }
    assert (count(path)["counted"], count(path)["counters"]) == (1, 3)
    process.commit(reset="b")
    assert (process.counters(), count(path)["counted"]) == ({"a": 7}, 0)
