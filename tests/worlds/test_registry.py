"""Worlds: how a request chooses one, that none sees another, what they cost, and that they share rows unharmed."""

import asyncio
import random
import re
import threading
from collections.abc import AsyncIterator, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule

from stubserver.app import StubServer
from stubserver.contract.contract import Contract
from stubserver.contract.resources import folder
from stubserver.errors import Refusal
from stubserver.serving.background import Background
from stubserver.settings import Settings
from stubserver.worlds.registry import Worlds
from stubserver.worlds.table import FixtureTable, Row, Table
from stubserver.worlds.world import TABLES, Fixture, Snapshot, World
from tests.support.answers import codes, ok, refused
from tests.support.client import Api
from tests.support.default import NOW, QUIZ
from tests.support.forms import JSON
from tests.support.rows import snapshot
from tests.support.tokens import APP, CALLBACK, WREN
from tests.support.worlds import busy, forget, found, get, make, named, names

MOST = Settings(max_worlds=3, max_rows=6, max_body=2000)
"""Bounds that a test can reach."""
ASKED = {**APP, "response_type": "code", "redirect_uri": CALLBACK}
ODD = "abc.DEF-123_" * 5 + "last"
"""A name of 64 characters of every allowed kind."""
pytestmark = pytest.mark.no_world


def urls_in(text: str, kind: str) -> list[str]:
    return re.findall(rf'"(https?://[^"]*\.{kind})"', text)


@pytest.fixture(scope="module")
def bounded(contract: Contract, default_fixture: Fixture) -> StubServer:
    """A server with small bounds."""
    return StubServer(contract, default_fixture, MOST)


@pytest.fixture
def small(bounded: StubServer, runner: asyncio.Runner) -> Api:
    """A server with small bounds and without a world."""
    forget(bounded)
    return Api(bounded, runner)


# Choosing a world


@pytest.mark.parametrize(
    ("base_path", "header", "world"),
    [
        ("", None, "default"),
        ("", "w", "w"),
        ("", "default", "default"),
        ("", "W", "W"),
        ("", ODD, ODD),
        ("/~w", None, "w"),
        ("/~w", "w", "w"),
        ("/~default", None, "default"),
        (f"/~{ODD}", None, ODD),
        ("/%7Ew", None, "w"),
        ("/%7ew", "w", "w"),
        ("/~%77", "w", "w"),
    ],
)
def test_a_request_chooses_its_world(api: Api, app: StubServer, base_path: str, header: str | None, world: str) -> None:
    headers = {} if header is None else named(header)
    body = {"name": "Knots", "type": "self-paced"}
    ok(
        api.as_("creator").post(f"/{base_path}/api/v2/course/".replace("//api", "/api"), json=body, headers=headers),
        201,
    )
    assert names(app) == [world]
    assert [course["name"] for course in app.worlds.get(world).courses if course["id"] == 16] == ["Knots"]
    assert ok(api.get(f"/__stub/worlds/{world.replace('..', '%2e%2e')}"))["base_path"] == f"/~{world}"


@pytest.mark.parametrize("options", [{"headers": named("w")}, {"base_path": "/~w"}, {"base_path": "/%7Ew"}])
def test_the_control_plane_is_about_the_same_world(api: Api, app: StubServer, options: dict[str, Any]) -> None:
    base_path = options.pop("base_path", "")
    ok(api.post(f"/{base_path}/__stub/clock/freeze".replace("//__", "/__"), params={"at": NOW.isoformat()}, **options))
    assert {world.name: world.clock.frozen for world in app.worlds} == {"w": True}


INVALID = ["a b", "ä", "a" * 65, "a,b", "a~b", "a:b", "<b>", "a%b", "w\u00a0"]


@pytest.mark.parametrize("name", [*INVALID, "a/b", "../x", "..", ".", "-w"])
@pytest.mark.parametrize("path", ["/course/", "/__stub/clock", "/__stub/clock/freeze", "//docs/"])
def test_a_header_that_names_no_world(api: Api, app: StubServer, path: str, name: str) -> None:
    method = "POST" if path.endswith("freeze") else "GET"
    response = api.request(method, path, headers={"X-Stub-World": name.encode()})
    assert refused(response, 400) == {"X-Stub-World": "invalid"}
    assert "letters" in response.text
    assert names(app) == []


