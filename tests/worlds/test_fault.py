"""Faults as data: their draws, their delays, and how often they may fire."""

from typing import Any

import pytest

from stubserver.worlds.fault import Fault
from tests.support.faults import DEFAULTS


def fault(number: int = 1, server_seed: int = 0, **wanted: Any) -> Fault:
    return Fault.of(number, {**DEFAULTS, "kind": "latency", **wanted}, f"{server_seed} w")


def delays(fault: Fault, count: int = 4000) -> list[float]:
    found = []
    for _ in range(count):
        fault, seconds = fault.fire()
        found.append(seconds)
    return found


# Delays


def test_a_fixed_delay_is_always_the_same() -> None:
    """Whatever `at_most` says."""
    assert set(delays(fault(seconds=0.25))) == {0.25}
    assert set(delays(fault(seconds=30, at_most=10))) == {30.0}
    assert set(delays(fault(seconds=0))) == {0.0}


def test_a_uniform_delay_lies_anywhere_between() -> None:
    found = delays(fault(distribution="uniform", seconds=1, at_most=3))
    assert 1 <= min(found) < 1.01
    assert 2.99 < max(found) <= 3
    assert sum(found) / len(found) == pytest.approx(2, abs=0.05)


@pytest.mark.parametrize(("seconds", "at_most"), [(3, 3), (5, 3)])
def test_a_uniform_delay_is_never_longer_than_at_most(seconds: float, at_most: float) -> None:
    assert set(delays(fault(distribution="uniform", seconds=seconds, at_most=at_most))) == {3.0}


def test_an_exponential_delay_has_its_mean() -> None:
    found = delays(fault(distribution="exponential", seconds=0.5, at_most=60), 20_000)
    assert sum(found) / len(found) == pytest.approx(0.5, rel=0.05)
    assert sorted(found)[len(found) // 2] == pytest.approx(0.5 * 0.6931, rel=0.05)  # the median of the distribution
    assert min(found) >= 0


def test_an_exponential_delay_is_never_longer_than_at_most() -> None:
    found = delays(fault(distribution="exponential", seconds=1, at_most=2))
    assert max(found) == 2
    assert 0.08 < found.count(2) / len(found) < 0.2  # the tail of the distribution, e to the power -2


def test_an_exponential_delay_of_nothing_is_none() -> None:
    assert set(delays(fault(distribution="exponential", seconds=0))) == {0.0}


@pytest.mark.parametrize("distribution", ["uniform", "exponential"])
def test_delays_are_the_same_in_every_run(distribution: str) -> None:
    wanted: dict[str, Any] = {"distribution": distribution, "seconds": 1, "at_most": 9}
    first = delays(fault(**wanted), 20)
    assert first == delays(fault(**wanted), 20)
    others = [
        fault(number=2, **wanted),
        fault(server_seed=1, **wanted),
        fault(**wanted, seed=1),
    ]
    assert all(delays(other, 20) != first for other in others)


def test_only_latency_draws_its_delay() -> None:
    wanted: dict[str, Any] = {"distribution": "uniform", "seconds": 2, "at_most": 9}
    assert set(delays(fault(kind="drip", **wanted), 20)) == {2.0}
    assert fault(kind="drip", **wanted).fire()[0].drawn == 0


# State


def test_a_fault_that_is_put_back_draws_the_same_again() -> None:
    """Whatever it, or one with the same seed, has drawn in the meantime."""
    first, _ = fault(probability=0.5).tried()
    expected = [first.tried()[1] for _ in range(3)]
    drawn = [first]
    for _ in range(40):
        drawn.append(drawn[-1].tried()[0])
    results = [one.tried()[1] for one in drawn]
    assert [one.tried()[1] for one in drawn] == results
    assert [first.tried()[1] for _ in range(3)] == expected
    assert len(set(results)) == 2


def test_a_fault_does_not_change() -> None:
    one = fault(probability=0.5, times=1)
    after, _ = one.fire()
    assert (one.fired, after.fired) == (0, 1)
    assert (one.is_spent, after.is_spent) == (False, True)


def test_a_certain_fault_draws_nothing() -> None:
    one, is_due = fault(probability=1).tried()
    assert (one.drawn, is_due) == (0, True)
