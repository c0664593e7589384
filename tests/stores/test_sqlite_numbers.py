"""Numbers of requests beside a file of SQLite: none is given twice, and those of another file are forgotten."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stubserver.stores import sqlite_numbers
from stubserver.stores.sqlite_numbers import Place, SqliteNumbers

ORIGIN, OTHER = b"0123456789abcdef", b"fedcba9876543210"


@pytest.fixture
def make(path: Path) -> Iterator[Callable[..., SqliteNumbers]]:
    """Makes what each process has of the same numbers."""
    made: list[SqliteNumbers] = []

    def make(origin: bytes = ORIGIN) -> SqliteNumbers:
        made.append(SqliteNumbers(str(path)))
        made[-1].belong_to(origin)
        return made[-1]

    yield make
    for numbers in made:
        numbers.close()


def take(numbers: SqliteNumbers, count: int, *, slot: int = 1, given: int = 0) -> int:
    """The number after which so many are taken."""
    found = numbers.take([(Place(slot, given), count)])
    assert found is not None
    return found[0]


def test_each_number_is_given_once(make: Callable[..., SqliteNumbers]) -> None:
    one, other = make(), make()
    assert [take(one, 2), take(other, 1), take(one, 3), take(other, 0), take(make(), 1)] == [0, 2, 3, 6, 6]


def test_each_document_has_its_own(make: Callable[..., SqliteNumbers]) -> None:
    one = make()
    assert one.take([(Place(slot, 10 * slot), slot) for slot in (1, 2, 3)]) == [10, 20, 30]
    assert [take(one, 0, slot=slot) for slot in range(5)] == [0, 11, 22, 33, 0]


def test_a_number_that_is_stored_is_not_given(make: Callable[..., SqliteNumbers]) -> None:
    """Though it may be missing here, after an end of the machine."""
    one = make()
    assert [take(one, 1, given=7), take(one, 1, given=3), take(one, 1, given=20)] == [7, 8, 20]


def test_what_was_taken_in_vain_is_given_back(make: Callable[..., SqliteNumbers]) -> None:
    one, other = make(), make()
    assert take(one, 5) == 0
    one.give_back([Place(1, 2)])
    assert take(other, 5) == 2
    one.give_back([Place(1, 2)])  # others have taken more since
    assert take(other, 0) == 7
    other.give_back([Place(1, 7), Place(2, 0)])  # there is nothing to give back
    assert take(one, 1) == 7


def test_nothing_is_given_back_if_that_is_doubtful(
    make: Callable[..., SqliteNumbers], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a process has begun anew, or has taken numbers in many places since."""
    one = make()
    take(one, 5)
    one.close()
    one.give_back([Place(1, 2)])
    assert take(one, 0) == 5
    monkeypatch.setattr(sqlite_numbers, "_MANY", 2)
    for slot in (1, 2, 3):
        take(one, 5, slot=slot)
    one.give_back([Place(slot, 1) for slot in (1, 2, 3)])
    assert [take(one, 0, slot=slot) for slot in (1, 2, 3)] == [10, 5, 1]


def test_nothing_is_given_back_while_others_take_some(make: Callable[..., SqliteNumbers]) -> None:
    one, other = make(), make()
    take(one, 5)
    assert other._lock.take()
    one.give_back([Place(1, 2)])
    other._lock.release()
    assert take(one, 0) == 5


def test_nobody_takes_any_while_another_one_does(make: Callable[..., SqliteNumbers]) -> None:
    one, other = make(), make()
    assert one._lock.take()
    assert other.take([(Place(1, 0), 1)]) is None
    one._lock.release()
    assert take(other, 1) == 0


@pytest.mark.parametrize("content", [b"", b"\x01", b"x" * 1000])
def test_the_numbers_of_another_file_are_forgotten(
    make: Callable[..., SqliteNumbers], path: Path, content: bytes
) -> None:
    Path(f"{path}-numbers").write_bytes(content)
    assert [take(make(), 3), take(make(), 1), take(make(OTHER), 1)] == [0, 3, 0]


def test_a_process_follows_if_the_file_is_another_one(make: Callable[..., SqliteNumbers], path: Path) -> None:
    one = make()
    take(one, 3)
    Path(f"{path}-numbers").unlink()
    other = make(OTHER)
    assert take(other, 2) == 0
    one.belong_to(OTHER)
    assert take(one, 1) == 2
