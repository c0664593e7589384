"""Numbers, times and texts as fixtures write them."""

import random

import pytest

from stubserver.authoring.draws import DAY, ago, between, capped


def test_a_range_includes_both_ends() -> None:
    draws = random.Random(1)  # noqa: S311
    assert {between(draws, (2, 4)) for _ in range(100)} == {2, 3, 4}
    assert between(draws, (7, 7)) == 7


@pytest.mark.parametrize(
    ("minutes", "text"), [(1, "-1m"), (2 * DAY - 1, "-2879m"), (2 * DAY, "-48h"), (2 * DAY + 59, "-48h")]
)
def test_times_are_to_the_hour_after_two_days(minutes: int, text: str) -> None:
    assert ago(minutes) == text


def test_what_is_longer_ago_stays_so() -> None:
    """A fixture has room for five digits, which are eleven years."""
    hours = [int(ago(age)[1:-1]) for age in range(2 * DAY, 11 * 365 * DAY, 1000)]
    assert hours == sorted(hours)
    assert hours[-1] <= 99999


@pytest.mark.parametrize(("most", "text"), [(11, "Hello world"), (10, "Hello wor…"), (7, "Hello…"), (1, "…")])
def test_a_long_text_is_cut(most: int, text: str) -> None:
    assert capped("Hello world", most) == text
