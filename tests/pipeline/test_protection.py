"""Who may use the control plane: a refused request has done nothing. And its contract is complete and true."""

import asyncio
import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from stubserver.app import StubServer
from stubserver.contract.contract import Contract
from stubserver.settings import Settings
from stubserver.worlds.snapshot import Fixture
from tests.support.answers import codes, ok, refused
from tests.support.attacks import (
    ATTACKS,
    BODIES,
    EVIL,
    OPEN,
    READS,
    SIMPLE,
    WRITES,
    assert_no_cors,
    call,
    path_of,
    prepared,
    state,
)
from tests.support.client import Api
from tests.support.control import CONTROL
from tests.support.default import CONTROL_TOKEN
from tests.support.forms import JSON
from tests.support.worlds import named


@pytest.fixture(scope="module")
def guarded(contract: Contract, default_fixture: Fixture) -> StubServer:
    """A server that requires a token and accepts only small bodies."""
    bounds = Settings(control_token=CONTROL_TOKEN, max_body=3000, max_world=50_000, max_memory=400_000)
    return StubServer(contract, default_fixture, bounds)


@pytest.fixture
def api(app: StubServer, runner: asyncio.Runner) -> Api:
    """A server that has something to lose."""
    return prepared(Api(app, runner))


@pytest.fixture
def locked(guarded: StubServer, runner: asyncio.Runner) -> Api:
    """The same, but with a required token."""
    return prepared(Api(guarded, runner), {"Authorization": f"Bearer {CONTROL_TOKEN}"})


# Proof that these tests can fail


@pytest.mark.parametrize("name", WRITES)
def test_without_an_attack_every_write_is_done(api: Api, name: str) -> None:
    """Otherwise an unchanged state after a refusal would prove nothing."""
    before = state(api.app)
    response = call(api, name)
    assert response.status_code == CONTROL.operations[name].status, response.text
    assert (state(api.app) == before) == (name == "verify_requests")


# Other pages and other names of this machine


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_foreign_page_changes_nothing(api: Api, attack: str) -> None:
    before = state(api.app)
    for name in WRITES:
        response = call(api, name, **ATTACKS[attack])
        assert refused(response, 403) == {"": "permission_denied"}, name
        assert_no_cors(response)
        assert state(api.app) == before, name


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_foreign_page_makes_no_world_and_reads_nothing(api: Api, attack: str) -> None:
    before = state(api.app)
    for base_path in ("", "/~new", "/%7Enew"):
        for method, path in (
            ("POST", "/clock/freeze"),
            ("GET", "/requests"),
            ("GET", "/openapi.json"),
            ("HEAD", "/docs/"),
            ("GET", "/"),
            ("GET", ""),
        ):
            headers = {"Host": "localhost", **ATTACKS[attack]}
            response = api.request(method, f"/{base_path}/__stub{path}", headers=headers)
            assert response.status_code == 403, path
            assert method == "HEAD" or codes(response) == {"": "permission_denied"}
            assert_no_cors(response)
    assert state(api.app) == before


@pytest.mark.parametrize("media", SIMPLE)
def test_what_a_form_can_send_changes_nothing(api: Api, media: str) -> None:
    """Neither with a foreign Origin nor without one, as from old browsers."""
    before = state(api.app)
    for name in WRITES:
        response = call(api, name, **SIMPLE[media])
        assert refused(response, 415) == {"": "unsupported_media_type"}, name
        response = call(api, name, **SIMPLE[media], Origin=EVIL)
        assert refused(response, 403) == {"": "permission_denied"}, name
        assert_no_cors(response)
        assert state(api.app) == before, name


@pytest.mark.parametrize(
    "fields",
    [
        {"data": {"name": "made"}},
        {"files": {"name": (None, "made")}},
        {"content": b'{"name": "made", "x": "="}', "headers": {"Content-Type": "text/plain"}},
    ],
)
def test_a_form_of_a_foreign_page_makes_no_world(api: Api, fields: dict[str, Any]) -> None:
    before = state(api.app)
    for path in ("worlds", "snapshots"):
        assert refused(api.post(f"/__stub/{path}", **fields), 415) == {"": "unsupported_media_type"}
    assert state(api.app) == before


