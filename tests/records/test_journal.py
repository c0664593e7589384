"""The journal: bounded in each world and across all, and with whatever the contract does not know."""

from collections.abc import Callable

import pytest

from stubserver.api.images import png
from tests.support.answers import ok
from tests.support.client import Api
from tests.support.forms import JSON, Options
from tests.support.journal import REQUESTS, newest, requests
from tests.support.tokens import APP, TOKEN, WREN
from tests.support.worlds import named

pytestmark = pytest.mark.in_process("it is about the journal of the world default")


COVER = png(8, "a") + b"x" * 100_000
"""A large file that is a picture; what follows its end does not matter."""


# Bounds


@pytest.mark.parametrize(("size", "kept"), [(64 * 1024, True), (64 * 1024 + 1, False)])
def test_of_a_large_answer_the_size_is_shown(api: Api, size: int, kept: bool) -> None:
    """The request is kept, and what it changed."""
    creator = api.as_("creator")
    base = len(creator.patch("/course/1/", json={"description": "x"}).content) - 1
    response = creator.patch("/course/1/", json={"description": "x" * (size - base)})
    entry = newest(api)
    assert len(response.content) == size
    assert entry["response"]["body"] == (response.json() if kept else f"({size} bytes)")
    assert entry["request"]["body"] == {"description": "x" * (size - base)}
    assert entry["changes"][0]["path"] == "/courses/1/description"


def health(api: Api) -> tuple[int, int]:
    """How many requests are kept, and how many were forgotten."""
    found = ok(api.get("/__stub/health"))["requests"]
    assert (found["bytes"] > 0) is (found["kept"] > 0)
    return found["kept"], found["forgotten"]


def kept(api: Api) -> dict[str, list[int]]:
    """World -> the numbers of the requests still in its journal, oldest first."""
    return {
        world: [int(entry["id"].rpartition("-")[2]) for entry in reversed(requests(api, world=world))]
        for world in ("a", "b", "c")
    }


def forgotten(api: Api, world: str) -> int:
    """How many of its requests a world says that it has forgotten."""
    listed: int = ok(api.get(REQUESTS, headers=named(world)))["forgotten"]
    if world in {found["name"] for found in ok(api.get("/__stub/worlds?limit=100"))["results"]}:
        assert ok(api.get(f"/__stub/worlds/{world}"))["forgotten"] == listed
    return listed


def ask_in_turn(api: Api, worlds: str) -> None:
    for world in worlds:
        ok(api.get(f"/~{world}/api/v2/user/1/groups/"))


def test_each_world_has_a_quota(fresh: Callable[..., Api]) -> None:
    """Its own oldest request makes room; a neighbour loses nothing."""
    api = fresh(max_requests=3)
    ask_in_turn(api, "aabccc")
    assert (health(api), kept(api)) == ((6, 0), {"a": [1, 2], "b": [1], "c": [1, 2, 3]})
    ask_in_turn(api, "cc")
    assert (health(api), kept(api)) == ((6, 2), {"a": [1, 2], "b": [1], "c": [3, 4, 5]})
    assert [forgotten(api, world) for world in "abc"] == [0, 0, 2]


def size_of_one(fresh: Callable[..., Api]) -> int:
    """What a request of `ask_in_turn` takes in the journal."""
    api = fresh()
    ask_in_turn(api, "a")
    size: int = ok(api.get("/__stub/health"))["requests"]["bytes"]
    return size


def test_all_worlds_share_a_number_of_bytes(fresh: Callable[..., Api]) -> None:
    """The largest journal makes room, so a world that sends little keeps it all."""
    api = fresh(max_journal=8 * size_of_one(fresh))
    ask_in_turn(api, "abb" + "c" * 5)
    assert (health(api), kept(api)) == ((8, 0), {"a": [1], "b": [1, 2], "c": [1, 2, 3, 4, 5]})
    ask_in_turn(api, "c")
    assert (health(api), kept(api)) == ((7, 2), {"a": [1], "b": [1, 2], "c": [3, 4, 5, 6]})
    ask_in_turn(api, "bb")
    assert (health(api), kept(api)) == ((7, 4), {"a": [1], "b": [2, 3, 4], "c": [4, 5, 6]})
    assert [forgotten(api, world) for world in "abc"] == [0, 1, 3]


