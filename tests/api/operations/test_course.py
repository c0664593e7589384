"""Courses: creating, changing and deleting them."""

import re
from dataclasses import replace
from typing import Any

import pytest

from stubserver.api.images import png
from stubserver.app import StubServer
from stubserver.worlds.snapshot import TABLES, Fixture
from tests.api.operations.courses import BY_PRIVACY, FULL, IMAGES, do, ids
from tests.support.answers import ok, refused
from tests.support.client import Api
from tests.support.default import AVATARS, STRANGER, iso
from tests.support.forms import ENCODINGS, IN_EVERY_ENCODING, Encode, Options
from tests.support.rows import snapshot

FIELDS = {
    "name": "Lino Printing & more",
    "slug": "lino",
    "description": "Cut, ink, print: für £5 + paper",
    "type": "structured",
    "privacy": "private",
    "enforce_lessons_order": True,
    "new_comment_notification_enabled": False,
    "hide_member_count": True,
    "meta_title": "mt",
    "meta_description": "md",
    "og_title": "ot",
    "og_description": "od",
    "og_image": "https://pictures.example/lino.png",
    "categories": [3, 1],
}
"""Every writable field except sections_order and image_original."""
JUNK = {
    "id": 99,
    "join_status": "joined",
    "user_completion_rate": 100,
    "created_at": "2001-01-01T00:00:00Z",
    "created_by": 3,
    "deleted": True,
    "image_small": "https://elsewhere.example/x.png",
    "sections": "",
    "products": "[5]",
    "0": "[object Object]",
    "1": "[object Object]",
}
"""Read-only and unknown fields, some of them sent by the vendor's forms."""


def assert_shows(body: dict[str, Any], fields: dict[str, Any]) -> None:
    """A course shows what was written; categories are written as ids and shown as objects."""
    shown = {**body, "categories": [category["id"] for category in body["categories"]]}
    assert {name: shown[name] for name in fields} == fields


# Creating


def test_create_course_answers_defaults(api: Api) -> None:
    """R115, R121, R128: a course with only name and type gets the documented defaults; its author is the creator."""
    body = ok(api.as_("stranger").post("/course/", json={"name": "Lino Printing", "type": "self-paced"}), 201)
    images = {name: body.pop(name) for name in IMAGES}
    assert all(url.startswith("http://stub.test/upfiles/courses/") for url in images.values())
    author = {"id": 6, "username": "tobin-ashdale", "real_name": "Tobin Ashdale"}
    assert body == {
        "id": 16,
        "name": "Lino Printing",
        "slug": "lino-printing",
        "description": "",
        "type": "self-paced",
        "privacy": "",
        "enforce_lessons_order": False,
        "new_comment_notification_enabled": True,
        "hide_member_count": False,
        "meta_title": "",
        "meta_description": "",
        "og_title": "",
        "og_description": "",
        "og_image": None,
        "sections_order": [],
        "deleted": False,
        "join_status": "creator",
        "user_completion_rate": 0,
        "created_at": iso(),
        "created_by": {**author, "avatar": AVATARS[6], "community_badge": False, "deleted": False},
        "categories": [],
    }
    assert ok(api.as_("stranger").get("/course/16/status/")) == {"status": "creator"}
    assert ids(api.as_("stranger").get("/course/", params={"statuses": "creator"})) == [16]
    (row,) = ok(api.as_("stranger").get("/course/16/users/?statuses=creator"))["results"]
    assert (row["id"], row["joined_at"], row["last_active_at"]) == (6, iso(), None)


@IN_EVERY_ENCODING
def test_create_course_reads_every_content_type(api: Api, encode: Encode) -> None:
    """R009, R012, R022: JSON and both kinds of forms, in every spelling of arrays, make the same course."""
    body = ok(api.as_("member").post("/course/", **encode(FIELDS)), 201)
    assert set(body) == FULL
    assert_shows(body, FIELDS)
    assert_shows(ok(api.as_("member").get("/course/16/")), FIELDS)


