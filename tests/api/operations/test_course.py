"""Courses: creating, reading, searching, changing and deleting them, and the lists of courses."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from stubserver.app import StubServer
from stubserver.worlds.world import TABLES, Fixture
from tests.support.answers import ok, refused
from tests.support.client import Api
from tests.support.default import NOW, STRANGER, iso
from tests.support.forms import ENCODINGS, IN_EVERY_ENCODING, Encode
from tests.support.rows import be, snapshot


def words(text: str) -> set[str]:
    return set(text.split())


MINIMAL = words(
    "id name slug type privacy hide_member_count meta_title meta_description og_title og_description og_image "
    "image_bigger image_big image_medium image_small deleted join_status user_completion_rate created_at created_by "
    "categories"
)
FULL = MINIMAL | {"description", "enforce_lessons_order", "new_comment_notification_enabled", "sections_order"}
READ = FULL | {"sections", "num_lessons", "num_sections", "num_lessons_completed"}
EDIT = FULL | {"sections", "num_lessons", "num_sections"}
DASHBOARD = MINIMAL | {"avg_completion_rate"}
IMAGES = {"image_small", "image_medium", "image_big", "image_bigger"}
BY_PRIVACY = {"open": 1, "private": 4, "secret": 7, "": 10}
"""A course of each privacy."""
LISTS = {
    "list_joined_courses": "/course/",
    "search_courses": "/course/search/",
    "list_suggested_courses": "/suggestion/course/",
    "list_user_courses": "/user/3/courses/",
}
EVERY_LIST = pytest.mark.parametrize("path", LISTS.values(), ids=LISTS)
EVERY = [15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1]
PUBLIC = [15, 14, 13, 6, 5, 4, 3, 2, 1]
"""The courses that are neither secret nor drafts, in the order of a search."""


def ids(response: httpx.Response) -> list[int]:
    page = ok(response)
    found = [row["id"] for row in page["results"]]
    if page["next"] is None and page["previous"] is None:
        assert page["count"] == len(found)
    return found


def do(api: Api, course: int, **changes: Any) -> None:
    """Change a course behind the API's back."""
    api.world.courses.put({**api.world.courses[course], **changes})


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
"""Every writable field but sections_order and image_original."""
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
"""Read-only and unknown fields, some of which the vendor's forms send."""


def assert_shows(body: dict[str, Any], fields: dict[str, Any]) -> None:
    """A course shows what was written; categories are written as ids and shown as objects."""
    shown = {**body, "categories": [category["id"] for category in body["categories"]]}
    assert {name: shown[name] for name in fields} == fields


# Creating


def test_create_course_answers_defaults(api: Api) -> None:
    """R115, R121, R128: a course of name and type alone has the documented defaults; its author is the creator."""
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
        "created_by": {**author, "avatar": None, "community_badge": False, "deleted": False},
        "categories": [],
    }
    assert ok(api.as_("stranger").get("/course/16/status/")) == {"status": "creator"}
    assert ids(api.as_("stranger").get("/course/", params={"statuses": "creator"})) == [16]
    (row,) = ok(api.as_("stranger").get("/course/16/users/?statuses=creator"))["results"]
    assert (row["id"], row["joined_at"], row["last_active_at"]) == (6, iso(), None)


@IN_EVERY_ENCODING
def test_create_course_reads_every_content_type(api: Api, encode: Encode) -> None:
    """R009, R012, R022: JSON and both forms, with each spelling of arrays, make the same course."""
    body = ok(api.as_("member").post("/course/", **encode(FIELDS)), 201)
    assert set(body) == FULL
    assert_shows(body, FIELDS)
    assert_shows(ok(api.as_("member").get("/course/16/")), FIELDS)


@IN_EVERY_ENCODING
def test_create_course_ignores_unknown_fields(api: Api, encode: Encode) -> None:
    """R011, R129: read-only and unknown fields, products and stray keys are no error and have no effect."""
    sent = {"name": "Lino Printing", "type": "self-paced"}
    plain = ok(api.as_("member").post("/course/", json=sent), 201)
    body = ok(api.as_("member").post("/course/", **encode({**JUNK, **sent, "name": "Lino 2"})), 201)
    changed = {name for name in body if body[name] != plain[name]}
    assert changed == {"id", "name", "slug"} | IMAGES
    assert body["id"] == 17


def test_create_course_defaults_booleans_missing_from_a_form(api: Api) -> None:
    """R022: a boolean that a form leaves out has its documented default; 1 and 0 are booleans, too."""
    form = {"name": "Lino", "type": "self-paced", "hide_member_count": "1", "enforce_lessons_order": "0"}
    body = ok(api.as_("member").post("/course/", data=form), 201)
    assert body["new_comment_notification_enabled"] is True
    assert (body["hide_member_count"], body["enforce_lessons_order"]) == (True, False)


@pytest.mark.parametrize(("method", "path"), [("POST", "/course/"), ("PUT", "/course/1/")])
def test_create_course_names_the_mistake_of_the_docs_sample(api: Api, method: str, path: str) -> None:
    """R009, R017: JSON text under the form type holds no field; the refusal says which media type to send."""
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
        ({"name": 5}, {"name": "invalid"}),
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
    """R017, R116, R118, R121, R122: each bad field is named with its code, and nothing is created."""
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
    """R121: a slug made from the name gets a numeric suffix where it is taken."""
    names = ["Sketching -- WALKS!", "Sketching, Walks", "水彩", "水彩画"]
    slugs = [
        ok(api.as_("member").post("/course/", json={"name": name, "type": "scheduled"}), 201)["slug"] for name in names
    ]
    assert slugs[0] != slugs[1]
    assert all(re.fullmatch("sketching-walks-[0-9]+", slug) for slug in slugs[:2])
    assert len(set(slugs)) == 4
    assert all(slugs)


