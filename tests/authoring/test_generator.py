"""Generated fixtures: the same for the same seed, of the requested shape and size, ready to be loaded and served."""

import asyncio
import hashlib
import json
import subprocess
import sys
import unicodedata
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from stubserver.app import StubServer
from stubserver.authoring.generator import generate
from stubserver.authoring.shapes import PRESETS
from stubserver.contract.contract import Contract
from stubserver.fixtures.fixture import load
from stubserver.worlds.snapshot import Fixture
from tests.sources import ROOT
from tests.support.answers import ok
from tests.support.client import Api
from tests.support.default import NOW, PERSONAS

pytestmark = pytest.mark.slow

COURSES = 30
PLAIN = ""
SHAPES = [PLAIN, *PRESETS]
DAY = 24 * 60


@cache
def generated(shape: str, seed: int = 1) -> dict[str, Any]:
    return generate(None if shape else COURSES, seed, shape or None)


@cache
def large() -> dict[str, Any]:
    return generate(200, 1)


@pytest.fixture(scope="module", params=SHAPES, ids=lambda shape: shape or "plain")
def shape(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture(scope="module")
def loaded(shape: str, contract: Contract, tmp_path_factory: pytest.TempPathFactory) -> Fixture:
    """A fixture of this shape, validated against the schemas of the contract."""
    file = tmp_path_factory.mktemp("generated") / "fixture.yaml"
    file.write_text(yaml.safe_dump(generated(shape), allow_unicode=True), encoding="utf-8")
    return load(str(file), contract, NOW)


@pytest.fixture(scope="module")
def server(contract: Contract, loaded: Fixture) -> StubServer:
    return StubServer(contract, loaded)


@pytest.fixture
def served(server: StubServer, runner: asyncio.Runner) -> Api:
    server.worlds.reset().clock.freeze(NOW)
    return Api(server, runner)


def test_the_same_seed_gives_the_same_bytes(shape: str) -> None:
    """In another process, whatever the date, the time zone, the locale and the order of sets there."""
    code = (
        "import time, random; real = time.time; time.time = lambda: real() + 1e8; random.seed(7)\n"
        "import json; from stubserver.authoring.generator import generate\n"
        f"print(json.dumps(generate({None if shape else COURSES}, 1, {shape or None!r})))"
    )
    environment = {"TZ": "Asia/Tokyo", "LC_ALL": "C", "PYTHONHASHSEED": "5", "PYTHONPATH": str(ROOT)}
    other = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=True, timeout=60)
    assert other.stdout.decode().strip() == json.dumps(generated(shape))


def test_the_bytes_are_those_of_yesterday() -> None:
    """Faker's version is pinned for this. If the generator is changed on purpose, this is the one place to tell."""
    text = json.dumps(generate(3, 1))
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == "4e79bbc6de79c5da"


@pytest.mark.parametrize("table", ["users", "courses", "sections", "lessons", "memberships", "completions", "comments"])
def test_another_seed_gives_something_else(table: str) -> None:
    assert generated(PLAIN, 1)[table] != generated(PLAIN, 2)[table]


@pytest.mark.parametrize(("courses", "users"), [(1, 14), (35, 14), (40, 15), (200, 47)])
def test_users_become_more_with_the_courses(courses: int, users: int) -> None:
    data = generate(courses, 7)
    assert (data["name"], len(data["courses"]), len(data["users"])) == (f"large-{courses}-7", courses, users)


@pytest.mark.parametrize(
    ("preset", "courses", "says"),
    [
        (None, None, "say how many courses there shall be, with --courses, or choose a --preset"),
        ("empty", 1, "--courses 1 contradicts --preset empty: its number of courses is 0, so leave --courses out"),
        ("one-course", 2, "--courses 2 contradicts --preset one-course: its number of courses is 1, so leave ..."),
        ("busy", 1001, "--courses 1001 contradicts --preset busy: its number of courses is at most 1000"),
    ],
)
def test_a_contradiction_is_refused(preset: str | None, courses: int | None, says: str) -> None:
    with pytest.raises(ValueError, match=r"^") as caught:
        generate(courses, 1, preset)
    assert str(caught.value).startswith(says.removesuffix("..."))


def test_a_preset_may_have_another_number_of_courses() -> None:
    assert len(generate(2, 1, "long-texts")["courses"]) == 2
    assert generate(1, 1, "one-course") == generated("one-course")


# What is in it


def test_everybody_whom_a_token_stands_for_is_there(loaded: Fixture) -> None:
    """R114, R115: with the same status in every course."""
    assert loaded.tokens == {f"stub-{role}": number for number, role in enumerate(PERSONAS, start=1)}
    assert [row["id"] for row in loaded.tables["users"].rows.values() if row["role"]] == [7]
    memberships = loaded.tables["memberships"].rows
    statuses = ["creator", "manager", "joined", "invited", "requested"]
    for course in loaded.tables["courses"].rows.values():
        assert [memberships[course["id"], user]["status"] for user in range(1, 6)] == statuses
        assert course["created_by"] == 1


