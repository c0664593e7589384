"""Playing the stories of the catalogue, and reading everything that they have made afterwards."""

import itertools
from collections.abc import Iterator, Mapping, Sequence

from stubserver.checking.catalogue import NOBODY, Step, Story
from stubserver.checking.cleaning import clean_up
from stubserver.checking.curl import curl
from stubserver.checking.findings import AGREES, DIFFERS, NOT_REACHED, Finding, Report
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

    def tell(self, story: Story, *, sweeps: bool = True) -> None:
        """Play a story, unless somebody is missing, and clean up. Raises Stopped."""
        cast = casting(story.personas, list(self._stage.community.personas))
        if isinstance(cast, str):
            self._report.note_rule(story.rule, NOT_REACHED, f"needs the token of {cast}")
            return
        self._number += 1
        scene = Scene(f"{self._run}-{self._number}", cast)
        try:
            differed = self._play(story, scene) or (sweeps and self._sweep(story, scene))
            self._report.note_rule(story.rule, DIFFERS if differed else AGREES)
        finally:
            self._report.notes += [f"left behind: {left}" for left in clean_up(self._stage, scene)]

    def _play(self, story: Story, scene: Scene) -> bool:
        """Play the steps of a story up to the first difference. Returns whether there was one."""
        played: list[Played] = []
        for number, step in enumerate(story.steps):
            if not step.operation:
                wait(step)
                continue
            played.append(play(self._stage, step, scene))
            if played[-1].differences:
                is_own = number >= len(story.steps) - story.own
                self._found(story, "story", story.steps[: number + 1], played, is_own=is_own)
                return True
        return False

    def _sweep(self, story: Story, scene: Scene) -> bool:
        """Read everything that the story has made, each part as one of several people, and after the next story as
        another. Returns whether anything differed."""
        done = False
        for step in self._reads_of(scene):
            played = play(self._stage, step, scene)
            if played.differences:
                self._found(story, "sweep", [*story.steps, step], [played], is_own=False)
                done = True
        return done

    def _reads_of(self, scene: Scene) -> Iterator[Step]:
        there = [who for who in _READERS if who == NOBODY or scene.actor(who) in self._stage.community.personas]
        readers = itertools.islice(itertools.cycle(there), self._number % len(there), None)
        for operation in self._reads:
            last = [KINDS.get(kind, kind) for kind in operation.loads.values()][-1:]
            for name in [name for name, row in scene.rows.items() if [*row.path][-1:] == last] if last else [""]:
                yield Step(next(readers), operation.id, name)

    def _found(
        self, story: Story, source: str, steps: Sequence[Step], played: Sequence[Played], *, is_own: bool
    ) -> None:
        last = played[-1]
        rules = [story.rule] if is_own else []
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
