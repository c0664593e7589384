"""The control plane's snapshots: taken, listed, deleted, restored, and written to files."""

import asyncio
import json
import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import pytest

import stubserver
from stubserver.pipeline import aside
from stubserver.row_check import RowChecks
from stubserver.worlds import registry, snapshot_file
from stubserver.worlds.snapshot import Snapshot
from stubserver.worlds.table import Table
from tests.support.answers import ok, refused
from tests.support.client import Api
from tests.support.commands import PATIENCE
from tests.support.default import NOW
from tests.support.rows import snapshot
from tests.support.snapshots import SNAPSHOTS, file_of, loaded, restore, take
from tests.support.tokens import APP, WREN
from tests.support.worlds import FREEZE, THEN, busy, found, make, named, names, piece

pytestmark = pytest.mark.no_world


# Taking


def test_create_snapshot_keeps_a_world_under_a_name(api: Api) -> None:
    busy(api, "w")
    ok(api.post(FREEZE, headers=named("w")))
    changed = ok(api.get("/__stub/worlds/w"))["changed_rows"]
    assert take(api) == {"name": "s", "fixture": "default", "changed_rows": changed, "clock": THEN}
    make(api, "Later", "w")
    (kept,) = ok(api.get(SNAPSHOTS))["results"]
    assert kept == {"name": "s", "fixture": "default", "changed_rows": changed, "clock": THEN}


def test_create_snapshot_is_about_the_world_that_is_named(api: Api) -> None:
    make(api, "In w", "w")
    for base_path, headers, changed in (("", named("w"), 2), ("/~w", {}, 2), ("", {}, 0), ("", named("new"), 0)):
        kept = ok(api.post(f"{base_path}{SNAPSHOTS}", json={"name": "s"}, headers=headers), 201)
        assert kept["changed_rows"] == changed


def test_create_snapshot_takes_the_place_of_another(api: Api) -> None:
    for name in ("First", "Second"):
        make(api, name, "w")
        take(api)
    assert ok(api.get(SNAPSHOTS))["count"] == 1
    api.post("/__stub/worlds/w/reset")
    restore(api)
    assert {"First", "Second"} <= found(api, "w")


@pytest.mark.parametrize("name", ["", "a b", "a/b", "ä", "~a", "a" * 65, "a\n", 7, None])
def test_create_snapshot_refuses_what_is_no_name(api: Api, name: Any) -> None:
    assert refused(api.post(SNAPSHOTS, json={"name": name}), 400).keys() & {"name", "snapshot"}
    assert ok(api.get(SNAPSHOTS))["count"] == 0


def test_create_snapshot_refuses_one_too_many(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "MAX_SNAPSHOTS", 2)
    text = file_of(api)
    take(api, "a")
    take(api, "b")
    assert refused(api.post(SNAPSHOTS, json={"name": "c"}), 400) == {"name": "max_length"}
    assert refused(api.put(f"{SNAPSHOTS}/c", json=json.loads(text)), 400) == {"name": "max_length"}
    take(api, "a")
    assert [kept["name"] for kept in ok(api.get(SNAPSHOTS))["results"]] == ["a", "b"]


# Listing and forgetting


def test_list_snapshots_is_by_name_and_in_pages(api: Api) -> None:
    assert ok(api.get(SNAPSHOTS)) == {"count": 0, "next": None, "previous": None, "results": []}
    for name in ("c", "a", "d", "b", "e"):
        take(api, name)
    page = ok(api.get(f"{SNAPSHOTS}?limit=2&offset=2"))
    assert ([kept["name"] for kept in page["results"]], page["count"]) == (["c", "d"], 5)
    assert page["next"] == f"http://localhost{SNAPSHOTS}?limit=2&offset=4"
    assert page["previous"] == f"http://localhost{SNAPSHOTS}?limit=2"


