"""Playing the stories of the catalogue, and reading everything that they have made afterwards."""

import itertools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from stubserver.checking.catalogue import NOBODY, CatalogueError, Step, Story
from stubserver.checking.cleaning import clean_up
from stubserver.checking.comparison import Difference
from stubserver.checking.curl import curl
from stubserver.checking.findings import AGREES, DIFFERS, NOT_REACHED, Finding, Progress, Report
from stubserver.checking.playing import play
from stubserver.checking.stage import KINDS, Played, Scene, Stage, wait

_READERS = ("creator", "member", "stranger", NOBODY)
"""Who reads everything after a story."""


class Teller:
    """Plays stories one after the other."""

    def __init__(self, stage: Stage, report: Report, run: str) -> None:
        self._stage = stage
        self._report = report
        self._run = run
        self._reads = [
            operation
            for operation in stage.contract.operations.values()
            if operation.method == "get" and ("course" in operation.loads.values() or stage.is_foreign(operation))
        ]
        self._number = 0
        self._silent: set[str] = set()
        """Operations without an answer, which nobody waits for again where it is not needed."""

    def tell_all(self, chosen: Sequence[Story], told: Callable[[str], None], *, sweeps: bool = True) -> None:
        """Play stories, one after the other; each is `told` when it begins. What they have made is read as long as
        there is time for all stories. Raises Stopped."""
        progress = self._report.played["stories"] = Progress(len(chosen))
        swept = Progress(len(chosen), is_needed=False)
        if sweeps:
            self._report.played["readings of all that a story has made"] = swept
        begun, end = time.monotonic(), self._stage.sides[1].end
        for number, story in enumerate(chosen):
            told(f"{story.rule}: {story.title}")
            if needed := self._needs(story):
                self._report.note_rule(story.rule, NOT_REACHED, needed)
                progress.skipped += 1
            else:
                is_early = time.monotonic() <= begun + (end - begun) * (number + 1) / len(chosen)
                swept.done += self._tell(story, sweeps=sweeps and is_early)
                progress.done += 1

    def _needs(self, story: Story) -> str:
        """What a story needs, and is not there; empty if it can be played."""
        cast = casting(story.personas, list(self._stage.community.personas))
        if isinstance(cast, str):
            return f"needs the token of {cast}"
        has_category = self._stage.community.category is not None
        return "" if has_category or not story.mentions("$category") else "needs a category that is in use"

    def _tell(self, story: Story, *, sweeps: bool) -> bool:
        """Play a story, and clean up. Returns whether all that it has made was read. Raises Stopped."""
        self._number += 1
        cast = casting(story.personas, list(self._stage.community.personas))
        scene = Scene(f"{self._run}-{self._number}", cast)  # type: ignore[arg-type]
        try:
            result = self._play(story, scene)
            self._report.note_rule(story.rule, *result)
            if sweeps and result[0] == AGREES:
                self._sweep(story, scene)
                return True
            return False
        finally:
            self._report.notes += [f"left behind: {left}" for left in clean_up(self._stage, scene)]

    def _play(self, story: Story, scene: Scene) -> tuple[str, str]:
        """Play the steps of a story, as long as both sides are alike. Returns what becomes of its rule, and why."""
        played: list[Played] = []
        for number, step in enumerate(story.steps):
            if not step.operation:
                wait(step)
                continue
            try:
                played.append(play(self._stage, step, scene))
            except CatalogueError as error:
                return NOT_REACHED, f"a step cannot be played: {error}"
            if not played[-1].differences:
                continue
            is_own = number >= len(story.steps) - story.own
            is_about = is_own and any(map(self._is_about(step), played[-1].differences))
            if is_about:  # and tell that one of the differences
                played[-1].differences = [*filter(self._is_about(step), played[-1].differences)]
            self._found(story, "story", story.steps[: number + 1], played, rules=[story.rule] if is_about else [])
            if self._stage.presence.is_missing(step.operation):
                self._report.blocked.append((story.rule, step.operation, is_about))
                return NOT_REACHED, ""
            if is_about:
                return DIFFERS, ""
            if not played[-1].is_alike or (step.save and step.save not in scene.rows):
                return NOT_REACHED, f"{step.operation} differs, which comes before"
        return AGREES, ""

    def _is_about(self, step: Step) -> Callable[[Difference], bool]:
        """Whether a difference is about the rule of the story: if the step says so, or does not say anything, and the
        like has not been seen elsewhere."""
        shown = [f"/{path.replace('.', '/')}/" for path in step.shows]
        known = {finding.key for finding in self._report.findings}

        def is_about(difference: Difference) -> bool:
            at = f"{difference.at}/"
            if difference.at in ("status", "answer", "body"):
                return True
            if shown:
                return any(path.startswith(at) or at.startswith(path) for path in shown)
            return f"{step.operation} {difference.place} {difference.kind}" not in known

        return is_about

    def _sweep(self, story: Story, scene: Scene) -> None:
        """Read everything that the story has made, each part as one of several people, and after the next story as
        another."""
        for step in self._reads_of(scene):
            if step.operation in self._silent or self._stage.presence.is_missing(step.operation):
                continue
            played = play(self._stage, step, scene)
            if played.answers[1].failure:
                self._silent.add(step.operation)
            if played.differences:
                self._found(story, "sweep", [*story.steps, step], [played], rules=[])

    def _reads_of(self, scene: Scene) -> Iterator[Step]:
        there = [who for who in _READERS if who == NOBODY or scene.actor(who) in self._stage.community.personas]
        readers = itertools.islice(itertools.cycle(there), self._number % len(there), None)
        for operation in self._reads:
            last = [KINDS.get(kind, kind) for kind in operation.loads.values()][-1:]
            for name in [name for name, row in scene.rows.items() if [*row.path][-1:] == last] if last else [""]:
                yield Step(next(readers), operation.id, name)

    def _found(
        self, story: Story, source: str, steps: Sequence[Step], played: Sequence[Played], *, rules: Sequence[str]
    ) -> None:
        last = played[-1]
        sent = [curl(one.requests[1]) for one in played]
        for difference in last.differences[:1] if source == "story" else last.differences:
            self._report.add(Finding(last.operation, difference, rules, source, story.title, steps, sent))


def casting(needed: Sequence[str], there: Sequence[str]) -> Mapping[str, str] | str:
    """Persona of a story -> who plays it; or who is missing. Whoever has no part may take that of somebody who is not
    there; but nobody can stand in for the creator or for staff."""
    cast = {who: who for who in needed if who in there}
    spare = [who for who in there if who not in cast and who not in ("creator", "staff")]
    for who in needed:
        if who not in cast:
            if who in ("creator", "staff") or not spare:
                return who
            cast[who] = spare.pop(0)
    return cast