def test_create_course_is_for_logged_in_callers(api: Api) -> None:
    """R001, R114: everybody who is logged in may create a course, an anonymous caller may not."""
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
    """R114: courses_only_staff_enabled leaves it to admins, moderators and editors; the role comes before the body."""
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
    """R123: the four renditions are square PNGs at absolute URLs; the upload itself is never shown."""
    files = {"image_original": ("cover.png", b"first", "image/png")}
    body = ok(api.as_("member").post("/course/", data={"name": "Lino", "type": "self-paced"}, files=files), 201)
    assert "image_original" not in body
    assert len({body[name] for name in IMAGES}) == 4
    for name in IMAGES:
        picture = api.get(body[name].replace("http://stub.test", "/"))
        assert picture.status_code == 200
        assert picture.headers["content-type"] == "image/png"
        assert picture.content.startswith(b"\x89PNG\r\n\x1a\n")
        assert picture.content[16:20] == picture.content[20:24]  # width and height


def test_create_course_finds_a_free_slug(api: Api) -> None:
    """R121: numbered where it is taken, "course" where the name gives nothing, and one's own is never in the way."""
    creator = api.as_("creator")
    made = [creator.post("/course/", json={"name": name, "type": "structured"}).json() for name in ("!", "?", "*")]
    assert [course["slug"] for course in made] == ["course", "course-2", "course-3"]
    own = creator.patch(f"/course/{made[0]['id']}/", json={"slug": ""}).json()
    assert own["slug"] == "course"
    assert "/course_" in own["image_big"]
    named = creator.post("/course/", json={"name": "Öl & Farbe", "type": "structured"}).json()
    assert named["slug"] == "ol-farbe"
    assert "/ol-farbe_" in named["image_small"]


# Reading


def test_get_course_follows_the_visibility_matrix(api: Api) -> None:
    """R101-R105, R107: who sees a course of each privacy in full, as a lock screen, or not at all."""
    everyone = ("creator", "manager", "joined", "invited", "requested", None, "anonymous")
    matrix = {
        "open": [READ, READ, READ, READ, READ, READ, READ],
        "private": [READ, READ, READ, READ, MINIMAL, MINIMAL, MINIMAL],
        "secret": [READ, READ, READ, READ, None, None, None],
        "": [READ, READ, None, None, None, None, None],
    }
    for privacy, row in matrix.items():
        course = BY_PRIVACY[privacy]
        for status, expected in zip(everyone, row, strict=True):
            be(api, course, None if status == "anonymous" else status)
            caller = api if status == "anonymous" else api.as_("stranger")
            response = caller.get(f"/course/{course}/")
            if expected is None:
                assert refused(response, 404) == {"": "not_found"}, (privacy, status)
            else:
                assert set(ok(response)) == expected, (privacy, status)
                assert response.json()["join_status"] == (None if status == "anonymous" else status)


@pytest.mark.parametrize("caller", ["stranger", "requested", None])
def test_get_course_shows_outsiders_a_lock_screen(api: Api, caller: str | None) -> None:
    """R103: outsiders of a private course get the minimal fields, and not a word of its description."""
    response = api.as_(caller).get("/course/4/")
    assert set(ok(response)) == MINIMAL
    assert "white card" not in response.text
    assert response.json()["name"] == "Portraits by Window Light"
    assert [category["id"] for category in response.json()["categories"]] == [4, 1]


@pytest.mark.parametrize("number", ["0", "-1", "99", "9" * 30, "1.5", "abc"])
def test_get_course_answers_404_for_odd_ids(api: Api, number: str) -> None:
    """R004, R007: an id that cannot exist is absent, not wrong."""
    assert refused(api.as_("creator").get(f"/course/{number}/"), 404) == {"": "not_found"}


def test_get_course_counts_published_lessons(api: Api) -> None:
    """R111, R131: drafts and sections without a published lesson are left out, for the manager, too."""
    shown = {}
    for persona in ("manager", "member"):
        body = ok(api.as_(persona).get("/course/1/"))
        assert (body["num_sections"], body["num_lessons"]) == (2, 5)
        shown[persona] = [[lesson["id"] for lesson in section["lessons"]] for section in body["sections"]]
        assert [section["num_lessons"] for section in body["sections"]] == [3, 2]
    assert shown["manager"] == shown["member"] == [[1, 2, 3], [4, 5]]
    assert body["num_lessons_completed"] == 2
    assert body["user_completion_rate"] == 40
    assert [section["num_lessons_completed"] for section in body["sections"]] == [2, 0]
    assert set(body["sections"][0]) == words(
        "id name dripped_at drip_delay lessons_order available_date locked num_lessons num_lessons_completed lessons"
    )
    assert body["sections"][0]["lessons"][0] == {
        "id": 1,
        "name": "Paper, brushes and water",
        "type": "lesson",
        "status": "published",
        "comments_enabled": True,
        "completion_status": "completed",
        "locked": False,
    }


def test_get_course_shows_anonymous_callers_no_progress(api: Api) -> None:
    """R102, R107: an anonymous caller sees an open course in full, with no status and no progress."""
    body = ok(api.get("/course/1/"))
    assert set(body) == READ
    assert (body["join_status"], body["user_completion_rate"], body["num_lessons_completed"]) == (None, 0, 0)
    statuses = [lesson["completion_status"] for section in body["sections"] for lesson in section["lessons"]]
    assert statuses == ["uncompleted"] * 5


@pytest.mark.parametrize(
    ("course", "user", "rate"), [(1, 9, 100), (1, 8, 60), (1, 10, 0), (4, 3, 100), (14, 9, 17), (8, 11, 100)]
)
def test_get_course_rounds_completion(api: Api, course: int, user: int, rate: int) -> None:
    """R131: the completion rate counts published lessons, a failed quiz not, and is rounded half up."""
    assert ok(api.as_("manager").get(f"/course/{course}/", params={"user": user}))["user_completion_rate"] == rate


