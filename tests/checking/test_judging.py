"""What the contract does not allow, in requests and in answers."""

import copy
import gzip
import json
from typing import Any

import pytest

from stubserver.checking.observed import ANSWER, REQUEST, Exchange
from stubserver.checking.observer import Observer
from stubserver.contract.contract import Contract

pytestmark = pytest.mark.table

JSON = {"content-type": "application/json", "authorization": "Bearer some-token"}
FORM = {"content-type": "application/x-www-form-urlencoded"}
IS_HTML = [(b"content-type", b"text/html")]
IS_JSON = [(b"content-type", b"application/json")]
COURSE = {"name": "Pots", "type": "self-paced"}


@pytest.fixture(scope="module")
def course(contract: Contract) -> Any:
    return contract.operations["get_course"].examples[200]


def judged(contract: Contract, exchange: Exchange, source: str) -> list[tuple[str, str]]:
    """Place and kind of what is wrong with one side of an exchange."""
    observer = Observer(contract, "http://t")
    number = observer.note(exchange)
    findings = observer.report(1.0).findings
    assert number == sum(finding.times for finding in findings)
    return [(one.difference.at, one.difference.kind) for one in findings if one.source == source]


def asked(contract: Contract, method: str, path: str, query: str = "", body: Any = b"", **headers: str) -> Any:
    """What is wrong with a request."""
    raw = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    exchange = Exchange(method, f"/api/v2/{path}", query, named, raw, 401, [*IS_JSON, (b"www-authenticate", b"Bearer")])
    exchange.answer = b'{"errors": [{"message": "No.", "code": "not_authenticated"}]}'
    return judged(contract, exchange, REQUEST)


@pytest.mark.parametrize(
    ("method", "path", "query", "wrong"),
    [
        ("GET", "course/search/", "limit=2&offset=4&search=a", []),
        ("GET", "course/search/", "limt=2", [("request: limt", "undeclared")]),
        ("GET", "course/search/", "limit=two", [("request: limit", "type")]),
        ("GET", "course/search/", "statuses=joined&statuses[]=requested", []),
        ("GET", "course/search/", "statuses=gone", [("request: statuses", "request")]),
        ("GET", "course/search/", "search=%ff", [("request: body", "request")]),
        ("HEAD", "course/1/", "x=1", [("request: x", "undeclared")]),
        ("OPTIONS", "course/1/", "x=1", []),
        ("PUT", "course/", "x=1", []),
        ("GET", "courses/", "x=1", []),
    ],
)
def test_queries(contract: Contract, method: str, path: str, query: str, wrong: Any) -> None:
    assert asked(contract, method, path, query) == wrong


@pytest.mark.parametrize(
    ("body", "headers", "wrong"),
    [
        (COURSE, JSON, []),
        ({**COURSE, "colour": 1}, JSON, [("request: colour", "undeclared")]),
        ({**COURSE, "id": 1}, JSON, [("request: id", "undeclared")]),
        ({**COURSE, "privacy": "public"}, JSON, [("request: privacy", "request")]),
        ({**COURSE, "hide_member_count": "true"}, JSON, [("request: hide_member_count", "type")]),
        ({"type": "self-paced"}, JSON, [("request: name", "request")]),
        ([1], JSON, [("request: non_field_errors", "request")]),
        (b"{", JSON, [("request: body", "request")]),
        (b"", JSON, [("request: body", "request")]),
        (COURSE, {"content-type": "Application/JSON; charset=utf-8"}, []),
        (COURSE, {"content-type": "text/plain"}, [("request: Content-Type", "media type")]),
        (COURSE, {}, [("request: Content-Type", "media type")]),
        (b"name=Pots&type=self-paced", FORM, []),
        (b"name=Pots&type=self-paced&colour=1", FORM, [("request: colour", "undeclared")]),
        (b"{}", FORM, [(f"request: {name}", "request") for name in ("name", "type", "non_field_errors")]),
        (gzip.compress(json.dumps(COURSE).encode(), mtime=0), {**JSON, "content-encoding": "gzip"}, []),
        (b"no gzip", {**JSON, "content-encoding": "gzip"}, [("request: body", "request")]),
        (b"?", {**JSON, "content-encoding": "br"}, [("request: body", "request")]),
        (None, JSON, []),
    ],
)  # fmt: skip
def test_bodies(contract: Contract, body: Any, headers: dict[str, str], wrong: Any) -> None:
    assert asked(contract, "POST", "course/", "", body, **headers) == wrong


