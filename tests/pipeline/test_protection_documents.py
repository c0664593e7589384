"""The token of the control plane: what needs none, and how people open its documents in a browser."""

import asyncio
import base64
from typing import Any

import pytest

from stubserver.app import StubServer
from stubserver.contract.contract import Contract
from stubserver.settings import Settings
from stubserver.worlds.snapshot import Fixture
from tests.support.answers import ok, refused
from tests.support.attacks import ATTACKS, OPEN, READS, WRITES, assert_no_cors, call, prepared, state
from tests.support.client import Api
from tests.support.control import CONTROL
from tests.support.default import CONTROL_TOKEN, SECRET
from tests.support.forms import JSON

ELSEWHERE = {"Host": "build-machine.example:8765"}
BEARER = {"Authorization": f"Bearer {CONTROL_TOKEN}"}


def basic(text: str, scheme: str = "Basic") -> dict[str, str]:
    """What a browser sends once somebody has entered a name and a password."""
    return {"Authorization": f"{scheme} {base64.b64encode(text.encode()).decode()}"}


BASIC = basic(f"anybody:{CONTROL_TOKEN}")
FOREIGN = {name: headers for name, headers in ATTACKS.items() if "Host" not in headers}


@pytest.fixture(scope="module")
def guarded(contract: Contract, default_fixture: Fixture) -> StubServer:
    """A server that listens beyond loopback."""
    return StubServer(contract, default_fixture, Settings(control_token=CONTROL_TOKEN, jwt_secret=SECRET))


@pytest.fixture
def locked(guarded: StubServer, runner: asyncio.Runner) -> Api:
    """A server that requires a token, and has something to lose."""
    return prepared(Api(guarded, runner), BEARER)


# Without a token


@pytest.mark.parametrize("name", OPEN)
@pytest.mark.parametrize("headers", [{}, BEARER, BASIC, {"Authorization": "Bearer another"}, {"Authorization": "x"}])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_health_and_version_need_no_token(locked: Api, name: str, headers: dict[str, str], method: str) -> None:
    before = state(locked.app)
    for base_path in ("", "/~w", "/~new"):
        path = f"{base_path}{CONTROL.operations[name].path}"
        assert locked.request(method, path, headers={**ELSEWHERE, **headers}).status_code == 200
    assert state(locked.app) == before


def test_what_needs_no_token_tells_no_secret(locked: Api) -> None:
    health = ok(locked.get("/__stub/health", headers=ELSEWHERE))
    assert list(health) == ["status", "uptime_seconds", "worlds", "requests", "snapshots", "memory", "limits"]
    limits = ["max_worlds", "max_rows", "max_world", "max_memory", "max_requests", "max_journal", "max_body"]
    assert list(health["limits"]) == limits
    assert list(ok(locked.get("/__stub/version", headers=ELSEWHERE))) == ["name", "version", "contract", "operations"]
    for name in OPEN:
        text = locked.get(CONTROL.operations[name].path, headers=ELSEWHERE).text
        assert not any(secret in text for secret in (CONTROL_TOKEN, SECRET, "stub-"))


@pytest.mark.parametrize("attack", FOREIGN)
def test_what_needs_no_token_is_for_no_other_page(locked: Api, attack: str) -> None:
    for name in OPEN:
        response = call(locked, name, **FOREIGN[attack])
        assert refused(response, 403) == {"": "permission_denied"}
        assert_no_cors(response)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_only_reading_needs_no_token(locked: Api, method: str) -> None:
    for name in OPEN:
        response = locked.request(method, CONTROL.operations[name].path, headers={**ELSEWHERE, **JSON})
        assert refused(response, 401) == {"": "not_authenticated"}


@pytest.mark.parametrize("path", ["/health/", "/health/x", "//health", "/Health", "/healthz", "/version.json"])
def test_what_looks_like_them_needs_the_token(locked: Api, path: str) -> None:
    assert refused(locked.get(f"/__stub{path}", headers=ELSEWHERE), 401) == {"": "not_authenticated"}


# In a browser

DOCUMENTS = {
    "/__stub/openapi.json": 200,
    "/__stub/docs/": 200,
    "/__stub/docs/index.html": 200,
    "/__stub/docs": 307,
    "/__stub/docs/swagger-ui.css": 200,
    "/__stub/docs/nothing.css": 404,
    "/~w/__stub/openapi.json": 200,
    "/~w/__stub/docs/": 200,
}
"""What people open by its address -> its status, once they have been let in."""
WRONG: dict[str, dict[str, str]] = {
    "nothing": {},
    "no password": basic("anybody:"),
    "no colon": basic(CONTROL_TOKEN),
    "another password": basic("anybody:another"),
    "the token as the name": basic(f"{CONTROL_TOKEN}:"),
    "a password that begins like the token": basic(f"anybody:{CONTROL_TOKEN[:-1]}"),
    "a password that goes on": basic(f"anybody:{CONTROL_TOKEN}x"),
    "a password with a blank": basic(f"anybody: {CONTROL_TOKEN}"),
    "no base64": {"Authorization": "Basic %%%"},
    "base64 with a gap": {"Authorization": BASIC["Authorization"][:-3] + " " + BASIC["Authorization"][-3:]},
    "no UTF-8": {"Authorization": f"Basic {base64.b64encode(b'a:' + bytes([255])).decode()}"},
    "only a scheme": {"Authorization": "Basic"},
    "another scheme": basic(f"anybody:{CONTROL_TOKEN}", "Digest"),
    "a bearer like it": basic(f"anybody:{CONTROL_TOKEN}", "Bearer"),
    "the token in clear": {"Authorization": f"Basic anybody:{CONTROL_TOKEN}"},
}