@pytest.mark.parametrize("name", [*INVALID, "", "w\n", "w%2fx%2f"])
@pytest.mark.parametrize("path", ["api/v2/course/search/", "__stub/clock", "docs/"])
def test_a_base_path_that_names_no_world(api: Api, app: StubServer, path: str, name: str) -> None:
    text = name if "%2f" in name else urlencode({"": name})[1:].replace("+", "%20").replace("%7E", "~")
    response = api.get(f"/~{text}/{path}")
    if name == "w%2fx%2f":  # an encoded slash is a slash: this is world w, and no path of it
        assert refused(response, 404) == {"": "not_found"}
        return
    assert refused(response, 400) == {"X-Stub-World": "invalid"}
    assert names(app) == []


@pytest.mark.parametrize(
    "path", ["/~w/api/v2/course/1/", "/~w/__stub/clock", "/%7Ew/docs/", "/~default/api/v2/course/1/"]
)
def test_a_base_path_and_a_header_that_differ(api: Api, app: StubServer, path: str) -> None:
    response = api.get(f"/{path}".replace("//~", "/~"), headers=named("other"))
    assert refused(response, 400) == {"X-Stub-World": "invalid"}
    assert "'other'" in response.text
    assert path.replace("%7E", "~").split("/")[1] in response.text
    assert names(app) == []


def test_a_base_path_is_there_once(api: Api) -> None:
    assert refused(api.get("/~w/~w/api/v2/course/1/"), 404) == {"": "not_found"}
    assert refused(api.get("/~w/~w/__stub/clock"), 404) == {"": "not_found"}


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
    assert ok(api.get("/__stub/clock", headers=named("one")))["now"] == "2031-05-01T09:00:00.000000+00:00"
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


# The base path in what the server says


def walk(api: Api, url: str | None, way: str) -> Iterator[Any]:
    """The pages from `url` on, by their links."""
    while url is not None:
        page = ok(get(api, url))
        yield page
        url = page[way]
        assert url is None or url.startswith("http://"), url


def test_links_between_pages_stay_in_the_world(api: Api) -> None:
    make(api, "Only in w", "w")
    pages = list(walk(api, "http://stub.test/~w/api/v2/course/search/?limit=4&search=", "next"))
    assert all(page["next"].startswith("http://stub.test/~w/api/v2/course/search/?") for page in pages[:-1])
    assert len(pages) == 3
    creator = {"Authorization": "Bearer stub-creator"}
    first = ok(api.get("/~w/api/v2/course/?statuses=creator&limit=6&offset=12", headers=creator))
    assert first["previous"].startswith("http://stub.test/~w/api/v2/course/?")
    seen = [course["name"] for course in first["results"]]
    while first["previous"]:
        first = ok(get(api, first["previous"], headers=creator))
        seen += [course["name"] for course in first["results"]]
    assert (len(seen), "Only in w" in seen) == (16, True)


def test_links_of_the_control_plane_stay_in_the_world(api: Api) -> None:
    for number in (1, 2, 3):
        api.get(f"/course/{number}/", headers=named("w"))
    pages = list(walk(api, "http://localhost/~w/__stub/requests?limit=1", "next"))
    assert [page["results"][0]["id"] for page in pages] == ["w-3", "w-2", "w-1"]
    assert all(page["next"].startswith("http://localhost/~w/__stub/requests?") for page in pages[:-1])


@pytest.mark.parametrize("headers", [{}, named("w")])
def test_links_carry_no_base_path_that_nobody_used(api: Api, headers: dict[str, str]) -> None:
    response = api.get("/course/search/?limit=2&offset=2", headers=headers)
    assert "/~" not in response.text
    assert ok(response)["next"].startswith("http://stub.test/api/v2/")