def test_a_body_without_a_media_type_is_no_way_in(api: Api) -> None:
    """A page can send one, but not without its Origin."""
    before = state(api.app)
    for name in WRITES:
        headers = {**named("w"), "Origin": EVIL}
        response = api.request(
            CONTROL.operations[name].method.upper(), path_of(CONTROL.operations[name]), headers=headers
        )
        assert refused(response, 403) == {"": "permission_denied"}
    assert state(api.app) == before


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Host": "localhost"},
        {"Host": "LocalHost:8765"},
        {"Host": "127.0.0.1:8765"},
        {"Host": "[::1]:8765"},
        {"Host": "[::1]"},
        {"Origin": "http://localhost"},
        {"Host": "127.0.0.1:8765", "Origin": "http://127.0.0.1:8765", "Sec-Fetch-Site": "same-origin"},
        {"Host": "[::1]:8765", "Origin": "http://[::1]:8765"},
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
        {"Content-Type": "application/json; charset=utf-8"},
        {"Content-Type": "Application/JSON"},
        {"Authorization": "Bearer whatever"},
        {"Authorization": "Bearer stub-member"},
    ],
    ids=str,
)
def test_tools_and_pages_of_our_own_are_let_in(api: Api, headers: dict[str, str]) -> None:
    assert ok(call(api, "create_world", **headers), 201)["name"] == "made"
    assert ok(call(api, "get_clock", **headers))["frozen"] is True
    assert call(api, "delete_world", **headers).status_code == 204


# A token


WRONG = {
    "missing": None,
    "empty": "",
    "only a scheme": "Bearer",
    "no token": "Bearer ",
    "another": "Bearer another",
    "too short": f"Bearer {CONTROL_TOKEN[:-1]}",
    "too long": f"Bearer {CONTROL_TOKEN}x",
    "in capitals": f"Bearer {CONTROL_TOKEN.upper()}",
    "bare": CONTROL_TOKEN,
    "of another scheme": f"Basic {CONTROL_TOKEN}",
    "twice": f"Bearer {CONTROL_TOKEN} {CONTROL_TOKEN}",
    "of a persona": "Bearer stub-staff",
}


@pytest.mark.parametrize("header", WRONG)
def test_without_its_token_a_guarded_server_does_nothing(locked: Api, header: str) -> None:
    before = state(locked.app)
    for name in {*WRITES, *READS} - set(OPEN):
        given = WRONG[header]
        response = call(locked, name, **({} if given is None else {"Authorization": given}))
        assert refused(response, 401) == {"": "not_authenticated"}, name
        assert response.headers["www-authenticate"].startswith("Bearer")
        assert CONTROL_TOKEN not in response.text
        assert_no_cors(response)
        assert state(locked.app) == before, name


@pytest.mark.parametrize("name", [*WRITES, *READS])
def test_with_its_token_a_guarded_server_does_everything(locked: Api, name: str) -> None:
    response = call(locked, name, Authorization=f"Bearer {CONTROL_TOKEN}")
    assert response.status_code == CONTROL.operations[name].status, response.text
    assert CONTROL_TOKEN not in response.text


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": f"bearer {CONTROL_TOKEN}"},
        {"Authorization": f"Bearer  {CONTROL_TOKEN} "},
        {"Authorization": f"Bearer {CONTROL_TOKEN}", "Host": "build-machine.example:8765"},
        {"Authorization": f"Bearer {CONTROL_TOKEN}", "Host": "10.0.0.7", "Origin": "http://10.0.0.7"},
    ],
    ids=str,
)
def test_a_guarded_server_answers_to_any_name(locked: Api, headers: dict[str, str]) -> None:
    assert ok(call(locked, "create_world", **headers), 201)["name"] == "made"


@pytest.mark.parametrize("attack", [name for name, headers in ATTACKS.items() if "Host" not in headers])
def test_the_token_does_not_let_foreign_pages_in(locked: Api, attack: str) -> None:
    before = state(locked.app)
    for name in (*WRITES, *READS):
        response = call(locked, name, Authorization=f"Bearer {CONTROL_TOKEN}", **ATTACKS[attack])
        assert refused(response, 403) == {"": "permission_denied"}, name
        assert_no_cors(response)
        assert state(locked.app) == before, name


def test_a_name_resolved_to_a_guarded_machine_needs_the_token(locked: Api) -> None:
    before = state(locked.app)
    response = call(locked, "delete_world", **ATTACKS["a name resolved to this machine"])
    assert refused(response, 401) == {"": "not_authenticated"}
    assert state(locked.app) == before


def test_the_api_needs_no_token_of_the_control_plane(locked: Api) -> None:
    assert ok(locked.get("/course/1/", headers=named("w")))["id"] == 1
    assert locked.get("//docs/").status_code == 200


