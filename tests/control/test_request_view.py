"""How a journal entry is shown: what was asked and by whom, what was answered, and by which rules."""

from typing import Any

import pytest

from stubserver.contract.contract import Contract
from tests.support.answers import ok
from tests.support.client import Api
from tests.support.default import NOW
from tests.support.forms import FORM, JSON, MULTIPART, form, part
from tests.support.journal import REQUESTS, newest, requests
from tests.support.tokens import grant, signed

pytestmark = pytest.mark.in_process("it is about the journal of the world default")

MOMENT = NOW.isoformat(timespec="microseconds")


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
        (form(part("name", b"Knots"), part("x", b"1")), MULTIPART, {"name": "Knots"}),
        (b"plain", {"Content-Type": "text/plain"}, "plain"),
        (b"", JSON, None),
    ],
    ids=str,
)
def test_a_body_is_shown_as_it_was_sent(api: Api, content: bytes, headers: dict[str, str], expected: Any) -> None:
    """JSON unchanged, a form as the fields that were read, anything else as text."""
    api.as_("creator").patch("/course/1/", content=content, headers=headers)
    assert newest(api)["request"]["body"] == expected


def test_of_a_file_the_digest_is_shown(api: Api) -> None:
    content = form(part("name", b"Knots"), part("image_original", b"abc", "a.png"))
    ok(api.as_("creator").patch("/course/1/", content=content, headers=MULTIPART))
    digest = "file:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert newest(api)["request"]["body"] == {"name": "Knots", "image_original": digest}


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
    """Chosen by status and code from the rules that the operation follows."""
    api.as_(persona).request(method, path, json=body)
    entry = newest(api)
    assert entry["rules"] == expected
    for rule in expected:
        assert contract.document["x-rules"][rule]["status"] == entry["status"]
