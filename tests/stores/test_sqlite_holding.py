"""Who holds entries that are not in a file of SQLite yet, and who waits for that."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stubserver.stores import sqlite_holding
from stubserver.stores.sqlite_holding import SqliteHolding


@pytest.fixture
def make(path: Path) -> Iterator[Callable[[], SqliteHolding]]:
    """Makes what each process has."""
    made: list[SqliteHolding] = []

    def make() -> SqliteHolding:
        made.append(SqliteHolding(str(path)))
        return made[-1]

    yield make
    for holding in made:
        holding.close()


def gather(holding: SqliteHolding, *meanwhile: Callable[[], object]) -> int:
    """Gather; whenever that has to wait, one more thing happens. Returns how often nothing was left to happen."""
    happening, waits = [*meanwhile], 0

    async def wait(attempt: Callable[[], bool]) -> bool:
        nonlocal waits
        while not attempt():
            if not happening:
                waits += 1
                raise TimeoutError
            happening.pop(0)()
        return True

    with contextlib.suppress(TimeoutError):
        asyncio.run(holding.gather(wait))
    assert happening == []
    return waits


def test_several_processes_hold_something_at_once(make: Callable[[], SqliteHolding]) -> None:
    one, other = make(), make()
    assert (one.has_begun, one.begin(), other.begin(), one.begin()) == (False, True, True, True)
    one.end()
    assert (one.has_begun, other.has_begun) == (False, True)


def test_whoever_wants_to_know_all_waits_for_each_of_them(make: Callable[[], SqliteHolding]) -> None:
    one, other, asking = make(), make(), make()
    assert gather(asking) == 0
    assert (one.begin(), other.begin()) == (True, True)
    assert gather(asking, one.end, other.end) == 0
    one.begin()
    assert gather(asking) == 1


def test_nobody_begins_meanwhile(make: Callable[[], SqliteHolding]) -> None:
    """Or else two processes could keep a third one waiting for ever; but each goes on with what it has begun."""
    one, other, asking = make(), make(), make()
    one.begin()
    begun: list[bool] = []
    assert gather(asking, lambda: begun.append(other.begin()), lambda: begun.append(one.begin()), one.end) == 0
    assert begun == [False, True]
    assert other.begin()


def test_who_has_waited_in_vain_keeps_nobody_waiting(make: Callable[[], SqliteHolding]) -> None:
    one, other, asking = make(), make(), make()
    one.begin()
    assert gather(asking) == 1
    assert other.begin()


def test_two_may_want_to_know_at_once(make: Callable[[], SqliteHolding]) -> None:
    one, asking, other = make(), make(), make()
    one.begin()

    async def wait(attempt: Callable[[], bool]) -> bool:
        while not attempt():
            await asyncio.sleep(0)
        return True

    async def both() -> None:
        waiting = [asyncio.create_task(holding.gather(wait)) for holding in (asking, other)]
        for _ in range(5):
            await asyncio.sleep(0)
        assert not any(task.done() for task in waiting)
        one.end()
        await asyncio.gather(*waiting)

    asyncio.run(both())


def test_nobody_holds_anything_without_the_files(make: Callable[[], SqliteHolding], path: Path) -> None:
    Path(f"{path}-held").mkdir()
    one = make()
    assert (one.begin(), one.has_begun) == (False, False)


def test_nobody_holds_anything_where_there_are_no_locks(
    make: Callable[[], SqliteHolding], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_holding, "CAN_LOCK", False)
    one = make()
    assert (one.begin(), gather(make())) == (False, 0)
