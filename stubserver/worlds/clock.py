"""The time of a world."""

from datetime import UTC, datetime, timedelta

EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
"""Between these a clock may be, so that a century of drip days can be counted on."""


class Clock:
    """The time of one world: the real one until it is frozen, set or advanced."""

    __slots__ = ("_ahead", "_frozen", "since", "until")

    def __init__(self) -> None:
        self._frozen: datetime | None = None
        self._ahead = timedelta()
        self.since, self.until = EARLIEST, LATEST

    def now(self) -> datetime:
        """The moment, in UTC."""
        self.until = EARLIEST
        return self._frozen if self._frozen is not None else datetime.now(UTC) + self._ahead

    def watch(self) -> datetime:
        """The moment, too. From here on `since` and `until` tell between which moments all that has been asked of
        the clock would have had the same answer."""
        now = self.now()
        self.since, self.until = EARLIEST, LATEST
        return now

    def has_come(self, moment: datetime) -> bool:
        """Whether it is this moment, or later."""
        since, until = self.since, self.until
        has_come = moment <= self.now()
        self.since = max(since, moment) if has_come else since
        self.until = until if has_come else min(until, moment)
        return has_come

    def freeze(self, moment: datetime | None = None) -> None:
        """Stop at `moment` (default: now)."""
        self._frozen = (moment or self.now()).astimezone(UTC)

    def advance(self, by: timedelta) -> None:
        """Move on by `by`, frozen or not."""
        if self._frozen is not None:
            self._frozen += by
        else:
            self._ahead += by

    def set(self, moment: datetime) -> None:
        """Run on from `moment`, or stand still there if frozen."""
        if self._frozen is not None:
            self.freeze(moment)
        else:
            self._ahead = moment - datetime.now(UTC)

    def release(self) -> None:
        """Run with the real time again."""
        self._frozen, self._ahead = None, timedelta()

    @property
    def frozen(self) -> bool:
        """Whether it stands still."""
        return self._frozen is not None

    @property
    def ahead(self) -> timedelta:
        """How far it is before the real time; nothing where it stands still."""
        return timedelta() if self.frozen else self._ahead

    def copy(self) -> "Clock":
        """Another clock that shows the same."""
        copied = Clock()
        copied._frozen, copied._ahead = self._frozen, self._ahead
        return copied
