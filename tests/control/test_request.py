"""The journal: what a world was asked, told whole but for credentials, and verified against expectations."""

import base64
import copy
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import orjson
import pytest

from stubserver.app import StubServer
from stubserver.call import Call
from stubserver.contract.contract import Contract
from stubserver.records.access_log import Facts
from stubserver.records.journal import Answer
from stubserver.worlds.world import TABLES, World
from tests.permissions import example
from tests.support.answers import ok, refused
from tests.support.client import Api
from tests.support.default import NOW, QUIZ
from tests.support.faults import create
from tests.support.forms import FORM, JSON
from tests.support.journal import REQUESTS, newest, requests
from tests.support.rows import snapshot
from tests.support.tokens import APP, SERVER_APP, TOKEN, WREN, basic, code, grant, signed

VERIFY = "/__stub/verify"
MULTIPART = {"Content-Type": "multipart/form-data; boundary=b"}
MOMENT = NOW.isoformat(timespec="microseconds")
SECRETS = {"password", "client_secret", "code", "code_verifier", "token", "access_token", "refresh_token"}
Options = dict[str, Any]
pytestmark = pytest.mark.in_process("it is about the journal of the world default")


@pytest.fixture
def logged(app: StubServer, monkeypatch: pytest.MonkeyPatch) -> list[Facts]:
    """What the log is told."""
    lines: list[Facts] = []
    monkeypatch.setattr(app.recorder, "log", lines.append)
    return lines


def multipart(*parts: str) -> bytes:
    """A form of these parts, with a fixed boundary; each is what follows `form-data; `, and its content."""
    return "".join(f"--b\r\nContent-Disposition: form-data; {part}\r\n" for part in parts).encode() + b"--b--\r\n"


def field(name: str, text: str) -> str:
    return f'name="{name}"\r\n\r\n{text}'


# Entries


def test_get_request_tells_the_whole_story(api: Api) -> None:
    response = api.as_("creator").patch("/course/1/?x=1&y=2&y=3", json={"name": "Knots", "nope": [1]})
    entry = ok(api.get(f"{REQUESTS}/default-1"))
    sent, answered = entry["request"].pop("headers"), entry["response"].pop("headers")
    assert entry == {
        "id": "default-1",
        "time": MOMENT,
        "operation": "patch_course",
        "persona": "stub-creator",
        "status": 200,
        "milliseconds": 0.0,
        "request": {
            "method": "PATCH",
            "path": "/api/v2/course/1/",
            "query": {"x": "1", "y": ["2", "3"]},
            "body": {"name": "Knots", "nope": [1]},
        },
        "response": {"body": response.json()},
        "violations": [
            {"kind": "parameter", "name": "x"},
            {"kind": "parameter", "name": "y"},
            {"kind": "field", "name": "nope"},
        ],
        "problems": [],
        "rules": [],
        "changes": [{"op": "replace", "path": "/courses/1/name", "value": "Knots"}],
        "fault": None,
    }
    assert answered == dict(response.headers)
    assert {name: sent[name] for name in ("host", "content-type", "authorization")} == {
        "host": "stub.test",
        "content-type": "application/json",
        "authorization": "Bearer [redacted]",
    }


def test_get_request_tells_why_it_was_refused(api: Api) -> None:
    response = api.as_("creator").patch("/course/1/", json={"name": "", "privacy": "none"})
    entry = ok(api.get(f"{REQUESTS}/default-1"))
    assert entry["response"]["body"] == response.json()
    assert entry["problems"] == [
        {"field": field["field"], **message} for field in response.json()["errors"] for message in field["messages"]
    ]
    assert {problem["field"] for problem in entry["problems"]} == {"name", "privacy"}
    assert (entry["status"], entry["operation"], entry["changes"]) == (400, "patch_course", [])


def test_get_request_without_bodies(api: Api) -> None:
    assert api.as_("creator").delete("/course/1/section/3/").status_code == 204
    entry = ok(api.get(f"{REQUESTS}/default-1"))
    assert (entry["status"], entry["request"]["body"], entry["response"]["body"]) == (204, None, None)
    assert entry["request"]["query"] == {}


def test_get_request_has_the_path_without_the_base_path_of_the_world(api: Api) -> None:
    ok(api.get("/~w.1_x-2/api/v2/course/1/"))
    entry = ok(api.get(f"{REQUESTS}/w.1_x-2-1"))
    assert (entry["id"], entry["request"]["path"]) == ("w.1_x-2-1", "/api/v2/course/1/")


@pytest.mark.parametrize("headers", [{}, {"X-Stub-World": "other"}])
def test_get_request_knows_the_world_by_the_id(api: Api, headers: dict[str, str]) -> None:
    ok(api.get("/course/1/"))
    ok(api.get("/~w/api/v2/course/2/"))
    for path, expected in (("default-1", "/course/1/"), ("w-1", "/course/2/")):
        assert ok(api.get(f"{REQUESTS}/{path}", headers=headers))["request"]["path"] == f"/api/v2{expected}"


@pytest.mark.parametrize("number", ["default-2", "default-0", "default-01", "other-1", "default", "1", "x" * 80 + "-1"])
def test_get_request_of_an_unknown_id_is_refused(api: Api, app: StubServer, number: str) -> None:
    ok(api.get("/course/1/"))
    assert refused(api.get(f"{REQUESTS}/{number}"), 404) == {"": "not_found"}
    assert "other" not in app.worlds


@pytest.mark.parametrize(
    ("authorization", "expected"),
    [
        ("Bearer stub-member", "stub-member"),
        ("bearer stub-member", "stub-member"),
        (f"Bearer {signed('a-secret-of-the-tests-that-is-long-enough', user_id=2)}", "stub-manager"),
        (f"Bearer {signed('a-secret-of-the-tests-that-is-long-enough', user_id=8)}", "bram_tolliver"),
        ("Bearer nobody", "anonymous"),
        ("", "anonymous"),
    ],
)
def test_the_persona_is_whom_the_caller_was_taken_for(api: Api, authorization: str, expected: str) -> None:
    api.get("/course/1/", headers={"Authorization": authorization} if authorization else {})
    assert newest(api)["persona"] == expected