def test_addresses_of_files_carry_the_base_path_and_answer(api: Api) -> None:
    done = busy(api, "w")
    text = api.get("/~w/api/v2/course/search/?limit=2").text
    pictures = urls_in(text, "png")
    assert len(pictures) >= 8
    document = ok(api.as_("creator").get(f"/~w/api/v2/course/1/section/1/lesson/1/comment/{done['comment']['id']}/"))
    documents = urls_in(httpx.Response(200, json=document).text, "pdf")
    assert documents
    for url in [*pictures, *documents]:
        assert url.startswith("http://stub.test/~w/upfiles/")
        response = get(api, url)
        kind, begin = {"png": ("image/png", b"\x89PNG"), "pdf": ("application/pdf", b"%PDF")}[url[-3:]]
        assert (response.status_code, response.headers["content-type"]) == (200, kind)
        assert response.content.startswith(begin)


def test_signing_in_works_below_the_base_path(api: Api, app: StubServer) -> None:
    page = api.get("/~w/oauth/authorize/", params=ASKED)
    link = unescape(next(link for link in re.findall(r'href="([^"]*)"', page.text) if "dilys_pruett" in link))
    back = api.get(f"/~w/oauth/authorize/{link}")
    assert back.status_code == 302
    code = dict(parse_qsl(urlsplit(back.headers["location"]).query))["code"]
    exchange = {**APP, "grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
    bearer = {"Authorization": f"Bearer {ok(api.post('/~w/oauth/token/', json=exchange))['access_token']}"}
    assert ok(api.get("/~w/api/v2/user/me/", headers=bearer))["username"] == "dilys_pruett"
    assert names(app) == ["w"]


def test_documents_are_served_below_the_base_path(api: Api, contract: Contract, app: StubServer) -> None:
    assert ok(api.get("/~w/openapi.json")) == contract.document
    assert ok(api.get("/~w/__stub/openapi.json")) == app.control.document
    for docs in ("/~w/docs/", "/~w/__stub/docs/"):
        page = api.get(docs)
        assert page.headers["content-type"].startswith("text/html")
        links = re.findall(r"""(?:src|href)\s*=\s*["']\./([^"']+)["']""", page.text)
        assert len(links) >= 4
        assert {api.get(docs + link).status_code for link in links} == {200}
    for home in ("/~w", "/~w/", "/~w/docs"):
        assert get(api, f"http://stub.test{api.get(home).headers['location']}").status_code == 200


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
    ("given", "other"), [("empty", "default"), ("default", "empty"), (None, "empty"), (None, "nope")]
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


# Looking


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
    """Only what the contract gives an X-Stub-World touches the world of that name, or the world default."""
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
    ok(small.post("/__stub/faults", json={"kind": "error", "path": "/nowhere/"}, headers=named("w")), 201)
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
    """What a GET shows, it never changes: not even how idle the world is."""
    for world in ("default", "idle", "used"):
        ok(small.get("/course/1/", headers=named(world)))
    ok(small.get(f"/__stub/{path}", headers=named("idle")))
    ok(small.get("/course/1/", headers=named("new")))
    assert names(small.app) == ["default", "new", "used"]


# How many rows


def full(small: Api, world: str = "w") -> None:
    """Change as many rows as a world may."""
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
    """Nor does the page for consent fill a world beyond its bound."""
    query = {**ASKED, "login_hint": "wren_hollis"}
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


# How large a body


def sized(size: int) -> bytes:
    """A course of so many bytes."""
    return b'{"name": "Large", "type": "self-paced"}'.ljust(size)


async def in_pieces(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), 700):
        yield content[start : start + 700]


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize(("size", "status"), [(MOST.max_body, 201), (MOST.max_body + 1, 413), (50_000, 413)])
def test_a_body_may_be_so_large(small: Api, size: int, status: int, chunked: bool) -> None:
    content = in_pieces(sized(size)) if chunked else sized(size)
    response = small.as_("creator").post("/course/", content=content, headers={**JSON, **named("w")})
    assert response.status_code == status
    assert ("Large" in found(small, "w")) == (status == 201)
    if status == 413:
        assert codes(response) == {"": "payload_too_large"}
        assert str(MOST.max_body) in response.text


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_of_the_control_plane_may_be_no_larger(small: Api, chunked: bool) -> None:
    body = b'{"name": "made"}'.ljust(MOST.max_body + 1)
    content = in_pieces(body) if chunked else body
    response = small.post("/__stub/worlds", content=content, headers=JSON)
    assert refused(response, 413) == {"": "payload_too_large"}
    assert "made" not in names(small.app)


