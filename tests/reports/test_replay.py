"""Replaying cases: the same world gives the same answers, and whatever differs or is missing is named."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import httpx
import pytest

from stubserver import __version__
from stubserver.app import StubServer, create_app
from stubserver.reports.replay import Replayed, UnreadableCase, read, replay
from stubserver.serving.in_process import InProcess
from tests.support.answers import ok, refused
from tests.support.client import Api
from tests.support.faults import create
from tests.support.forms import MULTIPART, form, part
from tests.support.pictures import GIF
from tests.support.tokens import APP, TOKEN, WREN, signed
from tests.support.worlds import FREEZE, busy, make, named

pytestmark = pytest.mark.in_process("it is about the journal of the world default")

CASE = "/__stub/case"
Again = Callable[[Any], Replayed]


@pytest.fixture(scope="module")
def second() -> StubServer:
    """The server that replays; each case restores its world."""
    return create_app("default", jwt_secret="x" * 32)


@pytest.fixture(scope="module")
def again(second: StubServer) -> Iterator[Again]:
    transport = InProcess(second)
    with closing(transport), httpx.Client(transport=transport, base_url="http://localhost") as client:
        yield lambda case: replay(read(json.dumps(case)), second, client)


def test_a_busy_world_answers_the_same_again(api: Api, again: Again) -> None:
    """Every kind of change, frozen or not; only what the journal does not hold is left out."""
    ok(api.post("/__stub/faults", json={"kind": "error", "operation": "join_course", "probability": 0.5}), 201)
    busy(api, "default")
    for _ in range(8):
        api.as_("stranger").post("/course/1/join/")
        api.as_("stranger").post("/course/1/leave/")
    ok(api.post(FREEZE))
    ok(api.as_("member").get("/course/?limit=3"))
    refused(api.as_("member").patch("/course/1/", json={"name": "Mine"}), 403)
    refused(api.get("/course/1/?user=x", headers={"Authorization": "Bearer expired"}), 401)
    case = ok(api.get(CASE))
    assert len({entry["status"] for entry in case["requests"]}) >= 6
    found = again(case)
    depend_on_a_file = {"complete_media_upload", "create_media", "create_course_comment"}
    operations = {entry["id"]: entry["operation"] for entry in case["requests"]}
    assert {operations[text.split()[0]] for text in found.differences} <= depend_on_a_file
    assert found.sent >= len(case["requests"]) - 6
    assert all("credentials" in text or "files are not kept" in text or "media" in text for text in found.missing)


@pytest.mark.parametrize("world", ["default", "w"])
def test_a_case_starts_where_the_journal_does(api: Api, again: Again, world: str) -> None:
    make(api, "Before", world)
    assert api.delete("/__stub/requests", headers=named(world)).status_code == 204
    ok(api.as_("creator").get("/course/?statuses=creator&limit=100", headers=named(world)))
    found = again(ok(api.get(CASE, headers=named(world))))
    assert (found.differences, found.missing, found.sent) == ([], [], 1)


def test_links_name_the_base_path_again(api: Api, again: Again) -> None:
    ok(api.get("/~w/api/v2/course/search/?limit=2"))
    found = again(ok(api.get(CASE, headers=named("w"))))
    assert (found.differences, found.sent) == ([], 1)


def test_faults_act_again(api: Api, again: Again) -> None:
    """Those that were there at the time, without their delays."""
    create(api, status=502, operation="get_course", times=1)
    create(api, "reset", operation="list_categories")
    create(api, "latency", operation="search_courses", seconds=50, probability=0)
    for path in ("/course/1/", "/course/1/", "/category/"):
        _sent(api, path)
    assert api.delete("/__stub/faults/2").status_code == 204
    _sent(api, "/category/")
    case = ok(api.get(CASE))
    assert [entry["status"] for entry in case["requests"]] == [502, 200, None, 200]
    found = again(case)
    assert (found.differences, found.missing, found.sent) == ([], [], 4)


def test_variants_are_sent_again(api: Api, again: Again) -> None:
    """Those that were there at the time, and those that a request asked for."""
    null = {"kind": "null", "operation": "get_course", "place": "/created_by/avatar"}
    ok(api.post("/__stub/variants", json=null), 201)
    ok(api.get("/course/1/"))
    assert api.delete("/__stub/variants/1").status_code == 204
    ok(api.get("/course/1/", headers={"Prefer": 'variant="unknown:"'}))
    case = ok(api.get(CASE))
    assert [len(entry["variants"]) for entry in case["requests"]] == [1, 1]
    found = again(case)
    assert (found.differences, found.missing, found.sent) == ([], [], 2)
    assert again({**case, "variants": []}).differences
    assert again({**case, "variants": [{}]}).missing == ["Some of its variants cannot be read."]


def _sent(api: Api, path: str) -> None:
    try:
        api.get(path)
    except (ConnectionError, httpx.TransportError):
        return


def test_switches_are_sent_again(api: Api, again: Again) -> None:
    create(api, status=502, switch="down")
    for path, headers in (
        ("?__fault=down", {}),
        ("", {"Cookie": "sid=1; stub-fault=down; x=y"}),
        ("", {"Cookie": "sid=1"}),
    ):
        api.get(f"/course/1/{path}", headers=headers)
    case = ok(api.get(CASE))
    assert [entry["status"] for entry in case["requests"]] == [502, 502, 200]
    assert [entry["request"]["headers"].get("cookie") for entry in case["requests"]] == [
        None,
        "stub-fault=down; [redacted]",
        "[redacted]",
    ]
    assert again(case).verdict == "all answered the same"


def test_callers_without_a_persona_get_a_token(api: Api, again: Again) -> None:
    """Also when they logged in with a password, which is not in the case."""
    token = ok(api.post(TOKEN, data={**WREN, **APP}))["access_token"]
    for caller in (token, signed(user_id=9)):
        ok(api.get("/user/me/", headers={"Authorization": f"Bearer {caller}"}))
    case = ok(api.get(CASE))
    found = again(case)
    assert (found.differences, found.missing, found.sent) == (
        [],
        ["default-1 is not sent again: its body held credentials."],
        2,
    )


def test_files_are_replaced(api: Api, again: Again) -> None:
    """Pictures that follow from their content may then differ; nothing else may."""
    content = form(part("name", b"Knots"), part("image_original", GIF, "a.gif"))
    ok(api.as_("creator").patch("/course/1/", content=content, headers=MULTIPART))
    case = ok(api.get(CASE))
    found = again(case)
    assert found.differences == []
    assert found.missing == [
        "default-1: image_original is sent as another picture, because files are not kept; answers may differ."
    ]
    case["requests"][0]["response"]["body"]["image_big"] = "http://elsewhere/"
    assert len(again(case).differences) == 1


def one(api: Api) -> Any:
    """The case of a world with three requests and a frozen clock."""
    ok(api.post(FREEZE))
    ok(api.as_("creator").patch("/course/1/", json={"name": "Knots", "categories": [1, 2]}))
    ok(api.get("/course/1/"))
    assert api.as_("creator").delete("/course/15/").status_code == 204
    return ok(api.get(CASE))


def changed(case: Any, number: int, where: list[Any], value: Any) -> Any:
    """The case with another value in one of its requests."""
    part = case["requests"][number]
    for name in where[:-1]:
        part = part[name]
    part[where[-1]] = value
    return case


@pytest.mark.parametrize(
    ("number", "where", "value", "line"),
    [
        (0, ["response", "body"], "(7 bytes)", 'body: "(7 bytes)" then, "('),
        (0, ["status"], 400, "status: 400 then, 200 now"),
        (0, ["status"], None, "status: no answer then, 200 now"),
        (0, ["response", "body", "name"], "Ropes", 'body.name: "Ropes" then, "Knots" now'),
        (0, ["request", "body", "name"], "Ropes", 'body.name: "Knots" then, "Ropes" now'),
        (1, ["response", "body", "nope"], 1, "body.nope: 1 then, nothing now"),
        (1, ["response", "body", "categories", 0, "id"], 5, "body.categories[0].id: 5 then, 1 now"),
        (1, ["response", "body", "created_at"], "2001-01-01T00:00:00+00:00", "body.created_at: "),
        (2, ["response", "body"], {"a": 1}, 'body: {"a":1} then, null now'),
    ],
)
def test_whatever_differs_is_named(
    api: Api, again: Again, number: int, where: list[Any], value: Any, line: str
) -> None:
    found = again(changed(one(api), number, where, value))
    assert found.verdict.endswith("answered differently")
    first = found.differences[0].splitlines()
    assert first[0].startswith(f"default-{number + 1}  ")
    assert first[1].startswith(f"  {line}")


def test_times_of_a_frozen_clock_are_compared_exactly(api: Api, again: Again) -> None:
    case = one(api)
    for milliseconds, differences in ((0, 1), (3.5, 0)):
        case["requests"][0]["milliseconds"] = milliseconds
        case["requests"][0]["response"]["body"]["created_at"] = "2025-10-06T08:12:48.316206+00:00"
        found = again(case)
        assert len(found.differences) == differences, found


def test_many_differences_are_counted(api: Api, again: Again) -> None:
    case = one(api)
    case["requests"][0]["response"]["body"] = {str(number): number for number in range(30)}
    lines = again(case).differences[0].splitlines()
    assert len(lines) == 12
    assert lines[-1].startswith("  and ")


# Other versions


@pytest.mark.parametrize(
    ("name", "value", "missing"),
    [
        ("faults", [{"what": 1}], "Some of its faults cannot be read."),
        ("forgotten", 3, "3 requests before the first of these had been forgotten; the state they left is unknown."),
        ("case", 2, "The format of the case is version 2; this is 1."),
        ("stubserver", "0.0.1", f"The stubserver is version 0.0.1; this is {__version__}."),
        ("contract", None, "The contract is version unknown; this is 2.0.0."),
    ],
)
def test_another_version_is_read_as_far_as_it_can_be(
    api: Api, again: Again, name: str, value: Any, missing: str
) -> None:
    found = again({**one(api), name: value, "more": {}})
    assert (found.missing, found.differences, found.sent) == ([missing], [], 3)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("stubserver", "0.0.1", "checksum: The snapshot is damaged or has been edited."),
        ("digest", None, "it is incomplete"),
        ("checksum", None, "it is incomplete"),
    ],
)
def test_without_the_start_the_fixture_is_taken(
    api: Api, again: Again, name: str, value: str | None, reason: str
) -> None:
    case = one(api)
    case["start"][name] = value
    if value is None:
        del case["start"][name]
    found = again(case)
    assert found.sent == 3
    assert found.missing[0].startswith("The state at the start cannot be restored (")
    assert name == "digest" or reason in found.missing[0]


@pytest.mark.parametrize(
    ("where", "value"),
    [
        (["time"], "soon"),
        (["time"], "3000-01-01T00:00:00+00:00"),
        (["time"], "2026-01-01T00:00:00"),
        (["id"], "default"),
        (["id"], None),
        (["persona"], 3),
        (["request"], None),
        (["request", "method"], 1),
        (["request", "headers"], []),
        (["request", "query"], None),
        (["response"], 3),
        (["problems"], [1]),
        (["problems"], 3),
    ],
)
def test_a_request_that_cannot_be_read_is_named(api: Api, again: Again, where: list[Any], value: Any) -> None:
    found = again(changed(one(api), 1, where, value))
    assert (found.missing, found.sent, found.total) == (["Request 2 of the file cannot be read."], 2, 3)


def test_an_unknown_caller_is_named(api: Api, again: Again) -> None:
    found = again(changed(one(api), 1, ["persona"], "nobody"))
    assert (found.missing, found.sent) == (["default-2 is not sent again: there is no user 'nobody'."], 2)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{}", "a case has start and requests, and this file does not"),
        ("", "this is not JSON: "),
        ("{", "this is not JSON: "),
        ("[]", "a case is a JSON object"),
        ('{"start": {}, "requests": {}}', "a case has requests, and this file does not"),
        ('{"start": [], "requests": []}', "a case has start, and this file does not"),
    ],
)
def test_what_is_no_case_is_refused(text: str, reason: str) -> None:
    with pytest.raises(UnreadableCase) as refused:
        read(text)
    assert str(refused.value).startswith(reason)
