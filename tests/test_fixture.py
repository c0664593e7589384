"""Fixtures: those that ship are valid, and an invalid one is reported in one line with file, place and reason."""

import copy
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from stubserver.contract.contract import Contract
from stubserver.fixture import FixtureError, load, names
from stubserver.worlds.snapshot import Fixture
from stubserver.worlds.table import Row
from stubserver.worlds.world import World
from tests.support.default import NOW, PERSONAS

OLD = "2025-01-01T00:00:00Z"
SMALL: dict[str, Any] = {
    "name": "small",
    "preferences": {"configurations.content_availability": False},
    "personas": [{"token": "t1", "user": 1, "role": "creator"}, {"token": "t2", "user": 2, "role": "member"}],
    "users": [
        {"id": 1, "username": "ada", "real_name": "Ada", "date_joined": OLD},
        {"id": 2, "username": "bob", "real_name": "Bob", "date_joined": "-3d"},
    ],
    "categories": [{"id": 1, "name": "C", "slug": "c", "lastmod_datetime": OLD}],
    "courses": [
        {"id": 1, "name": "One", "slug": "one", "type": "self-paced", "created_by": 1, "created_at": OLD},
        {"id": 2, "name": "Two", "slug": "two", "type": "scheduled", "created_by": 1, "created_at": OLD},
    ],
    "sections": [{"id": 2, "course_id": 1, "name": "S"}, {"id": 1, "course_id": 1, "name": "T"}],
    "lessons": [{"id": 1, "section_id": 1, "name": "L", "type": "lesson", "created_by": 1, "created_at": OLD}],
    "memberships": [{"course_id": 1, "user_id": 1, "status": "creator"}],
    "completions": [{"user_id": 1, "lesson_id": 1, "status": "completed", "at": OLD}],
}


def write(folder: Path, data: Any) -> str:
    file = folder / "mine.yaml"
    file.write_text(yaml.safe_dump(data, sort_keys=False))
    return str(file)


def small(folder: Path, contract: Contract, **changes: Any) -> World:
    return World("w", load(write(folder, {**SMALL, **changes}), contract, NOW))


def at(data: Any, *steps: Any) -> Any:
    for step in steps:
        data = data[step]
    return data


# What ships


def test_the_shipped_fixtures_load(contract: Contract) -> None:
    assert names() == ["default", "empty"]
    for name in names():
        assert load(name, contract).name == name


@pytest.mark.parametrize("name", ["default", "empty"])
def test_every_persona_has_its_token(contract: Contract, name: str) -> None:
    default_fixture = load(name, contract)
    assert set(default_fixture.tokens) == {f"stub-{persona}" for persona in PERSONAS}
    assert [persona["role"] for persona in default_fixture.personas] == list(PERSONAS)
    assert all(persona["about"] for persona in default_fixture.personas)
    assert default_fixture.preferences["configurations.content_availability"] is True
    users = World("w", default_fixture).users
    assert users[default_fixture.tokens["stub-staff"]]["role"] in ("admin", "moderator", "editor")


def test_the_default_world_has_a_course_in_every_privacy_and_type(default_fixture: Fixture, contract: Contract) -> None:
    world = World("w", default_fixture)
    privacies, types = (contract.schema(name)["enum"] for name in ("CoursePrivacy", "CourseType"))
    assert {(c["privacy"], c["type"]) for c in world.courses} == {(p, t) for p in privacies for t in types}
    statuses = {row["status"] for row in world.memberships}
    assert statuses == set(contract.schema("JoinStatus")["enum"]) - {None}
    assert {row["status"] for row in world.completions} == {"completed", "failed"}
    assert {row["type"] for row in world.lessons} == {"lesson", "quiz"}
    assert {row["status"] for row in world.lessons} == {"draft", "published"}


