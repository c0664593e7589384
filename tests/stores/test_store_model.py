"""Random turns of two processes at one store, against a model in plain Python: what they see, what the store keeps."""

import asyncio
import itertools
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

import stubserver.stores.redis
import stubserver.stores.sqlite_journals
from stubserver.stores.store import Changes, Commit, Entries, Version
from tests.stores.processes import MAX_REQUESTS, Process, changed
from tests.stores.servers import Redis

NAMES = ("a", "b", "snapshot:c")
VALUES = st.sampled_from((b"1", b'"two"', b"[3,null]", b"false"))
KEYS = st.sampled_from(("x", "y/1", "@z"))
CONTENT = st.dictionaries(KEYS, VALUES, max_size=3)
CHANGES: st.SearchStrategy[Changes] = st.dictionaries(KEYS, VALUES | st.none(), min_size=1, max_size=3)
PROCESSES = st.integers(0, 1)


@dataclass(frozen=True)
class Step:
    """What a turn does with one document, if it is there; a new one is made in any case."""

    kind: str
    content: Changes
    entries: int
    held: int


STEP = st.builds(
    Step, st.sampled_from(("change", "read", "make", "delete", "clear")), CHANGES, st.integers(0, 3), st.integers(0, 9)
)
TURN = st.dictionaries(st.sampled_from(NAMES), STEP, min_size=1, max_size=3)


@dataclass
class Document:
    """A document as it should be."""

    version: Version
    content: Mapping[str, bytes]
    asked: int
    held: int | None = 0
    """None if it is doubtful, because of a conflict."""
    batches: list[Entries] = field(default_factory=list)
    """The entries of its journal, and those that are too many, but were added together with others."""
    forgotten: Counter[str] = field(default_factory=Counter)

    @property
    def journal(self) -> int:
        return sum(len(batch.packed) for batch in self.batches)

    @property
    def entries(self) -> int:
        return min(self.too_many + MAX_REQUESTS, MAX_REQUESTS)

    @property
    def too_many(self) -> int:
        """How many entries are too many, if that is above 0."""
        return sum(batch.count for batch in self.batches) - MAX_REQUESTS


