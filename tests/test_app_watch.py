"""Servers whose fixtures live in files: named by requests, and followed."""

import asyncio
import time
from pathlib import Path

import pytest

from stubserver.app import create_app
from stubserver.fixtures import large
from stubserver.fixtures.elsewhere import Elsewhere
from stubserver.fixtures.mistakes import FixtureError
from tests.support.answers import ok, refused
from tests.support.client import Api
from tests.support.worlds import named

USERS = "users:\n- {id: 1, username: ada, real_name: Ada, date_joined: -3d}\npersonas: [{token: t, user: 1, role: r}]\n"


@pytest.fixture
def own(tmp_path: Path) -> Path:
    (tmp_path / "one.yaml").write_text(USERS)
    (tmp_path / "more.yaml").write_text(
        "extends: default\nusers:\n- {id: 99, username: zoe, real_name: Z, date_joined: -3d}\n"
    )
    return tmp_path


def username(api: Api, world: str, token: str = "t") -> str:  # noqa: S107 (of a fixture)
    headers = {**named(world), "Authorization": f"Bearer {token}"}
    name: str = ok(api.get("/user/me/", headers=headers))["username"]
    return name


def test_worlds_choose_fixtures_of_a_folder(own: Path, runner: asyncio.Runner) -> None:
    """By header, when they are made or reset through the control plane, and after a fork."""
    api = Api(create_app(fixture_dir=own), runner)
    headers = {**named("header"), "X-Stub-Fixture": "one", "Authorization": "Bearer t"}
    assert ok(api.get("/user/me/", headers=headers))["username"] == "ada"
    ok(api.post("/__stub/worlds", json={"name": "made", "fixture": "one"}), 201)
    assert username(api, "made") == "ada"
    ok(api.post("/__stub/worlds/made/reset?fixture=more"))
    assert username(api, "made", "stub-creator") == "wren_hollis"
    assert ok(api.get("/user/99/", headers=named("made")))["username"] == "zoe"
    answer = api.post("/__stub/worlds", json={"name": "x", "fixture": "on"})
    assert refused(answer, 400) == {"fixture": "does_not_exist"}
    assert "use one of default, empty, more, one" in answer.text


def test_new_and_reset_worlds_follow_their_file(own: Path, runner: asyncio.Runner) -> None:
    api = Api(create_app(str(own / "one.yaml"), watch=True), runner)
    assert username(api, "old") == "ada"
    (own / "one.yaml").write_text(USERS.replace("ada", "eve"))
    assert username(api, "old") == "ada"
    assert username(api, "new") == "eve"
    ok(api.post("/__stub/worlds/old/reset"))
    assert username(api, "old") == "eve"
    (own / "one.yaml").write_text("users: [")
    assert username(api, "newer") == "eve"
    ok(api.post("/__stub/worlds/old/reset"))
    assert username(api, "old") == "eve"


def test_so_do_those_of_a_folder(own: Path, runner: asyncio.Runner) -> None:
    api = Api(create_app(fixture_dir=own, watch=True), runner)
    ok(api.post("/__stub/worlds", json={"name": "a", "fixture": "one"}), 201)
    (own / "one.yaml").write_text(USERS.replace("ada", "eve"))
    (own / "late.yaml").write_text(USERS.replace("ada", "lou"))
    for name, fixture, expected in (("b", "one", "eve"), ("c", "late", "lou")):
        ok(api.post("/__stub/worlds", json={"name": name, "fixture": fixture}), 201)
        assert username(api, name) == expected
    assert username(api, "a") == "ada"


@pytest.mark.slow
def test_a_large_file_is_read_by_another_process(
    own: Path, runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requests go on meanwhile, and worlds start from what it said before."""
    monkeypatch.setattr(large, "LARGE", 1)
    monkeypatch.setenv("STUBSERVER_CACHE", "off")
    app = create_app(str(own / "one.yaml"), watch=True)
    api = Api(app, runner)
    (own / "one.yaml").write_text(USERS.replace("ada", "eve"))
    assert username(api, "world-0") == "ada"
    found = "ada"
    for number in range(1, 1000):
        if found != "ada":
            break
        time.sleep(0.1)
        found = username(api, f"world-{number}")
    assert found == "eve"
    runner.run(app.close())
    assert app.watch is not None
    with pytest.raises(FixtureError, match="the process that reads it has failed: status -9"):
        Elsewhere.load(app.watch._elsewhere, "one", app.fixture.moment).result(60)  # type: ignore[arg-type]


def test_without_watching_files_are_read_once(own: Path, runner: asyncio.Runner) -> None:
    api = Api(create_app(str(own / "one.yaml")), runner)
    (own / "one.yaml").write_text(USERS.replace("ada", "eve"))
    assert username(api, "new") == "ada"


@pytest.mark.parametrize(
    ("fixture", "folder", "options", "says"),
    [
        (
            "default",
            False,
            {},
            "--watch has nothing to watch: name a file with --fixture, or a folder with --fixture-dir",
        ),
        ("one", True, {"store": "sqlite:w.db"}, "--watch works with worlds in memory only, because those in a store"),
        ("/dev/null", False, {}, "--watch: /dev/null is not a file that can be read again"),
    ],
)
def test_what_cannot_be_watched_is_refused(
    own: Path, fixture: str, folder: bool, options: dict[str, str], says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        create_app(fixture, fixture_dir=own if folder else None, watch=True, **options)
    assert not Path("w.db").exists()


def test_a_folder_with_mistakes_stops_the_start(own: Path) -> None:
    (own / "bad.yaml").write_text("users: 3")
    for watch in (False, True):
        with pytest.raises(FixtureError, match=r"bad\.yaml:1:1: users: 3 is not valid"):
            create_app(fixture_dir=own, watch=watch)
