"""Snapshots as files: they carry a whole world to another server, and a damaged file is refused with the reason."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from stubserver.worlds import snapshot_file
from stubserver.worlds.base import Row, reader
from stubserver.worlds.snapshot import TABLES
from stubserver.worlds.world import World
from tests.support.answers import ok, refused
from tests.support.client import Api
from tests.support.default import LATER, NOW
from tests.support.rows import snapshot
from tests.support.snapshots import SNAPSHOTS, file_of, loaded, take
from tests.support.worlds import FREEZE, busy, found, make, named, piece

pytestmark = pytest.mark.no_world


def plain(world: World) -> dict[str, list[Row]]:
    """All rows of a world, except half-finished uploads."""
    return {name: rows for name, rows in snapshot(world).items() if name not in ("uploads", "pieces")}


def lookups(world: World) -> dict[str, Any]:
    """What every index of a world contains."""
    return {
        f"{name} by {index} {value}": rows.where(index, value)
        for name, (_, indexed) in TABLES.items()
        if name != "pieces"
        for rows in [getattr(world, name)]
        for index in indexed
        for value in {reader(index)(row) for row in rows} | {None}
    }


def next_ids(world: World) -> dict[str, int]:
    """The next id of each table; this uses the ids up."""
    return {name: getattr(world, name).next_id() for name in TABLES}


def test_load_snapshot_brings_every_row_to_another_server(api: Api, there: Api) -> None:
    done = busy(api, "w")
    ok(api.post(FREEZE, headers=named("w")))
    world, copy = api.app.worlds.get("w"), loaded(there, file_of(api))
    untouched = plain(World("new", world.fixture))
    same = {name for name, rows in plain(world).items() if rows == untouched[name]}
    assert same == {"users", "categories", "answers", "apps"}
    assert plain(copy) == plain(world)
    assert all(len(getattr(copy, name)) == len(rows) for name, rows in plain(world).items())
    assert lookups(copy) == lookups(world)
    assert (copy.clock.now(), copy.clock.frozen) == (world.clock.now(), True)
    assert copy.preferences == world.preferences
    assert copy.changed <= world.changed
    bearer = {**named("w"), "Authorization": f"Bearer {done['token']['access_token']}"}
    there_now, here_now = (ok(api.get("/__stub/clock", headers=named("w"))) for api in (there, api))
    assert there_now == here_now
    ok(api.post("/__stub/clock/set", json={"at": NOW.isoformat()}, headers=named("w")))
    ok(there.post("/__stub/clock/set", json={"at": NOW.isoformat()}, headers=named("w")))
    assert ok(there.get("/user/me/", headers=bearer))["username"] == "wren_hollis"
    assert next_ids(copy) == next_ids(world)


def test_load_snapshot_brings_every_answer_to_another_server(api: Api, there: Api) -> None:
    busy(api, "w")
    ok(api.post(FREEZE, headers=named("w")))
    loaded(there, file_of(api))
    for path in (
        "/course/?statuses=creator&limit=100",
        "/course/16/",
        "/course/16/section/28/lesson/50/question/",
        "/course/1/join/",
        "/course/1/invite/",
        "/course/1/quiz/",
        "/course/1/comment/",
        "/course/1/section/1/lesson/1/comment/",
        "/course/3/section/",
    ):
        here, far = (ok(api.as_("creator").get(path, headers=named("w"))) for api in (api, there))
        assert here == far, path
        assert here


def test_load_snapshot_brings_the_ids_that_are_used_up(api: Api, there: Api) -> None:
    """Including ids of deleted rows and of uploads, whose secrets come from their ids."""
    make(api, "Gone", "w")
    assert api.as_("creator").delete("/course/16/", headers=named("w")).status_code == 204
    first = piece(api, b"abc", 9, headers=named("w"))["upload_id"]
    loaded(there, file_of(api))
    assert make(there, "Next", "w") == make(api, "Next", "w") == 17
    assert piece(there, b"abc", 9, headers=named("w"))["upload_id"] != first


@pytest.mark.parametrize("ahead", [{"days": 0}, {"days": 3}, {"hours": 1, "seconds": 0.25}, {"days": 36000}])
def test_load_snapshot_brings_a_running_clock(api: Api, there: Api, ahead: dict[str, float]) -> None:
    ok(api.post("/__stub/clock/advance", json=ahead, headers=named("w")))
    here, far = api.app.worlds.get("w").clock, loaded(there, file_of(api)).clock
    assert (far.frozen, far.ahead) == (False, here.ahead)
    assert abs(here.now() - far.now()) < timedelta(minutes=1)


def test_load_snapshot_counts_relative_times_from_the_old_moment(api: Api, there: Api) -> None:
    """Section 8 opens 14 days after the moment at which the fixture was loaded."""
    assert there.app.worlds.get("w").sections[8]["dripped_at"] == LATER + timedelta(days=14)
    make(api, "In w", "w")
    world = loaded(there, file_of(api))
    assert world.fixture.moment == NOW
    assert world.sections[8]["dripped_at"] == NOW + timedelta(days=14)
    assert plain(world) == plain(api.app.worlds.get("w"))
    assert there.app.worlds.get("new").sections[8]["dripped_at"] == LATER + timedelta(days=14)


def test_load_snapshot_reads_a_file_of_another_fixture_that_ships(api: Api, there: Api) -> None:
    ok(api.post("/__stub/worlds/w/reset?fixture=empty"))
    assert make(api, "The first", "w") == 1
    world = loaded(there, file_of(api))
    assert (world.fixture.name, found(there, "w")) == ("empty", {"The first"})


def test_load_snapshot_reads_what_python_wrote_anew(api: Api, there: Api) -> None:
    """With different whitespace and order, as any JSON tool might write it."""
    busy(api, "w")
    again = json.dumps(json.loads(file_of(api)), indent=4, sort_keys=True, ensure_ascii=True)
    assert plain(loaded(there, again)) == plain(api.app.worlds.get("w"))


def test_load_snapshot_reads_what_javascript_wrote_anew(api: Api, there: Api) -> None:
    """JavaScript has only one type of number: it writes 3.0 as 3."""
    busy(api, "w")
    assert plain(loaded(there, json.dumps(of_javascript(json.loads(file_of(api)))))) == plain(api.app.worlds.get("w"))


def of_javascript(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: of_javascript(part) for name, part in value.items()}
    if isinstance(value, list):
        return [of_javascript(part) for part in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


@pytest.mark.parametrize("number", [2.5e273, -5e21, 2.0**63, 9007199254740992.0])
def test_load_snapshot_refuses_numbers_that_no_file_has(api: Api, there: Api, number: float) -> None:
    """Found by the fuzzer: these are too large to be whole numbers."""
    content = json.loads(file_of(api))
    content["tables"]["courses"] = {"next_id": number, "rows": []}
    assert refused(there.put(f"{SNAPSHOTS}/s", json=content), 400) == {"checksum": "invalid"}


Damage = Callable[[dict[str, Any]], Any]


def put_in(path: str, value: Any) -> Damage:
    """A change at one place of a file."""

    def damage(content: dict[str, Any]) -> None:
        target: Any = content
        *way, last = [int(part) if part.isdigit() else part for part in path.split(".")]
        for part in way:
            target = target[part]
        target[last] = value

    return damage


def without(name: str) -> Damage:
    return lambda content: content.pop(name)


@pytest.mark.parametrize(
    ("damage", "field", "says"),
    [
        (put_in("tables.courses.rows.0.row.name", "Edited"), "checksum", "damaged or has been edited"),
        (put_in("tables.courses.next_id", 99), "checksum", "damaged"),
        (put_in("tables.courses.rows", []), "checksum", "damaged"),
        (put_in("tables", {}), "checksum", "damaged"),
        (put_in("clock.ahead", 60), "checksum", "damaged"),
        (put_in("clock", {"frozen": "2031-05-01T09:00:00+00:00"}), "checksum", "damaged"),
        (put_in("fixture", "empty"), "checksum", "damaged"),
        (put_in("moment", "2026-11-24T12:00:00+00:00"), "checksum", "damaged"),
        (put_in("digest", "0" * 64), "checksum", "damaged"),
        (put_in("stubserver", "99.0"), "checksum", "damaged"),
        (without("format"), "checksum", "damaged"),
        (put_in("format", 0), "format", "greater than or equal to 1"),
        (put_in("format", "1"), "format", "a whole number"),
        (put_in("format", None), "format", "null"),
        (put_in("format", True), "format", "a whole number"),
        (put_in("extra", 1), "extra", "There is no field 'extra'"),
        (put_in("checksum", "0" * 64), "checksum", "damaged"),
        (put_in("checksum", ""), "checksum", "damaged"),
        (put_in("checksum", None), "checksum", "null"),
        (put_in("tables", [1]), "tables", "an object"),
        (put_in("tables", {"courses": 1}), "tables", "an object"),
        (put_in("clock", "now"), "clock", "an object"),
        (put_in("fixture", 7), "fixture", "a string"),
        *((without(name), name, "required") for name in ("stubserver", "fixture", "digest", "moment", "clock")),
        *((without(name), name, "required") for name in ("tables", "checksum")),
    ],
)
def test_load_snapshot_refuses_a_damaged_file(there: Api, api: Api, damage: Damage, field: str, says: str) -> None:
    make(api, "In w", "w")
    content = json.loads(file_of(api))
    damage(content)
    assert_refused(there, content, field, says)


def assert_refused(api: Api, content: Any, field: str, says: str) -> None:
    """A file is refused with the reason, and everything that existed stays unchanged."""
    make(api, "Stays", "w")
    take(api, "there")
    before = ok(api.get(f"{SNAPSHOTS}/there"))
    rows = snapshot(api.app.worlds.get("w"))
    response = api.put(f"{SNAPSHOTS}/there", json=content, headers=named("w"))
    assert refused(response, 400).keys() == {field}
    assert says in response.text
    assert refused(api.put(f"{SNAPSHOTS}/new", json=content, headers=named("w")), 400).keys() == {field}
    assert [kept["name"] for kept in ok(api.get(SNAPSHOTS))["results"]] == ["there"]
    assert ok(api.get(f"{SNAPSHOTS}/there")) == before
    assert snapshot(api.app.worlds.get("w")) == rows


@pytest.mark.parametrize("content", [[], None, "text", 7, {}])
def test_load_snapshot_refuses_what_is_no_file(there: Api, content: Any) -> None:
    assert refused(there.put(f"{SNAPSHOTS}/s", json=content), 400)
    assert ok(there.get(SNAPSHOTS))["count"] == 0


@pytest.mark.parametrize("size", [0, 1, 100, -1])
def test_load_snapshot_refuses_a_file_that_ends_too_soon(api: Api, there: Api, size: int) -> None:
    text = file_of(api)[:size].encode()
    response = there.put(f"{SNAPSHOTS}/s", content=text, headers={"Content-Type": "application/json"})
    assert refused(response, 400)
    assert ok(there.get(SNAPSHOTS))["count"] == 0


@pytest.mark.parametrize("name", ["of-the-lab", "../default", "/etc/passwd"])
def test_load_snapshot_refuses_a_file_of_a_fixture_that_there_is_not(api: Api, there: Api, name: str) -> None:
    api.app.worlds.reset("w", replace(api.app.fixture, name=name))
    assert_refused(there, json.loads(file_of(api)), "fixture", "default, empty")


def test_load_snapshot_refuses_a_file_of_a_fixture_that_changed(api: Api, there: Api) -> None:
    api.app.worlds.reset("w", replace(api.app.fixture, digest="1" * 64))
    assert_refused(there, json.loads(file_of(api)), "digest", "has changed since this snapshot; take a new one")


@pytest.mark.parametrize(
    "changes",
    [
        {"moment": "yesterday"},
        {"moment": "0001-01-01T00:00:00+00:00"},
        {"clock": {}},
        {"clock": {"frozen": "noon"}},
        {"clock": {"frozen": "9999-01-01T00:00:00+00:00"}},
        {"clock": {"ahead": "long"}},
        {"clock": {"ahead": 1e300}},
        {"tables": {"courses": {}}},
        {"tables": {"courses": {"next_id": 99, "rows": [{"key": 1, "row": {}, "times": []}]}}},
        {"tables": {"courses": {"next_id": 99, "rows": [{"key": {}, "row": None, "times": []}]}}},
    ],
)
def test_load_snapshot_refuses_what_no_server_wrote(
    api: Api, there: Api, monkeypatch: pytest.MonkeyPatch, changes: Mapping[str, Any]
) -> None:
    """Even if the checksum is made to match."""
    content = {**json.loads(file_of(api)), **changes}
    monkeypatch.setattr(snapshot_file, "checksum", lambda _: content["checksum"])
    ok(there.get("/course/1/"))
    response = there.put(f"{SNAPSHOTS}/s", json=content)
    assert refused(response, 400)
    assert ok(there.get(SNAPSHOTS))["count"] == 0
