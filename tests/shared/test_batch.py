"""Batches of entries: each is read as it was recorded, and what several have in common is stored once."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
import pytest

from stubserver.call import Call
from stubserver.contract.contract import Contract
from stubserver.errors import refusal
from stubserver.records.journal import Answer, Entry, entry_of
from stubserver.shared.batch import Batch, unpacked
from stubserver.stores.store import NO_ENTRIES
from stubserver.worlds.base import Row
from stubserver.worlds.table import Change
from stubserver.worlds.world import World
from tests.support.default import NOW

TEXT = b'{"name":"' + b"x" * 1000 + b'"}'
TYPE = (b"content-type", b"application/json")
Finished = tuple[Call, Answer]
Make = Callable[..., Finished]


@pytest.fixture
def make(world: World, contract: Contract) -> Make:
    """Makes finished requests for one course, which have the same head, as in the lane."""
    sent, operation = {"authorization": "Bearer stub-creator"}, contract.operations["get_course"]
    head = Call(world, "GET", "/api/v2/course/1/", "", headers=sent, routed=operation, user=world.users[1])

    def made(number: int, body: bytes = TEXT, status: int = 200, **changes: Any) -> Finished:
        call = replace(head, **{"id": f"w-{number}", "at": NOW + timedelta(seconds=number), **changes})
        return call, Answer(status, [TYPE, (b"x-stub-request", call.id.encode())], body, number / 8)

    return made


def batch_of(*finished: Finished) -> Batch:
    batch = Batch()
    for one in finished:
        batch.add(*one)
    return batch


def told(finished: Finished) -> Entry:
    """Its entry, with lists in the place of other sequences, and without changes, which name their tables."""
    entry = entry_of(*finished)
    return entry._replace(changes=[], accepted=[*entry.accepted], faults=[*entry.faults], variants=entry.variants or ())


def rows(change: Change) -> Any:
    """Where a change was, and the rows before and after it as JSON."""
    return orjson.loads(orjson.dumps((change.table.name, change.key, change.before, change.after)))


def read(batch: Batch, world: World, contract: Contract) -> list[Entry]:
    return [*unpacked(batch.packed().packed, world, contract.operations)]


def test_entries_are_read_as_they_were_recorded(make: Make, world: World, contract: Contract) -> None:
    with world.transaction() as transaction:
        world.courses.put({**world.courses[1], "name": "Knots"})
        world.courses.put({**world.courses[1], "name": "Bends"})
        world.completions.delete(next(iter(world.completions.base.rows)))
        changes = transaction.changes()
    refused = refusal(400, "That is wrong.", "invalid", **{"Retry-After": "1"})
    finished = [
        make(1),
        make(2),
        make(3, b"\xc3\xa9\xff", changes=changes, raw_body=b'{"name":"\xff"}'),
        make(4, refusal=refused, status=400),
        make(5, form={"name": "Knots"}),
        make(6, path="/api/v2/nowhere/", raw_query="a=%C3%BC&a=2", routed=None),
        make(7, faults=[{"id": 1, "kind": "error"}], user=None),
        make(8, varied=[{"id": 1, "kind": "null", "choice": None, "places": ["/a"]}]),
    ]
    found = read(batch_of(*finished), world, contract)
    for entry, one in zip(found, finished, strict=True):
        expected = entry_of(*one)
        assert [rows(change) for change in entry.changes] == [rows(change) for change in expected.changes]
        assert entry._replace(changes=[]) == told(one)
    assert len(found[2].changes) == 3


def test_a_batch_knows_its_first_number(make: Make) -> None:
    packed = batch_of(make(7), make(5), make(9)).packed()
    assert (packed.number, packed.count) == (5, 3)


def test_a_batch_may_be_packed_again(make: Make, world: World, contract: Contract) -> None:
    """Somebody reads the journal in the same turn."""
    batch = batch_of(make(1))
    assert batch.packed() == batch.packed()
    batch.add(*make(2))
    assert [entry.id for entry in read(batch, world, contract)] == ["w-1", "w-2"]


def test_what_requests_have_in_common_is_stored_once(make: Make) -> None:
    one, many = (len(batch_of(*(make(number) for number in range(1, count))).packed().packed) for count in (2, 102))
    assert (many - one) / 100 < 80


OTHERS: dict[str, Callable[[World], dict[str, Any]]] = {
    "user": lambda world: {"user": world.users[2]},
    "nobody": lambda _: {"user": None},
    "method": lambda _: {"method": "HEAD"},
    "path": lambda _: {"path": "/api/v2/course/01/"},
    "query": lambda _: {"raw_query": "colour=red"},
    "headers": lambda _: {"headers": {"authorization": "Bearer stub-creator", "accept": "*/*"}},
    "body": lambda _: {"raw_body": b"{}"},
    "answer": lambda _: {"body": b"{}"},
    "status": lambda _: {"status": 201},
    "form": lambda _: {"form": {}},
    "faults": lambda _: {"faults": [{"id": 1}]},
    "variants": lambda _: {"varied": [{"id": 1}]},
    "refusal": lambda _: {"refusal": refusal(400, "No.")},
}


@pytest.mark.parametrize("name", [*OTHERS])
@pytest.mark.parametrize("is_first", [True, False])
def test_requests_that_differ_are_told_apart(
    make: Make, world: World, contract: Contract, name: str, is_first: bool
) -> None:
    finished = [make(1), make(2, **OTHERS[name](world)), make(3)]
    if is_first:
        finished.reverse()
    found = read(batch_of(*finished), world, contract)
    assert found == [told(one) for one in finished]


@pytest.mark.parametrize(
    "headers",
    [
        [TYPE, (b"vary", b"Origin")],
        [TYPE, (b"etag", b"w-1"), (b"x-stub-request", b"w-1")],
        [(b"x-stub-request", b"w-1"), TYPE],
        [(b"x-stub-request", b"w-1")],
        [],
    ],
    ids=["without a number", "twice", "in front", "alone", "none"],
)
def test_headers_of_answers_stay_as_they_are(
    make: Make, world: World, contract: Contract, headers: list[tuple[bytes, bytes]]
) -> None:
    call, answer = make(1)
    found = read(batch_of((call, replace(answer, headers=headers)), make(2)), world, contract)
    assert [entry.answer_headers for entry in found] == [headers, make(2)[1].headers]


def test_a_row_between_two_changes_is_stored_once(make: Make, world: World) -> None:
    def change(number: int) -> Finished:
        with world.transaction() as transaction:
            world.courses.put({**world.courses[1], "description": f"{number}" * 1000})
            return make(number, changes=transaction.changes())

    row: Row = world.courses[1]
    (common, _) = orjson.loads(batch_of(change(1), change(2), change(3)).packed().packed)
    found = [value["description"] for value in common if isinstance(value, dict) and "description" in value]
    assert found == [row["description"], "1" * 1000, "2" * 1000, "3" * 1000]


def test_equal_rows_are_stored_once(make: Make, world: World) -> None:
    """As when clients take turns with the same change and back."""

    def change(number: int) -> Finished:
        with world.transaction() as transaction:
            world.courses.put({**world.courses[1], "description": "ab"[number % 2] * 1000})
            return make(number, changes=transaction.changes())

    (common, _) = orjson.loads(batch_of(*map(change, range(1, 9))).packed().packed)
    found = [value["description"][:1] for value in common if isinstance(value, dict) and "description" in value]
    assert sorted(found[1:]) == ["a", "b"]


def test_an_entry_that_cannot_be_written_is_left_out(
    make: Make, world: World, contract: Contract, caplog: pytest.LogCaptureFixture
) -> None:
    """And told, while the others are stored."""
    bad = make(2, path="/\ud800/")
    assert [entry.id for entry in read(batch_of(make(1), bad, make(3)), world, contract)] == ["w-1", "w-3"]
    assert "w-2 was answered but could not be recorded" in caplog.text
    assert batch_of(bad).packed() == NO_ENTRIES


def test_batches_of_turns_become_one(make: Make, world: World, contract: Contract) -> None:
    batch = batch_of(make(1), make(2))
    batch.extend(batch_of(make(3)))
    assert [entry.id for entry in read(batch, world, contract)] == ["w-1", "w-2", "w-3"]
    assert (len(batch), len(batch.packed().packed)) == (3, len(batch_of(make(1), make(2), make(3)).packed().packed))


def test_an_entry_says_how_long_the_answer_took_without_the_store(make: Make, world: World, contract: Contract) -> None:
    call, answer = make(8)
    batch = batch_of((call, answer))
    answer.seconds = 99
    assert [entry.seconds for entry in read(batch, world, contract)] == [1]
