"""The wire as the vendor's client and pages use it: bodies, CORS, slashes, hosts, documents and pictures."""

import asyncio
import contextlib
import json
import re
import struct
import zlib
from typing import Any
from urllib.parse import urlsplit

import pytest

from stubserver.app import StubServer
from stubserver.contract.contract import Contract
from stubserver.pipeline.wire import Wire
from stubserver.settings import Settings
from stubserver.worlds.registry import Worlds
from stubserver.worlds.world import Fixture
from tests.support.answers import codes
from tests.support.client import Api
from tests.support.wire import ask

AXIOS = {"Accept": "application/json, text/plain, */*", "Content-Type": "application/json"}
NAMED = "https://app.example"
ALLOWED = ["http://localhost:3000", "http://127.0.0.1:5173", "http://[::1]:8080", "https://localhost", NAMED]
FOREIGN = [
    "http://evil.example",
    "http://localhost.evil.example",
    "http://127.0.0.1.evil.example",
    "http://evil.example#localhost",
    "http://evil.example/localhost:3000",
    "http://localhost@evil.example",
    "http://localhost:3000.evil.example",
    "http://app.example",
    "https://app.example.evil.example",
    "https://app.example:444",
    "ftp://localhost",
    "http://127x0x0x1",
    "null",
]


