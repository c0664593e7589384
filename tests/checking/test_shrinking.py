"""The shortest sequence that still shows something."""

from collections.abc import Sequence

import pytest

from stubserver.checking.catalogue import Step
from stubserver.checking.shrinking import shortest

STEPS = [Step("creator", f"step{number}") for number in range(20)]


def shows(*needed: int) -> tuple[list[int], object]:
    """A judge that wants some of the steps, in order, and the lengths that it was asked about."""
    asked: list[int] = []

    def judge(some: Sequence[Step]) -> str | None:
        asked.append(len(some))
        assert some[-1] == STEPS[-1]
        return "shown" if all(STEPS[number] in some for number in needed) else None

    return asked, judge


@pytest.mark.parametrize("needed", [(), (0,), (3, 11), (0, 1, 2, 18), tuple(range(19))])
def test_only_what_is_needed_is_left(needed: tuple[int, ...]) -> None:
    _, judge = shows(*needed)
    assert shortest(STEPS, judge, 500) == ([STEPS[number] for number in (*needed, 19)], "shown")  # type: ignore[arg-type]


def test_it_gives_up_in_time() -> None:
    asked, judge = shows(3, 11)
    found: tuple[Sequence[Step], object] | None = shortest(STEPS, judge, 6)  # type: ignore[arg-type]
    assert len(asked) == 6
    assert found is not None
    assert STEPS[3] in found[0]
    assert STEPS[11] in found[0]


def test_what_is_not_seen_again_is_said() -> None:
    assert shortest(STEPS, lambda _: None, 10) is None


def test_one_step_is_short_enough() -> None:
    assert shortest(STEPS[-1:], lambda _: 1, 10) == ([STEPS[-1]], 1)
