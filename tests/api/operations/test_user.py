"""People: the caller, other users, searches, and what pages poll about them."""

import re
from dataclasses import replace
from typing import Any

import pytest

from stubserver.app import StubServer
from stubserver.contract.contract import Contract
from stubserver.worlds.base import FixtureTable
from stubserver.worlds.snapshot import TABLES, Fixture
from tests.support.answers import ok, refused
from tests.support.client import Api
from tests.support.default import AVATARS, NOW, PERSONAS, iso
from tests.support.rows import snapshot

ME = "/user/me/"
SEARCH, AUTOCOMPLETE = "/user/search/", "/user/autocomplete/"
TERMS = {SEARCH: "user", AUTOCOMPLETE: "search"}
"""Path -> the parameter with the text to search for."""
SEARCHES = pytest.mark.parametrize("path", TERMS, ids=["search_users", "autocomplete_users"])
BY_USERNAME = [11, 8, 5, 3, 10, 14, 7, 12, 13, 2, 6, 1, 9, 4]
NO_CONTENT = "configurations.content_availability"
TOBIN = {
    "id": 6,
    "username": "tobin-ashdale",
    "real_name": "Tobin Ashdale",
    "avatar": AVATARS[6],
    "ext_id": None,
    "followings_counter": 0,
    "followers_counter": 0,
    "posts_counter": 0,
    "discussions_counter": 0,
    "polls_counter": 0,
    "connection_status": None,
    "categories_counter": 0,
    "date_joined": "2026-11-20T12:00:00+00:00",
    "bio": "",
    "location": "",
    "location_lat_lng": None,
    "position_lat_lng": None,
    "date_of_birth": None,
    "description": "Just having a look round",
    "gender": "Unspecified",
    "website": "",
    "cover": None,
    "tags": [],
    "reputation": 0,
    "community_badge": False,
    "reg_approved": True,
    "company_name": "",
    "company_role": "",
    "deleted": False,
}
DENIED = "create_contribute create_poll locate_post create_post create_group create_event create_live_stream"
DENIED += " follow_user request_connection accept_connection"
POLLED = {
    "list_user_categories": ("/user/{}/categories/", []),
    "list_user_groups": ("/user/{}/groups/", {"count": 0, "next": None, "previous": None, "results": []}),
    "list_user_events": ("/user/{}/events/", {"count": 0, "next": None, "previous": None, "results": []}),
}


def delete(api: Api, number: int) -> None:
    """Mark the user's account as deleted."""
    api.world.users.put({**api.world.users[number], "deleted": True})


def ids(api: Api, path: str, query: str = "") -> list[int]:
    return [row["id"] for row in ok(api.get(f"{path}?limit=100&{query}"))["results"]]


# Pictures of people


def test_get_user_has_an_avatar(api: Api) -> None:
    """R612: a picture, or a drawing of the initial, or neither, wherever the person is shown; each can be looked at."""
    for number, address in AVATARS.items():
        assert ok(api.get(f"/user/{number}/"))["avatar"] == address
        if address is not None:
            answer = api.get(address.replace("http://stub.test", "/"))
            kind = "image/svg+xml" if address.endswith(".svg") else "image/png"
            assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
    assert [number for number, address in AVATARS.items() if address is None] == [14]
    course = ok(api.as_("creator").get("/course/1/"))
    assert course["created_by"]["avatar"] == ok(api.as_("creator").get(ME))["avatar"] == AVATARS[1]
    rows = ok(api.as_("manager").get("/course/1/users/?limit=100"))["results"]
    assert {row["id"]: row["avatar"] for row in rows} == {row["id"]: AVATARS[row["id"]] for row in rows}


@pytest.mark.parametrize(
    ("avatar", "shown"),
    [
        ("https://cdn.example/a.png", "https://cdn.example/a.png"),
        ("/upfiles/mine/small/a.png", "http://stub.test/upfiles/mine/small/a.png"),
        ("", "http://stub.test/upfiles/svg/T6.svg"),
        (None, None),
    ],
)
def test_get_user_shows_the_avatar_of_the_fixture(api: Api, avatar: str | None, shown: str | None) -> None:
    """R612."""
    api.world.users.put({**api.world.users[6], "avatar": avatar})
    assert ok(api.get("/user/6/"))["avatar"] == shown


# The caller