@pytest.mark.parametrize("path", DOCUMENTS)
@pytest.mark.parametrize(
    "headers", [BASIC, basic(f":{CONTROL_TOKEN}"), basic(f"ü:{CONTROL_TOKEN}", "basic"), BEARER], ids=str
)
def test_the_documents_open_with_the_token_as_password(locked: Api, path: str, headers: dict[str, str]) -> None:
    response = locked.get(path, headers={**ELSEWHERE, **headers, "Accept": "text/html,*/*"})
    assert response.status_code == DOCUMENTS[path]
    assert CONTROL_TOKEN not in response.text


@pytest.mark.parametrize("path", DOCUMENTS)
@pytest.mark.parametrize("wrong", WRONG)
def test_the_documents_open_with_nothing_else(locked: Api, path: str, wrong: str) -> None:
    """The answer makes a browser ask for the password."""
    before = state(locked.app)
    response = locked.get(path, headers={**ELSEWHERE, **WRONG[wrong]})
    assert refused(response, 401) == {"": "not_authenticated"}
    assert response.headers["www-authenticate"].startswith("Basic realm=")
    assert "in a browser, enter it as the password" in response.text
    assert CONTROL_TOKEN not in response.text + str(response.headers)
    assert state(locked.app) == before


def test_a_token_in_the_address_opens_nothing(locked: Api) -> None:
    """It would be kept in histories and logs."""
    for query in (f"token={CONTROL_TOKEN}", f"access_token={CONTROL_TOKEN}", f"control_token={CONTROL_TOKEN}"):
        for path in ("docs/", "openapi.json", "worlds"):
            assert locked.get(f"/__stub/{path}?{query}", headers=ELSEWHERE).status_code == 401


@pytest.mark.parametrize("name", sorted({*READS, *WRITES} - set(OPEN)))
def test_what_a_browser_sends_by_itself_opens_no_operation(locked: Api, name: str) -> None:
    """Otherwise a form on any page could use the password that somebody once entered here."""
    before = state(locked.app)
    for headers in ({}, {"Content-Type": "text/plain"}, {"Sec-Fetch-Site": "same-origin"}):
        response = call(locked, name, **{**ELSEWHERE, **BASIC, **headers})
        assert refused(response, 401) == {"": "not_authenticated"}
        assert response.headers["www-authenticate"].startswith("Bearer")
        assert "enter it under Authorize" in response.text
    assert state(locked.app) == before


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_what_a_browser_sends_by_itself_only_reads(locked: Api, method: str) -> None:
    for path in DOCUMENTS:
        response = locked.request(method, path, headers={**ELSEWHERE, **BASIC, **JSON})
        assert refused(response, 401) == {"": "not_authenticated"}
        assert response.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "path",
    ["", "/", "/nowhere", "/docsx", "/docs.html", "/openapi.yaml", "/openapi.json/", "/x/docs/"],
)
def test_what_is_no_document_does_not_open_with_a_password(locked: Api, path: str) -> None:
    response = locked.get(f"//__stub{path}", headers={**ELSEWHERE, **BASIC})
    assert refused(response, 401) == {"": "not_authenticated"}
    assert response.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("attack", FOREIGN)
@pytest.mark.parametrize("path", ["/__stub/docs/", "/__stub/openapi.json"])
def test_another_site_gets_no_document_through_the_browser(locked: Api, attack: str, path: str) -> None:
    """Although the browser adds the password."""
    response = locked.get(path, headers={**BASIC, **FOREIGN[attack]})
    assert refused(response, 403) == {"": "permission_denied"}
    assert_no_cors(response)


def test_the_page_asks_for_the_token_of_its_operations(locked: Api) -> None:
    """Swagger UI offers "Authorize" for the schemes in the document, and sends what was entered there."""
    document = ok(locked.get("/__stub/openapi.json", headers={**ELSEWHERE, **BASIC}))
    (name,) = {name for choice in document["security"] for name in choice}
    scheme = document["components"]["securitySchemes"][name]
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
    assert CONTROL_TOKEN not in str(document)
    assert ok(call(locked, "create_world", **ELSEWHERE, **BEARER), 201)["name"] == "made"


def test_on_loopback_a_browser_is_not_asked(app: StubServer, runner: asyncio.Runner) -> None:
    api = Api(app, runner)
    for path, status in DOCUMENTS.items():
        for headers in ({}, BASIC, {"Authorization": "Basic %%%"}):
            assert api.get(path, headers=headers).status_code == status


# Mistakes


@pytest.mark.parametrize("token", ["", " ", " x", "x ", "a b", "a\tb", "x\n", "t\u00f6ken", "\0"])
def test_a_token_that_nobody_or_everybody_sends_is_refused(
    contract: Contract, default_fixture: Fixture, token: str
) -> None:
    """An empty one would be no lock at all."""
    with pytest.raises(ValueError, match="the control token must not be empty"):
        StubServer(contract, default_fixture, Settings(control_token=token))


@pytest.mark.parametrize("token", ["x", "a:b", "Q7_-~+/=", '"quoted"'])
def test_any_other_token_opens_everything(
    contract: Contract, default_fixture: Fixture, runner: asyncio.Runner, token: str
) -> None:
    api = Api(StubServer(contract, default_fixture, Settings(control_token=token)), runner)
    headers: dict[str, Any] = {"Authorization": f"Bearer {token}"}
    assert ok(api.post("/__stub/worlds", json={"name": "made"}, headers=headers), 201)["name"] == "made"
    assert api.get("/__stub/docs/", headers=basic(f"name:{token}")).status_code == 200
