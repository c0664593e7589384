"""The journal: each world's requests, their responses, and what they changed. Bounded across all worlds."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from stubserver.call import Call
from stubserver.contract.operation import Operation
from stubserver.errors import Refusal
from stubserver.worlds.table import Change
from stubserver.worlds.world import World

MAX_KEPT = 16 * 1024
"""Bodies of up to this many bytes are kept whole; of larger ones, only the size is."""


@dataclass(slots=True)
class Answer:
    """The response, as far as it was sent."""

    status: int = 0
    """0 if no response was sent."""
    headers: Sequence[tuple[bytes, bytes]] = ()
    body: bytes = b""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Entry:
    """One request and its response."""

    id: str
    at: datetime
    """When it arrived, by the world's clock."""
    seconds: float
    """How long it took; 0 in a world where time stands still."""
    operation: Operation | None
    method: str
    path: str
    """Without the query and the world's base path."""
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    raw_body: bytes
    body: Mapping[str, Any]
    """The fields that the operation read."""
    persona: str
    status: int
    answer_headers: Sequence[tuple[bytes, bytes]]
    answer: bytes
    refusal: Refusal | None
    violations: tuple[tuple[str, str], ...]
    """What it used that the contract does not define: pairs of kind and name."""
    changes: Sequence[Change]
    fault: Any


Recorded = tuple[Call, Answer]
"""What the journal stores; it becomes an Entry only when it is read."""


class Journal:
    """Records requests in their worlds, and limits the number of entries of all worlds together."""

    def __init__(self, most: int) -> None:
        self._max_entries = most
        self._order: deque[deque[Recorded]] = deque()
        """The journal that each entry is in, oldest entry first."""
        self.kept = 0
        """How many entries there are."""
        self.forgotten = 0
        """How many entries have been evicted."""
        self.listeners: list[Callable[[Entry], None]] = []
        """Functions to call with each new entry."""

    def add(self, call: Call, answer: Answer) -> None:
        """Record a request that has finished, and evict the oldest entries if there are too many."""
        if call.world.journal is None:
            call.world.journal = deque()
        _shrink(call, answer)
        call.world.journal.append((call, answer))
        self._order.append(call.world.journal)
        self.kept += 1
        self._evict()
        for listener in self.listeners:
            listener(_entry(call, answer))

    def _evict(self) -> None:
        while self.kept > self._max_entries:
            if oldest := self._order.popleft():  # empty if it was cleared
                oldest.popleft()
                self.kept -= 1
                self.forgotten += 1
        if len(self._order) > 2 * self._max_entries:
            self._order = deque(journal for journal in self._order if journal)

    def clear(self, world: World) -> None:
        """Delete the world's entries."""
        if world.journal is not None:
            self.kept -= len(world.journal)
            world.journal.clear()
            world.journal = None  # the next one is a new object, so that `_order` stays correct


def entries(world: World) -> Sequence[Entry]:
    """The world's entries, oldest first."""
    return [_entry(*recorded) for recorded in world.journal or ()]


def _shrink(call: Call, answer: Answer) -> None:
    """Drop what the journal does not keep."""
    if len(call.raw_body) > MAX_KEPT:
        call.raw_body, call.body = _size(call.raw_body), {}
    if len(answer.body) > MAX_KEPT:
        answer.body = _size(answer.body)
    call.files = {}
    if call.world.clock.frozen:
        answer.seconds = 0.0


def _entry(call: Call, answer: Answer) -> Entry:
    return Entry(
        id=call.id,
        at=call.at,
        seconds=answer.seconds,
        operation=call.routed,
        method=call.method,
        path=call.path,
        query=_query(call),
        headers=call.headers,
        raw_body=call.raw_body,
        body=call.body,
        persona=call.persona,
        status=answer.status,
        answer_headers=answer.headers,
        answer=answer.body,
        refusal=call.refusal,
        violations=tuple(_violations(call)),
        changes=call.changes,
        fault=call.fault,
    )


def _query(call: Call) -> Mapping[str, list[str]]:
    try:
        return call.query_texts
    except Refusal:  # not a well-formed query
        return {}


def _violations(call: Call) -> Sequence[tuple[str, str]]:
    if call.refusal is None and call.routed and not call.raw_query and len(call.sent_fields) == len(call.body):
        return ()  # the usual case: everything that was sent is declared
    if call.refusal is not None and call.refusal.status == 415:
        return [("media type", call.content_type)]
    try:
        return list(call.undeclared())
    except Refusal:
        return [("parameter", "(unreadable)")]


def _size(body: bytes) -> bytes:
    return b'"(%d bytes)"' % len(body)
