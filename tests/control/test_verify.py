"""Verification: how many requests match an expectation, and how the nearest one differs."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from stubserver.control.verify import is_certain
from tests.support.answers import ok, refused
from tests.support.client import Api
from tests.support.forms import Options
from tests.support.tokens import APP, TOKEN, WREN

pytestmark = pytest.mark.in_process("it is about the journal of the world default")

VERIFY = "/__stub/verify"


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
    ({"method": "GET"}, 2),
    ({"path": "/api/v2/course/1/"}, 2),
    ({"path": "/api/v2/course/*"}, 3),
    ({"path": "*/media/"}, 2),
    ({"path": "*"}, 6),
    ({"path": "/course/1/"}, 2),
    ({"path": "/course/*"}, 3),
    ({"persona": "stub-member"}, 3),
    ({"persona": "member"}, 3),
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
    """Without bounds, at least one request must match."""
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
    """When too few match. A value that was not sent is called nothing, to tell it from null."""
    verdict = verify(told(api), **expected)
    assert verdict["message"] == message
    shown = [{"what": what, "expected": wanted, "found": found} for what, wanted, found in differences]
    assert verdict["nearest"] == ({"id": nearest, "differences": shown} if nearest else None)


def test_the_nearest_is_of_the_same_operation_before_it_is_of_any_other(api: Api) -> None:
    """However much else differs."""
    ok(api.get("/category/?limit=1"))
    refused(api.as_("member").patch("/course/2/", json={"name": "Knots"}), 403)
    wanted = {"operation": "patch_course", "persona": "anonymous", "status": 200, "method": "PATCH"}
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


# What the journal has forgotten


@pytest.mark.parametrize(
    ("bounds", "least", "most"),
    [
        ({}, 1, None),
        ({"times": 0}, 0, 0),
        ({"times": 3}, 3, 3),
        ({"at_least": 2}, 2, None),
        ({"at_most": 4}, 0, 4),
        ({"at_least": 2, "at_most": 4}, 2, 4),
    ],
)
@pytest.mark.parametrize("count", range(6))
@pytest.mark.parametrize("forgotten", range(4))
def test_a_verdict_is_certain_if_no_forgotten_request_could_change_it(
    bounds: Options, least: int, most: int | None, count: int, forgotten: int
) -> None:
    possible = {
        least <= count + matching and (most is None or count + matching <= most) for matching in range(forgotten + 1)
    }
    assert is_certain(bounds, count, forgotten) is (len(possible) == 1)


def busy(fresh: Callable[..., Api], **settings: int) -> Api:
    """A server whose world has deleted a course, and has seen so much afterwards that it has forgotten that."""
    api = fresh(**settings)
    assert api.as_("creator").delete("/course/15/").status_code == 204
    for _ in range(4):
        ok(api.get("/category/"))
    return api


@pytest.mark.parametrize(
    ("expected", "verified"),
    [
        ({"operation": "delete_course", "times": 0}, None),
        ({"operation": "delete_course", "times": 1}, None),
        ({"operation": "delete_course"}, None),
        ({"operation": "delete_course", "times": 3}, False),
        ({"operation": "list_categories"}, True),
        ({"operation": "list_categories", "times": 2}, False),
        ({"operation": "list_categories", "times": 3}, None),
        ({"operation": "list_categories", "at_most": 2}, False),
        ({"operation": "list_categories", "at_most": 5}, True),
        ({"operation": "list_categories", "at_most": 4}, None),
    ],
)
def test_a_verdict_never_rests_on_what_is_forgotten(
    fresh: Callable[..., Api], expected: Options, verified: bool | None
) -> None:
    """Three requests are kept, two are forgotten."""
    response = busy(fresh, max_requests=3).post(VERIFY, json=expected)
    if verified is None:
        assert refused(response, 409) == {"": "forgotten"}
    else:
        assert ok(response)["verified"] is verified


@pytest.mark.parametrize(
    ("settings", "raised"),
    [
        ({"max_requests": 3}, "--max-requests (now 3)"),
        ({"max_journal": 9_000}, "--max-journal (now 9000)"),
        ({"max_requests": 9, "max_journal": 9_000}, "--max-journal (now 9000)"),
    ],
)
def test_a_refusal_says_what_to_raise(fresh: Callable[..., Api], settings: dict[str, int], raised: str) -> None:
    api = busy(fresh, **settings)
    forgotten = ok(api.get("/__stub/health"))["requests"]["forgotten"]
    response = api.post(VERIFY, json={"operation": "delete_course", "times": 0})
    assert response.json()["errors"][0]["message"] == (
        f"operation delete_course: expected exactly 0, found 0 of {5 - forgotten} requests. But {forgotten} earlier "
        f"requests of world default are no longer in the journal, so this cannot be told. Raise {raised}, or clear the "
        "journal before the requests that count."
    )


def test_an_evicted_world_is_a_reason_too(fresh: Callable[..., Api]) -> None:
    api = fresh(max_worlds=2)
    for world in "abc":
        ok(api.get(f"/~{world}/api/v2/category/"))
    response = api.post("/~a/__stub/verify", json={"operation": "list_categories", "times": 0})
    assert refused(response, 409) == {"": "forgotten"}
    assert "Raise --max-worlds (now 2)" in response.text


def test_after_clearing_the_journal_a_verdict_can_be_told(fresh: Callable[..., Api]) -> None:
    api = busy(fresh, max_requests=3)
    assert api.delete("/__stub/requests").status_code == 204
    assert verify(api, operation="delete_course", times=0)["verified"]