def test_get_course_for_editing_shows_drafts(api: Api) -> None:
    """R112: view=edit counts and shows everything; only num_lessons of a section counts published lessons."""
    body = ok(api.as_("manager").get("/course/1/?view=edit"))
    assert set(body) == EDIT
    assert (body["num_sections"], body["num_lessons"]) == (3, 8)
    assert [section["num_lessons"] for section in body["sections"]] == [3, 2, 0]
    lessons = [[(row["id"], row["status"][0]) for row in section["lessons"]] for section in body["sections"]]
    assert lessons == [[(1, "p"), (2, "p"), (3, "p")], [(4, "p"), (5, "p"), (6, "d")], [(7, "d"), (8, "d")]]
    section = body["sections"][0]
    assert set(section) == words("id name dripped_at drip_delay lessons_order lessons num_lessons")
    assert set(section["lessons"][0]) == words("id name type status comments_enabled completion_status")
    empty = ok(api.as_("creator").get("/course/12/?view=edit"))
    assert (empty["sections"], empty["num_sections"], empty["num_lessons"]) == ([], 0, 0)


@pytest.mark.parametrize(("course", "rate"), [(1, 31), (14, 17), (15, 0), (12, 0)])
def test_get_course_for_the_dashboard_shows_the_average(api: Api, course: int, rate: int) -> None:
    """R113, R132: view=dashboard is the minimal form and the mean of managers' and members' rates; 0 of nobody."""
    body = ok(api.as_("creator").get(f"/course/{course}/?view=dashboard"))
    assert set(body) == DASHBOARD
    assert body["avg_completion_rate"] == rate


@pytest.mark.parametrize("query", ["view=edit", "view=dashboard", "user=3", "view=edit&user=3", "user=999"])
def test_get_course_keeps_manager_views_from_others(api: Api, query: str) -> None:
    """R108, R110: edit, dashboard and emulation need creator or manager; what one cannot see stays absent."""
    for caller in ("member", "invited", "stranger", "staff"):
        assert refused(api.as_(caller).get(f"/course/1/?{query}"), 403) == {"": "permission_denied"}
    assert refused(api.as_("requested").get(f"/course/4/?{query}"), 403) == {"": "permission_denied"}
    assert refused(api.as_("stranger").get(f"/course/7/?{query}"), 404) == {"": "not_found"}
    assert refused(api.as_("member").get(f"/course/10/?{query}"), 404) == {"": "not_found"}


def test_get_course_refuses_unknown_views(api: Api) -> None:
    """R109: an unknown view is refused."""
    for caller in ("manager", "stranger", None):
        assert refused(api.as_(caller).get("/course/1/?view=teacher"), 400) == {"view": "invalid_choice"}
    assert set(ok(api.as_("manager").get("/course/1/?view=user"))) == READ


@pytest.mark.parametrize("user", [3, 8, 6, 4, 1])
@pytest.mark.in_process("a fixture or preference of its own")
def test_get_course_emulates_a_user(api: Api, user: int) -> None:
    """R107, R110, R321: with user= status, progress, counters and locks are those of that user."""
    api.world.tokens = {**api.world.tokens, "stub-emulated": user}  # type: ignore[dict-item]
    for course in (1, 2, 3, 14):
        own = ok(api.as_("emulated").get(f"/course/{course}/"))
        assert ok(api.as_("manager").get(f"/course/{course}/?user={user}")) == own
    emulated = ok(api.as_("creator").get(f"/course/1/?user={user}"))
    expected = {3: ("joined", 40, 2), 8: ("joined", 60, 3), 6: (None, 0, 0), 4: ("invited", 0, 0), 1: ("creator", 0, 0)}
    numbers = ("join_status", "user_completion_rate", "num_lessons_completed")
    assert tuple(emulated[name] for name in numbers) == expected[user]
    dashboard = ok(api.as_("creator").get(f"/course/1/?view=dashboard&user={user}"))
    assert (dashboard["join_status"], dashboard["user_completion_rate"]) == expected[user][:2]
    assert dashboard["avg_completion_rate"] == 31
    edit = ok(api.as_("creator").get(f"/course/1/?view=edit&user={user}"))
    statuses = [row["completion_status"] for section in edit["sections"][:2] for row in section["lessons"]]
    assert statuses.count("completed") == expected[user][2]
    assert statuses.count("failed") == (user == 8)


def test_get_course_emulates_inside_private_courses(api: Api) -> None:
    """R110: what is shown follows the caller, only progress follows the emulated user."""
    body = ok(api.as_("manager").get("/course/4/?user=6"))
    assert set(body) == READ
    assert body["description"].startswith("A small group")
    assert body["join_status"] is None


def test_get_course_refuses_emulating_nobody(api: Api) -> None:
    """R110: an unknown user is absent; one that is no number is refused."""
    assert refused(api.as_("manager").get("/course/1/?user=999"), 404) == {"": "not_found"}
    assert refused(api.as_("manager").get("/course/1/?user=me"), 400) == {"user": "invalid"}


def locks(body: dict[str, Any]) -> list[tuple[str | None, bool, list[bool]]]:
    """For each section its date, its lock, and those of its lessons."""
    return [
        (section["available_date"], section["locked"], [lesson["locked"] for lesson in section["lessons"]])
        for section in body["sections"]
    ]


