"""The journal: each world's requests, their responses, and what they changed.

Bounded twice: a world keeps a number of requests, and all worlds together a number of bytes. Beyond that bound, the
largest journal loses its oldest entries, so that nobody's traffic evicts what a quieter neighbour has recorded.
"""

import heapq
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

from stubserver.call import Accepted, Call
from stubserver.contract.operation import Operation
from stubserver.errors import Refusal
from stubserver.settings import Settings
from stubserver.worlds.base import Row
from stubserver.worlds.size import size_of
from stubserver.worlds.snapshot import FILES
from stubserver.worlds.table import Change
from stubserver.worlds.world import World

REDACTED = "[redacted]"
"""What is shown instead of a credential."""
MAX_ANSWER = 64 * 1024
"""Answers of up to this many bytes are kept whole; of larger ones, only the size is."""
MAX_TEXT = 16 * 1024
"""Bodies that are neither JSON nor a form are kept up to this many bytes; of larger ones, only the size is."""
_OVERHEAD = 2048
"""What an entry takes besides its texts, in bytes: about what was measured for a PATCH."""
_UNITS: Mapping[type, str] = {str: "characters", bytes: "bytes"}
_CHANGE = 512
"""What a change of a row takes besides its texts, in bytes."""


@dataclass(slots=True)
class Answer:
    """The response, as far as it was sent."""

    status: int = 0
    """0 if no response was sent."""
    headers: Sequence[tuple[bytes, bytes]] = ()
    body: bytes = b""
    seconds: float = 0.0


class Entry(NamedTuple):
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
    """Empty if it was a form that could be read."""
    form: Mapping[str, Any] | None
    """The fields of a form as sent; files are described by name, size and digest."""
    persona: str
    status: int
    answer_headers: Sequence[tuple[bytes, bytes]]
    answer: bytes
    refusal: Refusal | None
    violations: tuple[tuple[str, str], ...]
    """What it used that the contract does not define: pairs of kind and name."""
    accepted: Sequence[Accepted]
    """What the contract's types do not allow, but the framework behind the real API does."""
    changes: Sequence[Change]
    faults: Sequence[Mapping[str, Any]]
    """The faults that fired, in the order of acting."""
    variants: Sequence[Mapping[str, Any]] = ()
    """What was different in the answer, by variant."""


Recorded = tuple[Call, Answer, int]
"""What the journal stores: it becomes an Entry only when it is read. The number is its size in bytes."""


class WorldJournal:
    """The entries of one world."""

    __slots__ = ("recorded", "size")

    def __init__(self) -> None:
        self.recorded: deque[Recorded] = deque()
        """Oldest first."""
        self.size = 0
        """Size of all entries, in bytes."""

    def __len__(self) -> int:
        return len(self.recorded)


