"""Fixtures: YAML or JSON files that worlds start from, validated against the contract's schemas before use."""

import gc
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from stubserver.api.grading import graded
from stubserver.contract.contract import Contract
from stubserver.contract.merging import load_yaml
from stubserver.contract.resources import folder
from stubserver.fixture_check import Wrong, check, moment, moments
from stubserver.fixture_file import digest_of, line_of, parsed, text_of
from stubserver.worlds.clock import real_time
from stubserver.worlds.snapshot import TABLES, Fixture
from stubserver.worlds.table import FixtureRow, FixtureTable, Row

SCHEMA = Path(__file__).parent / "fixture_schema.yaml"
"""What fixtures and the rows of worlds may hold."""
COMPLETED_FROM = {
    "users": "User",
    "categories": "Category",
    "courses": "CourseWrite",
    "questions": "QuestionWrite",
    "comments": "CommentWrite",
    "medias": "Media",
}
"""Table -> the schema whose documented defaults fill in what its rows leave out."""
ORDERS = (
    ("courses", "sections_order", "sections", "course_id"),
    ("sections", "lessons_order", "lessons", "section_id"),
    ("lessons", "questions_order", "questions", "lesson_id"),
)
"""Table -> the field with the order in which rows of another table are shown, that table, and its field for the row."""


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
        data, text_digest = _read(file)
        with without_collector():
            return _fixture(data, contract, now or real_time(), text_digest)
    except (FileNotFoundError, IsADirectoryError):
        raise FixtureError(f"unknown fixture {name!r}: use one of {', '.join(names())}, or a file") from None
    except OSError as error:
        raise FixtureError(f"{file}: {error.strerror or error}") from None
    except ValueError as error:  # what a path cannot hold
        raise _refused(file, getattr(error, "line", None), error) from None
    except Wrong as error:
        raise _refused(file, _line(error.path, file), error) from None


def _refused(file: Path, line: int | None, reason: Exception) -> FixtureError:
    return FixtureError(f"{file}:{line}: {reason}" if line else f"{file}: {reason}")


def _read(file: Path) -> tuple[Any, str]:
    """The parsed content of a file, and a digest of its text."""
    text = text_of(file)
    return parsed(text, file), hashlib.sha256(text.encode()).hexdigest()


def _line(path: Sequence[str | int], file: Path) -> int | None:
    """The line of a place in a file, which is read again because nobody keeps the text of a large one; None in a pipe,
    which can be read only once."""
    return line_of(path, text_of(file), file) if file.is_file() else None


@contextmanager
def without_collector() -> Iterator[None]:
    """Pause the garbage collector: rows are not garbage, and it would scan the growing number of them repeatedly."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _fixture(data: Any, contract: Contract, now: datetime, text_digest: str) -> Fixture:
    """Build the fixture that worlds share. The rows in `data` are released table by table, so that a large fixture is
    never in memory twice."""
    schema = {**load_yaml(SCHEMA.read_text(encoding="utf-8")), "components": contract.document["components"]}
    check(data, schema)
    digest = digest_of(data)
    written = [table for table in TABLES if table in schema["properties"]]
    rows = {table: list(_completed(table, data.pop(table, None), schema, contract, now)) for table in written}
    rows["answers"] = [answer for question in rows["questions"] for answer in question["answers"]]
    _set_orders(rows)
    _grade(rows)
    properties = schema["properties"]
    personas = _defaults(properties["personas"]["items"], schema)
    return Fixture(
        name=data["name"],
        tables={table: FixtureTable(*TABLES[table], rows.get(table, ())) for table in TABLES},
        preferences={**_defaults(properties["preferences"], schema), **data.get("preferences", {})},
        features=tuple(data.get("features", properties["features"]["default"])),
        tokens={persona["token"]: persona["user"] for persona in data.get("personas", [])},
        personas=tuple({**personas, **persona} for persona in data.get("personas", [])),
        moment=now,
        digest=digest,
        text_digest=text_digest,
    )


def _completed(
    table: str, given: Iterable[Row] | None, schema: Mapping[str, Any], contract: Contract, now: datetime
) -> Iterator[FixtureRow]:
    """The rows of a table, with defaults filled in and times parsed."""
    item = schema["properties"][table]["items"]
    rows = schema["properties"][table].get("default", []) if given is None else given
    times, defaults = moments(item), defaults_of(table, schema, contract)
    for index, given_row in enumerate(rows):
        row = FixtureRow({**defaults, **given_row})
        for field in times:
            row[field] = moment((table, index, field), row[field], now)
        yield row


def defaults_of(table: str, schema: Mapping[str, Any], contract: Contract) -> dict[str, Any]:
    """Field -> what rows of a table have that leave it out, in fixtures and in snapshots of older versions; `schema` is
    that of fixtures."""
    component = COMPLETED_FROM.get(table)
    documented = contract.defaults(contract.schema(component)) if component else {}
    stored, written = schema["stored"].get(table, {}), schema["properties"].get(table, {}).get("items", {})
    return {**_defaults(stored, schema), **documented, **_defaults(written, schema)}


def _defaults(item: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """The defaults in the schema of an object."""
    definitions = schema["definitions"]
    found = {}
    for name, part in item.get("properties", {}).items():
        if part is None:  # a field that only fixtures have
            continue
        part = definitions.get(part.get("$ref", "").removeprefix("#/definitions/"), part)
        if "default" in part:
            found[name] = part["default"]
    return found


def _set_orders(rows: Mapping[str, list[FixtureRow]]) -> None:
    """Display sections, lessons and questions in the order of the file."""
    for parents, order, children, parent in ORDERS:
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
            numbers = ", ".join(map(str, lesson["questions_order"])) or "which has none"
            message = f"it must answer every question of lesson {lesson['id']}: {numbers}"
            raise Wrong(("attempts", index, "responses"), message)
        quiz = [questions[number] for number in lesson["questions_order"]]
        made[lesson["id"], attempt["user_id"]] += 1
        attempt |= graded(quiz, selected, lesson["passing_grade"])
        attempt["num_attempts"] = made[lesson["id"], attempt["user_id"]]