def test_get_course_locks_a_structured_course(api: Api) -> None:
    """R314, R316, R317: a section opens drip_delay days after joining, on the very moment; managers pass."""
    shown = [(iso(-10), False, [False] * 2), (iso(-3), False, [False] * 2), (iso(20), True, [True])]
    assert locks(ok(api.as_("member").get("/course/2/"))) == shown
    assert locks(ok(api.as_("manager").get("/course/2/?user=3"))) == shown
    outside = [(None, False, [True] * 2), (None, False, [True] * 2), (None, False, [True])]
    for caller in ("stranger", None):
        assert locks(ok(api.as_(caller).get("/course/2/"))) == outside
    assert locks(ok(api.as_("manager").get("/course/2/?user=6"))) == outside
    be(api, 2, "manager")
    assert [row[1:] for row in locks(ok(api.as_("stranger").get("/course/2/")))] == [
        (False, [False] * 2),
        (False, [False] * 2),
        (False, [False]),
    ]
    api.world.clock.advance(timedelta(days=20, microseconds=-1))
    assert locks(ok(api.as_("member").get("/course/2/")))[2] == (iso(20), True, [True])
    api.world.clock.advance(timedelta(microseconds=1))
    assert locks(ok(api.as_("member").get("/course/2/")))[2] == (iso(20), False, [False])


def test_get_course_locks_a_scheduled_course(api: Api) -> None:
    """R313, R316, R317: a section opens on its date, for everybody; without a date it is open."""
    dates, closed = [iso(-7), iso(14), None], [False, True, False]
    shown = [(date, lock, [lock] * n) for date, lock, n in zip(dates, closed, (2, 2, 1), strict=True)]
    assert locks(ok(api.as_("member").get("/course/3/"))) == shown
    assert locks(ok(api.as_("creator").get("/course/3/?user=9"))) == shown
    for caller in ("stranger", "invited", None):
        assert locks(ok(api.as_(caller).get("/course/3/"))) == [(d, c, [True] * len(s)) for d, c, s in shown]
    for caller in ("creator", "manager"):
        assert locks(ok(api.as_(caller).get("/course/3/"))) == [(d, False, [False] * len(s)) for d, _, s in shown]
    api.world.clock.freeze(NOW + timedelta(days=14))
    assert [row[1:] for row in locks(ok(api.as_("member").get("/course/3/")))] == [
        (False, [False] * 2),
        (False, [False] * 2),
        (False, [False]),
    ]


def test_get_course_never_locks_self_paced_sections(api: Api) -> None:
    """R317: a self-paced course has no dates; its lessons are open to members only."""
    assert locks(ok(api.as_("member").get("/course/1/"))) == [(None, False, [False] * 3), (None, False, [False] * 2)]
    for caller in ("stranger", "invited", None):
        assert locks(ok(api.as_(caller).get("/course/1/"))) == [(None, False, [True] * 3), (None, False, [True] * 2)]


@pytest.mark.parametrize(
    ("done", "failed", "expected"),
    [
        ([], [], "F TTTTT"),
        ([40, 41, 42], [], "FFFF TT"),
        ([41, 45], [], "F TTTTT"),
        ([40, 41], [42], "FFF TTT"),
        ([40, 41, 42, 43, 44, 45], [], "FFFFFF"),
    ],
)
def test_get_course_enforces_the_order(api: Api, done: list[int], failed: list[int], expected: str) -> None:
    """R315, R316: everything up to the first uncompleted lesson is open, across sections; failed is not completed."""
    for lesson in range(40, 46):
        api.world.completions.delete((3, lesson))
    for status, lessons in (("completed", done), ("failed", failed)):
        for lesson in lessons:
            api.world.completions.put({"user_id": 3, "lesson_id": lesson, "status": status, "at": NOW})

    def shown(response: httpx.Response) -> list[bool]:
        return [lock for _, _, lessons in locks(ok(response)) for lock in lessons]

    wanted = [letter == "T" for letter in expected.replace(" ", "")]
    assert shown(api.as_("member").get("/course/14/")) == wanted
    assert shown(api.as_("manager").get("/course/14/?user=3")) == wanted
    assert shown(api.as_("manager").get("/course/14/")) == [False] * 6
    assert shown(api.as_("stranger").get("/course/14/")) == [True] * 6


def test_get_course_enforces_the_order_of_published_lessons(api: Api) -> None:
    """R315: drafts are no hindrance, and the order is that of sections_order."""
    do(api, 1, enforce_lessons_order=True, sections_order=[3, 2, 1])
    api.world.lessons.put({**api.world.lessons[4], "status": "draft"})
    body = ok(api.as_("manager").get("/course/1/?user=9"))
    assert [[row["id"] for row in section["lessons"]] for section in body["sections"]] == [[5], [1, 2, 3]]
    assert locks(body) == [(None, False, [False]), (None, False, [False] * 3)]
    assert [row[2] for row in locks(ok(api.as_("member").get("/course/1/")))] == [[False], [True] * 3]


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
    """R001, R005: without a token these are refused, before anything is said about the course."""
    assert refused(api.request(method, path), 401) == {"": "not_authenticated"}


def test_get_course_knows_its_methods_and_media_types(api: Api) -> None:
    """R008, R026: an undocumented method, an Accept header without JSON and a path without slash are refused."""
    assert refused(api.as_("creator").post("/course/1/"), 405) == {"": "method_not_allowed"}
    assert refused(api.as_("creator").delete("/course/search/"), 405) == {"": "method_not_allowed"}
    assert refused(api.get("/course/1/", headers={"Accept": "text/html"}), 406) == {"": "not_acceptable"}
    assert refused(api.get("/course/1"), 404) == {"": "not_found"}


# Changing


