"""A fixture of recorded answers of the real API: what they show, without people's names, pictures and words, and with
defaults where they say nothing."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from stubserver.authoring.answers import Answers
from stubserver.authoring.completing import PARENTS, TABLES, Completing
from stubserver.authoring.fixture_text import fixture_text
from stubserver.authoring.har_file import Exchange
from stubserver.authoring.known import Known, Row
from stubserver.authoring.people import Names, comment_of, replaced
from stubserver.contract.contract import Contract
from stubserver.fixtures import check, references
from stubserver.fixtures.fixture import defaults_of, schema_of
from stubserver.fixtures.mistakes import Problem

_TEXTS = (
    *("name", "slug", "slogan", "description", "text", "title", "url", "embed", "image"),
    *("meta_title", "meta_description", "og_title", "og_description"),
)
"""The fields that may mention people."""
_MOST_TOKENS = 20
_ROUNDS = 100
"""How often mistakes are looked for after some have been removed."""


class NothingRecorded(Exception):
    """The recording has no answer to make a fixture of; the message says so in one line."""


@dataclass(frozen=True)
class Made:
    """A fixture, and what was not known."""

    data: Mapping[str, Any]
    unknown: Sequence[str]
    """What has a default because no answer says it, each in one line."""
    odd: int
    """How many answers had another form than the contract says."""

    def text(self, heading: Sequence[str], more: Sequence[str] = ()) -> str:
        """As YAML, with comments on top; `more` are further lines for them."""
        return fixture_text(self.data, [*heading, *(f"- {line}" for line in (*self.unknown, *more))])


def from_har(exchanges: Iterable[Exchange], contract: Contract, now: datetime) -> Made:
    """The fixture of what the exchanges show. Raises NothingRecorded."""
    answers = Answers(contract)
    odd = answers.read(exchanges)
    if not any(answers.known.tables.values()):
        raise NothingRecorded("no answer in it shows a course, a person or anything else that fixtures have")
    return _Making(answers.known, contract, now).made(odd)


class _Making:
    """Makes the content of a fixture."""

    def __init__(self, known: Known, contract: Contract, now: datetime) -> None:
        self._known, self._contract, self._now = known, contract, now
        self._schema = schema_of(contract)
        self._rows = Completing(known)

    def made(self, odd: int) -> Made:
        """The fixture."""
        self._rows.complete()
        data = self._data()
        self._without_mistakes(data)
        return Made(self._without_defaults(data), [*self._lines()], odd)

    def _data(self) -> dict[str, Any]:
        names = Names(self._rows.tables["users"])
        found: dict[str, Any] = {"about": "Made of recorded answers, without names and words of people."}
        allowed = self._schema["properties"]["preferences"]["properties"]
        preferences = {
            name: names.replaced(value)
            for name, value in self._known.preferences.items()
            if name in allowed and value != allowed[name]["default"] and not str(value).startswith("http")
        }
        if preferences:
            found["preferences"] = preferences
        if self._known.features:
            found["features"] = self._known.features
        found["personas"] = [*self._personas()]
        for table in TABLES:
            rows = [_named(table, row, names) for row in self._in_order(table)]
            if rows:
                found[table] = rows
        found.setdefault("users", [])
        return found

    def _personas(self) -> Iterator[Row]:
        """A token for each caller, and for those who made courses."""
        creators = [row["created_by"] for row in self._rows.tables["courses"].values()]
        callers = [*dict.fromkeys(self._known.callers.values())]
        for number in [*dict.fromkeys([*callers, *creators])][:_MOST_TOKENS]:
            token = self._known.tokens.get(number, "")
            role = "caller" if number in callers else "creator"
            yield {"token": token if token.startswith("stub-") else f"stub-user-{number}", "user": number, "role": role}

    def _in_order(self, table: str) -> list[Row]:
        """The rows as the answers showed them, and the others by id."""
        places = {
            number: place
            for (ordered, _), numbers in self._known.orders.items()
            if ordered == table
            for place, number in enumerate(numbers)
        }
        rows = self._rows.tables[table]
        if table in ("memberships", "completions"):
            return [rows[key] for key in sorted(rows)]
        parent = PARENTS.get(table, ("id", ""))[0]
        return sorted(rows.values(), key=lambda row: (row[parent], places.get(row["id"], len(rows)), row["id"]))

    def _without_mistakes(self, data: dict[str, Any]) -> None:
        """Take out of the data whatever no fixture may say, such as a value that the contract does not know."""
        for _ in range(_ROUNDS):
            found = [*check.problems(data, self._schema, self._now), *references.problems(data, {})]
            if not found:
                return
            rows: set[tuple[str, int]] = set()
            for problem in found:
                self._repair(data, problem, rows)
            for table, index in sorted(rows, reverse=True):
                del data[table][index]
                self._rows.dropped[table] += 1

    def _repair(self, data: dict[str, Any], problem: Problem, rows: set[tuple[str, int]]) -> None:
        """Remove a field that may be missing, or else note the row to remove."""
        table, *rest = map(str, problem.path)
        if table not in TABLES or not rest:
            removed = data[table].pop(rest[0], None) if table == "preferences" and rest else data.pop(table, None)
            self._rows.unknown["preferences", "value"] += removed is not None
            return
        row, field = data[table][int(rest[0])], rest[1] if rest[1:] else ""
        if field in row and field not in self._schema["properties"][table]["items"]["required"]:
            del row[field]
            self._rows.unknown[table, field] += 1
        else:
            rows.add((table, int(rest[0])))

    def _without_defaults(self, data: dict[str, Any]) -> dict[str, Any]:
        for table in (table for table in TABLES if table in data):
            defaults = defaults_of(table, self._schema, self._contract)
            required = self._schema["properties"][table]["items"]["required"]
            data[table] = [
                {name: value for name, value in row.items() if name in required or defaults.get(name, row) != value}
                for row in data[table]
            ]
        return data

    def _lines(self) -> Iterator[str]:
        for (table, field), number in sorted(self._rows.unknown.items()):
            if number:
                yield f"not recorded: {field} of {number} {'row' if number == 1 else 'rows'} in {table}"
        for table, number in sorted(self._rows.dropped.items()):
            yield f"left out: {number} {'row' if number == 1 else 'rows'} in {table} of which too little is known"
        for what, which in sorted(self._known.hidden.items()):
            if number := len(which - self._rows.tables["attempts"].keys()):
                yield f"left out: {what}: {number}"
        if self._known.nameless:
            yield f"not recorded: whose status answers show, for want of GET /user/me/: {self._known.nameless}"


def _named(table: str, row: Row, names: Names) -> Row:
    """A row without what tells who people are."""
    if table == "users":
        return replaced(row)
    if table == "comments":
        return {**row, "text": comment_of(row["id"])}
    found = {name: names.replaced(value) if name in _TEXTS else value for name, value in row.items()}
    if table == "questions":
        found["answers"] = [{**answer, "text": names.replaced(answer["text"])} for answer in row["answers"]]
    return found
