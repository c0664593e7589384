"""All worlds of a server: made when first used, from a fixture, and evicted to make room for each other."""

import gc
import random
import threading
import weakref
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from stubserver.app import StubServer
from stubserver.contract.contract import Contract
from stubserver.contract.resources import folder
from stubserver.errors import Refusal
from stubserver.serving.background import Background
from stubserver.settings import Settings
from stubserver.worlds.registry import Worlds
from stubserver.worlds.snapshot import Fixture
from stubserver.worlds.world import World
from tests.support.answers import ok, refused
from tests.support.client import Api
from tests.support.default import NOW
from tests.support.rows import snapshot
from tests.support.worlds import found, make, named, names

pytestmark = pytest.mark.no_world


# The fixture of a new world


def of_fixture(world: str, fixture: str) -> dict[str, str]:
    return {**named(world), "X-Stub-Fixture": fixture}


@pytest.mark.parametrize("world", ["w", "default"])
def test_the_first_touch_chooses_the_fixture(api: Api, world: str) -> None:
    for headers in (of_fixture(world, "empty"), of_fixture(world, "empty"), named(world)):
        assert ok(api.get("/course/search/", headers=headers))["count"] == 0
    found = ok(api.get(f"/__stub/worlds/{world}"))
    assert (found["fixture"], found["requests"]) == ("empty", 3)
    assert ok(api.get("/course/search/", headers=named("another")))["count"] == 9


def test_the_fixture_goes_with_a_base_path(api: Api) -> None:
    assert ok(api.get("/~w/api/v2/course/search/", headers={"X-Stub-Fixture": "empty"}))["count"] == 0
    ok(api.post("/~v/__stub/clock/freeze", headers={"X-Stub-Fixture": "empty"}))
    assert ok(api.get("/~v/api/v2/course/search/"))["count"] == 0


@pytest.mark.parametrize(
    ("given", "other"), [("empty", "default"), ("default", "empty"), (None, "empty"), (None, "nope"), (None, "")]
)
def test_a_world_keeps_its_fixture(api: Api, app: StubServer, given: str | None, other: str) -> None:
    make(api, "Before", "w") if given is None else ok(api.get("/course/search/", headers=of_fixture("w", given)))
    before = snapshot(app.worlds.get("w"))
    body = {"name": "Too late", "type": "self-paced"}
    response = api.as_("creator").post("/course/", json=body, headers=of_fixture("w", other))
    assert refused(response, 400) == {"X-Stub-Fixture": "invalid"}
    assert all(word in response.text for word in ("World w", given or "default", "reset"))
    assert snapshot(app.worlds.get("w")) == before
    assert ok(api.get("/__stub/worlds/w"))["requests"] == 1


def test_a_reset_world_has_another_fixture(api: Api) -> None:
    ok(api.get("/course/search/", headers=of_fixture("w", "default")))
    ok(api.post("/__stub/worlds/w/reset?fixture=empty"))
    assert ok(api.get("/course/search/", headers=of_fixture("w", "empty")))["count"] == 0
    assert refused(api.get("/course/search/", headers=of_fixture("w", "default")), 400) == {"X-Stub-Fixture": "invalid"}


@pytest.mark.parametrize(
    "fixture",
    [
        "nope",
        "",
        "Default",
        "default.yaml",
        "../x",
        "../default",
        "./default",
        "fixtures/default.yaml",
        "/etc/passwd",
        str(folder("fixtures") / "empty.yaml"),
        str(Path(__file__).resolve()),
        "..\\default",
        "default\u00a0",
    ],
)
@pytest.mark.parametrize("path", ["/api/v2/course/1/", "/~w/api/v2/course/1/", "/__stub/clock/release"])
def test_a_fixture_that_there_is_not(api: Api, app: StubServer, path: str, fixture: str) -> None:
    method = "POST" if path.endswith("release") else "GET"
    response = api.request(method, path, headers={"X-Stub-World": "w", "X-Stub-Fixture": fixture.encode("latin-1")})
    assert list(refused(response, 400).values()) == ["does_not_exist"]
    assert "default, empty" in response.text
    assert names(app) == []