def test_every_course_of_the_default_world_has_its_creator(default_fixture: Fixture) -> None:
    world = World("w", default_fixture)
    for course in world.courses:
        creators = [
            m["user_id"] for m in world.memberships.where("course_id", course["id"]) if m["status"] == "creator"
        ]
        assert creators == [course["created_by"]]


def test_the_default_world_keeps_its_own_times_straight(default_fixture: Fixture) -> None:
    """No one completes a lesson before joining or in the future; each user was last active at their last completed
    lesson."""
    world = World("w", default_fixture)
    last: dict[Any, datetime] = {}
    for row in world.completions:
        course = world.sections[world.lessons[row["lesson_id"]]["section_id"]]["course_id"]
        membership = world.memberships[course, row["user_id"]]
        assert membership["status"] in ("creator", "manager", "joined")
        assert membership["joined_at"] <= row["at"] <= NOW
        if row["status"] == "completed":
            last[course, row["user_id"]] = max(last.get((course, row["user_id"]), row["at"]), row["at"])
    assert {
        (m["course_id"], m["user_id"]): m["last_active_at"] for m in world.memberships if m["last_active_at"]
    } == last


def test_the_empty_world_has_users_and_categories_only(contract: Contract) -> None:
    world = World("w", load("empty", contract))
    assert len(world.users) == 7
    assert len(world.categories) == 2
    for table in ("courses", "sections", "lessons", "memberships", "completions"):
        assert len(getattr(world, table)) == 0


# What a file may leave out


def test_a_name_and_users_are_enough(tmp_path: Path, contract: Contract) -> None:
    default_fixture = load(write(tmp_path, {"name": "bare", "users": []}), contract)
    assert (default_fixture.personas, dict(default_fixture.tokens)) == ((), {})
    assert default_fixture.preferences["configurations.content_availability"] is True
    assert default_fixture.preferences["configurations.courses_only_staff_enabled"] is False
    assert default_fixture.features == ("course",)
    assert set(default_fixture.tables["apps"].rows) == {"stub-app", "stub-server-app"}


def has(row: Row, **fields: Any) -> None:
    assert {name: row[name] for name in fields} == fields


def test_rows_get_the_documented_defaults(tmp_path: Path, contract: Contract) -> None:
    world = small(tmp_path, contract)
    assert world.preferences["configurations.content_availability"] is False
    assert world.preferences["configurations.courses_only_staff_enabled"] is False
    has(world.users[1], bio="", location="", gender="Unspecified", ext_id=None, role=None, deleted=False, tags=[])
    has(world.users[1], password="stub-password", hidden_users=[])
    has(world.categories[1], slogan=None, order=0, active=True, stream_order_by="recent", parents=[])
    has(
        world.courses[1],
        description="",
        privacy="",
        enforce_lessons_order=False,
        new_comment_notification_enabled=True,
        hide_member_count=False,
        meta_title="",
        og_image=None,
        categories=[],
        image_original=None,
        deleted=False,
    )
    has(world.sections[1], dripped_at=None, drip_delay=0, lessons_order=[1])
    has(world.lessons[1], status="draft", comments_enabled=True, text="", passing_grade=60)
    has(world.memberships[1, 1], joined_at=None, last_active_at=None)


def test_sections_are_in_the_order_of_the_file(tmp_path: Path, contract: Contract) -> None:
    assert small(tmp_path, contract).courses[1]["sections_order"] == [2, 1]


def test_ids_go_on_after_the_highest(tmp_path: Path, contract: Contract) -> None:
    assert small(tmp_path, contract).courses.next_id() == 3


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("-3d", NOW - timedelta(days=3)),
        ("+14d", NOW + timedelta(days=14)),
        ("-6h", NOW - timedelta(hours=6)),
        ("+5m", NOW + timedelta(minutes=5)),
        ("+0d", NOW),
        ("2025-01-16T14:52:24.400913+01:00", datetime(2025, 1, 16, 13, 52, 24, 400913, UTC)),
        ("2025-01-16T14:52:24Z", datetime(2025, 1, 16, 14, 52, 24, tzinfo=UTC)),
    ],
)
def test_times_count_from_now(tmp_path: Path, contract: Contract, text: str, moment: datetime) -> None:
    users = [{**SMALL["users"][0], "date_joined": text}, SMALL["users"][1]]
    assert small(tmp_path, contract, users=users).users[1]["date_joined"] == moment


