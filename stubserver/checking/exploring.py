"""Playing steps that nobody has thought of, the cells of the grid and the walks, and showing what differs shortly."""

from collections.abc import Iterable, Sequence
from random import Random

from stubserver.checking.catalogue import CatalogueError, Step
from stubserver.checking.cleaning import clean_up
from stubserver.checking.curl import curl
from stubserver.checking.findings import Finding, Report
from stubserver.checking.ingredients import everything
from stubserver.checking.playing import play
from stubserver.checking.shrinking import shortest
from stubserver.checking.stage import Played, Scene, Stage
from stubserver.checking.telling import casting
from stubserver.checking.walks import Walk

_PARTS = ("creator", "member", "stranger")
_SHRUNK = 40
"""How often a sequence is played again, at most, to shorten it."""


class Explorer:
    """Plays the grid and the walks."""

    def __init__(self, stage: Stage, report: Report, run: str) -> None:
        """The names of all that is made begin with `run`."""
        self._stage = stage
        self._report = report
        self._run = run
        self._number = 0

    @property
    def missing(self) -> str:
        """Who is missing for this; empty if nobody is."""
        found = casting(_PARTS, list(self._stage.community.personas))
        return found if isinstance(found, str) else ""

    def grid(self, cells: Iterable[Step]) -> None:
        """Play the cells, beginning anew after each difference. Raises Stopped."""
        scene = self._scene()
        try:
            self._prepare(scene)
            for cell in cells:
                played = self._played(cell, scene)
                if played is not None and played.differences:
                    self._add("grid", [*everything(), cell], [played])
                    self._clean(scene)
                    scene = self._scene()
                    self._prepare(scene)
        finally:
            self._clean(scene)

    def walk(self, seed: int, *, writes: int = 60) -> None:
        """Take one random walk, up to its first difference. Raises Stopped."""
        scene = self._scene()
        steps: list[Step] = [*everything()]
        try:
            self._prepare(scene)
            for step in Walk(Random(seed), scene, self._stage).steps(writes):  # noqa: S311 (no secret)
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

    def _prepare(self, scene: Scene) -> None:
        """Make a row of each kind."""
        for number, step in enumerate(everything()):
            played = self._played(step, scene)
            if played is not None and played.differences:
                self._add("grid", everything()[: number + 1], [played])

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


def _key(played: Played) -> tuple[str, str, str]:
    """The same for differences with the same cause."""
    first = played.differences[0]
    return played.operation.id, first.place, first.kind
