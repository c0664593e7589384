"""One run of a command with some variants: how it ended, what it was sent, and the last that it asked."""

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from stubserver.contract.places import Places
from stubserver.contract.varying import present, vary
from stubserver.variants.site import Site, sites

if TYPE_CHECKING:
    from stubserver.app import StubServer
    from stubserver.records.journal import Entry

LAST = 40
"""Requests of a run that are remembered."""
_BODIES = 2000
"""Different answers of the first run that are looked into, for each operation."""


class Ended(NamedTuple):
    """How a command ended."""

    status: int
    output: str
    """The end of what it wrote."""
    overdue: bool = False
    """Whether it was ended because it took too long."""
    interrupted: int = 0
    """The signal that was passed on to it, if there was one."""


Command = Callable[[str, float | None], Ended]
"""Runs the command with the server at a URL, for so many seconds at most."""
Build = Callable[[], "StubServer"]
"""Makes a server for one run."""


class Asked(NamedTuple):
    """A request of the command."""

    operation: str
    method: str
    path: str
    persona: str
    status: int
    varied: Sequence[str] = ()
    """The keys of the sites that were different in its answer."""


@dataclass
class Run:
    """What came of one run."""

    passed: bool
    status: int = 0
    seconds: float = 0.0
    output: str = ""
    overdue: bool = False
    varied: Sequence[str] = ()
    """The keys of the sites that made a difference."""
    asked: Sequence[Asked] = ()
    """The last requests, oldest first."""
    refused: Sequence[Asked] = ()
    """The first that the server refused."""
    total: int = 0
    """How many requests there were."""


@dataclass
class Sent:
    """What the command was sent without variants."""

    places: dict[str, list[str]] = field(default_factory=dict)
    """operationId -> the places of its answers that were there."""
    sites: list[Site] = field(default_factory=list)
    """What would make a difference there."""


class Interrupted(Exception):
    """A signal ended a run, so it says nothing."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class Watching:
    """Notes the requests of one run."""

    def __init__(self, note: "Callable[[Entry], None] | None" = None) -> None:
        """`note` is called with each entry of the journal."""
        self.asked: deque[Asked] = deque(maxlen=LAST)
        self.refused: list[Asked] = []
        self.varied: dict[str, None] = {}
        self.total = 0
        self._note = note

    def __call__(self, entry: "Entry") -> None:
        """Note a request."""
        name = entry.operation.id if entry.operation else ""
        keys = [
            Site(name, place, told["kind"], told["choice"]).key for told in entry.variants for place in told["places"]
        ]
        self.varied.update(dict.fromkeys(keys))
        self.total += 1
        asked = Asked(name, entry.method, entry.path, entry.persona, entry.status, keys)
        self.asked.append(asked)
        if entry.status >= 400 and len(self.refused) < LAST:
            self.refused.append(asked)
        if self._note is not None:
            self._note(entry)


def run(
    build: Build, command: Command, wanted: Sequence[Site], watching: Watching, seconds: float | None, port: int = 0
) -> Run:
    """Run the command with a new server, all of whose worlds have the variants. Raises Interrupted, and OSError if the
    port is not free."""
    from stubserver.serving.background import Background

    app = build()
    app.worlds.variants = [site.wanted for site in wanted]
    app.journal.listeners.append(watching)
    begun = time.monotonic()
    with Background(lambda: app, port) as url:
        ended = command(url, seconds)
    if ended.interrupted:
        raise Interrupted(ended.interrupted)
    took = time.monotonic() - begun
    passed = ended.status == 0 and not ended.overdue
    return Run(
        passed,
        ended.status,
        took,
        ended.output,
        ended.overdue,
        list(watching.varied),
        list(watching.asked),
        watching.refused,
        watching.total,
    )


class Learning:
    """Learns from the answers of a run without variants what a client is sent, and what could be different there."""

    def __init__(self, places: Places, kinds: Sequence[str], operations: Sequence[str]) -> None:
        """Only these kinds are tried, and only these operations, unless there are none."""
        self._places = places
        self._kinds = kinds
        self._operations = operations
        self._seen: dict[str, set[bytes]] = {}
        self._open: dict[str, list[Site]] = {}
        """operationId -> sites that have not made a difference yet."""
        self._present: dict[str, dict[str, None]] = {}
        self._found: list[Site] = []

    def note(self, entry: "Entry") -> None:
        """Look into one answer."""
        operation = entry.operation
        if operation is None or entry.status != operation.status or operation.answer is None:
            return
        if self._operations and operation.id not in self._operations:
            return
        seen = self._seen.setdefault(operation.id, set())
        if entry.answer in seen or len(seen) >= _BODIES:
            return
        seen.add(entry.answer)
        self._look(operation.id, orjson.loads(entry.answer))

    def _look(self, name: str, answer: Any) -> None:
        places = self._places.of(name)
        is_whole = not isinstance(answer, str)  # of large answers, the journal has only the size
        known = self._present.setdefault(name, {})
        known.update(dict.fromkeys(present(answer, places) if is_whole else places))
        left = self._open.setdefault(name, [*sites(name, places, self._kinds)])
        for site in [*left]:
            if not is_whole or vary(answer, [site.variation], places, lambda _: True)[1]:
                left.remove(site)
                self._found.append(site)

    @property
    def sent(self) -> Sent:
        """What was learnt."""
        return Sent({name: [*places] for name, places in self._present.items()}, list(self._found))


def refused_since(failed: Run, plain: Run) -> list[Asked]:
    """The requests that the server refused in a failed run, though none like it was in the run without variants."""
    before = {(asked.method, asked.path, asked.status) for asked in plain.refused}
    return [asked for asked in failed.refused if (asked.method, asked.path, asked.status) not in before]


_LISTS = ("asked", "refused")
"""The fields of a run that have requests."""


def as_json(done: Run) -> Mapping[str, Any]:
    """A run for a file."""
    lists = {name: [asked._asdict() for asked in vars(done)[name]] for name in _LISTS}
    return {**vars(done), **lists}


def from_json(written: Mapping[str, Any]) -> Run:
    """A run from a file. Raises TypeError or KeyError if it is none."""
    return Run(**{**written, **{name: [Asked(**asked) for asked in written[name]] for name in _LISTS}})
