"""The whole search: once without variants, then each kind everywhere, then what made it fail, in halves."""

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from stubserver.contract.places import Places
from stubserver.variants.halving import Clue, Halving, Sites
from stubserver.variants.memory import Memory
from stubserver.variants.report import Finding, Report
from stubserver.variants.running import Build, Command, Interrupted, Learning, Run, Watching, refused_since, run
from stubserver.variants.site import Site, rounds

SLOWER = 5.0
"""A run that takes so many times as long as the first one, and `LEAST` more, has failed."""
LEAST = 15.0
"""Seconds that a run may take in any case, beyond that of the first one."""


class CannotSearch(Exception):
    """There is nothing to find out; the message says why."""

    def __init__(self, message: str, output: str = "") -> None:
        """`output` is the end of what the command wrote."""
        super().__init__(message)
        self.output = output


class OutOfTime(Exception):
    """There is no time for another run."""


@dataclass
class Task:
    """What is to be searched, and with what."""

    build: Build
    command: Command
    text: str
    """The command, in words."""
    places: Places
    kinds: Sequence[str]
    operations: Sequence[str] = ()
    """All, if there are none."""
    seconds: float | None = None
    """Time for all runs; None for no bound."""
    port: int = 0
    """Where the servers listen; 0 for any free port."""
    told: Callable[[str], None] = field(default=lambda _: None)
    """Is told what is being done."""


class Searching:
    """A search in progress."""

    def __init__(self, task: Task, memory: Memory) -> None:
        self._task = task
        self._memory = memory
        self._begun = time.monotonic()
        self._plain = Run(True)
        self._suspects: set[str] = set()
        self._asked: dict[frozenset[Site], Run] = {}
        self._planned = 0
        self._used: set[tuple[frozenset[Site], int]] = set()
        """The runs that were of use, whichever process made them."""
        self.report = Report(task.text)

    def search(self) -> Report:
        """Do all of it. Raises CannotSearch, and OSError if the state cannot be written."""
        report = self.report
        try:
            self._learn()
            for group in self._plan():
                self._try(group)
                self._planned -= 1
            self._check_again()
        except Interrupted:
            report.ended = "interrupted"
        except OutOfTime:
            report.ended = "time"
        report.seconds = time.monotonic() - self._begun
        return report

    def _learn(self) -> None:
        """Run without variants."""
        task, report = self._task, self.report
        task.told("running once without variants")
        learning = Learning(task.places, task.kinds, task.operations)
        self._plain = self._run([], 0, learning)
        if not self._plain.passed:
            why = "took too long" if self._plain.overdue else f"fails with status {self._plain.status}"
            raise CannotSearch(f"{task.text} {why} without any variant; it has to pass first", self._plain.output)
        if self._memory.sent is None:
            self._memory.sent = learning.sent
            self._memory.save()
        if not self._plain.total:
            raise CannotSearch(f"{task.text} sent no request to the server; its URL is in STUBSERVER_URL")
        report.sites, report.places = self._memory.sent.sites, self._memory.sent.places
        report.offered = sum(map(len, task.places.picked(None).values()))
        if not report.sites:
            raise CannotSearch(f"nothing of what {task.text} was sent can vary in the kinds and operations asked for")

    def _plan(self) -> list[list[Site]]:
        """The runs of the first round; says how long they will take."""
        groups = rounds(self.report.sites)
        self._planned = len(groups)
        least, each = self._plain.seconds * len(groups), self._plain.seconds
        resumed = f", {self._memory.resumed} of them done before" if self._memory.resumed else ""
        self._task.told(
            f"{len(self.report.sites)} variants of {len(self.report.places)} operations in {len(groups)} runs of about "
            f"{each:.1f} s: {least / 60:.1f} minutes, and some {each * 4:.0f} s for each that breaks it{resumed}"
        )
        return groups

    def _try(self, group: list[Site]) -> None:
        """Run with a group of sites, and find what makes it fail."""
        kinds = ", ".join(dict.fromkeys(site.what for site in group))
        self._task.told(f"{kinds}: {len(group)} places")
        if not self._fails(group):
            return
        search = Halving(self._fails, self._clue, self._suspects)
        for cause in search.causes(group):
            self._note(cause)
        for sites in search.unexplained:
            self.report.findings.append(Finding(sites, self._asked[frozenset(sites)], is_flaky=True))

    def _note(self, cause: Sites) -> None:
        """Note a cause, after it has been tried once more."""
        is_flaky = not self._fails(cause, again=True)
        found = self._asked[frozenset(cause)]
        self.report.findings.append(Finding(cause, found, refused_since(found, self._plain), is_flaky))
        self._suspects.update(f"{site.operation} {site.place}" for site in cause)
        self._task.told(f"{'flaky' if is_flaky else 'broken'}: {' + '.join(site.key for site in cause)}")

    def _check_again(self) -> None:
        """After failures, make sure that they are not those of a command that has begun to fail by itself."""
        if self.report.findings and not self._run([], 1, None).passed:
            self.report.notes.append(
                "Without variants, the command failed in the end: it depends on something else, so trust none of this."
            )
            for finding in self.report.findings:
                finding.is_flaky = True

    def _fails(self, sites: Sites, again: bool = False) -> bool:
        done = self._run(sites, int(again), None)
        if done.passed:
            self.report.survived.update(site for site in sites if site.key in done.varied)
        elif not again:
            self._asked[frozenset(sites)] = done
        return not done.passed

    def _clue(self, sites: Sites) -> Clue:
        """That of the smallest run with these sites that has failed."""
        wanted = frozenset(sites)
        runs = min((known for known in self._asked if wanted <= known), key=len, default=None)
        if runs is None:
            return Clue()
        failed = self._asked[runs]
        last = next((one.operation for one in reversed(failed.asked) if one.varied), "")
        return Clue(failed.varied, last, {*re.findall(r"\w+", failed.output)})

    def _run(self, sites: Sites, attempt: int, learning: Learning | None) -> Run:
        """A run, if it is not known. Raises OutOfTime and Interrupted."""
        known = self._memory.get(sites, attempt)
        if known is not None:
            self._used.add((frozenset(sites), attempt))
            self.report.runs = len(self._used)
            return known
        if learning is None:
            self._check_time()
        self._task.told(f"run {self.report.runs + 1}, {self._planned} more planned: {len(sites)} variants")
        watching = Watching(learning.note if learning else None)
        limit = None if learning else self._plain.seconds * SLOWER + LEAST
        done = run(self._task.build, self._task.command, sites, watching, limit, self._task.port)
        self._memory.keep(sites, attempt, done)
        return self._run(sites, attempt, None)

    def _check_time(self) -> None:
        if self._task.seconds is None:
            return
        if time.monotonic() - self._begun + self._plain.seconds > self._task.seconds:
            raise OutOfTime