# CORS


@pytest.fixture(scope="module")
def open_to_all(contract: Contract, default_fixture: Fixture) -> StubServer:
    return StubServer(contract, default_fixture, Settings(cors_origins=("*",)))


@pytest.fixture(params=["named", "all"])
def reachable(
    request: pytest.FixtureRequest, server: StubServer, open_to_all: StubServer, runner: asyncio.Runner
) -> Api:
    """A server whose API is open to pages of other origins."""
    return prepared(Api(server if request.param == "named" else open_to_all, runner))


ORIGINS = ["https://app.example", "http://localhost:3000", "http://localhost", EVIL, "null"]


@pytest.mark.parametrize("origin", ORIGINS)
@pytest.mark.parametrize("base_path", ["", "/~w", "/~new", "/%7Ew"])
def test_no_page_is_told_that_it_may_use_the_control_plane(reachable: Api, base_path: str, origin: str) -> None:
    before = state(reachable.app)
    asked = {"Access-Control-Request-Headers": "content-type,authorization,x-stub-world"}
    for method in ("POST", "PUT", "DELETE", "GET"):
        for path in ("worlds", "clock/set", "faults/1", "snapshots/kept", "docs/", "nowhere"):
            headers = {"Origin": origin, "Access-Control-Request-Method": method, **asked}
            response = reachable.request(
                "OPTIONS", f"/{base_path}/__stub/{path}".replace("//_", "/_").replace("//~", "/~"), headers=headers
            )
            assert response.status_code in (403, 404, 405)
            assert codes(response)
            assert_no_cors(response)
    if base_path != "/~new" and origin != "http://localhost":
        assert state(reachable.app) == before


@pytest.mark.parametrize("name", READS)
@pytest.mark.parametrize("origin", [None, "http://localhost", "https://app.example"])
def test_no_answer_of_the_control_plane_is_for_other_pages(reachable: Api, name: str, origin: str | None) -> None:
    response = call(reachable, name, **({} if origin is None else {"Origin": origin}))
    assert response.status_code == (403 if origin == "https://app.example" else 200)
    assert_no_cors(response)


@pytest.mark.parametrize("path", ["/course/1/", "/~w/api/v2/course/1/", "//openapi.json"])
def test_the_api_is_for_other_pages_all_the_same(reachable: Api, path: str) -> None:
    response = reachable.get(path, headers={"Origin": "https://app.example"})
    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] in ("*", "https://app.example")


# Reading


@pytest.mark.parametrize("name", READS)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_looking_changes_nothing(api: Api, name: str, method: str) -> None:
    before = state(api.app)
    for world in ("w", "default", "new"):
        for headers in ({}, {"X-Stub-Fixture": "empty"}):
            response = call(api, name, world, method, **headers)
            assert response.status_code == 200
            assert (method == "GET") == bool(response.content)
        path = path_of(CONTROL.operations[name])
        assert api.request(method, f"/~{world}{path}", headers={"Prefer": "code=404"}).status_code == 200
        assert state(api.app) == before, world


@pytest.mark.parametrize("name", READS)
def test_head_equals_get_without_a_body(api: Api, name: str) -> None:
    get, head = (call(api, name, "w", method) for method in ("GET", "HEAD"))
    moving = {"content-length"} if name in ("get_health", "get_metrics") else set()
    assert {k: v for k, v in get.headers.items() if k not in moving} == {
        k: v for k, v in head.headers.items() if k not in moving
    }
    assert (get.status_code, head.content) == (head.status_code, b"")


@pytest.mark.parametrize("method", ["OPTIONS", "PUT"])
def test_a_method_that_there_is_not_makes_no_world(api: Api, method: str) -> None:
    before = state(api.app)
    response = api.request(method, "/__stub/clock", headers=named("new"))
    assert refused(response, 405) == {"": "method_not_allowed"}
    assert state(api.app) == before


# Refusals