@IN_EVERY_ENCODING
def test_create_course_ignores_unknown_fields(api: Api, encode: Encode) -> None:
    """R011, R129: read-only and unknown fields, products and stray keys are not errors and have no effect."""
    sent = {"name": "Lino Printing", "type": "self-paced"}
    api.strict()  # where booleans missing from a form have their defaults
    plain = ok(api.as_("member").post("/course/", json=sent), 201)
    body = ok(api.as_("member").post("/course/", **encode({**JUNK, **sent, "name": "Lino 2"})), 201)
    changed = {name for name in body if body[name] != plain[name]}
    assert changed == {"id", "name", "slug"} | IMAGES
    assert body["id"] == 17


@pytest.mark.parametrize("strict", [False, True])
def test_create_course_reads_booleans_missing_from_a_form(api: Api, strict: bool) -> None:
    """R022: a boolean missing from a form is false, and in a strict world its documented default; 1 and 0 are booleans,
    too."""
    form = {"name": "Lino", "type": "self-paced", "hide_member_count": "1", "enforce_lessons_order": "0"}
    caller = (api.strict() if strict else api).as_("creator")
    body = ok(caller.post("/course/", data=form), 201)
    assert body["new_comment_notification_enabled"] is strict
    assert (body["hide_member_count"], body["enforce_lessons_order"]) == (True, False)
    path = f"/course/{body['id']}/"
    assert ok(caller.patch(path, data={"name": "Linocut"}))["hide_member_count"] is True
    assert ok(caller.put(path, data={"name": "Linocut", "type": "self-paced"}))["hide_member_count"] is strict


@pytest.mark.parametrize(("method", "path"), [("POST", "/course/"), ("PUT", "/course/1/")])
def test_create_course_names_the_mistake_of_the_docs_sample(api: Api, method: str, path: str) -> None:
    """R009, R017: JSON sent as a form has no fields; the refusal says which media type to send."""
    response = api.as_("creator").request(
        method,
        path,
        content='{"name": "A", "type": "self-paced"}',
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert refused(response, 400) == {"name": "required", "type": "required", "non_field_errors": "parse_error"}
    assert "application/json" in response.text


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"name": None}, {"name": "null"}),
        ({"name": ""}, {"name": "blank"}),
        ({"name": " \t"}, {"name": "blank"}),
        ({"name": [5]}, {"name": "invalid"}),
        ({"name": "Watercolour for Absolute Beginners"}, {"name": "unique"}),
        ({"name": "Handbook for Community Mentors"}, {"name": "unique"}),
        ({"slug": "bicycle-repair-evenings"}, {"slug": "unique"}),
        ({"slug": "two words"}, {"slug": "invalid"}),
        ({"type": "weekly"}, {"type": "invalid_choice"}),
        ({"privacy": "public"}, {"privacy": "invalid_choice"}),
        ({"privacy": None}, {"privacy": "null"}),
        ({"hide_member_count": "maybe"}, {"hide_member_count": "invalid"}),
        ({"categories": "1"}, {"categories": "not_a_list"}),
        ({"categories": ["one"]}, {"categories": "invalid"}),
        ({"categories": [1, 99]}, {"categories": "does_not_exist"}),
        ({"sections_order": [1]}, {"sections_order": "does_not_exist"}),
        ({"name": "Sketching Walks", "slug": "sketching-walks"}, {"name": "unique", "slug": "unique"}),
        ({"type": "weekly", "name": ""}, {"name": "blank", "type": "invalid_choice"}),
    ],
)
def test_create_course_refuses_bad_fields(api: Api, changes: dict[str, Any], expected: dict[str, str]) -> None:
    """R017, R116, R118, R121, R122: each bad field is reported with its code, and nothing is created."""
    before = snapshot(api.world)
    sent = {"name": "Lino", "type": "self-paced", **changes}
    assert refused(api.as_("stranger").post("/course/", json=sent), 400) == expected
    assert snapshot(api.world) == before
    assert ok(api.as_("stranger").post("/course/", json={"name": "Lino", "type": "self-paced"}), 201)["id"] == 16


