"""The shortest sequence of steps that still shows a difference at its end."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from stubserver.checking.catalogue import Step

_T = TypeVar("_T")


def shortest(
    steps: Sequence[Step], shows: Callable[[Sequence[Step]], _T | None], most: int
) -> tuple[Sequence[Step], _T] | None:
    """A shorter sequence with the same last step that `shows` something, and what it shows; None if even the whole does
    not show it again. `shows` is called at most so often: half of the steps are left out at a time, then a quarter, and
    so on (delta debugging)."""
    found = shows(steps)
    if found is None:
        return None
    best, last, tries = list(steps[:-1]), steps[-1], 1
    size = max(1, len(best) // 2)
    while tries < most:
        at, is_shorter = 0, False
        while at < len(best) and tries < most:
            shorter = [*best[:at], *best[at + size :]]
            tries += 1
            if (shown := shows([*shorter, last])) is not None:
                best, found, is_shorter = shorter, shown, True
            else:
                at += size
        if size == 1 and not is_shorter:
            break
        size = max(1, size // 2)
    return [*best, last], found