def test_delete_snapshot_spares_the_worlds_made_of_it(api: Api) -> None:
    make(api, "Kept", "w")
    take(api)
    restore(api, world="v")
    response = api.delete(f"{SNAPSHOTS}/s")
    assert (response.status_code, response.content) == (204, b"")
    assert ok(api.get(SNAPSHOTS))["count"] == 0
    assert refused(api.get(f"{SNAPSHOTS}/s"), 404) == {"": "not_found"}
    assert "Kept" in found(api, "v") & found(api, "w")


@pytest.mark.parametrize("name", ["nope", "a%20b", "S"])
@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("DELETE", ""), ("POST", "/restore")])
def test_delete_snapshot_and_the_others_refuse_one_that_there_is_not(
    api: Api, method: str, path: str, name: str
) -> None:
    make(api, "Stays", "w")
    take(api, "s")
    assert refused(api.request(method, f"{SNAPSHOTS}/{name}{path}", headers=named("w")), 404) == {"": "not_found"}
    assert "Stays" in found(api, "w")
    assert ok(api.get(SNAPSHOTS))["count"] == 1


# Restoring


def test_restore_snapshot_makes_the_world_what_it_was(api: Api) -> None:
    busy(api, "w")
    ok(api.post(FREEZE, headers=named("w")))
    rows, number = snapshot(api.app.worlds.get("w")), 17
    take(api)
    for _ in range(2):
        assert make(api, "Later", "w") == number
        api.as_("creator").delete("/course/1/section/1/lesson/1/", headers=named("w"))
        ok(api.post("/__stub/clock/release", headers=named("w")))
        assert restore(api)["clock"] == THEN
        assert snapshot(api.app.worlds.get("w")) == rows


def test_restore_snapshot_begins_faults_and_journal_anew(api: Api) -> None:
    make(api, "In w", "w")
    ok(api.post("/__stub/faults", json={"kind": "error", "path": "/api/v2/course/*"}, headers=named("w")), 201)
    request = api.get("/course/1/", headers=named("w")).headers["x-stub-request"]
    take(api)
    world = restore(api)
    assert (world["name"], world["faults"], world["requests"], world["changed_rows"]) == ("w", 0, 0, 2)
    assert ok(api.get("/__stub/requests", headers=named("w")))["count"] == 0
    assert refused(api.get(f"/__stub/requests/{request}"), 404) == {"": "not_found"}
    ok(api.get("/course/1/", headers=named("w")))


def test_restore_snapshot_goes_into_any_world(api: Api) -> None:
    ok(api.post("/__stub/worlds", json={"name": "w", "fixture": "empty"}, headers=named("w-maker")), 201)
    make(api, "In w", "w")
    take(api)
    make(api, "In v", "v")
    for options in ({"headers": named("v")}, {"base_path": "/~u"}, {}):
        base_path = options.pop("base_path", "")
        world = ok(api.post(f"{base_path}{SNAPSHOTS}/s/restore", **options))
        assert (world["fixture"], found(api, world["name"])) == ("empty", {"In w"})
    assert set(names(api.app)) >= {"default", "u", "v", "w"}


def test_restore_snapshot_shares_no_later_change(api: Api) -> None:
    make(api, "First", "w")
    take(api)
    restore(api, world="v")
    for world in ("w", "v"):
        assert make(api, f"Only in {world}", world) == 17
    restore(api, world="u")
    assert [found(api, world) - found(api, "u") for world in ("w", "v")] == [{"Only in w"}, {"Only in v"}]
    assert "First" in found(api, "u")


def test_restore_snapshot_runs_on_from_where_the_clock_was_ahead(api: Api) -> None:
    ok(api.post("/__stub/clock/advance", json={"days": 3}, headers=named("w")))
    take(api)
    clock = restore(api, world="v")["clock"]
    assert (clock["frozen"], clock["ahead_seconds"]) == (False, 3 * 86400)