@pytest.mark.parametrize(
    ("options", "status", "expected"),
    [
        ({"json": {}}, 400, {"name": "required", "type": "required"}),
        ({"json": ["name"]}, 400, {"non_field_errors": "invalid"}),
        ({"content": "{", "headers": {"Content-Type": "application/json"}}, 400, {"": "parse_error"}),
        ({"content": "<a/>", "headers": {"Content-Type": "text/xml"}}, 415, {"": "unsupported_media_type"}),
    ],
)
def test_create_course_refuses_bad_bodies(
    api: Api, options: dict[str, Any], status: int, expected: dict[str, str]
) -> None:
    """R009, R017: name and type are required, and the body must be an object in a known media type."""
    assert refused(api.as_("creator").post("/course/", **options), status) == expected


def test_create_course_takes_json_by_default(api: Api) -> None:
    """R009: a body without a media type is read as JSON."""
    assert ok(api.as_("creator").post("/course/", content='{"name": "Lino", "type": "scheduled"}'), 201)["id"] == 16


def test_create_course_makes_a_free_slug(api: Api) -> None:
    """R121: a slug made from the name gets a numeric suffix if it is taken."""
    names = ["Sketching -- WALKS!", "Sketching, Walks", "水彩", "水彩画"]
    slugs = [
        ok(api.as_("member").post("/course/", json={"name": name, "type": "scheduled"}), 201)["slug"] for name in names
    ]
    assert slugs[0] != slugs[1]
    assert all(re.fullmatch("sketching-walks-[0-9]+", slug) for slug in slugs[:2])
    assert len(set(slugs)) == 4
    assert all(slugs)


def test_create_course_is_for_logged_in_callers(api: Api) -> None:
    """R001, R114: any logged-in caller may create a course, an anonymous caller may not."""
    sent = {"name": "Lino", "type": "self-paced"}
    assert refused(api.post("/course/", json=sent), 401) == {"": "not_authenticated"}
    assert refused(api.as_("nobody").post("/course/", json=sent), 401) == {"": "authentication_failed"}
    assert ok(api.as_("invited").post("/course/", json=sent), 201)["created_by"]["id"] == 4


@pytest.mark.parametrize(
    ("role", "status"), [("admin", 201), ("moderator", 201), ("editor", 201), ("publisher", 403), (None, 403)]
)
def test_create_course_may_be_for_staff_only(
    api: Api, app: StubServer, default_fixture: Fixture, role: str | None, status: int
) -> None:
    """R114: courses_only_staff_enabled limits it to admins, moderators and editors; the role comes before the body."""
    preferences = {**default_fixture.preferences, "configurations.courses_only_staff_enabled": True}
    world = app.worlds.reset(fixture=replace(default_fixture, preferences=preferences))
    world.users.put({**world.users[STRANGER], "role": role})
    sent = {"name": "Lino", "type": "self-paced"}
    response = api.as_("stranger").post("/course/", json=sent)
    if status == 201:
        assert ok(response, 201)["join_status"] == "creator"
    else:
        assert refused(response, 403) == {"": "permission_denied"}
        assert refused(api.as_("stranger").post("/course/", json={}), 403) == {"": "permission_denied"}
        assert len(world.courses) == 15
    assert refused(api.post("/course/", json=sent), 401) == {"": "not_authenticated"}