def test_without_a_now_it_is_the_real_one(tmp_path: Path, contract: Contract) -> None:
    before = datetime.now(UTC)
    default_fixture = load(write(tmp_path, SMALL), contract)
    joined = World("w", default_fixture).users[2]["date_joined"]
    assert before - timedelta(days=3) <= joined <= datetime.now(UTC) - timedelta(days=3)


# What is wrong


def refused(name: str, contract: Contract) -> str:
    """The one line that says why."""
    with pytest.raises(FixtureError) as caught:
        load(name, contract, NOW)
    message = str(caught.value)
    assert "\n" not in message
    assert message.strip()
    return message


@pytest.mark.parametrize("name", ["no-such", "Default", "no/such.yaml"])
def test_an_unknown_name_is_told_the_known_ones(contract: Contract, name: str) -> None:
    message = refused(name, contract)
    assert "default, empty" in message
    assert repr(name) in message


@pytest.mark.parametrize(
    "text",
    [
        b"name: [",
        b"name: x\n\tusers: []",
        b"name: &a x\nusers: *b",
        b"name: \xff",
        b"name: !!python/object:os.system x\nusers: []",
        b"{[1]: 2}",
        b"- 1",
        b"",
        b"just text",
        b"5",
    ],
)
def test_a_file_that_is_no_mapping(tmp_path: Path, contract: Contract, text: bytes) -> None:
    file = tmp_path / "mine.yaml"
    file.write_bytes(text)
    assert str(file) in refused(str(file), contract)


def test_a_folder_is_no_fixture(tmp_path: Path, contract: Contract) -> None:
    assert str(tmp_path) in refused(str(tmp_path), contract)


