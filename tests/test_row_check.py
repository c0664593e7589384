"""Edited snapshots, whose checksum has been made to match: refused with the place, or harmless for good."""

import json
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from stubserver.call import ROW_KINDS
from stubserver.contract.contract import Contract
from stubserver.contract.operation import Operation
from stubserver.errors import Refusal
from stubserver.row_check import RowChecks
from stubserver.worlds import snapshot_file
from stubserver.worlds.base import Row
from stubserver.worlds.log import Log
from stubserver.worlds.table import Table
from stubserver.worlds.world import World
from tests.support.answers import ok, refused
from tests.support.client import Api
from tests.support.snapshots import SNAPSHOTS, file_of, restore
from tests.support.worlds import FREEZE, busy, named

pytestmark = pytest.mark.no_world

Content = dict[str, Any]
Edit = Callable[[Content], Any]


def edited(content: Content) -> Content:
    """The content with a checksum that matches."""
    content = {name: value for name, value in content.items() if name != "checksum"}
    return {**content, "checksum": snapshot_file.checksum(content)}


def rows(world: World, kind: str, most: int = 8) -> list[Row]:
    """Some rows of a kind: those that differ from the fixture, and others."""
    table = getattr(world, ROW_KINDS[kind].table)
    changed = [row for row in table.snapshot().rows.values() if row is not None]
    wanted = [row for row in [*changed, *table] if ROW_KINDS[kind].type in (None, row.get("type"))]
    return wanted[:most]


def paths(world: World, operation: Operation) -> Iterator[str]:
    """The paths of an operation to rows of the world."""
    kinds = [*operation.loads.items()]
    if not kinds:
        yield operation.path
        return
    for row in rows(world, kinds[-1][1]):
        path, found = operation.path, row
        for parameter, kind in reversed(kinds):
            if kind != kinds[-1][1]:
                table = ROW_KINDS[kind].table
                found = getattr(world, table)[found[f"{table.removesuffix('s')}_id"]]
            path = path.replace(f"{{{parameter}}}", str(found["id"]))
        yield path


def assert_answers(api: Api, world: str, contract: Contract) -> int:
    """Every GET operation answers, for people who see much and for others; returns how many did with a success."""
    count = 0
    for operation in contract.operations.values():
        if operation.method != "get":
            continue
        views = ["", "?view=edit", "?view=dashboard"] if operation.id == "get_course" else [""]
        for path in paths(api.app.worlds.get(world), operation):
            for persona in ("creator", "member"):
                for view in views:
                    response = api.as_(persona).get(path + view, headers=named(world))
                    assert response.status_code < 500, (operation.id, path, response.text)
                    count += response.is_success
    return count


@pytest.fixture
def content(api: Api) -> Content:
    """A snapshot of a world with changes of every kind."""
    busy(api, "w")
    ok(api.post(FREEZE, headers=named("w")))
    text: Content = json.loads(file_of(api))
    return text


def test_what_the_server_wrote_is_loaded_and_answers(api: Api, content: Content, contract: Contract) -> None:
    ok(api.put(f"{SNAPSHOTS}/s", json=edited(content)))
    restore(api, "s", "v")
    assert assert_answers(api, "v", contract) > 200


def at(path: str, value: Any) -> Edit:
    """Put a value at one place in the tables."""

    def put(content: Content) -> None:
        holder: Any = content["tables"]
        *way, last = [int(step) if step.isdigit() else step for step in path.split(".")]
        for step in way:
            holder = holder[step]
        holder[last] = value

    return put


def without(path: str) -> Edit:
    """Remove what is at one place in the tables."""

    def remove(content: Content) -> None:
        holder: Any = content["tables"]
        *way, last = [int(step) if step.isdigit() else step for step in path.split(".")]
        for step in way:
            holder = holder[step]
        del holder[last]

    return remove


def deletes(table: str, key: Any) -> Edit:
    """Delete a row of the fixture, and nothing else."""

    def delete(content: Content) -> None:
        entries = content["tables"].setdefault(table, {"next_id": 99, "rows": []})["rows"]
        entries.append({"key": key, "row": None, "times": []})

    return delete


def again(table: str) -> Edit:
    return lambda content: content["tables"][table]["rows"].append(content["tables"][table]["rows"][0])


