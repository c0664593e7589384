"""What is known of all documents in Redis: when they were last used, what they take, and counters.

It is written along with the commits, before it is known whether they succeed, and corrected later. So it may be wrong
for a moment, and after a process was killed: bounds and health can bear that.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from stubserver.stores.store import Commit, Kept, Totals
from stubserver.stores.wire import Command

_SIZES = "held", "journals", "entries"
_MARGIN = 60
"""How much longer the directory lives than the documents, in seconds: it is not prolonged with each of their uses."""


class Directory:
    """The commands that keep and read the directory of one prefix."""

    def __init__(self, prefix: str, ttl: int) -> None:
        """Documents live for `ttl` seconds after their last use."""
        self._prefix = prefix
        self._ttl = ttl
        self._held: dict[str, int] = {}
        """Name of a document -> its size as this process has committed it last."""
        self.totals = Totals(0, 0, 0)
        """What there is in all, as far as this process knows."""

    def key(self, kind: str) -> str:
        """The key of one kind of facts."""
        return f"{self._prefix}:{kind}"

    def prolonged(self, *kinds: str) -> Sequence[Command]:
        """Have these facts live for as long as documents that are used now."""
        return [["EXPIRE", self.key(kind), self._ttl + _MARGIN] for kind in kinds]

    # Writing

    def counted(self, counts: Mapping[str, int], gone: Sequence[str] = ()) -> Iterable[Command]:
        """Delete counters, and add to others."""
        if gone:
            yield ["HDEL", self.key("counters"), *gone]
        for name, number in counts.items():
            if number:
                yield ["HINCRBY", self.key("counters"), name, number]

    def of(self, commits: Sequence[Commit]) -> Iterable[Command]:
        """Write what there is after the commits. What is deleted goes once it is certain: it could not be restored."""
        for commit in commits:
            if commit.version is None:
                continue
            yield ["ZADD", self.key("used"), repr(time.time()), commit.name]
            if commit.version != commit.expected:
                yield ["HSET", self.key("held"), commit.name, commit.held]
            yield from self.grown(commit.name, *_entries(commit))

    def grown(self, name: str, count: int, size: int) -> Iterable[Command]:
        """Add to the size of a journal."""
        if count or size:
            yield ["HINCRBY", self.key("journals"), name, size]
            yield ["HINCRBY", self.key("entries"), name, count]

    def without(self, name: str) -> Iterable[Command]:
        """Forget a document."""
        yield ["ZREM", self.key("used"), name]
        for kind in _SIZES:
            yield ["HDEL", self.key(kind), name]

    def corrections(self, commits: Sequence[Commit], replies: Sequence[Any]) -> Iterable[Command]:
        """Take back what was written for commits that failed, and for entries that went; `replies` are those of the
        script COMMIT."""
        for commit, (stored, *rest) in zip(commits, replies, strict=True):
            name, (count, size) = commit.name, _entries(commit)
            if not stored:
                yield from self.without(name) if rest == [b""] else self.grown(name, -count, -size)
                continue
            forgotten, count, lost = rest
            self._note(commit, size - lost)
            yield from self.without(name) if commit.version is None else self.grown(name, -count, -lost)
            yield from self.counted({"forgotten": forgotten})

    def _note(self, commit: Commit, journal: int) -> None:
        """Count what a commit adds to the totals, as far as this process knows: the next sum puts that right."""
        before = self._held.pop(commit.name, 0)
        after = 0 if commit.version is None else commit.held
        if after:
            self._held[commit.name] = after
        documents, held, journals = self.totals
        self.totals = Totals(documents, held + after - before, journals + journal)

    # Reading

    def sizes(self) -> Sequence[Command]:
        """Read what all documents and all journals take, and prolong the directory."""
        kinds = self.prolonged("facts", "used", "counters", *_SIZES)
        return [["ZCARD", self.key("used")], ["HVALS", self.key("held")], ["HVALS", self.key("journals")], *kinds]

    def sum_up(self, documents: int, held: Sequence[bytes], journals: Sequence[bytes], *_: int) -> None:
        """Take what was read as the totals."""
        self.totals = Totals(documents, sum(map(int, held)), sum(map(int, journals)))

    def all(self) -> Sequence[Command]:
        """Read all of it."""
        hashes: list[Command] = [["HGETALL", self.key(kind)] for kind in _SIZES]
        return [["ZRANGE", self.key("used"), 0, -1, "WITHSCORES"], *hashes]

    def oldest(self) -> float:
        """What was last used before this time has expired, in seconds since 1970."""
        return time.time() - self._ttl


def _entries(commit: Commit) -> tuple[int, int]:
    """How many entries a commit adds to the journal, and their size."""
    return commit.entries.count, len(commit.entries.packed)


def kept(replies: Sequence[Any]) -> Mapping[str, Kept]:
    """What was read, by the names of the documents."""
    used, *sizes = replies
    held, journals, entries = (dict(pairs(size)) for size in sizes)
    return {
        name.decode(): Kept(float(at), int(held.get(name, 0)), int(journals.get(name, 0)), int(entries.get(name, 0)))
        for name, at in pairs(used)
    }


def pairs(flat: Sequence[Any]) -> Iterable[tuple[Any, Any]]:
    """Names and values, which Redis gives in turn."""
    return zip(flat[::2], flat[1::2], strict=True)
