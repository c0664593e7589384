"""Memberships: status, joining and leaving, invitations, requests and roles."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.api.operations.memberships import ACTIONS
from tests.support.answers import done, ids, ok, refused
from tests.support.client import Api
from tests.support.default import COURSES, NOW, STRANGER, iso
from tests.support.forms import FORM, IN_EVERY_ENCODING, Encode, Options
from tests.support.rows import be, snapshot

EARLIER = NOW - timedelta(days=100)
STATUSES = (None, "requested", "invited", "joined", "manager")
MEMBERS = ("creator", "manager", "joined")
FOR_MANAGERS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "list_course_invited_users": ("GET", "invite", {}),
    "invite_course_users": ("POST", "invite", {"json": {"users": [14]}}),
    "remove_course_invitations": ("DELETE", "invite", {"json": {"users": [4]}}),
    "list_course_join_requests": ("GET", "request_join", {}),
    "change_course_roles": ("POST", "role", {"json": {"managers": [14]}}),
    "list_course_suggested_users": ("GET", "user", {}),
    "list_course_dashboard_users": ("GET", "users", {}),
    "leave_course": ("DELETE", "join", {"params": {"user": 8}}),
}
"""What only the creator and managers may do: method, last part of the path, and what to send."""
OPERATIONS = pytest.mark.parametrize(("method", "path", "options"), FOR_MANAGERS.values(), ids=FOR_MANAGERS)


def standing(api: Api, course: int, user: int = STRANGER) -> tuple[Any, Any]:
    """Status and joined_at."""
    row = api.world.memberships.get((course, user))
    return (row["status"], row["joined_at"]) if row else (None, None)


# The state machine


def becomes(before: str | None, after: str | None) -> tuple[str | None, Any]:
    """Status and joined_at: set to now when a user becomes a member, kept while inside, absent outside."""
    if after not in MEMBERS:
        return after, None
    return after, EARLIER if before in MEMBERS else NOW


def hidden(privacy: str, status: str | None) -> bool:
    """Whether the course is absent for users with that status."""
    return (privacy == "draft" and status != "manager") or (privacy == "secret" and status in (None, "requested"))


def joining(privacy: str, status: str | None) -> tuple[int, str | None]:
    if hidden(privacy, status):
        return 404, status
    if status is None:
        return 200, {"open": "joined", "private": "requested"}[privacy]
    return 200, "joined" if status == "invited" else status


def leaving(privacy: str, status: str | None) -> tuple[int, str | None]:
    return (404, status) if hidden(privacy, status) or status is None else (204, None)


EVERYWHERE = [(privacy, before) for privacy in COURSES for before in STATUSES]


@pytest.mark.parametrize(("privacy", "before"), EVERYWHERE)
def test_join_course_follows_the_state_machine(api: Api, privacy: str, before: str | None) -> None:
    """R202-R207: open joins, private asks, invitations are accepted, other statuses stay; hidden courses are absent."""
    course = COURSES[privacy]
    be(api, course, before, days=-100)
    status, after = joining(privacy, before)
    response = api.as_("stranger").post(f"/course/{course}/join/")
    if status == 404:
        assert refused(response, 404) == {"": "not_found"}
    else:
        assert ok(response)["join_status"] == after
        assert ok(api.as_("stranger").get(f"/course/{course}/status/")) == {"status": after}
    assert standing(api, course) == becomes(before, after)


@pytest.mark.parametrize(("privacy", "before"), EVERYWHERE)
def test_leave_course_follows_the_state_machine(api: Api, privacy: str, before: str | None) -> None:
    """R208, R210: members leave, requests and invitations end; without a status there is nothing to leave."""
    course = COURSES[privacy]
    be(api, course, before, days=-100)
    status, after = leaving(privacy, before)
    response = api.as_("stranger").delete(f"/course/{course}/join/")
    if status == 404:
        assert refused(response, 404) == {"": "not_found"}
    else:
        done(response)
    assert standing(api, course) == becomes(before, after)


OUTCOMES: dict[str, list[str | None]] = {
    "leave": ["refused", None, None, None, None],
    "invite": ["invited", "joined", "invited", "joined", "manager"],
    "uninvite": [None, "requested", None, "joined", "manager"],
    "managers": ["manager"] * 5,
    "joined": ["joined"] * 5,
    "unjoined": [None] * 5,
}
"""Action -> what it makes of each of STATUSES."""


@pytest.mark.parametrize("privacy", COURSES)
@pytest.mark.parametrize("caller", ["creator", "manager"])
@pytest.mark.parametrize(
    ("action", "before", "after"),
    [(action, *step) for action, row in OUTCOMES.items() for step in zip(STATUSES, row, strict=True)],
)
def test_change_course_roles_follows_the_state_machine(
    api: Api, privacy: str, caller: str, action: str, before: str | None, after: str | None
) -> None:
    """R211, R215, R217, R219: what creator and managers do to others, the same in every privacy, drafts included."""
    course = COURSES[privacy]
    be(api, course, before, days=-100)
    others = [row for row in snapshot(api.world)["memberships"] if row["user_id"] != STRANGER]
    response = ACTIONS[action](api.as_(caller), course, STRANGER)
    if after == "refused":
        assert refused(response, 404) == {"": "not_found"}
    else:
        done(response)
        assert standing(api, course) == becomes(before, after)
    assert [row for row in snapshot(api.world)["memberships"] if row["user_id"] != STRANGER] == others


@pytest.mark.parametrize("privacy", COURSES)
@pytest.mark.parametrize("caller", ["creator", "manager"])
@pytest.mark.parametrize(
    ("action", "status", "expected"),
    [
        ("leave", 403, {"": "permission_denied"}),
        *((name, 400, {name: "invalid"}) for name in ("managers", "joined", "unjoined")),
    ],
)
def test_leave_course_never_removes_the_creator(
    api: Api, privacy: str, caller: str, action: str, status: int, expected: dict[str, str]
) -> None:
    """R115, R209, R220: no one, not even the creator, can remove the creator or change that role."""
    course = COURSES[privacy]
    before = snapshot(api.world)
    assert refused(ACTIONS[action](api.as_(caller), course, 1), status) == expected
    assert snapshot(api.world) == before


@pytest.mark.parametrize("course", COURSES.values(), ids=COURSES)
def test_leave_course_keeps_the_creator(api: Api, course: int) -> None:
    """R115, R206, R209, R215, R217: the creator cannot leave; joining, inviting and uninviting change nothing."""
    before = snapshot(api.world)
    assert refused(api.as_("creator").delete(f"/course/{course}/join/"), 403) == {"": "permission_denied"}
    assert ok(api.as_("creator").post(f"/course/{course}/join/"))["join_status"] == "creator"
    for action in ("invite", "uninvite"):
        done(ACTIONS[action](api.as_("manager"), course, 1))
    assert snapshot(api.world) == before


# Status, joining, leaving


@pytest.mark.parametrize(
    ("caller", "course", "status"),
    [
        ("creator", 10, "creator"),
        ("manager", 10, "manager"),
        ("member", 1, "joined"),
        ("invited", 7, "invited"),
        ("requested", 4, "requested"),
        ("stranger", 1, None),
        ("stranger", 4, None),
    ],
)
def test_get_course_status_answers_the_callers(api: Api, caller: str, course: int, status: str | None) -> None:
    """R222: the caller's status and nothing else; outsiders of a private course have none."""
    assert ok(api.as_(caller).get(f"/course/{course}/status/")) == {"status": status}