def provoked(api: Api, locked: Api, name: str) -> Iterator[tuple[int, httpx.Response]]:
    """The refusals of everything outside the operation itself."""
    operation = CONTROL.operations[name]
    if name not in OPEN:
        yield 401, call(locked, name)
    yield 403, call(api, name, Origin=EVIL)
    if operation.method != "get":
        yield 415, call(api, name, **{"Content-Type": "text/plain"})
    if operation.bodies:
        headers = {**JSON, **named("w"), "Authorization": f"Bearer {CONTROL_TOKEN}"}
        needs_a_body = any(body.required for body in operation.bodies.values())
        long = b"x" * (1 + getattr(locked.app.settings, operation.max_body))
        wrong = [(long, 413), *([(b"", 400)] if needs_a_body else []), (b"{", 400), (b"[]", 400), (b'"x"', 400)]
        for content, status in wrong:
            yield status, locked.request(operation.method.upper(), path_of(operation), content=content, headers=headers)
    if any(parameter.name == "X-Stub-World" for parameter in operation.parameters):
        yield 400, call(api, name, world="no name")
    for parameter in operation.parameters:
        if parameter.place == "query" and parameter.schema["type"] != "string":
            yield (
                400,
                api.request(operation.method.upper(), f"{path_of(operation)}?{parameter.name}=x", headers=named("w")),
            )
    if "{" in operation.path and operation.id not in ("load_snapshot", "reset_world"):
        path = re.sub(r"\{(\w+)\}", lambda part: "9" if part[1] == "id" else "nope-9", operation.path)
        body = json.dumps(BODIES[name]).encode() if name in BODIES else None
        yield 404, api.request(operation.method.upper(), path, content=body, headers={**JSON, **named("w")})


@pytest.mark.parametrize("name", [*WRITES, *READS])
def test_every_operation_refuses_as_it_declares(api: Api, locked: Api, name: str) -> None:
    operation = CONTROL.operations[name]
    before = state(api.app), state(locked.app)
    seen = set()
    for status, response in provoked(api, locked, name):
        assert response.status_code == status, response.text
        assert operation.answers[status].fits(response.json())
        assert codes(response)
        assert response.headers["content-type"] == "application/json"
        seen.add(status)
    assert (state(api.app), state(locked.app)) == before
    assert set(operation.refusals) - seen <= {
        400,
        404,
        406,
        409,
        503,
    }  # refused by the operation itself, or in the next test
    assert seen <= set(operation.refusals)


@pytest.mark.parametrize("accept", ["text/html", "application/json;q=0", "image/*, text/*"])
def test_every_operation_answers_json_only(api: Api, accept: str) -> None:
    """But for the metrics and events, which are text."""
    before = state(api.app)
    for name in {*READS, *WRITES} - {"get_metrics", "follow_world"}:
        assert refused(call(api, name, Accept=accept), 406) == {"": "not_acceptable"}, name
        assert state(api.app) == before, name


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("text/plain", 200),
        ("text/*", 200),
        ("application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1", 200),
        ("application/json", 406),
        ("application/openmetrics-text", 406),
        ("text/plain;q=0, text/html", 406),
    ],
)
@pytest.mark.parametrize("path", ["/metrics", "/__stub/metrics"])
def test_the_metrics_are_plain_text_only(api: Api, path: str, accept: str, status: int) -> None:
    assert api.get(f"/{path}", headers={"Accept": accept, "Host": "localhost"}).status_code == status


def test_documents_of_the_control_plane_are_for_browsers(api: Api) -> None:
    for path in ("docs/", "docs/swagger-ui.css"):
        assert api.get(f"/__stub/{path}", headers={"Accept": "text/html,text/css"}).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/__stub/nowhere", 404, "not_found"),
        ("GET", "//__STUB/health", 404, "not_found"),
        ("GET", "/__stub//", 404, "not_found"),
        ("GET", "/__stub//health", 404, "not_found"),
        ("POST", "/__stub/", 405, "method_not_allowed"),
        ("POST", "/__stub", 405, "method_not_allowed"),
        ("GET", "/__stub/health/", 404, "not_found"),
        ("POST", "/~w/__stub/clock/release/", 404, "not_found"),
        ("GET", "/__stub/worlds/a/b/c", 404, "not_found"),
        ("GET", "/__stub/clock/freeze", 405, "method_not_allowed"),
        ("DELETE", "/__stub/health", 405, "method_not_allowed"),
        ("DELETE", "/__stub/faults/0", 404, "not_found"),
        ("DELETE", "/__stub/faults/x", 404, "not_found"),
        ("GET", "/__stub/requests/no-number", 404, "not_found"),
    ],
)
def test_refusals_of_the_frame_have_the_shape(api: Api, method: str, path: str, status: int, code: str) -> None:
    before = state(api.app)
    response = api.request(
        method, path if path != "/__stub" else "//__stub", headers={"Host": "localhost", **JSON, **named("w")}
    )
    assert refused(response, status) == {"": code}
    if path.startswith("/__stub/"):
        assert state(api.app) == before