REFUSED: list[tuple[Edit, str]] = [
    (at("comments.rows.1.row.in_reply_to", 26), "tables.comments: row 26: in_reply_to: must be another reply"),
    (deletes("users", 3), "tables.users.rows: must be empty, because no request changes this table"),
    (again("courses"), "].key: 16 occurs twice"),
    (at("lessons.rows.0.row.section_id", 99), "tables.lessons: row 50: section_id: there is no row 99 in sections"),
    (at("courses.rows.0.key", "16"), 'tables.courses[0].key: "16" is not the key of this row'),
    (without("courses.rows.0.row.slug"), "tables.courses[0].slug: This field is required."),
    (at("lessons", []), "must be an object. (at tables.lessons)"),
    (at("lesson", {"next_id": 1, "rows": []}), "tables.lesson: there is no such table"),
    (without("answers.next_id"), "tables.answers: must be an object with next_id and rows"),
    (at("answers.rows", ""), "tables.answers.rows: must be a list"),
    (at("answers.rows", [{"key": 1, "row": None, "times": []}]), "tables.answers.rows: must be empty, because no"),
    (deletes("apps", "stub-app"), "tables.apps.rows: must be empty, because no request changes this table"),
    (at("courses.rows.0", 7), "tables.courses[0]: must be an object with key, row and times"),
    (without("courses.rows.0.times"), "tables.courses[0]: must be an object with key, row and times"),
    (at("courses.rows.0.times", []), 'tables.courses[0].times: must be ["created_at"]'),
    (at("courses.rows.0.times", ["created_at", "name"]), 'tables.courses[0].times: must be ["created_at"]'),
    (at("courses.rows.0.times", 7), 'tables.courses[0].times: must be ["created_at"]'),
    (at("courses.rows.0.key", True), "tables.courses[0].key: must be an id, or a list of ids"),
    (at("courses.rows.0.key", 17), "tables.courses[0].key: 17 is not the key of this row"),
    (at("memberships.rows.0.key", 16), "tables.memberships[0].key: 16 is not the key of this row"),
    (deletes("courses", 99), "].key: the fixture has no row 99 that could be deleted"),
    (deletes("courses", 3), "course_id: there is no row 3 in courses"),
    (deletes("lessons", 1), "lesson_id: there is no row 1 in lessons"),
    (deletes("comments", 1), "parent: there is no row 1 in comments"),
    (at("courses.rows.0.row", []), "tables.courses[0]: [] is not valid; it must be an object."),
    (at("courses.rows.0.row.extra", 1), "extra"),
    (at("courses.rows.0.row.id", "16"), 'tables.courses[0].id: "16" is not valid; it must be a whole number'),
    (at("courses.rows.0.row.privacy", "public"), 'tables.courses[0].privacy: "public" is not a valid choice.'),
    (at("courses.rows.0.row.name", None), "tables.courses[0].name: This field may not be null."),
    (
        at("courses.rows.0.row.name", "Watercolour for Absolute Beginners"),
        'another row has "Watercolour for Absolute Beginners", too',
    ),
    (at("courses.rows.0.row.sections_order", [28, 28]), "tables.courses: row 16: sections_order: must list the rows"),
    (at("courses.rows.0.row.sections_order", []), "tables.courses: row 16: sections_order: must list the rows that"),
    (at("sections.rows.0.row.lessons_order", [50, 1]), "tables.sections: row 28: lessons_order: must list the rows"),
    (at("sections.rows.0.row.drip_delay", -1), "tables.sections[0].drip_delay: Must be greater than or equal to 0."),
    (at("sections.rows.0.row.drip_delay", 10**9), "tables.sections[0].drip_delay: Must be less than or equal to"),
    (at("lessons.rows.0.row.questions_order", [16, 99]), "tables.lessons: row 50: questions_order: must list"),
    (at("questions.rows.0.row.answers.1.id", 47), "tables.questions: an id of an answer occurs twice"),
    (at("questions.rows.0.row.answers.0.correct", "yes"), "(at answers.0.correct)"),
    (at("courses.rows.0.row.created_at", "NaN"), 'tables.courses[0].created_at: "NaN" is no date and time'),
    (at("courses.rows.0.row.created_at", "2031-05-01T09:00:00"), "is no date and time that a world can have"),
    (at("memberships.rows.0.row.joined_at", "9999-12-31T00:00:00Z"), "is no date and time that a world can have"),
    (at("memberships.rows.0.row.status", "owner"), 'tables.memberships[0].status: "owner" is not a valid choice.'),
    (at("comments.rows.0.row.parent", 25), "tables.comments: row 25: parent: must be a first-level comment"),
    (at("comments.rows.1.row.medias", [99]), "tables.comments: row 26: medias: there is no row 99 in medias"),
    (at("attempts.rows.0.row.user_id", 99), "tables.attempts: row 7: user_id: there is no row 99 in users"),
    (at("attempts.rows.0.row.grade", 101), "tables.attempts[0].grade: Must be less than or equal to 100."),
    (at("attempts.rows.0.row.num_attempts", -1), "tables.attempts[0].num_attempts: Must be greater than or equal"),
    (without("attempts.rows.0.row.questions.0.answers"), "(at questions.0.answers)"),
    (at("grants.rows.0.row.client_id", "nobody"), 'client_id: there is no row "nobody" in apps'),
    (at("grants.rows.0.row.code", "c"), "tables.grants[0].code: "),
    (without("grants.rows.0.row.access_token"), "tables.grants[0].access_token: This field is required."),
    (at("medias.rows.0.row.embed", {"x": 1}), "tables.medias[0].embed: "),
    (at("courses.next_id", 16), "tables.courses.next_id: 16 is not valid; it must be 17 or more"),
    (at("courses.next_id", "17"), 'tables.courses.next_id: "17" is not valid; it must be 17 or more'),
    (at("courses.next_id", -1), "tables.courses.next_id: -1 is not valid; it must be 17 or more"),
    (at("answers.next_id", 48), "tables.answers.next_id: 48 is not valid; it must be 49 or more"),
    (at("uploads.next_id", 2**60), "tables.uploads.next_id: "),
]


