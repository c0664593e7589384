"""Entries of a journal as JSON: those stored together have what they have in common only once.

Most of an entry is the answer, and answers are often the same. So are the headers of requests, and the row
after one change and before the next.
"""

import logging
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from stubserver.call import Accepted, Call
from stubserver.contract.operation import Operation
from stubserver.errors import Problem, Refusal
from stubserver.records.journal import Answer, Entry, entry_of
from stubserver.stores.store import NO_ENTRIES, Entries
from stubserver.worlds.table import Change
from stubserver.worlds.world import World

_log = logging.getLogger("stubserver")


class Batch:
    """The entries that turns add to the journal of one world. They become text when they are stored."""

    def __init__(self) -> None:
        self._finished: list[tuple[Call, Answer, float]] = []
        """Requests, their answers, and how long these took: later, an answer knows what the store has taken, too."""
        self.size = 0
        """What they take, in bytes."""

    def __len__(self) -> int:
        return len(self._finished)

    def add(self, call: Call, answer: Answer, size: int = 0) -> None:
        """Add the entry of a finished request, which takes so many bytes."""
        self.size += size
        self._finished.append((call, answer, answer.seconds))

    def extend(self, other: "Batch") -> None:
        """Add the entries of another batch of the same world."""
        self._finished += other._finished
        self.size += other.size

    def packed(self) -> Entries:
        """All of them, for a store."""
        packing, entries, numbers = _Packing(), [], []
        for call, answer, seconds in self._finished:
            try:
                entries.append((call.id, call.at, seconds, packing.place_of(call, answer)))
                numbers.append(number_of(call))
            except TypeError:  # from orjson; the others must not suffer
                _log.exception("%s was answered but could not be recorded", call.id)
        if not entries:
            return NO_ENTRIES
        text = b"[[%b],%b]" % (b",".join(packing.common), orjson.dumps(entries))
        return Entries(min(numbers), len(entries), text)


class _Packing:
    """What the entries of a batch have in common."""

    def __init__(self) -> None:
        self.common: dict[bytes, int] = {}
        """JSON -> its place among all, which is in the order of the dict."""
        self._places: dict[Hashable, tuple[int, object]] = {}
        """What stands for a value -> its place in `common`, and the value, which keeps its id as long as it exists."""

    def place_of(self, call: Call, answer: Answer) -> int:
        """The place of what an entry may have in common with others."""
        return self._place(_alike(call, answer) or call.id, (call, answer), self._written)

    def _place(self, key: Hashable, value: Any, write: Callable[[Any], Any]) -> int:
        """The place of a value; `key` is the same for those that are written alike."""
        if (found := self._places.get(key)) is not None:
            return found[0]
        written = orjson.dumps(write(value))
        place = self.common.setdefault(written, len(self.common))
        self._places[key] = place, value
        return place

    def _written(self, finished: tuple[Call, Answer]) -> Sequence[Any]:
        """The fields of an entry, in their order, after those that differ for each request."""
        entry = entry_of(*finished)
        refused, own = entry.refusal, entry.id.encode()
        return (
            entry.operation.id if entry.operation else "",
            entry.method,
            entry.path,
            entry.query,
            self._place(id(entry.headers), entry.headers, dict),
            self._place(entry.raw_body, entry.raw_body, _text),
            entry.form,
            entry.persona,
            entry.status,
            [(_text(name), None if value == own else _text(value)) for name, value in entry.answer_headers],
            self._place(entry.answer, entry.answer, _text),
            refused and (refused.status, [_problem(one) for one in refused.problems], dict(refused.headers)),
            entry.violations,
            [tuple(accepted) for accepted in entry.accepted],
            [(change.table.name, change.key, *self._rows(change)) for change in entry.changes],
            entry.faults,
            *([entry.variants] if entry.variants else []),
        )

    def _rows(self, change: Change) -> Sequence[int | None]:
        rows = change.before, change.after
        return [None if row is None else self._place(id(row), row, dict) for row in rows]


def number_of(request: Call | Entry) -> int:
    """The number of a request in its world."""
    return int(request.id.rpartition("-")[2])


def unpacked(packed: bytes, world: World, operations: Mapping[str, Operation]) -> Iterator[Entry]:
    """The entries of a batch."""
    common, entries = orjson.loads(packed)
    for id, at, seconds, place in entries:
        yield _read((id, datetime.fromisoformat(at), seconds), common[place], common, world, operations)


def _alike(call: Call, answer: Answer) -> Hashable:
    """The same for requests whose entries differ only in ids and times; None if it is not worth while to look."""
    if call.changes or call.faults or call.varied or call.refusal or call.form is not None or not answer.headers:
        return None
    *others, (_, value) = answer.headers
    if value != call.id.encode():
        return None
    asked = call.method, call.path, call.raw_query, id(call.headers), id(call.user), call.raw_body
    return *asked, answer.status, answer.body, *others


def _read(
    own: tuple[str, datetime, float],
    fields: Sequence[Any],
    common: Sequence[Any],
    world: World,
    operations: Mapping[str, Operation],
) -> Entry:
    operation, method, path, query, headers, raw_body, form, persona, status, *answer = fields
    answer_headers, text, refused, violations, accepted, changes, faults, *variants = answer
    id, at, seconds = own
    return Entry(
        id=id,
        at=at,
        seconds=seconds,
        operation=operations.get(operation),
        method=method,
        path=path,
        query=query,
        headers=common[headers],
        raw_body=common[raw_body].encode("latin-1"),
        form=form,
        persona=persona,
        status=status,
        answer_headers=[(name.encode("latin-1"), (value or id).encode("latin-1")) for name, value in answer_headers],
        answer=common[text].encode("latin-1"),
        refusal=refused and Refusal(refused[0], [Problem(*problem) for problem in refused[1]], refused[2]),
        violations=tuple((kind, name) for kind, name in violations),
        accepted=[Accepted(*one) for one in accepted],
        changes=[_change(change, common, world) for change in changes],
        faults=faults,
        variants=variants[0] if variants else (),
    )


def _text(value: bytes) -> str:
    return value.decode("latin-1")


def _problem(problem: Problem) -> Sequence[Any]:
    return problem.code, problem.message, problem.field


def _change(written: Sequence[Any], common: Sequence[Any], world: World) -> Change:
    """A change; times in its rows are the texts that a journal shows."""
    table, key, *rows = written
    before, after = (None if place is None else common[place] for place in rows)
    return Change(world.tables[table], tuple(key) if isinstance(key, list) else key, before, after, grows=False)
