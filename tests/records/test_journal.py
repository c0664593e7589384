"""The journal: bounded across all worlds, with small bodies only, and with whatever the contract does not know."""

from collections.abc import Callable

import pytest

from tests.support.answers import ok
from tests.support.client import Api
from tests.support.forms import FORM, JSON, Options
from tests.support.journal import REQUESTS, newest, requests
from tests.support.tokens import APP, TOKEN, WREN

pytestmark = pytest.mark.in_process("it is about the journal of the world default")


# Bounds


@pytest.mark.parametrize("form", [True, False])
def test_of_a_large_body_the_size_is_shown(api: Api, form: bool) -> None:
    """A body larger than 16 KB is processed but not kept, and neither is its answer."""
    creator, limit = api.as_("creator"), 16 * 1024
    for size, kept in ((limit, True), (limit + 1, False)):
        head, tail = (b"description=", b"") if form else (b'{"description":"', b'"}')
        content = head + b"x" * (size - len(head + tail)) + tail
        response = creator.patch("/course/1/", content=content, headers=FORM if form else JSON)
        entry = newest(api)
        assert len(ok(response)["description"]) > 16_000
        assert (entry["request"]["body"] == f"({size} bytes)") is not kept
        assert entry["response"]["body"] == f"({len(response.content)} bytes)"
        assert entry["changes"][0]["path"] == "/courses/1/description"


def health(api: Api) -> tuple[int, int]:
    """How many requests are kept, and how many were forgotten."""
    found = ok(api.get("/__stub/health"))["requests"]
    return found["kept"], found["forgotten"]


def kept(api: Api) -> dict[str, list[int]]:
    """World -> the numbers of the requests still in its journal, oldest first."""
    return {
        world: [int(entry["id"].rpartition("-")[2]) for entry in reversed(requests(api, world=world))]
        for world in ("a", "b", "c")
    }


def ask_in_turn(api: Api, worlds: str) -> None:
    for world in worlds:
        ok(api.get(f"/~{world}/api/v2/user/1/groups/"))


def test_the_journal_is_bounded_over_all_worlds(fresh: Callable[..., Api]) -> None:
    """The oldest request makes room, whichever world it belongs to."""
    api = fresh(max_requests=4)
    ask_in_turn(api, "aabc")
    assert (health(api), kept(api)) == ((4, 0), {"a": [1, 2], "b": [1], "c": [1]})
    ask_in_turn(api, "b")
    assert (health(api), kept(api)) == ((4, 1), {"a": [2], "b": [1, 2], "c": [1]})
    ask_in_turn(api, "bb")
    assert (health(api), kept(api)) == ((4, 3), {"a": [], "b": [2, 3, 4], "c": [1]})
    ask_in_turn(api, "aaaa")
    assert (health(api), kept(api)) == ((4, 7), {"a": [3, 4, 5, 6], "b": [], "c": []})


@pytest.mark.parametrize("by", ["clear", "reset", "delete"])
def test_what_was_cleared_takes_no_room(fresh: Callable[..., Api], by: str) -> None:
    """It does not count as kept, pushes nothing out, and is not forgotten a second time."""
    api = fresh(max_requests=4)
    ask_in_turn(api, "abab")
    match by:
        case "clear":
            api.delete(REQUESTS, headers={"X-Stub-World": "a"})
        case "reset":
            ok(api.post("/__stub/worlds/a/reset"))
        case "delete":
            api.delete("/__stub/worlds/a")
    assert health(api) == (2, 0)
    ask_in_turn(api, "cc")
    assert (health(api), kept(api)) == ((4, 0), {"a": [], "b": [1, 2], "c": [1, 2]})
    ask_in_turn(api, "c")
    assert (health(api), kept(api)) == ((4, 1), {"a": [], "b": [2], "c": [1, 2, 3]})


def test_a_cleared_journal_loses_nothing_new_for_what_it_had(fresh: Callable[..., Api]) -> None:
    api = fresh(max_requests=4)
    ask_in_turn(api, "aaa")
    api.delete(REQUESTS, headers={"X-Stub-World": "a"})
    ask_in_turn(api, "aaaa")
    assert (health(api), kept(api)["a"]) == ((4, 0), [4, 5, 6, 7])


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
