"""CORS: which pages may call, preflights, and which headers pages may read."""

import asyncio
from typing import Any

import pytest

from stubserver.app import StubServer
from stubserver.contract.contract import Contract
from stubserver.settings import Settings
from stubserver.worlds.snapshot import Fixture
from tests.support.answers import codes
from tests.support.client import Api

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


PRIVATE = "access-control-allow-private-network"


def ask_for_private_network(api: Api, origin: str, method: str = "POST") -> Any:
    """As browsers do for a page of the internet that calls a server on this machine."""
    asked = {"Access-Control-Request-Method": method, "Access-Control-Request-Private-Network": "true"}
    return api.request("OPTIONS", "/course/1/", headers={"Origin": origin, **asked})


@pytest.mark.parametrize("origin", ALLOWED)
def test_allowed_origins_may_reach_a_private_network(api: Api, origin: str) -> None:
    response = ask_for_private_network(api, origin)
    assert (response.status_code, response.headers[PRIVATE]) == (200, "true")
    assert response.headers["access-control-allow-origin"] == origin
    assert PRIVATE not in preflight(api, origin).headers


def test_where_all_may_call_all_may_reach_a_private_network(
    contract: Contract, default_fixture: Fixture, runner: asyncio.Runner
) -> None:
    api = Api(StubServer(contract, default_fixture, Settings(cors_origins=("*",))), runner)
    assert ask_for_private_network(api, FOREIGN[0]).headers[PRIVATE] == "true"


@pytest.mark.parametrize("origin", FOREIGN)
def test_foreign_origins_may_not_reach_a_private_network(api: Api, origin: str) -> None:
    """And the advice is to allow the origin, which helps."""
    response = ask_for_private_network(api, origin)
    assert (response.status_code, codes(response)) == (400, {"": "invalid"})
    assert PRIVATE not in response.headers
    assert response.json()["errors"][0]["message"] == (
        f"Disallowed CORS origin: pages of {origin} may not call this server. "
        "Start the server with --cors-origin to allow another origin."
    )


def test_a_preflight_for_another_method_says_which_there_are(api: Api) -> None:
    """Another origin would not help."""
    response = ask_for_private_network(api, ALLOWED[0], "BREW")
    assert (response.status_code, codes(response)) == (400, {"": "invalid"})
    assert response.json()["errors"][0]["message"] == (
        "Disallowed CORS method: the API allows the methods DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT."
    )


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


# Mistakes


NOT_ORIGINS = {
    "foo": "https://app.example",
    "": "https://app.example",
    "**": "https://app.example",
    "app.example": "https://app.example",
    "localhost:3000": "https://app.example",
    "https://": "https://app.example",
    "https:app.example": "https://app.example",
    "ftp://app.example": "https://app.example",
    "file:///index.html": "https://app.example",
    "https://*": "https://app.example",
    "https://*.app.example": "https://app.example",
    "https://b\u00fccher.example": "https://app.example",
    "https://app.example:0": "https://app.example",
    "https://app.example:99999": "https://app.example",
    "http://[::1": "https://app.example",
    "http://[0:0::1]:3000": "https://app.example",
    "http://[zz]": "https://app.example",
    "https://user@app.example": "https://app.example",
    "https://here.example/": "https://here.example",
    "https://here.example/path": "https://here.example",
    "https://here.example?x": "https://here.example",
    "https://here.example#x": "https://here.example",
    " https://here.example": "https://here.example",
    "https://here.example\n": "https://here.example",
    "https://Here.example": "https://here.example",
    "HTTPS://here.example": "https://here.example",
    "https://here.example:443": "https://here.example",
    "http://here.example:80/x": "http://here.example",
    "http://here.example:8080/": "http://here.example:8080",
    "https://here.example,https://there.example": "https://here.example",
}
"""What no page can have as its origin -> what the message says instead."""
ORIGINS = [
    "http://app.example:8080",
    "https://app.example",
    "https://xn--bcher-kva.example",
    "http://[::1]:3000",
    "http://127.0.0.1:5173",
    "http://localhost",
    "https://app.example:80",
]


def with_origins(option: str, origins: Any) -> Settings:
    named: dict[str, Any] = {f"{option}_origins": origins}
    return Settings(**named)


@pytest.mark.parametrize("origin", NOT_ORIGINS)
@pytest.mark.parametrize("option", ["cors", "control"])
def test_an_origin_that_no_page_can_have_is_refused(
    contract: Contract, default_fixture: Fixture, option: str, origin: str
) -> None:
    settings = with_origins(option, (NAMED, origin))
    right = f"write it as {NOT_ORIGINS[origin]}, without a path"
    with pytest.raises(ValueError, match="is not an origin") as caught:
        StubServer(contract, default_fixture, settings)
    assert str(caught.value).startswith(f"--{option}-origin: {origin!r} is not an origin: {right}")


@pytest.mark.parametrize("origin", ORIGINS)
@pytest.mark.parametrize("option", ["cors", "control"])
def test_an_origin_that_a_page_can_have_is_taken(
    contract: Contract, default_fixture: Fixture, option: str, origin: str
) -> None:
    settings = with_origins(option, (origin,))
    assert StubServer(contract, default_fixture, settings).settings == settings


@pytest.mark.parametrize("origin", ["*", "null"])
def test_only_the_api_may_be_open_to_pages_without_a_name(
    contract: Contract, default_fixture: Fixture, origin: str
) -> None:
    assert StubServer(contract, default_fixture, Settings(cors_origins=(origin,)))
    with pytest.raises(ValueError, match=r"without a path; \* and null are not allowed here"):
        StubServer(contract, default_fixture, Settings(control_origins=(origin,)))


@pytest.mark.parametrize("option", ["cors", "control"])
def test_origins_must_come_in_a_list(contract: Contract, default_fixture: Fixture, option: str) -> None:
    """The letters of a text would be taken for origins."""
    settings = with_origins(option, NAMED)
    with pytest.raises(ValueError, match=f"--{option}-origin: '{NAMED}' must be in a tuple or list of origins"):
        StubServer(contract, default_fixture, settings)
