"""Generated fixtures: the same for the same seed, of the requested size, ready to be loaded and served."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from stubserver.app import StubServer
from stubserver.cli import main
from stubserver.contract.contract import Contract
from stubserver.fixture_generator import generate
from stubserver.fixtures.fixture import load
from stubserver.worlds.snapshot import Fixture
from tests.support.answers import ok
from tests.support.client import Api
from tests.support.default import NOW, PERSONAS

pytestmark = pytest.mark.slow

COURSES = 30
COUNTS = {
    "users": 14,
    "categories": 8,
    "courses": COURSES,
    "sections": 2 * COURSES,
    "lessons": 6 * COURSES,
    "questions": 2 * COURSES,
    "answers": 4 * COURSES,
    "comments": 4 * COURSES,
    "memberships": 8 * COURSES,
    "attempts": 0,
    "medias": 0,
}


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["fixture", "generate", *arguments])


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file that the command wrote."""
    path = tmp_path_factory.mktemp("generated") / "large.yaml"
    result = run("--courses", str(COURSES), "--seed", "1", "--output", str(path))
    assert (result.exit_code, result.output) == (0, "")
    return path


@pytest.fixture(scope="module")
def large(file: Path, contract: Contract) -> Fixture:
    """The same, validated against the schemas of the contract."""
    return load(str(file), contract, NOW)


@pytest.fixture(scope="module")
def large_server(contract: Contract, large: Fixture) -> StubServer:
    return StubServer(contract, large)


@pytest.fixture
def served(large_server: StubServer, runner: asyncio.Runner) -> Api:
    large_server.worlds.reset().clock.freeze(NOW)
    return Api(large_server, runner)


def test_fixture_generate_is_deterministic(file: Path) -> None:
    """The same seed gives the same bytes, on the terminal and in a file; another seed or size gives different data."""
    result = run("--courses", str(COURSES), "--seed", "1")
    assert (result.exit_code, result.output) == (0, file.read_text(encoding="utf-8"))
    assert yaml.safe_load(result.output) == generate(COURSES, 1)
    assert generate(COURSES, 1) == generate(COURSES, 1)
    assert run("--courses", "3").output == run("--courses", "3", "--seed", "0").output


@pytest.mark.parametrize("table", ["users", "courses", "sections", "memberships", "completions", "comments"])
def test_fixture_generate_differs_by_seed(table: str) -> None:
    """Everything that looks random depends on the seed."""
    assert generate(COURSES, 1)[table] != generate(COURSES, 2)[table]


def test_fixture_generate_counts(large: Fixture) -> None:
    """As many courses as requested, with everything that belongs to them, and no duplicates."""
    assert {table: len(large.tables[table].rows) for table in COUNTS} == COUNTS
    assert large.name == "large-30-1"
    assert large.tokens == {f"stub-{role}": number for number, role in enumerate(PERSONAS, start=1)}
    privacies = {row["privacy"] for row in large.tables["courses"].rows.values()}
    assert privacies == {"", "open", "private", "secret"}
    assert {row["type"] for row in large.tables["courses"].rows.values()} == {"self-paced", "structured", "scheduled"}


@pytest.mark.parametrize(("courses", "users"), [(1, 14), (35, 14), (40, 15), (200, 47)])
def test_fixture_generate_scales(courses: int, users: int, contract: Contract, tmp_path: Path) -> None:
    """The number of users grows with the number of courses, and every size can be loaded."""
    path = tmp_path / "fixture.yaml"
    assert run("--courses", str(courses), "--seed", "7", "--output", str(path)).exit_code == 0
    tables = load(str(path), contract, NOW).tables
    assert (len(tables["courses"].rows), len(tables["users"].rows)) == (courses, users)
    for course in tables["courses"].rows.values():
        assert (len(course["sections_order"]), course["created_by"]) == (2, 1)


