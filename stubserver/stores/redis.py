"""Worlds in Redis or Valkey: many processes on many machines share them.

The keys of a document have one hash tag, so that a cluster keeps them together. Every commit is one script. If its
answer is lost, a second commit decides: a fence, on the same version. If that one is stored, the first can never be; if
it is not, the log says whose commit was faster.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from stubserver.stores.link import Interrupted
from stubserver.stores.redis_calls import RedisCalls, line, script
from stubserver.stores.redis_directory import Directory, kept, pairs
from stubserver.stores.redis_marks import Marks
from stubserver.stores.redis_scripts import COMMIT, EVICT, READ, TRIM
from stubserver.stores.store import (
    Commit,
    Found,
    Kept,
    Result,
    Totals,
    Unavailable,
    Unknown,
    Version,
    Wanted,
    packed,
)
from stubserver.stores.wire import Command

_FOR_THE_FENCE = 0.5
"""Seconds that are left for a fence."""
_SUMMED = 1.0
"""Seconds after which the sizes of all documents are summed up again."""
_ALL_KEYS = "version", "contents", "commits", "journal", "count", "lost"
_READ_KEYS = "version", "contents", "commits", "lost", "count"
_FAILED = 0, b"?"
"""Stands for the reply of a script that has failed: nothing was stored."""


class RedisStore:
    """A store in a Redis."""

    def __init__(self, url: str, max_requests: int, prefix: str, ttl: int) -> None:
        """A journal keeps `max_requests` entries. The names of all keys begin with `prefix`, and they live for `ttl`
        seconds after their last use. Raises ValueError for a URL that cannot be."""
        self._calls = RedisCalls(url)
        self.name = self._calls.name
        self._prefix = prefix
        self._directory = Directory(prefix, ttl)
        self._marks = Marks(self._calls, self._directory.key("marks"), ttl)
        self._ttl = ttl * 1000
        self._max_requests = max_requests
        self._summed = 0.0
        """When the sizes were last summed up, by the monotonic clock."""

    @property
    def deadline(self) -> float:
        """See Store."""
        return self._calls.deadline

    @deadline.setter
    def deadline(self, deadline: float) -> None:
        self._calls.deadline = deadline

    def _keys(self, name: str, *kinds: str) -> list[str]:
        return [f"{self._prefix}:{{{name}}}:{kind}" for kind in kinds]

    async def agree(self, facts: Mapping[str, str]) -> Mapping[str, str]:
        """See Store. Raises Unavailable, too, if this Redis cannot be trusted with worlds."""
        key = self._directory.key("facts")
        await self._calls.check()
        kept: list[Command] = [["HSETNX", key, name, value] for name, value in facts.items()]
        *_, agreed = await self._calls.read([*kept, *self._directory.prolonged("facts"), ["HGETALL", key]])
        return {name.decode(): value.decode() for name, value in pairs(agreed)}

    # Documents

    async def refresh(self, wanted: Mapping[str, Wanted]) -> Mapping[str, Found]:
        """See Store."""
        commands: list[Command] = []
        for name, want in wanted.items():
            version, count = self._keys(name, "version", "count")
            if want.numbers:
                commands.append(["HINCRBY", count, "asked", want.numbers])
            commands.append(["GET", version])
            if want.losses or not want.numbers:
                commands.append(["HGETALL", count])
        replies = iter(await self._calls.read(commands))
        found = {name: _found(want, replies) for name, want in wanted.items()}
        changed = [name for name, one in found.items() if one.version is None or one.version != wanted[name].known]
        again = await self._catch_up(changed, wanted, found) if changed else {}
        return {**found, **(await self.refresh(again) if again else {})}

    async def _catch_up(
        self, names: Sequence[str], wanted: Mapping[str, Wanted], found: dict[str, Found]
    ) -> Mapping[str, Wanted]:
        """Read what has changed in documents. Returns what is still wanted: the numbers that were taken are not those
        of a document that has been made anew in the meantime."""
        again: dict[str, Wanted] = {}
        commands: list[Command] = [
            script(READ, self._keys(name, *_READ_KEYS), str(wanted[name].known or "")) for name in names
        ]
        for name, reply in zip(names, await self._calls.read(commands), strict=True):
            if reply[0] == b"":
                reason, _, number = reply[1].decode().partition("=")
                found[name] = Found(None, forgotten={reason: int(number)} if number else {})
                continue
            version, before = Version.read(reply[0].decode()), found[name]
            if wanted[name].numbers and (before.version is None or before.version.life != version.life):
                again[name] = wanted[name]
            if reply[1] == b"commits":
                found[name] = Found(version, before.asked, before.forgotten, reply[2])
            else:
                whole = {key.decode(): value for key, value in pairs(reply[2])}
                found[name] = Found(version, before.asked, before.forgotten, (), whole)
        return again

    async def commit(self, commits: Sequence[Commit], counted: Mapping[str, int], reset: str = "") -> Result:
        """See Store."""
        directory = self._directory
        gone = [name for name in await self.counters() if name.startswith(reset)] if reset else []
        scripts = [self._script_of(commit) for commit in commits]
        others: list[Command] = [*directory.of(commits), *directory.counted(counted, gone)]
        try:
            marking = self._marks.leaving()
            replies = await self._calls.ask(
                [*scripts, *others, *marking, ["ZCARD", directory.key("used")]], _FOR_THE_FENCE
            )
        except Interrupted as error:
            if gone or not commits:
                raise Unknown(line(error)) from None
            return await self._after_interruption(commits, error)
        results = [_FAILED if isinstance(reply, Exception) else reply for reply in replies[: len(commits)]]
        self._calls.later += directory.corrections(commits, results)
        if told := self._calls.error(replies):
            raise (Unknown if any(stored for stored, *_ in results) else Unavailable)(told)
        self._marks.is_left = self._marks.is_left or bool(marking)
        conflicts = [commit.name for commit, (stored, *_) in zip(commits, results, strict=True) if not stored]
        return Result(frozenset(conflicts), await self._totals(replies[-1], commits))

    async def _totals(self, documents: int, commits: Sequence[Commit]) -> Totals:
        """The totals. What other processes add is seen within a second."""
        directory, now = self._directory, time.monotonic()
        directory.totals = directory.totals._replace(documents=documents)
        is_time = commits and now > self._summed + _SUMMED
        if is_time or any(commit.version is None for commit in commits):  # others must not go on listing it
            self._summed = now
            if sizes := await self._calls.note(directory.sizes()):
                directory.sum_up(*sizes)
        return directory.totals

    def _script_of(self, commit: Commit) -> Command:
        gone = [key for key, value in commit.changes.items() if value is None]
        kept = [part for key, value in commit.changes.items() if value is not None for part in (key, value)]
        reasons = [part for pair in commit.forgotten.items() for part in pair] if commit.whole else []
        return script(
            COMMIT,
            self._keys(commit.name, *_ALL_KEYS),
            *(str(commit.expected or ""), str(commit.version or ""), int(commit.whole), int(commit.clears)),
            *(commit.asked, self._max_requests, self._ttl),
            packed(commit.changes) if commit.version != commit.expected and not commit.whole else b"",
            *(commit.entries.number, commit.entries.count, commit.entries.packed),
            *(len(kept) // 2, len(gone), len(reasons) // 2, *kept, *gone, *reasons),
        )

    # Lost answers

    async def _after_interruption(self, commits: Sequence[Commit], error: Interrupted) -> Result:
        """Find out whether commits were stored, whose answer did not come. Raises Unknown."""
        conflicts = set()
        for commit in commits:
            if commit.version == commit.expected or commit.version is None or commit.whole:
                raise Unknown(line(error))
            if not await self._was_stored(commit, error):
                conflicts.add(commit.name)
        return Result(frozenset(conflicts), self._directory.totals)

    async def _was_stored(self, commit: Commit, error: Interrupted) -> bool:
        assert commit.expected is not None  # noqa: S101 (it is a change)
        assert commit.version is not None  # noqa: S101 (it is a change)
        fence = Commit(commit.name, commit.expected, commit.expected.next(), held=commit.held)
        try:
            ((stored, *rest),) = await self._calls.read([self._script_of(fence)])
            if stored:
                return False
            now = Version.read(rest[0].decode()) if rest[0] else None
            if now is None or now.life != commit.version.life:
                raise Unknown(line(error))
            place = f"{commit.version.number}-0"
            (found,) = await self._calls.read([["XRANGE", *self._keys(commit.name, "commits"), place, place]])
        except Unavailable:
            raise Unknown(line(error)) from None
        if not found:
            raise Unknown(line(error))
        return bool(found[0][1][1].decode() == str(commit.version))

    def give_back(self, asked: Mapping[str, int]) -> None:
        """See Store. That would cost more than a gap."""

    async def release(self) -> None:
        """See Store. Nothing is locked."""

    # Being ahead

    beat = spell = 0.02
    """The same, since nobody is kept from anything meanwhile."""

    @property
    def is_ahead(self) -> bool:
        """See Store."""
        return self._marks.is_left

    def hold(self) -> bool:
        """See Store. Others know that there may be something as soon as there is a mark."""
        self._marks.is_wanted = True
        return self._marks.is_left

    async def settle(self) -> None:
        """See Store."""
        if self._marks.is_left:
            await self._marks.settle()

    async def gather(self) -> None:
        """See Store. Nobody waits for this process meanwhile, which might wait for them."""
        if self._marks.is_left:
            await self._marks.remove()
        await self._marks.wait()

    # What is known of all documents

    async def entries(self, name: str) -> Sequence[bytes]:
        """See Store."""
        (found,) = await self._calls.read([["XRANGE", *self._keys(name, "journal"), "-", "+"]])
        numbered = [(int(fields[1]), fields[5]) for _, fields in found]
        return [packed for _, packed in sorted(numbered, key=lambda one: one[0])]

    async def kept(self) -> Mapping[str, Kept]:
        """See Store."""
        found = kept(await self._calls.read(self._directory.all()))
        oldest = self._directory.oldest()
        self._calls.later += (
            command for name, one in found.items() if one.used < oldest for command in self._directory.without(name)
        )
        return {name: one for name, one in found.items() if one.used >= oldest}

    async def evict(self, names: Sequence[str], reason: str) -> None:
        """See Store."""
        scripts = [script(EVICT, self._keys(name, *_ALL_KEYS), reason, self._ttl) for name in names]
        others = [command for name in names for command in self._directory.without(name)]
        evicted = sum((await self._calls.read([*scripts, *others]))[: len(names)])
        await self._calls.note(self._directory.counted({"evicted": evicted}))
        self._summed = 0.0

    async def trim(self, name: str, size: int, reason: str) -> None:
        """See Store."""
        trim = script(TRIM, self._keys(name, "journal", "count"), size, reason, self._max_requests)
        ((count, bytes),) = await self._calls.read([trim])
        await self._calls.note(
            [*self._directory.counted({"forgotten": count}), *self._directory.grown(name, -count, -bytes)]
        )
        self._summed = 0.0

    async def counters(self) -> Mapping[str, int]:
        """See Store."""
        (found,) = await self._calls.read([["HGETALL", self._directory.key("counters")]])
        return {name.decode(): int(value) for name, value in pairs(found)}

    async def close(self) -> None:
        """See Store. Nobody needs to wait for this process any more."""
        if self._marks.is_left:
            with suppress(Unavailable):
                await self._marks.remove()
        await self._calls.close()


def _found(want: Wanted, replies: Iterator[Any]) -> Found:
    """What was read of a document, as far as it is up to date."""
    asked = int(next(replies)) - want.numbers if want.numbers else 0
    version, counts = next(replies), dict[str, int]()
    if want.losses or not want.numbers:
        counts = {key.decode(): int(value) for key, value in pairs(next(replies))}
        last, *_ = counts.pop("asked", 0), counts.pop("entries", 0), counts.pop("bytes", 0)
        asked = asked if want.numbers else last
    return Found(Version.read(version.decode()) if version else None, asked, counts)