@pytest.mark.parametrize("encode", [{"json": {"description": "x" * 100_000}}, {"data": {"description": "x" * 100_000}}])
def test_what_a_request_changed_counts(fresh: Callable[..., Api], encode: Options) -> None:
    """The rows before and after stay in memory with the entry."""
    api = fresh(max_journal=1_000_000)
    for _ in range(20):
        ok(api.as_("creator").patch("/~a/api/v2/course/1/", **encode))
    found = ok(api.get("/__stub/health"))["requests"]
    assert found["kept"] + found["forgotten"] == 20
    assert 3 <= found["kept"] <= 5


def test_files_do_not_count(fresh: Callable[..., Api]) -> None:
    api = fresh(max_journal=1_000_000)
    for _ in range(20):
        files = {"image_original": ("a.png", COVER)}
        ok(api.as_("creator").patch("/~a/api/v2/course/1/", files=files))
    assert health(api) == (20, 0)


@pytest.mark.parametrize(("persona", "status"), [(None, 401), ("member", 403)])
def test_files_do_not_count_in_a_form_that_was_refused(fresh: Callable[..., Api], persona: str, status: int) -> None:
    """Before anybody had read it."""
    api = fresh(max_journal=1_000_000)
    for _ in range(20):
        files = {"image_original": ("a.png", b"x" * 100_000)}
        assert api.as_(persona).patch("/~a/api/v2/course/1/", files=files).status_code == status
    assert health(api) == (20, 0)


def test_of_a_large_text_only_the_size_is_kept(api: Api) -> None:
    """Also if the answer is large, too."""
    ok(api.as_("creator").patch("/course/1/", json={"description": "y" * 70_000}))
    before = ok(api.get("/__stub/health"))["requests"]["bytes"]
    text = {"Content-Type": "text/plain"}
    response = api.as_("creator").request("GET", "/course/1/", content=b"x" * 20_000, headers=text)
    entry = newest(api)
    assert len(response.content) > 70_000
    assert entry["response"]["body"] == f"({len(response.content)} bytes)"
    assert entry["request"]["body"] == "(20000 bytes)"
    assert ok(api.get("/__stub/health"))["requests"]["bytes"] - before < 10_000


def test_one_request_may_be_larger_than_the_room(fresh: Callable[..., Api]) -> None:
    api = fresh(max_journal=1000)
    ask_in_turn(api, "ab")
    assert (health(api), forgotten(api, "a"), forgotten(api, "b")) == ((0, 2), 1, 1)


@pytest.mark.parametrize("by", ["clear", "reset", "delete"])
def test_what_was_cleared_takes_no_room(fresh: Callable[..., Api], by: str) -> None:
    """It does not count as kept, pushes nothing out, and is not forgotten a second time."""
    api = fresh(max_journal=4 * size_of_one(fresh), max_requests=3)
    ask_in_turn(api, "aaaab")
    assert (health(api), forgotten(api, "a")) == ((4, 1), 1)
    match by:
        case "clear":
            api.delete(REQUESTS, headers=named("a"))
        case "reset":
            ok(api.post("/__stub/worlds/a/reset"))
        case "delete":
            api.delete("/__stub/worlds/a")
    assert (health(api), forgotten(api, "a")) == ((1, 1), 0)
    ask_in_turn(api, "ccc")
    assert (health(api), kept(api)) == ((4, 1), {"a": [], "b": [1], "c": [1, 2, 3]})
    ask_in_turn(api, "c")
    assert (health(api), kept(api)) == ((4, 2), {"a": [], "b": [1], "c": [2, 3, 4]})


def test_an_evicted_world_has_forgotten_all(fresh: Callable[..., Api]) -> None:
    """Whoever asks again gets a new world of that name, which says so until it is reset."""
    api = fresh(max_worlds=2)
    ask_in_turn(api, "aaabc")
    assert (health(api), forgotten(api, "a")) == ((2, 0), 3)
    ask_in_turn(api, "a")
    assert (kept(api)["a"], forgotten(api, "a"), forgotten(api, "b"), forgotten(api, "c")) == ([1], 3, 1, 0)
    ask_in_turn(api, "bc")
    assert forgotten(api, "a") == 4
    ok(api.post("/__stub/worlds/a/reset"))
    assert forgotten(api, "a") == 0


# Violations


