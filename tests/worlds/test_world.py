"""A world: its transactions, what is derived from its rows, its bounds, and its isolation from other worlds."""

from collections.abc import Callable

import pytest

from stubserver.app import StubServer
from stubserver.errors import Refusal
from stubserver.settings import Settings
from stubserver.worlds.size import ROW, size_of
from stubserver.worlds.snapshot import TABLES, Fixture
from stubserver.worlds.world import World
from tests.support.answers import codes, ok, refused
from tests.support.client import Api
from tests.support.default import MOST, QUIZ
from tests.support.rows import snapshot
from tests.support.snapshots import file_of, loaded
from tests.support.tokens import APP, REQUEST_OF_CODE, WREN
from tests.support.worlds import busy, make, named
from tests.worlds.little import LITTLE, fork, ids, things_of

pytestmark = pytest.mark.no_world


# Transactions


def test_change_keeps_what_succeeds() -> None:
    world = fork()
    with world.transaction():
        things_of(world).put({"id": things_of(world).next_id(), "kind": "c"})
        things_of(world).delete(2)
    with pytest.raises(ZeroDivisionError), world.transaction():
        raise ZeroDivisionError
    assert ids(things_of(world)) == [1, 5, 6]
    assert things_of(world).next_id() == 7


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_change_leaves_no_trace_of_what_fails(error: type[BaseException]) -> None:
    world = fork()
    with world.transaction():
        things_of(world).put({"id": things_of(world).next_id(), "kind": "a"})
        things_of(world).put({"id": 2, "kind": "b"})
    before = (
        list(things_of(world)),
        len(things_of(world)),
        things_of(world).where("kind", "a"),
        things_of(world).where("kind", "b"),
    )

    def fail() -> None:
        with world.transaction():
            things_of(world).put({"id": things_of(world).next_id(), "kind": "a"})
            things_of(world).put({"id": things_of(world).next_id(), "kind": "z"})
            things_of(world).put({"id": 6, "kind": "z"})
            things_of(world).put({"id": 6, "kind": "b"})
            things_of(world).put({"id": 1, "kind": "a"})
            things_of(world).delete(2)
            things_of(world).delete(5)
            things_of(world).put({"id": 5, "kind": "z"})
            things_of(world).delete(7)
            raise error

    with pytest.raises(error):
        fail()
    after = (
        list(things_of(world)),
        len(things_of(world)),
        things_of(world).where("kind", "a"),
        things_of(world).where("kind", "b"),
    )
    assert after == before
    assert things_of(world).where("kind", "z") == []
    assert things_of(world).next_id() == 7


def test_change_undoes_every_table(default_fixture: Fixture) -> None:
    world = World("test", default_fixture)
    before = snapshot(world)

    def fail() -> None:
        with world.transaction():
            world.courses.put({**world.courses[1], "id": world.courses.next_id(), "name": "New", "slug": "new"})
            world.memberships.delete((1, 3))
            world.memberships.put({"course_id": 1, "user_id": 6, "status": "joined"})
            world.completions.delete((3, 1))
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert snapshot(world) == before
    assert world.courses.where("slug", "new") == []
    assert [row["user_id"] for row in world.memberships.where("course_id", 1)] == [1, 2, 3, 4, 8, 9, 10, 11, 12, 13, 14]
    assert world.courses.next_id() == 16


# What it holds


def test_world_knows_its_tables_only(default_fixture: Fixture) -> None:
    world = World("test", default_fixture)
    assert {name for name in TABLES if len(getattr(world, name)) == 0} == {
        "uploads",
        "pieces",
        "pictures",
        "grants",
    }  # no fixture has any
    with pytest.raises(AttributeError, match="nonsense"):
        _ = world.nonsense  # type: ignore[attr-defined]


def test_what_is_derived_from_keys_is_made_anew_when_they_change() -> None:
    world, made = fork(), []

    def look() -> list[int]:
        keys = things_of(world).keys("kind", "a")

        def doubled() -> list[int]:
            made.append(keys)
            return [2 * key for key in keys]

        return world.derived("doubled", [keys], doubled)

    assert (look(), look(), len(made)) == ([4, 10], [4, 10], 1)
    things_of(world).put({"id": 5, "kind": "a", "name": "new"})
    assert (look(), len(made)) == ([4, 10], 1)
    things_of(world).delete(5)
    assert (look(), look(), len(made)) == ([4], [4], 2)


def test_no_table_is_left_out(app: StubServer) -> None:
    """The fixtures of these tests use every table."""
    assert set(TABLES) == set(app.worlds.get().snapshot().changes)


# How many rows


def full(small: Api, world: str = "w") -> None:
    """Change as many rows as a world allows."""
    creator = small.as_("creator")
    for number in range(1, MOST.max_rows + 1):
        ok(creator.patch(f"/course/{number}/", json={"name": f"Course {number}"}, headers=named(world)))
    assert ok(small.get(f"/__stub/worlds/{world}"))["changed_rows"] == MOST.max_rows


