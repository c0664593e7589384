"""Checks of the rows that a snapshot in a file brings: the schemas and references of fixtures, for rows as worlds hold
them.

An edited file may have a matching checksum, and a world of impossible rows would fail later, far from the cause.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from stubserver.contract.contract import Contract
from stubserver.contract.schema import Validator, echo
from stubserver.errors import Refusal, invalid
from stubserver.fixtures.fixture import ORDERS, defaults_of, schema_of
from stubserver.fixtures.references import REFERENCES, UNIQUE
from stubserver.worlds.base import FixtureTable, Key, Row
from stubserver.worlds.table import Table

_MOMENTS = {"moment": {"type": "string"}, "moment_or_none": {"type": "string", "nullable": True}}
"""Times in rows are never relative; `_is_moment` checks them."""
_REFERENCES = {**REFERENCES, "grants": {"user_id": "users", "client_id": "apps"}}
_TABLE = {"next_id", "rows"}
_ENTRY = {"key", "row", "times"}
_MAX_ID = 2**53 - 1
"""The largest id: integers up to this are exact in JavaScript."""
_CENTURY = timedelta(days=36525)
"""What is added to times, at most."""


class RowChecks:
    """The checks of one server. They take time in proportion to the rows of the file and, if it deletes some, of its
    fixture."""

    def __init__(self, contract: Contract) -> None:
        schema = schema_of(contract)
        self._contract, self._schema = contract, schema
        document = {**contract.document, "definitions": {**schema["definitions"], **_MOMENTS}}
        self._fields: dict[str, Mapping[str, Any]] = {}
        self._times: dict[str, list[str]] = {}
        self._validators: dict[str, Validator] = {}
        for table, stored in schema["stored"].items():
            written = schema["properties"].get(table, {}).get("items", {}).get("properties", {})
            fields = {**written, **stored.get("properties", {})}
            fields = {name: part for name, part in fields.items() if part is not None}
            self._fields[table] = fields
            self._times[table] = sorted(name for name, part in fields.items() if "moment" in part.get("$ref", ""))
            row = {"type": "object", "additionalProperties": False, "required": [*fields], **stored}
            self._validators[table] = contract.validator({**row, "properties": _inlined(fields, document)})

    def upgraded(self, table: str, content: Mapping[str, Any]) -> Mapping[str, Any]:
        """A table of a file from an older version, as this version would have written it: fields that are new since
        have their defaults, if they have any, and fields that are gone are left out."""
        fields = self._fields.get(table, {})
        defaults = defaults_of(table, self._schema, self._contract)
        return {**content, "rows": [_upgraded(entry, fields, defaults) for entry in content["rows"]]}

    def entries(self, table: str, content: Mapping[str, Any], base: FixtureTable) -> None:
        """Check each entry of a table by itself. Raises a 400 refusal that names the place."""
        if content.keys() != _TABLE:
            raise _refusal(table, "must be an object with next_id and rows")
        entries = content["rows"]
        if not isinstance(entries, list):
            raise _refusal(f"{table}.rows", "must be a list")
        if entries and table not in self._validators:
            raise _refusal(f"{table}.rows", "must be empty, because no request changes this table")
        seen: set[Key] = set()
        for index, entry in enumerate(entries):
            try:
                key = self._checked_key(table, entry, base)
                if key in seen:
                    raise _Wrong(".key", f"{echo(entry['key'])} occurs twice")
            except _Wrong as wrong:
                raise _refusal(f"{table}[{index}]{wrong.field}", wrong.reason) from None
            seen.add(key)

    def _checked_key(self, table: str, entry: Any, base: FixtureTable) -> Key:
        """The key of an entry. Raises _Wrong."""
        if not isinstance(entry, dict) or entry.keys() != _ENTRY:
            raise _Wrong("", "must be an object with key, row and times")
        key = tuple(entry["key"]) if isinstance(entry["key"], list) else entry["key"]
        if not all(type(part) in (int, str) for part in (key if isinstance(key, tuple) else (key,))):
            raise _Wrong(".key", "must be an id, or a list of ids and names")
        if entry["row"] is None:
            if key not in base.rows:
                raise _Wrong(".key", f"the fixture has no row {echo(entry['key'])} that could be deleted")
            if entry["times"] != []:
                raise _Wrong(".times", "must be [], because the row is deleted")
            return key
        self._check_row(table, entry["row"], entry["times"])
        if key != base.key_of(entry["row"]):
            raise _Wrong(".key", f"{echo(entry['key'])} is not the key of this row")
        return key

    def _check_row(self, table: str, row: Any, times: Any) -> None:
        """Raises _Wrong for a row that the API could not have made."""
        validator = self._validators[table]
        if not validator.fits(row):
            problem = next(validator.problems(row))
            raise _Wrong("" if problem.field == "non_field_errors" else f".{problem.field}", problem.message)
        expected = [name for name in self._times[table] if row[name] is not None]
        if not isinstance(times, list) or sorted(map(str, times)) != expected:
            raise _Wrong(".times", f"must be {echo(expected)}")
        for name in expected:
            if not _is_moment(row[name], is_added_to=name != "dripped_at"):
                raise _Wrong(f".{name}", f"{echo(row[name])} is no date and time that a world can have")

    def tables(self, tables: Mapping[str, Table]) -> None:
        """Check the tables of a world together. Raises a 400 refusal that names the place."""
        for name, table in tables.items():
            _check_next_id(name, table, tables)
            for field in UNIQUE.get(name, ()):
                _check_unique(name, field, table)
        for name, references in _REFERENCES.items():
            if name in tables:
                _check_references(name, references, tables)
        for parents, order, children, field in ORDERS:
            _check_orders(parents, order, tables[parents], tables[children], field)
        _check_threads(tables["comments"])


def _upgraded(entry: Any, fields: Mapping[str, Any], defaults: Row) -> Any:
    if entry["row"] is None:
        return entry
    row = {name: value for name, value in {**defaults, **entry["row"]}.items() if name in fields}
    return {**entry, "row": row, "times": [name for name in entry["times"] if name in fields]}


class _Wrong(Exception):
    """Something is wrong with an entry; `field` is the place in it."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field = field
        self.reason = reason


