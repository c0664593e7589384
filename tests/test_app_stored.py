"""The application with a store: servers that share one must agree on what its worlds are made of."""

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from stubserver.app import create_app
from stubserver.shared.turns import Direct, Turns
from stubserver.shared.worlds import SharedWorlds
from stubserver.stores import store
from tests.support.answers import ok
from tests.support.client import Api
from tests.support.commands import invoke, told
from tests.support.default import LATER, NOW
from tests.support.stored import shared, turns_of
from tests.support.worlds import make, named


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "worlds.db"


@pytest.fixture
def served(file: Path, runner: asyncio.Runner) -> Callable[..., Api]:
    """Makes servers as the command does; the options are those of Settings, and the fixture."""
    return lambda fixture="default", **options: Api(create_app(fixture, store=f"sqlite:{file}", **options), runner)


def end(*apis: Api) -> None:
    for api in apis:
        api._runner.run(api.app.close())


def test_worlds_outlive_their_server(served: Callable[..., Api]) -> None:
    """With all that is in them, and the coverage."""
    one = served()
    number = make(one, "Knots", "w")
    end(one)
    other = served()
    assert ok(other.as_("creator").get(f"/course/{number}/", headers=named("w")))["name"] == "Knots"
    assert ok(other.get("/__stub/requests", headers=named("w")))["count"] == 2
    (entry,) = (one for one in ok(other.get("/__stub/coverage"))["operations"] if one["operation"] == "create_course")
    assert entry["requests"] == 1
    end(other)


def test_all_servers_start_from_the_moment_of_the_first(served: Callable[..., Api]) -> None:
    """So that times which are relative to it are the same in new worlds, too."""
    one, other = served(), served()
    assert one.app.fixture.moment == other.app.fixture.moment
    asked = [ok(api.get("/course/1/", headers=named(f"new-{number}"))) for number, api in enumerate((one, other))]
    assert asked[0]["created_at"] == asked[1]["created_at"]
    assert one.app.worlds.load_fixture("empty").moment == one.app.fixture.moment
    end(one, other)


def test_a_file_of_worlds_has_one_fixture(served: Callable[..., Api], tmp_path: Path) -> None:
    fixture = tmp_path / "mine.yaml"
    text = yaml.safe_dump(
        {"name": "mine", "users": [{"id": 1, "username": "ada", "real_name": "Ada", "date_joined": "-1d"}]}
    )
    fixture.write_text(text)
    one = served(str(fixture))
    assert ok(one.get("/user/search/"))["count"] == 1
    other = served(str(fixture))
    assert ok(other.get("/user/search/"))["count"] == 1
    fixture.write_text(text.replace("ada", "eve"))
    with pytest.raises(ValueError, match="with another text of fixture mine, but this one has that of today"):
        served(str(fixture))
    end(one, other)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"seed": 7}, "seed 0, but this one has 7"),
        ({"fixture": "empty"}, "fixture default, but this one has empty"),
        ({"freeze_at": None}, f"freeze-at {NOW}, but this one has None"),
        ({"freeze_at": LATER}, f"freeze-at {NOW}, but this one has {LATER}"),
    ],
)
def test_servers_that_disagree_are_refused_at_the_start(
    served: Callable[..., Api], file: Path, options: dict[str, Any], said: str
) -> None:
    """In one line that says what, where, and what to do; the others go on."""
    one = served(freeze_at=NOW)
    with pytest.raises(ValueError, match="belongs to servers") as refused:
        served(**{"freeze_at": NOW, **options})
    message = f"the SQLite file {file} belongs to servers with {said}: use another store, or delete that one"
    assert str(refused.value) == message
    make(one, "Knots")
    end(one, served(freeze_at=NOW))


def test_servers_may_differ_in_whom_they_let_in(served: Callable[..., Api]) -> None:
    """And in whatever else is no part of a world."""
    one = served()
    end(served(jwt_secret="x" * 32, cors_origins=("https://app.example",), max_worlds=3, strict=True), one)


def test_a_file_of_another_format_is_refused(served: Callable[..., Api], monkeypatch: pytest.MonkeyPatch) -> None:
    end(served())
    monkeypatch.setattr("stubserver.app.FORMAT", store.FORMAT + "0")
    with pytest.raises(ValueError, match=f"with format {store.FORMAT}, but this one has {store.FORMAT}0: use another"):
        served()


