"""Worlds that outlive a server: imported all or none, exported as a whole, the same after any restart."""

import asyncio
import json
import os
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from stubserver.app import StubServer, create_app
from stubserver.serving import persistence
from stubserver.serving.persistence import CannotPersist, prepare, save
from stubserver.worlds.world import WORLD
from stubserver.worlds.worlds_file import export
from tests.support.answers import ok
from tests.support.client import Api
from tests.support.rows import snapshot
from tests.support.snapshots import file_of, take
from tests.support.worlds import FREEZE, busy, found, make, named, names

pytestmark = pytest.mark.no_world


@pytest.fixture
def file(tmp_path: Path, api: Api) -> Path:
    """The file of a server with the worlds `default`, `lessons` and `strict`; the last one is strict."""
    make(api, "In lessons", "lessons")
    ok(api.post(FREEZE))
    ok(api.get("/course/1/", headers=named("strict")))
    ok(api.patch("/__stub/worlds/strict", json={"strict": True}))
    save(api.app, tmp_path / "w.json")
    return tmp_path / "w.json"


def state(app: StubServer) -> dict[str, Any]:
    """What there is of each world: all but its half-finished uploads and the time of a clock that runs."""
    return {
        world.name: (
            world.strict,
            world.fixture.name,
            world.clock.frozen and world.clock.now(),
            world.clock.ahead,
            {**snapshot(world), "uploads": None, "pieces": None},
        )
        for world in app.worlds
    }


def refused(app: StubServer, source: Path | None, target: Path | None = None) -> str:
    """Why worlds cannot be imported, in one line; the server has none."""
    with pytest.raises(CannotPersist) as caught:
        prepare(app, source, target)
    assert names(app) == []
    message = str(caught.value)
    assert "\n" not in message
    return message


# A server after the other


def test_worlds_outlive_their_server(file: Path, api: Api, there: Api) -> None:
    busy(api, "lessons")
    save(api.app, file)
    before = state(api.app)
    prepare(there.app, file, None)
    assert state(there.app) == before
    assert found(there, "lessons") == found(api, "lessons")
    assert make(there, "Next", "lessons") == make(api, "Next", "lessons")
    assert (there.app.worlds.get("strict").strict, there.app.worlds.get("new").strict) == (True, False)


def test_nothing_is_lost_in_any_number_of_restarts(tmp_path: Path, runner: asyncio.Runner, file: Path) -> None:
    """The usual pair of options: both name the same file, which does not exist at first."""
    pair = tmp_path / "pair.json"
    for restart in range(4):
        server = Api(create_app(), runner)
        prepare(server.app, pair, pair)
        assert names(server.app) == [f"w{number}" for number in range(restart)]
        for number in range(restart):
            assert {f"Of start {start}" for start in range(number, restart)} <= found(server, f"w{number}")
            make(server, f"Of start {restart}", f"w{number}")
        make(server, f"Of start {restart}", f"w{restart}")
        save(server.app, pair)
    assert sorted(tmp_path.iterdir()) == sorted([file, pair])


def test_worlds_of_a_fixture_that_has_changed_keep_out_no_others(tmp_path: Path, runner: asyncio.Runner) -> None:
    """They are in a file of their own, which can be read when the fixture says again what it said."""
    fixture, file, said = tmp_path / "mine.yaml", tmp_path / "w.json", list[str]()
    text = "extends: default\ncategories:\n- {id: 9, name: %s, slug: n, lastmod_datetime: -1d}\n"
    fixture.write_text(text % "One")
    server = Api(create_app(str(fixture), watch=True), runner)
    make(server, "Of one", "old")
    fixture.write_text(text % "Two")
    make(server, "Of two", "new")
    save(server.app, file, said.append)
    (line,) = said
    assert line.startswith("--export-on-exit: the fixture of old has changed since they began")
    assert f"they are in {tmp_path / 'w.former.json'}, and all others in {file}:" in line
    for content, source, name in (("Two", file, "new"), ("One", tmp_path / "w.former.json", "old")):
        fixture.write_text(text % content)
        again = Api(create_app(str(fixture)), runner)
        prepare(again.app, source, None)
        assert names(again.app) == [name]
        assert found(again, name) >= {f"Of {content.lower()}"}