def test_create_course_shows_an_image(api: Api) -> None:
    """R123: without an upload, the four renditions are square PNGs at absolute URLs."""
    sent = {"name": "Lino", "type": "self-paced", "image_original": "lino.jpg"}
    body = ok(api.as_("member").post("/course/", json=sent), 201)
    assert "image_original" not in body
    assert len({body[name] for name in IMAGES}) == 4
    for name in IMAGES:
        picture = api.get(body[name].replace("http://stub.test", "/"))
        assert picture.status_code == 200
        assert picture.headers["content-type"] == "image/png"
        assert picture.content.startswith(b"\x89PNG\r\n\x1a\n")
        assert picture.content[16:20] == picture.content[20:24]  # width and height


def test_create_course_finds_a_free_slug(api: Api) -> None:
    """R121: numbered if taken, "course" if the name yields nothing; a course's own slug never blocks it."""
    creator = api.as_("creator")
    made = [creator.post("/course/", json={"name": name, "type": "structured"}).json() for name in ("!", "?", "*")]
    assert [course["slug"] for course in made] == ["course", "course-2", "course-3"]
    own = creator.patch(f"/course/{made[0]['id']}/", json={"slug": ""}).json()
    assert own["slug"] == "course"
    assert "/course_" in own["image_big"]
    named = creator.post("/course/", json={"name": "Öl & Farbe", "type": "structured"}).json()
    assert named["slug"] == "ol-farbe"
    assert "/ol-farbe_" in named["image_small"]


# What needs a token


@pytest.mark.parametrize("path", ["/course/1/", "/course/99/", "/course/search/", "/course/1/join/"])
def test_get_course_needs_a_token_in_closed_communities(
    api: Api, app: StubServer, default_fixture: Fixture, path: str
) -> None:
    """R106, R213: with content_availability false, reading, searching and the roster need a token."""
    app.worlds.reset(
        fixture=replace(
            default_fixture, preferences={**default_fixture.preferences, "configurations.content_availability": False}
        )
    )
    response = api.get(path)
    assert refused(response, 401) == {"": "not_authenticated"}
    assert response.headers["www-authenticate"].startswith("Bearer")
    assert api.as_("stranger").get(path).status_code == (404 if "99" in path else 200)
    assert api.get("/user/3/courses/").status_code == 200


@pytest.mark.parametrize("path", ["/course/1/", "/course/search/", "/course/1/join/", "/user/3/courses/"])
@pytest.mark.parametrize("header", ["Bearer nobody", "Bearer", "Basic stub-member", "stub-member"])
def test_get_course_refuses_bad_tokens(api: Api, path: str, header: str) -> None:
    """R002: a bad token is refused even where none is needed."""
    assert api.get(path).status_code == 200
    response = api.get(path, headers={"Authorization": header})
    assert refused(response, 401) == {"": "authentication_failed"}


def test_get_course_refuses_tokens_of_disabled_users(api: Api) -> None:
    """R002: the token of a deleted user is refused."""
    api.world.users.put({**api.world.users[STRANGER], "deleted": True})
    assert refused(api.as_("stranger").get("/course/1/"), 401) == {"": "authentication_failed"}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/course/"),
        ("GET", "/suggestion/course/"),
        ("PUT", "/course/1/"),
        ("PATCH", "/course/99/"),
        ("DELETE", "/course/7/"),
    ],
)
def test_update_course_needs_a_token(api: Api, method: str, path: str) -> None:
    """R001, R005: without a token these are refused before anything is revealed about the course."""
    assert refused(api.request(method, path), 401) == {"": "not_authenticated"}


def test_get_course_knows_its_methods_and_media_types(api: Api) -> None:
    """R008, R026: an undocumented method, an Accept header without JSON and a path without a slash are refused."""
    assert refused(api.as_("creator").post("/course/1/"), 405) == {"": "method_not_allowed"}
    assert refused(api.as_("creator").delete("/course/search/"), 405) == {"": "method_not_allowed"}
    assert refused(api.get("/course/1/", headers={"Accept": "text/html"}), 406) == {"": "not_acceptable"}
    assert refused(api.get("/course/1"), 404) == {"": "not_found"}


# Changing


