"""Snapshots in files of other versions: their format decides whether they can be read, and old ones are."""

import asyncio
import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import stubserver
from stubserver.app import create_app
from stubserver.errors import Refusal
from stubserver.worlds import snapshot_file
from stubserver.worlds.world import World
from tests.support.answers import ok, refused
from tests.support.client import Api
from tests.support.old_snapshots import FIXTURE, OLD, fixture, signed
from tests.support.snapshots import SNAPSHOTS, file_of, loaded

pytestmark = pytest.mark.no_world

COURSE = {**OLD["tables"]["courses"]["rows"][0]["row"]}
Change = Callable[[dict[str, Any]], Any]


@pytest.fixture
def lab(tmp_path: Path, runner: asyncio.Runner) -> Api:
    """A server with the fixture that the old snapshots are based on."""
    return Api(create_app(fixture(tmp_path)), runner)


def row(content: dict[str, Any], table: str = "courses") -> dict[str, Any]:
    """The changed row of a table."""
    found: dict[str, Any] = content["tables"][table]["rows"][0]["row"]
    return found


def of(version: str, change: Change = lambda _: None, **more: Any) -> dict[str, Any]:
    """The old snapshot as another version might have written it."""
    content = {**copy.deepcopy(dict(OLD)), "stubserver": version, **more}
    change(content)
    return signed(content)


def told(api: Api, content: dict[str, Any]) -> str:
    """The message of the refusal of a file, which must be one line; nothing is stored."""
    response = api.put(f"{SNAPSHOTS}/s", json=content)
    assert len(refused(response, 400)) == 1
    (entry,) = response.json()["errors"]
    message: str = entry["messages"][0]["message"] if "field" in entry else entry["message"]
    assert "\n" not in message
    assert ok(api.get(SNAPSHOTS))["count"] == 0
    return message


def assert_is_old(world: World) -> None:
    """The world is in the state of the old snapshot."""
    assert {**world.courses[2], "created_at": COURSE["created_at"]} == COURSE
    assert world.courses[2]["created_at"] == world.clock.now()
    assert world.clock.frozen
    assert world.memberships[2, 1]["status"] == "creator"
    assert len(world.courses) == 2


@pytest.mark.parametrize("here", ["0.1.0", "0.1.7", "0.2.0", "0.2.0.dev1", "1.0.0", "12.3.4"])
def test_a_file_of_an_older_version_is_loaded(lab: Api, monkeypatch: pytest.MonkeyPatch, here: str) -> None:
    """A patch, a minor version or a major one later, from before there was a format; over the control plane."""
    monkeypatch.setattr(snapshot_file, "__version__", here)
    assert_is_old(loaded(lab, json.dumps(of("0.1.0"))))


@pytest.mark.parametrize("version", ["0.0.9", "0.1.1", "0.2.0", "1.0.0", "not-a-number", ""])
def test_the_version_of_a_file_only_informs(lab: Api, version: str) -> None:
    """A newer version's file is loaded, too, as long as it fits."""
    assert_is_old(loaded(lab, json.dumps(of(version))))
    digest = lab.app.fixture.digest
    assert_is_old(loaded(lab, json.dumps(of(version, format=1, digest=digest))))


def test_what_is_written_has_the_newest_format(api: Api) -> None:
    content = json.loads(file_of(api))
    assert (content["format"], snapshot_file.FORMAT, content["stubserver"]) == (1, 1, stubserver.__version__)


def test_a_later_format_is_refused_with_the_version_that_is_needed(lab: Api) -> None:
    """Whatever it holds, and even if its checksum is another kind."""
    content = {**of("3.1.0", format=2, digest="sha3:1", tables={"courses": {}}), "checksum": "crc:1"}
    assert told(lab, content) == (
        f"The file has format 2, but this is version {stubserver.__version__}, which knows formats up to 1: "
        "use version 3.1.0, which wrote it, or later."
    )


def test_a_field_that_no_format_has_is_refused(lab: Api) -> None:
    keys = "format, stubserver, fixture, digest, moment, clock, tables, checksum"
    says = f"There is no field 'zzz'. Use one of: {keys}."
    assert told(lab, of(stubserver.__version__, zzz=[1])) == says
    with pytest.raises(Refusal, match=says):
        snapshot_file.read(of(stubserver.__version__, zzz=[1]), lab.app.worlds.load_fixture)


# Fields that are new, and fields that are gone


def lacks(*fields: str, table: str = "courses") -> Change:
    return lambda content: [row(content, table).pop(field) for field in fields]


def has(table: str = "courses", times: tuple[str, ...] = (), **fields: Any) -> Change:
    def change(content: dict[str, Any]) -> None:
        row(content, table).update(fields)
        content["tables"][table]["rows"][0]["times"] += times

    return change


def dripped_at_is_new(content: dict[str, Any]) -> None:
    del row(content, "sections")["dripped_at"]
    content["tables"]["sections"]["rows"][0]["times"] = []


