"""Worlds that two servers share: whichever is asked, the answer is that of one server with its worlds in memory."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.answers import done, ok
from tests.support.client import Api
from tests.support.default import LATER, QUIZ
from tests.support.faults import FAULTS, create, listed
from tests.support.tokens import APP, WREN
from tests.support.twins import Twins
from tests.support.worlds import busy, found, make, named, piece

WORLDS, SNAPSHOTS, CASE = "/__stub/worlds", "/__stub/snapshots", "/__stub/case"


@pytest.fixture
def api(twins: Callable[..., Twins]) -> Twins:
    """Three servers that are asked the same; the two with a store take turns."""
    return twins()


def saved(api: Api, world: str) -> Any:
    """A world as a file, with its rows by their keys: a copy of a world does not know in which order they changed."""
    ok(api.post(SNAPSHOTS, json={"name": "file"}, headers=named(world)), 201)
    file = ok(api.get(f"{SNAPSHOTS}/file"))
    for table in file["tables"].values():
        table["rows"].sort(key=str)
    return file


# Worlds


def test_every_operation_finds_what_the_other_server_has_done(api: Twins) -> None:
    """And so does every answer that shows all of a world."""
    busy(api, "w")
    file = saved(api._memory, "w")
    assert [saved(one, "w") for one in api._stored] == [file] * 2
    assert file["tables"].keys() >= {"courses", "uploads", "comments", "attempts", "grants", "memberships"}
    for path in (WORLDS, f"{WORLDS}/w", CASE, "/__stub/clock", "/__stub/requests?limit=100", SNAPSHOTS):
        assert api.get(path, headers=named("w")).status_code == 200
    for path in ("/course/search/?limit=100", "/user/search/?limit=100", "/category/", QUIZ, "/user/me/"):
        ok(api.as_("creator").get(path, headers=named("w")))


def test_worlds_are_made_of_worlds_of_the_other_server(api: Twins) -> None:
    """Forks, snapshots and resets: each is made by one server, and changed and read by the other."""
    make(api, "Knots", "w")
    ok(api.post(WORLDS, json={"name": "fork", "world": "w"}), 201)
    make(api, "Bends", "fork")
    assert [found(api, world) - found(api, "untouched") for world in ("w", "fork")] == [{"Knots"}, {"Knots", "Bends"}]
    ok(api.post(SNAPSHOTS, json={"name": "s"}, headers=named("fork")), 201)
    ok(api.post(f"{SNAPSHOTS}/s/restore", headers=named("w")))
    assert "Bends" in found(api, "w")
    ok(api.post(WORLDS, json={"name": "third", "snapshot": "s"}), 201)
    done(api.delete(f"{SNAPSHOTS}/s"))
    assert api.get(f"{SNAPSHOTS}/s").status_code == 404
    assert "Bends" in found(api, "third")
    ok(api.post(f"{WORLDS}/third/reset?fixture=default"))
    assert "Bends" not in found(api, "third")
    done(api.delete(f"{WORLDS}/fork"))
    assert api.get(f"{WORLDS}/fork").status_code == 404
    assert [world["name"] for world in ok(api.get(WORLDS))["results"]] == ["third", "untouched", "w"]


def test_snapshots_in_files_are_loaded_for_all(api: Twins) -> None:
    make(api, "Knots", "w")
    file = saved(api, "w")
    ok(api.put(f"{SNAPSHOTS}/loaded", json=file))
    ok(api.post(f"{SNAPSHOTS}/loaded/restore", headers=named("v")))
    assert "Knots" in found(api, "v")
    assert [row["name"] for row in ok(api.get(SNAPSHOTS))["results"]] == ["file", "loaded"]


def test_names_are_given_once(api: Twins) -> None:
    given = [ok(api.post(WORLDS, json={}), 201)["name"] for _ in range(4)]
    assert given == [f"world-{number}" for number in range(1, 5)]


def test_ids_are_given_once(api: Twins) -> None:
    numbers = [make(api, f"Knots {number}") for number in range(4)]
    assert numbers == [*range(numbers[0], numbers[0] + 4)]


@pytest.mark.parametrize("again", ["delete", "reset", "restore"])
def test_a_world_begins_anew_for_both(api: Twins, again: str) -> None:
    """Without requests, faults and the state of before."""
    make(api, "Knots", "w")
    create(api, world="w", times=1, operation="delete_course")
    if again == "delete":
        done(api.delete(f"{WORLDS}/w"))
    elif again == "reset":
        ok(api.post(f"{WORLDS}/w/reset"))
    else:
        ok(api.post(SNAPSHOTS, json={"name": "s"}, headers=named("untouched")), 201)
        ok(api.post(f"{SNAPSHOTS}/s/restore", headers=named("w")))
    for _ in range(2):
        assert "Knots" not in found(api, "w")
    world = ok(api.get(f"{WORLDS}/w"))
    assert (world["requests"], world["faults"], world["changed_rows"]) == (2, 0, 0)


def test_how_strict_a_world_is_is_shared(api: Twins) -> None:
    lenient = {"json": {"enforce_lessons_order": "yes"}, "headers": named("w")}
    asked = api.as_("creator")
    assert [asked.patch("/course/1/", **lenient).status_code for _ in range(2)] == [200, 200]
    ok(api.patch(f"{WORLDS}/w", json={"strict": True}))
    assert [asked.patch("/course/1/", **lenient).status_code for _ in range(2)] == [400, 400]


def test_time_is_shared(api: Twins) -> None:
    """Frozen, advanced, set, and released; and what depends on it."""
    for path, body in (("advance", {"days": 3}), ("set", {"at": LATER.isoformat()}), ("advance", {"seconds": 1})):
        before = ok(api.post(f"/__stub/clock/{path}", json=body, headers=named("w")))
        for _ in range(2):
            assert ok(api.get("/__stub/clock", headers=named("w"))) == before
    course = make(api, "Knots", "w")
    assert ok(api.as_("creator").get(f"/course/{course}/", headers=named("w")))["created_at"].startswith("2027-12")


def test_a_clock_that_runs_runs_for_both(stored: Callable[..., Api]) -> None:
    one, other = stored(), stored()
    ahead = ok(one.post("/__stub/clock/advance", json={"days": 3}, headers=named("w")))["ahead_seconds"]
    assert ok(other.get("/__stub/clock", headers=named("w")))["ahead_seconds"] == ahead == 3 * 24 * 3600
    ok(other.post("/__stub/clock/release", headers=named("w")))
    assert ok(one.get("/__stub/clock", headers=named("w")))["ahead_seconds"] == 0


def test_uploads_go_on_at_the_other_server(api: Twins) -> None:
    upload = piece(api, b"abc", 6, headers=named("w"))
    part = {"document": ("notes.pdf", b"def", "application/pdf")}
    fields = {"upload_id": upload["upload_id"]}
    headers = {**named("w"), "Content-Range": "bytes 3-5/6"}
    member = api.as_("member")
    ok(member.post("/media/upload/chunk/", data=fields, files=part, headers=headers), 201)
    whole = {"upload_id": upload["upload_id"], "md5": "e80b5017098950fc58aad83c8c14978e"}
    assert ok(member.post("/media/upload/complete/", json=whole, headers=named("w")), 201)["type"] == "doc"


def test_pictures_are_served_by_both(api: Twins) -> None:
    picture = busy(api, "w")["cover"]["image_bigger"].partition("//stub.test")[2]
    assert picture.startswith("/~w/upfiles/")
    assert len({api.get(picture).content for _ in range(2)}) == 1
    assert api.get(picture).content != api.get(picture.replace("/~w/", "/~untouched/")).content


def test_whom_one_server_has_let_in_the_other_one_knows(api: Twins) -> None:
    """By every grant, until it is revoked."""
    grant = ok(api.post("/oauth/token/", json={**APP, **WREN}, headers=named("w")))
    for _ in range(2):
        headers = {**named("w"), "Authorization": f"Bearer {grant['access_token']}"}
        ok(api.get("/user/me/", headers=headers))
        refresh = {"grant_type": "refresh_token", "refresh_token": grant["refresh_token"]}
        grant = ok(api.post("/oauth/token/", json={**APP, **refresh}, headers=named("w")))
    assert api.post("/oauth/revoke_token/", json={**APP, "token": grant["access_token"]}, headers=named("w")).is_success
    for _ in range(2):
        headers = {**named("w"), "Authorization": f"Bearer {grant['access_token']}"}
        assert api.get("/user/me/", headers=headers).status_code == 401


def test_pages_of_a_list_may_come_from_both(api: Twins) -> None:
    page = ok(api.get("/course/search/?limit=2", headers=named("w")))
    names = [course["name"] for course in page["results"]]
    while page["next"]:
        page = ok(api.get(page["next"].partition("stub.test")[2], headers=named("w")))
        names += [course["name"] for course in page["results"]]
    assert len(names) == len({*names}) == page["count"]


# Faults


def test_a_fault_fires_as_often_as_it_may_over_both(api: Twins) -> None:
    create(api, times=3, world="w", status=500, operation="get_course")
    statuses = [api.get("/course/1/", headers=named("w")).status_code for _ in range(6)]
    assert statuses == [500, 500, 500, 200, 200, 200]
    assert [fault["fired"] for fault in listed(api, "w")] == [3]


@pytest.mark.parametrize("wanted", [{}, {"seed": 7}, {"times": 5}])
def test_draws_of_a_fault_are_the_same(api: Twins, wanted: dict[str, Any]) -> None:
    create(api, world="w", status=500, probability=0.5, **wanted)
    statuses = [api.get("/course/1/", headers=named("w")).status_code for _ in range(40)]
    assert {200, 500} == {*statuses}
    assert [fault["fired"] for fault in listed(api, "w")] == [statuses.count(500)]


def test_a_stale_fault_remembers_for_both(api: Twins) -> None:
    """The world as it was when the fault was made, whoever is asked."""
    make(api, "Knots", "w")
    create(api, "stale", world="w", operation="list_joined_courses", times=2)
    make(api, "Bends", "w")
    for expected in ({"Knots"}, {"Knots"}, {"Knots", "Bends"}):
        assert found(api, "w") & {"Knots", "Bends"} == expected


def test_faults_are_listed_and_removed_by_both(api: Twins) -> None:
    """And noted in cases."""
    for status in (500, 501, 502):
        create(api, world="w", status=status)
    done(api.delete(f"{FAULTS}/1", headers=named("w")))
    assert api.delete(f"{FAULTS}/1", headers=named("w")).status_code == 404
    assert [fault["id"] for fault in listed(api, "w")] == [2, 3]
    assert api.get("/course/1/", headers=named("w")).status_code == 501
    done(api.delete(FAULTS, headers=named("w")))
    ok(api.get("/course/1/", headers=named("w")))
    case = ok(api.get(CASE, headers=named("w")))
    assert [(note["after"], note["operation"], note["id"]) for note in case["faults"]] == [
        (0, "create_fault", 1),
        (0, "create_fault", 2),
        (0, "create_fault", 3),
        (0, "delete_fault", 1),
        (1, "clear_faults", None),
    ]


def test_a_switch_of_one_server_works_at_the_other(api: Twins) -> None:
    create(api, world="w", status=503, switch="broken")
    for _ in range(2):
        assert api.get("/course/1/?__fault=broken", headers=named("w")).status_code == 503
        assert api.get("/course/1/?__fault=other", headers=named("w")).status_code == 400
        assert api.get("/course/1/", headers=named("w")).status_code == 200


# Bounds


def test_worlds_are_evicted_as_in_memory(twins: Callable[..., Twins]) -> None:
    """In the order of their last use at any server; what is told of the lost requests is the same, too."""
    api = twins(max_worlds=3)
    for world in "abcab":
        make(api, f"Knots {world}{len(found(api, world))}", world)
    make(api, "Knots", "d")
    assert [world["name"] for world in ok(api.get(WORLDS))["results"]] == ["a", "b", "d"]
    assert "Knots c" not in "".join(found(api, "c"))
    ok(api.get("/course/1/", headers=named("c")))
    assert ok(api.get(f"{WORLDS}/c"))["forgotten"] == 2
    uncertain = api.post("/__stub/verify", json={"operation": "create_course", "times": 0}, headers=named("c"))
    assert uncertain.status_code == 409
    assert "Raise --max-worlds (now 3)" in uncertain.text
    for one in api._stored:
        health = ok(one.get("/__stub/health"))
        assert health["worlds"] == {"kept": 3, "evicted": 2}


def test_a_world_is_as_large_as_in_memory(twins: Callable[..., Twins]) -> None:
    api = twins(max_rows=2)
    statuses = []
    for number in range(5):
        answer = api.as_("creator").post("/course/", json={"name": f"Knots {number}", "type": "self-paced"})
        statuses.append(answer.status_code)
    assert (statuses[0], statuses[-1]) == (201, 503)


def test_snapshots_have_the_room_that_they_have_in_memory(twins: Callable[..., Twins]) -> None:
    size = 64 * 1024
    api = twins(max_world=size, max_memory=8 * size)
    ok(api.as_("creator").patch("/course/1/", json={"description": "x" * (size // 2)}))
    statuses = [api.post(SNAPSHOTS, json={"name": f"s{number}"}).status_code for number in range(10)]
    assert statuses == [201] * 7 + [400] * 3
    done(api.delete(f"{SNAPSHOTS}/s1"))
    ok(api.post(SNAPSHOTS, json={"name": "again"}), 201)
    health = [ok(one.get("/__stub/health")) for one in (api._memory, *api._stored)]
    assert len({(one["snapshots"], one["memory"]["snapshots"]) for one in health}) == 1
