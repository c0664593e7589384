"""The recorder: an answer kept in the journal names its entry, and each request is one line of the log."""

import pytest

from stubserver.app import StubServer
from stubserver.records.access_log import Facts
from tests.support.answers import ok
from tests.support.client import Api
from tests.support.journal import REQUESTS, requests

pytestmark = pytest.mark.in_process("it is about the journal of the world default")


@pytest.fixture
def logged(app: StubServer, monkeypatch: pytest.MonkeyPatch) -> list[Facts]:
    """What is logged."""
    lines: list[Facts] = []
    monkeypatch.setattr(app.recorder, "log", lines.append)
    return lines


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/course/1/", {}, 200),
        ("HEAD", "/course/1/", {}, 200),
        ("DELETE", "/course/1/", {"Authorization": "Bearer stub-creator"}, 204),
        ("PATCH", "/course/1/", {"Authorization": "Bearer stub-creator", "Content-Type": "text/plain"}, 415),
        ("GET", "/course/search/?search=%00", {}, 400),
        ("GET", "/course/", {}, 401),
        ("GET", "/user/3/settings/", {"Authorization": "Bearer stub-creator"}, 403),
        ("GET", "/course/99/", {}, 404),
        ("GET", "/course/1", {}, 404),
        ("GET", "//nowhere", {}, 404),
        ("PUT", "//docs/", {}, 405),
        ("PUT", "/course/", {}, 405),
        ("GET", "/course/1/", {"Accept": "text/html"}, 406),
        ("GET", "/course/1/", {"Content-Length": "99999999999"}, 413),
        ("GET", "/course/1/", {"Prefer": "code=404"}, 404),
        ("GET", "//upfiles/courses/huge/a.png", {}, 404),
    ],
)
def test_an_answer_that_is_kept_names_its_entry(
    api: Api, logged: list[Facts], method: str, path: str, headers: dict[str, str], status: int
) -> None:
    """So does its line in the log."""
    content = {"content": b"x"} if status == 415 else {}
    response = api.request(method, path, headers=headers, **content)
    number = response.headers["x-stub-request"]
    assert (response.status_code, number) == (status, "default-1")
    (line,) = logged
    assert (line["request"], line["status"]) == (number, status)
    assert ok(api.get(f"{REQUESTS}/{number}"))["status"] == status


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", "//", {}),
        ("GET", "//docs/", {}),
        ("GET", "//openapi.json", {}),
        ("GET", "//favicon.ico", {}),
        ("GET", "//upfiles/courses/small/a_0001.png", {}),
        ("GET", "/oauth/authorize/?client_id=stub-app&response_type=code&redirect_uri=http://localhost/", {}),
        ("GET", "/oauth/authorize/", {}),
        ("OPTIONS", "/course/1/", {"Origin": "http://localhost", "Access-Control-Request-Method": "PUT"}),
        ("GET", "/__stub/health", {}),
        ("GET", "/__stub/nowhere", {}),
        ("PUT", "/__stub/health", {"Content-Type": "application/json"}),
        ("GET", "/course/1/", {"X-Stub-World": "no name"}),
    ],
)
def test_an_answer_that_is_not_kept_names_none(
    api: Api, logged: list[Facts], method: str, path: str, headers: dict[str, str]
) -> None:
    response = api.request(method, path, headers=headers)
    assert "x-stub-request" not in response.headers
    assert ["request" in line for line in logged] == [False]
    assert requests(api) == []


def test_ids_are_those_of_a_request_each(api: Api) -> None:
    ids = [api.get("/course/1/").headers["x-stub-request"] for _ in range(5)]
    assert len(set(ids)) == 5
    assert [entry["id"] for entry in requests(api)] == ids[::-1]
