"""Rows of worlds as fixtures write them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from stubserver.contract.contract import Contract
from stubserver.fixtures.check import moment, moments
from stubserver.fixtures.fixture import defaults_of
from stubserver.worlds.base import Row

_NONE = object()


class Writing:
    """Writes rows for fixtures that are loaded at a time."""

    def __init__(self, schema: Mapping[str, Any], contract: Contract, now: datetime) -> None:
        """`schema` is that of fixtures; relative times count from `now`."""
        self._items = {
            table: part["items"]
            for table, part in schema["properties"].items()
            if "items" in part and "properties" in part["items"]
        }
        self._times = {table: {*moments(item)} for table, item in self._items.items()}
        self._defaults = {table: defaults_of(table, schema, contract) for table in self._items}
        self._now = now

    def written(self, table: str, row: Row, known: Row | None) -> dict[str, Any]:
        """A row without what it has by default. `known` is what the fixture says of the row: a time that is still the
        same stays relative there; others are absolute."""
        if table == "attempts":
            row = {**row, "responses": _responses(row)}
        found = {}
        for field in self._items[table]["properties"]:
            value = row.get(field)
            if isinstance(value, datetime):
                value = self._time(value, known[field] if known and field in known else None)
            if value != self._defaults[table].get(field, _NONE):
                found[field] = value
        return found

    def _time(self, value: datetime, known: str | None) -> str:
        return known if known is not None and moment(known, self._now) == value else value.isoformat()

    def means_the_same(self, table: str, one: Row, other: Row) -> bool:
        """Whether two rows of fixtures make the same row of a world."""
        return self._completed(table, one) == self._completed(table, other)

    def _completed(self, table: str, row: Row) -> Row:
        found = {**self._defaults[table], **row}
        for field in self._times[table]:
            found[field] = moment(found.get(field), self._now)
        return found


def _responses(attempt: Row) -> list[dict[str, Any]]:
    return [
        {
            "question_id": question["id"],
            "selected_options": [answer["id"] for answer in question["answers"] if answer["selected"]],
        }
        for question in attempt["questions"]
    ]