@IN_EVERY_ENCODING
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_update_course_reads_every_content_type(api: Api, method: str, encode: Encode) -> None:
    """R009, R011, R012, R125: creator and managers change a course by JSON or form; unknown fields are ignored."""
    for caller, course in (("creator", 1), ("manager", 5)):
        before = ok(api.as_(caller).get(f"/course/{course}/"))
        sent = {**FIELDS, "name": f"Lino {course}", "slug": f"lino-{course}"}
        body = ok(api.as_(caller).request(method, f"/course/{course}/", **encode({**JUNK, **sent})))
        assert set(body) == FULL
        assert_shows(body, sent)
        for name in ("id", "join_status", "user_completion_rate", "created_at", "created_by", "sections_order"):
            assert body[name] == before[name]
        after = ok(api.as_(caller).get(f"/course/{course}/"))
        assert {name: after[name] for name in FULL} == body


def test_update_course_keeps_what_is_left_out(api: Api) -> None:
    """R021: PUT needs name and type; optional fields that are left out keep their values."""
    do(api, 1, **{**FIELDS, "categories": [3], "image_original": "cover"})
    before = ok(api.as_("creator").get("/course/1/"))
    body = ok(api.as_("creator").put("/course/1/", json={"name": before["name"], "type": before["type"]}))
    assert body == {name: before[name] for name in FULL}


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({}, {"name": "required", "type": "required"}),
        ({"name": "Lino"}, {"type": "required"}),
        ({"type": "scheduled"}, {"name": "required"}),
        ({"name": "Sketching Walks", "type": "scheduled"}, {"name": "unique"}),
        ({"name": "Lino", "type": "weekly"}, {"type": "invalid_choice"}),
        ({"name": "Lino", "type": "scheduled", "slug": "sketching-walks"}, {"slug": "unique"}),
        ({"name": "Lino", "type": "scheduled", "categories": [99]}, {"categories": "does_not_exist"}),
        ({"name": "Lino", "type": "scheduled", "sections_order": [4]}, {"sections_order": "does_not_exist"}),
        ({"name": "Lino", "type": "scheduled", "privacy": ""}, {"privacy": "invalid"}),
    ],
)
def test_update_course_refuses_bad_fields(api: Api, sent: dict[str, Any], expected: dict[str, str]) -> None:
    """R021, R116, R118, R119, R121, R122, R124: PUT needs name and type; a refusal names the field, changes nothing."""
    before = snapshot(api.world)
    assert refused(api.as_("manager").put("/course/1/", json=sent), 400) == expected
    if "name" in sent and "type" in sent:
        assert refused(api.as_("manager").patch("/course/1/", json=sent), 400) == expected
    assert snapshot(api.world) == before


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize("before", ["", "open", "private", "secret"])
@pytest.mark.parametrize("after", ["open", "private", "secret"])
def test_update_course_moves_privacy_freely(api: Api, method: str, before: str, after: str) -> None:
    """R119: any change is allowed out of draft, and among open, private and secret."""
    do(api, 1, privacy=before)
    sent = {"name": "Lino", "type": "scheduled", "privacy": after}
    assert ok(api.as_("manager").request(method, "/course/1/", json=sent))["privacy"] == after
    assert ok(api.as_("manager").get("/course/1/"))["privacy"] == after


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize("privacy", ["open", "private", "secret"])
def test_update_course_refuses_return_to_draft(api: Api, method: str, privacy: str) -> None:
    """R119: a published course never goes back to draft, and the rest of such a request has no effect either."""
    do(api, 1, privacy=privacy)
    before = snapshot(api.world)
    sent = {"name": "Lino", "type": "scheduled", "privacy": "", "description": "new"}
    assert refused(api.as_("creator").request(method, "/course/1/", json=sent), 400) == {"privacy": "invalid"}
    assert refused(api.as_("creator").request(method, "/course/1/", data=sent), 400) == {"privacy": "invalid"}
    assert snapshot(api.world) == before