@pytest.mark.parametrize(("number", "persona"), [*enumerate(PERSONAS, start=1)])
def test_get_me_shows_the_caller(api: Api, number: int, persona: str) -> None:
    """R703: everything a user has, plus email address, role and permissions."""
    me = ok(api.as_(persona).get(ME))
    user = ok(api.get(f"/user/{number}/"))
    assert user.pop("can_send_pm_to") is False
    assert {name: me.pop(name) for name in user} == user
    assert me == {
        "email": f"{user['username']}@example.com",
        "email_isvalid": True,
        "permission": {**dict.fromkeys(DENIED.split(), False), "create_course": True},
        "role": "admin" if persona == "staff" else None,
        "unseen_interactions_counter": 0,
        "unseen_notification_banners_counter": 0,
    }


@pytest.mark.parametrize(
    ("role", "may"), [("admin", True), ("moderator", True), ("editor", True), ("publisher", False), (None, False)]
)
@pytest.mark.in_process("a fixture or preference of its own")
def test_get_me_tells_who_may_create_courses(api: Api, role: str | None, may: bool) -> None:
    """R114, R703: create_course matches what the server does, and the role is shown."""
    member = api.as_("member")
    api.world.users.put({**api.world.users[3], "role": role})
    assert ok(member.get(ME))["permission"]["create_course"] is True
    api.world.preferences = {**api.world.preferences, "configurations.courses_only_staff_enabled": True}
    me = ok(member.get(ME))
    assert me["permission"] == {**dict.fromkeys(DENIED.split(), False), "create_course": may}
    assert me["role"] == role
    made = member.post("/course/", json={"name": "Mine", "type": "structured"})
    assert made.status_code == (201 if may else 403)


def test_get_me_needs_a_caller(api: Api) -> None:
    """R001: no token, a wrong one, or a deleted user's; the user interface then assumes an anonymous visitor."""
    delete(api, 3)
    assert refused(api.get(ME), 401) == {"": "not_authenticated"}
    for persona in ("nobody", "member"):
        assert refused(api.as_(persona).get(ME), 401) == {"": "authentication_failed"}


@pytest.mark.parametrize("caller", ["creator", "member", "staff"])
def test_get_me_and_all_else_that_can_be_read_keeps_secrets(api: Api, contract: Contract, caller: str) -> None:
    """R703: no answer reveals a password, whom a user hides, or the secret of an app."""
    for user in list(api.world.users):
        api.world.users.put({**user, "password": "unsayable", "hidden_users": []})
    api.world.apps.put({**api.world.apps["stub-server-app"], "client_secret": "unspeakable"})
    shown = []
    for operation in contract.operations.values():
        if operation.method == "get":
            path = operation.path.replace("{section_id}", "2").replace("{lesson_id}", "5")
            answer = api.as_(caller).get(re.sub(r"\{\w+\}", "1", path))
            assert not re.search('unsayable|unspeakable|"password"|"hidden_users"', answer.text), operation.id
            shown += [operation.id] * (answer.status_code == 200)
    assert {"get_me", "get_user", "search_users", "list_preferences", "search_courses", "get_course"} <= set(shown)


# Other users


@pytest.mark.parametrize("caller", [None, "member", "stranger"])
def test_get_user_shows_somebody(api: Api, caller: str | None) -> None:
    """R705: what everyone may know, even without a login where the content is for members only."""
    shown = {**TOBIN, "can_send_pm_to": False}
    assert ok(api.as_(caller).get("/user/6/")) == shown
    api.world.preferences = {**api.world.preferences, NO_CONTENT: False}
    assert ok(api.as_(caller).get("/user/6/")) == shown


@pytest.mark.in_process("a preference of its own")
def test_get_user_tells_who_may_send_messages(api: Api) -> None:
    """R702, R719: anybody with a login to anybody else, if messages are switched on; no list of users has the field."""
    api.world.preferences = {**api.world.preferences, "addons.private_messages_enabled": True}
    delete(api, 5)
    for caller, user, may in (("member", 6, True), ("member", 3, False), (None, 6, False), ("member", 5, False)):
        assert ok(api.as_(caller).get(f"/user/{user}/"))["can_send_pm_to"] is may
    assert "can_send_pm_to" not in ok(api.as_("member").get(ME))
    assert ok(api.get(f"{SEARCH}?user=tobin"))["results"] == [TOBIN]


def test_get_user_shows_deleted_people(api: Api) -> None:
    """R705, R719: marked as deleted, with the time if it is known, otherwise unchanged."""
    delete(api, 6)
    shown = {**TOBIN, "can_send_pm_to": False, "deleted": True}
    assert ok(api.get("/user/6/")) == shown
    api.world.users.put({**api.world.users[6], "deleted_at": NOW})
    assert ok(api.get("/user/6/")) == {**shown, "deleted_at": iso()}


@pytest.mark.parametrize("number", ["99", "0", "-1", "9" * 30])
@pytest.mark.parametrize("caller", [None, "member"])
def test_get_user_needs_one(api: Api, caller: str | None, number: str) -> None:
    """R004, R007: ids without a user are not found."""
    for path in (f"/user/{number}/", *(path.format(number) for path, _ in POLLED.values())):
        assert refused(api.as_(caller).get(path), 404) == {"": "not_found"}