@IN_EVERY_ENCODING
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_update_course_reads_every_content_type(api: Api, method: str, encode: Encode) -> None:
    """R009, R011, R012, R125: creator and manager change a course by JSON or form; unknown fields are ignored."""
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
    """R119: out of draft, and among open, private and secret, every change is allowed."""
    do(api, 1, privacy=before)
    sent = {"name": "Lino", "type": "scheduled", "privacy": after}
    assert ok(api.as_("manager").request(method, "/course/1/", json=sent))["privacy"] == after
    assert ok(api.as_("manager").get("/course/1/"))["privacy"] == after


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize("privacy", ["open", "private", "secret"])
def test_update_course_refuses_return_to_draft(api: Api, method: str, privacy: str) -> None:
    """R119: a published course never goes back to draft, and nothing else of the request happens."""
    do(api, 1, privacy=privacy)
    before = snapshot(api.world)
    sent = {"name": "Lino", "type": "scheduled", "privacy": "", "description": "new"}
    assert refused(api.as_("creator").request(method, "/course/1/", json=sent), 400) == {"privacy": "invalid"}
    assert refused(api.as_("creator").request(method, "/course/1/", data=sent), 400) == {"privacy": "invalid"}
    assert snapshot(api.world) == before


def test_update_course_lets_a_draft_stay_one(api: Api) -> None:
    """R119, R120: a draft may be saved as draft, and may be published without a description."""
    assert ok(api.as_("manager").patch("/course/12/", json={"privacy": ""}))["privacy"] == ""
    assert ok(api.as_("manager").patch("/course/12/", json={"privacy": "open"}))["privacy"] == "open"
    assert ok(api.get("/course/12/"))["sections"] == []


def test_update_course_keeps_its_own_name_and_slug(api: Api) -> None:
    """R116, R121: a course is no duplicate of itself; a renamed one keeps its slug and frees its name."""
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
    """R003, R004, R005, R125: others get 403, or 404 where they see nothing; both come before media type and body."""
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
    """R021, R118, R121, R122: PATCH changes the field that is sent and nothing else; a new slug shows in the images."""
    do(api, 1, og_image="https://pictures.example/old.png")
    before = ok(api.as_("manager").get("/course/1/?view=edit"))
    body = ok(api.as_("manager").patch("/course/1/", json={field: value}))
    assert_shows(body, {field: value})
    differing = {name for name in body if body[name] != before[name]} - (IMAGES if field == "slug" else set())
    assert differing == {field}


def test_patch_course_accepts_nothing(api: Api) -> None:
    """R011, R021: a PATCH without fields, or with read-only and unknown ones alone, changes nothing."""
    before = snapshot(api.world)
    for sent in ({}, JUNK):
        assert ok(api.as_("creator").patch("/course/1/", json=sent))["id"] == 1
    assert ok(api.as_("creator").patch("/course/1/", data={key: str(value) for key, value in JUNK.items()}))["id"] == 1
    assert snapshot(api.world) == before


def test_patch_course_replaces_categories(api: Api) -> None:
    """R122: ids in, objects out; a list replaces the set, [] empties it, none keeps it, an unknown id is refused."""
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
    """R124: sections stand as listed; those left out follow in their old order, and none is lost."""
    body = ok(api.as_("manager").patch("/course/1/", **ENCODINGS[encoding]({"name": "Lino", "sections_order": sent})))
    assert body["sections_order"] == order
    edit = ok(api.as_("manager").get("/course/1/?view=edit"))
    assert [section["id"] for section in edit["sections"]] == order
    read = ok(api.as_("member").get("/course/1/"))
    assert [section["id"] for section in read["sections"]] == [number for number in order if number != 3]


@pytest.mark.parametrize("order", [[4], [2, 1, 3, 4], [999]])
def test_patch_course_refuses_foreign_sections(api: Api, order: list[int]) -> None:
    """R124: sections of another course, or of none, are refused."""
    refusal = refused(api.as_("manager").patch("/course/1/", json={"sections_order": order, "name": "Lino"}), 400)
    assert refusal == {"sections_order": "does_not_exist"}
    assert_shows(ok(api.get("/course/1/")), {"sections_order": [1, 2, 3], "name": "Watercolour for Absolute Beginners"})


def test_patch_course_changes_the_images(api: Api) -> None:
    """R123: each new cover, uploaded or named, changes all four addresses; other changes keep them."""
    seen = [{name: ok(api.get("/course/1/"))[name] for name in IMAGES}]
    uploads = [
        {"files": {"image_original": ("a.png", b"one", "image/png")}},
        {"files": {"image_original": ("a.png", b"two", "image/png")}},
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
    """R023, R126: 204 without a body; afterwards the course is absent on every path and in every list."""
    response = api.as_("manager").delete("/course/1/")
    assert (response.status_code, response.content) == (204, b"")
    creator = api.as_("creator")
    roles = {"json": {"managers": [3]}}
    for method, path, options in [
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
    ]:
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
        "apps": 0,
        "grants": 0,
    }
    assert all(row["lesson_id"] <= 8 for row in gone["completions"])


def test_delete_course_frees_name_and_slug_but_not_its_id(api: Api) -> None:
    """R116, R121, R126: name and slug may be used again, the id never is."""
    sent = {"name": "Lino", "type": "self-paced"}
    for number in (16, 17):
        body = ok(api.as_("stranger").post("/course/", json=sent), 201)
        assert (body["id"], body["slug"], body["join_status"]) == (number, "lino", "creator")
        assert api.as_("stranger").delete(f"/course/{number}/").status_code == 204
        assert refused(api.as_("stranger").get(f"/course/{number}/"), 404) == {"": "not_found"}
    old = {"name": "Sketching Walks", "slug": "sketching-walks", "type": "scheduled"}
    api.as_("creator").delete("/course/12/")
    assert_shows(ok(api.as_("stranger").post("/course/", json=old), 201), {**old, "id": 18})


# Searching