class Journal:
    """Records requests in their worlds, and keeps them within the bounds."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._worlds: dict[World, None] = {}
        """The worlds with a journal, in the order of their first request."""
        self._kept = self._size = self._forgotten = 0
        self.listeners: list[Callable[[Entry], None]] = []
        """Functions to call with each new entry."""

    def add(self, call: Call, answer: Answer) -> None:
        """Record a request that has finished, and evict the oldest entries if there are too many."""
        world = call.world
        journal: WorldJournal | None = world.journal
        if journal is None:
            journal = world.journal = WorldJournal()
            self._worlds[world] = None
        size = shrink(call, answer)
        journal.recorded.append((call, answer, size))
        journal.size += size
        self._size += size
        self._kept += 1
        if len(journal) > self._settings.max_requests:
            self._forget(world, "max_requests")
        if self._size > self._settings.max_journal:
            self._make_room()
        for listener in self.listeners:
            listener(entry_of(call, answer))

    def entries(self, world: World) -> Sequence[Entry]:
        """The world's entries, oldest first."""
        journal: WorldJournal | None = world.journal
        return [entry_of(call, answer) for call, answer, _ in journal.recorded] if journal else []

    def find(self, world: World, number: str) -> Entry | None:
        """The entry with this id, if the world has it."""
        journal: WorldJournal | None = world.journal
        found = (one for one in journal.recorded if one[0].id == number) if journal else ()
        return next((entry_of(call, answer) for call, answer, _ in found), None)

    def recorded(self, world: World) -> int:
        """How many entries the world has had since its journal was cleared."""
        return sum(world.forgotten.values()) + len(world.journal or ())

    @property
    def kept(self) -> int:
        """How many entries there are, in all worlds."""
        return self._kept

    @property
    def size(self) -> int:
        """Their size in bytes."""
        return self._size

    @property
    def forgotten(self) -> int:
        """How many entries have been evicted."""
        return self._forgotten

    def _make_room(self) -> None:
        """Evict the oldest entries of the largest journals until an eighth of the room is free."""
        wanted = self._settings.max_journal * 7 // 8
        worlds = [*self._worlds]
        largest = [(-world.journal.size, number) for number, world in enumerate(worlds)]
        heapq.heapify(largest)
        while self._size > wanted:
            number = heapq.heappop(largest)[1]
            journal = worlds[number].journal
            second = -largest[0][0] if largest else 0
            while journal and journal.size >= second and self._size > wanted:
                self._forget(worlds[number], "max_journal")
            if journal:
                heapq.heappush(largest, (-journal.size, number))

    def _forget(self, world: World, bound: str) -> None:
        """Evict the oldest entry of a world, because a bound is reached."""
        journal: WorldJournal = world.journal
        size = journal.recorded.popleft()[-1]
        journal.size -= size
        self._size -= size
        self._kept -= 1
        self._forgotten += 1
        world.forgotten[bound] = world.forgotten.get(bound, 0) + 1

    def clear(self, world: World) -> None:
        """Delete the world's entries; those that it had forgotten no longer count either."""
        journal: WorldJournal | None = world.journal
        world.forgotten = {}
        if journal is not None:
            self._kept -= len(journal)
            self._size -= journal.size
            del self._worlds[world]
            world.journal = None


def shrink(call: Call, answer: Answer) -> int:
    """Drop what the journal does not keep, and return the size of the rest, in bytes."""
    if call.form is not None:
        call.raw_body = b""
    elif len(call.raw_body) > MAX_TEXT and not _is_json(call):
        call.raw_body = _only_size(call.raw_body)
    if len(answer.body) > MAX_ANSWER:
        answer.body = _only_size(answer.body)
    call.body, call.files = {}, {}  # the rows have what the operation made of them
    call.changes = [_without_content(change) for change in call.changes]
    if call.world.clock.frozen:
        answer.seconds = 0.0
    sent = len(call.raw_body) if call.form is None else size_of(call.form)
    head = len(call.raw_query) + sum(map(len, call.headers.values()))
    # What was sent counts twice, because the changed rows have it, too.
    return _OVERHEAD + head + 2 * sent + len(answer.body) + _CHANGE * len(call.changes)


def _without_content(change: Change) -> Change:
    """The change; of a file, it has only the size."""
    if change.table.name not in FILES:
        return change
    return replace(change, before=described(change.before), after=described(change.after))


def described(row: Row | None) -> Row | None:
    """The row of a file or of a part of it, with the size instead of the content."""
    return {**row, "content": f"({len(row['content'])} {_UNITS[type(row['content'])]})"} if row else None


def _only_size(body: bytes) -> bytes:
    return b'"(%d bytes)"' % len(body)


def entry_of(call: Call, answer: Answer) -> Entry:
    """The entry of a finished request."""
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
        form=call.form,
        persona=call.persona,
        status=answer.status,
        answer_headers=answer.headers,
        answer=answer.body,
        refusal=call.refusal,
        violations=tuple(_violations(call)),
        accepted=call.accepted,
        changes=call.changes,
        faults=call.faults,
        variants=call.varied,
    )


def _is_json(call: Call) -> bool:
    return call.content_type.startswith("application/json") or not call.content_type


def _query(call: Call) -> Mapping[str, list[str]]:
    if not call.raw_query:
        return {}
    try:
        return call.query_texts
    except Refusal:  # not a well-formed query
        return {}


def _violations(call: Call) -> Sequence[tuple[str, str]]:
    if call.refusal is None and call.routed and not call.raw_query and not call.sent_fields:
        return ()  # the usual case: nothing was sent
    if call.refusal is not None and call.refusal.status == 415:
        return [("media type", call.content_type)]
    try:
        return list(call.undeclared())
    except Refusal:
        return [("parameter", "(unreadable)")]