def test_get_user_settings_are_ones_own(api: Api) -> None:
    """R001, R007, R704: the documented defaults, for the caller alone; no one else sees them, not even staff."""
    own = {
        "qa_frequency": 0,
        "email_notification_not_qa": 1,
        "mobile_notifications_scmty": 1,
        "show_toast_notifications": 1,
        "toast_notifications_emit_sound": 0,
    }
    for number, persona in enumerate(PERSONAS, start=1):
        assert ok(api.as_(persona).get(f"/user/{number}/settings/")) == own
        if number != 3:
            assert refused(api.as_(persona).get("/user/3/settings/"), 403) == {"": "permission_denied"}
        assert refused(api.as_(persona).get("/user/99/settings/"), 404) == {"": "not_found"}
    for number in (3, 99):
        assert refused(api.get(f"/user/{number}/settings/"), 401) == {"": "not_authenticated"}


# Searches


@SEARCHES
def test_search_users_finds_by_a_text(api: Api, path: str) -> None:
    """R025, R705: in username or real name, in any case, and nowhere else."""
    for text, expected in {
        "HOLLIS": [1],
        "wren_": [1],
        "wren h": [1],
        "-": [11, 13, 2, 6, 9, 4],
        "an": [11, 12],
        "Ash": [6],
        "Ludlow": [],
        "baker": [],
        "example.com": [],
        "learner-0014": [],
        "stub-password": [],
        "": BY_USERNAME,
    }.items():
        assert ids(api, path, f"{TERMS[path]}={text}") == expected, text
    other = TERMS[AUTOCOMPLETE if path == SEARCH else SEARCH]
    assert ids(api, path, f"{other}=hollis") == BY_USERNAME


@SEARCHES
def test_search_users_ignores_the_case_of_all_letters(api: Api, path: str) -> None:
    """R025: not only of ASCII letters."""
    api.world.users.put({**api.world.users[8], "real_name": "ÉLODIE Ørsted"})
    for text in ("élodie", "ÉLODIE", "øRSTED"):
        assert ids(api, path, f"{TERMS[path]}={text}") == [8]


@SEARCHES
def test_search_users_leaves_deleted_people_out(api: Api, path: str) -> None:
    """R705: whatever the query."""
    delete(api, 8)
    assert ids(api, path) == [number for number in BY_USERNAME if number != 8]
    assert ids(api, path, f"{TERMS[path]}=bram") == []


@pytest.mark.parametrize(
    ("ordering", "expected"),
    [
        ("username", BY_USERNAME),
        ("-username", BY_USERNAME[::-1]),
        ("real_name", [11, 8, 5, 3, 10, 14, 7, 12, 13, 2, 6, 1, 9, 4]),
        ("-real_name", [4, 9, 1, 6, 2, 13, 12, 7, 14, 10, 3, 5, 8, 11]),
        ("location", [6, 3, 13, 11, 4, 8, 14, 5, 7, 2, 12, 10, 9, 1]),
        ("-location", [1, 9, 10, 12, 2, 7, 5, 14, 8, 4, 11, 13, 3, 6]),
        ("date_joined", BY_USERNAME),
        ("password", BY_USERNAME),
        ("", BY_USERNAME),
        ("%00", BY_USERNAME),
    ],
)
@SEARCHES
def test_search_users_orders(api: Api, path: str, ordering: str, expected: list[int]) -> None:
    """R705: by username unless ordering names another allowed field; never by a field that no one may see."""
    api.world.users.put({**api.world.users[1], "password": "a"})
    assert ids(api, path, f"ordering={ordering}") == expected


@SEARCHES
def test_search_users_orders_by_the_field_and_not_by_its_like(api: Api, path: str) -> None:
    """R705: names that sort differently tell username and real name apart."""
    api.world.users.put({**api.world.users[1], "real_name": "Aaron"})
    assert ids(api, path, "ordering=real_name")[0] == 1
    assert ids(api, path, "ordering=-real_name")[-1] == 1
    assert ids(api, path) == BY_USERNAME


@SEARCHES
def test_search_users_pages(api: Api, path: str) -> None:
    """R014, R016: twenty at a time by default; the links lead on."""
    page = ok(api.get(f"{path}?limit=4&offset=4&ordering=-username"))
    assert [row["id"] for row in page["results"]] == BY_USERNAME[::-1][4:8]
    assert page["count"] == 14
    below, order = f"http://stub.test/api/v2{path}?limit=4", "&ordering=-username"
    assert (page["next"], page["previous"]) == (f"{below}&offset=8{order}", below + order)
    for number in range(15, 30):
        api.world.users.put({**api.world.users[1], "id": number, "username": f"x{number}"})
    assert len(ok(api.get(path))["results"]) == 20
    assert refused(api.get(f"{path}?limit=0&{TERMS[path]}=%00"), 400) == {TERMS[path]: "invalid"}