def test_the_persona_of_a_granted_token_is_its_user(api: Api) -> None:
    api.get("/user/me/", headers={"Authorization": f"Bearer {grant(api)['access_token']}"})
    assert newest(api)["persona"] == "stub-creator"


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/course/", {}, 401),
        ("GET", "/course/1/", {"Authorization": "Bearer nobody"}, 401),
        ("GET", "/course/99/", {}, 404),
        ("PATCH", "/course/1/", {"Authorization": "Bearer stub-stranger"}, 403),
        ("GET", "/course/1/", {"Accept": "text/html"}, 406),
        ("GET", "/course/1/", {"Content-Length": "99999999999"}, 413),
    ],
)
def test_a_refusal_names_the_operation_that_was_meant(
    api: Api, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    """However early it was refused; what the contract knows is no violation."""
    assert api.request(method, path, headers=headers).status_code == status
    entry = newest(api)
    meant = {"/course/": "list_joined_courses"}.get(path, "get_course" if method == "GET" else "patch_course")
    assert (entry["status"], entry["operation"], entry["violations"]) == (status, meant, [])


def test_time_goes_by_the_clock_of_the_world(api: Api) -> None:
    ok(api.get("/course/1/"))
    ok(api.post("/__stub/clock/advance", json={"days": 2}))
    ok(api.get("/course/1/"))
    ok(api.post("/__stub/clock/release"))
    ok(api.get("/course/1/"))
    running, later, first = requests(api)
    assert (first["time"], later["time"]) == (MOMENT, MOMENT.replace("11-23", "11-25"))
    assert (first["milliseconds"], later["milliseconds"]) == (0, 0)
    assert running["milliseconds"] > 0


# Bodies


@pytest.mark.parametrize(
    ("content", "headers", "expected"),
    [
        (b'{"name": "Knots", "x": {"y": [1, null]}}', JSON, {"name": "Knots", "x": {"y": [1, None]}}),
        (b"[1, 2]", JSON, [1, 2]),
        (b'"text"', JSON, "text"),
        (b'{"name": "Knots"', JSON, '{"name": "Knots"'),
        (b'{"name": "\xff"}', JSON, '{"name": "\ufffd"}'),
        (b"name=Knots+and+ropes&categories[0]=2&x=1", FORM, {"name": "Knots and ropes", "categories": [2]}),
        (b"name=", FORM, "name="),
        (multipart(field("name", "Knots"), field("x", "1")), MULTIPART, {"name": "Knots"}),
        (b"plain", {"Content-Type": "text/plain"}, "plain"),
        (b"", JSON, None),
    ],
    ids=str,
)
def test_a_body_is_shown_as_it_was_sent(api: Api, content: bytes, headers: dict[str, str], expected: Any) -> None:
    """JSON as it is, the fields that were read from a form, and else its text."""
    api.as_("creator").patch("/course/1/", content=content, headers=headers)
    assert newest(api)["request"]["body"] == expected


def test_of_a_file_the_digest_is_shown(api: Api) -> None:
    file = 'name="image_original"; filename="a.png"\r\nContent-Type: image/png\r\n\r\nabc'
    content = multipart(field("name", "Knots"), file)
    ok(api.as_("creator").patch("/course/1/", content=content, headers=MULTIPART))
    digest = "file:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert newest(api)["request"]["body"] == {"name": "Knots", "image_original": digest}


@pytest.mark.parametrize("form", [True, False])
def test_of_a_large_body_the_size_is_shown(api: Api, form: bool) -> None:
    """What is larger than 16 KB is done, and not kept; its answer neither."""
    creator, limit = api.as_("creator"), 16 * 1024
    for size, kept in ((limit, True), (limit + 1, False)):
        head, tail = (b"description=", b"") if form else (b'{"description":"', b'"}')
        content = head + b"x" * (size - len(head + tail)) + tail
        response = creator.patch("/course/1/", content=content, headers=FORM if form else JSON)
        entry = newest(api)
        assert len(ok(response)["description"]) > 16_000
        assert (entry["request"]["body"] == f"({size} bytes)") is not kept
        assert entry["response"]["body"] == f"({len(response.content)} bytes)"
        assert entry["changes"][0]["path"] == "/courses/1/description"


# Credentials

SECRET = "Ab3-xYz-hunter2"
BASIC = base64.b64encode(f"app:{SECRET}".encode()).decode()
CONFIDENTIAL: dict[str, tuple[str, Options]] = {
    "bearer": ("/user/me/", {"headers": {"Authorization": f"Bearer {SECRET}"}}),
    "no scheme": ("/user/me/", {"headers": {"Authorization": SECRET}}),
    "basic": (TOKEN, {"headers": {"Authorization": f"Basic {BASIC}"}, "json": {"grant_type": "password"}}),
    "proxy": ("/user/me/", {"headers": {"Proxy-Authorization": f"Basic {BASIC}"}}),
    "cookie": ("/user/me/", {"headers": {"Cookie": f"session={SECRET}; theme=dark"}}),
    "api key": ("/user/me/", {"headers": {"X-Api-Key": SECRET, "X-Auth-Token": SECRET}}),
    "password": (TOKEN, {"json": {**WREN, "password": SECRET}}),
    "password in a form": (TOKEN, {"data": {**WREN, **APP, "password": SECRET}}),
    "password in a multipart form": (
        TOKEN,
        {"content": multipart(field("grant_type", "password"), field("password", SECRET)), "headers": MULTIPART},
    ),
    "client secret": (TOKEN, {"json": {**WREN, "client_id": "stub-server-app", "client_secret": SECRET}}),
    "code": (TOKEN, {"json": {**APP, "grant_type": "authorization_code", "code": SECRET, "code_verifier": SECRET}}),
    "refresh token": (TOKEN, {"data": {**APP, "grant_type": "refresh_token", "refresh_token": SECRET}}),
    "revoked token": ("/oauth/revoke_token/", {"data": {**APP, "token": SECRET}}),
    "verified token": ("/api/v2/jwt/verify_token/", {"json": {"token": SECRET}}),
    "form without grant_type": (TOKEN, {"data": {"username": "wren_hollis", "password": SECRET}}),
    "multipart without grant_type": (
        TOKEN,
        {"content": multipart(field("password", SECRET)), "headers": MULTIPART},
    ),
    "broken JSON": (TOKEN, {"content": f'{{"password": "{SECRET}"'.encode(), "headers": JSON}),
    "broken multipart form": (TOKEN, {"content": multipart(field("password", SECRET))[:-4], "headers": MULTIPART}),
    "JSON of another form": (TOKEN, {"json": [{"password": SECRET}]}),
    "JSON with a list": (TOKEN, {"json": {**WREN, "password": [SECRET]}}),
    "JSON with an object": (TOKEN, {"json": {**WREN, "client_secret": {"value": SECRET}}}),
    "JSON that says it is a form": (TOKEN, {"content": f'{{"password": "{SECRET}"}}'.encode(), "headers": FORM}),
    "another media type": (
        TOKEN,
        {"content": f"password={SECRET}", "headers": {"Content-Type": "text/plain"}},
    ),
    "not acceptable": (TOKEN, {"json": {"password": SECRET}, "headers": {"Accept": "text/html"}}),
    "without a slash": ("/oauth/token", {"json": {"password": SECRET}}),
    "misspelt": ("/oauth/tokens/", {"json": {"password": SECRET}}),
    "asked for an example": (TOKEN, {"data": {"password": SECRET}, "headers": {"Prefer": "code=200"}}),
    "in a broken query": (f"{TOKEN}?password={SECRET}&x=%ff", {"json": {"grant_type": "password"}}),
    "in the query": (f"{TOKEN}?password={SECRET}&client_secret={SECRET}", {"json": {"grant_type": "password"}}),
}


@pytest.mark.parametrize("case", CONFIDENTIAL)
def test_credentials_are_never_shown(api: Api, case: str) -> None:
    """Wherever they stood, and whatever became of the request."""
    path, options = CONFIDENTIAL[case]
    assert api.request("GET" if path == "/user/me/" else "POST", path, **options).status_code >= 200
    text = api.get(REQUESTS).text
    assert json.loads(text)["count"] == 1
    for secret in (SECRET, BASIC):
        assert secret not in text


@pytest.mark.parametrize("kind", ["error", "reset", "lost", "truncate"])
def test_credentials_of_requests_that_met_a_fault_are_never_shown(api: Api, kind: str) -> None:
    create(api, kind)
    api.post(TOKEN, json={**WREN, **APP, "password": SECRET})
    api.post(TOKEN, data={**WREN, **SERVER_APP, "client_secret": SECRET})
    text = api.get(REQUESTS).text
    assert json.loads(text)["count"] == 2
    assert SECRET not in text


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("Bearer abc", "Bearer [redacted]"),
        ("Basic YTpi", "Basic [redacted]"),
        ("bearer  abc", "bearer [redacted]"),
        ("Digest a=1, b=2", "Digest [redacted]"),
        ("abc", "[redacted]"),
    ],
)
def test_an_authorization_header_keeps_its_scheme(api: Api, header: str, expected: str) -> None:
    api.get("/user/me/", headers={"Authorization": header})
    assert newest(api)["request"]["headers"]["authorization"] == expected


