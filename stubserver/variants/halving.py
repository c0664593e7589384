"""Delta debugging: which of many sites make a command fail, in few runs.

What was not sent before it failed cannot be why, so it is put aside at first. The rest is halved, by clues of the run
that has failed and then in the middle, until one site is left. Where one half passes, the other one must be why, and is
not tried before it is small. If all but what was found passes, that was all.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import NamedTuple, Protocol

from stubserver.variants.site import Site

Sites = Sequence[Site]
FEW = 3
"""So many sites that are suspicious from before are tried one by one; more of them, together."""


class Fails(Protocol):
    """Runs a command."""

    def __call__(self, sites: Sites, again: bool = False) -> bool:
        """Whether it fails with these variants. What is known is not run again, unless that is wanted."""


class Clue(NamedTuple):
    """What a run that has failed says about why."""

    sent: Collection[str] = ()
    """The keys of the sites that made a difference in it; empty if that is not known."""
    last: str = ""
    """The operation whose varied answer came last."""
    words: Collection[str] = ()
    """The words at the end of its output, which may be the names of fields."""


class Halving:
    """Searches the sets of sites that fail alone."""

    def __init__(self, fails: Fails, clue: Callable[[Sites], Clue], suspects: Collection[str] = ()) -> None:
        """`clue` is that of the smallest run with some sites that has failed; `suspects` are operations and places
        (`OPERATION PLACE`) that have failed with another kind. They are tried first."""
        self._fails = fails
        self._clue = clue
        self._suspects = suspects
        self.unexplained: list[Sites] = []
        """Sets that failed once and, asked again by halves, did not: the command is flaky."""

    def causes(self, failing: Sites) -> list[Sites]:
        """The smallest sets that fail, in a set that does."""
        suspicious = self._suspicious(self._sent(failing))
        found: list[Sites] = []
        aside: list[Sites] = []
        if len(suspicious) <= FEW:
            found = [[site] for site in suspicious if self._fails([site])]
        if not found:
            found, aside = self._first(failing)
        left = _without(failing, found)
        if not found or not left or not self._fails(left):
            return found
        more = [cause for part in reversed(aside) if part and self._fails(part) for cause in self.causes(part)]
        return [*found, *(more or self.causes(left))]

    def _first(self, failing: Sites) -> tuple[list[Sites], list[Sites]]:
        """One set that fails, if the command is not flaky, and the parts that were put aside: they may fail, too."""
        part, known = self._sent(failing), failing
        aside = [_without(failing, [part])]
        while len(part) > 1:
            first, second = self._halves(part)
            if self._fails(first):
                part, known = self._sent(first), first
                aside += [second, _without(first, [part])]
            else:
                part = second
        if self._fails(part):
            return [part], aside
        if self._is_unexplained(known):
            return [], aside
        return [self._together([], known, False)], aside

    def _is_unexplained(self, failing: Sites) -> bool:
        """Whether a set that has failed does not fail again; note it."""
        if self._fails(failing, again=True):
            return False
        self.unexplained.append(failing)
        return True

    def _sent(self, failing: Sites) -> Sites:
        """Those that made a difference before it failed."""
        keys = self._clue(failing).sent
        return [site for site in failing if site.key in keys] or failing

    def _suspicious(self, sites: Sites) -> Sites:
        return [site for site in sites if f"{site.operation} {site.place}" in self._suspects]

    def _halves(self, failing: Sites) -> tuple[Sites, Sites]:
        """Two parts, the more suspicious one first."""
        for first in self._guesses(failing):
            if 0 < len(first) < len(failing):
                return first, _without(failing, [first])
        middle = len(failing) // 2
        return failing[:middle], failing[middle:]

    def _guesses(self, failing: Sites) -> Iterator[Sites]:
        clue = self._clue(failing)
        if len(failing) > 2:
            yield self._suspicious(failing)
        last = [site for site in failing if site.operation == clue.last]
        named = [site for site in last or failing if site.place.rpartition("/")[2] in clue.words]
        if len(named) <= len(failing) / 2:
            yield named
        yield last
        operations = list(dict.fromkeys(site.operation for site in failing))
        half = operations[: len(operations) // 2]
        yield [site for site in failing if site.operation in half]

    def _together(self, with_: Sites, failing: Sites, is_new: bool) -> Sites:
        """The smallest part of a set that fails together with other sites (QuickXplain)."""
        if is_new and self._fails(with_):
            return []
        if len(failing) == 1:
            return failing
        middle = len(failing) // 2
        first, second = failing[:middle], failing[middle:]
        of_second = self._together([*with_, *first], second, True)
        of_first = self._together([*with_, *of_second], first, bool(of_second))
        return [*of_first, *of_second]


def _without(sites: Sites, parts: Collection[Sites]) -> Sites:
    gone = {site for part in parts for site in part}
    return [site for site in sites if site not in gone]
