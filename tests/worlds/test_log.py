"""The log of a world's writes."""

from stubserver.worlds.log import Log
from stubserver.worlds.table import Table
from tests.worlds.little import base


def test_a_log_counts_the_writes_that_it_no_longer_has() -> None:
    log = Log()
    things = Table("things", base(), log)
    things.put({"id": 9, "kind": "x"})
    log.clear()
    things.delete(9)
    assert (len(log), log.writes) == (1, 2)


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
    assert (undone, log.writes) == ([4, 3, 2, 1, 0], 5)


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
    assert (things.changed, sizes[0]) == (0, 0)
