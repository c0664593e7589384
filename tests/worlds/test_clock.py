"""The clock of a world: frozen, advanced, set, released, and watched."""

import sys
import time
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from types import SimpleNamespace

import pytest

from stubserver.worlds import clock as module
from stubserver.worlds.clock import EARLIEST, LATEST, Clock, check_moment
from tests.support.default import NOW


def runs(clock: Clock, ahead: timedelta = timedelta()) -> bool:
    """Whether the clock shows the real time plus this much."""
    earliest = datetime.now(UTC) + ahead
    shown = clock.now()
    return earliest <= shown <= datetime.now(UTC) + ahead and shown.tzinfo is UTC


def test_clock_runs_until_it_is_frozen() -> None:
    clock = Clock()
    assert runs(clock)
    clock.freeze(NOW)
    assert clock.now() == clock.now() == NOW
    clock.freeze(datetime(2026, 11, 23, 14, 0, tzinfo=timezone(timedelta(hours=2))))
    assert clock.now() == NOW
    assert clock.now().tzinfo is UTC


def test_clock_freezes_at_the_moment_it_shows() -> None:
    clock = Clock()
    clock.advance(timedelta(days=3))
    clock.freeze()
    moment = clock.now()
    assert clock.now() == moment
    assert timedelta(days=3) - (moment - datetime.now(UTC)) < timedelta(minutes=1)


@pytest.mark.parametrize("by", [timedelta(days=3), timedelta(days=-1), timedelta(microseconds=1)])
def test_clock_advances_frozen_or_not(by: timedelta) -> None:
    clock = Clock()
    clock.advance(by)
    clock.advance(by)
    assert runs(clock, 2 * by)
    clock.freeze(NOW)
    clock.advance(by)
    clock.advance(by)
    assert clock.now() == NOW + 2 * by


def test_a_clock_shows_some_times_only() -> None:
    """`tests/cli/test_options.py` has the messages."""
    for moment in (EARLIEST, NOW, LATEST - timedelta(microseconds=1)):
        check_moment(moment)
    for moment in (EARLIEST - timedelta(microseconds=1), LATEST, NOW.replace(tzinfo=None)):
        with pytest.raises(ValueError, match=r"1970 to 2199|no offset"):
            check_moment(moment)


def test_clock_shows_the_real_time_when_released() -> None:
    clock = Clock()
    clock.advance(timedelta(days=3))
    clock.freeze(NOW)
    clock.advance(timedelta(days=3))
    clock.release()
    assert runs(clock)


def test_clock_tells_between_which_moments_it_would_say_the_same() -> None:
    clock = Clock()
    clock.freeze(NOW)
    hours = [timedelta(hours=number) for number in (-2, -1, 0, 1, 2)]
    assert clock.watch() == NOW
    assert [clock.has_come(NOW + by) for by in hours] == [True, True, True, False, False]
    assert (clock.since, clock.until) == (NOW, NOW + timedelta(hours=1))
    clock.watch()
    assert (clock.since, clock.until) == (EARLIEST, LATEST)


@pytest.mark.parametrize("later", [timedelta(hours=-1), timedelta(hours=1)])
def test_clock_says_the_same_at_no_other_moment_once_it_was_read(later: timedelta) -> None:
    clock = Clock()
    clock.watch()
    clock.now()
    clock.has_come(clock.now() + later)
    assert clock.until == EARLIEST


class Frozen(datetime):
    """A datetime as freezegun puts it into every module while time is frozen."""

    @classmethod
    def now(cls, tz: object = None) -> "Frozen":
        return cls(1999, 12, 31, tzinfo=UTC)


def test_clock_follows_the_real_time_while_freezegun_has_frozen_the_module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: 0)
    monkeypatch.setattr(module, "datetime", Frozen)
    clock = Clock()
    assert runs(clock)
    clock.set(LATEST - timedelta(days=1))
    assert clock.ahead > timedelta(days=30_000)


@pytest.mark.parametrize("travels", [True, False])
def test_clock_follows_the_real_time_with_time_machine(monkeypatch: pytest.MonkeyPatch, travels: bool) -> None:
    """Which replaces the function itself while it travels, wherever that is kept; then only its escape hatch works."""
    real = datetime.now

    def now(zone: tzinfo) -> datetime:
        if not travels:
            raise ValueError("Not currently time-travelling.")
        return real(zone)

    found = SimpleNamespace(datetime=SimpleNamespace(now=now))
    hatch = SimpleNamespace(is_travelling=lambda: travels, datetime=found)
    monkeypatch.setitem(sys.modules, "time_machine", SimpleNamespace(escape_hatch=hatch))
    monkeypatch.setattr(module, "_REAL", {"now": Frozen.now if travels else real})
    assert runs(Clock())
    travels = False  # as if another thread ended the journey between two steps
    monkeypatch.setattr(hatch, "is_travelling", lambda: True)
    monkeypatch.setattr(module, "_REAL", {"now": real})
    assert runs(Clock())


def test_clock_shows_a_plain_datetime_even_if_it_is_frozen_at_another() -> None:
    """Only plain ones can be written as JSON."""
    clock = Clock()
    clock.freeze(Frozen(2026, 11, 23, 14, 0, tzinfo=timezone(timedelta(hours=2))))
    assert clock.now() == NOW
    assert type(clock.now()) is datetime