# Fixtures at hand


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


# Copy on write


THINGS = FixtureTable(("id",), ("kind",), [{"id": 1, "kind": "a"}, {"id": 2, "kind": "b"}, {"id": 4, "kind": "a"}])
PAIRS = FixtureTable(("left", "right"), ("left",), [{"left": 1, "right": 2}, {"left": 2, "right": 1}])
LITTLE = Fixture(name="little", tables={"things": THINGS, "pairs": PAIRS}, preferences={}, tokens={})


def test_a_snapshot_copies_nothing() -> None:
    world = World("w", LITTLE)
    world.things.put({"id": 1, "kind": "z"})
    first, second, fork = world.snapshot(), world.snapshot(), World.of("f", world.snapshot())
    for name in LITTLE.tables:
        assert first.changes[name] is second.changes[name] is fork.snapshot().changes[name]
    assert first.changes["pairs"] is PAIRS.unchanged
    world.things.delete(2)
    assert world.snapshot().changes["things"] is not first.changes["things"]


def test_a_table_is_copied_once_after_a_snapshot() -> None:
    world = World("w", LITTLE)
    world.snapshot()
    owned = world.things.own()
    for number in range(5, 50):
        world.things.put({"id": number, "kind": "a"})
    assert world.things.own() is owned


def test_no_fork_shares_a_later_change() -> None:
    world = World("w", LITTLE)
    world.things.put({"id": 1, "kind": "z"})
    taken = world.snapshot()
    fork, restored = World.of("fork", taken), World.of("w", taken)
    for number, other in enumerate((world, fork, restored), 10):
        other.things.put({"id": number, "kind": "c"})
        other.things.delete(2)
        assert other.things.next_id() == 5
    late = World.of("late", taken)
    assert [row["id"] for row in late.things] == [1, 2, 4]
    assert late.things.where("kind", "z") == [{"id": 1, "kind": "z"}]
    assert late.things.next_id() == 5
    for number, other in enumerate((world, fork, restored), 10):
        assert [row["id"] for row in other.things.where("kind", "c")] == [number]


def test_undo_spares_the_snapshot_that_shares_the_changes() -> None:
    world = World("w", LITTLE)
    with world.transaction():
        world.things.put({"id": world.things.next_id(), "kind": "c"})
        world.things.put({"id": 1, "kind": "c"})
    taken = [world.snapshot()]

    def fail() -> None:
        with world.transaction():
            world.things.delete(5)
            world.things.put({"id": 1, "kind": "d"})
            taken.append(world.snapshot())
            world.things.put({"id": 2, "kind": "d"})
            world.things.next_id()
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    for state in (world, World.of("x", taken[0])):
        assert [(row["id"], row["kind"]) for row in state.things] == [(1, "c"), (2, "b"), (4, "a"), (5, "c")]
        assert [row["id"] for row in state.things.where("kind", "c")] == [1, 5]
        assert state.things.where("kind", "d") == []
    middle = World.of("y", taken[1])
    assert [(row["id"], row["kind"]) for row in middle.things] == [(1, "d"), (2, "b"), (4, "a")]
    assert [middle.things.next_id(), world.things.next_id()] == [6, 6]


@dataclass
class Model:
    """A world as plain dicts."""

    things: dict[int, Row] = field(default_factory=lambda: dict(THINGS.rows))
    pairs: dict[tuple[int, int], Row] = field(default_factory=lambda: dict(PAIRS.rows))
    next_id: int = THINGS.next_id


THING = st.fixed_dictionaries({"id": st.integers(1, 6), "kind": st.sampled_from("abc")})
PAIR = st.fixed_dictionaries({"left": st.integers(1, 3), "right": st.integers(1, 3)})
STEP = (
    st.tuples(st.just("put"), THING)
    | st.tuples(st.just("delete"), st.integers(1, 6))
    | st.tuples(st.just("pair"), PAIR)
    | st.tuples(st.just("part"), PAIR)
    | st.tuples(st.just("number"), st.none())
)
STEPS = st.lists(STEP, max_size=5)
NAMES = st.sampled_from(["a", "b", "c"])