def test_update_course_lets_a_draft_stay_one(api: Api) -> None:
    """R119, R120: a draft may be saved as a draft, and may be published without a description."""
    assert ok(api.as_("manager").patch("/course/12/", json={"privacy": ""}))["privacy"] == ""
    assert ok(api.as_("manager").patch("/course/12/", json={"privacy": "open"}))["privacy"] == "open"
    assert ok(api.get("/course/12/"))["sections"] == []


def test_update_course_keeps_its_own_name_and_slug(api: Api) -> None:
    """R116, R121: a course is not its own duplicate; a renamed course keeps its slug and frees its old name."""
    own = {"name": "Watercolour for Absolute Beginners", "slug": "watercolour-for-absolute-beginners"}
    assert_shows(ok(api.as_("creator").put("/course/1/", json={**own, "type": "self-paced"})), own)
    renamed = ok(api.as_("creator").put("/course/1/", json={"name": "Washes", "type": "self-paced"}))
    assert (renamed["name"], renamed["slug"]) == ("Washes", own["slug"])
    assert ok(api.as_("creator").patch("/course/2/", json={"name": own["name"]}))["slug"] == "sourdough-in-thirty-days"
    assert ok(api.as_("creator").patch("/course/1/", json={"slug": "washes"}))["slug"] == "washes"
    assert ok(api.as_("creator").patch("/course/2/", json={"slug": own["slug"]}))["slug"] == own["slug"]


@pytest.mark.parametrize(
    ("privacy", "caller", "status"),
    [
        *((privacy, caller, 200) for privacy in BY_PRIVACY for caller in ("creator", "manager")),
        *(("open", caller, 403) for caller in ("member", "invited", "requested", "stranger", "staff")),
        *(("private", caller, 403) for caller in ("member", "invited", "requested", "stranger", "staff")),
        *(("secret", caller, 403) for caller in ("member", "invited")),
        *(("secret", caller, 404) for caller in ("requested", "stranger", "staff")),
        *(("", caller, 404) for caller in ("member", "invited", "requested", "stranger", "staff")),
    ],
)
def test_update_course_is_for_creator_and_managers(api: Api, privacy: str, caller: str, status: int) -> None:
    """R003, R004, R005, R125: others get 403, or 404 if they cannot see it; both come before media type and body."""
    path = f"/course/{BY_PRIVACY[privacy]}/"
    who = api.as_(caller)
    if status == 200:
        assert refused(who.put(path, json={}), 400) == {"name": "required", "type": "required"}
        assert ok(who.put(path, json={"name": "Lino", "type": "scheduled"}))["name"] == "Lino"
        assert ok(who.patch(path, json={"name": "Lino 2"}))["name"] == "Lino 2"
        assert who.delete(path).status_code == 204
        return
    before = snapshot(api.world)
    code = {"": "permission_denied" if status == 403 else "not_found"}
    for method in ("PUT", "PATCH"):
        assert refused(who.request(method, path, json={"name": "Lino", "type": "scheduled"}), status) == code
        assert refused(who.request(method, path, json={"type": "weekly"}), status) == code
        assert refused(who.request(method, path, content="<a/>", headers={"Content-Type": "text/xml"}), status) == code
    assert refused(who.delete(path), status) == code
    assert snapshot(api.world) == before


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *((name, value) for name, value in FIELDS.items() if name != "privacy"),
        ("privacy", "secret"),
        ("type", "scheduled"),
        ("description", ""),
        ("og_image", None),
        ("categories", []),
        ("sections_order", [3, 2, 1]),
    ],
)
def test_patch_course_touches_only_what_is_sent(api: Api, field: str, value: Any) -> None:
    """R021, R118, R121, R122: PATCH changes only the fields sent; a new slug shows up in the image URLs."""
    do(api, 1, og_image="https://pictures.example/old.png")
    before = ok(api.as_("manager").get("/course/1/?view=edit"))
    body = ok(api.as_("manager").patch("/course/1/", json={field: value}))
    assert_shows(body, {field: value})
    differing = {name for name in body if body[name] != before[name]} - (IMAGES if field == "slug" else set())
    assert differing == {field}


