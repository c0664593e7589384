"""The counters in a file of SQLite. All of it happens within a transaction, but for looking at them."""

from collections import Counter
from collections.abc import Iterable, Mapping

import orjson

from stubserver.stores.sqlite_file import SqliteFile

_APART = 256
"""How many times a process adds to the counters before it sums them up: a turn then writes one page, not several."""


class SqliteCounters:
    """All counters."""

    def __init__(self, file: SqliteFile) -> None:
        self._file = file
        self._apart = 0
        """How many additions this process has not summed up."""

    def add(self, counted: Mapping[str, int]) -> None:
        """Add to counters."""
        if any(counted.values()):
            self._file.all("INSERT INTO counted (counts) VALUES (?)", orjson.dumps(counted))
            self._apart += 1
        if self._apart >= _APART:
            self._sum_up()

    def reset(self, prefix: str) -> None:
        """Delete the counters whose names begin with this."""
        self._sum_up()
        self._file.all("DELETE FROM counters WHERE substr(name, 1, ?) = ?", len(prefix), prefix)

    def _sum_up(self) -> None:
        """Add to the counters what has been counted apart from them."""
        self._apart = 0
        apart = self._file.all("DELETE FROM counted RETURNING counts")
        added = "INSERT INTO counters VALUES (?, ?) ON CONFLICT DO UPDATE SET value = value + excluded.value"
        self._file.many(added, (count for count in _sum(apart).items() if count[1]))

    def all(self) -> Mapping[str, int]:
        """What there is."""
        # one statement, so that nobody sums up in between
        rows = self._file.all("SELECT name, value FROM counters UNION ALL SELECT NULL, counts FROM counted")
        found = Counter({name: value for name, value in rows if name is not None})
        found.update(_sum((counts,) for name, counts in rows if name is None))
        return {name: value for name, value in found.items() if value}


def _sum(rows: Iterable[tuple[bytes]]) -> Counter[str]:
    """What was counted in all."""
    total: Counter[str] = Counter()
    for (counts,) in rows:
        total.update(orjson.loads(counts))
    return total