def test_fields_that_are_new_since_have_their_defaults(lab: Api) -> None:
    world = loaded(lab, json.dumps(of("0.0.9", lacks("hide_member_count", "og_image", "image_original", "deleted"))))
    assert world.courses[2] == {**world.courses[2], "hide_member_count": False, "og_image": None, "deleted": False}
    assert world.courses[2].keys() == COURSE.keys()
    world = loaded(lab, json.dumps(of("0.0.9", dripped_at_is_new)))
    assert world.sections[2]["dripped_at"] is None


def test_fields_that_are_gone_are_left_out(lab: Api) -> None:
    gone = has("courses", ("archived_at",), featured=True, archived_at="2026-03-01T12:00:00+00:00")
    assert_is_old(loaded(lab, json.dumps(of("0.0.9", gone))))


def test_a_row_that_is_deleted_stays_so(lab: Api) -> None:
    def delete(content: dict[str, Any]) -> None:
        content["tables"]["courses"]["rows"].append({"key": 1, "row": None, "times": []})
        content["tables"]["memberships"]["rows"].append({"key": [1, 1], "row": None, "times": []})
        content["tables"]["sections"]["rows"].append({"key": 1, "row": None, "times": []})

    world = loaded(lab, json.dumps(of("0.0.9", delete)))
    assert [course["id"] for course in world.courses] == [2]


def no_such_table(content: dict[str, Any]) -> None:
    content["tables"]["badges"] = {"next_id": 1, "rows": []}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lacks("slug"), "tables.courses[0].slug: This field is required."),
        (lacks("hide_member_count"), ""),
        (has(featured=True), "tables.courses[0].featured: There is no field 'featured'. Use one of: "),
        (has(privacy="hidden"), 'tables.courses[0].privacy: "hidden" is not a valid choice. Use one of: '),
        (no_such_table, "tables.badges: there is no such table."),
        (lambda content: content["tables"].update(courses={"rows": 1}), ""),
        (lambda content: content.update(moment="soon"), "This is not a snapshot that a server wrote."),
        (lambda content: content.update(fixture="loft"), "Unknown fixture 'loft': use one of default, empty, lab."),
        (lambda content: content.update(digest="1"), 'Fixture "lab" has changed since this snapshot; take a new one.'),
    ],
    ids=["missing", "missing with default", "unknown", "choice", "table", "shape", "moment", "fixture", "digest"],
)
def test_what_does_not_fit_tells_the_version(lab: Api, change: Change, says: str) -> None:
    """If it is another one, which may be the reason; the same file of this version says just what is wrong."""
    here = stubserver.__version__
    newer = told(lab, of("9.1.0", change))
    assert newer.startswith(says)
    assert newer.endswith(f". It is from version 9.1.0: use that or a later one; this is {here}.")
    same = told(lab, of(here, change))
    assert same.startswith(says.removesuffix("."))
    assert " version " not in same
    if says and "no field" not in says:
        older = told(lab, of("0.0.9", change))
        assert older.startswith(says)
        assert older.endswith(f". It is from version 0.0.9, but this is {here}; take a new one.")


@pytest.mark.parametrize("rows", [None, 7, "x", [7], [{}], [{"key": 2, "times": []}], [{"row": [], "times": []}]])
def test_an_old_file_of_another_shape_is_refused(lab: Api, rows: Any) -> None:
    message = told(lab, of("0.0.9", lambda content: content["tables"]["courses"].update(rows=rows)))
    assert message.endswith(f"It is from version 0.0.9, but this is {stubserver.__version__}; take a new one.")


# The fixture


@pytest.mark.parametrize("text", [FIXTURE.replace("# Of the lab", "# Of our lab"), FIXTURE.replace("'", '"')])
def test_a_snapshot_survives_a_comment_in_its_fixture(
    tmp_path: Path, lab: Api, runner: asyncio.Runner, text: str
) -> None:
    """And other quotes, unless it is of no format: those have a digest of the text."""
    content = snapshot_file.written(loaded(lab, json.dumps(of("0.1.0"))).snapshot())
    file = tmp_path / "other.yaml"
    file.write_text(text)
    other = Api(create_app(str(file)), runner)
    assert "has changed since this snapshot" in told(other, of("0.1.0"))
    assert_is_old(loaded(other, json.dumps(content)))


def test_a_snapshot_does_not_survive_a_change_of_its_fixture(tmp_path: Path, lab: Api, runner: asyncio.Runner) -> None:
    content = snapshot_file.written(loaded(lab, json.dumps(of("0.1.0"))).snapshot())
    file = tmp_path / "changed.yaml"
    file.write_text(FIXTURE.replace("First steps", "Second steps"))
    assert "has changed since this snapshot; take a new one." in told(Api(create_app(str(file)), runner), content)