SEEN = {
    "creator": EVERY,
    "manager": EVERY,
    "member": [15, 14, 13, 9, 8, 7, *range(6, 0, -1)],
    "invited": [15, 14, 13, 9, 8, 7, *range(6, 0, -1)],
    "requested": PUBLIC,
    "staff": PUBLIC,
    None: PUBLIC,
}


@pytest.mark.parametrize(("caller", "expected"), SEEN.items())
def test_search_courses_finds_what_the_caller_may_know(api: Api, caller: str | None, expected: list[int]) -> None:
    """R601-R603: secret courses from invited on, drafts for creator and managers only, newest id first, all minimal."""
    response = api.as_(caller).get("/course/search/")
    assert ids(response) == expected
    for row in response.json()["results"]:
        assert set(row) == MINIMAL
        assert row == {**row, "deleted": False}
    assert "description" not in {key for row in response.json()["results"] for key in row}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("search=", PUBLIC),
        ("search=SOURDOUGH", [2]),
        ("search=sOuR", [2]),
        ("search=north-FACING", [15]),
        ("search=pai", [3, 1]),
        ("search=nothing like it", []),
        ("categories=2", [15, 2]),
        ("categories=2&search=bread", []),
        ("categories=2&search=bake", [2]),
        ("categories=[]", PUBLIC),
        ("statuses=", PUBLIC),
        ("statuses=[]", PUBLIC),
        ("statuses=joined", []),
        ("ordering=id", [1, 2, 3, 4, 5, 6, 13, 14, 15]),
        ("ordering=-id", PUBLIC),
        ("ordering=name", [15, 3, 5, 4, 14, 2, 13, 6, 1]),
        ("ordering=-name", [1, 6, 13, 2, 14, 4, 5, 3, 15]),
        ("ordering=created_at", [1, 2, 13, 4, 5, 3, 14, 6, 15]),
        ("ordering=-created_at", [15, 6, 14, 3, 5, 4, 13, 2, 1]),
        ("ordering=added_at", PUBLIC),
        ("ordering=--id", PUBLIC),
        ("ordering=", PUBLIC),
        ("undocumented=1", PUBLIC),
    ],
)
def test_search_courses_filters_and_orders(api: Api, query: str, expected: list[int]) -> None:
    """R024, R025, R603: text in any case, any category; unknown orderings are ignored, empty filters are none."""
    assert ids(api.get(f"/course/search/?{query}")) == expected


@pytest.mark.parametrize(
    ("caller", "found"),
    [("member", [4]), ("invited", [4]), ("manager", [4]), ("requested", []), ("stranger", []), (None, [])],
)
def test_search_courses_does_not_search_hidden_descriptions(api: Api, caller: str | None, found: list[int]) -> None:
    """R103, R603: what only insiders may read is searched for insiders only; the name is searched for all."""
    assert ids(api.as_(caller).get("/course/search/?search=White Card")) == found
    assert ids(api.as_(caller).get("/course/search/?search=window light")) == [4]


@pytest.mark.parametrize(
    ("caller", "statuses", "expected"),
    [
        ("member", "joined", [14, 13, 9, 8, 7, 6, 5, 4, 3, 2, 1]),
        ("invited", "invited", [14, 13, 9, 8, 7, 6, 5, 4, 3, 2, 1]),
        ("requested", "requested", [6, 5, 4]),
        ("manager", "creator", []),
        ("creator", "creator", EVERY),
        (None, "joined,creator,manager,invited,requested", []),
    ],
)
def test_search_courses_filters_by_status(api: Api, caller: str | None, statuses: str, expected: list[int]) -> None:
    """R603: statuses are those of the caller, and hidden courses stay hidden."""
    assert ids(api.as_(caller).get(f"/course/search/?statuses={statuses}")) == expected


@pytest.mark.parametrize(
    "query",
    [
        "categories=[1,4]",
        'categories=["1","4"]',
        "categories=%5B1,%204%5D",
        "categories=1,4",
        "categories[]=1&categories[]=4",
        "categories%5B%5D=1&categories%5B%5D=4",
        "categories=1&categories=4",
    ],
)
def test_search_courses_reads_categories_in_every_spelling(api: Api, query: str) -> None:
    """R013, R603: JSON text, comma-joined, bracketed and repeated categories are one and the same."""
    assert ids(api.get(f"/course/search/?{query}")) == [13, 6, 5, 4, 1]
    assert ids(api.get("/course/search/?categories=4")) == ids(api.get("/course/search/?categories=[4]")) == [6, 4]


def test_search_courses_orders_by_newest_id_where_the_ordering_is_unknown(api: Api) -> None:
    """R024, R603: with its direction."""
    ids = [row["id"] for row in api.as_("creator").get("/course/search/?ordering=privacy").json()["results"]]
    assert ids == sorted(ids, reverse=True)


# The other lists


STATUS_SPELLINGS = [
    'statuses=["joined","invited"]',
    "statuses=joined,invited",
    "statuses[]=joined&statuses[]=invited",
    "statuses%5B%5D=joined&statuses%5B%5D=invited",
    "statuses=joined&statuses=invited",
]


@pytest.mark.parametrize("query", STATUS_SPELLINGS)
def test_list_joined_courses_reads_statuses_in_every_spelling(api: Api, query: str) -> None:
    """R013: JSON text, comma-joined, bracketed, repeated and bare statuses are one and the same, in every list."""
    for course, status in ((1, "joined"), (2, "manager"), (4, "invited"), (5, "requested")):
        be(api, course, status)
    stranger = api.as_("stranger")
    for path in ("/course/", "/course/search/", "/user/6/courses/"):
        assert sorted(ids(stranger.get(f"{path}?{query}"))) == [1, 4]
        assert ids(stranger.get(f"{path}?statuses=manager")) == ids(stranger.get(f'{path}?statuses=["manager"]')) == [2]