def test_of_credentials_all_but_the_value_is_shown(api: Api) -> None:
    api.post(TOKEN, json={**WREN, **SERVER_APP}, headers={"Cookie": "a=b"})
    entry = newest(api)
    assert entry["request"]["body"] == {
        "grant_type": "password",
        "username": "wren_hollis",
        "password": "[redacted]",
        "client_id": "stub-server-app",
        "client_secret": "[redacted]",
    }
    assert entry["request"]["headers"]["cookie"] == "[redacted]"
    assert entry["response"]["body"] == {
        "access_token": "[redacted]",
        "refresh_token": "[redacted]",
        "token_type": "Bearer",
        "expires_in": 36000,
        "scope": "read write",
    }
    (change,) = entry["changes"]
    assert (change["value"]["access_token"], change["value"]["code"]) == ("[redacted]", None)


def test_granted_tokens_and_codes_are_never_shown(api: Api) -> None:
    """From the consent to the end of the tokens: not in bodies, answers, headers or changed rows."""
    secrets = [WREN["password"], SERVER_APP["client_secret"]]
    first = grant(api)
    second = grant(api, grant_type="refresh_token", refresh_token=first["refresh_token"])
    secrets += [pair[name] for pair in (first, second) for name in ("access_token", "refresh_token")]
    secrets.append(code(api))
    third = grant(api, grant_type="authorization_code", code=secrets[-1], redirect_uri="http://localhost:3000/callback")
    secrets += [third["access_token"], third["refresh_token"]]
    ok(api.get("/user/me/", headers={"Authorization": f"Bearer {third['access_token']}"}))
    ok(api.post(TOKEN, data=WREN, headers=basic(SERVER_APP["client_id"], SERVER_APP["client_secret"])))
    api.post("/oauth/revoke_token/", data={**APP, "token": third["access_token"]})
    text = api.get(REQUESTS).text
    assert json.loads(text)["count"] == 6
    for secret in secrets:
        assert secret not in text


# Violations


@pytest.mark.parametrize(
    ("method", "path", "options", "expected"),
    [
        ("GET", "/nowhere/", {}, [("operation", "GET /api/v2/nowhere/")]),
        ("GET", "/nowhere/?x=1", {}, [("operation", "GET /api/v2/nowhere/")]),
        ("GET", "//nowhere", {}, [("operation", "GET /nowhere")]),
        ("GET", "/course/1", {}, [("operation", "GET /api/v2/course/1")]),
        ("PUT", "/course/", {"json": {}}, [("operation", "PUT /api/v2/course/")]),
        ("GET", "/course/search/?limit=1&page=2&page=3", {}, [("parameter", "page")]),
        ("GET", "/course/search/?tags[]=1&tags[]=2&_=3", {}, [("parameter", "tags"), ("parameter", "_")]),
        ("GET", "/course/1/?limit=1", {}, [("parameter", "limit")]),
        ("PATCH", "/course/1/", {"json": {"name": "a", "title": 1, "x": 2}}, [("field", "title"), ("field", "x")]),
        ("PATCH", "/course/1/", {"data": {"name": "a", "title": "1"}}, [("field", "title")]),
        ("PATCH", "/course/1/", {"files": {"name": (None, "a"), "cover": ("c.png", b"1")}}, [("field", "cover")]),
        ("PATCH", "/course/1/?x=1", {"json": {"name": "", "y": 1}}, [("parameter", "x"), ("field", "y")]),
        ("PATCH", "/course/1/", {"json": {"id": 1}}, [("field", "id")]),
        ("POST", "/media/upload/complete/", {"json": {"upload-id": "1"}}, [("field", "upload-id")]),
        (
            "PATCH",
            "/course/1/",
            {"content": b"<a/>", "headers": {"Content-Type": "application/xml"}},
            [("media type", "application/xml")],
        ),
        (
            "POST",
            "/media/upload/chunk/",
            {"json": {"upload_id": "1"}, "headers": {"Content-Range": "bytes 0-2/3"}},
            [("media type", "application/json")],
        ),
    ],
)
def test_a_violation_is_what_the_contract_does_not_know(
    api: Api, method: str, path: str, options: Options, expected: list[tuple[str, str]]
) -> None:
    """Whether it was refused or ignored."""
    api.as_("creator").request(method, path, **options)
    assert [(violation["kind"], violation["name"]) for violation in newest(api)["violations"]] == expected


@pytest.mark.parametrize(
    ("method", "path", "options"),
    [
        ("GET", "/course/1/?view=edit&user=3", {}),
        ("HEAD", "/course/1/", {}),
        ("GET", "/course/search/?statuses[]=joined&categories[]=1&limit=&search=", {}),
        ("GET", "/course/search/?limit=abc", {}),
        ("GET", "/course/1/?__code=404&__wait=0", {}),
        ("GET", "/course/99/", {}),
        ("PATCH", "/course/1/", {"json": {"name": "", "privacy": 1}}),
        ("PATCH", "/course/1/", {"data": {"categories[0]": "1", "categories[]": "2"}}),
        ("PATCH", "/course/1/", {"json": {}}),
        ("PATCH", "/course/1/", {"json": [1]}),
        ("PATCH", "/course/1/", {"content": b"{", "headers": JSON}),
        ("POST", "/course/1/join/", {"json": {}}),
        ("DELETE", "/course/99/", {}),
        ("POST", TOKEN, {"data": {**WREN, **APP}}),
    ],
)
def test_what_the_contract_knows_is_no_violation(api: Api, method: str, path: str, options: Options) -> None:
    api.as_("creator").request(method, path, **options)
    assert newest(api)["violations"] == []


