"""Pages of the origins that may use the control plane (`--control-origin`), and of all that merely look like them."""

import asyncio
from typing import Any

import httpx
import pytest

from stubserver.app import StubServer
from stubserver.contract.contract import Contract
from stubserver.settings import Settings
from stubserver.worlds.snapshot import Fixture
from tests.support.answers import codes, ok, refused
from tests.support.attacks import ATTACKS, READS, SIMPLE, WRITES, assert_no_cors, call, prepared, state
from tests.support.client import Api
from tests.support.control import CONTROL
from tests.support.default import CONTROL_TOKEN

GOOD = "https://good.example"
LOCAL = "http://localhost:5173"
API_ONLY = "https://app.example"
FOREIGN = [
    "null",
    "",
    "*",
    "https://evil.example",
    "https://good.example.evil.example",
    "https://evil-good.example",
    "https://x.good.example",
    "https://good.example:444",
    "https://good.example:443",
    "https://good.example/",
    "https://good.example/path",
    "https://good.exampl",
    "https://GOOD.example",
    "https://user@good.example",
    "https://good.example, https://evil.example",
    "http://good.example",
    "HTTPS://good.example",
    "http://localhost:5174",
    "http://localhost:51730",
    "https://localhost:5173",
    "http://127.0.0.1:5173",
    API_ONLY,
]
"""Origins of pages that may not use the control plane."""
ASKED = {"Access-Control-Request-Headers": "authorization,content-type,x-stub-fixture,x-stub-world"}


def page(origin: str, site: str = "cross-site") -> dict[str, str]:
    """What a browser says of the page that sends a request."""
    return {"Origin": origin, "Sec-Fetch-Site": site}


@pytest.fixture(scope="module")
def opened(contract: Contract, default_fixture: Fixture) -> StubServer:
    """A server on loopback, whose API is for another page than its control plane."""
    settings = Settings(control_origins=(GOOD, LOCAL), cors_origins=(API_ONLY,))
    return StubServer(contract, default_fixture, settings)


@pytest.fixture
def api(opened: StubServer, runner: asyncio.Runner) -> Api:
    """The server, which has something to lose."""
    return prepared(Api(opened, runner))


@pytest.fixture(scope="module")
def guarded(contract: Contract, default_fixture: Fixture) -> StubServer:
    """A server beyond loopback."""
    return StubServer(contract, default_fixture, Settings(control_origins=(GOOD,), control_token=CONTROL_TOKEN))


@pytest.fixture
def locked(guarded: StubServer, runner: asyncio.Runner) -> Api:
    """The same, with a required token."""
    return prepared(Api(guarded, runner), {"Authorization": f"Bearer {CONTROL_TOKEN}"})


def preflight(api: Api, origin: str, method: str, path: str = "worlds", **asked: str) -> httpx.Response:
    """The question that a browser asks before it sends what no form could send."""
    headers = {**page(origin), "Access-Control-Request-Method": method, **ASKED, **asked}
    return api.request("OPTIONS", f"/__stub/{path}", headers=headers)


def assert_for(origin: str, response: httpx.Response) -> None:
    """The page may read the answer, and no other page may."""
    assert response.headers["access-control-allow-origin"] == origin
    assert "Origin" in response.headers["vary"]
    assert "access-control-allow-credentials" not in response.headers


# Pages that may


@pytest.mark.parametrize("origin", [GOOD, LOCAL])
@pytest.mark.parametrize("name", [*WRITES, *READS])
def test_a_page_of_a_named_origin_does_everything(api: Api, name: str, origin: str) -> None:
    operation = CONTROL.operations[name]
    method = operation.method.upper()
    asked = preflight(api, origin, method)
    assert asked.status_code == 200
    assert_for(origin, asked)
    assert method in asked.headers["access-control-allow-methods"].split(", ")
    allowed = {header.lower() for header in asked.headers["access-control-allow-headers"].split(", ")}
    assert allowed == {
        "accept",
        "accept-language",
        "content-language",
        *ASKED["Access-Control-Request-Headers"].split(","),
    }
    response = call(api, name, **page(origin))
    assert response.status_code == operation.status, response.text
    assert_for(origin, response)