def apply(world: World, model: Model, step: tuple[str, Any]) -> None:
    """Do the same to a world and to its model."""
    match step:
        case "put", row:
            world.things.put(row)
            model.things[row["id"]] = row
        case "delete", number:
            world.things.delete(number)
            model.things.pop(number, None)
        case "pair", row:
            world.pairs.put(row)
            model.pairs[row["left"], row["right"]] = row
        case "part", row:
            world.pairs.delete((row["left"], row["right"]))
            model.pairs.pop((row["left"], row["right"]), None)
        case _:
            assert world.things.next_id() == model.next_id
            model.next_id += 1


def assert_equal(world: World, model: Model) -> None:
    things: Table = world.things
    assert {row["id"]: row for row in things} == model.things
    assert {(row["left"], row["right"]): row for row in world.pairs} == model.pairs
    assert (len(things), len(world.pairs)) == (len(model.things), len(model.pairs))
    for kind in "abc":
        wanted = sorted(number for number, row in model.things.items() if row["kind"] == kind)
        assert [row["id"] for row in things.where("kind", kind)] == wanted
    for left in (1, 2, 3):
        assert [row["right"] for row in world.pairs.where("left", left)] == sorted(
            right for first, right in model.pairs if first == left
        )


class Forks(RuleBasedStateMachine):
    """Whatever is changed, refused, snapshot, restored, forked and reset: every world and every snapshot is what plain
    dicts say."""

    taken = Bundle("taken")

    def __init__(self) -> None:
        super().__init__()
        self.worlds = Worlds(LITTLE)
        self.models: dict[str, Model] = {}
        self.kept: list[tuple[Snapshot, Model]] = []

    def both(self, name: str) -> tuple[World, Model]:
        return self.worlds.get(name), self.models.setdefault(name, Model())

    @rule(name=NAMES, steps=STEPS)
    def change(self, name: str, steps: list[Any]) -> None:
        world, model = self.both(name)
        with world.transaction():
            for step in steps:
                apply(world, model, step)

    @rule(target=taken, name=NAMES, steps=STEPS, more=STEPS)
    def refuse(self, name: str, steps: list[Any], more: list[Any]) -> Any:
        """In the middle of which a snapshot is taken."""
        world, model = self.both(name)
        lost = deepcopy(model)
        try:
            with world.transaction():
                for step in steps:
                    apply(world, lost, step)
                self.kept.append((world.snapshot(), deepcopy(lost)))
                for step in more:
                    apply(world, lost, step)
                raise LookupError
        except LookupError:
            return self.kept[-1]

    @rule(target=taken, name=NAMES)
    def take(self, name: str) -> Any:
        world, model = self.both(name)
        self.kept.append((world.snapshot(), deepcopy(model)))
        return self.kept[-1]

    @rule(name=NAMES, of=taken)
    def restore(self, name: str, of: tuple[Snapshot, Model]) -> None:
        self.worlds.restore(name, of[0])
        self.models[name] = deepcopy(of[1])

    @rule(target=taken, name=NAMES, other=NAMES)
    def fork(self, name: str, other: str) -> Any:
        world, model = self.both(name)
        self.worlds.restore(other, world.snapshot())
        self.models[other] = deepcopy(model)
        return multiple()

    @rule(name=NAMES)
    def reset(self, name: str) -> None:
        self.worlds.reset(name)
        self.models[name] = Model()

    @invariant()
    def worlds_are_as_they_should(self) -> None:
        for name, model in self.models.items():
            assert_equal(self.worlds.get(name), model)
        assert_equal(World("new", LITTLE), Model())

    @invariant()
    def snapshots_are_as_they_were(self) -> None:
        for taken, model in self.kept[-8:]:
            assert_equal(World.of("x", taken), model)
            assert taken.changes["things"].next_id == model.next_id


TestForks = Forks.TestCase
TestForks.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)


# Many at once


def visit(url: str, name: str, rounds: int) -> None:
    """Write and read in one world at random; what is seen must be what was written there, and nothing else."""
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
    """Threads, sockets and a server of its own; half of the requests name their world in the path."""
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


def test_no_table_is_left_out(app: StubServer) -> None:
    """The fixtures of these tests speak of every table."""
    assert set(TABLES) == set(app.worlds.get().snapshot().changes)