# Rules


@pytest.mark.parametrize(
    ("persona", "method", "path", "body", "expected"),
    [
        ("stranger", "PATCH", "/course/1/", {"name": "x"}, ["R003", "R125"]),
        ("stranger", "GET", "/course/7/", None, ["R004", "R101", "R104"]),
        ("creator", "GET", "/course/1/section/99/", None, ["R004", "R006", "R101", "R104"]),
        ("creator", "GET", "/course/search/?limit=abc", None, ["R016"]),
        ("creator", "GET", "/course/search/?statuses=x", None, ["R013"]),
        ("creator", "POST", "/course/", {"name": "x", "type": "x"}, ["R118"]),
        ("creator", "POST", "/course/1/invite/", {"users": [999]}, ["R216"]),
        ("creator", "PATCH", "/course/1/", {"name": ""}, []),
        ("creator", "PATCH", "/course/1/", {"name": "x"}, []),
        ("creator", "GET", "/nowhere/", None, []),
    ],
)
def test_rules_are_those_that_refuse_so(
    api: Api, contract: Contract, persona: str, method: str, path: str, body: Any, expected: list[str]
) -> None:
    """By status and code, of those that the operation follows."""
    api.as_(persona).request(method, path, json=body)
    entry = newest(api)
    assert entry["rules"] == expected
    for rule in expected:
        assert contract.document["x-rules"][rule]["status"] == entry["status"]


# Changes


def rows(world: World) -> dict[str, dict[str, Any]]:
    """All rows as JSON, by table and key, without credentials."""
    found: dict[str, dict[str, Any]] = {}
    for table, (key, _) in TABLES.items():
        for row in getattr(world, table):
            plain = orjson.loads(orjson.dumps(row, default=lambda digest: digest.hexdigest()))
            hidden = dict.fromkeys((name for name in SECRETS & set(plain) if plain[name] is not None), "[redacted]")
            found.setdefault(table, {})[",".join(str(row[part]) for part in key)] = plain | hidden
    return found


def patched(before: Mapping[str, Any], patch: list[Any]) -> dict[str, Any]:
    """The JSON Patch (RFC 6902) applied; an addition adds, and whatever else it touches is there."""
    document: dict[str, Any] = copy.deepcopy(dict(before))
    for change in patch:
        *parents, last = (part.replace("~1", "/").replace("~0", "~") for part in change["path"].split("/")[1:])
        where = document
        for part in parents:
            where = where.setdefault(part, {}) if change["op"] == "add" and part == parents[0] else where[part]
        assert (last in where) is (change["op"] != "add"), change
        assert ("value" in change) is (change["op"] != "remove"), change
        if change["op"] == "remove":
            del where[last]
        else:
            where[last] = change["value"]
    return {table: rows for table, rows in document.items() if rows}


WRITES: dict[str, tuple[str, str, str, Options]] = {
    "create_course": (
        "creator",
        "POST",
        "/course/",
        {"json": {"name": "K", "type": "structured", "categories": [1]}},
    ),
    "update_course": ("creator", "PUT", "/course/2/", {"json": {"name": "Knots", "type": "structured"}}),
    "patch_course": ("manager", "PATCH", "/course/1/", {"json": {"description": "~/", "categories": [2, 1]}}),
    "delete_course": ("creator", "DELETE", "/course/1/", {}),
    "create_course_section": ("creator", "POST", "/course/1/section/", {"json": {"name": "Part"}}),
    "patch_course_section": ("creator", "PATCH", "/course/1/section/1/", {"json": {"name": "Part"}}),
    "delete_course_section": ("creator", "DELETE", "/course/1/section/2/", {}),
    "create_course_lesson": ("creator", "POST", "/course/1/section/1/lesson/", {"json": {"name": "L", "type": "quiz"}}),
    "patch_course_lesson": ("creator", "PATCH", "/course/1/section/1/lesson/1/", {"json": {"text": "<p>x</p>"}}),
    "delete_course_lesson": ("creator", "DELETE", QUIZ, {}),
    "delete_course_question": ("creator", "DELETE", f"{QUIZ}question/1/", {}),
    "join_course": ("stranger", "POST", "/course/1/join/", {}),
    "leave_course": ("member", "DELETE", "/course/1/join/", {}),
    "invite_course_users": ("creator", "POST", "/course/1/invite/", {"json": {"users": [6, 7]}}),
    "remove_course_invitations": ("creator", "DELETE", "/course/1/invite/", {"json": {"users": [4]}}),
    "change_course_roles": ("creator", "POST", "/course/1/role/", {"json": {"managers": [3], "unjoined": [8]}}),
    "make_course_attempt": (
        "member",
        "POST",
        f"{QUIZ}attempt/",
        {
            "json": {
                "responses": [
                    {"question_id": number, "selected_options": options}
                    for number, options in {1: [1], 2: [4, 6], 3: [8], 4: [13]}.items()
                ]
            }
        },
    ),
    "complete_course_lesson": ("member", "POST", "/course/1/section/1/lesson/3/complete/", {}),
    "incomplete_course_lesson": ("member", "POST", "/course/1/section/1/lesson/1/incomplete/", {}),
    "create_course_comment": ("member", "POST", "/course/1/section/1/lesson/1/comment/", {"json": {"text": "Hello"}}),
    "create_media": ("member", "POST", "/media/", {"json": {"type": "url", "url": "https://x.example/a-b"}}),
    "upload_media_chunk": (
        "member",
        "POST",
        "/media/upload/chunk/",
        {"files": {"image": ("a.png", b"abc")}, "headers": {"Content-Range": "bytes 0-2/9"}},
    ),
    "oauth_token": ("creator", "POST", TOKEN, {"json": {**WREN, **APP}}),
}


@pytest.mark.parametrize("operation", WRITES)
def test_changes_lead_from_the_rows_before_to_the_rows_after(api: Api, operation: str) -> None:
    persona, method, path, options = WRITES[operation]
    before = rows(api.world)
    response = api.as_(persona).request(method, path, **options)
    assert response.status_code < 300, response.text
    entry = newest(api)
    assert entry["operation"] == operation
    assert entry["changes"] != []
    assert patched(before, entry["changes"]) == rows(api.world)


