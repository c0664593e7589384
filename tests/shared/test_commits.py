"""What turns that only read add to journals may be held: for others it is there, and no number is given twice."""

import asyncio
from collections.abc import Callable
from functools import partial

import pytest

from stubserver.shared import held
from stubserver.shared.turn import JOURNAL, SETTLED
from stubserver.stores import sqlite
from stubserver.stores.store import Unavailable, Unknown
from tests.support.stored import Process, note

TEXTS = [b"%d" % number for number in range(1, 600)]


@pytest.fixture(autouse=True)
def _time_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is held is not stored because time passes, unless a test wants that."""
    monkeypatch.setattr(sqlite.SqliteStore, "beat", 3600)


def read(process: Process, name: str = "w") -> int:
    """Work that records a request which changes nothing; the result is its number."""
    world = process.world(name)
    world.asked += 1
    note(process.worlds.turn, name, world.asked, b"%d" % world.asked)
    process.worlds.turn.count(name, "n")
    return world.asked


def make(process: Process, *names: str) -> None:
    """Have worlds that exist."""
    for name in names or ("w",):
        process.do(partial(process.world, name), names=[name])


def read_together(process: Process, count: int = 2, name: str = "w") -> list[int]:
    """So many requests in one turn."""
    return process.do(*[partial(read, process, name)] * count, names=[name], number=1)


def journal(process: Process, name: str = "w") -> list[bytes]:
    """The entries in the journal of a world, once all is settled."""

    def entries() -> list[bytes]:
        process.worlds.known(SETTLED)
        return [text for packed in process.worlds.known(JOURNAL + name) for text in packed.split(b"|")]

    (found,) = process.do(entries)
    assert isinstance(found, list), found
    return found


def commits(process: Process) -> int:
    return len(process.store.committed)


def held_by(process: Process) -> int:
    """How many requests a process holds."""
    return process.worlds.commits.held.count


def in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have what is held stored soon."""
    monkeypatch.setattr(sqlite.SqliteStore, "beat", 0.001)
    monkeypatch.setattr(sqlite.SqliteStore, "spell", 0)


def test_several_requests_that_only_read_are_held(one: Process) -> None:
    make(one)
    before = commits(one)
    assert [read_together(one), read_together(one, 1), read_together(one)] == [[1, 2], [3], [4, 5]]
    assert (commits(one), held_by(one)) == (before, 5)


def test_a_single_request_is_stored_at_once(one: Process) -> None:
    """Nobody gains by waiting, and another process may be asked next."""
    make(one)
    before = commits(one)
    assert [read_together(one, 1), read_together(one, 1)] == [[1], [2]]
    assert (commits(one), held_by(one)) == (before + 2, 0)


def test_another_process_waits_until_all_is_stored(
    one: Process, other: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_time(monkeypatch)
    make(one)
    for number in range(0, 20, 4):
        assert read_together(one) == [number + 1, number + 2]
        assert journal(other) == TEXTS[: number + 2]
        assert read_together(other) == [number + 3, number + 4]
        assert journal(one) == TEXTS[: number + 4]
    (counted,) = other.do(lambda: other.worlds.counter("n"))
    assert counted == 20


def test_the_process_itself_finds_what_it_holds(one: Process) -> None:
    make(one)
    read_together(one, 3)
    assert journal(one) == TEXTS[:3]
    assert held_by(one) == 0


def test_a_change_is_stored_with_what_is_held(one: Process, other: Process) -> None:
    make(one)
    read_together(one, 3)
    assert one.do(partial(one.add, 101)) == [[101]]
    assert [commit.entries.count for commit in one.store.committed[-1]] == [3, 0]
    assert journal(other) == TEXTS[:3]


def test_what_is_held_is_stored_at_the_end(one: Process, other: Process) -> None:
    make(one)
    read_together(one, 3)
    one.runner.run(one.turns.close())
    assert journal(other) == TEXTS[:3]
    assert read_together(other) == [4, 5]


def test_what_is_held_is_stored_in_time(one: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though nobody asks for it."""
    in_time(monkeypatch)
    make(one)
    read_together(one, 3)

    async def stored() -> None:
        while held_by(one):
            await asyncio.sleep(0.001)

    one.runner.run(asyncio.wait_for(stored(), 60))
    assert journal(one) == TEXTS[:3]


@pytest.mark.parametrize(("where", "name"), [(held, "_MOST"), (held, "_ROOM")])
def test_only_so_much_is_held(one: Process, monkeypatch: pytest.MonkeyPatch, where: object, name: str) -> None:
    monkeypatch.setattr(where, name, 3)
    monkeypatch.setattr("tests.support.stored.Texts.size", property(len), raising=False)
    monkeypatch.setattr("tests.support.stored.Texts.__init__", _begin)
    make(one)
    found = []
    for _ in range(3):
        read_together(one)
        found.append(held_by(one))
    assert found == [2, 0, 2]
    assert journal(one) == TEXTS[:6]


def _begin(texts: object) -> None:
    texts.texts = []  # type: ignore[attr-defined]


def test_what_was_answered_before_a_journal_was_emptied_does_not_come_back(
    one: Process, other: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_time(monkeypatch)
    make(one)
    read_together(one, 3)

    def clear() -> None:
        other.worlds.known(SETTLED)
        other.world()
        other.worlds.turn.cleared.add("w")

    assert other.do(clear) == [None]
    assert journal(one) == [b""] or journal(one) == []
    assert read_together(one) == [4, 5]
    assert journal(other) == TEXTS[3:5]


@pytest.mark.parametrize("error", [Unavailable("gone"), Unknown("gone")])
@pytest.mark.usefixtures("without_pause")
def test_what_cannot_be_stored_is_held(one: Process, error: Exception) -> None:
    """A change that was to be stored with it is refused, and leaves nothing behind."""
    make(one)
    read_together(one, 3)
    one.store.failing += [("commit", error)]
    (refused,) = one.do(partial(one.add, 101))
    assert "gone" in str(refused.problems)
    assert held_by(one) == 3
    assert journal(one) == TEXTS[:3]
    assert one.do(one.added) == [[]]
    (counted,) = one.do(lambda: one.worlds.counter("n"))
    assert counted == 3


@pytest.mark.usefixtures("without_pause")
def test_no_number_is_given_again_after_a_failure(one: Process, other: Process) -> None:
    """Though nobody has stored those that were given; they are stored in the end."""
    make(one)
    assert read_together(one, 3) == [1, 2, 3]
    one.store._file.close()
    assert read_together(other) == [4, 5]
    other.runner.run(other.turns.close())
    assert read_together(one, 1) == [6]
    assert sorted(journal(one)) == TEXTS[:6]


def test_a_world_that_was_made_anew_has_no_requests_of_before(one: Process, other: Process) -> None:
    make(one)
    read_together(one, 3)
    other.do(lambda: other.worlds.reset("w"))
    other.do(partial(other.add, 101))
    before = commits(one)
    assert one.do(partial(one.add, 102)) == [[101, 102]]
    assert commits(one) == before + 1  # it was in no conflict
    assert held_by(one) == 0
    assert [text for text in journal(other) if text] == []


def test_worlds_are_held_apart(one: Process, process: Callable[..., Process]) -> None:
    make(one, "v", "w")
    read_together(one, 2, "v")
    read_together(one, 3, "w")
    one.runner.run(one.turns.close())
    later = process()
    assert [journal(later, name) for name in "vw"] == [TEXTS[:2], TEXTS[:3]]
