"""Fixtures of worlds: what is written down makes a world that answers every GET the same, and the rest is named."""

import asyncio
import random
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from stubserver.api.images import png
from stubserver.app import StubServer
from stubserver.authoring.from_world import AnotherFixture, Made, from_world
from stubserver.contract.contract import Contract
from stubserver.fixtures.fixture import load
from stubserver.fixtures.library import shipped
from stubserver.worlds import snapshot_file
from stubserver.worlds.snapshot import TABLES
from tests.support.answers import ok
from tests.support.client import Api
from tests.support.default import NOW, QUIZ, RIGHT, WRONG
from tests.support.worlds import act, busy

pytestmark = [pytest.mark.slow, pytest.mark.in_process("looks into the world")]

BASE = shipped()["default"]
Server = Callable[[str], Api]


@pytest.fixture
def server(contract: Contract, runner: asyncio.Runner) -> Server:
    """Starts a server with a fixture, at the time of the tests."""

    def start(fixture: str) -> Api:
        app = StubServer(contract, load(fixture, contract, NOW))
        app.worlds.reset().clock.freeze(NOW)
        return Api(app, runner)

    return start


@pytest.fixture
def world(server: Server) -> Api:
    return server("default")


def made(api: Api, base: Path = BASE) -> Made:
    return from_world(snapshot_file.written(api.world.snapshot()), base, api.app.contract)


@pytest.fixture
def loaded(server: Server, tmp_path: Path) -> Callable[[Made], Api]:
    """A server that starts with what was written down."""

    def start(found: Made) -> Api:
        file = tmp_path / "made.yaml"
        file.write_text(found.text(["A test."]), encoding="utf-8")
        return server(str(file))

    return start


def paths(api: Api) -> Iterator[str]:
    """Everything that can be read in a world, and the neighbours that are not there."""
    yield from ("/course/", "/course/search/?limit=100", "/course/?statuses=joined", "/user/me/", "/category/")
    yield from (f"/user/{row['id']}/{what}" for row in api.world.users for what in ("", "courses/"))
    for course in range(1, max(row["id"] for row in api.world.courses) + 2):
        path = f"/course/{course}/"
        yield from (path, f"{path}?view=edit", f"{path}?view=dashboard", f"{path}users/", f"{path}comment/")
        yield from (
            f"{path}{name}/" for name in ("status", "section", "quiz", "join", "invite", "request_join", "user")
        )
        for section in api.world.sections.where("course_id", course):
            below = f"{path}section/{section['id']}/"
            yield from (below, f"{below}lesson/")
            for lesson in api.world.lessons.where("section_id", section["id"]):
                own = f"{below}lesson/{lesson['id']}/"
                yield from (own, f"{own}comment/?limit=100", f"{own}question/")
                yield from (f"{own}comment/{row['id']}/" for row in api.world.comments.where("lesson_id", lesson["id"]))
                yield from (
                    f"{own}question/{row['id']}/" for row in api.world.questions.where("lesson_id", lesson["id"])
                )
                yield from (f"{own}attempt/{row['id']}/" for row in api.world.attempts.where("lesson_id", lesson["id"]))


def answers(api: Api, asked: list[str]) -> dict[tuple[str | None, str], tuple[int, Any]]:
    found = {}
    for persona in ("creator", "member", None):
        caller = api.as_(persona)
        for path in asked:
            answer = caller.get(path)
            found[persona, path] = (answer.status_code, answer.json())
    return found


def is_the_same(api: Api, other: Api) -> None:
    """Whether two worlds have the same rows and answer the same."""
    has_the_same_rows(api, other)
    asked = [*paths(api)]
    assert answers(other, asked) == answers(api, asked)


def has_the_same_rows(api: Api, other: Api) -> None:
    for table in TABLES:
        if table not in ("answers", "pictures", "grants", "uploads", "pieces"):
            key_of = api.world.tables[table].base.key_of
            rows, others = ({key_of(row): row for row in one.world.tables[table]} for one in (api, other))
            assert others == rows, table


def test_nothing_has_changed(world: Api, loaded: Callable[[Made], Api]) -> None:
    """Then the fixture has no row of its own."""
    found = made(world)
    assert (found.data, found.lost) == ({"extends": "default"}, [])
    assert found.text(["One.", "Two."]) == "# One.\n# Two.\nextends: default\n"
    is_the_same(world, loaded(found))


def test_only_what_differs_is_written(world: Api, loaded: Callable[[Made], Api]) -> None:
    """Whole rows, without what they have by default; times that have not changed stay as they were."""
    creator = world.as_("creator")
    ok(creator.patch("/course/13/", json={"name": "Spoons"}))
    ok(creator.patch("/course/3/section/8/", json={"name": "Brakes"}))
    found = made(world)
    assert found.lost == []
    assert {**found.data} == {
        "extends": "default",
        "courses": [
            {
                "id": 13,
                "name": "Spoons",
                "slug": found.data["courses"][0]["slug"],
                "description": "One log, two knives and a whole afternoon. We keep the group's size to ourselves.",
                "type": "self-paced",
                "privacy": "open",
                "hide_member_count": True,
                "categories": [1, 3],
                "created_by": 1,
                "created_at": "2025-11-24T12:16:07.348829+00:00",
            }
        ],
        "sections": [{"id": 8, "course_id": 3, "name": "Brakes", "dripped_at": "+14d"}],
    }
    is_the_same(world, loaded(found))