def test_changes_of_a_conversation_add_up(api: Api) -> None:
    """Requests that build on each other, all of their patches one after the other."""
    before, member, comments = rows(api.world), api.as_("member"), "/course/1/section/1/lesson/1/comment/"
    number = ok(member.post(comments, json={"text": "One"}), 201)["id"]
    answer = ok(member.post(comments, json={"text": "Two", "parent": number}), 201)["id"]
    ok(member.patch(f"{comments}{answer}/", json={"text": "Three"}))
    assert member.delete(f"{comments}{number}/").status_code == 204
    upload = {"files": {"image": ("a.png", b"abc")}, "headers": {"Content-Range": "bytes 0-2/6"}}
    begun = ok(member.post("/media/upload/chunk/", **upload), 201)["upload_id"]
    upload = {"files": {"image": ("a.png", b"def")}, "headers": {"Content-Range": "bytes 3-5/6"}}
    ok(member.post("/media/upload/chunk/", data={"upload_id": begun}, **upload), 201)
    whole = {"upload_id": begun, "md5": "e80b5017098950fc58aad83c8c14978e"}
    ok(member.post("/media/upload/complete/", json=whole), 201)
    pair = grant(api)
    pair = grant(api, grant_type="refresh_token", refresh_token=pair["refresh_token"])
    api.post("/oauth/revoke_token/", json={**APP, "token": pair["access_token"]})
    changes = [change for entry in reversed(requests(api)) for change in entry["changes"]]
    assert patched(before, changes) == rows(api.world)


def test_changes_of_every_operation_lead_to_the_rows_after(api: Api, app: StubServer, contract: Contract) -> None:
    """Whether its own example is accepted or refused."""
    creator, changed = api.as_("creator"), set()
    for operation in contract.operations.values():
        app.worlds.reset().clock.freeze(NOW)
        before = rows(api.world)
        path = re.sub(r"\{\w+\}", "1", operation.path)
        has_json = "application/json" in operation.bodies
        body = {"json": example(contract, operation)} if has_json else {}
        creator.request(operation.method.upper(), path, **body)
        entry = newest(api)
        assert patched(before, entry["changes"]) == rows(api.world), operation.id
        if entry["changes"]:
            changed.add(operation.method)
            assert entry["status"] < 300
    assert changed == {"post", "put", "patch", "delete"}


def test_changes_of_one_row_are_told_once(api: Api, app: StubServer) -> None:
    """However often a request changed it: only what was and what is."""
    world = app.worlds.get()
    before, course = rows(world), world.courses[1]
    with world.transaction() as transaction:
        world.courses.put({**course, "name": "A", "privacy": "secret"})
        world.courses.put({**course, "name": "B"})
        world.courses.put({**course, "id": 99})
        world.courses.delete(99)
        world.categories.put({**world.categories[1], "id": 98, "name": "New"})
        world.categories.put({**world.categories[98], "name": "Newer"})
        world.sections.delete(1)
    call = Call(world, "GET", "/", "http://stub.test", at=NOW, id="default-1", changes=transaction.changes())
    app.journal.add(call, Answer(200))
    changes = newest(api)["changes"]
    assert [(change["op"], change["path"]) for change in changes] == [
        ("replace", "/courses/1/name"),
        ("add", "/categories/98"),
        ("remove", "/sections/1"),
    ]
    assert patched(before, changes) == rows(world)


def test_changes_name_what_became_of_each_field(api: Api) -> None:
    creator = api.as_("creator")
    ok(creator.patch("/course/1/", json={"name": "Knots", "hide_member_count": False}))
    assert newest(api)["changes"] == [{"op": "replace", "path": "/courses/1/name", "value": "Knots"}]
    ok(creator.patch("/course/1/", json={"name": "Knots"}))
    assert newest(api)["changes"] == []
    assert creator.delete("/course/1/join/?user=3").status_code == 204
    assert {"op": "remove", "path": "/memberships/1,3"} in newest(api)["changes"]


@pytest.mark.parametrize(
    ("persona", "path", "body"),
    [
        ("creator", "/course/1/", {"name": ""}),
        ("stranger", "/course/1/", {"name": "Knots"}),
        (None, "/course/1/", {"name": "Knots"}),
        ("creator", "/course/99/", {"name": "Knots"}),
        ("creator", "/nowhere/", {"name": "Knots"}),
    ],
)
def test_a_refused_request_changes_nothing(api: Api, persona: str | None, path: str, body: Any) -> None:
    before = snapshot(api.world)
    assert api.as_(persona).patch(path, json=body).status_code >= 400
    assert newest(api)["changes"] == []
    assert snapshot(api.world) == before


# Listing


def asked(api: Api) -> Api:
    """The server after five requests of several people, the last one by HEAD."""
    ok(api.as_("creator").get("/course/1/?view=edit"))
    ok(api.as_("creator").patch("/course/1/", json={"name": "Knots"}))
    refused(api.as_("member").patch("/course/2/", json={"name": "Knots"}), 403)
    refused(api.get("/nowhere/?a=1"), 404)
    assert api.request("HEAD", "/course/2/?page=1").status_code == 200
    return api


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [5, 4, 3, 2, 1]),
        ("operation=get_course", [5, 1]),
        ("operation=patch_course", [3, 2]),
        ("operation=get", []),
        ("method=PATCH", [3, 2]),
        ("method=HEAD", [5]),
        ("path=/api/v2/course/1/", [2, 1]),
        ("path=/api/v2/course/*", [5, 3, 2, 1]),
        ("path=*/2/", [5, 3]),
        ("path=*2*", [5, 4, 3, 2, 1]),
        ("path=/course/1/", []),
        ("path=/api/v2/course/%3F/", []),
        ("path=/api/v2/course/[12]/", []),
        ("status=200", [5, 2, 1]),
        ("status=404", [4]),
        ("status=500", []),
        ("persona=stub-creator", [2, 1]),
        ("persona=anonymous", [5, 4]),
        ("persona=creator", []),
        ("violations=true", [5, 4]),
        ("violations=false", [3, 2, 1]),
        ("operation=patch_course&persona=stub-member", [3]),
        ("operation=patch_course&persona=stub-creator&status=403", []),
        ("method=HEAD&path=*/2/&status=200&violations=true&persona=anonymous&operation=get_course", [5]),
    ],
)
def test_list_requests_answers_those_that_fit_all_filters(api: Api, query: str, expected: list[int]) -> None:
    """The newest first."""
    found = requests(asked(api), f"&{query}")
    assert [entry["id"] for entry in found] == [f"default-{number}" for number in expected]
    assert found == [ok(api.get(f"{REQUESTS}/default-{number}")) for number in expected]


