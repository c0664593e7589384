"""How a journal entry is shown: what was asked and by whom, what was answered, and by which rules."""

from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest

from stubserver.api.images import png
from stubserver.contract.contract import Contract
from tests.support.answers import ok
from tests.support.client import Api
from tests.support.default import NOW
from tests.support.faults import create
from tests.support.forms import FORM, JSON, MULTIPART, Options, form, part
from tests.support.journal import REQUESTS, newest, requests
from tests.support.tokens import grant, signed

pytestmark = pytest.mark.in_process("it is about the journal of the world default")

MOMENT = NOW.isoformat()


# Entries


@pytest.mark.parametrize("state", [{}, {"tracestate": "a=1,b=2"}, {"tracestate": "not valid"}])
def test_get_request_tells_the_trace(api: Api, state: dict[str, str]) -> None:
    """Whether the worlds are in memory or in a store, because the journal keeps the headers."""
    parent = {"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}
    number = api.get("/course/1/", headers={**parent, **state}).headers["x-stub-request"]
    kept = state if state != {"tracestate": "not valid"} else {}
    found = ok(api.get(f"{REQUESTS}/{number}"))["trace"]
    assert found == {"trace_id": "a" * 32, "parent_id": "b" * 16, "trace_flags": "01", **kept}


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
        "trace": None,
        "request": {
            "method": "PATCH",
            "path": "/api/v2/course/1/",
            "query": {"x": "1", "y": ["2", "3"]},
            "body": {"name": "Knots", "nope": [1]},
        },
        "response": {"body": response.json()},
        "accepted": [],
        "violations": [
            {"kind": "parameter", "name": "x"},
            {"kind": "parameter", "name": "y"},
            {"kind": "field", "name": "nope"},
        ],
        "problems": [],
        "rules": [],
        "changes": [{"op": "replace", "path": "/courses/1/name", "value": "Knots"}],
        "faults": [],
        "variants": [],
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
    """However early the refusal; what the contract knows is not a violation."""
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


KNOTS = {"name": "a.txt", "size": 5, "digest": f"sha256:{sha256(b'Knots').hexdigest()}"}


def form_of(text: str) -> Options:
    return {"data": {"description": text}}


def json_of(text: str) -> Options:
    return {"json": {"description": text}}


@pytest.mark.parametrize(
    ("content", "headers", "expected"),
    [
        (b'{"name": "Knots", "x": {"y": [1, null]}}', JSON, {"name": "Knots", "x": {"y": [1, None]}}),
        (b"[1, 2]", JSON, [1, 2]),
        (b'"text"', JSON, "text"),
        (b'{"name": "Knots"', JSON, '{"name": "Knots"'),
        (b'{"name": "\xff"}', JSON, '{"name": "\ufffd"}'),
        (b"name=Knots+and+ropes&categories[0]=2&x=1", FORM, {"name": "Knots and ropes", "categories": [2], "x": "1"}),
        (b"x=1&x=2&hide_member_count=true", FORM, {"x": ["1", "2"], "hide_member_count": True}),
        (b"name=", FORM, {"name": ""}),
        (b'{"name": "x"}', FORM, {"name": "x"}),
        (b"name=%ff", FORM, "name=%ff"),
        (form(part("name", b"Knots"), part("x", b"1")), MULTIPART, {"name": "Knots", "x": "1"}),
        (form(part("name", b"Knots", "a.txt")), MULTIPART, {"name": KNOTS}),
        (form(part("name", b"Knots"))[:-6], MULTIPART, form(part("name", b"Knots"))[:-6].decode()),
        (b"plain", {"Content-Type": "text/plain"}, "plain"),
        (b"", JSON, None),
    ],
    ids=str,
)
def test_a_body_is_shown_as_it_was_sent(api: Api, content: bytes, headers: dict[str, str], expected: Any) -> None:
    """JSON unchanged, a form as its fields, anything else as text; whether it was accepted or refused."""
    api.as_("creator").patch("/course/1/", content=content, headers=headers)
    assert newest(api)["request"]["body"] == expected


COVER = png(8, "a") + b"abc" * 10_000
EDIT = form(
    part("name", b"Knots"),
    part("categories[]", b"2"),
    part("image_original", COVER, "a.png"),
    part("cover", b"", "b.png"),
)
SHOWN = {
    "name": "Knots",
    "categories": [2],
    "image_original": {"name": "a.png", "size": len(COVER), "digest": f"sha256:{sha256(COVER).hexdigest()}"},
    "cover": {"name": "b.png", "size": 0, "digest": f"sha256:{sha256(b'').hexdigest()}"},
}


@pytest.mark.parametrize(
    ("persona", "path", "fault", "status"),
    [
        ("creator", "/course/1/", {}, 200),
        ("creator", "/course/99/", {}, 404),
        ("member", "/course/1/", {}, 403),
        (None, "/course/1/", {}, 401),
        ("creator", "/course/1/", {"kind": "error", "status": 502}, 502),
    ],
)
def test_of_a_form_with_files_the_fields_are_kept(
    api: Api, persona: str | None, path: str, fault: dict[str, Any], status: int
) -> None:
    """However large the files are, and however early the request was refused: it can be verified."""
    if fault:
        create(api, **fault)
    assert api.as_(persona).patch(path, content=EDIT, headers=MULTIPART).status_code == status
    assert newest(api)["request"]["body"] == SHOWN
    for expected, verified in (("a.png", True), ("c.png", False)):
        contains = {"name": "Knots", "image_original": {"name": expected}}
        verdict = ok(api.post("/__stub/verify", json={"operation": "patch_course", "contains": contains}))
        assert verdict["verified"] is verified


@pytest.mark.parametrize("encode", [form_of, json_of])
def test_a_long_text_is_kept(api: Api, encode: Callable[[str], Options]) -> None:
    """A lesson with pictures inside its text takes hundreds of kilobytes."""
    text = "x" * 300_000
    ok(api.as_("creator").patch("/course/1/", **encode(text)))
    assert newest(api)["request"]["body"] == {"description": text}


@pytest.mark.parametrize("media", ["text/plain", "image/png", "multipart/form-data; boundary=b"])
@pytest.mark.parametrize(("size", "shown"), [(16 * 1024, False), (16 * 1024 + 1, True)])
def test_of_a_large_body_that_is_no_form_the_size_is_shown(api: Api, media: str, size: int, shown: bool) -> None:
    api.as_("creator").patch("/course/1/", content=b"x" * size, headers={"Content-Type": media})
    assert newest(api)["request"]["body"] == (f"({size} bytes)" if shown else "x" * size)


def test_of_large_broken_json_the_size_is_shown(api: Api) -> None:
    api.as_("creator").patch("/course/1/", content=b"x" * 20_000, headers=JSON)
    assert newest(api)["request"]["body"] == "(20000 bytes)"


# Rules


@pytest.mark.parametrize(
    ("persona", "method", "path", "body", "expected"),
    [
        ("stranger", "PATCH", "/course/1/", {"name": "x"}, ["R003", "R125"]),
        ("stranger", "GET", "/course/7/", None, ["R004", "R101", "R104"]),
        ("creator", "GET", "/course/1/section/99/", None, ["R004", "R006", "R101", "R104"]),
        ("creator", "GET", "/course/search/?limit=abc", None, []),
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
    """Chosen by status and code from the rules that the operation follows."""
    api.as_(persona).request(method, path, json=body)
    entry = newest(api)
    assert entry["rules"] == expected
    for rule in expected:
        assert contract.document["x-rules"][rule]["status"] == entry["status"]
