"""Fixtures: YAML or JSON files that worlds start from, validated against the contract's schemas before use."""

import gc
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema_rs
import yaml

from stubserver.api.grading import graded
from stubserver.contract.contract import Contract
from stubserver.contract.merging import load_yaml
from stubserver.contract.resources import folder
from stubserver.contract.schema import draft4
from stubserver.fixture_file import DuplicateKey, parsed
from stubserver.worlds.clock import real_time
from stubserver.worlds.table import FixtureRow, FixtureTable, Row, reader
from stubserver.worlds.world import TABLES, Fixture

_SCHEMA = Path(__file__).parent / "fixture_schema.yaml"
COMPLETED_FROM = {
    "users": "User",
    "categories": "Category",
    "courses": "CourseWrite",
    "questions": "QuestionWrite",
    "comments": "CommentWrite",
    "medias": "Media",
}
"""Table -> the schema whose documented defaults fill in what its rows leave out."""
_REFERENCES = {
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
_UNIQUE = {"users": ["username"], "courses": ["name", "slug"], "personas": ["token"]}
_EXAMPLE = "2031-05-01T09:00:00Z, for example, or -3d"
_UNITS = {"d": "days", "h": "hours", "m": "minutes"}


class FixtureError(Exception):
    """The fixture cannot be loaded; the message gives the file, the place in it and the reason, in one line."""


def names() -> list[str]:
    """Names of the fixtures that ship with the package."""
    return sorted(file.stem for file in folder("fixtures").glob("*.yaml"))


def load(name: str, contract: Contract, now: datetime | None = None) -> Fixture:
    """Load a fixture by name, or from a file. Relative times count from `now` (default: the current time).

    Raises FixtureError.
    """
    file = folder("fixtures") / f"{name}.yaml" if name in names() else Path(name)
    try:
        data, digest = _read(file)
    except (FileNotFoundError, IsADirectoryError):
        raise FixtureError(f"unknown fixture {name!r}: use one of {', '.join(names())}, or a file") from None
    except DuplicateKey as error:
        raise FixtureError(f"{file}:{error.line}: {error}") from None
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise FixtureError(f"{file}: {' '.join(str(error).split())}") from None
    try:
        with _without_collector():
            return _fixture(data, contract, now or real_time(), digest)
    except FixtureError as error:
        raise FixtureError(f"{file}: {error}") from None


def _read(file: Path) -> tuple[Any, str]:
    """The parsed content of a file, and a digest of its text."""
    text = file.read_text(encoding="utf-8")
    return parsed(text, file), hashlib.sha256(text.encode()).hexdigest()


@contextmanager
def _without_collector() -> Iterator[None]:
    """Pause the garbage collector: rows are not garbage, and it would scan the growing number of them repeatedly."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _fixture(data: Any, contract: Contract, now: datetime, digest: str) -> Fixture:
    """Build the fixture that worlds share. The rows in `data` are released table by table, so that a large fixture is
    never in memory twice."""
    schema = {**load_yaml(_SCHEMA.read_text(encoding="utf-8")), "components": contract.document["components"]}
    _validate(data, schema)
    _check_keys(data)
    written = [table for table in TABLES if table in schema["properties"]]
    rows = {table: list(_completed(table, data.pop(table, None), schema, contract, now)) for table in written}
    rows["answers"] = [answer for question in rows["questions"] for answer in question["answers"]]
    _check_unique("answers", "id", (answer["id"] for answer in rows["answers"]))
    _set_orders(rows)
    _grade(rows)
    personas = _with_defaults(data.get("personas", []), schema["properties"]["personas"]["items"], schema)
    preferences = [data.get("preferences", {})]
    return Fixture(
        name=data["name"],
        tables={table: FixtureTable(*TABLES[table], rows.get(table, ())) for table in TABLES},
        preferences=next(_with_defaults(preferences, schema["properties"]["preferences"], schema)),
        features=tuple(data.get("features", schema["properties"]["features"]["default"])),
        tokens={persona["token"]: persona["user"] for persona in data.get("personas", [])},
        personas=tuple(personas),
        moment=now,
        digest=digest,
    )


def _validate(data: Any, schema: Mapping[str, Any]) -> None:
    validator = jsonschema_rs.Draft4Validator(draft4(schema), validate_formats=True)
    try:
        first = next(validator.iter_errors(data), None)
        if first is None:
            return
        place, reason = ".".join(map(str, first.instance_path)), first.message
    except ValueError:  # YAML can hold values that JSON cannot, such as dates
        place, reason = "the file", "it contains a number that JSON cannot represent"
    import jsonschema  # slower, but with better messages

    errors = jsonschema.Draft4Validator(draft4(schema)).iter_errors(data)
    for error in sorted(errors, key=lambda error: [str(step) for step in error.absolute_path]):
        place = ".".join(str(step) for step in error.absolute_path) or "the file"
        raise FixtureError(f"{place}: {' '.join(error.message.split())}")
    raise FixtureError(f"{place}: {' '.join(reason.split())}")


def _check_keys(data: Mapping[str, Any]) -> None:
    """Check what JSON Schema cannot express: keys are unique, and references point to existing rows."""
    ids = {table: {row["id"] for row in data.get(table, []) if "id" in row} for table in TABLES}
    for table, (key, _) in TABLES.items():
        _check_unique(table, "+".join(key), map(reader(key), data.get(table, [])))
    for table, fields in _UNIQUE.items():
        for field in fields:
            _check_unique(table, field, (row[field] for row in data.get(table, [])))
    for table, references in _REFERENCES.items():
        for index, row in enumerate(data.get(table, [])):
            for field, target in references.items():
                value = row.get(field)
                for number in value if isinstance(value, list) else [value]:
                    if number is not None and number not in ids[target]:
                        raise FixtureError(f"{table}.{index}.{field}: there is no row {number} in {target}")


def _check_unique(table: str, field: str, values: Iterable[Any]) -> None:
    for value, times in Counter(values).items():
        if times > 1:
            raise FixtureError(f"{table}: {field} {value!r} occurs {times} times")


def _completed(
    table: str, given: Iterable[Row] | None, schema: Mapping[str, Any], contract: Contract, now: datetime
) -> Iterator[FixtureRow]:
    """The rows of a table, with defaults filled in and times parsed."""
    component = COMPLETED_FROM.get(table)
    documented = contract.defaults(contract.schema(component)) if component else {}
    item = schema["properties"][table]["items"]
    rows = schema["properties"][table].get("default", []) if given is None else given
    times = [name for name, part in item["properties"].items() if "moment" in part.get("$ref", "")]
    if table == "courses":
        documented = {"image_original": None, "deleted": False, **documented}
    for row in _with_defaults(rows, item, schema):
        row = FixtureRow({**documented, **row})
        for field in times:
            row[field] = _moment(table, field, row[field], now)
        yield row


def _with_defaults(rows: Iterable[Row], item: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    definitions = schema["definitions"]
    defaults = {}
    for name, part in item["properties"].items():
        part = definitions.get(part.get("$ref", "").removeprefix("#/definitions/"), part)
        if "default" in part:
            defaults[name] = part["default"]
    for row in rows:
        yield {**defaults, **row}


def _moment(table: str, field: str, text: str | None, now: datetime) -> datetime | None:
    if text is None:
        return None
    try:
        if text[0] in "+-":
            return now + timedelta(**{_UNITS[text[-1]]: int(text[:-1])})
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise FixtureError(f"{table}: {field} {text!r} is no date and time that exists: write {_EXAMPLE}") from None


def _set_orders(rows: Mapping[str, list[FixtureRow]]) -> None:
    """Display sections, lessons and questions in the order of the file."""
    for parents, order, children, parent in (
        ("courses", "sections_order", "sections", "course_id"),
        ("sections", "lessons_order", "lessons", "section_id"),
        ("lessons", "questions_order", "questions", "lesson_id"),
    ):
        found: dict[int, list[int]] = {}
        for child in rows[children]:
            found.setdefault(child[parent], []).append(child["id"])
        for row in rows[parents]:
            row[order] = found.get(row["id"], [])


def _grade(rows: Mapping[str, list[FixtureRow]]) -> None:
    """Grade the attempts as the server would have, because they are stored with their results."""
    lessons = {lesson["id"]: lesson for lesson in rows["lessons"]}
    questions = {question["id"]: question for question in rows["questions"]}
    made: Counter[tuple[int, int]] = Counter()
    for index, attempt in enumerate(rows["attempts"]):
        lesson = lessons[attempt["lesson_id"]]
        selected = {answer["question_id"]: set(answer["selected_options"]) for answer in attempt.pop("responses")}
        if not selected or selected.keys() != set(lesson["questions_order"]):
            raise FixtureError(f"attempts.{index}.responses: must answer every question of lesson {lesson['id']}")
        quiz = [questions[number] for number in lesson["questions_order"]]
        made[lesson["id"], attempt["user_id"]] += 1
        attempt |= graded(quiz, selected, lesson["passing_grade"])
        attempt["num_attempts"] = made[lesson["id"], attempt["user_id"]]
