"""The clock of a world, and the real time that it follows."""

import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta

EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
"""The range of a clock, LATEST excluded. It leaves room to add a century of drip days."""
_REAL = {"now": datetime.now}
"""Python's own function, in a place where freezegun replaces nothing."""


def real_time() -> datetime:
    """The current time, in UTC, even if a test has frozen Python's: a server in the thread of a test process would
    follow the test's time otherwise, and one in another process would not."""
    time_machine = sys.modules.get("time_machine")  # it replaces the function itself, and offers a way around
    if time_machine and time_machine.escape_hatch.is_travelling():
        with suppress(ValueError):  # which says that another thread has just ended the journey
            return _plain(time_machine.escape_hatch.datetime.datetime.now(UTC))
    return _REAL["now"](UTC)


def _plain(moment: datetime) -> datetime:
    """The same moment in UTC as a plain datetime, which freezegun's are not."""
    return EARLIEST + (moment - EARLIEST)


def check_moment(moment: datetime) -> None:
    """Raises ValueError, with the reason in one line, for a time that no clock can show."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no offset from UTC: write {moment.isoformat()}Z, for example.")
    if not EARLIEST <= moment < LATEST:
        raise ValueError(f"The clock covers the years {EARLIEST.year} to {LATEST.year - 1}.")


Setting = tuple[datetime | None, timedelta]
"""The time at which a clock stands, or None, and how far it is ahead of real time while it does not stand."""


class Clock:
    """The time of one world: real time until the clock is frozen, set or advanced."""

    __slots__ = ("_ahead", "_frozen", "since", "until")

    def __init__(self) -> None:
        self._frozen: datetime | None = None
        self._ahead = timedelta()
        self.since, self.until = EARLIEST, LATEST

    def now(self) -> datetime:
        """The current time, in UTC. What depends on it must not be cached, so `until` moves to the past."""
        self.until = EARLIEST
        return self._frozen if self._frozen is not None else real_time() + self._ahead

    def watch(self) -> datetime:
        """The current time, in UTC. Later calls narrow the period from `since` to `until` to the times at which they
        would return the same; within that period, results that depend on them can be cached."""
        now = self.now()
        self.since, self.until = EARLIEST, LATEST
        return now

    def has_come(self, moment: datetime) -> bool:
        """Whether `moment` is now or in the past."""
        since, until = self.since, self.until
        has_come = moment <= self.now()
        self.since = max(since, moment) if has_come else since
        self.until = until if has_come else min(until, moment)
        return has_come

    def freeze(self, moment: datetime | None = None) -> None:
        """Stop at `moment` (default: now)."""
        self._frozen = _plain(moment or self.now())

    def advance(self, by: timedelta) -> None:
        """Move forward by `by`, frozen or not."""
        if self._frozen is not None:
            self._frozen += by
        else:
            self._ahead += by

    def set(self, moment: datetime) -> None:
        """Jump to `moment`; a frozen clock stays frozen there, another runs on."""
        if self._frozen is not None:
            self.freeze(moment)
        else:
            self._ahead = moment - real_time()

    def release(self) -> None:
        """Return to real time."""
        self._frozen, self._ahead = None, timedelta()

    @property
    def frozen(self) -> bool:
        """Whether the clock stands still."""
        return self._frozen is not None

    @property
    def ahead(self) -> timedelta:
        """How far it is ahead of real time; zero if it stands still."""
        return timedelta() if self.frozen else self._ahead

    @property
    def setting(self) -> "Setting":
        """How it is set."""
        return self._frozen, self._ahead

    @classmethod
    def of(cls, setting: "Setting") -> "Clock":
        """A clock that is set in this way."""
        clock = cls()
        clock._frozen, clock._ahead = setting
        return clock

    def copy(self) -> "Clock":
        """An independent clock that shows the same time."""
        return Clock.of(self.setting)