NEW = {"name": "One more", "type": "self-paced"}


def test_a_full_world_refuses_and_keeps_nothing(small: Api) -> None:
    full(small)
    before = snapshot(small.app.worlds.get("w"))
    answers = [{"text": "Yes", "correct": True}, {"text": "No"}]
    for method, path, persona, body in (
        ("POST", "/course/", "creator", NEW),
        ("PATCH", "/course/7/", "creator", {"name": "One more"}),
        ("POST", "/course/1/join/", "stranger", {}),
        ("DELETE", "/course/1/section/1/lesson/1/", "creator", None),
        ("POST", f"{QUIZ}question/", "creator", {"type": "single_choice", "text": "?", "answers": answers}),
        ("POST", "/media/", "member", {"type": "url", "url": "https://video.example/"}),
    ):
        options = {} if body is None else {"json": body}
        response = small.as_(persona).request(method, path, headers=named("w"), **options)
        assert response.status_code == 503, path
        assert codes(response).keys() == {""}
        assert all(word in response.text for word in ("World w", f"{MOST.max_rows} rows", "--max-rows"))
        assert snapshot(small.app.worlds.get("w")) == before
    found = ok(small.get("/__stub/worlds/w"))
    assert (found["changed_rows"], found["requests"]) == (MOST.max_rows, MOST.max_rows + 6)
    ok(small.as_("creator").patch("/course/1/", json={"name": "Still"}, headers=named("w")))
    ok(small.post("/__stub/worlds/w/reset"))
    assert make(small, "One more", "w") == 16  # no id was used up


def test_a_full_world_can_be_read_and_steered_and_no_other_is_full(small: Api) -> None:
    full(small)
    ok(small.get("/course/1/", headers=named("w")))
    ok(small.post("/__stub/clock/freeze", headers=named("w")))
    ok(small.post("/__stub/snapshots", json={"name": "s"}, headers=named("w")), 201)
    make(small, "Elsewhere", "v")
    ok(small.post("/__stub/snapshots/s/restore", headers=named("v")))
    refused = small.as_("creator").post("/course/", json=NEW, headers=named("v"))
    assert refused.status_code == 503
    ok(small.as_("creator").patch("/course/1/", json={"name": "A row that differs already"}, headers=named("w")))


def test_a_full_world_gives_no_codes_to_apps(small: Api) -> None:
    """The consent page does not fill a world beyond its bound either."""
    query = {**REQUEST_OF_CODE, "login_hint": "wren_hollis"}
    statuses = [
        small.get("/oauth/authorize/", params=query, headers=named("w")).status_code for _ in range(MOST.max_rows + 2)
    ]
    assert statuses == [302] * MOST.max_rows + [503] * 2
    assert small.app.worlds.get("w").changed == MOST.max_rows


def test_rows_that_came_and_went_do_not_fill_a_world(small: Api) -> None:
    for _ in range(MOST.max_rows + 2):
        token = ok(small.post("/oauth/token/", json={**APP, **WREN}, headers=named("w")))["access_token"]
        assert small.post("/oauth/revoke_token/", json={**APP, "token": token}, headers=named("w")).status_code == 200
    assert len(small.app.worlds.get("w").grants) == 0
    assert ok(small.get("/__stub/worlds/w"))["changed_rows"] == 0


# How many bytes

SMALL = {"max_world": 40_000, "max_memory": 8 * 40_000}


def size(api: Api, world: str = "w") -> int:
    """What the rows of a world take, counted one by one."""
    changes = api.app.worlds.get(world).snapshot().changes.values()
    return sum(size_of(row) for changed in changes for row in changed.rows.values())


@pytest.mark.parametrize("prefer", [{}, {"Prefer": "wait=0"}])
def test_a_world_takes_no_more_bytes_than_it_may(fresh: Callable[..., Api], prefer: dict[str, str]) -> None:
    api = fresh(**SMALL)
    creator, headers = api.as_("creator"), {**named("w"), **prefer}
    ok(creator.patch("/course/1/", json={"description": "x" * 30_000}, headers=headers))
    before = snapshot(api.app.worlds.get("w"))
    for course, description in ((1, "x" * 40_000), (1, "ж" * 20_000), (2, "x" * 10_000)):
        refused = creator.patch(f"/course/{course}/", json={"description": description}, headers=headers)
        assert refused.status_code == 503
        assert all(word in refused.text for word in ("World w", "40000 bytes", "--max-world"))
        assert snapshot(api.app.worlds.get("w")) == before
        assert api.app.worlds.get("w").size == size(api)
    ok(creator.patch("/course/1/", json={"description": "Short"}, headers=headers))
    ok(creator.patch("/course/2/", json={"description": "x" * 30_000}, headers=headers))
    assert api.app.worlds.get("w").size == size(api)