def test_nobody_has_done_what_the_server_would_refuse(loaded: Fixture) -> None:
    """Only members learn, only in published lessons of sections that are open, in time, and after one another."""
    tables = {name: table.rows for name, table in loaded.tables.items()}
    newest: dict[tuple[int, int], Any] = {}
    for (user, number), row in tables["completions"].items():
        lesson = tables["lessons"][number]
        section = tables["sections"][lesson["section_id"]]
        member = tables["memberships"][section["course_id"], user]
        assert (member["status"], lesson["status"]) == ("joined", "published")
        assert max(member["joined_at"], lesson["created_at"]) <= row["at"] < NOW
        assert section["dripped_at"] is None or section["dripped_at"] <= row["at"]
        assert (row["at"] - member["joined_at"]).days >= section["drip_delay"] - 1  # ages are rounded to hours
        assert row["status"] == "completed" or lesson["type"] == "quiz"
        key = (section["course_id"], user)
        newest[key] = max(row["at"], newest.get(key, row["at"]))
    found = {key: row["last_active_at"] for key, row in tables["memberships"].items()}
    assert {key: at for key, at in found.items() if at} == newest, "R608"
    for row in tables["memberships"].values():
        assert (row["joined_at"] is None) == (row["status"] in ("invited", "requested"))


def test_a_quiz_that_was_taken_has_an_attempt_with_the_same_result(loaded: Fixture) -> None:
    lessons = loaded.tables["lessons"].rows
    attempts = {(row["user_id"], row["lesson_id"]): row for row in loaded.tables["attempts"].rows.values()}
    taken = {key: row for key, row in loaded.tables["completions"].rows.items() if lessons[key[1]]["type"] == "quiz"}
    assert {key: (row["status"], row["at"]) for key, row in taken.items()} == {
        key: (row["result"], row["created_at"]) for key, row in attempts.items()
    }


def test_replies_belong_to_what_they_answer(loaded: Fixture) -> None:
    """Under the same lesson, not before it, and only where comments are on and the lesson can be seen."""
    comments = loaded.tables["comments"].rows
    for row in comments.values():
        lesson = loaded.tables["lessons"].rows[row["lesson_id"]]
        assert lesson["comments_enabled"]
        assert lesson["status"] == "published"
        for other in (comments[number] for number in (row["parent"], row["in_reply_to"]) if number):
            assert other["lesson_id"] == row["lesson_id"]
            assert other["created_at"] <= row["created_at"]
        if row["in_reply_to"]:
            assert comments[row["in_reply_to"]]["parent"] == row["parent"]
        if row["parent"]:
            assert comments[row["parent"]]["parent"] is None


def test_courses_do_not_read_alike() -> None:
    data = large()
    for field, most in (("name", 1), ("description", 30), ("created_at", 3)):
        assert max(Counter(row[field] for row in data["courses"]).values()) <= most, field
    assert Counter(row["text"] for row in data["lessons"] if row["text"]).most_common(1)[0][1] <= 12
    assert {row["privacy"] for row in data["courses"]} == {"", "open", "private", "secret"}
    assert {row["type"] for row in data["courses"]} == {"self-paced", "structured", "scheduled"}
    assert {row["type"] for row in data["medias"]} == {"image", "doc"}
    assert {row["status"] for row in data["completions"]} == {"completed", "failed"}
    assert {len(row["categories"]) for row in data["courses"]} == {1, 2}
    assert {len([answer for answer in row["answers"] if answer["correct"]]) for row in data["questions"]} == {1, 2}
    avatars = [row.get("avatar", "drawn") for row in data["users"]]
    assert {None, "drawn"} < {*avatars}


@pytest.mark.parametrize("script", ["LATIN", "ARABIC", "CJK", "HIRAGANA"])
@pytest.mark.parametrize("table", ["courses", "sections", "lessons", "comments", "questions"])
def test_there_are_several_scripts(table: str, script: str) -> None:
    texts = [row.get("name") or row["text"] for row in large()[table]]
    assert any(unicodedata.name(letter, "").startswith(script) for text in texts for letter in text)


@pytest.mark.parametrize("script", ["LATIN", "ARABIC", "CJK"])
def test_people_have_names_in_several_scripts(script: str) -> None:
    names = [row["real_name"] for row in generated("busy")["users"]]
    assert any(unicodedata.name(letter, "").startswith(script) for name in names for letter in name)


def test_there_are_emoji() -> None:
    data = generated(PLAIN)
    assert any(letter > "\U0001f300" for row in data["comments"] for letter in row["text"])


def test_dates_go_back_from_the_start_of_the_server() -> None:
    """A community never grows old, and some of it happened just now; some sections open later."""
    data = large()
    times = [row["created_at"] for table in ("courses", "lessons", "comments") for row in data[table]]
    assert all(time[0] == "-" for time in times)
    assert {time[-1] for time in times} == {"m", "h"}
    assert {row["dripped_at"][0] for row in data["sections"] if "dripped_at" in row} == {"+", "-"}


