"""Contents in a file: the last commits are remembered, but no more than that."""

from pathlib import Path

import pytest

from stubserver.stores.store import LOGGED
from tests.stores.processes import Process, count


def test_commits_do_not_pile_up(process: Process, path: Path) -> None:
    process.make("a")
    for number in range(3 * LOGGED):
        process.alter("a", {"x": b"%d" % number})
        assert count(path)["commits"] <= 2 * LOGGED
    assert count(path)["commits"] >= LOGGED


@pytest.mark.parametrize(("missed", "is_whole"), [(1, False), (LOGGED, False), (3 * LOGGED, True)])
def test_a_process_that_was_away_gets_what_it_missed_or_all(
    process: Process, other: Process, missed: int, is_whole: bool
) -> None:
    process.make("a", {"y": b"0"})
    other.read("a")
    for number in range(missed):
        process.alter("a", {"x": b"%d" % number})
    found = other.look("a")["a"]
    assert (len(found.commits), found.whole is not None) == (0 if is_whole else missed, is_whole)
    assert other.copy("a").content == {"x": b"%d" % (missed - 1), "y": b"0"}