def test_what_belongs_to_what_is_removed_goes_without_saying(world: Api, loaded: Callable[[Made], Api]) -> None:
    creator = world.as_("creator")
    assert creator.delete("/course/4/").status_code == 204
    assert creator.delete("/course/2/section/4/lesson/9/").status_code == 204
    assert creator.delete("/course/1/section/1/lesson/1/comment/2/").status_code == 204
    found = made(world)
    remove = {table: sorted(keys) for table, keys in found.data["remove"].items()}
    assert remove["courses"] == [4]
    assert remove["lessons"] == [9]
    assert remove["comments"] == [2]
    assert {*remove} <= {"courses", "lessons", "comments", "memberships"}
    assert found.lost == []
    is_the_same(world, loaded(found))


def test_sections_lessons_and_questions_keep_their_order(world: Api, loaded: Callable[[Made], Api]) -> None:
    """Rows that come earlier than in the file are added again at its end, with all that belongs to them."""
    creator = world.as_("creator")
    ok(creator.patch("/course/1/", json={"sections_order": [3, 1, 2]}))
    ok(creator.patch("/course/2/section/4/", json={"lessons_order": [10, 9]}))
    ok(creator.patch(QUIZ, json={"questions_order": [4, 2, 1, 3]}))
    ok(creator.post("/course/3/section/", json={"name": "New", "dripped_at": "2027-01-01T00:00:00Z"}), 201)
    ok(creator.patch("/course/3/", json={"sections_order": [9, 28, 7, 8]}))
    found = made(world)
    after = loaded(found)
    for course, order in ((1, [3, 1, 2]), (3, [9, 28, 7, 8])):
        assert after.world.courses[course]["sections_order"] == order
    assert after.world.sections[4]["lessons_order"] == [10, 9]
    assert after.world.lessons[5]["questions_order"] == [4, 2, 1, 3]
    assert all("attempt" in line for line in found.lost), "their copies of the questions have another order"


def test_after_changes_of_every_kind_all_but_pictures_and_sign_ins_is_there(
    world: Api, loaded: Callable[[Made], Api]
) -> None:
    busy(world, "default")
    found = made(world)
    assert found.lost == [
        "uploaded pictures: 1",
        "sign-ins with OAuth: 2",
        "in courses: 1 (image_original)",
    ]
    other = loaded(found)
    other.world.courses.put({**other.world.courses[1], "image_original": world.world.courses[1]["image_original"]})
    other.world.pictures.put(next(iter(world.world.pictures)))
    is_the_same(world, other)


STEPS: tuple[Callable[[Api, random.Random], Any], ...] = (
    lambda api, draws: act(api, "creator", "POST", "/course/", {"name": f"N{draws.random()}", "type": "structured"}),
    lambda api, draws: act(api, "creator", "PATCH", course(api, draws), {"description": f"d{draws.random()}"}),
    lambda api, draws: act(api, "creator", "POST", f"{course(api, draws)}section/", {"name": "S"}),
    lambda api, draws: act(api, "creator", "POST", f"{section(api, draws)}lesson/", {"name": "L", "type": "lesson"}),
    lambda api, draws: act(api, "creator", "PATCH", lesson(api, draws), {"status": "published", "text": "<p>ü 👋</p>"}),
    lambda api, draws: api.as_("creator").post(
        f"{lesson(api, draws)}comment/", json={"text": f"<p>{draws.random()}</p>"}
    ),
    lambda api, draws: act(api, "creator", "DELETE", lesson(api, draws)),
    lambda api, draws: act(api, "creator", "DELETE", section(api, draws)) if draws.random() < 0.4 else None,
    lambda api, draws: act(api, "creator", "DELETE", course(api, draws)) if draws.random() < 0.2 else None,
    lambda api, draws: api.as_("member").post(f"{lesson(api, draws)}complete/"),
    lambda api, draws: api.as_("member").post(f"{lesson(api, draws)}incomplete/"),
    lambda api, draws: api.as_("stranger").post(f"{course(api, draws)}join/"),
    lambda api, draws: api.as_("invited").post(f"{course(api, draws)}join/"),
    lambda api, draws: api.as_("member").delete(f"{course(api, draws)}join/"),
    lambda api, draws: shuffled(api, draws),
    lambda api, draws: api.world.clock.advance(timedelta(hours=draws.randrange(200))),
)


def course(api: Api, draws: random.Random) -> str:
    return f"/course/{draws.choice([row['id'] for row in api.world.courses])}/"


def section(api: Api, draws: random.Random) -> str:
    row = draws.choice([*api.world.sections])
    return f"/course/{row['course_id']}/section/{row['id']}/"


