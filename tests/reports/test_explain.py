"""The story of one request, for a terminal."""

import contextlib
from typing import Any

import httpx
import pytest

from stubserver.contract.contract import Contract
from stubserver.reports.explain import story
from tests.reports.stories import REFUSAL, WHEN
from tests.support.client import Api
from tests.support.default import PERSONAS

CHANGE = f"""\
default-1  POST /api/v2/course/14/section/25/lesson/42/complete/

  when      {WHEN}
  who       stub-member
  operation complete_course_lesson: Mark a lesson as completed
  open to   Members once the lesson is open to them, and the creator and managers at any time (R311-R316).
  answered  204
  changed   replace /completions/3,42/at "2026-11-23T12:00:00+00:00"
            replace /memberships/14,3/last_active_at "2026-11-23T12:00:00+00:00\""""
UNKNOWN = f"""\
default-1  GET /api/v2/kourse/1/?a=b&a=c

  when      {WHEN}
  who       anonymous
  operation none
  unknown   operation GET /api/v2/kourse/1/
  answered  404
  because   No such path: /api/v2/kourse/1/ The nearest is get_course: GET /api/v2/course/{{id}}/; it
            has 'course' where the request has 'kourse'. (not_found)"""
LOST = f"""\
default-1  POST /api/v2/course/1/join/

  when      {WHEN}
  who       stub-stranger
  operation join_course: Join a course, ask to join, or accept an invitation
  open to   Anyone who can see the course, even if only its lock screen (R101-R104).
  fault     lost (fault 1)
  answered  no answer was sent
  changed   add /memberships/1,6 {{"status":"joined","joined_at":"2026-11-23T12:00:00+00:00",\
"last_active_at":null,"course_id":1,"user_id":6}}"""
PREFERRED = f"""\
default-1  POST /api/v2/course/1/join/

  when      {WHEN}
  who       stub-stranger
  operation join_course: Join a course, ask to join, or accept an invitation
  open to   Anyone who can see the course, even if only its lock screen (R101-R104).
  fault     code=404 (requested by the client)
  answered  404
  with      {{"errors":[{{"message":"Not found.","code":"not_found"}}]}}"""
FIELD = f"""\
default-1  PATCH /api/v2/course/1/

  when      {WHEN}
  who       stub-creator
  operation patch_course: Change some fields of a course
  open to   The course's creator or one of its managers (R003, R125, R223).
  sent      {{"privacy":"nope","colour":"red"}}
  unknown   field colour
  answered  400
  because   privacy: "nope" is not a valid choice. Use one of: "open", "private", "secret", "".
            (invalid_choice)"""


S = "http://s.test/api/v2"
AUTH = "-H 'Authorization: Bearer stub-"
JSON = "-H 'Content-Type: application/json'"
TOKENS = [f"stub-{persona}" for persona in PERSONAS]


