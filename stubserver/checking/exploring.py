"""Playing steps that nobody has thought of, the cells of the grid and the walks, and showing what differs shortly."""

from collections import Counter
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from stubserver.checking.catalogue import CatalogueError, Step
from stubserver.checking.cleaning import clean_up
from stubserver.checking.curl import curl
from stubserver.checking.findings import Finding, Progress, Report
from stubserver.checking.ingredients import everything
from stubserver.checking.playing import play
from stubserver.checking.shrinking import shortest
from stubserver.checking.stage import Played, Scene, Stage
from stubserver.checking.telling import casting
from stubserver.checking.walks import Walk

_PARTS = ("creator", "member", "stranger")
_SHRUNK = 40
"""How often a sequence is played again, at most, to shorten it."""
_ENOUGH = 8
"""How often in a row an operation may differ in the same way, until the rest of its cells is left out."""
_NOTHING = "what they are about is not there"
_MISSING = "the target does not have the operation"
_ECHO = f"{_ENOUGH} in a row had differed in the same way"


class Explorer:
    """Plays the grid and the walks."""

    def __init__(self, stage: Stage, report: Report, run: str) -> None:
        """The names of all that is made begin with `run`."""
        self._stage = stage
        self._report = report
        self._run = run
        self._number = 0
        self._unmade: set[str] = set()
        """Steps before the grid and the walks that are left out: what they make, or else their operations."""
        self._last: dict[str, Any] = {}
        self._alike: Counter[str] = Counter()
        """Operation -> how often in a row it has differed in the same way, and that."""

    @property
    def missing(self) -> str:
        """Who is missing for this; empty if nobody is."""
        found = casting(_PARTS, list(self._stage.community.personas))
        return found if isinstance(found, str) else ""

    def begun(self, what: str, number: int) -> Progress:
        """How far the check has come with so many things of a kind."""
        progress = self._report.played[what] = Progress(number)
        return progress

    def grid(self, cells: Sequence[Step]) -> None:
        """Play the cells, beginning anew after each difference that may have changed something. Raises Stopped."""
        progress = self.begun("requests of the grid", len(cells))
        skipped: dict[str, Counter[str]] = {why: Counter() for why in (_NOTHING, _MISSING, _ECHO)}
        scene = self._ready()
        try:
            for cell in cells:
                why = self._why_not(cell.operation)
                played = None if why else self._played(cell, scene)
                if played is None:
                    skipped[why or _NOTHING][cell.operation] += 1
                    progress.skipped += 1
                    continue
                progress.done += 1
                self._count(played)
                if played.differences:
                    self._add("grid", [*self._given(), cell], [played])
                    scene = scene if played.operation.method == "get" else self._anew(scene)
        finally:
            self._clean(scene)
            self._report.notes += [f"grid: {_listed(found)} not sent: {why}" for why, found in skipped.items() if found]

    def walk(self, seed: int, *, writes: int = 60) -> None:
        """Take one random walk, up to its first difference. Raises Stopped."""
        scene = self._ready()
        steps = self._given()
        try:
            walk = Walk(Random(seed), scene, self._stage, self._stage.presence.missing)  # noqa: S311 (no secret)
            for step in walk.steps(writes):
                steps.append(step)
                played = self._played(step, scene)
                if played is not None and played.differences:
                    self._clean(scene)
                    self._shrink(steps, played)
                    break
        finally:
            self._clean(scene)

    def _scene(self) -> Scene:
        self._number += 1
        return Scene(f"{self._run}-x{self._number}", casting(_PARTS, [*self._stage.community.personas]))  # type: ignore[arg-type]

    def _ready(self) -> Scene:
        """A scene with a row of each kind. What is made on one side only is left out from then on, so that both sides
        are alike. Raises Stopped."""
        scene = self._scene()
        try:
            while not self._prepare(scene):
                self._clean(scene)
                scene = self._scene()
        except BaseException:
            self._clean(scene)
            raise
        return scene

    def _anew(self, scene: Scene) -> Scene:
        self._clean(scene)
        return self._ready()

    def _given(self) -> list[Step]:
        """The steps that make a row of each kind, as far as both sides do."""
        return [step for step in everything() if step.save not in self._unmade and step.operation not in self._unmade]

    def _prepare(self, scene: Scene) -> bool:
        """Make a row of each kind. Returns whether both sides have made the same."""
        given = self._given()
        for number, step in enumerate(given):
            played = self._played(step, scene)
            if played is not None and played.differences:
                self._add("grid", given[: number + 1], [played])
            if played is not None and not (played.is_alike and step.save in ("", *scene.rows)):
                self._unmade.add(step.save or step.operation)
                return False
        return True

    def _why_not(self, operation: str) -> str:
        """Why no more requests for an operation are sent; empty if they are."""
        presence = self._stage.presence
        if presence.is_missing(operation) and presence.refused(operation) >= _ENOUGH:
            return _MISSING
        return _ECHO if self._alike[operation] >= _ENOUGH else ""

    def _count(self, played: Played) -> None:
        """Count how often an operation has differed in the same way, time and again."""
        name, key = played.operation.id, _key(played) if played.differences else None
        self._alike[name] = self._alike[name] + 1 if key is not None and key == self._last.get(name) else bool(key)
        self._last[name] = key

    def _played(self, step: Step, scene: Scene) -> Played | None:
        """A step as it was played; None if something is missing that it is about."""
        try:
            return play(self._stage, step, scene)
        except (CatalogueError, KeyError):
            return None

    def _shrink(self, steps: Sequence[Step], played: Played) -> None:
        """Find a shorter sequence with the same difference at its end, and report that."""
        wanted = _key(played)

        def differs(some: Sequence[Step]) -> Played | None:
            scene = self._scene()
            last: Played | None = None
            try:
                for step in some:
                    last = self._played(step, scene)
            finally:
                self._clean(scene)
            return last if last is not None and last.differences and _key(last) == wanted else None

        found = shortest(steps, differs, _SHRUNK)
        title = "a random walk" if found else "a random walk, seen only once: the steps as they were sent"
        self._add("walk", found[0] if found else steps, [found[1] if found else played], title)

    def _add(self, source: str, steps: Sequence[Step], played: Sequence[Played], title: str = "") -> None:
        last = played[-1]
        for difference in last.differences[:1]:
            sent = [curl(last.requests[1])]
            rules = self._stage.rules_of(last.operation)
            self._report.add(Finding(last.operation, difference, rules, source, title or source, steps, sent))

    def _clean(self, scene: Scene) -> None:
        self._report.notes += [f"left behind: {left}" for left in clean_up(self._stage, scene)]


def _listed(found: Mapping[str, int]) -> str:
    """Operations, and how many requests there are for each."""
    return f"{sum(found.values()):,} requests ({', '.join(f'{name} {number}' for name, number in found.items())})"


def _key(played: Played) -> tuple[str, str, str]:
    """The same for differences with the same cause."""
    first = played.differences[0]
    return played.operation.id, first.place, first.kind
