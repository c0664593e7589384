"""What can be wrong with the content of a fixture, and where: its schema, keys, references, dates."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import jsonschema_rs

from stubserver.contract.schema import code_and_message, draft4, echo
from stubserver.suggestions import unknown
from stubserver.worlds.snapshot import TABLES
from stubserver.worlds.table import Row, reader

REFERENCES = {
    "personas": {"user": "users"},
    "users": {"hidden_users": "users"},
    "courses": {"created_by": "users", "categories": "categories"},
    "sections": {"course_id": "courses"},
    "lessons": {"section_id": "sections", "created_by": "users", "medias": "medias"},
    "questions": {"lesson_id": "lessons"},
    "attempts": {"lesson_id": "lessons", "user_id": "users"},
    "comments": {
        "lesson_id": "lessons",
        "created_by": "users",
        "parent": "comments",
        "in_reply_to": "comments",
        "medias": "medias",
    },
    "memberships": {"course_id": "courses", "user_id": "users"},
    "completions": {"user_id": "users", "lesson_id": "lessons"},
}
"""Table -> field -> the table that the field's ids refer to."""
UNIQUE = {"users": ["username"], "courses": ["name", "slug"], "personas": ["token"]}
"""Table -> fields of which no two rows have the same value."""
_DATE = "write 2025-01-25T10:00:00Z, or with an offset like +01:00, or -3d for three days ago"
_UNITS = {"d": "days", "h": "hours", "m": "minutes"}
_MAX_ERRORS = 100
"""Errors among which the one to report is looked for."""
_MAX_LISTED = 10
"""Ids that a message lists."""


class Wrong(Exception):
    """Something is wrong at a place in the fixture; the message says what, and what would be right, in one line."""

    def __init__(self, path: Sequence[str | int], message: str) -> None:
        """`path` is the keys and positions that lead to the place."""
        place = ".".join(map(str, path)) or "the file"
        super().__init__(" ".join(f"{place}: {message.rstrip('.')}".split()))
        self.path = path


def check(data: Any, schema: Mapping[str, Any]) -> None:
    """Check the content of a fixture's file. Raises Wrong."""
    _check_schema(data, schema)
    for table, (key, _) in TABLES.items():
        _check_unique(table, key, data.get(table, []))
    for table, fields in UNIQUE.items():
        for field in fields:
            _check_unique(table, (field,), data.get(table, []))
    _check_answers(data.get("questions", []))
    _check_references(data)


def moments(item: Mapping[str, Any]) -> list[str]:
    """The fields of a table that hold dates; `item` is the schema of its rows."""
    return [name for name, part in item["properties"].items() if "moment" in part.get("$ref", "")]


def moment(path: Sequence[str | int], text: str | None, now: datetime) -> datetime | None:
    """The time that a text at a place of the fixture means; relative ones count from `now`. Raises Wrong."""
    if text is None:
        return None
    try:
        if text[0] in "+-":
            return now + timedelta(**{_UNITS[text[-1]]: int(text[:-1])})
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Wrong(path, f"{echo(text)} is no date and time that exists: {_DATE}") from None


def _check_schema(data: Any, schema: Mapping[str, Any]) -> None:
    if data is None:
        raise Wrong((), "it is empty: a fixture has at least a name and users")
    validator = jsonschema_rs.Draft4Validator(draft4(schema), validate_formats=True)
    errors = [*islice(validator.iter_errors(data), _MAX_ERRORS)]
    if errors:
        here = (error for error in errors if error.instance_path == errors[0].instance_path)
        # A misspelt name explains why the right one is missing.
        raise _wrong(next((error for error in here if error.kind.name == "additionalProperties"), errors[0]), schema)


def _wrong(error: Any, schema: Mapping[str, Any]) -> Wrong:
    """What an error of the validator says, with what would be right."""
    keyword, detail, path = error.kind.name, error.kind.as_dict(), [*error.instance_path]
    if keyword == "required":
        path.append(detail["property"])
    elif keyword == "additionalProperties":
        name = detail["unexpected"][0]
        return Wrong([*path, name], unknown("field", name, _known(schema, error.schema_path[:-1])))
    elif len(path) == 3 and path[2] in moments(schema["properties"][path[0]]["items"]):
        return Wrong(path, _no_moment(error.instance))
    return Wrong(path, code_and_message(keyword, detail, error.instance)[1])


def _known(schema: Any, path: Iterable[Any]) -> Iterable[str]:
    """The fields that the schema at a place in the schema has."""
    whole = schema
    for step in path:
        if step == "$ref":
            for part in schema["$ref"].removeprefix("#/").split("/"):
                schema = whole = whole[part]
        schema = schema[step]
    fields: Iterable[str] = schema.get("properties", ())
    return fields


def _no_moment(value: Any) -> str:
    with suppress(TypeError, ValueError):
        meant = datetime.fromisoformat(value)
        if meant.tzinfo is not None:
            return f"{echo(value)} is not spelt right: write {meant.isoformat()}"
        return f"{echo(value)} has no offset from UTC: write {meant.isoformat()}Z, or with an offset like +01:00"
    return f"{echo(value)} is no date and time: {_DATE}"


def _check_unique(table: str, fields: tuple[str, ...], rows: Sequence[Row]) -> None:
    read = reader(fields)
    if len({read(row) for row in rows}) < len(rows):
        raise _repeated("+".join(fields), (((table, index, fields[0]), read(row)) for index, row in enumerate(rows)))


def _check_answers(questions: Sequence[Row]) -> None:
    ids = [answer["id"] for question in questions for answer in question["answers"]]
    if len({*ids}) < len(ids):
        raise _repeated(
            "id",
            (
                (("questions", index, "answers", place, "id"), answer["id"])
                for index, question in enumerate(questions)
                for place, answer in enumerate(question["answers"])
            ),
        )


def _repeated(what: str, values: Iterable[tuple[Sequence[str | int], Any]]) -> Wrong:
    """The second place that has a value which is there twice."""
    first: dict[Any, Sequence[str | int]] = {}
    for path, value in values:
        if value in first:
            other = ".".join(map(str, first[value][:-1]))
            return Wrong(path, f"{what} {value!r} is that of {other} already: each needs its own")
        first[value] = path
    raise AssertionError(f"no {what} is there twice")


def _check_references(data: Mapping[str, Any]) -> None:
    ids = {table: {row["id"] for row in data.get(table, []) if "id" in row} for table in TABLES}
    for table, references in REFERENCES.items():
        for index, row in enumerate(data.get(table, [])):
            for field, target in references.items():
                value = row.get(field)
                for number in value if isinstance(value, list) else [value]:
                    if number is not None and number not in ids[target]:
                        raise Wrong((table, index, field), _no_row(number, target, ids[target]))


def _no_row(number: int, table: str, ids: set[int]) -> str:
    listed = ", ".join(map(str, islice(sorted(ids), _MAX_LISTED)))
    more = " and more" if len(ids) > _MAX_LISTED else ""
    right = f"the ids there are {listed}{more}" if ids else "there are none"
    return f"there is no row {number} in {table}: {right}"
