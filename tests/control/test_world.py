"""The control plane's worlds: created, shown, reset, deleted."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.answers import ok, refused
from tests.support.client import Api
from tests.support.rows import snapshot
from tests.support.tokens import APP, WREN
from tests.support.worlds import FREEZE, THEN, busy, found, make, named, names

WORLDS = "/__stub/worlds"
pytestmark = pytest.mark.no_world


def create(api: Api, **body: Any) -> Any:
    return ok(api.post(WORLDS, json=body, headers=named("caller")), 201)


def lived_in(api: Api, world: str) -> dict[str, list[Any]]:
    """The rows of a world in which a lot has happened."""
    busy(api, world)
    ok(api.post(FREEZE, headers=named(world)))
    ok(api.post("/__stub/faults", json={"kind": "error", "path": "/user/999/"}, headers=named(world)), 201)
    return snapshot(api.app.worlds.get(world))


def is_new(api: Api, world: str, fixture: str = "default") -> bool:
    """Whether nothing has ever happened in a world, judging only by the control plane."""
    view = ok(api.get(f"{WORLDS}/{world}"))
    journal = ok(api.get("/__stub/requests", headers=named(world)))["count"]
    plain = (view["fixture"], view["clock"]["frozen"], view["clock"]["ahead_seconds"], view["requests"])
    return (*plain, view["changed_rows"], view["faults"], journal) == (fixture, False, 0, 0, 0, 0, 0)


# Listing


def test_list_worlds_has_those_that_somebody_touched(api: Api) -> None:
    assert ok(api.get(WORLDS)) == {"count": 0, "next": None, "previous": None, "results": []}
    for world in ("b", "default", "a", "b"):
        api.get("/course/1/", headers=named(world))
    page = ok(api.get(WORLDS))
    assert [(world["name"], world["requests"]) for world in page["results"]] == [("a", 1), ("b", 2), ("default", 1)]
    assert page["results"] == [
        {**ok(api.get(f"{WORLDS}/{world['name']}")), "clock": world["clock"]} for world in page["results"]
    ]


def test_list_worlds_comes_in_pages(api: Api) -> None:
    for number in range(5):
        api.get("/course/1/", headers=named(f"w{number}"))
    page = ok(api.get(f"{WORLDS}?limit=2&offset=2"))
    assert ([world["name"] for world in page["results"]], page["count"]) == (["w2", "w3"], 5)
    assert page["next"] == f"http://localhost{WORLDS}?limit=2&offset=4"
    assert page["previous"] == f"http://localhost{WORLDS}?limit=2"


# Making


def test_create_world_is_from_the_servers_fixture(api: Api) -> None:
    world = create(api, name="w")
    assert world.pop("clock").pop("frozen") is False
    assert world == {
        "name": "w",
        "fixture": "default",
        "base_path": "/~w",
        "strict": False,
        "requests": 0,
        "forgotten": 0,
        "changed_rows": 0,
        "faults": 0,
        "variants": 0,
    }
    assert ok(api.get(f"{world['base_path']}/api/v2/course/search/"))["count"] == 9


def test_create_world_finds_a_name(api: Api) -> None:
    first = create(api)["name"]
    number = int(first.removeprefix("world-"))
    create(api, name=f"world-{number + 1}")
    assert create(api)["name"] == f"world-{number + 2}"
    assert create(api, fixture="empty")["name"] == f"world-{number + 3}"
    api.delete(f"{WORLDS}/{first}")
    assert create(api)["name"] == f"world-{number + 4}"


def test_create_world_finds_a_name_however_many_are_taken(api: Api) -> None:
    number = int(create(api)["name"].removeprefix("world-"))
    for taken in range(number + 1, number + 2001):
        api.app.worlds.get(f"world-{taken}")
    assert create(api)["name"] == f"world-{number + 2001}"


def test_create_world_is_from_another_fixture(api: Api) -> None:
    assert create(api, name="w", fixture="empty")["fixture"] == "empty"
    assert ok(api.get("/course/search/", headers=named("w")))["count"] == 0
    assert make(api, "The first", "w") == 1


def test_create_world_forks_a_world_as_it_is_now(api: Api) -> None:
    rows = lived_in(api, "w")
    fork = create(api, name="fork", world="w")
    changed = ok(api.get(f"{WORLDS}/w"))["changed_rows"]
    assert (fork["clock"], fork["changed_rows"], fork["requests"], fork["faults"]) == (THEN, changed, 0, 0)
    assert ok(api.get("/__stub/requests", headers=named("fork")))["count"] == 0
    assert snapshot(api.app.worlds.get("fork")) == rows
    assert make(api, "In the fork", "fork") == make(api, "In the world", "w") == 17
    ok(api.post("/__stub/clock/release", headers=named("fork")))
    assert ("In the world" in found(api, "fork"), "In the fork" in found(api, "w")) == (False, False)
    assert ok(api.get("/__stub/clock", headers=named("w"))) == THEN


def test_create_world_is_from_a_snapshot(api: Api) -> None:
    rows = lived_in(api, "w")
    ok(api.post("/__stub/snapshots", json={"name": "s"}, headers=named("w")), 201)
    make(api, "Later", "w")
    api.delete(f"{WORLDS}/w")
    for name in ("first", "second"):
        assert create(api, name=name, snapshot="s")["clock"] == THEN
        assert snapshot(api.app.worlds.get(name)) == rows
        make(api, f"In the {name}", name)


@pytest.mark.parametrize("name", ["", "a b", "a/b", "ä", "~a", "a" * 65, "a\n", 7, None, ["a"]])
def test_create_world_refuses_what_is_no_name(api: Api, name: Any) -> None:
    response = api.post(WORLDS, json={"name": name}, headers=named("caller"))
    assert refused(response, 400).keys() == {"name"}
    assert set(names(api.app)) <= {"caller"}


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"fixture": "nope"}, 400, "fixture"),
        ({"fixture": "../default"}, 400, "fixture"),
        ({"fixture": "/etc/passwd"}, 400, "fixture"),
        ({"fixture": 7}, 400, "fixture"),
        ({"snapshot": "nope"}, 404, ""),
        ({"world": "nope"}, 404, ""),
        ({"world": "w", "snapshot": "s"}, 400, "world"),
        ({"fixture": "empty", "snapshot": "s"}, 400, "snapshot"),
        ({"world": "w", "fixture": "default"}, 400, "world"),
    ],
)
def test_create_world_refuses_what_it_cannot_start_from(
    api: Api, body: dict[str, Any], status: int, field: str
) -> None:
    ok(api.post("/__stub/snapshots", json={"name": "s"}, headers=named("w")), 201)
    before = names(api.app)
    response = api.post(WORLDS, json={"name": "new", **body}, headers=named("w"))
    assert refused(response, status).keys() == {field}
    assert names(api.app) == before


def test_create_world_names_the_fixtures_that_there_are(api: Api) -> None:
    assert "default, empty" in api.post(WORLDS, json={"fixture": "nope"}).text


@pytest.mark.parametrize("source", [{}, {"fixture": "empty"}, {"world": "w"}, {"snapshot": "s"}])
def test_create_world_spares_the_one_that_is_there(api: Api, source: dict[str, str]) -> None:
    rows = lived_in(api, "there")
    ok(api.post("/__stub/snapshots", json={"name": "s"}, headers=named("w")), 201)
    response = api.post(WORLDS, json={"name": "there", **source}, headers=named("w"))
    assert refused(response, 400) == {"name": "unique"}
    assert snapshot(api.app.worlds.get("there")) == rows


@pytest.mark.parametrize("headers", [{}, named("other"), named("new")])
def test_create_world_does_not_care_what_the_header_names(api: Api, headers: dict[str, str]) -> None:
    """Only the name in the body counts; a client may send the header of its own world with every request."""
    assert ok(api.post(WORLDS, json={"name": "new"}, headers=headers), 201)["name"] == "new"
    assert names(api.app) == ["new"]


# Looking at one


def test_get_world_tells_what_happened_in_it(api: Api) -> None:
    lived_in(api, "w")
    api.get("/nowhere/", headers=named("w"))
    world = ok(api.get(f"{WORLDS}/w"))
    assert world["clock"] == THEN
    assert (world["name"], world["fixture"], world["base_path"]) == ("w", "default", "/~w")
    assert world["requests"] == ok(api.get("/__stub/requests", headers=named("w")))["count"]
    assert (world["faults"], world["changed_rows"]) == (1, api.app.worlds.get("w").changed)
    assert world["changed_rows"] > 20


def test_get_world_counts_the_rows_that_differ(api: Api) -> None:
    creator = api.as_("creator")
    for path, changed in (("/course/1/", 1), ("/course/1/", 1), ("/course/2/", 2)):
        ok(creator.patch(path, json={"name": f"A {path} {changed}"}, headers=named("w")))
        assert ok(api.get(f"{WORLDS}/w"))["changed_rows"] == changed


@pytest.mark.parametrize("name", ["w", "default", "a%20b"])
@pytest.mark.parametrize("headers", [{}, named("w")])
def test_get_world_does_not_make_one(api: Api, headers: dict[str, str], name: str) -> None:
    assert refused(api.get(f"{WORLDS}/{name}", headers=headers), 404) == {"": "not_found"}
    assert names(api.app) == []


# Forgetting


@pytest.mark.parametrize("world", ["w", "default"])
def test_delete_world_forgets_all_of_it(api: Api, world: str) -> None:
    lived_in(api, world)
    token = ok(api.post("/oauth/token/", json={**APP, **WREN}, headers=named(world)))["access_token"]
    request = api.get("/course/1/", headers=named(world)).headers["x-stub-request"]
    response = api.delete(f"{WORLDS}/{world}", headers=named("caller"))
    assert (response.status_code, response.content) == (204, b"")
    assert refused(api.get(f"{WORLDS}/{world}"), 404) == {"": "not_found"}
    assert refused(api.get(f"/__stub/requests/{request}"), 404) == {"": "not_found"}
    bearer = {**named(world), "Authorization": f"Bearer {token}"}
    assert api.get("/user/me/", headers=bearer).status_code == 401
    assert api.delete("/__stub/requests", headers=named(world)).status_code == 204
    assert snapshot(api.app.worlds.get(world)) == snapshot(api.app.worlds.get("never-touched"))
    assert make(api, "Anew", world) == 16


def test_delete_world_spares_the_others(api: Api) -> None:
    rows = lived_in(api, "other")
    lived_in(api, "w")
    ok(api.post("/__stub/snapshots", json={"name": "s"}, headers=named("w")), 201)
    assert api.delete(f"{WORLDS}/w", headers=named("other")).status_code == 204
    assert names(api.app) == ["other"]
    assert snapshot(api.app.worlds.get("other")) == rows
    assert ok(api.get("/__stub/snapshots"))["count"] == 1


def test_delete_world_refuses_a_world_that_there_is_not(api: Api) -> None:
    assert refused(api.delete(f"{WORLDS}/w", headers=named("caller")), 404) == {"": "not_found"}
    assert "w" not in names(api.app)


# Strictness (R028)


def is_strict(api: Api, world: str) -> bool:
    """Whether the world refuses a number for text, seen from outside."""
    answer = api.as_("creator").patch("/course/1/", json={"description": 5}, headers=named(world))
    assert answer.status_code in (200, 400)
    return answer.status_code == 400


def test_patch_world_makes_it_strict_and_lenient_again(api: Api) -> None:
    create(api, name="w")
    lived_in(api, "w")
    before = ok(api.get(f"{WORLDS}/w"))
    for strict in (True, False):
        assert ok(api.patch(f"{WORLDS}/w", json={"strict": strict})) == {**before, "strict": strict}
        assert ok(api.patch(f"{WORLDS}/w", json={})) == {**before, "strict": strict}
    assert [is_strict(api, world) for world in ("w", "other")] == [False, False]
    ok(api.patch(f"{WORLDS}/w", json={"strict": True}))
    assert [is_strict(api, world) for world in ("w", "other")] == [True, False]


@pytest.mark.parametrize(
    ("world", "body", "status", "expected"),
    [
        ("w", {"strct": True}, 400, {"strct": "invalid"}),
        ("w", {"strict": "yes"}, 400, {"strict": "invalid"}),
        ("w", {"strict": None}, 400, {"strict": "null"}),
        ("w", [], 400, {"non_field_errors": "invalid"}),
        ("none", {"strict": True}, 404, {"": "not_found"}),
    ],
)
def test_patch_world_refuses(api: Api, world: str, body: Any, status: int, expected: dict[str, str]) -> None:
    """And makes no world, nor a strict one."""
    create(api, name="w")
    assert refused(api.patch(f"{WORLDS}/{world}", json=body), status) == expected
    assert names(api.app) == ["w"]
    assert not is_strict(api, "w")


def test_create_world_may_be_strict(api: Api) -> None:
    """A fork is as strict as what it was made of, unless it says otherwise; a snapshot is not."""
    create(api, name="a", strict=True)
    ok(api.post("/__stub/snapshots", json={"name": "kept"}, headers=named("a")), 201)
    for name, source, strict in (
        ("b", {"world": "a"}, True),
        ("c", {"world": "a", "strict": False}, False),
        ("d", {"snapshot": "kept"}, False),
        ("e", {"fixture": "default"}, False),
    ):
        assert create(api, name=name, **source)["strict"] is strict is is_strict(api, name)


def test_reset_world_leaves_it_as_strict_as_it_was(api: Api) -> None:
    """So does restoring a snapshot; a deleted world begins again as the server says."""
    create(api, name="a", strict=True)
    ok(api.post("/__stub/snapshots", json={"name": "kept"}, headers=named("a")), 201)
    ok(api.post(f"{WORLDS}/a/reset"))
    ok(api.post("/__stub/snapshots/kept/restore", headers=named("a")))
    assert is_strict(api, "a")
    api.delete(f"{WORLDS}/a")
    assert not is_strict(api, "a")


def test_create_world_is_as_strict_as_the_server(fresh: Callable[..., Api]) -> None:
    """Also one that a request names first."""
    api = fresh(strict=True)
    assert is_strict(api, "new")
    assert create(api, name="lenient", strict=False)["strict"] is False
    assert not is_strict(api, "lenient")


# Resetting


def test_reset_world_forgets_all_that_happened(api: Api) -> None:
    lived_in(api, "w")
    request = api.get("/course/1/", headers=named("w")).headers["x-stub-request"]
    world = ok(api.post(f"{WORLDS}/w/reset", headers=named("caller")))
    assert {**ok(api.get(f"{WORLDS}/w")), "clock": world["clock"]} == world
    assert is_new(api, "w")
    assert refused(api.get(f"/__stub/requests/{request}"), 404) == {"": "not_found"}
    assert snapshot(api.app.worlds.get("w")) == snapshot(api.app.worlds.get("never-touched"))
    assert make(api, "Anew", "w") == 16


@pytest.mark.parametrize(("own_fixture", "query", "fixture"), [("empty", "", "empty"), ("default", "", "default")])
def test_reset_world_starts_from_its_own_fixture(api: Api, own_fixture: str, query: str, fixture: str) -> None:
    create(api, name="w", fixture=own_fixture)
    make(api, "Gone", "w")
    assert ok(api.post(f"{WORLDS}/w/reset{query}"))["fixture"] == fixture
    assert is_new(api, "w", fixture)


def test_reset_world_starts_from_another_fixture(api: Api) -> None:
    make(api, "Gone", "w")
    for fixture in ("empty", "default"):
        assert ok(api.post(f"{WORLDS}/w/reset", params={"fixture": fixture}))["fixture"] == fixture
        assert is_new(api, "w", fixture)
    ok(api.post(f"{WORLDS}/w/reset?fixture=empty"))
    assert ok(api.post(f"{WORLDS}/w/reset"))["fixture"] == "empty"


def test_reset_world_takes_a_fork_to_its_fixture(api: Api) -> None:
    create(api, name="w", fixture="empty")
    make(api, "Before the fork", "w")
    create(api, name="fork", world="w")
    ok(api.post(f"{WORLDS}/fork/reset"))
    assert is_new(api, "fork", "empty")
    assert found(api, "w") == {"Before the fork"}


def test_reset_world_makes_one_that_is_not_there(api: Api) -> None:
    assert ok(api.post(f"{WORLDS}/new/reset?fixture=empty"))["name"] == "new"
    assert is_new(api, "new", "empty")
    assert ok(api.post(f"{WORLDS}/newer/reset"))["fixture"] == "default"


def test_reset_world_spares_the_others(api: Api) -> None:
    rows = lived_in(api, "other")
    make(api, "Gone", "w")
    ok(api.post(f"{WORLDS}/w/reset", headers=named("other")))
    assert snapshot(api.app.worlds.get("other")) == rows
    assert ok(api.get(f"{WORLDS}/other"))["faults"] == 1


@pytest.mark.parametrize("fixture", ["nope", "../default", "/etc/passwd", "x" * 65, "default.yaml"])
def test_reset_world_refuses_a_fixture_that_there_is_not(api: Api, fixture: str) -> None:
    rows = lived_in(api, "w")
    response = api.post(f"{WORLDS}/w/reset", params={"fixture": fixture})
    assert refused(response, 400).keys() == {"fixture"}
    assert snapshot(api.app.worlds.get("w")) == rows
    assert ok(api.get(f"{WORLDS}/w"))["clock"] == THEN


@pytest.mark.parametrize("name", ["a%20b", "%C3%A4", "~a", "a" * 65])
def test_reset_world_refuses_what_is_no_name(api: Api, name: str) -> None:
    assert refused(api.post(f"{WORLDS}/{name}/reset", headers=named("caller")), 400) == {"world": "invalid"}
    assert set(names(api.app)) <= {"caller"}
