"""Delta debugging, on commands that are functions of what varies."""

import random
from collections.abc import Collection

import pytest

from stubserver.variants.halving import Halving, Sites
from stubserver.variants.site import Site

ALL = [Site(f"op{number // 10}", f"/f{number % 10}", "null") for number in range(100)]


class Counted:
    """A command that fails when it is sent any of some sets, and counts its runs."""

    def __init__(self, *weak: Collection[Site]) -> None:
        self._weak = [frozenset(one) for one in weak]
        self._known: dict[frozenset[Site], bool] = {}
        self.runs = 0

    def __call__(self, sites: Sites, again: bool = False) -> bool:
        key = frozenset(sites)
        if again or key not in self._known:
            self.runs += 1
            self._known[key] = any(one <= key for one in self._weak)
        return self._known[key]

    def last(self, sites: Sites) -> str:
        """The operation of the first weakness, at which a program would have ended."""
        return next((site.operation for site in sites if frozenset([site]) in self._weak), "")


@pytest.mark.parametrize("number", range(0, 100, 7))
def test_one_weakness_is_found_in_few_runs(number: int) -> None:
    command = Counted([ALL[number]])
    assert [*Halving(command, lambda _: "").causes(ALL)] == [[ALL[number]]]
    assert command.runs <= 13


def test_where_it_ended_makes_it_quicker() -> None:
    command = Counted([ALL[57]])
    assert Halving(command, command.last).causes(ALL) == [[ALL[57]]]
    assert command.runs <= 8


def test_what_has_failed_with_another_kind_is_tried_first() -> None:
    command = Counted([ALL[57]])
    assert Halving(command, lambda _: "", {"op5 /f7"}).causes(ALL) == [[ALL[57]]]
    assert command.runs <= 3


@pytest.mark.parametrize("seed", range(20))
def test_all_weaknesses_are_found(seed: int) -> None:
    """Single ones, in any number."""
    chance = random.Random(seed)  # noqa: S311
    weak = chance.sample(ALL, chance.randint(1, 12))
    command = Counted(*([site] for site in weak))
    search = Halving(command, command.last)
    assert sorted(map(tuple, search.causes(ALL))) == sorted((site,) for site in weak)
    assert search.unexplained == []


@pytest.mark.parametrize("seed", range(20))
def test_what_fails_only_together_is_found_together(seed: int) -> None:
    weak = random.Random(seed).sample(ALL, 2 + seed % 3)  # noqa: S311
    command = Counted(weak)
    (cause,) = Halving(command, lambda _: "").causes(ALL)
    assert {*cause} == {*weak}


def test_a_single_one_and_two_together() -> None:
    command = Counted([ALL[3]], [ALL[40], ALL[90]])
    found = {frozenset(cause) for cause in Halving(command, lambda _: "").causes(ALL)}
    assert frozenset([ALL[3]]) in found


def test_a_failure_that_does_not_come_again_is_unexplained() -> None:
    answers = iter([True])

    def once(sites: Sites, again: bool = False) -> bool:
        return next(answers, False)

    assert once(ALL)
    search = Halving(once, lambda _: "")
    assert search.causes(ALL) == []
    assert search.unexplained == [ALL]