def lesson(api: Api, draws: random.Random) -> str:
    row = draws.choice([*api.world.lessons])
    owner = api.world.sections[row["section_id"]]
    return f"/course/{owner['course_id']}/section/{owner['id']}/lesson/{row['id']}/"


def shuffled(api: Api, draws: random.Random) -> None:
    """Show the sections of a course, or the lessons of a section, in another order."""
    row = draws.choice([*api.world.courses, *api.world.sections])
    field = "sections_order" if "sections_order" in row else "lessons_order"
    order = draws.sample(row[field], len(row[field]))
    path = f"/course/{row['id']}/" if "sections_order" in row else f"/course/{row['course_id']}/section/{row['id']}/"
    if order:
        act(api, "creator", "PATCH", path, {field: order})


@pytest.mark.parametrize("seed", range(12))
def test_after_any_sequence_of_operations_the_world_is_the_same(
    world: Api, loaded: Callable[[Made], Api], seed: int
) -> None:
    draws = random.Random(seed)  # noqa: S311
    for _ in range(70):
        draws.choice(STEPS)(world, draws)
    found = made(world)
    assert found.lost == []
    other = loaded(found)
    other.world.clock.freeze(world.world.clock.now())
    if seed:
        has_the_same_rows(world, other)
    else:  # a thousand addresses, which take their time
        is_the_same(world, other)
    assert made(world).text([]) == found.text([])


def test_a_fixture_of_a_fixture_of_a_world(server: Server, loaded: Callable[[Made], Api], tmp_path: Path) -> None:
    """It can extend what was written down before, and relative times stay relative."""
    (tmp_path / "first.yaml").write_text("name: first\nextends: default\nremove: {courses: [1]}\n")
    api = server(str(tmp_path / "first.yaml"))
    ok(api.as_("creator").patch("/course/9/section/20/", json={"name": "At last"}))
    found = made(api, tmp_path / "first.yaml")
    assert found.data == {
        "extends": "first",
        "sections": [{"id": 20, "course_id": 9, "name": "At last", "dripped_at": "+4d"}],
    }
    is_the_same(api, loaded(found))


# What cannot be said


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"questions_order": [1, 2, 3]}, True),
        ({"passing_grade": 10}, True),
        ({"name": "Another name"}, False),
    ],
)
def test_an_attempt_at_a_quiz_that_has_changed_is_named(
    world: Api, loaded: Callable[[Made], Api], change: dict[str, Any], named: bool
) -> None:
    """It keeps a copy of the quiz as it was, and a fixture would grade it by the quiz that there is (R411)."""
    selected = [{"question_id": number, "selected_options": options} for number, options in WRONG.items()]
    ok(world.as_("member").post(f"{QUIZ}attempt/", json={"responses": selected}))
    ok(world.as_("creator").patch(QUIZ, json=change))
    found = made(world)
    lines = [
        f"attempt {row['id']} of user {row['user_id']} at lesson 5, whose quiz has changed since"
        for row in world.world.attempts.where("lesson_id", 5)
    ]
    assert found.lost == (lines if named else [])
    assert {row["id"] for row in loaded(found).world.attempts} == {
        row["id"] for row in world.world.attempts if not named or row["lesson_id"] != 5
    }


def test_an_attempt_is_written_as_its_responses(world: Api, loaded: Callable[[Made], Api]) -> None:
    selected = [{"question_id": number, "selected_options": options} for number, options in RIGHT.items()]
    ok(world.as_("member").post(f"{QUIZ}attempt/", json={"responses": selected}))
    found = made(world)
    (row,) = found.data["attempts"]
    assert row["responses"] == selected
    is_the_same(world, loaded(found))


def test_a_field_that_fixtures_do_not_have_is_named(world: Api) -> None:
    files = {"image_original": ("a.png", png(8, "a"), "image/png")}
    ok(world.as_("creator").patch("/course/1/", files=files))
    assert made(world).lost == ["uploaded pictures: 1", "in courses: 1 (image_original)"]


def test_many_rows_are_counted(world: Api) -> None:
    for number in range(1, 9):
        files = {"image_original": ("a.png", png(8, "a"), "image/png")}
        ok(world.as_("creator").patch(f"/course/{number}/", files=files))
    line = made(world).lost[-1]
    assert line.startswith("in courses: 1 (image_original), 2 (image_original)")
    assert line.endswith("5 (image_original) and 3 more")


def test_another_fixture_is_refused(world: Api, tmp_path: Path) -> None:
    file = tmp_path / "default.yaml"
    file.write_text(BASE.read_text(encoding="utf-8").replace("Bicycle Repair Evenings", "Bicycles"), encoding="utf-8")
    with pytest.raises(AnotherFixture, match=r"^the world started from a fixture called 'default', and .* is another$"):
        made(world, file)


def test_what_is_missing_is_in_the_comments(world: Api) -> None:
    found = Made({"extends": "default"}, ["a", "b\nc"])
    text = found.text(["Of a test."], ["first"])
    assert (
        text == "# Of a test.\n# What a fixture cannot say is missing:\n# - first\n# - a\n# - b c\nextends: default\n"
    )
    assert yaml.safe_load(text) == {"extends": "default"}