def test_get_course_status_needs_login_and_a_visible_course(api: Api) -> None:
    """R001, R101, R104, R222: 401 without a token, 404 if the course is invisible."""
    for course in (1, 4, 7, 10, 99):
        for method, path in (("GET", "status"), ("POST", "join"), ("DELETE", "join")):
            assert refused(api.request(method, f"/course/{course}/{path}/"), 401) == {"": "not_authenticated"}
    for caller, course in (("stranger", 7), ("requested", 7), ("member", 10), ("invited", 10), ("stranger", 99)):
        assert refused(api.as_(caller).get(f"/course/{course}/status/"), 404) == {"": "not_found"}


def test_join_course_answers_the_course(api: Api) -> None:
    """R207: the answer is what a new member reads: status, sections and progress."""
    body = ok(api.as_("stranger").post("/course/2/join/"))
    assert body == ok(api.as_("stranger").get("/course/2/"))
    assert (body["join_status"], body["user_completion_rate"], body["num_lessons"]) == ("joined", 0, 5)
    assert [section["available_date"] for section in body["sections"]] == [iso(), iso(7), iso(30)]
    assert [section["locked"] for section in body["sections"]] == [False, True, True]


def test_join_course_tells_those_who_wait_nothing(api: Api) -> None:
    """R103, R207: callers who must wait get the same schema, without sections and description."""
    keys = set(ok(api.as_("stranger").post("/course/2/join/")))
    for caller in ("stranger", "requested"):
        response = api.as_(caller).post("/course/4/join/")
        body = ok(response)
        assert set(body) == keys
        assert (body["join_status"], body["sections"], body["num_lessons"]) == ("requested", [], 0)
        assert "white card" not in response.text