@pytest.mark.parametrize(
    ("method", "path", "options", "expected"),
    [
        ("GET", "/nowhere/", {}, [("operation", "GET /api/v2/nowhere/")]),
        ("GET", "/nowhere/?x=1", {}, [("operation", "GET /api/v2/nowhere/")]),
        ("GET", "//nowhere", {}, [("operation", "GET /nowhere")]),
        ("GET", "/course/1", {}, [("operation", "GET /api/v2/course/1")]),
        ("PUT", "/course/", {"json": {}}, [("operation", "PUT /api/v2/course/")]),
        ("GET", "/course/search/?limit=1&page=2&page=3", {}, [("parameter", "page")]),
        ("GET", "/course/search/?tags[]=1&tags[]=2&_=3", {}, [("parameter", "tags"), ("parameter", "_")]),
        ("GET", "/course/1/?limit=1", {}, [("parameter", "limit")]),
        ("PATCH", "/course/1/", {"json": {"name": "a", "title": 1, "x": 2}}, [("field", "title"), ("field", "x")]),
        ("PATCH", "/course/1/", {"data": {"name": "a", "title": "1"}}, [("field", "title")]),
        ("PATCH", "/course/1/", {"files": {"name": (None, "a"), "cover": ("c.png", b"1")}}, [("field", "cover")]),
        ("PATCH", "/course/1/?x=1", {"json": {"name": "", "y": 1}}, [("parameter", "x"), ("field", "y")]),
        ("PATCH", "/course/1/", {"json": {"id": 1}}, [("field", "id")]),
        ("POST", "/media/upload/complete/", {"json": {"upload-id": "1"}}, [("field", "upload-id")]),
        (
            "PATCH",
            "/course/1/",
            {"content": b"<a/>", "headers": {"Content-Type": "application/xml"}},
            [("media type", "application/xml")],
        ),
        (
            "POST",
            "/media/upload/chunk/",
            {"json": {"upload_id": "1"}, "headers": {"Content-Range": "bytes 0-2/3"}},
            [("media type", "application/json")],
        ),
    ],
)
def test_a_violation_is_what_the_contract_does_not_know(
    api: Api, method: str, path: str, options: Options, expected: list[tuple[str, str]]
) -> None:
    """Whether it was refused or ignored."""
    api.as_("creator").request(method, path, **options)
    assert [(violation["kind"], violation["name"]) for violation in newest(api)["violations"]] == expected


@pytest.mark.parametrize(
    ("method", "path", "options"),
    [
        ("GET", "/course/1/?view=edit&user=3", {}),
        ("HEAD", "/course/1/", {}),
        ("GET", "/course/search/?statuses[]=joined&categories[]=1&limit=&search=", {}),
        ("GET", "/course/search/?limit=abc", {}),
        ("GET", "/course/1/?__code=404&__wait=0", {}),
        ("GET", "/course/99/", {}),
        ("PATCH", "/course/1/", {"json": {"name": "", "privacy": 1}}),
        ("PATCH", "/course/1/", {"data": {"categories[0]": "1", "categories[]": "2"}}),
        ("PATCH", "/course/1/", {"json": {}}),
        ("PATCH", "/course/1/", {"json": [1]}),
        ("PATCH", "/course/1/", {"content": b"{", "headers": JSON}),
        ("POST", "/course/1/join/", {"json": {}}),
        ("DELETE", "/course/99/", {}),
        ("POST", TOKEN, {"data": {**WREN, **APP}}),
    ],
)
def test_what_the_contract_knows_is_no_violation(api: Api, method: str, path: str, options: Options) -> None:
    api.as_("creator").request(method, path, **options)
    assert newest(api)["violations"] == []


# Finding


def test_an_entry_is_found_by_its_id_as_long_as_it_is_kept(fresh: Callable[..., Api]) -> None:
    api = fresh(max_requests=2)
    ask_in_turn(api, "wwwv")
    journal, world = api.app.journal, api.app.worlds.peek("w")
    found = [journal.find(world, f"w-{number}") for number in range(5)]
    assert [entry and entry.id for entry in found] == [None, None, "w-2", "w-3", None]
    assert journal.find(world, "v-1") is None
    assert (journal.recorded(world), journal.recorded(api.app.worlds.peek("none"))) == (3, 0)
    journal.clear(world)
    assert journal.recorded(world) == 0
    assert journal.find(world, "w-3") is None