def test_patch_course_accepts_nothing(api: Api) -> None:
    """R011, R021: a PATCH with no fields, or only read-only and unknown ones, changes nothing."""
    before = snapshot(api.world)
    for sent in ({}, JUNK):
        assert ok(api.as_("creator").patch("/course/1/", json=sent))["id"] == 1
    assert ok(api.as_("creator").patch("/course/1/", data={key: str(value) for key, value in JUNK.items()}))["id"] == 1
    assert snapshot(api.world) == before


def test_patch_course_replaces_categories(api: Api) -> None:
    """R122: ids in, objects out; a list replaces the set, [] empties it, no list keeps it, unknown ids are refused."""
    body = ok(api.as_("manager").patch("/course/1/", json={"categories": [3, 2]}))
    assert [(row["id"], row["name"]) for row in body["categories"]] == [
        (3, "Repair and Making"),
        (2, "Kitchen and Garden"),
    ]
    assert body["categories"][0]["image_small"].startswith("http://stub.test/upfiles/categories/small/")
    for sent, shown in ((None, [3, 2]), ([], []), (None, []), ([4, 4], [4])):
        changes = {} if sent is None else {"categories": sent}
        body = ok(api.as_("manager").patch("/course/1/", json=changes))
        assert [row["id"] for row in body["categories"]] == shown
    refusal = refused(api.as_("manager").patch("/course/1/", json={"categories": [1, 99], "name": "Lino"}), 400)
    assert refusal == {"categories": "does_not_exist"}
    assert_shows(ok(api.get("/course/1/")), {"categories": [4], "name": "Watercolour for Absolute Beginners"})


@pytest.mark.parametrize(
    ("sent", "order"), [([3, 2, 1], [3, 2, 1]), ([3, 1], [3, 1, 2]), ([2], [2, 1, 3]), ([], [1, 2, 3])]
)
@pytest.mark.parametrize("encoding", ["json", "urlencoded-indexed", "multipart-bracketed"])
def test_patch_course_orders_sections(api: Api, encoding: str, sent: list[int], order: list[int]) -> None:
    """R124: sections appear in the order listed; the rest follow in their old order, and none is lost."""
    body = ok(api.as_("manager").patch("/course/1/", **ENCODINGS[encoding]({"name": "Lino", "sections_order": sent})))
    assert body["sections_order"] == order
    edit = ok(api.as_("manager").get("/course/1/?view=edit"))
    assert [section["id"] for section in edit["sections"]] == order
    read = ok(api.as_("member").get("/course/1/"))
    assert [section["id"] for section in read["sections"]] == [number for number in order if number != 3]


@pytest.mark.parametrize("order", [[4], [2, 1, 3, 4], [999]])
def test_patch_course_refuses_foreign_sections(api: Api, order: list[int]) -> None:
    """R124: sections of another course, and nonexistent ones, are refused."""
    refusal = refused(api.as_("manager").patch("/course/1/", json={"sections_order": order, "name": "Lino"}), 400)
    assert refusal == {"sections_order": "does_not_exist"}
    assert_shows(ok(api.get("/course/1/")), {"sections_order": [1, 2, 3], "name": "Watercolour for Absolute Beginners"})