class Turns(RuleBasedStateMachine):
    """Whatever two processes do, both see what was committed, and the store counts it right."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.is_redis = url.startswith("redis")
        self.runner = asyncio.Runner()
        self.processes = [Process(url, self.runner) for _ in range(2)]
        self.documents: dict[str, Document] = {}
        """In order of use."""
        self.lost: dict[str, Counter[str]] = {}
        self.counters: Counter[str] = Counter()

    def teardown(self) -> None:
        for process in self.processes:
            process.close()
        self.runner.close()

    # Turns

    @rule(number=PROCESSES, turn=TURN, counted=st.dictionaries(st.sampled_from(("n", "n/1", "m")), st.integers(1, 5)))
    def take(self, number: int, turn: Mapping[str, Step], counted: Mapping[str, int]) -> None:
        commits = self.begin(number, turn)
        self.end(number, commits, counted)

    @rule(number=PROCESSES, turn=TURN, meanwhile=TURN)
    def take_with_a_rival(self, number: int, turn: Mapping[str, Step], meanwhile: Mapping[str, Step]) -> None:
        """The other process takes a turn between our look and our commit, unless one of them keeps the file since its
        last commit was in conflict."""
        keeps = any(getattr(process.store, "_insists", False) for process in self.processes)
        commits = self.begin(number, turn)
        if not keeps:
            self.end(1 - number, self.begin(1 - number, meanwhile))
        self.end(number, commits)

    def begin(self, number: int, turn: Mapping[str, Step]) -> list[Commit]:
        process = self.processes[number]
        count = max(step.entries for step in turn.values())
        found = process.look(*turn, numbers=count)
        commits = []
        for name, step in turn.items():
            document = self.documents.get(name)
            assert (found[name].version is None) == (document is None)
            if document is None:
                assert found[name].forgotten == self.lost.get(name, {})
                commits.append(self.made(process, name, step, 0, found[name].forgotten))
                continue
            copy = process.copy(name)
            assert (copy.version, copy.content, copy.asked) == (document.version, document.content, document.asked)
            assert found[name].forgotten == document.forgotten
            document.asked += count
            commits.append(self.tried(process, name, step, copy.asked))
        return commits

    def tried(self, process: Process, name: str, step: Step, asked: int) -> Commit:
        entries = self.entries(step, asked)
        match step.kind:
            case "delete":
                return process.deletion(name)
            case "make":
                return self.made(process, name, step, asked, {})
            case "read":
                return process.change(name, {}, *entries, held=99)
        return process.change(name, step.content, *entries, held=step.held, clears=step.kind == "clear")

    def made(self, process: Process, name: str, step: Step, asked: int, forgotten: Mapping[str, int]) -> Commit:
        content, entries = changed({}, step.content), self.entries(step, asked)
        commit = process.whole(name, content, *entries, held=step.held, asked=asked + len(entries))
        commit.forgotten = forgotten
        return commit

    @staticmethod
    def entries(step: Step, asked: int) -> list[tuple[int, bytes]]:
        return [(asked + more, b"x" * (asked + more)) for more in range(1, step.entries + 1)]

    def end(self, number: int, commits: list[Commit], counted: Mapping[str, int] | None = None) -> None:
        expected = {commit.name for commit in commits if not self.fits(commit)}
        note(f"{number}: {commits} {expected}")
        result = self.processes[number].commit(*commits, counted=counted)
        assert result.conflicts == expected
        self.counters.update(counted or {})
        for commit in commits:
            if commit.name in expected:
                self.fail(commit)
            else:
                self.apply(commit)
        if all(document.held is not None for document in self.documents.values()):
            held = sum(document.held or 0 for document in self.documents.values())
            journal = sum(document.journal for document in self.documents.values())
            assert result.totals == (len(self.documents), held, journal)

    def fits(self, commit: Commit) -> bool:
        """Whether nobody else was faster."""
        now = self.documents[commit.name].version if commit.name in self.documents else None
        if commit.version is not None and commit.version == commit.expected:
            return now is not None and now.life == commit.version.life
        return now == commit.expected

    def fail(self, commit: Commit) -> None:
        if self.is_redis and commit.name in self.documents and commit.version is not None:
            document = self.documents[commit.name] = self.documents.pop(commit.name)
            if commit.version != commit.expected:
                document.held = None

    def apply(self, commit: Commit) -> None:
        document = self.documents.pop(commit.name, None)
        if commit.whole or commit.version is None:
            self.lost.pop(commit.name, None)
        if commit.version is None:
            return
        if commit.whole or document is None:
            document = Document(commit.version, {}, commit.asked, forgotten=Counter(commit.forgotten))
        if commit.version != commit.expected:
            document.held, document.version = commit.held, commit.version
        self.documents[commit.name] = document
        document.content = changed(document.content, commit.changes)
        document.asked = max(document.asked, commit.asked)
        if commit.clears:
            document.batches, document.forgotten = [], Counter()
        if not commit.entries.count:
            return
        before = document.entries
        document.batches.append(commit.entries)
        if not self.is_redis:
            document.batches.sort(key=lambda batch: batch.number)
        self.forget(document, before + commit.entries.count - document.entries, "max_requests")
        while document.batches[0].count <= document.too_many:
            del document.batches[0]

    def forget(self, document: Document, count: int, reason: str) -> None:
        if count > 0:
            document.forgotten[reason] += count
            self.counters["forgotten"] += count

    # What else happens

    @rule(number=PROCESSES, names=st.sets(st.sampled_from(NAMES)))
    def evict(self, number: int, names: set[str]) -> None:
        self.processes[number].evict(*names)
        for name in names & self.documents.keys():
            document = self.documents.pop(name)
            if lost := document.asked + document.forgotten["max_worlds"]:
                self.lost[name] = Counter(max_worlds=lost)
            self.counters["evicted"] += 1

    @rule(number=PROCESSES, name=st.sampled_from(NAMES), size=st.integers(0, 30))
    def trim(self, number: int, name: str, size: int) -> None:
        self.processes[number].trim(name, size)
        if (document := self.documents.get(name)) is not None:
            sums = itertools.accumulate((len(batch.packed) for batch in document.batches), initial=0)
            before = document.entries
            del document.batches[: sum(1 for done in [*sums][:-1] if done < size)]
            self.forget(document, before - document.entries, "max_journal")

    @rule(number=PROCESSES, reset=st.sampled_from(("n", "n/", "none")))
    def reset(self, number: int, reset: str) -> None:
        self.processes[number].commit(counted={"m": 1}, reset=reset)
        self.counters = Counter({name: count for name, count in self.counters.items() if not name.startswith(reset)})
        self.counters["m"] += 1

    @rule(number=PROCESSES)
    def close(self, number: int) -> None:
        self.processes[number].close()

    # What there is

    @invariant()
    def the_store_keeps_what_was_committed(self) -> None:
        for process in self.processes:
            kept = process.kept()
            assert [*kept] == [*self.documents]
            for name, document in self.documents.items():
                batches = sorted(document.batches, key=lambda batch: batch.number)
                assert process.run(process.store.entries(name)) == [batch.packed for batch in batches]
                sizes = document.journal, document.entries
                assert (kept[name].journal, kept[name].entries) == sizes
                assert document.held in (None, kept[name].held)
            assert process.counters() == +self.counters


@pytest.fixture(params=["sqlite", pytest.param("redis", marks=pytest.mark.slow)])
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """Makes URLs of empty stores."""
    numbers = itertools.count()
    if request.param == "sqlite":
        return lambda: f"sqlite:{tmp_path / f'{next(numbers)}.db'}"
    server: Redis = request.getfixturevalue("server")
    return lambda: f"{server.url}?prefix=model-{next(numbers)}"


@pytest.mark.long
def test_two_processes_see_what_was_committed(new_url: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stubserver.stores.redis, "_SUMMED", -1.0)
    monkeypatch.setattr(stubserver.stores.sqlite_journals, "_SPARE", 0)

    class TurnsHere(Turns):
        def __init__(self) -> None:
            super().__init__(new_url())

    run_state_machine_as_test(
        TurnsHere,
        settings=settings(max_examples=30, stateful_step_count=25, deadline=None, report_multiple_bugs=False),
    )