def test_fixture_generate_keeps_the_rules(large: Fixture) -> None:
    """R114, R115, R402: the creator has that status in every course, one answer is correct, one user is staff."""
    memberships = large.tables["memberships"].rows
    assert all(memberships[course, 1]["status"] == "creator" for course in large.tables["courses"].rows)
    assert all(
        (row["joined_at"] is None) == (row["status"] in ("invited", "requested")) for row in memberships.values()
    )
    for question in large.tables["questions"].rows.values():
        assert [answer["correct"] for answer in question["answers"]] == [True, False]
    assert [row["id"] for row in large.tables["users"].rows.values() if row["role"]] == [7]
    for user, lesson in large.tables["completions"].rows:
        section = large.tables["lessons"].rows[lesson]["section_id"]
        course = large.tables["sections"].rows[section]["course_id"]
        assert memberships[course, user]["status"] == "joined"


def test_fixture_generate_keeps_the_time_of_activity(large: Fixture) -> None:
    """R608: last_active_at is the time of the last completed lesson, so users who completed one have it."""
    newest: dict[tuple[int, int], Any] = {}
    for (user, lesson), row in large.tables["completions"].rows.items():
        section = large.tables["sections"].rows[large.tables["lessons"].rows[lesson]["section_id"]]
        key = (section["course_id"], user)
        newest[key] = max(row["at"], newest.get(key, row["at"]))
    found = {key: row["last_active_at"] for key, row in large.tables["memberships"].rows.items()}
    assert {key: at for key, at in found.items() if at} == newest


def test_search_courses_serves_a_generated_fixture(served: Api) -> None:
    """R101-R104: creator and managers find every course, others only what they may see."""
    expected = {row["id"]: row["privacy"] for row in served.world.courses}
    for persona, unseen in (("creator", ()), ("manager", ()), ("member", ("",)), ("stranger", ("", "secret"))):
        page = ok(served.as_(persona).get("/course/search/?limit=100"))
        wanted = [number for number, privacy in expected.items() if privacy not in unseen]
        assert (page["count"], sorted(row["id"] for row in page["results"])) == (len(wanted), wanted)


def test_get_course_serves_a_generated_fixture(served: Api) -> None:
    """R111, R112, R409: every course, its comments and its members can be read, and its quizzes can be passed."""
    creator = served.as_("creator")
    for course in range(1, COURSES + 1):
        found = ok(creator.get(f"/course/{course}/?view=edit"))
        assert (found["num_sections"], found["num_lessons"]) == (2, 6)
        assert ok(creator.get(f"/course/{course}/comment/"))["count"] == 4
        assert ok(creator.get(f"/course/{course}/users/"))["count"] == 5
        quiz = found["sections"][1]["lessons"][2]
        path = f"/course/{course}/section/{found['sections'][1]['id']}/lesson/{quiz['id']}/"
        (question,) = ok(creator.get(f"{path}question/"))
        body = {"responses": [{"question_id": question["id"], "selected_options": [question["answers"][0]["id"]]}]}
        assert ok(creator.post(f"{path}attempt/", json=body))["quiz_attempt"]["result"] == "completed"


@pytest.mark.parametrize(
    "arguments",
    [(), ("--courses", "0"), ("--courses", "x"), ("--courses", "1", "--seed", "-1")],
    ids=["none", "zero", "word", "negative-seed"],
)
def test_fixture_generate_refuses(arguments: tuple[str, ...]) -> None:
    """A mistake in the options ends with status 2."""
    assert run(*arguments).exit_code == 2


def test_fixture_generate_writes_the_same_as_json(large: Fixture, contract: Contract, tmp_path: Path) -> None:
    """A file that ends in .json holds JSON with the same data."""
    path = tmp_path / "large.json"
    assert run("--courses", str(COURSES), "--seed", "1", "--output", str(path)).exit_code == 0
    assert path.read_text(encoding="utf-8").startswith('{"name":')
    again = load(str(path), contract, NOW)
    assert {name: base.rows for name, base in again.tables.items()} == {
        name: base.rows for name, base in large.tables.items()
    }