def test_list_requests_answers_pages_with_the_count_of_all(api: Api) -> None:
    for number in range(7):
        api.get(f"/course/{number}/")
    page = ok(api.get(f"{REQUESTS}?limit=2&offset=3&operation=get_course"))
    assert (page["count"], [entry["id"] for entry in page["results"]]) == (7, ["default-4", "default-3"])
    assert page["next"] == f"http://localhost{REQUESTS}?operation=get_course&limit=2&offset=5"
    assert ok(api.get(f"{REQUESTS}?limit=2&offset=9"))["results"] == []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("status=99", {"status": "min_value"}),
        ("status=600", {"status": "max_value"}),
        ("status=x", {"status": "invalid"}),
        ("violations=maybe", {"violations": "invalid"}),
        ("limit=0", {"limit": "min_value"}),
        (f"path={'x' * 201}", {"path": "max_length"}),
    ],
)
def test_list_requests_refuses_what_cannot_be(api: Api, query: str, expected: dict[str, str]) -> None:
    assert refused(api.get(f"{REQUESTS}?{query}"), 400) == expected


def test_list_requests_shows_one_world(api: Api, app: StubServer) -> None:
    ok(api.get("/course/1/"))
    ok(api.get("/~w/api/v2/course/2/"))
    assert [entry["id"] for entry in requests(api)] == ["default-1"]
    assert [entry["id"] for entry in requests(api, world="w")] == ["w-1"]
    assert ok(api.get("/~w/__stub/requests"))["count"] == 1
    assert requests(api, world="nobody-was-here") == []
    assert "nobody-was-here" not in app.worlds


def test_list_requests_leaves_out_the_control_plane(api: Api) -> None:
    for path in ("/__stub/health", "/__stub/nowhere", "/__stub/requests/default-1"):
        api.get(path)
    assert requests(api) == []


# Forgetting


def test_clear_requests_forgets_them(api: Api, app: StubServer) -> None:
    """Of one world; rows stay, and numbers go on."""
    ok(api.as_("creator").patch("/course/1/", json={"name": "Knots"}))
    ok(api.get("/~w/api/v2/course/1/"))
    for _ in range(2):
        response = api.delete(REQUESTS)
        assert (response.status_code, response.content, requests(api)) == (204, b"", [])
    assert refused(api.get(f"{REQUESTS}/default-1"), 404) == {"": "not_found"}
    assert app.worlds.get().courses[1]["name"] == "Knots"
    assert len(requests(api, world="w")) == 1
    ok(api.get("/course/1/"))
    assert [entry["id"] for entry in requests(api)] == ["default-2"]


@pytest.mark.parametrize("ending", ["reset", "restore", "delete"])
def test_a_world_that_begins_anew_has_no_journal(api: Api, ending: str) -> None:
    """And counts from 1 again."""
    ok(api.get("/~w/api/v2/course/1/"))
    match ending:
        case "reset":
            ok(api.post("/__stub/worlds/w/reset"))
        case "restore":
            ok(api.put("/__stub/snapshots/s", json=saved(api)))
            ok(api.post("/__stub/snapshots/s/restore", headers={"X-Stub-World": "w"}))
        case "delete":
            assert api.delete("/__stub/worlds/w").status_code == 204
    assert requests(api, world="w") == []
    assert refused(api.get(f"{REQUESTS}/w-1"), 404) == {"": "not_found"}
    assert api.get("/~w/api/v2/course/1/").headers["x-stub-request"] == "w-1"


def saved(api: Api) -> Any:
    """The default world as a file."""
    ok(api.post("/__stub/snapshots", json={"name": "s"}), 201)
    return ok(api.get("/__stub/snapshots/s"))


def health(api: Api) -> tuple[int, int]:
    """How many requests are kept, and how many were forgotten."""
    found = ok(api.get("/__stub/health"))["requests"]
    return found["kept"], found["forgotten"]


def kept(api: Api) -> dict[str, list[int]]:
    """World -> the numbers of the requests that its journal still has, the oldest first."""
    return {
        world: [int(entry["id"].rpartition("-")[2]) for entry in reversed(requests(api, world=world))]
        for world in ("a", "b", "c")
    }


def ask_in_turn(api: Api, worlds: str) -> None:
    for world in worlds:
        ok(api.get(f"/~{world}/api/v2/user/1/groups/"))


def test_the_journal_is_bounded_over_all_worlds(fresh: Callable[..., Api]) -> None:
    """The oldest request makes room, whichever world asked it."""
    api = fresh(max_requests=4)
    ask_in_turn(api, "aabc")
    assert (health(api), kept(api)) == ((4, 0), {"a": [1, 2], "b": [1], "c": [1]})
    ask_in_turn(api, "b")
    assert (health(api), kept(api)) == ((4, 1), {"a": [2], "b": [1, 2], "c": [1]})
    ask_in_turn(api, "bb")
    assert (health(api), kept(api)) == ((4, 3), {"a": [], "b": [2, 3, 4], "c": [1]})
    ask_in_turn(api, "aaaa")
    assert (health(api), kept(api)) == ((4, 7), {"a": [3, 4, 5, 6], "b": [], "c": []})


@pytest.mark.parametrize("by", ["clear", "reset", "delete"])
def test_what_was_cleared_takes_no_room(fresh: Callable[..., Api], by: str) -> None:
    """It does not count as kept, nothing has to go for it, and it is not forgotten a second time."""
    api = fresh(max_requests=4)
    ask_in_turn(api, "abab")
    match by:
        case "clear":
            api.delete(REQUESTS, headers={"X-Stub-World": "a"})
        case "reset":
            ok(api.post("/__stub/worlds/a/reset"))
        case "delete":
            api.delete("/__stub/worlds/a")
    assert health(api) == (2, 0)
    ask_in_turn(api, "cc")
    assert (health(api), kept(api)) == ((4, 0), {"a": [], "b": [1, 2], "c": [1, 2]})
    ask_in_turn(api, "c")
    assert (health(api), kept(api)) == ((4, 1), {"a": [], "b": [2], "c": [1, 2, 3]})


def test_a_cleared_journal_loses_nothing_new_for_what_it_had(fresh: Callable[..., Api]) -> None:
    api = fresh(max_requests=4)
    ask_in_turn(api, "aaa")
    api.delete(REQUESTS, headers={"X-Stub-World": "a"})
    ask_in_turn(api, "aaaa")
    assert (health(api), kept(api)["a"]) == ((4, 0), [4, 5, 6, 7])


# X-Stub-Request and the log


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/course/1/", {}, 200),
        ("HEAD", "/course/1/", {}, 200),
        ("DELETE", "/course/1/", {"Authorization": "Bearer stub-creator"}, 204),
        ("PATCH", "/course/1/", {"Authorization": "Bearer stub-creator", "Content-Type": "text/plain"}, 415),
        ("GET", "/course/search/?limit=x", {}, 400),
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
    """And so does its line in the log."""
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


# The same in every run