@pytest.mark.parametrize(("change", "says"), REFUSED, ids=range(len(REFUSED)))
def test_impossible_rows_are_refused_with_their_place(api: Api, content: Content, change: Edit, says: str) -> None:
    change(content)
    response = api.put(f"{SNAPSHOTS}/s", json=edited(content))
    assert refused(response, 400).keys() <= {"tables", "non_field_errors"}
    message = response.json()["errors"][0]["messages"][0]["message"]
    assert says.removeprefix("tables: ") in message
    assert "\n" not in message
    assert ok(api.get(SNAPSHOTS))["count"] == 0


@pytest.mark.parametrize(
    "change",
    [
        at("courses.rows.0.row.description", "x" * 10_000),
        at("courses.next_id", 1000),
        at("courses.rows.0.row.categories", [1, 1]),
        at("comments.rows.0.row.medias", [6, 6]),
        at("sections.rows.0.row.dripped_at", None),
        at("attempts.rows.0.row.questions", []),
        at("attempts.rows.0.row.lesson_id", 1),
        at("grants.rows.0.row.access_token", ""),
        at("memberships.rows.0.row.status", "requested"),
    ],
)
def test_possible_edits_are_loaded_and_do_no_harm(api: Api, content: Content, contract: Contract, change: Edit) -> None:
    change(content)
    ok(api.put(f"{SNAPSHOTS}/s", json=edited(content)))
    restore(api, "s", "v")
    assert assert_answers(api, "v", contract) > 200


def test_members_of_a_fixture_without_changes_are_not_looked_at(api: Api, contract: Contract) -> None:
    """Only what the file brings, and what it takes away from."""
    fixture = api.app.fixture
    checks = RowChecks(contract)
    tables = {name: Table(name, base, Log()) for name, base in fixture.tables.items()}
    checks.tables(tables)
    tables["lessons"].fill({1: {**fixture.tables["lessons"].rows[1], "medias": [99]}})
    with pytest.raises(Refusal, match="medias: there is no row 99 in medias"):
        checks.tables(tables)


VALUES: list[Any] = [
    None,
    True,
    False,
    0,
    1,
    -1,
    7,
    999,
    2**53,
    2**63,
    1.5,
    "",
    " ",
    "1",
    "x",
    "\0",
    "9999-12-31T23:59:59Z",
]
VALUES += [
    "0001-01-01T00:00:00+14:00",
    "2031-05-01T09:00:00",
    "NaN",
    "draft",
    "joined",
    "quiz",
    [],
    [1],
    [1, 1],
    [None],
]
VALUES += [{}, {"id": 1}]
"""What random edits put into a file."""


def places(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The places of all values in a JSON value, except the whole."""
    if way:
        yield way
    if isinstance(value, dict | list):
        for step, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(part, (*way, step))


def edit(content: Content, chance: random.Random) -> tuple[Any, ...]:
    """Change one value, or remove or repeat it."""
    tables = content["tables"]
    table = chance.choice([*tables])
    *way, last = chance.choice([*places(tables[table])])
    holder = tables[table]
    for step in way:
        holder = holder[step]
    what = chance.random()
    if what < 0.1:
        del holder[last]
        return (table, *way, last, "removed")
    if what < 0.2 and isinstance(holder, list):
        holder.append(json.loads(json.dumps(holder[last])))
        return (table, *way, last, "repeated")
    holder[last] = chance.choice(VALUES)
    return (table, *way, last, holder[last])


@pytest.mark.parametrize("seed", range(6))
def test_random_edits_are_refused_or_harmless(api: Api, content: Content, contract: Contract, seed: int) -> None:
    """Several at a time, so that one may hide what another does."""
    chance = random.Random(seed)  # noqa: S311
    text = json.dumps(content)
    for _ in range(25):
        content = json.loads(text)
        where = [edit(content, chance) for _ in range(chance.choice((1, 1, 2)))]
        response = api.put(f"{SNAPSHOTS}/s", json=edited(content))
        assert response.status_code in (200, 400), where
        if response.status_code == 200:
            restore(api, "s", "v")
            assert_answers(api, "v", contract)