def test_the_size_of_a_world_is_that_of_its_rows(api: Api) -> None:
    """After changes of every kind, in a fork, after a way through a file, and once they are gone."""
    busy(api, "w")
    assert api.app.worlds.get("w").size == size(api) > 0
    ok(api.post("/__stub/worlds", json={"name": "fork", "world": "w"}), 201)
    make(api, "One more", "fork")
    assert api.app.worlds.get("fork").size == size(api, "fork") > size(api)
    before = size(api)
    assert loaded(api, file_of(api)).size == size(api) <= before  # unfinished uploads are not in the file
    ok(api.post("/__stub/worlds/w/reset"))
    assert api.app.worlds.get("w").size == size(api) == 0


def test_what_is_rolled_back_takes_no_room() -> None:
    world = World("w", LITTLE)
    for row in ({"id": 1, "kind": "x" * 200}, {"id": 9, "kind": "x" * 300}):
        transaction = world.transaction()
        transaction.begin()
        things_of(world).put(row)
        things_of(world).put({**row, "more": "y" * 1000})
        things_of(world).delete(2)
        assert world.size > 1000 + ROW
        transaction.roll_back()
        assert world.size == 0
    with world.transaction():
        things_of(world).put({"id": 9, "kind": "new"})
        things_of(world).delete(9)
    assert world.size == 0
    things_of(world).delete(1)
    assert world.size == ROW


def test_a_world_is_full_even_if_it_takes_no_more_bytes() -> None:
    """One row has become shorter by what another one takes: the bound on rows is checked, too."""
    world = World("w", LITTLE, Settings(max_rows=1))
    with world.transaction():
        things_of(world).put({"id": 1, "kind": "x" * ROW})
    size, transaction = world.size, world.transaction()
    transaction.begin()
    things_of(world).put({"id": 1, "kind": "old"})
    things_of(world).put({"id": 2, "kind": "new"})
    assert world.size == size
    with pytest.raises(Refusal, match="1 rows, the maximum"):
        transaction.commit()
    assert (world.changed, world.size) == (1, size)


# Isolation


def test_a_change_in_one_world_is_seen_in_no_other(api: Api, app: StubServer) -> None:
    untouched = snapshot(app.worlds.get("two"))
    first = busy(api, "one")
    assert [name for name, rows in snapshot(app.worlds.get("one")).items() if rows == untouched[name]] == [
        "users",
        "categories",
        "answers",
        "apps",
    ]
    assert snapshot(app.worlds.get("two")) == snapshot(app.worlds.get()) == untouched
    assert ok(api.get("/__stub/requests", headers=named("two")))["count"] == 0
    second = busy(api, "two")
    assert [first[what]["id"] for what in ("course", "comment", "media")] == [
        second[what]["id"] for what in ("course", "comment", "media")
    ]
    assert snapshot(app.worlds.get()) == untouched


def test_a_token_of_one_world_opens_no_other(api: Api) -> None:
    pair = {
        world: ok(api.post("/oauth/token/", json={**APP, **WREN}, headers=named(world))) for world in ("one", "two")
    }
    assert pair["one"]["access_token"] != pair["two"]["access_token"]
    for mine, other in (("one", "two"), ("two", "one")):
        bearer = {"Authorization": f"Bearer {pair[mine]['access_token']}"}
        assert ok(api.get("/user/me/", headers={**bearer, **named(mine)}))["username"] == "wren_hollis"
        assert refused(api.get("/user/me/", headers={**bearer, **named(other)}), 401) == {"": "authentication_failed"}
        assert api.get("/user/me/", headers=bearer).status_code == 401


def test_a_clock_is_that_of_one_world(api: Api) -> None:
    ok(api.post("/__stub/clock/freeze?at=2031-05-01T09:00:00Z", headers=named("one")))
    assert ok(api.get("/__stub/clock", headers=named("one")))["now"] == "2031-05-01T09:00:00+00:00"
    for other in ("two", "default"):
        clock = ok(api.get("/__stub/clock", headers=named(other)))
        assert (clock["frozen"], clock["now"] < "2031") == (False, True)


def test_a_fault_is_that_of_one_world(api: Api) -> None:
    ok(api.post("/__stub/faults", json={"kind": "error", "status": 500}, headers=named("one")), 201)
    assert api.get("/course/1/", headers=named("one")).status_code == 500
    assert [api.get("/course/1/", headers=named(other)).status_code for other in ("two", "default")] == [200, 200]


def test_a_journal_is_that_of_one_world(api: Api) -> None:
    ids = [api.get(f"/course/{n}/", headers=named(w)).headers["x-stub-request"] for n, w in ((1, "one"), (2, "two"))]
    assert ids == ["one-1", "two-1"]
    for world, path in (("one", "/api/v2/course/1/"), ("two", "/api/v2/course/2/")):
        (entry,) = ok(api.get("/__stub/requests", headers=named(world)))["results"]
        assert (entry["id"], entry["request"]["path"]) == (f"{world}-1", path)
    assert ok(api.get("/__stub/requests"))["results"] == []