def story(api: Api, seed_of_chance: int = 0) -> None:
    """Requests of every kind, some of which meet faults."""
    for kind in ("error", "lost", "stale", "latency"):
        create(api, kind, probability=0.5, seconds=0, seed=seed_of_chance)
    creator, member = api.as_("creator"), api.as_("member")
    for number in range(8):
        creator.patch("/course/1/", json={"name": f"Knots {number}"})
        member.get("/course/1/?x=1")
        creator.post("/course/1/section/", json={"name": "Part"})
        member.post(f"{QUIZ}attempt/", json={"responses": [{"question_id": 1, "selected_options": [1]}]})
        api.post(TOKEN, json={**WREN, **APP})
        api.get("/nowhere/")
        file = 'name="image_original"; filename="a.png"\r\n\r\nabc'
        creator.patch("/course/2/", content=multipart(field("name", "x"), file), headers=MULTIPART)
        creator.delete(f"/course/{number + 3}/")


def frozen(api: Api) -> Api:
    api.app.worlds.reset().clock.freeze(NOW)
    return api


def test_the_same_requests_make_the_same_journal(fresh: Callable[..., Api]) -> None:
    """Byte by byte, whatever chance and time have a hand in."""
    texts = []
    for _ in range(2):
        api = frozen(fresh(seed=3))
        story(api)
        texts.append(api.get(f"{REQUESTS}?limit=100").content)
    faults = [entry["fault"]["kind"] for entry in json.loads(texts[0])["results"] if entry["fault"]]
    assert set(faults) == {"error", "lost", "stale", "latency"}
    assert texts[0] == texts[1]


def test_another_seed_makes_another_journal(fresh: Callable[..., Api]) -> None:
    texts = []
    for seed, chance in ((3, 0), (4, 0), (3, 1)):
        api = frozen(fresh(seed=seed))
        story(api, chance)
        texts.append(api.get(f"{REQUESTS}?limit=100").content)
    assert len(set(texts)) == 3


def test_where_the_clock_runs_only_times_differ(fresh: Callable[..., Api]) -> None:
    found = []
    for _ in range(2):
        api = fresh(seed=3)
        create(api, probability=0.5)
        for number in range(8):
            api.as_("creator").patch("/course/1/", json={"name": f"Knots {number}"})
            api.as_("member").get("/course/1/?x=1")
            api.get("/nowhere/")
        found.append(requests(api))
    times = [[(entry.pop("time"), entry.pop("milliseconds")) for entry in run] for run in found]
    assert found[0] == found[1]
    for (first, spent), (second, _) in zip(*times, strict=True):
        assert first != second
        assert spent > 0


# Verifying


def verify(api: Api, **expected: Any) -> Any:
    return ok(api.post(VERIFY, json=expected))


METADATA = {"title": "T", "size": {"w": 1, "h": 2}}


def told(api: Api) -> Api:
    """The server after six requests."""
    creator, member = api.as_("creator"), api.as_("member")
    ok(creator.get("/course/1/?view=edit&user=3"))
    ok(creator.patch("/course/1/", json={"name": "Knots", "categories": [1, 2], "hide_member_count": True}))
    refused(member.patch("/course/2/", json={"name": "Knots"}), 403)
    embed = {
        "embed_type": "video",
        "embed_id": "1",
        "url": "https://x.example/",
        "metadata": METADATA,
    }
    ok(member.post("/media/", json={"type": "embed", "embed": embed}), 201)
    refused(api.get("/nowhere/"), 404)
    ok(member.post("/media/", json={"type": "url", "url": "https://y.example/"}), 201)
    return api


COUNTED: list[tuple[Options, int]] = [
    ({}, 6),
    ({"operation": "patch_course"}, 2),
    ({"operation": "nothing"}, 0),
    ({"method": "GET"}, 2),
    ({"method": "get"}, 0),
    ({"path": "/api/v2/course/1/"}, 2),
    ({"path": "/api/v2/course/*"}, 3),
    ({"path": "*/media/"}, 2),
    ({"path": "*"}, 6),
    ({"path": "/api/v2/course/?/"}, 0),
    ({"persona": "stub-member"}, 3),
    ({"persona": "anonymous"}, 1),
    ({"status": 403}, 1),
    ({"status": 200}, 2),
    ({"query": {"view": "edit"}}, 1),
    ({"query": {"view": "edit", "user": "3"}}, 1),
    ({"query": {"user": 3}}, 0),
    ({"query": {}}, 6),
    ({"body": {"name": "Knots"}}, 1),
    ({"body": {"name": "Knots", "categories": [1, 2], "hide_member_count": True}}, 1),
    ({"body": {"name": "Knots", "categories": [2, 1], "hide_member_count": True}}, 0),
    ({"contains": {"name": "Knots"}}, 2),
    ({"contains": {"categories": [1, 2]}}, 1),
    ({"contains": {"categories": [1]}}, 0),
    ({"contains": {}}, 4),
    ({"contains": {"hide_member_count": 1}}, 0),
    ({"contains": {"embed": {"url": "https://x.example/"}}}, 1),
    ({"contains": {"embed": {"metadata": {"size": {"h": 2}}}}}, 1),
    ({"contains": {"embed": {"metadata": {"size": {"h": 3}}}}}, 0),
    ({"body": {"type": "embed", "embed": {"url": "https://x.example/"}}}, 0),
    ({"operation": "patch_course", "persona": "stub-creator", "contains": {"name": "Knots"}, "status": 200}, 1),
    ({"operation": "patch_course", "persona": "stub-creator", "status": 403}, 0),
]


@pytest.mark.parametrize(("expected", "count"), COUNTED, ids=[json.dumps(part) for part, _ in COUNTED])
def test_verify_requests_counts_what_fits_everything(api: Api, expected: Options, count: int) -> None:
    verdict = verify(told(api), **expected)
    assert (verdict["count"], verdict["verified"]) == (count, count > 0)
    assert verify(api, **expected, times=count)["verified"]
    assert not verify(api, **expected, times=count + 1)["verified"]


@pytest.mark.parametrize(
    ("bounds", "counts", "wanted"),
    [
        ({}, {1, 2, 3, 4}, "at least 1"),
        ({"times": 0}, {0}, "exactly 0"),
        ({"times": 2}, {2}, "exactly 2"),
        ({"at_least": 2}, {2, 3, 4}, "at least 2"),
        ({"at_least": 0}, {0, 1, 2, 3, 4}, "at least 0"),
        ({"at_most": 2}, {0, 1, 2}, "at most 2"),
        ({"at_most": 0}, {0}, "exactly 0"),
        ({"at_least": 2, "at_most": 3}, {2, 3}, "2 to 3"),
        ({"at_least": 2, "at_most": 2}, {2}, "exactly 2"),
    ],
)
def test_verify_requests_has_bounds(api: Api, bounds: Options, counts: set[int], wanted: str) -> None:
    """Without any, at least one request must fit."""
    verified = set()
    for count in range(5):
        verdict = verify(api, operation="list_categories", **bounds)
        if verdict["verified"]:
            verified.add(count)
        assert verdict["count"] == count
        assert verdict["message"].startswith(
            f"operation list_categories: expected {wanted}, found {count} of {count} requests."
        )
        ok(api.get("/category/"))
    assert verified == counts


