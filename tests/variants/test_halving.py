"""Delta debugging, on commands that are functions of what varies."""

import random
from collections.abc import Collection

import pytest

from stubserver.variants.halving import Clue, Halving, Sites
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

    def ended(self, sites: Sites) -> Clue:
        """What is known of a program that has ended at the first weakness, after all sites before it."""
        first = next((number for number, site in enumerate(sites) if frozenset([site]) in self._weak), -1)
        return Clue([site.key for site in sites[: first + 1]], sites[first].operation) if first >= 0 else Clue()

    def last(self, sites: Sites) -> Clue:
        """The operation alone."""
        return Clue((), self.ended(sites).last)


def nothing(_: Sites) -> Clue:
    """No clue."""
    return Clue()


@pytest.mark.parametrize("number", range(0, 100, 7))
def test_one_weakness_is_found_in_few_runs(number: int) -> None:
    command = Counted([ALL[number]])
    assert [*Halving(command, nothing).causes(ALL)] == [[ALL[number]]]
    assert command.runs <= 10


def test_where_it_ended_makes_it_quicker() -> None:
    command = Counted([ALL[57]])
    assert Halving(command, command.last).causes(ALL) == [[ALL[57]]]
    assert command.runs <= 6
    sooner = Counted([ALL[3]])
    assert Halving(sooner, sooner.ended).causes(ALL) == [[ALL[3]]]
    assert sooner.runs <= 4


def test_what_was_not_sent_before_is_tried_at_last() -> None:
    """It had no chance to fail, and has a weakness of its own."""
    command = Counted([ALL[1]], [ALL[88]])
    assert Halving(command, command.ended).causes(ALL) == [[ALL[1]], [ALL[88]]]
    assert command.runs <= 11


def test_fields_that_the_output_names_are_tried_first() -> None:
    command = Counted([ALL[57]])
    assert Halving(command, lambda _: Clue((), "op5", {"f7", "f0"})).causes(ALL) == [[ALL[57]]]
    assert command.runs <= 4


def test_what_has_failed_with_another_kind_is_tried_first() -> None:
    command = Counted([ALL[57]])
    assert Halving(command, nothing, {"op5 /f7"}).causes(ALL) == [[ALL[57]]]
    assert command.runs <= 3


def test_a_few_suspects_are_tried_one_by_one_and_many_together() -> None:
    command = Counted([ALL[57]], [ALL[31]])
    assert Halving(command, nothing, {"op5 /f7", "op3 /f1"}).causes(ALL) == [[ALL[31]], [ALL[57]]]
    assert command.runs <= 3
    many = Counted([ALL[57]])
    assert Halving(many, nothing, {f"op5 /f{number}" for number in range(10)}).causes(ALL) == [[ALL[57]]]
    assert many.runs <= 6


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
    (cause,) = Halving(command, nothing).causes(ALL)
    assert {*cause} == {*weak}


def test_a_failure_that_does_not_come_again_is_unexplained() -> None:
    answers = iter([True])

    def once(sites: Sites, again: bool = False) -> bool:
        return next(answers, False)

    assert once(ALL)
    search = Halving(once, nothing)
    assert search.causes(ALL) == []
    assert search.unexplained == [ALL]


def test_what_was_put_aside_may_fail_only_together() -> None:
    """Each half of the rest passes, yet the rest fails."""
    command = Counted([ALL[3]], [ALL[40], ALL[90]])
    found = {frozenset(cause) for cause in Halving(command, nothing).causes(ALL)}
    assert found == {frozenset([ALL[3]]), frozenset([ALL[40], ALL[90]])}