@pytest.mark.parametrize("path", ["", "/", "/docs/", "/openapi.json", "/docs/swagger-ui.css"])
@pytest.mark.parametrize("base_path", ["", "/~w"])
def test_a_page_of_a_named_origin_reads_the_documents(api: Api, base_path: str, path: str) -> None:
    response = api.get(f"/{base_path}/__stub{path}", headers={"Host": "localhost", **page(GOOD)})
    assert response.status_code == 200
    assert_for(GOOD, response)


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "nowhere", {}, 404),
        ("GET", "worlds/none", {}, 404),
        ("PUT", "worlds", {"Content-Type": "application/json"}, 405),
        ("POST", "worlds", {"Content-Type": "application/json"}, 400),
        ("POST", "worlds", {"Content-Type": "text/plain"}, 415),
        ("GET", "clock", {"X-Stub-World": "no name"}, 400),
        ("GET", "worlds", {"Accept": "text/html"}, 406),
    ],
)
def test_a_page_of_a_named_origin_may_read_refusals(
    api: Api, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    response = api.request(method, f"/__stub/{path}", headers={**page(GOOD), **headers})
    assert response.status_code == status
    assert_for(GOOD, response)


def test_a_page_may_reach_a_private_network(api: Api) -> None:
    """Which browsers ask about if a page of the internet wants to reach this machine."""
    response = preflight(api, GOOD, "POST", **{"Access-Control-Request-Private-Network": "true"})
    assert (response.status_code, response.headers["access-control-allow-private-network"]) == (200, "true")


@pytest.mark.parametrize(
    ("method", "asked", "what"),
    [
        ("BREW", {}, "method"),
        ("POST", {"Access-Control-Request-Headers": "x-other"}, "headers"),
        ("POST", {"Access-Control-Request-Headers": "authorization,cookie"}, "headers"),
    ],
)
def test_a_preflight_for_more_is_refused(api: Api, method: str, asked: dict[str, str], what: str) -> None:
    response = preflight(api, GOOD, method, **asked)
    assert refused(response, 400) == {"": "invalid"}
    message = response.json()["errors"][0]["message"]
    assert message.startswith(f"Disallowed CORS {what}: the control plane allows the methods DELETE, GET,")
    assert message.endswith("and the headers Authorization, Content-Type, X-Stub-World, X-Stub-Fixture.")


def test_the_servers_own_pages_stay_welcome(api: Api) -> None:
    assert ok(call(api, "create_world", Origin="http://localhost", **{"Sec-Fetch-Site": "same-origin"}), 201)


# Pages that may not


@pytest.mark.parametrize("origin", FOREIGN)
def test_a_page_of_any_other_origin_does_nothing(api: Api, origin: str) -> None:
    before = state(api.app)
    for name in (*WRITES, *READS):
        for site in ("cross-site", "same-site", "same-origin", "none"):
            response = call(api, name, **page(origin, site))
            assert refused(response, 403) == {"": "permission_denied"}, name
            assert_no_cors(response)
            assert "Origin" in response.headers["vary"]
    assert state(api.app) == before


@pytest.mark.parametrize("origin", FOREIGN)
@pytest.mark.parametrize("method", ["DELETE", "POST", "PUT", "GET"])
def test_a_preflight_of_any_other_origin_is_refused(api: Api, origin: str, method: str) -> None:
    for path in ("worlds", "faults/1", "docs/", ""):
        response = preflight(api, origin, method, path)
        assert refused(response, 403) == {"": "permission_denied"}
        assert_no_cors(response)


@pytest.mark.parametrize("attack", ATTACKS)
def test_every_attack_fails_as_before(api: Api, attack: str) -> None:
    before = state(api.app)
    for name in WRITES:
        assert refused(call(api, name, **ATTACKS[attack]), 403) == {"": "permission_denied"}
    assert state(api.app) == before


@pytest.mark.parametrize("attack", [name for name, headers in ATTACKS.items() if list(headers) == ["Host"]])
def test_a_named_origin_does_not_open_other_hosts(api: Api, attack: str) -> None:
    before = state(api.app)
    for name in WRITES:
        assert refused(call(api, name, **page(GOOD), **ATTACKS[attack]), 403) == {"": "permission_denied"}
    assert state(api.app) == before


@pytest.mark.parametrize("media", SIMPLE)
@pytest.mark.parametrize("origin", [GOOD, "https://evil.example"])
def test_what_a_form_can_send_changes_nothing(api: Api, media: str, origin: str) -> None:
    """It comes without a preflight, even from a page of a named origin."""
    before = state(api.app)
    for name in WRITES:
        response = call(api, name, **SIMPLE[media], **page(origin))
        assert response.status_code == (415 if origin == GOOD else 403), name
        assert state(api.app) == before, name


def test_a_request_of_another_site_without_an_origin_is_refused(api: Api) -> None:
    """Browsers leave the Origin out of what a page merely embeds, even a page of a named origin."""
    for path in ("worlds", "docs/", "openapi.json", ""):
        response = api.get(f"/__stub/{path}", headers={"Sec-Fetch-Site": "cross-site"})
        assert refused(response, 403) == {"": "permission_denied"}


# Each list is for itself


def test_origins_of_the_control_plane_do_not_call_the_api(api: Api) -> None:
    asked = {"Access-Control-Request-Method": "POST"}
    for response in (
        api.get("/course/1/", headers=page(GOOD)),
        api.request("OPTIONS", "/course/1/", headers={**page(GOOD), **asked}),
    ):
        assert "access-control-allow-origin" not in response.headers


@pytest.mark.parametrize("origins", [(API_ONLY,), ("*",), ("null",)])
def test_origins_of_the_api_do_not_use_the_control_plane(
    contract: Contract, default_fixture: Fixture, runner: asyncio.Runner, origins: tuple[str, ...]
) -> None:
    api = Api(StubServer(contract, default_fixture, Settings(cors_origins=origins, control_origins=(GOOD,))), runner)
    for origin in {*origins, API_ONLY} - {"*"}:
        for response in (call(api, "list_worlds", **page(origin)), preflight(api, origin, "POST")):
            assert refused(response, 403) == {"": "permission_denied"}
            assert_no_cors(response)


def test_by_default_no_other_page_may(app: StubServer, runner: asyncio.Runner) -> None:
    api = Api(app, runner)
    for origin in (GOOD, LOCAL):
        response = call(api, "list_worlds", **page(origin))
        assert refused(response, 403) == {"": "permission_denied"}
        assert "unless the server is started with --control-origin" in response.text
        assert refused(preflight(api, origin, "POST"), 403)
        assert_no_cors(response)


# With a token


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer another"}, {"Authorization": "Bearer stub-staff"}])
def test_a_page_of_a_named_origin_needs_the_token(locked: Api, headers: dict[str, str]) -> None:
    before = state(locked.app)
    for name in WRITES:
        response = call(locked, name, **page(GOOD), **headers)
        assert refused(response, 401) == {"": "not_authenticated"}
        assert_for(GOOD, response)
    assert state(locked.app) == before


@pytest.mark.parametrize("name", [*WRITES, *READS])
def test_with_the_token_it_does_everything(locked: Api, name: str) -> None:
    """The preflight has none, because browsers send no header of a page with it."""
    assert_for(GOOD, preflight(locked, GOOD, CONTROL.operations[name].method.upper()))
    headers: dict[str, Any] = {"Authorization": f"Bearer {CONTROL_TOKEN}", "Host": "build-machine.example"}
    response = call(locked, name, **page(GOOD), **headers)
    assert response.status_code == CONTROL.operations[name].status
    assert_for(GOOD, response)


@pytest.mark.parametrize("origin", FOREIGN)
def test_the_token_lets_no_other_page_in(locked: Api, origin: str) -> None:
    response = call(locked, "create_world", **page(origin), Authorization=f"Bearer {CONTROL_TOKEN}")
    assert codes(response) == {"": "permission_denied"}
    assert_no_cors(response)