def preflight(api: Api, origin: str, method: str = "PATCH", path: str = "/course/1/") -> Any:
    asked = {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": "authorization,content-type"}
    return api.request("OPTIONS", path, headers={"Origin": origin, **asked})


def urls_in(value: Any) -> list[str]:
    return re.findall(r'https?://[^"\\]*', json.dumps(value))


# Bodies


def test_join_course_accepts_the_empty_json_body_of_the_client(api: Api) -> None:
    response = api.as_("stranger").post("/course/1/join/", content=b"", headers={**AXIOS, "Content-Length": "0"})
    assert response.status_code == 200
    assert response.json()["join_status"] == "joined"


def test_create_course_reads_the_multipart_form_of_the_vendor(api: Api) -> None:
    fields = {
        "name": "From a form",
        "description": "Grüße, and 2 lines\r\nof text",
        "type": "self-paced",
        "categories[0]": "2",
        "categories[1]": "1",
        "products": "[]",
        "0": "[object Object]",
    }
    cover = {"image_original": ("cover.png", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9000, "image/png")}
    response = api.as_("creator").post("/course/", data=fields, files=cover)
    assert response.status_code == 201
    course = response.json()
    assert (course["name"], course["description"], course["privacy"]) == (fields["name"], fields["description"], "")
    assert [category["id"] for category in course["categories"]] == [2, 1]
    assert "products" not in course
    assert "image_original" not in course


def test_patch_course_takes_a_new_cover_as_multipart(api: Api) -> None:
    creator = api.as_("creator")
    before = creator.get("/course/1/").json()
    response = creator.patch("/course/1/", files={"image_original": ("a.png", b"other bytes", "image/png")})
    assert response.status_code == 200
    assert response.json()["image_big"] != before["image_big"]
    assert response.json()["name"] == before["name"]


def test_patch_course_takes_the_json_of_axios_with_its_read_only_id(api: Api) -> None:
    body = {"id": 114, "enforce_lessons_order": True, "hide_member_count": False}
    response = api.as_("creator").patch("/course/1/", content=json.dumps(body).encode(), headers=AXIOS)
    assert response.status_code == 200
    assert (response.json()["id"], response.json()["enforce_lessons_order"]) == (1, True)


def test_remove_course_invitations_reads_the_json_body_of_a_delete(api: Api) -> None:
    response = api.as_("creator").request("DELETE", "/course/1/invite/", content=b'{"users":[4]}', headers=AXIOS)
    assert (response.status_code, response.content) == (204, b"")
    assert api.as_("creator").get("/course/1/invite/").json()["count"] == 0


@pytest.mark.parametrize("query", ["", "?", "?limit=3&offset=0", "?categories%5B%5D=1&categories%5B%5D=2", "?search="])
def test_search_courses_accepts_the_queries_of_the_client(api: Api, query: str) -> None:
    assert api.get(f"/course/search/{query}", headers=AXIOS).status_code == 200


@pytest.mark.parametrize(
    "media",
    ["Application/JSON ; charset=UTF-8", "application/json;charset=utf-8", " APPLICATION/JSON", "application/json;"],
)
@pytest.mark.in_process("HTTP clients and servers refuse it")
def test_media_types_have_no_case_and_may_hold_blanks(api: Api, media: str) -> None:
    body = b'{"name": "Odd media type", "type": "self-paced"}'
    assert api.as_("creator").post("/course/", content=body, headers={"Content-Type": media}).status_code == 201


def test_form_media_types_have_no_case_and_may_hold_blanks(api: Api) -> None:
    form = {"Content-Type": "Application/X-WWW-Form-Urlencoded ; charset=UTF-8"}
    multipart = {"Content-Type": "Multipart/Form-Data ; boundary=AbC"}
    body = b'--AbC\r\nContent-Disposition: form-data; name="name"\r\n\r\nThree\r\n--AbC--\r\n'
    creator = api.as_("creator")
    assert creator.patch("/course/1/", content=b"name=Two", headers=form).json()["name"] == "Two"
    assert creator.patch("/course/1/", content=body, headers=multipart).json()["name"] == "Three"


def test_json_is_the_default_media_type(api: Api) -> None:
    assert api.as_("creator").patch("/course/1/", content=b'{"name": "No media type"}').status_code == 200


def test_create_course_reads_a_chunked_body(app: StubServer, runner: asyncio.Runner) -> None:
    chunks = [b'{"name": "Chu', b"nke", b'd", "type": "self-paced"}', b""]
    headers = {**AXIOS, "Host": "stub.test", "Authorization": "Bearer stub-creator", "Transfer-Encoding": "chunked"}
    status, _, body = ask(app, runner, "POST", "/api/v2/course/", headers, chunks)
    assert (status, json.loads(body)["name"]) == (201, "Chunked")


def test_join_course_accepts_an_empty_chunked_body(app: StubServer, runner: asyncio.Runner) -> None:
    headers = {**AXIOS, "Host": "stub.test", "Authorization": "Bearer stub-stranger", "Transfer-Encoding": "chunked"}
    assert ask(app, runner, "POST", "/api/v2/course/1/join/", headers)[0] == 200


# CORS


@pytest.mark.parametrize("origin", ALLOWED)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_preflights_of_allowed_origins_are_granted(api: Api, origin: str, method: str) -> None:
    response = preflight(api, origin, method)
    headers = response.headers
    assert response.status_code in (200, 204)
    assert headers["access-control-allow-origin"] == origin
    assert headers["access-control-allow-credentials"] == "true"
    assert "origin" in headers["vary"].lower()
    methods = set(headers["access-control-allow-methods"].split(", "))
    assert methods >= {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}
    assert {"authorization", "content-type"} <= set(headers["access-control-allow-headers"].split(","))


def test_preflights_allow_whatever_headers_are_asked_for(api: Api) -> None:
    asked = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "x-trace,x-other"}
    response = api.request("OPTIONS", "/course/1/", headers={"Origin": ALLOWED[0], **asked})
    assert (response.status_code, response.headers["access-control-allow-headers"]) == (200, "x-trace,x-other")


