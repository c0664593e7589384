"""Rules that are pure arithmetic, case by case."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from stubserver.api import rules
from stubserver.contract.contract import Contract
from stubserver.worlds.clock import Clock
from tests.support.default import NOW

DAY = timedelta(days=1)
STATUSES = ("creator", "manager", "joined", "invited", "requested", None)


def test_the_words_are_those_of_the_contract(contract: Contract) -> None:
    """R101, R201."""
    assert set(rules.PRIVACIES) == set(contract.schema("CoursePrivacy")["enum"])
    assert {*rules.STATUSES, None} == {*contract.schema("JoinStatus")["enum"], None}


@pytest.mark.parametrize(
    ("privacy", "expected"),
    [
        ("open", STATUSES),
        ("private", STATUSES),
        ("secret", ("creator", "manager", "joined", "invited")),
        ("", ("creator", "manager")),
    ],
)
def test_visible(privacy: str, expected: tuple[str | None, ...]) -> None:
    """R101-R104: drafts are for the creator and managers, secret courses for anyone at least invited."""
    assert tuple(status for status in STATUSES if rules.visible(privacy, status)) == expected


@pytest.mark.parametrize(
    ("privacy", "expected"),
    [
        ("open", STATUSES),
        ("private", ("creator", "manager", "joined", "invited")),
        ("secret", ("creator", "manager", "joined", "invited")),
        ("", ("creator", "manager")),
    ],
)
def test_sees_everything(privacy: str, expected: tuple[str | None, ...]) -> None:
    """R102-R105: of those who see a course at all, only outsiders of a private course get its lock screen."""
    seen = [status for status in STATUSES if rules.visible(privacy, status)]
    assert tuple(status for status in seen if rules.sees_everything(privacy, status)) == expected


@pytest.mark.parametrize(
    ("done", "total", "expected"),
    [
        (0, 0, 0),
        (0, 1, 0),
        (1, 1, 100),
        (1, 2, 50),
        (1, 3, 33),
        (2, 3, 67),
        (1, 8, 13),  # 12.5, half up
        (3, 8, 38),  # 37.5, half up
        (1, 6, 17),
        (1, 200, 1),  # 0.5, half up
        (1, 201, 0),
        (199, 200, 99),  # 99.5, but not all is done
        (999, 1000, 99),
        (1000, 1000, 100),
    ],
)
def test_percentage(done: int, total: int, expected: int) -> None:
    """R131: rounded half up, but 100 only when everything is done; 0 if there is nothing to do."""
    assert rules.percentage(done, total) == expected


@pytest.mark.parametrize(
    ("rates", "expected"),
    [([], 0), ([0], 0), ([100], 100), ([0, 1], 1), ([1, 2], 2), ([0, 0, 1], 0), ([0, 1, 1], 1), ([50, 51], 51)],
)
def test_mean(rates: list[int], expected: int) -> None:
    """R132: a whole number, rounded half up; 0 if there are no members."""
    assert rules.mean(iter(rates)) == expected


@pytest.mark.parametrize(
    ("kind", "section", "joined_at", "expected"),
    [
        ("self-paced", {"dripped_at": NOW, "drip_delay": 3}, NOW, None),
        ("scheduled", {"dripped_at": NOW, "drip_delay": 3}, NOW - DAY, NOW),
        ("scheduled", {"dripped_at": NOW, "drip_delay": 3}, None, NOW),
        ("scheduled", {"dripped_at": None, "drip_delay": 3}, NOW, None),
        ("structured", {"dripped_at": NOW, "drip_delay": 3}, NOW - DAY, NOW + 2 * DAY),
        ("structured", {"dripped_at": None, "drip_delay": 0}, NOW, NOW),
        ("structured", {"dripped_at": NOW, "drip_delay": 3}, None, None),
    ],
)
def test_available_date(
    kind: str, section: dict[str, Any], joined_at: datetime | None, expected: datetime | None
) -> None:
    """R313, R314, R317: the fixed date if scheduled, so many days after joining if structured, otherwise none."""
    assert rules.available_date(kind, section, joined_at) == expected


@pytest.mark.parametrize(
    ("available", "expected"),
    [(NOW - DAY, True), (NOW, True), (NOW + timedelta(microseconds=1), False), (NOW + DAY, False)],
)
def test_a_section_opens_on_the_very_moment(available: datetime, expected: bool) -> None:
    """R313, R314, R317."""
    clock = Clock()
    clock.freeze(NOW)
    assert clock.has_come(available) is expected


@pytest.mark.parametrize(
    ("done", "expected"), [("", 0), ("0", 1), ("1", 1), ("110", 3), ("1101", 3), ("010", 1), ("111", 3)]
)
def test_open_in_order(done: str, expected: int) -> None:
    """R315: every lesson up to and including the first uncompleted one is open, whatever was completed after it."""
    assert rules.open_in_order(digit == "1" for digit in done) == expected


@pytest.mark.parametrize(
    ("order", "wanted", "expected"),
    [
        ([1, 2, 3], [3, 2, 1], [3, 2, 1]),
        ([1, 2, 3], [3], [3, 1, 2]),
        ([2, 1, 3], [3], [3, 2, 1]),
        ([1, 2, 3], [], [1, 2, 3]),
        ([1, 2, 3], [2, 2, 1, 2], [2, 1, 3]),
        ([], [], []),
    ],
)
def test_reordered(order: list[int], wanted: list[int], expected: list[int]) -> None:
    """R124: listed items come first, each once; the rest follow in their old order."""
    before = list(order)
    assert rules.reordered(order, wanted) == expected
    assert order == before


def test_statuses() -> None:
    """R114, R125, R132, R201: who runs a course, who is inside, who counts as a student, and who is staff."""
    assert set(rules.MANAGING) == {"creator", "manager"}
    assert set(rules.MEMBERS) == {"creator", "manager", "joined"}
    assert set(rules.STUDENTS) == {"manager", "joined"}
    assert set(rules.STAFF) == {"admin", "moderator", "editor"}