@pytest.mark.parametrize("value", ["member", "joined,member", '["joined","member"]', "joined&statuses=member", "[1]"])
@pytest.mark.parametrize("path", ["/course/", "/course/search/", "/user/6/courses/"])
def test_list_joined_courses_refuses_unknown_statuses(api: Api, path: str, value: str) -> None:
    """R013: an unknown status is refused, in every spelling."""
    assert set(refused(api.as_("member").get(f"{path}?statuses={value}"), 400)) == {"statuses"}
    assert refused(api.as_("member").get(f"{path}?statuses=member"), 400) == {"statuses": "invalid_choice"}


@pytest.mark.parametrize(
    ("caller", "query", "expected"),
    [
        ("member", "", [*range(1, 10), 13, 14]),
        ("member", "?statuses=", [*range(1, 10), 13, 14]),
        ("member", "?statuses=[]", [*range(1, 10), 13, 14]),
        ("member", "?statuses=&statuses=", [*range(1, 10), 13, 14]),
        ("manager", "", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]),
        ("creator", "", []),
        ("creator", "?statuses=creator", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]),
        ("invited", "", []),
        ("requested", "?statuses=requested", [4, 5, 6]),
        ("stranger", "", []),
        ("manager", "?created_by=6", [2]),
        ("manager", "?created_by=999", []),
    ],
)
def test_list_joined_courses_filters(api: Api, caller: str, query: str, expected: list[int]) -> None:
    """R101, R104, R601: the caller's courses as manager or member, unless asked otherwise; by author, too."""
    if "created_by=6" in query:
        do(api, 2, created_by=6)
    assert sorted(ids(api.as_(caller).get(f"/course/{query}"))) == expected


def test_list_joined_courses_shows_courses_in_full(api: Api) -> None:
    """R107, R601: rows are full courses with the caller's own status and progress."""
    rows = ok(api.as_("member").get("/course/"))["results"]
    assert all(set(row) == FULL for row in rows)
    assert {row["join_status"] for row in rows} == {"joined"}
    assert {row["id"]: row["user_completion_rate"] for row in rows} == {
        **{1: 40, 2: 60, 3: 20, 4: 100, 5: 67, 6: 50, 7: 50, 8: 0, 9: 0, 13: 0, 14: 50}
    }


def test_list_joined_courses_leaks_no_description(api: Api) -> None:
    """R103: outsiders of a private course find its description and sections in no list."""
    for caller, paths in {
        "requested": ["/course/?statuses=requested", "/course/search/", "/user/3/courses/", "/suggestion/course/"],
        "stranger": ["/course/search/", "/user/3/courses/", "/user/8/courses/", "/suggestion/course/"],
        None: ["/course/search/", "/user/3/courses/"],
    }.items():
        for path in paths:
            response = api.as_(caller).get(path)
            rows = {row["id"]: row for row in ok(response)["results"]}
            for text in ("white card", "casting on to the last sleeve", "without a telescope"):
                assert text not in response.text, (caller, path)
            for course in {4, 5, 6} & set(rows):
                assert rows[course].get("sections_order", []) == []
    assert "white card" in api.as_("member").get("/course/").text


def test_list_suggested_courses_offers_what_is_new(api: Api) -> None:
    """R606: published courses that the caller can see and has no status in, the newest first, in full."""
    response = api.as_("stranger").get("/suggestion/course/")
    assert ids(response) == [15, 6, 14, 3, 5, 4, 13, 2, 1]
    assert all(set(row) == FULL for row in response.json()["results"])


@pytest.mark.parametrize(
    ("caller", "expected"),
    [("creator", []), ("manager", [15]), ("member", [15]), ("invited", [15]), ("requested", [1, 2, 3, 13, 14, 15])],
)
def test_list_suggested_courses_leaves_out_own_ones(api: Api, caller: str, expected: list[int]) -> None:
    """R606: a course in which the caller has any status is no suggestion, nor is one that is not visible."""
    assert sorted(ids(api.as_(caller).get("/suggestion/course/"))) == expected


def test_list_user_courses_shows_what_the_caller_sees(api: Api) -> None:
    """R604, R605, R127, R107: a page of the user's courses, as far as visible, with the caller's own status."""
    for caller in ("stranger", None):
        response = api.as_(caller).get("/user/3/courses/")
        assert sorted(ids(response)) == [1, 2, 3, 4, 5, 6, 13, 14]
        rows = response.json()["results"]
        assert all(set(row) == FULL | {"member_count"} for row in rows)
        assert {row["join_status"] for row in rows} == {None}
        counts = {1: 9, 2: 4, 3: 4, 4: 3, 5: 3, 6: 3, 13: None, 14: 4}
        assert {row["id"]: row["member_count"] for row in rows} == counts
    rows = ok(api.as_("manager").get("/user/3/courses/"))["results"]
    assert sorted(row["id"] for row in rows) == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]
    assert {row["join_status"] for row in rows} == {"manager"}
    assert sorted(ids(api.as_("invited").get("/user/3/courses/"))) == [*range(1, 10), 13, 14]


@pytest.mark.parametrize(
    ("caller", "count"), [("creator", 5), ("manager", 5), ("member", None), ("stranger", None), (None, None)]
)
def test_list_user_courses_hides_the_member_count(api: Api, caller: str | None, count: int | None) -> None:
    """R127: with hide_member_count only creator and managers see how many there are."""
    rows = {row["id"]: row for row in ok(api.as_(caller).get("/user/8/courses/"))["results"]}
    assert rows[13]["member_count"] == count
    assert rows[13]["hide_member_count"] is True
    assert rows[1]["member_count"] == 9