def _refusal(place: str, reason: str) -> Refusal:
    return invalid("tables", "invalid", f"tables.{place}: {reason}")


def _wrong_row(table: str, key: Key, reason: str) -> Refusal:
    return _refusal(table, f"row {echo(key)}: {reason}")


def _inlined(schema: Any, document: Mapping[str, Any]) -> Any:
    """The schema with what it refers to in place of references, and without `uniqueItems`: the API stores lists as they
    are sent."""
    if isinstance(schema, list):
        return [_inlined(part, document) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        found: Any = document
        for step in schema["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        return _inlined(found, document)
    return {key: _inlined(part, document) for key, part in schema.items() if key != "uniqueItems"}


def _is_moment(text: str, is_added_to: bool) -> bool:
    """Whether a text is a time with an offset, and small enough to add what is added to it."""
    try:
        moment = datetime.fromisoformat(text)
        return moment.tzinfo is not None and (not is_added_to or bool(moment + _CENTURY))
    except (ValueError, OverflowError):
        return False


def _check_next_id(name: str, table: Table, tables: Mapping[str, Table]) -> None:
    changes = table.snapshot()
    used = [row["id"] for row in _changed(table) if "id" in row]
    if name == "answers":  # they are stored in their questions
        used = [answer["id"] for row in _changed(tables["questions"]) for answer in row["answers"]]
        if len(set(used)) < len(used):
            raise _refusal("questions", "an id of an answer occurs twice")
    least = max(table.base.next_id, 1 + max(used, default=0))
    if type(changes.next_id) is not int or not least <= changes.next_id <= _MAX_ID:
        raise _refusal(f"{name}.next_id", f"{echo(changes.next_id)} is not valid; it must be {least} or more")


def _check_unique(name: str, field: str, table: Table) -> None:
    for row in _changed(table):
        if len(table.keys(field, row[field])) > 1:
            raise _wrong_row(name, table.base.key_of(row), f"{field}: another row has {echo(row[field])}, too")


def _check_references(name: str, references: Mapping[str, str], tables: Mapping[str, Table]) -> None:
    """Check the changed rows, and all of them if rows that they may refer to were deleted."""
    table = tables[name]
    for field, target in references.items():
        is_complete = None not in tables[target].snapshot().rows.values()
        for row in _changed(table) if is_complete else table:
            value = row[field]
            for number in value if isinstance(value, list) else [value]:
                if number is not None and number not in tables[target]:
                    reason = f"{field}: there is no row {echo(number)} in {target}"
                    raise _wrong_row(name, table.base.key_of(row), reason)


def _check_orders(name: str, order: str, parents: Table, children: Table, field: str) -> None:
    """Check that rows list those that belong to them, each of them once."""
    affected = [*parents.snapshot().rows]
    for key, child in children.snapshot().rows.items():
        affected += [row[field] for row in (children.base.rows.get(key), child) if row is not None]
    for key in dict.fromkeys(affected):
        row = parents.get(key)
        if row is not None and sorted(row[order]) != [*children.keys(field, key)]:
            belonging = echo([*children.keys(field, key)])
            raise _wrong_row(name, key, f"{order}: must list the rows that belong to it: {belonging}")


def _check_threads(comments: Table) -> None:
    """Check the two levels of comments (R502, R503)."""
    for row in _changed(comments):
        parent = None if row["parent"] is None else comments[row["parent"]]
        answered = None if row["in_reply_to"] is None else comments[row["in_reply_to"]]
        if parent is not None and (parent["parent"] is not None or parent["lesson_id"] != row["lesson_id"]):
            raise _wrong_row("comments", row["id"], "parent: must be a first-level comment of the same lesson")
        if answered is not None and (parent is None or answered["parent"] != row["parent"] or answered is row):
            raise _wrong_row("comments", row["id"], "in_reply_to: must be another reply to the same comment")


def _changed(table: Table) -> Iterator[Row]:
    """The rows that the file brings."""
    return (row for row in table.snapshot().rows.values() if row is not None)
