"""The log of a world's writes."""

from stubserver.worlds.log import RECENT, Log
from stubserver.worlds.table import Table
from tests.worlds.little import base


def test_a_log_counts_the_writes_that_it_no_longer_has() -> None:
    log = Log()
    things = Table("things", base(), log)
    things.put({"id": 9, "kind": "x"})
    log.clear()
    before = log.writes
    things.delete(9)
    assert (len(log), 0 < before < log.writes) == (1, True)


def test_a_log_knows_what_a_write_has_touched() -> None:
    log = Log()
    things = Table("things", base(), log)
    before = log.writes
    things.put({"id": 9, "kind": "x"})
    for name in ("things", ("things", 9), ("things", "kind", "x")):
        assert log.touches({"other", name}, before), name
    assert not log.touches({("things", 1), ("things", "kind", "y"), ("others", 9)}, before)
    assert not log.touches({"things"}, log.writes)


def test_a_log_takes_all_for_touched_that_it_no_longer_remembers() -> None:
    log = Log()
    log.touch(["a"])
    for _ in range(3 * RECENT):
        log.touch(["b"])
    assert log.touches({"c"}, 0)
    assert not log.touches({"c"}, log.writes - RECENT)
    assert len(log._touched) <= 2 * RECENT


def test_a_log_undoes_the_last_write_first() -> None:
    undone: list[int] = []

    class Write:
        grows = False

        def __init__(self, number: int) -> None:
            self._number = number

        def roll_back(self) -> None:
            undone.append(self._number)

        def commit(self) -> None:
            raise AssertionError("nothing is made permanent")

    log = Log()
    for number in range(5):
        log.append(Write(number))
    for start in (3, 3, 1, 9, 0):
        log.undo(start)
        assert len(log) == min(start, 5 - len(undone))
    assert undone == [4, 3, 2, 1, 0]


def test_what_is_undone_leaves_no_size_behind() -> None:
    log = Log()
    things = Table("things", base(), log)
    sizes = [log.size]
    for row in ({"id": 9, "kind": "x" * 500}, {"id": 9, "kind": "y"}, {"id": 1, "kind": "z"}):
        things.put(row)
        sizes.append(log.size)
    things.delete(2)
    for start in (3, 2, 1, 0):
        log.undo(start)
        assert log.size == sizes[start]
    assert (len(things.differences), sizes[0]) == (0, 0)