def test_the_empty_one_has_people_only() -> None:
    data = generated("empty")
    assert {table for table, rows in data.items() if rows and isinstance(rows, list)} == {
        "personas",
        "users",
        "categories",
    }


def test_the_one_course_has_it_all() -> None:
    """And everybody sees it."""
    data = generated("one-course")
    (course,) = data["courses"]
    assert (course["privacy"], len(data["sections"]), data["name"]) == ("open", 4, "one-course-1-1")
    tables = ("lessons", "questions", "attempts", "comments", "medias", "completions")
    assert all(data[table] for table in tables)
    assert {row["type"] for row in data["lessons"]} == {"lesson", "quiz"}
    assert any(row.get("in_reply_to") for row in data["comments"])


def test_the_busy_one_is_busy() -> None:
    data = generated("busy")
    assert len(data["courses"]) == 24
    assert len(data["memberships"]) > 25 * 24
    assert len(data["comments"]) > 10 * 24
    threads = Counter(row.get("parent") for row in data["comments"])
    assert max(number for parent, number in threads.items() if parent) == 9


def test_the_long_texts_are_long() -> None:
    """As long as the contract allows, or far longer than a line; one name cannot be broken into lines."""
    data = generated("long-texts")
    assert min(len(row["name"]) for row in data["courses"]) > 40
    assert max(len(row["name"]) for row in data["courses"]) > 200
    assert any(" " not in row["name"] for row in data["courses"])
    assert max(len(row["text"]) for row in data["lessons"]) > 4000
    assert max(len(row["real_name"]) for row in data["users"]) == 255
    assert max(len(row["description"]) for row in data["users"]) <= 50


# How it is served


def pages(api: Api, path: str) -> list[dict[str, Any]]:
    """All rows of a list, page by page."""
    found: list[dict[str, Any]] = []
    while True:
        page = ok(api.get(f"{path}{'&' if '?' in path else '?'}limit=100&offset={len(found)}"))
        found += page["results"]
        if page["next"] is None:
            assert len(found) == page["count"]
            return found


def test_a_server_reads_it_all_back(served: Api, loaded: Fixture) -> None:
    """R101-R104: lists, courses, lessons, comments and progress, under the schemas of the contract, which the server
    holds its answers to."""
    rows = loaded.tables["courses"].rows
    listed = pages(served.as_("creator"), "/course/search/")
    assert sorted(row["id"] for row in listed) == [*rows]
    unseen = {"manager": (), "member": ("",), "stranger": ("", "secret")}
    for persona, privacies in unseen.items():
        found = {row["id"] for row in pages(served.as_(persona), "/course/search/")}
        assert found == {number for number, row in rows.items() if row["privacy"] not in privacies}
    for course in [*rows][:12]:
        read_back(served, course, loaded)


def read_back(served: Api, course: int, loaded: Fixture) -> None:
    creator, member = served.as_("creator"), served.as_("member")
    found = ok(creator.get(f"/course/{course}/?view=edit"))
    tables = loaded.tables
    assert len(found["sections"]) == len(tables["sections"].index["course_id"][course])
    status = {row["id"]: row["join_status"] for row in pages(creator, f"/course/{course}/users/")}
    assert {*status.values()} <= {"creator", "manager", "joined"}
    comments = pages(creator, f"/course/{course}/comment/")
    assert all(row["html"] for row in comments)
    ok(creator.get(f"/course/{course}/?view=dashboard"))
    for section in found["sections"]:
        for lesson in section["lessons"]:
            path = f"/course/{course}/section/{section['id']}/lesson/{lesson['id']}/"
            assert ok(creator.get(path))["type"] == lesson["type"]
            if lesson["type"] == "quiz":
                assert ok(creator.get(f"{path}question/"))
    if tables["courses"].rows[course]["privacy"]:
        progress = ok(member.get(f"/course/{course}/"))
        assert (0 if progress["user_completion_rate"] is None else progress["user_completion_rate"]) in range(101)


def test_a_quiz_can_be_passed(served: Api) -> None:
    """R409."""
    quizzes = [row for row in served.world.lessons if row["type"] == "quiz"]
    for lesson in quizzes[:20]:
        section = served.world.sections[lesson["section_id"]]
        path = f"/course/{section['course_id']}/section/{section['id']}/lesson/{lesson['id']}/"
        questions = ok(served.as_("creator").get(f"{path}question/"))
        responses = [
            {
                "question_id": question["id"],
                "selected_options": [answer["id"] for answer in question["answers"] if answer["correct"]],
            }
            for question in questions
        ]
        done = ok(served.as_("creator").post(f"{path}attempt/", json={"responses": responses}))
        assert done["quiz_attempt"]["result"] == "completed"


def test_files_of_all_presets_are_small_enough_to_read(tmp_path: Path, shape: str) -> None:
    """Nobody who asks for a preset waits long."""
    assert len(json.dumps(generated(shape), ensure_ascii=False).encode()) < 8 * 1024 * 1024
