"""CORS: which pages may call, preflights, and which headers pages may read."""

import asyncio
from typing import Any

import pytest

from stubserver.app import StubServer
from stubserver.contract.contract import Contract
from stubserver.settings import Settings
from stubserver.worlds.world import Fixture
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


@pytest.mark.parametrize(
    "origin",
    [
        "foo",
        "app.example",
        "https://",
        "https://app.example/",
        "https://app.example/path",
        "https:app.example",
        "",
        "**",
    ],
)
def test_an_origin_that_no_page_can_have_is_refused(contract: Contract, default_fixture: Fixture, origin: str) -> None:
    with pytest.raises(ValueError, match="is not an origin: write it as"):
        StubServer(contract, default_fixture, Settings(cors_origins=(NAMED, origin)))


@pytest.mark.parametrize(
    "origin", ["*", "null", "http://app.example:8080", "https://xn--bcher-kva.example", "http://[::1]:3000"]
)
def test_an_origin_that_a_page_can_have_is_taken(contract: Contract, default_fixture: Fixture, origin: str) -> None:
    assert StubServer(contract, default_fixture, Settings(cors_origins=(origin,))).settings.cors_origins == (origin,)