def test_restore_snapshot_spares_tokens_and_uploads(api: Api) -> None:
    token = ok(api.post("/oauth/token/", json={**APP, **WREN}, headers=named("w")))["access_token"]
    upload = piece(api, b"abc", 6, headers=named("w"))["upload_id"]
    take(api)
    for _ in range(2):
        restore(api)
        bearer = {**named("w"), "Authorization": f"Bearer {token}"}
        assert ok(api.get("/user/me/", headers=bearer))["username"] == "wren_hollis"
        form = {"headers": {**named("w"), "Content-Range": "bytes 3-5/6"}, "data": {"upload_id": upload}}
        part = {"document": ("notes.pdf", b"def", "application/pdf")}
        assert ok(api.as_("member").post("/media/upload/chunk/", files=part, **form), 201)["offset"] == "6"
        done = {"upload_id": upload, "md5": "e80b5017098950fc58aad83c8c14978e"}
        ok(api.as_("member").post("/media/upload/complete/", json=done, headers=named("w")), 201)


# Files


def test_get_snapshot_is_what_a_file_holds(api: Api) -> None:
    ok(api.post(FREEZE, headers=named("w")))
    make(api, "In w", "w")
    take(api)
    content = ok(api.get(f"{SNAPSHOTS}/s"))
    assert (content["stubserver"], content["fixture"]) == (stubserver.__version__, "default")
    assert datetime.fromisoformat(content["moment"]) == NOW
    assert datetime.fromisoformat(content["clock"]["frozen"]) == datetime.fromisoformat(THEN["now"])
    assert set(content["tables"]) == {"courses", "memberships"}
    make(api, "Later", "w")
    restore(api)
    assert ok(api.get(f"{SNAPSHOTS}/s")) == content


TINY = {"max_world": 30_000, "max_memory": 240_000, "max_body": 25_000}
"""Bounds of a server: files may have 60,000 bytes."""


def described(api: Api, course: int, text: str) -> None:
    """Take a snapshot of the world w, in which a course has this description, too."""
    ok(api.as_("creator").patch(f"/course/{course}/", json={"description": text}, headers=named("w")))
    take(api)


@pytest.mark.parametrize("text", ["x" * 12_000, '"' * 12_000, "é" * 2_400, "字" * 2_400])
def test_whatever_get_snapshot_writes_can_be_loaded(fresh: Callable[..., Api], text: str) -> None:
    """Even if the world is nearly full, and the file is larger than other bodies may be."""
    api = fresh(**TINY)
    for course in (1, 2):
        described(api, course, text)
    file = api.get(f"{SNAPSHOTS}/s").content
    for size in (TINY["max_body"] + 1, 2 * TINY["max_world"]):
        world = loaded(api, file.ljust(size).decode(), "v")
        assert world.courses[2]["description"] == text
        assert 25_000 < world.size == api.app.worlds.get("w").size <= TINY["max_world"]


def test_get_snapshot_refuses_to_write_what_cannot_be_loaded(fresh: Callable[..., Api]) -> None:
    api = fresh(**TINY)
    for course in (1, 2, 3):
        described(api, course, "\x01" * 4_000)
    response = api.get(f"{SNAPSHOTS}/s")
    assert refused(response, 400) == {"snapshot": "max_length"}
    assert (
        "one of more than 60000 could not be loaded again; start the server with a larger --max-world" in response.text
    )
    restore(api)


@pytest.mark.parametrize(("method", "path", "most"), [("PUT", "/s", 60_000), ("POST", "", 25_000)])
def test_only_load_snapshot_reads_more_than_max_body(
    fresh: Callable[..., Api], method: str, path: str, most: int
) -> None:
    api, headers = fresh(**TINY), {"Content-Type": "application/json"}
    for size, status in ((most, 400), (most + 1, 413)):
        response = api.request(method, f"{SNAPSHOTS}{path}", content=b"{}".ljust(size), headers=headers)
        assert response.status_code == status
        assert (f"larger than {most} bytes" in response.text) is (status == 413)


def test_get_snapshot_of_an_unchanged_world_is_small(api: Api) -> None:
    api.get("/course/1/", headers=named("w"))
    take(api)
    assert ok(api.get(f"{SNAPSHOTS}/s"))["tables"] == {}
    assert len(api.get(f"{SNAPSHOTS}/s").content) < 500


