"""Every way to be refused: one shape, the right status and code, and a message that says what is wrong."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from stubserver.contract.contract import Contract
from stubserver.settings import Settings
from tests.support.answers import GENERAL, codes
from tests.support.client import Api
from tests.support.default import NOW
from tests.support.forms import FORM, MULTIPART, form, part, sent
from tests.support.rows import snapshot
from tests.support.tokens import bearer, signed

pytestmark = pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")


@dataclass(frozen=True)
class Wrong:
    """A request that must be refused."""

    status: int
    code: str | dict[str, str]
    """The code of the one general entry, or of each field."""
    says: str
    """What the message must contain."""
    request: str
    """Method and path."""
    persona: str | None = None
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def is_strict(self) -> bool:
        """Whether only a strict world refuses it (R016)."""
        return "?limit=" in self.path

    @property
    def method(self) -> str:
        return self.request.split(" ")[0]

    @property
    def path(self) -> str:
        return self.request.split(" ", 1)[1]


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
    "id in other digits": Wrong(404, "not_found", "is no id", "GET /course/%D9%A1/"),
    "id zero": Wrong(404, "not_found", "Course 0 ", "GET /course/0/"),
    "id negative": Wrong(404, "not_found", "Course -1 ", "GET /course/-1/"),
    "id of 30 digits": Wrong(404, "not_found", "9" * 30, f"GET /course/{'9' * 30}/"),
    "id of 1900 digits": Wrong(404, "not_found", "9" * 30, f"GET /course/{'9' * 1900}/"),
    "id of 5000 digits": Wrong(404, "not_found", "No such path", f"GET /course/{'9' * 5000}/"),
    "path with NUL": Wrong(404, "not_found", "is no id", "GET /course/%00/"),
    "path with a slash in it": Wrong(404, "not_found", "No such path", "GET /course/1%2F/"),
    "path that climbs": Wrong(404, "not_found", "No such path", "GET /course/1/%2E%2E/search/"),
    "path that is not UTF-8": Wrong(404, "not_found", "is no id", "GET /course/%FF/"),
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
        400, "parse_error", "not UTF-8", NEW, "creator", sent(form(part("name", b"\xff")), MULTIPART)
    ),
    "truncated multipart": Wrong(
        400, "parse_error", "ends before", NEW, "creator", sent(part("name", b"x"), MULTIPART)
    ),
    "multipart without parts": Wrong(
        400, "parse_error", "Form parse error", NEW, "creator", sent(b"nothing", MULTIPART)
    ),
    "1001 form fields": Wrong(400, "parse_error", "1000", NEW, "creator", sent(FIELDS, FORM)),
    "1001 parts": Wrong(400, "parse_error", "1000", NEW, "creator", sent(form(part("a", b"") * 1001), MULTIPART)),
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
        sent(form(part("name", b"x", "f.txt")), MULTIPART),
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
    """The operation that a method and path of the API name."""

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
    """Shape, status, codes and message; nothing has changed; the contract declares the status."""
    before = snapshot(api.world)
    if wrong.is_strict:
        api.strict()
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