@pytest.mark.parametrize("origin", FOREIGN)
def test_foreign_origins_get_nothing(api: Api, origin: str) -> None:
    response = preflight(api, origin)
    assert (response.status_code, codes(response)) == (400, {"": "invalid"})
    assert origin in response.json()["errors"][0]["message"]
    for answer in (response, api.get("/course/1/", headers={"Origin": origin})):
        assert "access-control-allow-origin" not in answer.headers
        assert "Origin" in answer.headers["vary"]


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/course/1/", {}, 200),
        ("GET", "/course/", {}, 401),
        ("GET", "/course/search/", {"Authorization": "Bearer nobody"}, 401),
        ("GET", "/course/99/", {}, 404),
        ("GET", "/nowhere/", {}, 404),
        ("GET", "/course/1", {}, 404),
        ("PUT", "/course/", {}, 405),
        ("GET", "/course/1/", {"Accept": "text/html"}, 406),
    ],
)
@pytest.mark.parametrize("origin", [ALLOWED[0], NAMED])
def test_pages_of_allowed_origins_may_read_refusals(
    api: Api, origin: str, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    response = api.request(method, path, headers={"Origin": origin, **headers})
    assert response.status_code == status
    assert response.headers["access-control-allow-origin"] == origin
    assert response.headers["access-control-allow-credentials"] == "true"
    assert "Origin" in response.headers["vary"]


def test_any_origin_never_comes_with_credentials(
    contract: Contract, default_fixture: Fixture, runner: asyncio.Runner
) -> None:
    api = Api(StubServer(contract, default_fixture, Settings(cors_origins=("*",))), runner)
    for headers in ({}, {"Cookie": "session=1"}):
        for response in (preflight(api, FOREIGN[0]), api.get("/course/1/", headers={"Origin": FOREIGN[0], **headers})):
            assert response.status_code == 200
            assert response.headers["access-control-allow-origin"] in ("*", FOREIGN[0])
            assert "access-control-allow-credentials" not in response.headers


# Paths, slashes, HEAD


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["/course", "/course/1", "/course/search", "/course/1/join", "/api/v2", "/course/1//"])
def test_api_paths_without_their_one_slash_are_absent(api: Api, method: str, path: str) -> None:
    response = api.as_("creator").request(method, path)
    assert (response.status_code, codes(response)) == (404, {"": "not_found"})
    assert "location" not in response.headers
    if not path.endswith("/"):
        assert "ends with a slash" in response.json()["errors"][0]["message"]


@pytest.mark.parametrize(("path", "target"), [("//", "/docs/"), ("//docs", "/docs/")])
def test_people_are_led_to_the_docs(api: Api, path: str, target: str) -> None:
    response = api.get(path)
    assert response.status_code in (301, 302, 307, 308)
    assert urlsplit(response.headers["location"]).path == target


def test_head_equals_get_without_a_body(api: Api, contract: Contract) -> None:
    paths = [o.path.replace("{id}", "1") for o in contract.operations.values() if o.method == "get"]
    for path in [*paths, "//openapi.json", "//docs/", "//upfiles/courses/small/a_0001.png", "/course/99/"]:
        for persona in (None, "creator"):
            get, head = (api.as_(persona).request(method, path) for method in ("GET", "HEAD"))
            assert head.status_code == get.status_code, path
            for response in (get, head):
                for own in ("x-stub-request", "date"):  # each request has an id and a time of its own
                    response.headers.pop(own, None)
            assert head.headers == get.headers, path
            assert head.content == b""


# Hosts


@pytest.mark.parametrize(
    "host", ["community.example", "localhost:3000", "10.0.2.2:8765", "[::1]:8765", "UPPER.example"]
)
def test_absolute_urls_follow_the_host_header(api: Api, host: str) -> None:
    page = api.get("/course/search/?limit=1&offset=1", headers={"Host": host}).json()
    urls = urls_in(page)
    assert len(urls) >= 6
    assert {urlsplit(url).netloc for url in urls} == {host}


@pytest.mark.parametrize(
    "host",
    [
        'evil" onload="x',
        "evil.example/path",
        "evil example",
        "evil.example@x",
        "<b>",
        "a,b",
        "",
        "x:99999999",
        "[::1",
        "x?",
    ],
)
def test_a_nonsense_host_never_gets_into_urls(app: StubServer, runner: asyncio.Runner, host: str) -> None:
    """The server's own address takes its place."""
    status, _, body = ask(app, runner, "GET", "/api/v2/course/search/?limit=1", {"Host": host})
    assert status == 200
    assert {urlsplit(url).netloc.removesuffix(":80") for url in urls_in(json.loads(body))} == {"stub.test"}


@pytest.mark.parametrize("address", [("10.0.0.7", 8765), ("::1", 8765), ("stub.test", None)])
def test_without_a_host_urls_are_those_of_the_server(
    app: StubServer, runner: asyncio.Runner, address: tuple[str, int | None]
) -> None:
    """An IPv6 address needs brackets, and an address without a port no colon."""
    status, _, body = ask(app, runner, "GET", "/api/v2/course/search/?limit=1", {}, address=address)
    assert status == 200
    assert {(urlsplit(url).hostname, urlsplit(url).port) for url in urls_in(json.loads(body))} == {address}