def test_search_users_shows_people_in_full(api: Api) -> None:
    """R705: as get_user shows them, without what only that operation tells (R719)."""
    assert ok(api.get(f"{SEARCH}?user=tobin"))["results"] == [TOBIN]


def test_autocomplete_users_shows_people_in_short(api: Api) -> None:
    """R705: only what a mention needs."""
    hamish = {"id": 14, "username": "hamish_orrell", "real_name": "Hamish Orrell"}
    assert ok(api.get(f"{AUTOCOMPLETE}?search=hamish"))["results"] == [
        {**hamish, "ext_id": "learner-0014", "avatar": None}
    ]


@SEARCHES
@pytest.mark.in_process("a fixture or preference of its own")
def test_search_users_is_for_readers(api: Api, path: str) -> None:
    """R106: without a login, only if the community shows its content to everyone."""
    ok(api.get(path))
    api.world.preferences = {**api.world.preferences, NO_CONTENT: False}
    assert refused(api.get(path), 401) == {"": "not_authenticated"}
    assert ids(api.as_("stranger"), path) == BY_USERNAME


# What pages poll


@pytest.mark.parametrize("caller", [None, "member", "creator"])
@pytest.mark.parametrize(("path", "nothing"), POLLED.values(), ids=POLLED)
def test_list_user_categories_is_empty_and_so_are_groups_and_events(
    api: Api, path: str, nothing: Any, caller: str | None
) -> None:
    """R004, R707: for every caller, about every existing user, even without a login."""
    before = snapshot(api.world)
    for number in (1, 3, 14):
        assert ok(api.as_(caller).get(path.format(number))) == nothing
    assert refused(api.as_(caller).get(path.format(99)), 404) == {"": "not_found"}
    assert snapshot(api.world) == before


@pytest.mark.parametrize("name", ["groups", "events"])
def test_list_user_groups_refuses_bad_pages(api: Api, name: str) -> None:
    """R016, R707: an empty list is paged like any other."""
    path = f"/user/3/{name}/"
    assert ok(api.get(f"{path}?limit=0&offset=x"))["results"] == []
    api.strict()
    assert refused(api.get(f"{path}?limit=0&offset=x"), 400) == {"limit": "min_value", "offset": "invalid"}
    assert ok(api.get(f"{path}?limit=7&offset=20"))["previous"] == f"http://stub.test/api/v2{path}?limit=7&offset=13"


def test_list_user_events_is_empty_for_deleted_people(api: Api) -> None:
    """R705, R707: their profiles can be read, and so can their lists."""
    delete(api, 6)
    for path, nothing in POLLED.values():
        assert ok(api.get(path.format(6))) == nothing


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"json": {"users": [1, 2]}},
        {"json": [1]},
        {"content": b"\xff{", "headers": {"Content-Type": "application/json"}},
        {"content": b"users=1", "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
        {"content": b"?", "headers": {"Content-Type": "image/png"}},
    ],
)
def test_list_connection_statuses_has_none(api: Api, options: dict[str, Any]) -> None:
    """R001, R707: whatever the body says; it is not read."""
    before = snapshot(api.world)
    assert ok(api.as_("member").post("/user/connection/statuses/", **options)) == {"connection_statuses": {}}
    assert refused(api.post("/user/connection/statuses/", **options), 401) == {"": "not_authenticated"}
    assert snapshot(api.world) == before


def test_list_hidden_user_ids_are_those_of_the_fixture(api: Api, app: StubServer, default_fixture: Fixture) -> None:
    """R001, R703: only the users whom the caller hides; none by default."""
    for persona in PERSONAS:
        assert ok(api.as_(persona).get("/user/hidden_users_id/")) == []
    assert refused(api.get("/user/hidden_users_id/"), 401) == {"": "not_authenticated"}
    rows = [
        {**row, "hidden_users": [4, 9] if row["id"] == 3 else []}
        for row in default_fixture.tables["users"].rows.values()
    ]
    users = FixtureTable(*TABLES["users"], rows)
    app.worlds.reset(fixture=replace(default_fixture, tables={**default_fixture.tables, "users": users})).clock.freeze(
        NOW
    )
    assert ok(api.as_("member").get("/user/hidden_users_id/")) == [4, 9]
    assert ok(api.as_("creator").get("/user/hidden_users_id/")) == []
