"""The wire: bounds, slashes, hosts, media types and bodies, before any other hop sees a request."""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from stubserver.app import StubServer
from stubserver.pipeline.protection import Protection
from stubserver.pipeline.wire import Wire
from stubserver.settings import Settings
from stubserver.worlds.registry import Worlds
from stubserver.worlds.snapshot import Fixture
from tests.support.answers import GENERAL, codes, refused
from tests.support.client import Api
from tests.support.control import CONTROL
from tests.support.default import MOST
from tests.support.forms import AXIOS, JSON
from tests.support.wire import ask
from tests.support.worlds import found, named, names


def urls_in(value: Any) -> list[str]:
    return re.findall(r'https?://[^"\\]*', json.dumps(value))


# Bodies


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


# Paths


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["/course", "/course/1", "/course/search", "/course/1/join", "/api/v2", "/course/1//"])
def test_api_paths_without_their_one_slash_are_absent(api: Api, method: str, path: str) -> None:
    response = api.as_("creator").request(method, path)
    assert (response.status_code, codes(response)) == (404, {"": "not_found"})
    assert "location" not in response.headers
    if not path.endswith("/"):
        assert "ends with a slash" in response.json()["errors"][0]["message"]


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
def test_a_nonsense_host_is_refused(app: StubServer, runner: asyncio.Runner, host: str) -> None:
    """Anywhere, and before it could get into a URL."""
    for path in ("/api/v2/course/search/?limit=1", "/docs/", "/openapi.json", "/nowhere"):
        status, _, body = ask(app, runner, "GET", path, {"Host": host})
        (problem,) = json.loads(body)["errors"]
        assert (status, problem["field"]) == (400, "Host")
        (message,) = problem["messages"]
        assert message == {
            "message": f"{host!r} is not a host: send a name or an address, and a port if it is not 80.",
            "code": "invalid",
        }
    assert app.worlds.peek("default").asked == 0


@pytest.mark.parametrize("address", [("10.0.0.7", 8765), ("::1", 8765), ("stub.test", None)])
def test_without_a_host_urls_are_those_of_the_server(
    app: StubServer, runner: asyncio.Runner, address: tuple[str, int | None]
) -> None:
    """An IPv6 address needs brackets, and an address without a port has no colon."""
    status, _, body = ask(app, runner, "GET", "/api/v2/course/search/?limit=1", {}, address=address)
    assert status == 200
    assert {(urlsplit(url).hostname, urlsplit(url).port) for url in urls_in(json.loads(body))} == {address}


def test_two_callers_by_different_hosts_do_not_mix(api: Api) -> None:
    hosts = ("one.example", "two.example", "one.example")
    pages = [api.get("/course/search/?limit=1", headers={"Host": host}).json() for host in hosts]
    assert [urlsplit(page["next"]).netloc for page in pages] == list(hosts)


# After the body


def test_after_the_body_there_is_silence_until_the_client_goes(
    app: StubServer, runner: asyncio.Runner, default_fixture: Fixture
) -> None:
    """Code that waits for the client to disconnect (as starlette does while sending a file) must not spin."""
    heard: list[Any] = []

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        for _ in range(2):
            with contextlib.suppress(TimeoutError):
                heard.append((await asyncio.wait_for(receive(), 0.05))["type"])

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(_: Any) -> None:
        raise AssertionError

    scope = {"type": "http", "method": "GET", "path": "/docs/swagger-ui.css", "query_string": b""}
    scope |= {"http_version": "1.0", "headers": []}
    runner.run(Wire(inner, Worlds(default_fixture), CONTROL, Protection(CONTROL, Settings()))(scope, receive, send))
    assert heard in (["http.request"], ["http.request", "http.disconnect"])


async def stream(size: int) -> AsyncIterator[bytes]:
    for _ in range(size):
        yield b"x" * 10


# Accept


@pytest.mark.parametrize(
    "accept",
    [
        None,
        "",
        "*/*",
        "application/*",
        "application/json",
        "APPLICATION/JSON",
        "application/json; charset=utf-8",
        "application/json, text/plain, */*",
        "text/html,application/json;q=0.5",
        "text/html, */*;q=0.001",
    ],
)
def test_json_is_acceptable(app: StubServer, runner: asyncio.Runner, accept: str | None) -> None:
    headers = {"Host": "stub.test"} if accept is None else {"Host": "stub.test", "Accept": accept}
    assert ask(app, runner, "GET", "/api/v2/course/1/", headers)[0] == 200


# Large bodies


@pytest.mark.parametrize("persona", ["creator", None])
@pytest.mark.parametrize("body", [b"x" * 101, 11], ids=["content-length", "chunks"])
@pytest.mark.in_process("it changes the server")
def test_a_large_body_is_refused(
    api: Api, monkeypatch: pytest.MonkeyPatch, persona: str | None, body: bytes | int
) -> None:
    monkeypatch.setattr(api.app.worlds, "settings", Settings(max_body=100))
    content = stream(body) if isinstance(body, int) else body
    response = api.as_(persona).post("/course/", content=content, headers=JSON)
    assert (response.status_code, codes(response)) == (413, {GENERAL: "payload_too_large"})
    assert "100 bytes" in response.text


@pytest.mark.parametrize("body", [b"x" * 100, 10], ids=["content-length", "chunks"])
@pytest.mark.in_process("it changes the server")
def test_the_largest_body_is_read(api: Api, monkeypatch: pytest.MonkeyPatch, body: bytes | int) -> None:
    monkeypatch.setattr(api.app.worlds, "settings", Settings(max_body=100))
    content = stream(body) if isinstance(body, int) else body
    assert api.as_("creator").post("/course/", content=content, headers=JSON).status_code == 400


def test_a_large_body_is_refused_before_it_is_read(app: StubServer, runner: asyncio.Runner) -> None:
    headers = {**JSON, "Host": "stub.test", "Content-Length": "99999999999"}
    assert ask(app, runner, "POST", "/api/v2/course/", headers, chunks=[])[0] == 413


def sized(size: int) -> bytes:
    """A course whose JSON has this many bytes."""
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
