"""Every way to be refused: one shape, the right status and code, and a message that says what is wrong."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from stubserver.api import operations
from stubserver.api.views.course import CourseView
from stubserver.app import StubServer
from stubserver.call import Call
from stubserver.contract.contract import Contract
from stubserver.settings import Settings
from tests.support.answers import codes
from tests.support.client import Api
from tests.support.default import NOW
from tests.support.forms import FORM, JSON
from tests.support.rows import snapshot
from tests.support.tokens import signed
from tests.support.wire import ask

PARTS = {"Content-Type": "multipart/form-data; boundary=b"}
GENERAL = ""
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY", "BREW")
pytestmark = pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")


@dataclass(frozen=True)
class Wrong:
    """A request that must be refused."""

    status: int
    code: str | dict[str, str]
    """Of the one general entry, or of each field."""
    says: str
    """What the message must contain."""
    request: str
    """Method and path."""
    persona: str | None = None
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def method(self) -> str:
        return self.request.split(" ")[0]

    @property
    def path(self) -> str:
        return self.request.split(" ", 1)[1]


def bearer(text: str) -> dict[str, Any]:
    return {"headers": {"Authorization": f"Bearer {text}"}}


def sent(content: bytes, media: dict[str, str] | str = JSON) -> dict[str, Any]:
    return {"content": content, "headers": {"Content-Type": media} if isinstance(media, str) else media}


def part(name: str, text: bytes, file: str = "") -> bytes:
    disposition = f'form-data; name="{name}"' + (f'; filename="{file}"' if file else "")
    return b"--b\r\nContent-Disposition: " + disposition.encode() + b"\r\n\r\n" + text + b"\r\n"


async def stream(size: int) -> AsyncIterator[bytes]:
    for _ in range(size):
        yield b"x" * 10


BAD, NONE = "authentication_failed", "not_authenticated"
LOGIN = "Authentication credentials were not provided"
HEADER = "must read: Bearer TOKEN"
MINE = "GET /course/"
NEW = "POST /course/"
CHANGE = "PATCH /course/1/"
LONE = b'{"name":"\\ud800","type":"self-paced"}'
BIG = b'{"name":"n","type":"self-paced","categories":[%b]}'
FIELDS = b"&".join(b"a%d=1" % n for n in range(1001))

TABLE: dict[str, Wrong] = {
    # Tokens
    "no token": Wrong(401, NONE, LOGIN, MINE),
    "no token, to change": Wrong(401, NONE, LOGIN, CHANGE, None, {"json": {}}),
    "unknown token": Wrong(401, BAD, "token is not valid", MINE, None, bearer("stub-nobody")),
    "wrong scheme": Wrong(401, BAD, HEADER, MINE, None, {"headers": {"Authorization": "Basic c3R1Yjpz"}}),
    "scheme Token": Wrong(401, BAD, HEADER, MINE, None, {"headers": {"Authorization": "Token stub-member"}}),
    "no scheme": Wrong(401, BAD, HEADER, MINE, None, {"headers": {"Authorization": "stub-member"}}),
    "no token after the scheme": Wrong(401, BAD, HEADER, MINE, None, {"headers": {"Authorization": "Bearer"}}),
    "blank token": Wrong(401, BAD, HEADER, MINE, None, {"headers": {"Authorization": "Bearer   "}}),
    "empty header": Wrong(401, BAD, HEADER, MINE, None, {"headers": {"Authorization": ""}}),
    "two tokens": Wrong(401, BAD, "not valid", MINE, None, bearer("stub-member stub-creator")),
    "odd letters": Wrong(401, BAD, "not valid", MINE, None, {"headers": {"Authorization": b"Bearer \xfc.\xfc.\xfc"}}),
    "jwt expired": Wrong(401, BAD, "expired", MINE, None, bearer(signed(exp=int(NOW.timestamp()) - 1))),
    "jwt expires now": Wrong(401, BAD, "expired", MINE, None, bearer(signed(exp=int(NOW.timestamp())))),
    "jwt exp no number": Wrong(401, BAD, "not valid", MINE, None, bearer(signed(exp="soon"))),
    "jwt wrong secret": Wrong(401, BAD, "ignature", MINE, None, bearer(signed("another secret"))),
    "jwt alg none": Wrong(401, BAD, "alg", MINE, None, bearer(signed("", "none"))),
    "jwt alg HS512": Wrong(401, BAD, "alg", MINE, None, bearer(signed(algorithm="HS512"))),
    "jwt for refreshing": Wrong(401, BAD, "token_type", MINE, None, bearer(signed(token_type="refresh"))),
    **{
        f"jwt without {claim}": Wrong(401, BAD, claim, MINE, None, bearer(signed(without=claim)))
        for claim in ("user_id", "token_type", "jti", "iat", "exp")
    },
    "jwt of an unknown user": Wrong(401, BAD, "user does not exist", MINE, None, bearer(signed(user_id=999))),
    "jwt user_id bool": Wrong(401, BAD, "user_id", MINE, None, bearer(signed(user_id=True))),
    "jwt user_id string": Wrong(401, BAD, "user_id", MINE, None, bearer(signed(user_id="3"))),
    "jwt user_id float": Wrong(401, BAD, "user_id", MINE, None, bearer(signed(user_id=3.0))),
    "jwt user_id null": Wrong(401, BAD, "user_id", MINE, None, bearer(signed(user_id=None))),
    "jwt user_id list": Wrong(401, BAD, "user_id", MINE, None, bearer(signed(user_id=[3]))),
    # Roles
    "change by a member": Wrong(403, "permission_denied", "creator or a manager", CHANGE, "member", {"json": {}}),
    "delete by staff": Wrong(403, "permission_denied", "creator or a manager", "DELETE /course/1/", "staff"),
    "view=edit": Wrong(403, "permission_denied", "creator or a manager", "GET /course/1/?view=edit", "member"),
    "view=dashboard": Wrong(
        403, "permission_denied", "creator or a manager", "GET /course/1/?view=dashboard", "member"
    ),
    "emulation": Wrong(403, "permission_denied", "creator or a manager", "GET /course/1/?user=1", "stranger"),
    "removal": Wrong(403, "permission_denied", "creator or a manager", "DELETE /course/1/join/?user=3", "stranger"),
    "creator leaves": Wrong(
        403, "permission_denied", "creator of a course cannot", "DELETE /course/1/join/", "creator"
    ),
    "hidden roster": Wrong(403, "permission_denied", "creator or a manager", "GET /course/13/join/", "member"),
    # Paths and rows
    "no such path": Wrong(404, "not_found", "/api/v2/nowhere/", "GET /nowhere/"),
    "outside the API": Wrong(404, "not_found", "/nowhere", "GET //nowhere"),
    "no slash": Wrong(404, "not_found", "ends with a slash", "GET /course/1"),
    "no such course": Wrong(404, "not_found", "Course 99", "GET /course/99/"),
    "no such user": Wrong(404, "not_found", "User 99", "GET /user/99/courses/"),
    "no such subject": Wrong(404, "not_found", "User 99", "GET /course/1/?user=99", "creator"),
    "secret course": Wrong(404, "not_found", "Course 7 ", "GET /course/7/", "stranger"),
    "draft": Wrong(404, "not_found", "Course 10 ", "DELETE /course/10/", "member"),
    "no status to end": Wrong(404, "not_found", "course 1 ", "DELETE /course/1/join/", "stranger"),
    "id that is no number": Wrong(404, "not_found", "/course/abc/", "GET /course/abc/"),
    "id of the client's bug": Wrong(404, "not_found", "undefined", "GET /course/undefined/"),
    "id with a fraction": Wrong(404, "not_found", "1.0", "GET /course/1.0/"),
    "id in other digits": Wrong(404, "not_found", "No such path", "GET /course/%D9%A1/"),
    "id zero": Wrong(404, "not_found", "Course 0 ", "GET /course/0/"),
    "id negative": Wrong(404, "not_found", "Course -1 ", "GET /course/-1/"),
    "id of 30 digits": Wrong(404, "not_found", "9" * 30, f"GET /course/{'9' * 30}/"),
    "id of 1900 digits": Wrong(404, "not_found", "9" * 30, f"GET /course/{'9' * 1900}/"),
    "id of 5000 digits": Wrong(404, "not_found", "No such path", f"GET /course/{'9' * 5000}/"),
    "path with NUL": Wrong(404, "not_found", "No such path", "GET /course/%00/"),
    "path with a slash in it": Wrong(404, "not_found", "No such path", "GET /course/1%2F/"),
    "path that climbs": Wrong(404, "not_found", "No such path", "GET /course/1/%2E%2E/search/"),
    "path that is not UTF-8": Wrong(404, "not_found", "No such path", "GET /course/%FF/"),
    "file of the server": Wrong(404, "not_found", "No such path", "GET //docs/%2E%2E/%2E%2E/app.py"),
    # Methods and media types
    "PUT on a list": Wrong(405, "method_not_allowed", "GET, HEAD, POST", "PUT /course/"),
    "BREW": Wrong(405, "method_not_allowed", "DELETE, GET, HEAD, PATCH, PUT", "BREW /course/1/"),
    "POST to the document": Wrong(405, "method_not_allowed", "GET", "POST //openapi.json"),
    "POST to a picture": Wrong(405, "method_not_allowed", "GET", "POST //upfiles/courses/small/a_1.png"),
    **{
        f"accept {media}": Wrong(
            406, "not_acceptable", "application/json", MINE, "member", {"headers": {"Accept": media}}
        )
        for media in ("text/html", "application/json;q=0", "application/json; q=0.000", "application/xml", "*/*;q=0")
    },
    "accept text, xml": Wrong(
        406,
        "not_acceptable",
        "Accept",
        NEW,
        "member",
        {"json": {}, "headers": {"Accept": "text/plain, application/xml;q=0.9"}},
    ),
    "text/plain": Wrong(415, "unsupported_media_type", "text/plain", NEW, "creator", sent(b"name=x", "text/plain")),
    "xml": Wrong(415, "unsupported_media_type", "application/xml", NEW, "creator", sent(b"<a/>", "application/xml")),
    "json patch": Wrong(
        415, "unsupported_media_type", "json-patch", CHANGE, "creator", sent(b"[]", "application/json-patch+json")
    ),
    "nonsense media type": Wrong(415, "unsupported_media_type", "nonsense", CHANGE, "creator", sent(b"x", "nonsense")),
    # Bodies that cannot be read
    "no boundary": Wrong(400, "parse_error", "boundary", NEW, "creator", sent(b"x", "multipart/form-data")),
    "not JSON": Wrong(400, "parse_error", "JSON parse error", NEW, "creator", sent(b"{name: x}")),
    "half JSON": Wrong(400, "parse_error", "JSON parse error", NEW, "creator", sent(b'{"name": "x"')),
    "not UTF-8": Wrong(400, "parse_error", "JSON parse error", NEW, "creator", sent(b'{"name": "\xff"}')),
    "UTF-16": Wrong(400, "parse_error", "JSON parse error", NEW, "creator", sent('{"name": "x"}'.encode("utf-16"))),
    **{
        f"{value.decode()} in JSON": Wrong(400, "parse_error", "JSON parse error", NEW, "creator", sent(BIG % value))
        for value in (b"NaN", b"Infinity", b"-Infinity", b"1e400", b"0x10", b"01")
    },
    "100000 brackets": Wrong(400, "parse_error", "JSON parse error", NEW, "creator", sent(b"[" * 100_000)),
    "100000 objects": Wrong(400, "parse_error", "JSON parse error", NEW, "creator", sent(b'{"a":' * 100_000)),
    "lone surrogate": Wrong(400, "parse_error", "JSON parse error", NEW, "creator", sent(LONE)),
    "5000 digits": Wrong(400, "parse_error", "JSON parse error", NEW, "creator", sent(BIG % (b"9" * 5000))),
    "empty body": Wrong(400, "required", "needs a JSON body", NEW, "creator", sent(b"")),
    "no body": Wrong(400, "required", "needs a JSON body", NEW, "creator"),
    "blank body": Wrong(400, "parse_error", "JSON parse error", NEW, "creator", sent(b"  ")),
    "form not UTF-8": Wrong(400, "parse_error", "not UTF-8", NEW, "creator", sent(b"name=\xff", FORM)),
    "form escapes not UTF-8": Wrong(400, "parse_error", "not UTF-8", NEW, "creator", sent(b"name=%ff", FORM)),
    "part not UTF-8": Wrong(
        400, "parse_error", "not UTF-8", NEW, "creator", sent(part("name", b"\xff") + b"--b--\r\n", PARTS)
    ),
    "truncated multipart": Wrong(400, "parse_error", "ends before", NEW, "creator", sent(part("name", b"x"), PARTS)),
    "multipart without parts": Wrong(400, "parse_error", "Form parse error", NEW, "creator", sent(b"nothing", PARTS)),
    "1001 form fields": Wrong(400, "parse_error", "1000", NEW, "creator", sent(FIELDS, FORM)),
    "1001 parts": Wrong(400, "parse_error", "1000", NEW, "creator", sent(part("a", b"") * 1001 + b"--b--\r\n", PARTS)),
    "query not UTF-8": Wrong(400, "parse_error", "query string is not UTF-8", "GET /course/search/?search=%ff"),
    "1001 parameters": Wrong(400, "parse_error", "1000", f"GET /course/search/?{FIELDS.decode()}"),
    # Bodies and parameters that break the schema or a rule
    **{
        f"{value.decode()} as body": Wrong(
            400, {"non_field_errors": "invalid"}, "must be an object", NEW, "creator", sent(value)
        )
        for value in (b"[]", b'"name"', b"5", b"true")
    },
    "null as body": Wrong(400, {"non_field_errors": "null"}, "null", NEW, "creator", sent(b"null")),
    "nothing in it": Wrong(400, {"name": "required", "type": "required"}, "required", NEW, "creator", {"json": {}}),
    "empty form": Wrong(400, {"name": "required", "type": "required"}, "required", NEW, "creator", sent(b"", FORM)),
    "JSON as a form": Wrong(
        400,
        {"name": "required", "type": "required", "non_field_errors": "parse_error"},
        "Send it as application/json",
        NEW,
        "creator",
        sent(b'{"name":"x","type":"self-paced"}', FORM),
    ),
    "all fields wrong": Wrong(
        400,
        {
            "name": "blank",
            "slug": "invalid",
            "description": "null",
            "type": "invalid_choice",
            "privacy": "invalid_choice",
            "hide_member_count": "invalid",
            "sections_order": "not_a_list",
            "categories": "min_value",
        },
        "open",
        "PUT /course/1/",
        "creator",
        {
            "json": {
                "name": " ",
                "slug": "a b",
                "description": None,
                "type": "weekly",
                "privacy": "hidden",
                "hide_member_count": "maybe",
                "sections_order": "1,2",
                "categories": [0],
            }
        },
    ),
    "all rules broken": Wrong(
        400,
        {
            "name": "unique",
            "slug": "unique",
            "privacy": "invalid",
            "categories": "does_not_exist",
            "sections_order": "does_not_exist",
        },
        "cannot go back to draft",
        CHANGE,
        "creator",
        {
            "json": {
                "name": "Sourdough in Thirty Days",
                "slug": "sourdough-in-thirty-days",
                "privacy": "",
                "categories": [99],
                "sections_order": [4],
            }
        },
    ),
    **{
        f"integer {number}": Wrong(
            400,
            {"categories": "max_value"},
            "9223372036854775807",
            CHANGE,
            "creator",
            {"json": {"categories": [number]}},
        )
        for number in (2**63, 2**64, 10**30)
    },
    "NUL in a name": Wrong(400, {"name": "invalid"}, "Null characters", CHANGE, "creator", {"json": {"name": "a\0b"}}),
    "NUL in a form": Wrong(400, {"name": "invalid"}, "Null characters", CHANGE, "creator", sent(b"name=a%00b", FORM)),
    "NUL in a search": Wrong(400, {"search": "invalid"}, "Null characters", "GET /course/search/?search=a%00b"),
    "file in a text field": Wrong(
        400,
        {"name": "invalid"},
        "got a file",
        CHANGE,
        "creator",
        sent(part("name", b"x", "f.txt") + b"--b--\r\n", PARTS),
    ),
    "two bad parameters": Wrong(
        400,
        {"limit": "min_value", "offset": "invalid"},
        "greater than or equal to 1",
        "GET /course/?limit=0&offset=x",
        "member",
    ),
    "limit=undefined": Wrong(400, {"limit": "invalid"}, "undefined", "GET /course/?limit=undefined", "member"),
    "limit in other digits": Wrong(400, {"limit": "invalid"}, "whole number", "GET /course/?limit=%D9%A3", "member"),
    "limit of 30 digits": Wrong(400, {"limit": "invalid"}, "64 bits", f"GET /course/?limit={'9' * 30}", "member"),
    "unknown status": Wrong(400, {"statuses": "invalid_choice"}, "joined", "GET /course/?statuses=boss", "member"),
    "unknown view": Wrong(400, {"view": "invalid_choice"}, "dashboard", "GET /course/1/?view=x", "creator"),
    "unknown invitee": Wrong(
        400, {"users": "does_not_exist"}, "99", "POST /course/1/invite/", "creator", {"json": {"users": [99]}}
    ),
    "no invitee": Wrong(400, {"users": "empty"}, "empty", "POST /course/1/invite/", "creator", {"json": {"users": []}}),
    "no role": Wrong(
        400, {"non_field_errors": "required"}, "At least", "POST /course/1/role/", "creator", {"json": {}}
    ),
    "the creator's role": Wrong(
        400, {"joined": "invalid"}, "creator", "POST /course/1/role/", "manager", {"json": {"joined": [1]}}
    ),
}


@pytest.fixture(scope="module")
def operation_of(contract: Contract) -> Callable[[str, str], dict[str, Any] | None]:
    """The declaration of the operation that a method and path of the API name."""

    def find(method: str, path: str) -> dict[str, Any] | None:
        for documented in sorted(contract.document["paths"], key=lambda name: name.count("{")):
            pattern = re.sub(r"\{\w+\}", "-?[0-9]+", documented)
            if re.fullmatch(pattern, "/api/v2" + path.split("?")[0]):
                found: dict[str, Any] | None = contract.document["paths"][documented].get(method.lower())
                return found
        return None

    return find


ODD = {name: pytest.mark.in_process("HTTP clients and servers refuse it") for name in ("blank token", "BREW")}


@pytest.mark.parametrize(
    "wrong", [pytest.param(wrong, id=name, marks=ODD.get(name, ())) for name, wrong in TABLE.items()]
)
def test_refusals(api: Api, operation_of: Callable[[str, str], dict[str, Any] | None], wrong: Wrong) -> None:
    """Shape, status, codes and message; nothing has changed; the contract announces the status."""
    before = snapshot(api.world)
    response = api.as_(wrong.persona).request(wrong.method, wrong.path, **wrong.options)
    assert response.status_code == wrong.status
    assert response.headers["content-type"] == "application/json"
    assert codes(response) == ({GENERAL: wrong.code} if isinstance(wrong.code, str) else wrong.code)
    assert wrong.says in response.text.replace('\\"', '"')
    assert ("www-authenticate" in response.headers) == (wrong.status == 401)
    assert ("allow" in response.headers) == (wrong.status == 405)
    assert snapshot(api.world) == before
    operation = operation_of(wrong.method, wrong.path)
    if operation is not None:
        assert str(wrong.status) in operation["responses"]


def test_every_status_is_provoked(contract: Contract) -> None:
    declared = {int(status) for o in contract.operations.values() for status in o.answers if status >= 400}
    assert declared <= {wrong.status for wrong in TABLE.values()} | {413}


# Tokens


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
@pytest.mark.parametrize("text", ["stub-member", signed(), signed(iat=4 * 10**9), signed(exp=4e9, ext_id="x", aud="a")])
def test_good_tokens_are_accepted(api: Api, scheme: str, text: str) -> None:
    response = api.get("/course/1/status/", headers={"Authorization": f"{scheme} {text}"})
    assert (response.status_code, response.json()) == (200, {"status": "joined"})


def test_jwts_expire_by_the_clock_of_the_world(api: Api) -> None:
    long_ago = NOW - timedelta(days=9000)
    late = bearer(signed(exp=int(long_ago.timestamp())))
    assert api.get("/course/", **late).status_code == 401
    api.world.clock.freeze(long_ago - timedelta(seconds=1))
    assert api.get("/course/", **late).status_code == 200
    api.world.clock.advance(timedelta(seconds=1))
    assert api.get("/course/", **late).status_code == 401


def test_jwts_are_refused_without_a_secret(contract: Contract, server: StubServer, runner: asyncio.Runner) -> None:
    api = Api(StubServer(contract, server.fixture), runner)
    for text in (signed(), signed("", "none")):
        response = api.get("/course/", **bearer(text))
        assert (response.status_code, codes(response)) == (401, {GENERAL: BAD})
        assert "Unknown token" in response.text


@pytest.mark.parametrize("secret", ["", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"])
def test_an_unusable_secret_is_refused_at_start(contract: Contract, server: StubServer, secret: str) -> None:
    with pytest.raises(ValueError, match="the JWT secret cannot be used"):
        StubServer(contract, server.fixture, Settings(jwt_secret=secret))


@pytest.mark.parametrize("header", ["Bearer stub-nobody", "Basic c3R1Yg==", "Bearer"])
def test_bad_tokens_are_refused_by_every_operation(api: Api, contract: Contract, header: str) -> None:
    """Also by those that an anonymous caller may use; not by those that take no token."""
    for operation in contract.operations.values():
        if not contract.document["paths"][operation.path][operation.method]["security"]:
            continue
        path = re.sub(r"\{\w+\}", "1", operation.path)
        response = api.request(operation.method.upper(), path, headers={"Authorization": header})
        assert response.status_code == 401, operation.id
        assert codes(response) == {GENERAL: BAD}
        assert response.headers["www-authenticate"].startswith("Bearer")


# Methods


@pytest.mark.in_process("HTTP clients and servers refuse it")
def test_the_allow_list_is_complete(api: Api, contract: Contract) -> None:
    for path, item in contract.document["paths"].items():
        declared = {method.upper() for method in item if method in ("get", "put", "post", "patch", "delete")}
        declared |= {"HEAD"} & ({"HEAD"} if "GET" in declared else set())
        for method in sorted(set(METHODS) - declared):
            for number in ("1", "99"):
                response = api.request(method, re.sub(r"\{\w+\}", number, path))
                assert response.status_code == 405, f"{method} {path}"
                assert set(response.headers["allow"].split(", ")) == declared, f"{method} {path}"
                if method != "HEAD":
                    assert codes(response) == {GENERAL: "method_not_allowed"}


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


# Order of checks


@pytest.mark.parametrize(
    ("persona", "path", "options", "status"),
    [
        (None, "/course/99/", bearer("stub-nobody"), 401),
        (None, "/course/10/", bearer("stub-nobody"), 401),
        (None, "/course/99/", sent(b"<a/>", "application/xml"), 401),
        ("stranger", "/course/99/", sent(b"<a/>", "application/xml"), 404),
        ("stranger", "/course/10/", sent(b"{"), 404),
        ("stranger", "/course/1/", sent(b"<a/>", "application/xml"), 403),
        ("stranger", "/course/1/", sent(b"{"), 403),
        ("creator", "/course/1/", sent(b"{", "application/xml"), 415),
        ("creator", "/course/1/", sent(b"{"), 400),
    ],
)
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_checks_come_in_order(
    api: Api, method: str, persona: str | None, path: str, options: dict[str, Any], status: int
) -> None:
    """Token, course, role, and only then media type and body."""
    assert api.as_(persona).request(method, path, **options).status_code == status


@pytest.mark.parametrize(
    ("persona", "path", "status"),
    [
        ("creator", "/course/99/users/?limit=0", 404),
        ("stranger", "/course/1/users/?limit=0", 403),
        ("creator", "/course/1/users/?limit=0", 400),
        ("stranger", "/course/1/?user=x", 403),
        ("stranger", "/course/7/?view=x", 404),
    ],
)
def test_parameters_are_checked_last(api: Api, persona: str, path: str, status: int) -> None:
    assert api.as_(persona).get(path).status_code == status


# Refusals that any operation may give


@pytest.mark.parametrize(
    ("query", "options"),
    [
        ("?x=%ff", {}),
        ("?" + FIELDS.decode(), {}),
        ("", sent(b"x" * 101)),
        ("", sent(b"x", "text/plain")),
        ("", sent(b"{")),
    ],
    ids=["query not UTF-8", "1001 parameters", "large body", "text/plain", "half JSON"],
)
@pytest.mark.in_process("it changes the server")
def test_no_operation_answers_what_its_contract_does_not_announce(
    api: Api, monkeypatch: pytest.MonkeyPatch, contract: Contract, query: str, options: dict[str, Any]
) -> None:
    monkeypatch.setattr(api.app.worlds, "settings", Settings(max_body=100))
    undeclared = []
    for path, item in contract.document["paths"].items():
        for method in item:
            target = path.replace("{id}", "1") + query
            status = api.as_("creator").request(method.upper(), target, **options).status_code
            if str(status) not in item[method]["responses"]:
                undeclared.append(f"{item[method]['operationId']}: {status}")
    assert undeclared == []


# Failures of our own


@pytest.mark.in_process("it changes the server")
def test_a_failing_operation_is_a_500_that_is_logged(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(call: Call) -> None:
        call.world.courses.delete(1)
        raise ZeroDivisionError("a bug")

    monkeypatch.setitem(operations.FUNCTIONS, "patch_course", fail)
    before = snapshot(api.world)
    with caplog.at_level(logging.ERROR, logger="stubserver"):
        response = api.as_("creator").patch("/course/1/", json={})
    assert (response.status_code, codes(response)) == (500, {GENERAL: "error"})
    assert "a bug" not in response.text
    assert "ZeroDivisionError" in caplog.text
    assert "/api/v2/course/1/" in caplog.text
    assert snapshot(api.world) == before


@pytest.mark.parametrize(
    "answer", [{"status": "emperor"}, {}, None, {"status": object()}], ids=["no status", "empty", "none", "no JSON"]
)
@pytest.mark.in_process("it changes the server")
def test_an_answer_off_the_contract_is_a_500_that_is_logged(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, answer: Any
) -> None:
    monkeypatch.setitem(operations.FUNCTIONS, "get_course_status", lambda call: answer)
    with caplog.at_level(logging.ERROR, logger="stubserver"):
        response = api.as_("creator").get("/course/1/status/")
    assert (response.status_code, codes(response)) == (500, {GENERAL: "error"})
    assert caplog.records
    if isinstance(answer, dict) and isinstance(answer.get("status"), str):
        assert "get_course_status" in caplog.text
        assert "status" in caplog.text.split("get_course_status", 1)[1]


@pytest.mark.in_process("it changes the server")
def test_an_answer_off_the_contract_leaves_nothing_behind(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def spoil(call: Call) -> Any:
        return CourseView(call, call.world.courses.put({**call.course, "name": 5}))

    monkeypatch.setitem(operations.FUNCTIONS, "patch_course", spoil)
    before = snapshot(api.world)
    assert api.as_("creator").patch("/course/1/", json={}).status_code == 500
    assert snapshot(api.world) == before