@pytest.mark.parametrize(
    ("user", "query", "expected"),
    [
        (1, "", []),
        (1, "?statuses=creator", [1, 2, 3, 4, 5, 6, 13, 14, 15]),
        (1, "?statuses=", []),
        (4, "?statuses=invited", [1, 2, 3, 4, 5, 6, 13, 14]),
        (5, "?statuses=requested", [4, 5, 6]),
        (6, "", []),
        (9, "", [1, 2, 3, 14]),
    ],
)
def test_list_user_courses_filters_by_the_users_status(api: Api, user: int, query: str, expected: list[int]) -> None:
    """R604: statuses are those of the user, by default manager and joined."""
    assert sorted(ids(api.get(f"/user/{user}/courses/{query}"))) == expected


@pytest.mark.parametrize("user", ["0", "999", "-1", "abc", "9" * 25])
def test_list_user_courses_answers_404_for_nobody(api: Api, user: str) -> None:
    """R004, R007: an unknown user is absent."""
    assert refused(api.get(f"/user/{user}/courses/"), 404) == {"": "not_found"}


# Pages


def test_search_courses_pages(api: Api) -> None:
    """R014, R016: count, absolute links with limit before offset, no offset on the way to the first page."""
    url = "http://stub.test/api/v2/course/search/"
    for query, next_, previous, found in [
        ("limit=4", "?limit=4&offset=4", None, [15, 14, 13, 6]),
        ("offset=4&limit=4", "?limit=4&offset=8", "?limit=4", [5, 4, 3, 2]),
        ("limit=4&offset=8", None, "?limit=4&offset=4", [1]),
        ("limit=4&offset=2", "?limit=4&offset=6", "?limit=4", [13, 6, 5, 4]),
        ("limit=9", None, None, PUBLIC),
        ("limit=3&offset=6", None, "?limit=3&offset=3", [3, 2, 1]),
        ("offset=1", None, "?limit=20", [14, 13, 6, 5, 4, 3, 2, 1]),
    ]:
        page = ok(api.get(f"/course/search/?{query}"))
        assert list(page) == ["count", "next", "previous", "results"]
        assert page["count"] == 9
        assert page["next"] == (url + next_ if next_ else None)
        assert page["previous"] == (url + previous if previous else None)
        assert [row["id"] for row in page["results"]] == found


def test_search_courses_links_keep_other_parameters(api: Api) -> None:
    """R014: page links repeat the other parameters, and lead on through the same list."""
    page = ok(api.get("/course/search/?search=o&limit=3&ordering=id&offset=3&categories[]=1&categories[]=4"))
    assert page["count"] == 4
    kept = "search=o&ordering=id&categories[]=1&categories[]=4"
    assert page["previous"].replace("%5B%5D", "[]") == f"http://stub.test/api/v2/course/search/?{kept}&limit=3"
    assert page["next"] is None
    found, link = [], "http://stub.test/api/v2/course/search/?categories=%5B1,4%5D&ordering=name&search=%C3%B6&search=O"
    link += "&limit=2"
    while link:
        page = ok(api.get(link.removeprefix("http://stub.test")))
        found += [row["name"][:2] for row in page["results"]]
        link = page["next"]
    assert found == ["Kn", "Po", "Sp", "Wa"]


@EVERY_LIST
def test_list_user_courses_pages_like_every_list(api: Api, path: str) -> None:
    """R014-R016: 20 rows by default, 100 at most, the true count past the end, links that walk through everything."""
    member = {"user_id": 3, "status": "joined", "joined_at": NOW, "last_active_at": None}
    for number in range(101, 231):
        name = {"id": number, "name": f"Course {number}", "slug": f"course-{number}"}
        api.world.courses.put({**api.world.courses[15], **name})
        if "suggestion" not in path:
            api.world.memberships.put({**member, "course_id": number})
    caller = api.as_("member")
    count = ok(caller.get(path))["count"]
    assert count > 130
    assert len(ok(caller.get(path))["results"]) == 20
    assert ok(caller.get(path))["next"] == f"http://stub.test/api/v2{path}?limit=20&offset=20"
    page = ok(caller.get(f"{path}?limit=101"))
    assert len(page["results"]) == 100
    assert page["next"] == f"http://stub.test/api/v2{path}?limit=100&offset=100"
    rest = ok(caller.get(page["next"].removeprefix("http://stub.test")))
    assert rest["previous"] == f"http://stub.test/api/v2{path}?limit=100"
    assert rest["next"] is None
    assert len({row["id"] for row in page["results"] + rest["results"]}) == count
    beyond = ok(caller.get(f"{path}?offset=500"))
    assert (beyond["count"], beyond["results"], beyond["next"]) == (count, [], None)
    assert beyond["previous"].startswith("http://stub.test")


@EVERY_LIST
@pytest.mark.parametrize("value", ["0", "undefined", "-1", "1.5", "1" + 30 * "0", "null", "1e1"])
def test_list_user_courses_refuses_bad_limits_like_every_list(api: Api, path: str, value: str) -> None:
    """R016: limit must be an integer of at least 1, offset one of at least 0."""
    assert set(refused(api.as_("member").get(path, params={"limit": value}), 400)) == {"limit"}
    if value != "0":
        refusal = refused(api.as_("member").get(path, params={"offset": value, "limit": value}), 400)
        assert set(refusal) == {"limit", "offset"}
    assert ok(api.as_("member").get(f"{path}?offset=0"))["previous"] is None


def test_get_course_gives_each_category_pictures_of_its_own(api: Api) -> None:
    """R122: addresses that carry the category's slug, and differ between categories even beside it."""
    both = api.as_("creator").patch("/course/1/", json={"categories": [1, 2]})
    pictures = {row["slug"]: row["image_small"] for row in ok(both)["categories"]}
    assert all(f"/upfiles/categories/small/{slug}_" in url for slug, url in pictures.items())
    assert len({url.rsplit("_", 1)[1] for url in pictures.values()}) == 2
