"""Delta debugging: which of many sites make a command fail, in few runs.

A set that fails is halved, by operation and then by place, until each set that is left fails alone and cannot be made
smaller. Where one half passes, the other one must be why, and is not tried before it is small.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Protocol

from stubserver.variants.site import Site

Sites = Sequence[Site]


class Fails(Protocol):
    """Runs a command."""

    def __call__(self, sites: Sites, again: bool = False) -> bool:
        """Whether it fails with these variants. What is known is not run again, unless that is wanted."""


class Halving:
    """Searches the sets of sites that fail alone."""

    def __init__(self, fails: Fails, last: Callable[[Sites], str], suspects: Collection[str] = ()) -> None:
        """`last` names the operation that answered last in the run with some sites; `suspects` are operations and
        places (`OPERATION PLACE`) that have failed with another kind. They are tried first."""
        self._fails = fails
        self._last = last
        self._suspects = suspects
        self.unexplained: list[Sites] = []
        """Sets that failed once and, asked again by halves, did not: the command is flaky."""

    def causes(self, failing: Sites) -> list[Sites]:
        """The smallest sets that fail, in a set that does."""
        found = self._causes(failing)
        if found is None:
            found = [] if self._is_unexplained(failing) else [self._together([], failing, False)]
        return found

    def _is_unexplained(self, failing: Sites) -> bool:
        """Whether a set that has failed does not fail again; note it."""
        if self._fails(failing, again=True):
            return False
        self.unexplained.append(failing)
        return True

    def _causes(self, failing: Sites) -> list[Sites] | None:
        """None if no part of the set fails, so that either several together do, or the command is flaky."""
        if len(failing) == 1:
            return [failing] if self._fails(failing) else None
        first, second = self._halves(failing)
        if not self._fails(first):
            return self._causes(second)
        found = self.causes(first)
        return [*found, *(self.causes(second) if self._fails(second) else [])]

    def _halves(self, failing: Sites) -> tuple[Sites, Sites]:
        """Two parts, the more suspicious one first."""
        for suspicious in self._guesses(failing):
            first = [site for site in failing if site in suspicious]
            if 0 < len(first) < len(failing):
                return first, [site for site in failing if site not in suspicious]
        middle = len(failing) // 2
        return failing[:middle], failing[middle:]

    def _guesses(self, failing: Sites) -> Iterator[Sites]:
        operations = list(dict.fromkeys(site.operation for site in failing))
        if len(failing) > 2:
            yield [site for site in failing if f"{site.operation} {site.place}" in self._suspects]
        last = self._last(failing)
        yield [site for site in failing if site.operation == last]
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