def test_a_store_that_does_not_work_is_told_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text, locked = tmp_path / "notes.txt", tmp_path / "locked.db"
    text.write_text("no database, but long enough to be taken for one" * 100)
    holder = sqlite3.connect(locked)
    holder.execute("BEGIN EXCLUSIVE")
    monkeypatch.setattr("stubserver.app.PATIENCE", 0)
    for path, why in (
        (text, "file is not a database"),
        (tmp_path, "unable to open database file"),
        (tmp_path / "none" / "worlds.db", "unable to open database file"),
        (locked, "has been locked by another process for too long"),
    ):
        with pytest.raises(ValueError, match="the store of worlds does not work: ") as failed:
            create_app(store=f"sqlite:{path}")
        assert why in str(failed.value)
        assert str(path) in str(failed.value)
        assert "\n" not in str(failed.value)
    holder.close()


def test_the_command_says_so_too(served: Callable[..., Api], file: Path) -> None:
    end(served())
    for options, line in (
        (["--seed", "7"], f"stubserver: the SQLite file {file} belongs to servers with seed 0, but this one has 7..."),
        (
            ["--store", f"sqlite:{file.parent}"],
            f"stubserver: the store of worlds does not work: SQLite file {file.parent}...",
        ),
        (["--store", "sqlight:x"], "stubserver: 'sqlight' is no kind of store: use one of memory:, sqlite:PATH, ..."),
    ):
        status, out, err = invoke("serve", "--port", "0", "--store", f"sqlite:{file}", *options)
        assert (status, out) == (2, "")
        assert told(err, line), err


def test_a_server_may_be_made_where_an_event_loop_runs(served: Callable[..., Api], runner: asyncio.Runner) -> None:
    """As in a test that is a coroutine."""

    async def make_one() -> Api:
        return served()

    api = runner.run(make_one())
    make(api, "Knots")
    end(api)


def test_without_a_store_nothing_is_shared() -> None:
    app = create_app()
    assert isinstance(app.turns, Direct)
    assert not app.worlds.is_shared
    asyncio.run(app.close())


def test_the_end_closes_the_file(served: Callable[..., Api], runner: asyncio.Runner) -> None:
    api = served()
    assert isinstance(api.app.worlds, SharedWorlds)
    assert isinstance(api.app.turns, Turns)
    make(api, "Knots")
    store = shared(api.app).store
    assert store._file._open is not None  # type: ignore[attr-defined]
    end(api)
    assert store._file._open is None  # type: ignore[attr-defined]
    assert turns_of(api.app)._task is None
    ok(api.get("/course/1/"))  # whoever asks it again opens the file again
    end(api)


def test_a_world_stays_when_its_time_has_passed(served: Callable[..., Api]) -> None:
    """A server that starts later goes on with it."""
    one = served()
    ok(one.post("/__stub/clock/freeze", headers=named("w")))
    ok(one.post("/__stub/clock/advance", json={"days": 400}, headers=named("w")))
    then = ok(one.get("/__stub/clock", headers=named("w")))
    end(one)
    other = served()
    assert ok(other.get("/__stub/clock", headers=named("w"))) == then
    end(other)


def test_work_may_be_done_while_nobody_is_served(served: Callable[..., Api]) -> None:
    """In an event loop of its own; the file is closed then, and the server may still begin."""
    api = served()
    assert api.app.alone(lambda: api.app.worlds.touch("w", None).name, "w") == "w"
    assert shared(api.app).store._file._open is None  # type: ignore[attr-defined]
    with pytest.raises(ZeroDivisionError):
        api.app.alone(lambda: 1 // 0)
    assert shared(api.app).store._file._open is None  # type: ignore[attr-defined]
    assert [world["name"] for world in ok(api.get("/__stub/worlds"))["results"]] == ["w"]
    end(api)


def test_a_server_says_what_keeps_its_worlds(served: Callable[..., Api], file: Path) -> None:
    assert served().app.kept_in == f"SQLite file {file}"
    assert create_app().kept_in == ""