@pytest.mark.parametrize(
    ("place", "value", "says"),
    [
        (("unknown",), 1, "unknown"),
        (("name",), None, "name"),
        (("name",), "", "name"),
        (("users",), {}, "users"),
        (("preferences", "unknown"), True, "preferences"),
        (("users", 1, "unknown"), 1, "users.1"),
        (("users", 1, "role"), "boss", "users.1.role"),
        (("users", 1, "id"), 0, "users.1.id"),
        (("users", 1, "id"), True, "users.1.id"),
        (("users", 1, "id"), "2", "users.1.id"),
        (("users", 1, "avatar"), 5, "users.1.avatar"),
        (("users", 1, "date_joined"), datetime(2025, 1, 1, tzinfo=UTC), "users.1.date_joined"),
        (("personas", 0, "token"), "two words", "personas.0.token"),
        (("courses", 0, "type"), "weekly", "courses.0.type"),
        (("courses", 0, "privacy"), "hidden", "courses.0.privacy"),
        (("courses", 0, "name"), "  ", "courses.0.name"),
        (("courses", 0, "slug"), "a b", "courses.0.slug"),
        (("courses", 0, "categories"), [1, 1], "courses.0.categories"),
        (("sections", 0, "drip_delay"), -1, "sections.0.drip_delay"),
        (("lessons", 0, "status"), "hidden", "lessons.0.status"),
        (("lessons", 0, "type"), "video", "lessons.0.type"),
        (("lessons", 0, "passing_grade"), 101, "lessons.0.passing_grade"),
        (("memberships", 0, "status"), "boss", "memberships.0.status"),
        (("completions", 0, "status"), "uncompleted", "completions.0.status"),
        # Times
        (("users", 1, "date_joined"), "yesterday", "users.1.date_joined"),
        (("users", 1, "date_joined"), "2025-01-01T00:00:00", "users.1.date_joined"),
        (("users", 1, "date_joined"), "2025-01-01", "users.1.date_joined"),
        (("users", 1, "date_joined"), "3d", "users.1.date_joined"),
        (("users", 1, "date_joined"), "2026-13-45T00:00:00Z", "exists: write 2025-01-25T10:00:00Z"),
        (("users", 1, "date_joined"), "2026-01-01T::::::::Z", "date_joined"),
        (("users", 1, "date_joined"), "2026-01-01T00:00:00+99:99", "date_joined"),
        (("users", 1, "date_joined"), "0001-01-01T00:00:00+01:00", "date_joined"),
        (("users", 1, "date_joined"), "9999-12-31T23:59:59-01:00", "date_joined"),
        # References
        (("personas", 0, "user"), 9, "personas.0.user"),
        (("courses", 0, "created_by"), 9, "courses.0.created_by"),
        (("courses", 1, "categories"), [1, 9], "courses.1.categories"),
        (("sections", 1, "course_id"), 9, "sections.1.course_id"),
        (("lessons", 0, "section_id"), 9, "lessons.0.section_id"),
        (("lessons", 0, "created_by"), 9, "lessons.0.created_by"),
        (("memberships", 0, "course_id"), 9, "memberships.0.course_id"),
        (("memberships", 0, "user_id"), 9, "memberships.0.user_id"),
        (("completions", 0, "user_id"), 9, "completions.0.user_id"),
        (("completions", 0, "lesson_id"), 9, "completions.0.lesson_id"),
        # What must be unique
        (("users", 1, "id"), 1, "id 1 is that of users.0 already"),
        (("users", 1, "username"), "ada", "username 'ada' is that of users.0 already"),
        (("personas", 1, "token"), "t1", "token 't1' is that of personas.0 already"),
        (("courses", 1, "id"), 1, "id 1 is that of courses.0 already"),
        (("courses", 1, "name"), "One", "name 'One' is that of courses.0 already"),
        (("courses", 1, "slug"), "one", "slug 'one' is that of courses.0 already"),
        (("sections", 1, "id"), 2, "id 2 is that of sections.0 already"),
    ],
)
def test_a_wrong_value_is_told_with_its_place(
    tmp_path: Path, contract: Contract, place: tuple[Any, ...], value: Any, says: str
) -> None:
    data = copy.deepcopy(SMALL)
    at(data, *place[:-1])[place[-1]] = value
    file = write(tmp_path, data)
    message = refused(file, contract)
    assert re.match(rf"{re.escape(file)}:[0-9]+: {place[0]}", message)
    assert says in message


@pytest.mark.parametrize(
    ("table", "says"),
    [("memberships", "course_id+user_id"), ("completions", "user_id+lesson_id"), ("categories", "id")],
)
def test_a_pair_is_there_once_only(tmp_path: Path, contract: Contract, table: str, says: str) -> None:
    message = refused(write(tmp_path, {**SMALL, table: SMALL[table] * 2}), contract)
    assert f": {table}.1.{says.partition('+')[0]}: {says} " in message


@pytest.mark.parametrize(
    ("place", "field"),
    [
        ((), "name"),
        ((), "users"),
        *((("users", 0), field) for field in ("id", "username", "real_name", "date_joined")),
        *((("courses", 0), field) for field in ("id", "name", "slug", "type", "created_by", "created_at")),
        *((("memberships", 0), field) for field in ("course_id", "user_id", "status")),
        (("personas", 0), "token"),
        (("sections", 0), "course_id"),
        (("lessons", 0), "type"),
        (("completions", 0), "at"),
    ],
)
def test_a_missing_field_is_named(tmp_path: Path, contract: Contract, place: tuple[Any, ...], field: str) -> None:
    data = copy.deepcopy(SMALL)
    del at(data, *place)[field]
    message = refused(write(tmp_path, data), contract)
    assert message.endswith(f": {'.'.join(map(str, (*place, field)))}: This field is required")