def told(api: Api, contract: Contract) -> str:
    """The story of the world's first request."""
    return story(api.request("GET", "/__stub/requests/default-1").json(), contract, "http://s.test", TOKENS)


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize(
    ("persona", "method", "path", "options", "golden", "again"),
    [
        (
            "member",
            "POST",
            "/course/14/section/25/lesson/42/complete/",
            {},
            CHANGE,
            f"-X POST {S}/course/14/section/25/lesson/42/complete/ {AUTH}member'",
        ),
        (
            "stranger",
            "PATCH",
            "/course/1/",
            {"json": {"name": "Mine"}},
            REFUSAL,
            f'-X PATCH {S}/course/1/ {JSON} {AUTH}stranger\' --data-binary \'{{"name":"Mine"}}\'',
        ),
        (None, "GET", "/kourse/1/?a=b&a=c", {}, UNKNOWN, f"'{S}/kourse/1/?a=b&a=c'"),
        (
            "stranger",
            "POST",
            "/course/1/join/",
            {"headers": {"Prefer": "code=404"}},
            PREFERRED,
            f"-X POST {S}/course/1/join/ -H 'Prefer: code=404' {AUTH}stranger'",
        ),
        (
            "creator",
            "PATCH",
            "/course/1/",
            {"json": {"privacy": "nope", "colour": "red"}},
            FIELD,
            f'-X PATCH {S}/course/1/ {JSON} {AUTH}creator\' --data-binary \'{{"privacy":"nope","colour":"red"}}\'',
        ),
    ],
    ids=["change", "refusal", "unknown path", "Prefer", "unknown field"],
)
def test_the_story(
    api: Api,
    contract: Contract,
    persona: str | None,
    method: str,
    path: str,
    options: dict[str, Any],
    golden: str,
    again: str,
) -> None:
    api.as_(persona).request(method, path, **options)
    found = told(api, contract)
    told_before, _, last = found.rpartition("\n  again     ")
    assert told_before.startswith(golden) if golden is FIELD else told_before == golden
    assert last == f"curl {again}"


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize(
    ("parent", "trace"),
    [
        (f"00-{'a' * 32}-{'b' * 16}-01", f"\n  trace     {'a' * 32}, sent by span {'b' * 16}"),
        ("wrong", ""),
    ],
)
def test_the_story_names_the_trace(api: Api, contract: Contract, parent: str, trace: str) -> None:
    """If the request belongs to one."""
    api.as_("member").get("/course/1/", headers={"traceparent": parent})
    assert f"\n  who       stub-member{trace}\n  operation" in told(api, contract)


@pytest.mark.usefixtures("app")
def test_the_story_of_a_lost_answer(api: Api, contract: Contract) -> None:
    api.request("POST", "/__stub/faults", json={"kind": "lost", "times": 1})
    with contextlib.suppress(ConnectionError, httpx.TransportError):  # not every transport raises this
        api.as_("stranger").request("POST", "/course/1/join/")
    assert told(api, contract).startswith(f"{LOST}\n  again ")


@pytest.mark.usefixtures("app")
def test_the_story_of_several_faults(api: Api, contract: Contract) -> None:
    for kind in ("error", "latency"):
        api.request("POST", "/__stub/faults", json={"kind": kind, "seconds": 0})
    api.request("GET", "/course/1/?__wait=0")
    lines = told(api, contract).splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("  faults"))
    assert lines[at : at + 4] == [
        "  faults    wait=0 (requested by the client)",
        "            latency (fault 2)",
        "            error (fault 1)",
        "  answered  503",
    ]


@pytest.mark.usefixtures("app")
def test_the_story_of_variants(api: Api, contract: Contract) -> None:
    api.request("POST", "/__stub/variants", json={"kind": "null", "place": "/created_by/avatar"})
    api.request("GET", "/course/1/", headers={"Prefer": 'variant="enum=private:/privacy unknown:"'})
    lines = told(api, contract).splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("  varied"))
    assert lines[at : at + 4] == [
        "  varied    unknown at the whole answer (requested by the client)",
        "            enum=private at /privacy (requested by the client)",
        "            null at /created_by/avatar (variant 1)",
        "  answered  200",
    ]


@pytest.mark.usefixtures("app")
def test_a_long_body_is_shortened(api: Api, contract: Contract) -> None:
    api.as_("creator").request("PATCH", "/course/1/", json={"description": "x" * 3000})
    sent = next(line for line in told(api, contract).splitlines() if line.startswith("  sent"))
    assert sent.endswith("xxx...")
    assert len(sent) < 700


@pytest.mark.usefixtures("app")
def test_no_request_steers_the_terminal(api: Api, contract: Contract) -> None:
    """Control characters in a path, a query or a body are shown, but not sent to the terminal."""
    api.request("GET", "/course/%1B[2J/?a%1B[2J=b%1B[2J")
    assert all(character.isprintable() or character == "\n" for character in told(api, contract))