@pytest.mark.parametrize("options", [{}, {"content": b"", "headers": {"Content-Type": "application/json"}}])
def test_join_course_needs_no_body(api: Api, options: dict[str, Any]) -> None:
    """R010: an empty body succeeds, with and without the JSON content type."""
    assert ok(api.as_("stranger").post("/course/1/join/", **options))["join_status"] == "joined"


def test_join_course_forgets_what_was_before_leaving(api: Api) -> None:
    """R212: leaving loses joined_at, activity and completions in this course; no one else loses anything."""
    elsewhere = ok(api.as_("member").get("/course/2/"))
    done(api.as_("member").delete("/course/1/join/"))
    assert ok(api.as_("member").get("/course/1/"))["user_completion_rate"] == 0
    api.world.clock.advance(timedelta(hours=5))
    body = ok(api.as_("member").post("/course/1/join/"))
    assert (body["join_status"], body["user_completion_rate"], body["num_lessons_completed"]) == ("joined", 0, 0)
    assert ok(api.as_("member").get("/course/2/")) == elsewhere
    rows = {row["id"]: row for row in ok(api.as_("manager").get("/course/1/users/"))["results"]}
    assert (rows[3]["joined_at"], rows[3]["last_active_at"]) == (iso(5 / 24), None)
    assert (rows[8]["user_completion_rate"], rows[9]["user_completion_rate"]) == (60, 100)


@pytest.mark.parametrize("action", ["leave", "unjoined"])
def test_leave_course_forgets_what_the_removed_user_did(api: Api, action: str) -> None:
    """R211, R212, R219: being removed loses the same things as leaving."""
    done(ACTIONS[action](api.as_("manager"), 1, 8))
    assert ids(api.as_("manager").get("/course/1/join/")) == [2, 3, 9, 10, 11, 12, 13, 14]
    done(ACTIONS["joined"](api.as_("manager"), 1, 8))
    rows = {row["id"]: row for row in ok(api.as_("manager").get("/course/1/users/"))["results"]}
    expected = {"join_status": "joined", "user_completion_rate": 0, "joined_at": iso(), "last_active_at": None}
    assert {name: rows[8][name] for name in expected} == expected
    assert rows[3]["user_completion_rate"] == 40


