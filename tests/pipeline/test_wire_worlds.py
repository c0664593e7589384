"""The world of a request: its header, its base path, and the base path in everything the server says."""

import re
from collections.abc import Iterator
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import pytest

from stubserver.app import StubServer
from stubserver.contract.contract import Contract
from tests.support.answers import ok, refused
from tests.support.client import Api
from tests.support.default import NOW
from tests.support.tokens import APP, CALLBACK, REQUEST_OF_CODE
from tests.support.worlds import busy, get, make, named, names

ODD = "abc.DEF-123_" * 5 + "last"
"""A name of 64 characters of every allowed kind."""
pytestmark = pytest.mark.no_world


def urls_in(text: str, kind: str) -> list[str]:
    return re.findall(rf'"(https?://[^"]*\.{kind})"', text)


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
    if name == "w%2fx%2f":  # an encoded slash is a slash: this is world w with an unknown path
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


@pytest.mark.parametrize("path", ["/api/v2/course/1/", "/~w/api/v2/course/1/", "/__stub/clock", "/~w/docs/"])
def test_an_empty_header_names_no_world(api: Api, app: StubServer, path: str) -> None:
    """It comes from a variable that is not set, and `default` is nobody's own world."""
    response = api.get(f"/{path}" if path.endswith("docs/") else path, headers=named(""))
    assert refused(response, 400) == {"X-Stub-World": "invalid"}
    assert "It is empty: name a world, or leave the header out." in response.text
    assert names(app) == []


def test_a_base_path_is_there_once(api: Api) -> None:
    assert refused(api.get("/~w/~w/api/v2/course/1/"), 404) == {"": "not_found"}
    assert refused(api.get("/~w/~w/__stub/clock"), 404) == {"": "not_found"}


# The base path in what the server says


def walk(api: Api, url: str | None, way: str) -> Iterator[Any]:
    """The pages from `url` on, following their links."""
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
    page = api.get("/~w/oauth/authorize/", params=REQUEST_OF_CODE)
    link = unescape(next(link for link in re.findall(r'href="([^"]*)"', page.text) if "dilys_pruett" in link))
    back = api.get(f"/~w/oauth/authorize/{link}")
    assert back.status_code == 302
    code = dict(parse_qsl(urlsplit(back.headers["location"]).query))["code"]
    exchange = {**APP, "grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
    bearer = {"Authorization": f"Bearer {ok(api.post('/~w/oauth/token/', json=exchange))['access_token']}"}
    assert ok(api.get("/~w/api/v2/user/me/", headers=bearer))["username"] == "dilys_pruett"
    assert names(app) == ["w"]


def test_documents_are_served_below_the_base_path(api: Api, contract: Contract, app: StubServer) -> None:
    assert ok(api.get("/~w/openapi.json"))["paths"] == contract.document["paths"]
    assert ok(api.get("/~w/__stub/openapi.json"))["paths"] == app.control.document["paths"]
    for docs in ("/~w/docs/", "/~w/__stub/docs/"):
        page = api.get(docs)
        assert page.headers["content-type"].startswith("text/html")
        links = re.findall(r"""(?:src|href)\s*=\s*["']\./([^"']+)["']""", page.text)
        assert len(links) >= 4
        assert {api.get(docs + link).status_code for link in links} == {200}
    assert get(api, f"http://stub.test{api.get('/~w/docs').headers['location']}").status_code == 200
    for home in ("/~w", "/~w/"):
        assert get(api, ok(api.get(home))["docs"]).status_code == 200