# Peeking


@pytest.mark.parametrize("path", ["clock", "requests", "faults", "personas", "worlds", "health", "coverage", "docs/"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_looking_at_an_untouched_world_makes_none(api: Api, app: StubServer, method: str, path: str) -> None:
    for prefix, headers in (("", {}), ("", named("w")), ("/~w", {}), ("", of_fixture("w", "empty"))):
        assert api.request(method, f"{prefix}/__stub/{path}", headers=headers).status_code == 200
    assert names(app) == []


def test_asking_makes_a_world_whatever_it_answers(api: Api, app: StubServer) -> None:
    for path, world in (("/course/1/", "a"), ("/course/99/", "b"), ("/nowhere/", "c"), ("/course/", "d")):
        api.get(path, headers=named(world))
    assert names(app) == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("method", "path", "body", "there"),
    [
        ("POST", "worlds", {"name": "new"}, ["kept", "new"]),
        ("POST", "worlds", {"name": "new", "world": "kept"}, ["kept", "new"]),
        ("POST", "worlds", {"name": "default", "fixture": "empty"}, ["default", "kept"]),
        ("POST", "worlds/kept/reset", None, ["kept"]),
        ("DELETE", "worlds/kept", None, []),
        ("DELETE", "snapshots/s", None, ["kept"]),
        ("DELETE", "coverage", None, ["kept"]),
    ],
)
def test_what_is_about_no_particular_world_makes_none(
    api: Api, app: StubServer, method: str, path: str, body: Any, there: list[str]
) -> None:
    """Only operations that declare X-Stub-World touch the named world, or the world default."""
    ok(api.post("/__stub/snapshots", json={"name": "s"}, headers=named("kept")), 201)
    assert api.request(method, f"/__stub/{path}", **({"json": body} if body else {})).is_success
    assert names(app) == there


# How many worlds


def test_the_world_that_was_idle_for_longest_makes_room(default_fixture: Fixture) -> None:
    worlds = Worlds(default_fixture, Settings(max_worlds=3))
    for name in ("a", "default", "b", "a", "c"):
        worlds.get(name)
    assert {world.name for world in worlds} == {"default", "a", "c"}
    for name in ("d", "e", "f"):
        worlds.get(name)
        assert name in worlds
    assert {world.name for world in worlds} == {"default", "e", "f"}
    assert (len(worlds), worlds.evicted) == (3, 4)


def test_default_stays_however_idle_it_is(default_fixture: Fixture) -> None:
    worlds = Worlds(default_fixture, Settings(max_worlds=2))
    default = worlds.get()
    for number in range(10):
        worlds.get(f"w{number}")
    assert worlds.get() is default
    assert ({world.name for world in worlds}, worlds.evicted) == ({"default", "w9"}, 9)


def test_worlds_without_a_default_are_as_many_as_may_be(default_fixture: Fixture) -> None:
    worlds = Worlds(default_fixture, Settings(max_worlds=2))
    for name in ("a", "b", "c"):
        worlds.get(name)
    assert {world.name for world in worlds} == {"b", "c"}


@pytest.mark.parametrize("make_one", ["touch", "create", "fork", "snapshot", "reset", "restore"])
def test_every_way_to_a_new_world_makes_room(small: Api, make_one: str) -> None:
    for world in ("default", "idle", "used"):
        make(small, "Course", world)
    ok(small.post("/__stub/snapshots", json={"name": "s"}), 201)
    ok(small.get("/course/1/", headers=named("used")))
    path, options = {
        "touch": ("/course/1/join/", {"headers": {**named("new"), "Authorization": "Bearer stub-stranger"}}),
        "create": ("/__stub/worlds", {"json": {"name": "new"}}),
        "fork": ("/__stub/worlds", {"json": {"name": "new", "world": "used"}}),
        "snapshot": ("/__stub/worlds", {"json": {"name": "new", "snapshot": "s"}}),
        "reset": ("/__stub/worlds/new/reset", {}),
        "restore": ("/__stub/snapshots/s/restore", {"headers": named("new")}),
    }[make_one]
    assert small.post(path, **options).is_success
    assert names(small.app) == ["default", "new", "used"]
    assert ok(small.get("/__stub/health"))["worlds"] == {"kept": 3, "evicted": 1}
    assert "Course" in found(small, "used")


def test_replacing_a_world_evicts_none(small: Api) -> None:
    for world in ("default", "a", "b"):
        make(small, "Course", world)
    ok(small.post("/__stub/worlds/a/reset"))
    ok(small.post("/__stub/snapshots", json={"name": "s"}, headers=named("b")), 201)
    ok(small.post("/__stub/snapshots/s/restore", headers=named("a")))
    assert names(small.app) == ["a", "b", "default"]
    assert ok(small.get("/__stub/health"))["worlds"] == {"kept": 3, "evicted": 0}


def test_an_evicted_world_starts_anew(small: Api) -> None:
    number = make(small, "Gone", "w")
    ok(small.post("/__stub/clock/freeze?at=2031-05-01T09:00:00Z", headers=named("w")))
    ok(small.post("/__stub/faults", json={"kind": "error", "path": "/user/999/"}, headers=named("w")), 201)
    for other in ("default", "x", "y"):
        ok(small.get("/course/1/", headers=named(other)))
    assert refused(small.get("/__stub/worlds/w"), 404) == {"": "not_found"}
    assert refused(small.get("/__stub/requests/w-1"), 404) == {"": "not_found"}
    assert "Gone" not in found(small, "w")
    assert make(small, "Again", "w") == number
    again = ok(small.get("/__stub/worlds/w"))
    assert (again["clock"]["frozen"], again["faults"], again["requests"]) == (False, 0, 2)


@pytest.mark.parametrize(
    "path", ["clock", "requests", "faults", "personas", "requests/idle-1", "worlds/idle", "worlds"]
)
def test_looking_at_a_world_does_not_keep_it(small: Api, path: str) -> None:
    """A GET never changes what it shows, not even how idle the world is."""
    for world in ("default", "idle", "used"):
        ok(small.get("/course/1/", headers=named(world)))
    ok(small.get(f"/__stub/{path}", headers=named("idle")))
    ok(small.get("/course/1/", headers=named("new")))
    assert names(small.app) == ["default", "new", "used"]


# Loaded fixtures


def test_a_fixture_is_loaded_once_and_few_are_kept(default_fixture: Fixture) -> None:
    loaded: list[str] = []

    def load(name: str, moment: Any) -> Fixture:
        loaded.append(name)
        return Fixture(name=name, tables=default_fixture.tables, preferences={}, tokens={}, moment=moment)

    worlds = Worlds(default_fixture, load=load)
    assert worlds.load_fixture("default") is default_fixture
    assert worlds.load_fixture("other") is worlds.load_fixture("other")
    assert loaded == ["other"]
    for number in range(30):
        worlds.load_fixture(f"f{number}")
    assert worlds.load_fixture("default") is default_fixture
    worlds.load_fixture("f29")
    worlds.load_fixture("f0")
    assert loaded == ["other", *(f"f{number}" for number in range(30)), "f0"]


def test_worlds_know_no_fixture_but_their_own(default_fixture: Fixture) -> None:
    with pytest.raises(Refusal, match="does_not_exist"):
        Worlds(default_fixture).load_fixture("other")


# Many at once


def visit(url: str, name: str, rounds: int) -> None:
    """Write and read in one world at random; every read must show exactly what was written there."""
    chance, mine = random.Random(name), dict[int, str]()  # noqa: S311
    with httpx.Client(base_url=url, headers={"Authorization": "Bearer stub-creator"}, timeout=20) as client:

        def ask(method: str, path: str, status: int, **options: Any) -> Any:
            if chance.random() < 0.5:
                response = client.request(method, f"/~{name}/api/v2/{path}", **options)
            else:
                response = client.request(method, f"/api/v2/{path}", headers=named(name), **options)
            assert response.status_code == status, response.text
            assert response.headers["x-stub-request"].startswith(f"{name}-")
            return response.json() if response.content else None

        for turn in range(rounds):
            what = chance.choice(["create", "create", "rename", "delete", "list", "look"])
            some = chance.choice(list(mine)) if mine else None
            if what == "create" or some is None:
                course = ask("POST", "course/", 201, json={"name": f"{name} {turn}", "type": "self-paced"})
                assert course["id"] not in mine
                mine[course["id"]] = f"{name} {turn}"
            elif what == "rename":
                mine[some] = f"{name} {turn} again"
                ask("PATCH", f"course/{some}/", 200, json={"name": mine[some]})
            elif what == "delete":
                ask("DELETE", f"course/{some}/", 204)
                del mine[some]
            elif what == "look":
                assert ask("GET", f"course/{some}/", 200)["name"] == mine[some]
            else:
                page = ask("GET", "course/?statuses=creator&limit=100", 200)
                assert {row["id"]: row["name"] for row in page["results"] if row["id"] > 15} == mine
        page = ask("GET", "course/?statuses=creator&limit=100", 200)
        assert {row["id"]: row["name"] for row in page["results"] if row["id"] > 15} == mine


def test_callers_in_separate_worlds_never_meet(contract: Contract, default_fixture: Fixture) -> None:
    """With threads, sockets and a separate server; half of the requests name their world in the path."""
    failures: list[BaseException] = []

    def run(url: str, name: str) -> None:
        try:
            visit(url, name, rounds=40)
        except BaseException as error:
            failures.append(error)

    with Background(lambda: StubServer(contract, default_fixture)) as url:
        threads = [threading.Thread(target=run, args=(url, f"thread-{number}")) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        with httpx.Client(base_url=url, timeout=20) as client:
            page = ok(client.get("/__stub/worlds"))
            encoded = client.get("/%7Ethread-1/__stub/clock")
        assert encoded.status_code == 200
    assert failures == []
    assert [world["name"] for world in page["results"]] == [f"thread-{number}" for number in range(6)]
    assert all(world["requests"] == 41 for world in page["results"])


# By name


def test_worlds_do_not_see_each_other(default_fixture: Fixture) -> None:
    worlds = Worlds(default_fixture)
    first, second = worlds.get("first"), worlds.get("second")
    untouched = snapshot(World("test", default_fixture))
    first.courses.delete(1)
    first.courses.put({**first.courses[2], "name": "Changed"})
    first.memberships.put({"course_id": 3, "user_id": 6, "status": "joined"})
    first.clock.freeze(NOW)
    assert snapshot(first) != untouched
    assert snapshot(second) == untouched
    assert snapshot(worlds.get()) == untouched
    assert second.memberships.get((3, 6)) is None
    assert second.clock.now() != NOW


def test_worlds_start_anew_on_reset(default_fixture: Fixture) -> None:
    worlds = Worlds(default_fixture, Settings(seed=7))
    old = worlds.get()
    assert worlds.get() is old
    assert (old.name, old.settings.seed) == ("default", 7)
    old.courses.delete(1)
    old.courses.next_id()
    new = worlds.reset()
    assert worlds.get() is new
    assert snapshot(new) == snapshot(World("test", default_fixture))
    assert new.courses.next_id() == 16
    assert 1 not in old.courses
    other = worlds.reset(
        "other", fixture=replace(default_fixture, preferences={"configurations.content_availability": False})
    )
    assert worlds.get("other") is other
    assert other.preferences == {"configurations.content_availability": False}
    assert worlds.get().preferences == default_fixture.preferences
    assert worlds.reset("other").preferences == default_fixture.preferences


# How many bytes

MEMORY = {"max_world": 100_000, "max_memory": 800_000}


def fill(api: Api, world: str, size: int = 90_000) -> None:
    ok(api.as_("creator").patch("/course/1/", json={"description": "x" * size}, headers=named(world)))


def used(api: Api) -> tuple[int, int]:
    """What worlds and snapshots take, as the server counts it; the former is checked."""
    memory = ok(api.get("/__stub/health"))["memory"]
    assert memory["worlds"] == sum(world.held for world in api.app.worlds)
    return memory["worlds"], memory["snapshots"]


def test_the_world_that_was_idle_for_longest_makes_room_for_bytes(fresh: Callable[..., Api]) -> None:
    api = fresh(**MEMORY)
    for number in range(8):
        fill(api, f"w{number}")
    assert names(api.app) == [f"w{number}" for number in range(8)]
    ok(api.get("/course/1/", headers=named("w0")))
    fill(api, "w8")
    assert names(api.app) == ["w0", *(f"w{number}" for number in range(2, 9))]
    assert used(api)[0] <= MEMORY["max_memory"]
    for world in ("w3", "w4"):
        fill(api, world, 10)
    fill(api, "w9")
    assert (len(names(api.app)), used(api)[0] <= MEMORY["max_memory"]) == (9, True)


def test_default_and_the_world_in_use_stay_however_large(fresh: Callable[..., Api]) -> None:
    """Even if snapshots take all they may, and each world has an earlier state."""
    api = fresh(**MEMORY)
    for world in ("default", "used"):
        fill(api, world)
        assert api.delete("/__stub/requests", headers=named(world)).status_code == 204
        fill(api, world, 91_000)
    fill(api, "idle")
    for number in range(4):
        ok(api.post("/__stub/snapshots", json={"name": f"s{number}"}, headers=named("used")), 201)
    assert names(api.app) == ["default", "used"]
    assert sum(used(api)) <= MEMORY["max_memory"]  # a snapshot makes room, too
    fill(api, "other")
    fill(api, "used", 92_000)
    assert "default" in names(api.app)
    assert "used" in names(api.app)
    assert sum(used(api)) <= MEMORY["max_memory"]


def test_snapshots_take_half_of_the_memory(fresh: Callable[..., Api]) -> None:
    api = fresh(**MEMORY)
    fill(api, "w")
    create = partial(api.post, "/__stub/snapshots", headers=named("w"))
    for number in range(4):
        ok(create(json={"name": f"s{number}"}), 201)
    response = create(json={"name": "s4"})
    assert refused(response, 400) == {"name": "max_length"}
    assert "half of --max-memory; delete other snapshots first" in response.text
    assert len(api.app.worlds.snapshots) == 4
    ok(create(json={"name": "s0"}), 201)  # it takes the place of another
    api.delete("/__stub/snapshots/s3")
    ok(create(json={"name": "s4"}), 201)
    assert used(api)[1] <= MEMORY["max_memory"] // 2


def test_a_world_that_is_gone_does_not_count(default_fixture: Fixture) -> None:
    """A request may still wait in it."""
    worlds = Worlds(default_fixture)
    old = worlds.get("w")
    worlds.reset("w")
    before = worlds.size
    with old.transaction():
        old.courses.put({**old.courses[1], "description": "x" * 10_000})
    assert worlds.size == before
    worlds.delete("w")
    assert worlds.size == 0


# What is left of a world


def test_the_rows_of_a_deleted_world_are_free_at_once(default_fixture: Fixture) -> None:
    """The last transaction refers to the tables, and they to it: only the collector would free either."""
    worlds = Worlds(default_fixture)
    world = worlds.get("w")
    with world.transaction():
        world.courses.put({**world.courses[1], "description": "x" * 10_000})
    log = weakref.ref(world.log)
    del world
    gc.disable()
    worlds.delete("w")
    gc.enable()
    assert log() is None
