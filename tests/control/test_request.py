"""The control plane's requests: listed, shown, cleared, and the same in every run."""

import json
from collections.abc import Callable

import pytest

from stubserver.app import StubServer
from tests.support.answers import ok, refused
from tests.support.client import Api
from tests.support.default import NOW, QUIZ
from tests.support.faults import create
from tests.support.forms import MULTIPART, form, part
from tests.support.journal import REQUESTS, requests
from tests.support.tokens import APP, TOKEN, WREN
from tests.support.worlds import saved

pytestmark = pytest.mark.in_process("it is about the journal of the world default")


# One request


@pytest.mark.parametrize("headers", [{}, {"X-Stub-World": "other"}])
def test_get_request_knows_the_world_by_the_id(api: Api, headers: dict[str, str]) -> None:
    ok(api.get("/course/1/"))
    ok(api.get("/~w/api/v2/course/2/"))
    for path, expected in (("default-1", "/course/1/"), ("w-1", "/course/2/")):
        assert ok(api.get(f"{REQUESTS}/{path}", headers=headers))["request"]["path"] == f"/api/v2{expected}"


@pytest.mark.parametrize("number", ["default-2", "default-0", "default-01", "other-1", "default", "1", "x" * 80 + "-1"])
def test_get_request_of_an_unknown_id_is_refused(api: Api, app: StubServer, number: str) -> None:
    ok(api.get("/course/1/"))
    assert refused(api.get(f"{REQUESTS}/{number}"), 404) == {"": "not_found"}
    assert "other" not in app.worlds


# Listing


def asked(api: Api) -> Api:
    """The server after five requests by several callers, the last of them a HEAD."""
    ok(api.as_("creator").get("/course/1/?view=edit"))
    ok(api.as_("creator").patch("/course/1/", json={"name": "Knots"}))
    refused(api.as_("member").patch("/course/2/", json={"name": "Knots"}), 403)
    refused(api.get("/nowhere/?a=1"), 404)
    assert api.request("HEAD", "/course/2/?page=1").status_code == 200
    return api


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [5, 4, 3, 2, 1]),
        ("operation=get_course", [5, 1]),
        ("operation=patch_course", [3, 2]),
        ("method=PATCH", [3, 2]),
        ("method=HEAD", [5]),
        ("path=/api/v2/course/1/", [2, 1]),
        ("path=/api/v2/course/*", [5, 3, 2, 1]),
        ("path=*/2/", [5, 3]),
        ("path=*2*", [5, 4, 3, 2, 1]),
        ("path=/course/1/", [2, 1]),
        ("path=/api/v2/course/%3F/", []),
        ("path=/api/v2/course/[12]/", []),
        ("status=200", [5, 2, 1]),
        ("status=404", [4]),
        ("status=500", []),
        ("persona=stub-creator", [2, 1]),
        ("persona=anonymous", [5, 4]),
        ("persona=creator", [2, 1]),
        ("violations=true", [5, 4]),
        ("violations=false", [3, 2, 1]),
        ("operation=patch_course&persona=stub-member", [3]),
        ("operation=patch_course&persona=stub-creator&status=403", []),
        ("method=HEAD&path=*/2/&status=200&violations=true&persona=anonymous&operation=get_course", [5]),
    ],
)
def test_list_requests_answers_those_that_fit_all_filters(api: Api, query: str, expected: list[int]) -> None:
    """Newest first."""
    found = requests(asked(api), f"&{query}")
    assert [entry["id"] for entry in found] == [f"default-{number}" for number in expected]
    assert found == [ok(api.get(f"{REQUESTS}/default-{number}")) for number in expected]


def test_list_requests_answers_pages_with_the_count_of_all(api: Api) -> None:
    for number in range(7):
        api.get(f"/course/{number}/")
    page = ok(api.get(f"{REQUESTS}?limit=2&offset=3&operation=get_course"))
    assert (page["count"], [entry["id"] for entry in page["results"]]) == (7, ["default-4", "default-3"])
    assert page["next"] == f"http://localhost{REQUESTS}?limit=2&offset=5&operation=get_course"
    assert ok(api.get(f"{REQUESTS}?limit=2&offset=9"))["results"] == []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("status=99", {"status": "min_value"}),
        ("status=600", {"status": "max_value"}),
        ("status=x", {"status": "invalid"}),
        ("violations=maybe", {"violations": "invalid"}),
        ("limit=0", {"limit": "min_value"}),
        (f"path={'x' * 201}", {"path": "max_length"}),
    ],
)
def test_list_requests_refuses_what_cannot_be(api: Api, query: str, expected: dict[str, str]) -> None:
    assert refused(api.get(f"{REQUESTS}?{query}"), 400) == expected