def test_an_imported_world_has_no_past(file: Path, api: Api, there: Api) -> None:
    """No requests and no faults; it is what a case of it begins with."""
    ok(api.post("/__stub/faults", json={"kind": "error", "operation": "get_course"}, headers=named("lessons")), 201)
    save(api.app, file)
    prepare(there.app, file, None)
    world = ok(there.get("/__stub/worlds/lessons"))
    assert (world["requests"], world["faults"], world["changed_rows"], world["strict"]) == (0, 0, 2, False)
    start = ok(there.get("/__stub/case", headers=named("lessons")))["start"]
    assert [entry["key"] for entry in start["tables"]["courses"]["rows"]] == [16]


def test_stored_snapshots_are_not_exported(tmp_path: Path, api: Api, there: Api) -> None:
    take(api, "s", "w")
    save(api.app, tmp_path / "w.json")
    prepare(there.app, tmp_path / "w.json", None)
    assert (names(there.app), ok(there.get("/__stub/snapshots"))["count"]) == (["w"], 0)


def test_a_reset_returns_an_imported_world_to_its_fixture(file: Path, there: Api) -> None:
    prepare(there.app, file, None)
    ok(there.post("/__stub/worlds/lessons/reset"))
    assert "In lessons" not in found(there, "lessons")


def test_a_pipe_is_read(tmp_path: Path, file: Path, there: Api) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = Thread(target=pipe.write_bytes, args=(file.read_bytes(),))
    writer.start()
    prepare(there.app, pipe, None)
    writer.join()
    assert names(there.app) == ["default", "lessons", "strict"]


# What is not there


def test_without_options_nothing_happens(there: Api) -> None:
    prepare(there.app, None, None)
    save(there.app, None)
    assert names(there.app) == []


def test_a_file_to_export_to_is_not_touched_before_the_end(tmp_path: Path, file: Path, there: Api) -> None:
    before = file.read_bytes()
    prepare(there.app, None, file)
    prepare(there.app, None, tmp_path / "new.json")
    assert names(there.app) == []
    assert file.read_bytes() == before
    assert [*tmp_path.iterdir()] == [file]


def test_only_the_pair_may_name_a_file_that_does_not_exist(tmp_path: Path, there: Api) -> None:
    """By whatever path."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("missing.json")
    missing = tmp_path / "missing.json"
    for source in (missing, tmp_path / "folder" / ".." / "missing.json", tmp_path / "link"):
        prepare(there.app, source, missing)
        assert names(there.app) == []
        for target in (None, tmp_path / "other.json"):
            says = f"--import: cannot read {source}: No such file or directory"
            assert refused(there.app, source, target) == says


@pytest.mark.parametrize("name", ["none/w.json", "plain/w.json", "folder", "pipe", "x" * 300])
def test_a_file_that_cannot_be_exported_to_is_told_at_once(tmp_path: Path, there: Api, file: Path, name: str) -> None:
    """Not after hours of work, and whether or not it is to be imported, too."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "plain").touch()
    os.mkfifo(tmp_path / "pipe")
    for source in (None, file, tmp_path / name):
        message = refused(there.app, source, tmp_path / name)
        assert message.startswith(f"--export-on-exit: cannot write {tmp_path / name}: ")
    assert not [*tmp_path.glob(".*")]


def test_a_file_that_can_no_longer_be_written_stays_as_it_was(
    file: Path, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = file.read_bytes()
    make(api, "Later", "lessons")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CannotPersist) as caught:
        save(api.app, file)
    assert str(caught.value) == f"--export-on-exit: cannot write {file}: No space left on device"
    assert file.read_bytes() == before
    assert [*file.parent.iterdir()] == [file]