GOLDEN: list[tuple[Options, str | None, list[tuple[str, Any, Any]], str]] = [
    (
        {"operation": "patch_course", "contains": {"name": "Ropes"}, "times": 1},
        "default-2",
        [("body.name", "Ropes", "Knots")],
        """operation patch_course, contains {"name": "Ropes"}: expected exactly 1, found 0 of 6 requests.
The nearest is default-2:
  body.name: expected Ropes, found Knots""",
    ),
    (
        {"operation": "patch_course", "status": 200, "body": {"name": "Knöts", "slug": None}},
        "default-3",
        [("status", 200, 403), ("body.name", "Knöts", "Knots"), ("body.slug", None, None)],
        """operation patch_course, status 200, body {"name": "Knöts", "slug": null}: expected at least 1, \
found 0 of 6 requests.
The nearest is default-3:
  status: expected 200, found 403
  body.name: expected Knöts, found Knots
  body.slug: expected null, found nothing""",
    ),
    (
        {"operation": "patch_course", "path": "*/course/1/", "body": {"name": "Knots"}},
        "default-2",
        [("body.categories", None, [1, 2]), ("body.hide_member_count", None, True)],
        """operation patch_course, path */course/1/, body {"name": "Knots"}: expected at least 1, \
found 0 of 6 requests.
The nearest is default-2:
  body.categories: expected nothing, found [1, 2]
  body.hide_member_count: expected nothing, found true""",
    ),
    (
        {"operation": "create_media", "contains": {"embed": {"metadata": {"size": {"w": 5}, "title": "T"}}}},
        "default-4",
        [("body.embed.metadata.size.w", 5, 1)],
        """operation create_media, contains {"embed": {"metadata": {"size": {"w": 5}, "title": "T"}}}: \
expected at least 1, found 0 of 6 requests.
The nearest is default-4:
  body.embed.metadata.size.w: expected 5, found 1""",
    ),
    (
        {"path": "*/course/1/", "method": "GET", "query": {"view": "dashboard"}, "at_least": 2},
        "default-1",
        [("query.view", "dashboard", "edit")],
        """method GET, path */course/1/, query {"view": "dashboard"}: expected at least 2, found 0 of 6 requests.
The nearest is default-1:
  query.view: expected dashboard, found edit""",
    ),
    (
        {"operation": "get_course", "body": {"name": "Knots"}},
        "default-1",
        [("body", {"name": "Knots"}, None)],
        """operation get_course, body {"name": "Knots"}: expected at least 1, found 0 of 6 requests.
The nearest is default-1:
  body: expected {"name": "Knots"}, found null""",
    ),
    (
        {"operation": "patch_course", "persona": "anonymous", "at_least": 1, "at_most": 3},
        "default-2",
        [("persona", "anonymous", "stub-creator")],
        """operation patch_course, persona anonymous: expected 1 to 3, found 0 of 6 requests.
The nearest is default-2:
  persona: expected anonymous, found stub-creator""",
    ),
    (
        {"operation": "delete_course", "persona": "stub-creator"},
        "default-1",
        [("operation", "delete_course", "get_course")],
        """operation delete_course, persona stub-creator: expected at least 1, found 0 of 6 requests.
The nearest is default-1:
  operation: expected delete_course, found get_course""",
    ),
    (
        {"operation": "patch_course", "times": 0},
        None,
        [],
        "operation patch_course: expected exactly 0, found 2 of 6 requests.",
    ),
    (
        {"operation": "patch_course", "at_most": 1},
        None,
        [],
        "operation patch_course: expected at most 1, found 2 of 6 requests.",
    ),
    ({}, None, [], "any request: expected at least 1, found 6 of 6 requests."),
    ({"status": 404}, None, [], "status 404: expected at least 1, found 1 of 6 requests."),
    ({"times": 9}, None, [], "any request: expected exactly 9, found 6 of 6 requests."),
]


@pytest.mark.parametrize(("expected", "nearest", "differences", "message"), GOLDEN)
def test_verify_requests_tells_what_the_nearest_had_instead(
    api: Api, expected: Options, nearest: str | None, differences: list[tuple[str, Any, Any]], message: str
) -> None:
    """Where too few fit. What was not sent is called nothing, to tell it from null."""
    verdict = verify(told(api), **expected)
    assert verdict["message"] == message
    shown = [{"what": what, "expected": wanted, "found": found} for what, wanted, found in differences]
    assert verdict["nearest"] == ({"id": nearest, "differences": shown} if nearest else None)


def test_the_nearest_is_of_the_same_operation_before_it_is_of_any_other(api: Api) -> None:
    """However much it differs beside."""
    ok(api.get("/category/?limit=1"))
    refused(api.as_("member").patch("/course/2/", json={"name": "Knots"}), 403)
    wanted = {"operation": "patch_course", "persona": "anonymous", "status": 200, "method": "PUT"}
    assert verify(api, **wanted, body={"a": 1}, query={"b": "2"})["nearest"]["id"] == "default-2"


def test_verify_requests_of_nothing(api: Api) -> None:
    assert verify(api) == {
        "verified": False,
        "count": 0,
        "message": "any request: expected at least 1, found 0 of 0 requests.",
        "nearest": None,
    }
    assert verify(api, times=0)["verified"]


def test_verify_requests_reads_forms_as_fields(api: Api) -> None:
    ok(api.as_("creator").patch("/course/1/", data={"name": "Knots", "categories[0]": "2"}))
    assert verify(api, body={"name": "Knots", "categories": [2]}, times=1)["verified"]


def test_verify_requests_is_about_one_world(api: Api) -> None:
    ok(api.get("/~w/api/v2/course/1/"))
    assert verify(api)["count"] == 0
    assert ok(api.post(VERIFY, json={}, headers={"X-Stub-World": "w"}))["count"] == 1
    assert ok(api.post("/~w/__stub/verify", json={}))["count"] == 1


def test_verify_requests_finds_no_credentials(api: Api) -> None:
    """Not even by guessing."""
    ok(api.post(TOKEN, json={**WREN, **APP}))
    assert verify(api, contains={"password": WREN["password"]})["count"] == 0
    assert verify(api, contains={"password": "x"})["nearest"]["differences"][0]["found"] == "[redacted]"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"times": -1}, {"times": "min_value"}),
        ({"at_least": "x"}, {"at_least": "invalid"}),
        ({"body": [1]}, {"body": "invalid"}),
        ({"status": "ok"}, {"status": "invalid"}),
        ({"path": "x" * 201}, {"path": "max_length"}),
        ([], {"non_field_errors": "invalid"}),
    ],
)
def test_verify_requests_refuses_what_cannot_be(api: Api, body: Any, expected: dict[str, str]) -> None:
    assert refused(api.post(VERIFY, json=body), 400) == expected


def test_verify_requests_is_not_recorded(api: Api) -> None:
    assert [verify(api)["count"] for _ in range(2)] == [0, 0]