def test_two_callers_by_different_hosts_do_not_mix(api: Api) -> None:
    hosts = ("one.example", "two.example", "one.example")
    pages = [api.get("/course/search/?limit=1", headers={"Host": host}).json() for host in hosts]
    assert [urlsplit(page["next"]).netloc for page in pages] == list(hosts)


# Documents and pictures


def test_the_served_document_is_the_merged_one(api: Api, contract: Contract) -> None:
    response = api.get("//openapi.json")
    assert (response.status_code, response.headers["content-type"]) == (200, "application/json")
    assert response.json() == contract.document
    assert '"$ref":"#/components/' in response.text


def test_the_docs_page_needs_no_other_host(api: Api, app: StubServer, runner: asyncio.Runner) -> None:
    page = api.get("//docs/")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    links = re.findall(r"""(?:src|href)\s*=\s*["']([^"']+)["']""", page.text)
    assert any(link.endswith(".js") for link in links)
    assert any(link.endswith(".css") for link in links)
    texts = [page.text]
    for link in links:
        assert not re.match(r"(https?:)?//", link), link
        status, headers, body = ask(app, runner, "GET", "/docs/" + link.removeprefix("./"), {"Host": "stub.test"})
        assert status == 200, link
        kind = {"css": "text/css", "js": "javascript", "png": "image/png"}[link.rsplit(".", 1)[1]]
        assert kind in headers["content-type"]
        texts.append(body.decode("latin-1"))
    assert any('"/openapi.json"' in text for text in texts)


def test_after_the_body_there_is_silence_until_the_client_goes(
    app: StubServer, runner: asyncio.Runner, default_fixture: Fixture
) -> None:
    """Whoever waits for the client to go (starlette does while it sends a file) must not be kept spinning."""
    heard: list[Any] = []

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        for _ in range(2):
            with contextlib.suppress(TimeoutError):
                heard.append((await asyncio.wait_for(receive(), 0.05))["type"])

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(_: Any) -> None:
        raise AssertionError

    scope = {"type": "http", "method": "GET", "path": "/docs/swagger-ui.css", "query_string": b"", "headers": []}
    runner.run(Wire(inner, Worlds(default_fixture))(scope, receive, send))
    assert heard in (["http.request"], ["http.request", "http.disconnect"])


@pytest.mark.parametrize(
    ("rendition", "width"), [("small", 64), ("medium", 128), ("big", 256), ("bigger", 512)], ids=lambda part: str(part)
)
@pytest.mark.parametrize("number", [1, 12])
def test_pictures_are_valid_squares(api: Api, rendition: str, width: int, number: int) -> None:
    course = api.as_("creator").get(f"/course/{number}/").json()
    for holder in (course, *course["categories"]):
        url = holder[f"image_{rendition}"]
        assert url.startswith("http://stub.test/upfiles/")
        response = api.get("/" + urlsplit(url).path)
        assert (response.status_code, response.headers["content-type"]) == (200, "image/png")
        assert response.content[:8] == b"\x89PNG\r\n\x1a\n"
        chunks, rest = {}, response.content[8:]
        while rest:
            (length,) = struct.unpack(">I", rest[:4])
            kind, data, (crc,) = rest[4:8], rest[8 : 8 + length], struct.unpack(">I", rest[8 + length : 12 + length])
            assert crc == zlib.crc32(kind + data)
            chunks[kind], rest = data, rest[12 + length :]
        assert struct.unpack(">II", chunks[b"IHDR"][:8]) == (width, width)
        assert len(zlib.decompress(chunks[b"IDAT"])) == width * (1 + 3 * width)


@pytest.mark.parametrize("path", ["courses/huge/a_0001.png", "courses/small/a_0001.jpg", "courses/small/", "x"])
def test_pictures_of_no_known_size_are_absent(api: Api, path: str) -> None:
    response = api.get(f"//upfiles/{path}")
    assert (response.status_code, codes(response)) == (404, {"": "not_found"})