# What is refused


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "this is no JSON: "),
        (b"\x00\xff", "this is no JSON: "),
        (b"{}", "this is not the file of all worlds of a server"),
        (b'{"worlds": []}', "the file has no format"),
    ],
)
def test_a_file_that_is_none_is_refused(tmp_path: Path, there: Api, content: bytes, says: str) -> None:
    (tmp_path / "w.json").write_bytes(content)
    message = refused(there.app, tmp_path / "w.json", tmp_path / "w.json")
    assert message.startswith(f"--import: cannot read {tmp_path / 'w.json'}: {says}")
    assert (tmp_path / "w.json").read_bytes() == content


def test_the_file_of_one_snapshot_is_refused_with_what_to_do(tmp_path: Path, api: Api, there: Api) -> None:
    (tmp_path / "s.json").write_text(file_of(api))
    assert refused(there.app, tmp_path / "s.json").endswith(
        "this is the snapshot of one world: load it into a running server with `stubserver snapshot put FILE`"
    )


def test_a_folder_is_refused(tmp_path: Path, there: Api) -> None:
    assert refused(there.app, tmp_path) == f"--import: cannot read {tmp_path}: Is a directory"


def test_one_bad_world_keeps_out_all(file: Path, there: Api) -> None:
    content = json.loads(file.read_text())
    content["worlds"][-1]["snapshot"]["clock"] = {"ahead": 1}
    file.write_text(json.dumps(content))
    assert refused(there.app, file).endswith("worlds.2 (strict): The snapshot is damaged or has been edited")


def test_a_fixture_that_has_gone_is_one_line(tmp_path: Path, runner: asyncio.Runner) -> None:
    """Worlds of an earlier start need it once more, for the times of that start."""
    mine, target = tmp_path / "mine.yaml", tmp_path / "w.json"
    mine.write_text("name: mine\nusers: []\n")
    servers = [Api(create_app(str(mine)), runner) for _ in range(2)]
    ok(servers[0].get("/__stub/personas"))
    servers[0].app.worlds.get("w")
    save(servers[0].app, target)
    mine.unlink()
    reason = f"worlds.0 (w): Fixture mine cannot be used: there is no file {mine} any more"
    assert refused(servers[1].app, target).startswith(f"--import: cannot read {target}: {reason}")


@pytest.mark.parametrize(
    ("bounds", "says"),
    [
        ({"max_worlds": 2}, "its worlds need --max-worlds 3 or more; it is 2"),
        ({"max_rows": 1}, "its worlds need --max-rows 2 or more; it is 1"),
        ({"max_world": 900}, "its worlds need --max-world {size} or more; it is 900"),
        ({"max_world": 3_000, "max_memory": 24_000}, "its worlds need --max-memory {held} or more; it is 24000"),
        (
            {"max_world": 10, "max_memory": 80},
            "it has more than 160 bytes, twice --max-memory; start with a larger one",
        ),
    ],
)
def test_worlds_that_the_server_would_not_keep_are_refused(
    file: Path, api: Api, runner: asyncio.Runner, bounds: dict[str, Any], says: str
) -> None:
    """None is evicted to make room for another."""
    size = api.app.worlds.get("lessons").size
    says = says.format(size=size, held=3 * WORLD + 2 * size)
    app = create_app("default", **bounds)
    assert refused(app, file) == f"--import: cannot read {file}: {says}"


def test_worlds_that_just_fit_are_kept(file: Path, api: Api) -> None:
    size = api.app.worlds.get("lessons").size
    app = create_app(max_worlds=3, max_rows=2, max_world=size, max_memory=max(8 * size, 3 * WORLD + 2 * size))
    prepare(app, file, None)
    assert (names(app), app.worlds.evicted) == (["default", "lessons", "strict"], 0)


def test_a_stream_without_end_is_refused(there: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(persistence, "_PIECE", 1 << 28)
    assert "it has more than 1073741824 bytes" in refused(there.app, Path("/dev/zero"))


def test_a_file_of_many_worlds(tmp_path: Path, api: Api, there: Api) -> None:
    for number in range(300):
        api.app.worlds.get(f"w{number}")
    save(api.app, tmp_path / "w.json")
    assert (tmp_path / "w.json").read_bytes() == export(api.app.worlds)
    prepare(there.app, tmp_path / "w.json", None)
    assert len(there.app.worlds) == 300