def test_list_requests_shows_one_world(api: Api, app: StubServer) -> None:
    ok(api.get("/course/1/"))
    ok(api.get("/~w/api/v2/course/2/"))
    assert [entry["id"] for entry in requests(api)] == ["default-1"]
    assert [entry["id"] for entry in requests(api, world="w")] == ["w-1"]
    assert ok(api.get("/~w/__stub/requests"))["count"] == 1
    assert requests(api, world="nobody-was-here") == []
    assert "nobody-was-here" not in app.worlds


def test_list_requests_leaves_out_the_control_plane(api: Api) -> None:
    for path in ("/__stub/health", "/__stub/nowhere", "/__stub/requests/default-1"):
        api.get(path)
    assert requests(api) == []


# Forgetting


def test_clear_requests_forgets_them(api: Api, app: StubServer) -> None:
    """Of one world; its rows stay, and its numbers go on."""
    ok(api.as_("creator").patch("/course/1/", json={"name": "Knots"}))
    ok(api.get("/~w/api/v2/course/1/"))
    for _ in range(2):
        response = api.delete(REQUESTS)
        assert (response.status_code, response.content, requests(api)) == (204, b"", [])
    assert refused(api.get(f"{REQUESTS}/default-1"), 404) == {"": "not_found"}
    assert app.worlds.get().courses[1]["name"] == "Knots"
    assert len(requests(api, world="w")) == 1
    ok(api.get("/course/1/"))
    assert [entry["id"] for entry in requests(api)] == ["default-2"]


@pytest.mark.parametrize("ending", ["reset", "restore", "delete"])
def test_a_world_that_begins_anew_has_no_journal(api: Api, ending: str) -> None:
    """Its numbers start at 1 again."""
    ok(api.get("/~w/api/v2/course/1/"))
    match ending:
        case "reset":
            ok(api.post("/__stub/worlds/w/reset"))
        case "restore":
            ok(api.put("/__stub/snapshots/s", json=saved(api)))
            ok(api.post("/__stub/snapshots/s/restore", headers={"X-Stub-World": "w"}))
        case "delete":
            assert api.delete("/__stub/worlds/w").status_code == 204
    assert requests(api, world="w") == []
    assert refused(api.get(f"{REQUESTS}/w-1"), 404) == {"": "not_found"}
    assert api.get("/~w/api/v2/course/1/").headers["x-stub-request"] == "w-1"


# The same in every run


def story(api: Api, seed_of_chance: int = 0) -> None:
    """Requests of every kind, some of which meet faults."""
    for kind in ("error", "lost", "stale", "latency"):
        create(api, kind, probability=0.5, seconds=0, seed=seed_of_chance)
    creator, member = api.as_("creator"), api.as_("member")
    for number in range(8):
        creator.patch("/course/1/", json={"name": f"Knots {number}"})
        member.get("/course/1/?x=1")
        creator.post("/course/1/section/", json={"name": "Part"})
        member.post(f"{QUIZ}attempt/", json={"responses": [{"question_id": 1, "selected_options": [1]}]})
        api.post(TOKEN, json={**WREN, **APP})
        api.get("/nowhere/")
        content = form(part("name", b"x"), part("image_original", b"abc", "a.png"))
        creator.patch("/course/2/", content=content, headers=MULTIPART)
        creator.delete(f"/course/{number + 3}/")


def frozen(api: Api) -> Api:
    api.app.worlds.reset().clock.freeze(NOW)
    return api


def test_the_same_requests_make_the_same_journal(fresh: Callable[..., Api]) -> None:
    """Byte for byte, even where chance and time play a part."""
    texts = []
    for _ in range(2):
        api = frozen(fresh(seed=3))
        story(api)
        texts.append(api.get(f"{REQUESTS}?limit=100").content)
    faults = [fault["kind"] for entry in json.loads(texts[0])["results"] for fault in entry["faults"]]
    assert set(faults) == {"error", "lost", "stale", "latency"}
    assert texts[0] == texts[1]


def test_another_seed_makes_another_journal(fresh: Callable[..., Api]) -> None:
    texts = []
    for seed, chance in ((3, 0), (4, 0), (3, 1)):
        api = frozen(fresh(seed=seed))
        story(api, chance)
        texts.append(api.get(f"{REQUESTS}?limit=100").content)
    assert len(set(texts)) == 3


def test_where_the_clock_runs_only_times_differ(fresh: Callable[..., Api]) -> None:
    found = []
    for _ in range(2):
        api = fresh(seed=3)
        create(api, probability=0.5)
        for number in range(8):
            api.as_("creator").patch("/course/1/", json={"name": f"Knots {number}"})
            api.as_("member").get("/course/1/?x=1")
            api.get("/nowhere/")
        found.append(requests(api))
    times = [[(entry.pop("time"), entry.pop("milliseconds")) for entry in run] for run in found]
    assert found[0] == found[1]
    for (first, spent), (second, _) in zip(*times, strict=True):
        assert first != second
        assert spent > 0
