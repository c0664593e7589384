"""The journal: what each world was asked, what it answered, and what that changed. Bounded over all worlds."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from stubserver.call import Call
from stubserver.errors import Refusal
from stubserver.spec import Operation
from stubserver.store import Change
from stubserver.world import World

MAX_KEPT = 16 * 1024
"""Bytes of a body that the journal keeps whole; of a larger one it keeps the size."""


@dataclass
class Answer:
    """What went out, as far as it did."""

    status: int = 0
    """0 where nobody got an answer."""
    headers: Sequence[tuple[bytes, bytes]] = ()
    pieces: list[bytes] = field(default_factory=list)
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Entry:
    """One request and its answer."""

    id: str
    at: datetime
    """When, by the clock of the world."""
    seconds: float
    """How long it took; nothing in a world where time stands still."""
    operation: Operation | None
    method: str
    path: str
    """Without the query, and without the base path of the world."""
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
    """What of it the contract does not know: kinds and names."""
    changes: Sequence[tuple[str, Change]]
    fault: Any


class Journal:
    """How many entries there may be; the entries themselves lie in their worlds."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._order: deque[deque[Entry]] = deque()
        """For each entry, the oldest first, the journal of its world."""
        self.forgotten = 0
        """How many entries had to make room."""

    @property
    def kept(self) -> int:
        """How many entries there are, those of worlds that are gone included until their turn comes."""
        return len(self._order)

    def add(self, call: Call, answer: Answer) -> None:
        """Note a request that has come to its end."""
        if call.world.journal is None:
            call.world.journal = deque()
        call.world.journal.append(_entry(call, answer))
        self._order.append(call.world.journal)
        if len(self._order) > self._most:
            oldest = self._order.popleft()
            if oldest:  # a journal that was cleared has nothing left to forget
                oldest.popleft()
                self.forgotten += 1


def entries(world: World) -> Sequence[Entry]:
    """What the world was asked, the oldest first."""
    return world.journal or ()


def clear(world: World) -> None:
    """Forget what the world was asked."""
    if world.journal is not None:
        world.journal.clear()
        world.journal = None  # the next one is another, so that the order of all entries stays true


def _entry(call: Call, answer: Answer) -> Entry:
    large = len(call.raw_body) > MAX_KEPT
    return Entry(
        id=call.id,
        at=call.world.clock.now(),
        seconds=0.0 if call.world.clock.frozen else answer.seconds,
        operation=call.routed,
        method=call.method,
        path=call.path,
        query=_query(call),
        headers=call.headers,
        raw_body=_kept(call.raw_body),
        body={} if large else call.body,
        persona=call.persona,
        status=answer.status,
        answer_headers=answer.headers,
        answer=_kept(b"".join(answer.pieces)),
        refusal=call.refusal,
        violations=tuple(_violations(call)),
        changes=call.changes,
        fault=call.fault,
    )


def _query(call: Call) -> Mapping[str, list[str]]:
    try:
        return call.query_texts
    except Refusal:  # no query at all, by its spelling
        return {}


def _violations(call: Call) -> Sequence[tuple[str, str]]:
    if call.refusal is not None and call.refusal.status == 415:
        return [("media type", call.content_type)]
    try:
        return list(call.undeclared())
    except Refusal:
        return [("parameter", call.raw_query[:100])]


def _kept(body: bytes) -> bytes:
    return body if len(body) <= MAX_KEPT else b'"(%d bytes)"' % len(body)