def test_a_body_where_there_is_none(contract: Contract) -> None:
    assert asked(contract, "DELETE", "course/1/", "", {"x": 1}, **JSON) == [("request: body", "undeclared")]


def test_a_suggestion_comes_with_it(contract: Contract) -> None:
    observer = Observer(contract, "http://t")
    observer.note(Exchange("GET", "/api/v2/course/search/", "limt=2", {}, b"", 401, IS_JSON, b"{}"))
    found = observer.report(1.0).findings[0].difference
    assert (found.expected, found.found) == ("no such parameter", "There is no parameter 'limt'. Did you mean limit?")


def answered(contract: Contract, status: int, body: Any, headers: Any = IS_JSON, method: str = "GET") -> Any:
    """What is wrong with an answer to a request for a course."""
    raw = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    return judged(contract, Exchange(method, "/api/v2/course/1/", "", {}, b"", status, headers, raw), ANSWER)


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({}, []),
        ({"privacy": "public"}, [("privacy", "schema")]),
        ({"id": "1"}, [("id", "schema")]),
        ({"privacy": "public", "name": 1}, [("name", "schema"), ("privacy", "schema")]),
    ],
)
def test_bodies_of_answers(contract: Contract, course: Any, change: Any, wrong: Any) -> None:
    assert sorted(answered(contract, 200, {**copy.deepcopy(course), **change})) == wrong


@pytest.mark.parametrize(
    ("status", "body", "headers", "wrong"),
    [
        (500, b"<h1>", [], [("status", "status")]),
        (201, b"{}", IS_JSON, [("status", "status")]),
        (204, b"", [], [("status", "status")]),
        (304, b"", [], []),
        (200, b"<h1>", IS_JSON, [("body", "schema")]),
        (200, b"", IS_JSON, [("body", "schema")]),
        (404, {"errors": [{"message": "No.", "code": "not_found"}]}, IS_JSON, []),
        (404, {"errors": [{"message": "No.", "code": "not_found"}]}, IS_HTML, [("Content-Type", "header")]),
        (404, {"detail": "No."}, IS_JSON, [("errors", "schema")]),
        (401, {"errors": [{"message": "No.", "code": "x"}]}, IS_JSON, [("WWW-Authenticate", "header")]),
        (200, b"?", [*IS_JSON, (b"content-encoding", b"br")], []),
        (500, b"?", [*IS_JSON, (b"content-encoding", b"br")], [("status", "status")]),
        (200, None, IS_JSON, []),
        (500, None, IS_JSON, [("status", "status")]),
    ],
)  # fmt: skip
def test_answers(contract: Contract, status: int, body: Any, headers: Any, wrong: Any) -> None:
    assert sorted(answered(contract, status, body, headers)) == sorted(wrong)


def test_compressed_answers_are_read(contract: Contract, course: Any) -> None:
    headers = [*IS_JSON, (b"content-encoding", b"gzip")]
    body = gzip.compress(json.dumps({**course, "id": "1"}).encode())
    assert answered(contract, 200, body, headers) == [("id", "schema")]


def test_what_would_expand_without_end_is_not_read(contract: Contract) -> None:
    headers = [*IS_JSON, (b"content-encoding", b"gzip")]
    assert answered(contract, 200, gzip.compress(b" " * 9_000_000), headers) == []


def test_a_head_has_a_status_only(contract: Contract) -> None:
    assert answered(contract, 200, b"", [], "HEAD") == []
    assert answered(contract, 500, b"", [], "HEAD") == [("status", "status")]


def test_nothing_comes_with_a_status_that_has_no_body(contract: Contract) -> None:
    exchange = Exchange("DELETE", "/api/v2/course/1/", "", {}, b"", 204, [], b"null")
    assert judged(contract, exchange, ANSWER) == [("body", "extra")]


def test_the_arithmetic_of_pages_holds(contract: Contract) -> None:
    page: Any = {"count": 3, "next": None, "previous": None, "results": []}
    exchange = Exchange("GET", "/api/v2/course/search/", "limit=2", {}, b"", 200, IS_JSON, json.dumps(page).encode())
    assert judged(contract, exchange, ANSWER) == [("/results", "page"), ("/next", "page")]
