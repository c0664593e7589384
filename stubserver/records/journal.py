"""The journal: what each world was asked, what it answered, and what that changed. Bounded over all worlds."""

from collections import Counter, deque
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
"""Bytes of a body that the journal keeps whole; of a larger one it keeps the size."""
_MAX_VIOLATIONS = 1000
"""Different ones that are counted."""


@dataclass(slots=True)
class Answer:
    """What went out, as far as it did."""

    status: int = 0
    """0 where nobody got an answer."""
    headers: Sequence[tuple[bytes, bytes]] = ()
    body: bytes = b""
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
    changes: Sequence[Change]
    fault: Any


Recorded = tuple[Call, Answer]
"""What the journal keeps; an entry is made of it when somebody looks."""


class Journal:
    """The entries of all worlds, which lie in their worlds, and how many there may be together."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._order: deque[deque[Recorded]] = deque()
        """For each entry, the oldest first, the journal of its world."""
        self.kept = 0
        """How many entries there are."""
        self.forgotten = 0
        """How many entries had to make room."""
        self.violations: Counter[str] = Counter()
        """What the contract does not know -> how often it was asked, in all worlds, whatever became of them."""
        self.listeners: list[Callable[[Entry], None]] = []
        """Whom to tell of each entry."""

    def add(self, call: Call, answer: Answer) -> None:
        """Note a request that has come to its end."""
        if call.world.journal is None:
            call.world.journal = deque()
        _make_small(call, answer)
        call.world.journal.append((call, answer))
        self._order.append(call.world.journal)
        self.kept += 1
        self._make_room()
        for kind, name in _violations(call):
            what = f"{kind} {name}" if call.routed is None else f"{kind} {name} of {call.routed.id}"
            if what in self.violations or len(self.violations) < _MAX_VIOLATIONS:
                self.violations[what] += 1
        for listener in self.listeners:
            listener(_entry(call, answer))

    def _make_room(self) -> None:
        while self.kept > self._most:
            if oldest := self._order.popleft():  # a journal that was cleared has nothing left to forget
                oldest.popleft()
                self.kept -= 1
                self.forgotten += 1
        if len(self._order) > 2 * self._most:
            self._order = deque(journal for journal in self._order if journal)

    def clear(self, world: World) -> None:
        """Forget what the world was asked."""
        if world.journal is not None:
            self.kept -= len(world.journal)
            world.journal.clear()
            world.journal = None  # the next one is another, so that the order of all entries stays true


def entries(world: World) -> Sequence[Entry]:
    """What the world was asked, the oldest first."""
    return [_entry(*recorded) for recorded in world.journal or ()]


def _make_small(call: Call, answer: Answer) -> None:
    """Let go of what the journal does not keep."""
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
    except Refusal:  # no query at all, by its spelling
        return {}


def _violations(call: Call) -> Sequence[tuple[str, str]]:
    if call.refusal is None and call.routed and not call.raw_query and len(call.sent_fields) == len(call.body):
        return ()  # as of most requests: all that was sent was read
    if call.refusal is not None and call.refusal.status == 415:
        return [("media type", call.content_type)]
    try:
        return list(call.undeclared())
    except Refusal:
        return [("parameter", "(unreadable)")]


def _size(body: bytes) -> bytes:
    return b'"(%d bytes)"' % len(body)