def test_change_course_roles_keeps_progress(api: Api) -> None:
    """R219: promotion and demotion keep joined_at, activity and completions."""
    before = ok(api.as_("creator").get("/course/1/users/?search=dilys"))["results"][0]
    for role, status in (("managers", "manager"), ("joined", "joined")):
        done(ACTIONS[role](api.as_("creator"), 1, 3))
        now = ok(api.as_("creator").get("/course/1/users/?search=dilys"))["results"][0]
        assert now == {**before, "join_status": status}


def test_leave_course_without_role_may_not_name_others(api: Api) -> None:
    """R211: user= is for the creator and managers, even with one's own id; an unknown user has no status to lose."""
    for caller, own in (("member", 3), ("invited", 4), ("stranger", 6)):
        for user in (8, own, 999):
            response = api.as_(caller).delete("/course/1/join/", params={"user": user})
            assert refused(response, 403) == {"": "permission_denied"}
    assert refused(api.as_("manager").delete("/course/1/join/?user=999"), 404) == {"": "not_found"}
    assert refused(api.as_("manager").delete("/course/1/join/?user=me"), 400) == {"user": "invalid"}
    done(api.as_("manager").delete("/course/1/join/?user=2"))
    assert standing(api, 1, 2) == (None, None)


# Who may


@OPERATIONS
def test_invite_course_users_is_for_creator_and_managers(
    api: Api, method: str, path: str, options: dict[str, Any]
) -> None:
    """R001, R003-R005, R223: others get 403, 404 if they cannot see it, 401 without a token; nothing changes."""
    before = snapshot(api.world)

    def ask(caller: str | None, course: int) -> httpx.Response:
        return api.as_(caller).request(method, f"/course/{course}/{path}/", **options)

    for course in (1, 7, 10, 99):
        assert refused(ask(None, course), 401) == {"": "not_authenticated"}
        assert refused(ask("nobody", course), 401) == {"": "authentication_failed"}
    for caller, course in (
        ("member", 1),
        ("invited", 1),
        ("stranger", 1),
        ("staff", 1),
        ("requested", 4),
        ("member", 7),
    ):
        assert refused(ask(caller, course), 403) == {"": "permission_denied"}
    for caller, course in (("stranger", 7), ("requested", 7), ("member", 10), ("creator", 99)):
        assert refused(ask(caller, course), 404) == {"": "not_found"}
    assert snapshot(api.world) == before
    assert ask("manager", 1).status_code == ask("creator", 7).status_code == (200 if method == "GET" else 204)


def test_invite_course_users_checks_the_role_before_the_body(api: Api) -> None:
    """R005: media type and body are checked only for callers who have the role."""
    for method, path in (("POST", "invite"), ("DELETE", "invite"), ("POST", "role")):
        several: list[Options] = [{"json": {}}, {"content": "<a/>", "headers": {"Content-Type": "text/xml"}}]
        for options in several:
            for caller, status in (("stranger", 403), (None, 401)):
                assert api.as_(caller).request(method, f"/course/1/{path}/", **options).status_code == status
        response = api.as_("creator").request(method, f"/course/1/{path}/", **options)
        assert refused(response, 415) == {"": "unsupported_media_type"}


# Invitations and roles for many users at once


@IN_EVERY_ENCODING
def test_invite_course_users_reads_every_content_type(api: Api, encode: Encode) -> None:
    """R009, R012, R215: invites and accepts in one request, in JSON and both kinds of forms."""
    done(api.as_("manager").post("/course/4/invite/", **encode({"users": [6, 5, 12, 8, 1, 6]})))
    statuses = [standing(api, 4, user)[0] for user in (6, 5, 12, 8, 1)]
    assert statuses == ["invited", "joined", "invited", "joined", "creator"]
    assert standing(api, 4, 5)[1] == NOW