def test_patch_course_changes_the_images(api: Api) -> None:
    """R123: each new cover, uploaded or named, changes all four URLs; other changes keep them."""
    seen = [{name: ok(api.get("/course/1/"))[name] for name in IMAGES}]
    uploads: list[Options] = [
        {"files": {"image_original": ("a.png", png(8, "one"), "image/png")}},
        {"files": {"image_original": ("a.png", png(8, "two"), "image/png")}},
        {"json": {"image_original": "watercolour.jpg"}},
    ]
    for upload in uploads:
        body = ok(api.as_("creator").patch("/course/1/", **upload))
        assert "image_original" not in body
        seen.append({name: body[name] for name in IMAGES})
        for other in seen[:-1]:
            assert not set(other.values()) & set(seen[-1].values())
    kept = ok(api.as_("creator").patch("/course/1/", json={"name": "Lino"}))
    assert {name: kept[name] for name in IMAGES} == seen[-1]
    assert api.get(kept["image_big"].replace("http://stub.test", "/")).headers["content-type"] == "image/png"


# Deleting


def test_delete_course_removes_it_everywhere(api: Api) -> None:
    """R023, R126: 204 without a body; afterwards the course is gone from every path and every list."""
    response = api.as_("manager").delete("/course/1/")
    assert (response.status_code, response.content) == (204, b"")
    creator = api.as_("creator")
    roles = {"json": {"managers": [3]}}
    requests: list[tuple[str, str, Options]] = [
        ("GET", "", {}),
        ("PUT", "", {"json": {"name": "Lino", "type": "scheduled"}}),
        ("PATCH", "", {"json": {}}),
        ("DELETE", "", {}),
        ("GET", "status/", {}),
        ("GET", "join/", {}),
        ("POST", "join/", {}),
        ("DELETE", "join/", {}),
        ("GET", "invite/", {}),
        ("POST", "invite/", {"json": {"users": [6]}}),
        ("DELETE", "invite/", {"json": {"users": [6]}}),
        ("GET", "request_join/", {}),
        ("POST", "role/", roles),
        ("GET", "user/", {}),
        ("GET", "users/", {}),
    ]
    for method, path, options in requests:
        assert refused(creator.request(method, f"/course/1/{path}", **options), 404) == {"": "not_found"}, path
    assert 1 not in ids(creator.get("/course/?statuses=creator"))
    assert 1 not in ids(creator.get("/course/search/"))
    assert 1 not in ids(creator.get("/user/3/courses/"))
    assert 1 not in ids(api.as_("stranger").get("/suggestion/course/"))


def test_delete_course_removes_what_belongs_to_it(api: Api) -> None:
    """R126: sections, lessons, statuses and completions go with the course, and nothing else does."""
    before = snapshot(api.world)
    api.as_("creator").delete("/course/1/")
    after = snapshot(api.world)
    gone = {name: [row for row in before[name] if row not in after[name]] for name in TABLES}
    assert {name: len(rows) for name, rows in gone.items()} == {
        "users": 0,
        "categories": 0,
        "courses": 1,
        "sections": 3,
        "lessons": 8,
        "memberships": 11,
        "completions": 15,
        "questions": 4,
        "answers": 0,
        "attempts": 3,
        "comments": 15,
        "medias": 0,
        "uploads": 0,
        "pieces": 0,
        "pictures": 0,
        "apps": 0,
        "grants": 0,
    }
    assert all(row["lesson_id"] <= 8 for row in gone["completions"])


def test_delete_course_frees_name_and_slug_but_not_its_id(api: Api) -> None:
    """R116, R121, R126: name and slug may be reused, the id never is."""
    sent = {"name": "Lino", "type": "self-paced"}
    for number in (16, 17):
        body = ok(api.as_("stranger").post("/course/", json=sent), 201)
        assert (body["id"], body["slug"], body["join_status"]) == (number, "lino", "creator")
        assert api.as_("stranger").delete(f"/course/{number}/").status_code == 204
        assert refused(api.as_("stranger").get(f"/course/{number}/"), 404) == {"": "not_found"}
    old = {"name": "Sketching Walks", "slug": "sketching-walks", "type": "scheduled"}
    api.as_("creator").delete("/course/12/")
    assert_shows(ok(api.as_("stranger").post("/course/", json=old), 201), {**old, "id": 18})