def test_load_snapshot_answers_what_it_has_read(api: Api, there: Api) -> None:
    busy(api, "w")
    ok(api.post(FREEZE, headers=named("w")))
    kept = take(api)
    content = ok(api.get(f"{SNAPSHOTS}/s"))
    rows = sum(len(table["rows"]) for table in content["tables"].values())
    assert ok(there.put(f"{SNAPSHOTS}/mine", json=content)) == {**kept, "name": "mine", "changed_rows": rows}
    assert 0 < rows < kept["changed_rows"]  # without the half-finished upload


def test_load_snapshot_takes_the_place_of_another(api: Api, there: Api) -> None:
    for name in ("First", "Second"):
        make(api, name, "w")
        loaded(there, file_of(api))
    assert ok(there.get(SNAPSHOTS))["count"] == 1
    assert {"First", "Second"} <= found(there, "w")


@pytest.mark.parametrize("name", ["a%20b", "%C3%A4", "~a", "a" * 65])
def test_load_snapshot_refuses_what_is_no_name(api: Api, name: str) -> None:
    content = json.loads(file_of(api))
    assert refused(api.put(f"{SNAPSHOTS}/{name}", json=content), 400) == {"snapshot": "invalid"}
    assert ok(api.get(SNAPSHOTS))["count"] == 0


# Aside


def test_requests_are_answered_while_a_large_snapshot_is_read(
    api: Api, there: Api, runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file is read in a thread, which here waits until another request has been answered; it is stored whole."""
    monkeypatch.setattr(aside, "SMALL", 0)
    make(api, "In w", "w")
    text, begun, answered = file_of(api), threading.Event(), threading.Event()
    check = RowChecks.tables

    def waiting(self: RowChecks, tables: Mapping[str, Table]) -> None:
        begun.set()
        assert answered.wait(PATIENCE)
        check(self, tables)

    monkeypatch.setattr(RowChecks, "tables", waiting)

    async def both() -> list[int]:
        headers, options = {"Content-Type": "application/json"}, {"content": text.encode()}
        loads = [there._run("PUT", f"{SNAPSHOTS}/s", headers, options) for _ in range(2)]
        tasks = [asyncio.ensure_future(load) for load in loads]
        while not begun.is_set():
            await asyncio.sleep(0)
        for method, path in (("GET", SNAPSHOTS), ("DELETE", "/__stub/worlds/w"), ("GET", "/api/v2/category/")):
            assert (await there._run(method, path, {}, {})).status_code < 400
        assert (await there._run("GET", SNAPSHOTS, {}, {})).json()["count"] == 0
        answered.set()
        return [response.status_code for response in await asyncio.gather(*tasks)]

    make(there, "Other", "w")
    assert runner.run(both()) == [200, 200]
    restore(there)
    assert found(there, "w") >= {"In w"}


def test_a_snapshot_is_written_as_it_was_though_it_is_deleted_meanwhile(
    api: Api, runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aside, "SMALL", 0)
    make(api, "In w", "w")
    take(api)
    expected = ok(api.get(f"{SNAPSHOTS}/s"))
    written, begun, changed = snapshot_file.written, threading.Event(), threading.Event()

    def waiting(snapshot: Snapshot) -> dict[str, Any]:
        begun.set()
        assert changed.wait(PATIENCE)
        return written(snapshot)

    monkeypatch.setattr(snapshot_file, "written", waiting)

    async def both() -> Any:
        task = asyncio.ensure_future(api._run("GET", f"{SNAPSHOTS}/s", {}, {}))
        while not begun.is_set():
            await asyncio.sleep(0)
        for method, path in (("DELETE", f"{SNAPSHOTS}/s"), ("POST", "/__stub/worlds/w/reset")):
            assert (await api._run(method, path, {}, {})).is_success
        changed.set()
        return (await task).json()

    assert runner.run(both()) == expected