@IN_EVERY_ENCODING
def test_remove_course_invitations_reads_every_content_type(api: Api, encode: Encode) -> None:
    """R009, R012, R217: the ids travel in the body of the DELETE; only invitations are taken back."""
    done(api.as_("manager").request("DELETE", "/course/4/invite/", **encode({"users": [4, 12, 5, 8, 6, 1]})))
    statuses = [standing(api, 4, user)[0] for user in (4, 12, 13, 5, 8, 6, 1)]
    assert statuses == [None, None, "invited", "requested", "joined", None, "creator"]


@IN_EVERY_ENCODING
def test_change_course_roles_reads_every_content_type(api: Api, encode: Encode) -> None:
    """R009, R011, R012, R219: three lists in one request; unknown fields are ignored."""
    lists = {"managers": [6, 3], "joined": [2, 5], "unjoined": [8, 4], "others": [99]}
    done(api.as_("creator").post("/course/4/role/", **encode(lists)))
    statuses = [standing(api, 4, user)[0] for user in (6, 3, 2, 5, 8, 4, 10)]
    assert statuses == ["manager", "manager", "joined", "joined", None, None, "requested"]
    assert standing(api, 4, 6)[1] == standing(api, 4, 5)[1] == NOW


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({}, {"users": "required"}),
        ({"user": [6]}, {"users": "required"}),
        ({"users": []}, {"users": "empty"}),
        ({"users": None}, {"users": "null"}),
        ({"users": 6}, {"users": "not_a_list"}),
        ({"users": ["six"]}, {"users": "invalid"}),
        ({"users": [6, 999]}, {"users": "does_not_exist"}),
        ({"users": [4, 999]}, {"users": "does_not_exist"}),
    ],
)
@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_invite_course_users_refuses_bad_lists(
    api: Api, method: str, sent: dict[str, Any], expected: dict[str, str]
) -> None:
    """R216: users must be a non-empty list of existing users; a refusal changes nothing for anyone."""
    before = snapshot(api.world)
    assert refused(api.as_("creator").request(method, "/course/1/invite/", json=sent), 400) == expected
    assert snapshot(api.world) == before


@pytest.mark.parametrize(
    ("sent", "fields"),
    [
        ({"managers": [6, 1]}, {"managers"}),
        ({"managers": [6], "joined": [4], "unjoined": [3, 1]}, {"unjoined"}),
        ({"joined": [6, 999]}, {"joined"}),
        ({"managers": [6], "joined": [6]}, {"joined"}),
        ({"managers": [3], "unjoined": [6, 3]}, {"unjoined"}),
        ({"unjoined": [3, "x"]}, {"unjoined"}),
        ({"managers": [6], "joined": 4}, {"joined"}),
    ],
)
def test_change_course_roles_refuses_bad_lists(api: Api, sent: dict[str, Any], fields: set[str]) -> None:
    """R209, R220: the creator, unknown users and users in two lists are refused, and nothing changes for anyone."""
    before = snapshot(api.world)
    assert set(refused(api.as_("creator").post("/course/1/role/", json=sent), 400)) == fields
    assert snapshot(api.world) == before


@pytest.mark.parametrize("sent", [{}, {"users": [6]}])
def test_change_course_roles_needs_a_list(api: Api, sent: dict[str, Any]) -> None:
    """R218: at least one of the three lists must be present."""
    for options in ({"json": sent}, {"data": {"x": "1"}}):
        assert set(refused(api.as_("creator").post("/course/1/role/", **options), 400).values()) == {"required"}


@pytest.mark.parametrize(("method", "path"), [("POST", "invite"), ("DELETE", "invite"), ("POST", "role")])
def test_invite_course_users_names_the_mistake_of_the_docs_sample(api: Api, method: str, path: str) -> None:
    """R009, R017: JSON sent as a form has no fields; the refusal says which media type to send."""
    text = '{"users": [6], "managers": [6]}'
    response = api.as_("creator").request(method, f"/course/1/{path}/", content=text, headers=FORM)
    assert "parse_error" in refused(response, 400).values()
    assert "application/json" in response.text
    assert standing(api, 1) == (None, None)
