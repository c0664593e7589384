"""Comments on lessons, in two levels: who may list, write, change and delete them, and what happens."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.support.answers import done, ids, ok, refused
from tests.support.client import Api
from tests.support.default import AVATARS, NOW
from tests.support.forms import FORM, Options
from tests.support.rows import snapshot

LESSON = "/course/1/section/1/lesson/1/"
COMMENTS = f"{LESSON}comment/"
COURSE = "/course/1/comment/"
SWITCHED_OFF = "/course/1/section/1/lesson/3/"
FIELDS = {"id", "html", "parent", "in_reply_to", "created_at", "created_by", "medias"}
CHANGES = pytest.mark.parametrize("method", ["PUT", "PATCH"])


def user(number: int, username: str, real_name: str, badge: bool = False) -> dict[str, Any]:
    return {
        "id": number,
        "username": username,
        "real_name": real_name,
        "avatar": AVATARS[number],
        "community_badge": badge,
        "deleted": False,
    }


WREN, OTTOLINE = user(1, "wren_hollis", "Wren Hollis", True), user(2, "ottoline-marsh", "Ottoline Marsh")
DILYS = user(3, "dilys_pruett", "Dilys Pruett")
NEWEST_REPLY = {
    "id": 12,
    "html": "<p>That was an accident, but I shall do it again.</p>",
    "parent": 10,
    "in_reply_to": 11,
    "created_at": "2026-01-19T09:07:58.106742+00:00",
    "created_by": DILYS,
    "medias": [],
    "latest_reply": None,
}
PICTURE = {
    "id": 5,
    "added_at": "2026-01-18T10:51:33.960254+00:00",
    "type": "image",
    "title": "My first wash",
    "description": "A blue sky that ran into the teapot.",
    "url": "http://stub.test/upfiles/medias/bigger/picture_0455.png",
    "image": "http://stub.test/upfiles/medias/bigger/picture_0455.png",
    "image_width": 512,
    "image_height": 512,
    "order": 1,
    "embed": None,
}
TEAPOT = {
    "id": 10,
    "html": "<p>My first wash. The sky has run into the teapot, but I am rather proud of it.</p>",
    "parent": None,
    "in_reply_to": None,
    "created_at": "2026-01-18T10:52:21.368790+00:00",
    "created_by": DILYS,
    "medias": [PICTURE],
    "latest_reply": NEWEST_REPLY,
}


# Lists


def test_list_course_comments_shows_threads(api: Api) -> None:
    """R507, R508, R509: first-level comments with all replies in order and where they belong, without latest_reply."""
    page = ok(api.as_("creator").get(COURSE))
    assert (page["count"], page["next"], page["previous"]) == (6, None, None)
    rows = {row["id"]: row for row in page["results"]}
    assert all(set(row) == FIELDS | {"replies", "extras"} for row in rows.values())
    thread = dict(rows[10])
    replies = thread.pop("replies")
    assert thread == {
        **{name: value for name, value in TEAPOT.items() if name != "latest_reply"},
        "extras": {
            "course": {"id": 1, "slug": "watercolour-for-absolute-beginners"},
            "section": {"id": 1, "name": "First washes"},
            "lesson": {"id": 1, "name": "Paper, brushes and water"},
        },
    }
    assert [row["id"] for row in replies] == [11, 12]
    assert replies[1] == NEWEST_REPLY
    assert [reply["id"] for reply in rows[1]["replies"]] == [2, 3, 4]
    assert rows[13]["replies"] == []


def test_list_course_comments_orders_by_lesson(api: Api) -> None:
    """R509: by the lesson's place in the course, then oldest first; a page counts first-level comments."""
    creator = api.as_("creator")
    assert ids(creator.get(COURSE)) == [1, 5, 9, 10, 13, 14]
    ok(creator.post("/course/1/section/2/lesson/4/comment/", json={"text": "first"}), 201)
    ok(creator.post(COMMENTS, json={"text": "second"}), 201)
    assert ids(creator.get(COURSE)) == [1, 5, 9, 10, 26, 13, 14, 25]
    ok(creator.patch("/course/1/section/1/", json={"lessons_order": [3, 2, 1]}))
    assert ids(creator.get(COURSE)) == [14, 13, 1, 5, 9, 10, 26, 25]
    ok(creator.patch("/course/1/", json={"sections_order": [2, 1, 3]}))
    assert ids(creator.get(COURSE)) == [25, 14, 13, 1, 5, 9, 10, 26]
    page = ok(creator.get(f"{COURSE}?limit=2&offset=3"))
    assert ([row["id"] for row in page["results"]], page["count"]) == ([1, 5], 8)
    assert page["next"] == f"http://stub.test/api/v2{COURSE}?limit=2&offset=5"
    assert ids(creator.get("/course/2/comment/")) == [16]
    assert ids(creator.get("/course/12/comment/")) == []


@pytest.mark.parametrize(
    ("caller", "course", "status"),
    [
        ("manager", 1, 200),
        ("member", 1, 403),
        ("invited", 1, 403),
        ("staff", 1, 403),
        (None, 1, 401),
        ("manager", 10, 200),
        ("member", 10, 404),
        ("stranger", 7, 404),
    ],
)
def test_list_course_comments_is_for_managers(api: Api, caller: str | None, course: int, status: int) -> None:
    """R509: the list for a whole course is for the creator and managers."""
    response = api.as_(caller).get(f"/course/{course}/comment/")
    if status == 200:
        ok(response)
    else:
        code = {401: "not_authenticated", 403: "permission_denied", 404: "not_found"}[status]
        assert refused(response, status) == {"": code}


@pytest.mark.parametrize("caller", ["member", "manager", "creator"])
def test_list_course_lesson_comments_shows_the_first_level(api: Api, caller: str) -> None:
    """R308, R309, R504, R507, R508: with the newest reply or null, without replies and extras, medias as objects."""
    page = ok(api.as_(caller).get(COMMENTS))
    assert (page["count"], page["next"], page["previous"]) == (4, None, None)
    assert [row["id"] for row in page["results"]] == [1, 5, 9, 10]
    assert page["results"][3] == TEAPOT
    assert [row["latest_reply"] and row["latest_reply"]["id"] for row in page["results"]] == [4, 8, None, 12]
    assert all(set(row) == FIELDS | {"latest_reply"} for row in page["results"])


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [1, 5, 9, 10]),
        ("ordering=created_at", [1, 5, 9, 10]),
        ("ordering=-created_at", [10, 9, 5, 1]),
        ("ordering=added_at", [1, 5, 9, 10]),
        ("ordering=-added_at", [1, 5, 9, 10]),
        ("ordering=", [1, 5, 9, 10]),
        ("parent=1", [2, 3, 4]),
        ("parent=5", [6, 7, 8]),
        ("parent=1&ordering=-created_at", [4, 3, 2]),
        ("parent=9", []),
        ("parent=2", []),
        ("parent=14", []),
        ("parent=999", []),
    ],
)
def test_list_course_lesson_comments_filters_and_orders(api: Api, query: str, expected: list[int]) -> None:
    """R024, R504, R506: oldest or newest first, other orders ignored with their sign; replies by parent, none for an
    unknown parent."""
    assert ids(api.as_("member").get(f"{COMMENTS}?{query}")) == expected


def test_list_course_lesson_comments_goes_by_time(api: Api) -> None:
    """R506, R507: the time decides, not the id; the newest reply is the latest by time."""
    comments = api.world.comments
    comments.put({**comments[10], "created_at": NOW - timedelta(days=1000)})
    comments.put({**comments[2], "created_at": NOW})
    member = api.as_("member")
    assert ids(member.get(COMMENTS)) == [10, 1, 5, 9]
    assert ids(member.get(f"{COMMENTS}?ordering=-created_at")) == [9, 5, 1, 10]
    assert ids(member.get(f"{COMMENTS}?parent=1")) == [3, 4, 2]
    assert ok(member.get(COMMENTS))["results"][1]["latest_reply"]["id"] == 2
    assert [row["id"] for row in ok(api.as_("creator").get(COURSE))["results"][1]["replies"]] == [3, 4, 2]


def test_list_course_lesson_comments_pages(api: Api) -> None:
    """R014, R504: the count covers the level listed; the links keep parent and ordering."""
    page = ok(api.as_("member").get(f"{COMMENTS}?parent=1&ordering=-created_at&limit=1&offset=1"))
    url, others = f"http://stub.test/api/v2{COMMENTS}?limit=1", "&ordering=-created_at&parent=1"
    assert [row["id"] for row in page.pop("results")] == [3]
    assert page == {"count": 3, "next": f"{url}&offset=2{others}", "previous": url + others}


@pytest.mark.parametrize("caller", ["member", "manager", "creator"])
def test_list_course_lesson_comments_is_empty_while_disabled(api: Api, caller: str) -> None:
    """R501, R505: no one, managers included, reads or writes comments; switching them on brings back those stored."""
    url = f"{SWITCHED_OFF}comment/"
    for query in ("", "?parent=14"):
        assert ok(api.as_(caller).get(url + query)) == {"count": 0, "next": None, "previous": None, "results": []}
    before = snapshot(api.world)
    for body in ({"text": "x"}, {"text": "x", "parent": 14}, {"parent": 99}):
        assert refused(api.as_(caller).post(url, json=body), 403) == {"": "permission_denied"}
    assert snapshot(api.world) == before
    ok(api.as_("creator").patch(SWITCHED_OFF, json={"comments_enabled": True}))
    assert ids(api.as_(caller).get(url)) == [14]
    assert ids(api.as_(caller).get(f"{url}?parent=14")) == [15]
    ok(api.as_(caller).post(url, json={"text": "x", "parent": 14}), 201)
    ok(api.as_("creator").patch(SWITCHED_OFF, json={"comments_enabled": False}))
    assert ids(api.as_(caller).get(url)) == []
    assert len(api.world.comments) == len(before["comments"]) + 1


@pytest.mark.parametrize(
    ("path", "caller", "status"),
    [
        ("/course/1/section/1/lesson/1/", "invited", 403),
        ("/course/1/section/1/lesson/1/", "stranger", 403),
        ("/course/1/section/1/lesson/1/", "staff", 403),
        ("/course/1/section/1/lesson/1/", None, 401),
        ("/course/1/section/2/lesson/6/", "member", 403),
        ("/course/1/section/2/lesson/6/", "manager", 200),
        ("/course/2/section/6/lesson/13/", "member", 403),
        ("/course/2/section/6/lesson/13/", "creator", 200),
        ("/course/3/section/8/lesson/16/", "member", 403),
        ("/course/3/section/8/lesson/16/", "manager", 200),
        ("/course/14/section/26/lesson/43/", "member", 200),
        ("/course/14/section/26/lesson/44/", "member", 403),
        ("/course/14/section/26/lesson/44/", "creator", 200),
        ("/course/10/section/21/lesson/34/", "member", 404),
        ("/course/4/section/11/lesson/21/", "requested", 403),
        ("/course/1/section/2/lesson/1/", "creator", 404),
        ("/course/2/section/1/lesson/1/", "creator", 404),
    ],
)
def test_create_course_comment_needs_an_open_lesson(api: Api, path: str, caller: str | None, status: int) -> None:
    """R006, R311-R316, R501: only those who may open the lesson read and write comments; managers always may."""
    before = snapshot(api.world)
    read, made = (
        api.as_(caller).request(method, f"{path}comment/", **options)
        for method, options in (("GET", {}), ("POST", {"json": {"text": "Hello"}}))
    )
    if status == 200:
        ok(read)
        ok(made, 201)
    else:
        code = {401: "not_authenticated", 403: "permission_denied", 404: "not_found"}[status]
        assert [refused(read, status), refused(made, status)] == [{"": code}] * 2
        assert snapshot(api.world) == before


# Creating


@pytest.mark.parametrize(("caller", "author"), [("member", DILYS), ("manager", OTTOLINE), ("creator", WREN)])
def test_create_course_comment_answers_it(api: Api, caller: str, author: dict[str, Any]) -> None:
    """R308, R309, R501: 201 with the text unchanged as html, the medias as objects and the caller as the author."""
    text = "<p onclick='x'>1 < 2 & \u00fc</p>\n <script>"
    sent = {"text": text, "medias": [5], "id": 1, "html": "x", "created_by": 9, "stray": 1}
    made = ok(api.as_(caller).post(COMMENTS, json=sent), 201)
    assert made == {
        "id": 25,
        "html": text,
        "parent": None,
        "in_reply_to": None,
        "created_at": NOW.isoformat(),
        "created_by": author,
        "medias": [PICTURE],
        "latest_reply": None,
    }
    assert ok(api.as_("manager").get(f"{COMMENTS}25/")) == made
    assert ids(api.as_("member").get(COMMENTS)) == [1, 5, 9, 10, 25]


@pytest.mark.parametrize(
    "options",
    [
        {"json": {}},
        {"json": {"text": "", "parent": None, "in_reply_to": None, "medias": []}},
        {"content": "", "headers": FORM},
        {"content": "text=&parent=null", "headers": FORM},
        {"files": [("text", (None, ""))]},
    ],
    ids=["json", "json-defaults", "urlencoded", "urlencoded-defaults", "multipart"],
)
def test_create_course_comment_may_be_empty(api: Api, options: dict[str, Any]) -> None:
    """R514: nothing is required; text defaults to "", and everything else has a default, too."""
    made = ok(api.as_("member").post(COMMENTS, **options), 201)
    expected: dict[str, Any] = {"html": "", "parent": None, "in_reply_to": None, "medias": [], "latest_reply": None}
    assert {name: made[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("body", "parent", "answered", "order"),
    [
        ({"parent": 9}, 9, None, [25]),
        ({"parent": 1}, 1, None, [2, 3, 4, 25]),
        ({"parent": 1, "in_reply_to": 2}, 1, 2, [2, 3, 4, 25]),
        ({"parent": 1, "in_reply_to": 3}, 1, 3, [2, 3, 4, 25]),
        ({"parent": 1, "in_reply_to": None}, 1, None, [2, 3, 4, 25]),
    ],
)
def test_create_course_comment_replies(
    api: Api, body: dict[str, Any], parent: int, answered: int | None, order: list[int]
) -> None:
    """R502, R503, R507: replies go under the first-level comment, may answer one another, and become the newest."""
    made = ok(api.as_("member").post(COMMENTS, json={**body, "text": "Yes"}), 201)
    assert (made["parent"], made["in_reply_to"]) == (parent, answered)
    assert ids(api.as_("member").get(f"{COMMENTS}?parent={parent}")) == order
    assert ids(api.as_("member").get(COMMENTS)) == [1, 5, 9, 10]
    assert ok(api.as_("manager").get(f"{COMMENTS}{parent}/"))["latest_reply"] == made


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"parent": 999}, {"parent": "does_not_exist"}),
        ({"parent": 2}, {"parent": "does_not_exist"}),
        ({"parent": 13}, {"parent": "does_not_exist"}),
        ({"parent": 2, "in_reply_to": 3}, {"parent": "does_not_exist"}),
        ({"in_reply_to": 2}, {"in_reply_to": "invalid"}),
        ({"parent": None, "in_reply_to": 2}, {"in_reply_to": "invalid"}),
        ({"in_reply_to": 1}, {"in_reply_to": "invalid"}),
        ({"parent": 1, "in_reply_to": 1}, {"in_reply_to": "invalid"}),
        ({"parent": 1, "in_reply_to": 6}, {"in_reply_to": "invalid"}),
        ({"parent": 1, "in_reply_to": 5}, {"in_reply_to": "invalid"}),
        ({"parent": 1, "in_reply_to": 15}, {"in_reply_to": "invalid"}),
        ({"parent": 1, "in_reply_to": 999}, {"in_reply_to": "invalid"}),
        ({"medias": [5, 99]}, {"medias": "does_not_exist"}),
        ({"medias": 5}, {"medias": "not_a_list"}),
        ({"medias": None}, {"medias": "null"}),
        ({"medias": [{"id": 5}]}, {"medias": "invalid"}),
        ({"text": None}, {"text": "null"}),
        ({"text": True}, {"text": "invalid"}),
        ({"text": "a\x00b"}, {"text": "invalid"}),
        ({"parent": "x"}, {"parent": "invalid"}),
    ],
)
@pytest.mark.parametrize("caller", ["member", "creator"])
def test_create_course_comment_refuses(api: Api, caller: str, body: dict[str, Any], expected: dict[str, str]) -> None:
    """R309, R502, R503: two levels in one lesson; in_reply_to needs parent and a reply under it; nothing is stored."""
    before = snapshot(api.world)
    assert refused(api.as_(caller).post(COMMENTS, json={"text": "x", **body}), 400) == expected
    assert snapshot(api.world) == before


@pytest.mark.parametrize(
    "options",
    [
        {"json": {"text": "Yes", "parent": 1, "in_reply_to": 2, "medias": [5, 1]}},
        *(
            {"content": urlencode([("text", "Yes"), ("parent", "1"), ("in_reply_to", "2"), *medias]), "headers": FORM}
            for medias in (
                [("medias", "5"), ("medias", "1")],
                [("medias[]", "5"), ("medias[]", "1")],
                [("medias[1]", "1"), ("medias[0]", "5")],
            )
        ),
        {
            "files": [
                (name, (None, text))
                for name, text in (
                    ("text", "Yes"),
                    ("parent", "1"),
                    ("in_reply_to", "2"),
                    ("medias", "5"),
                    ("medias", "1"),
                )
            ]
        },
    ],
    ids=["json", "urlencoded-repeated", "urlencoded-bracketed", "urlencoded-indexed", "multipart"],
)
def test_create_course_comment_reads_every_media_type(api: Api, options: dict[str, Any]) -> None:
    """R009, R012: JSON and both kinds of forms mean the same, on create and on update."""
    found = ok(api.as_("member").post(COMMENTS, **options), 201)
    assert (found["html"], found["parent"], found["in_reply_to"]) == ("Yes", 1, 2)
    assert [media["id"] for media in found["medias"]] == [5, 1]
    for method in ("PUT", "PATCH"):
        changed = ok(api.as_("member").request(method, f"{COMMENTS}12/", **options))
        assert (changed["html"], changed["parent"], changed["in_reply_to"]) == ("Yes", 10, 11)
        assert [media["id"] for media in changed["medias"]] == [5, 1]


# One comment


@pytest.mark.parametrize(
    ("caller", "status"),
    [("creator", 200), ("manager", 200), ("member", 403), ("invited", 403), ("staff", 403), (None, 401)],
)
def test_get_course_comment_is_for_managers(api: Api, caller: str | None, status: int) -> None:
    """R507, R508, R510: even its author may not read it by itself; with latest_reply, without replies and extras."""
    response = api.as_(caller).get(f"{COMMENTS}10/")
    if status == 200:
        assert ok(response) == TEAPOT
        assert ok(api.as_(caller).get(f"{COMMENTS}12/")) == NEWEST_REPLY
    else:
        assert refused(response, status) == {"": "permission_denied" if status == 403 else "not_authenticated"}


@pytest.mark.parametrize(
    "path",
    [
        f"{COMMENTS}13/",
        f"{COMMENTS}999/",
        "/course/1/section/2/lesson/1/comment/1/",
        "/course/2/section/1/lesson/1/comment/1/",
        "/course/1/section/1/lesson/11/comment/16/",
    ],
)
def test_get_course_comment_follows_the_path(api: Api, path: str) -> None:
    """R006: comment, lesson, section and course must belong together, for every method."""
    before = snapshot(api.world)
    requests: dict[str, Options] = {"GET": {}, "PUT": {"json": {}}, "PATCH": {"json": {}}, "DELETE": {}}
    for method, options in requests.items():
        assert refused(api.as_("creator").request(method, path, **options), 404) == {"": "not_found"}
    assert snapshot(api.world) == before


@pytest.mark.parametrize(
    ("caller", "comment", "status"),
    [
        ("member", 10, 200),
        ("member", 12, 200),
        ("manager", 10, 200),
        ("creator", 9, 200),
        ("member", 9, 403),
        ("member", 11, 403),
        ("invited", 10, 403),
        ("stranger", 10, 403),
        ("staff", 10, 403),
        (None, 10, 401),
    ],
)
def test_update_course_comment_is_for_author_and_managers(
    api: Api, caller: str | None, comment: int, status: int
) -> None:
    """R511: PUT, PATCH and DELETE are for the author, the creator and managers; the author never changes."""
    before, url = snapshot(api.world), f"{COMMENTS}{comment}/"
    author = api.world.comments[comment]["created_by"]
    for method in ("PUT", "PATCH", "DELETE"):
        options = {} if method == "DELETE" else {"json": {"text": method}}
        response = api.as_(caller).request(method, url, **options)
        if status != 200:
            assert refused(response, status) == {"": "permission_denied" if status == 403 else "not_authenticated"}
        elif method == "DELETE":
            done(response)
            assert comment not in api.world.comments
        else:
            assert (ok(response)["html"], ok(response)["created_by"]["id"]) == (method, author)
    if status != 200:
        assert snapshot(api.world) == before


@pytest.mark.parametrize(("course", "status"), [(1, 200), (4, 200), (7, 404)])
def test_update_course_comment_after_leaving(api: Api, course: int, status: int) -> None:
    """R104, R511: authors keep their rights after leaving, as long as they can see the course."""
    path = {1: f"{COMMENTS}10/", 4: "/course/4/section/10/lesson/19/comment/18/"}
    url = path.get(course, "/course/7/section/16/lesson/28/comment/21/")
    member = api.as_("member")
    done(member.delete(f"/course/{course}/join/"))
    if status == 200:
        assert ok(member.patch(url, json={"text": "Goodbye"}))["html"] == "Goodbye"
        done(member.delete(url))
    else:
        assert refused(member.patch(url, json={"text": "Goodbye"}), 404) == {"": "not_found"}
        assert refused(member.delete(url), 404) == {"": "not_found"}


@CHANGES
@pytest.mark.parametrize(
    ("body", "html", "medias"),
    [
        ({"text": "<p>New</p>"}, "<p>New</p>", [5]),
        ({"text": ""}, "", [5]),
        ({"medias": []}, TEAPOT["html"], []),
        ({"medias": [2, 1]}, TEAPOT["html"], [2, 1]),
        ({"text": "x", "medias": [3, 3]}, "x", [3]),
        ({}, TEAPOT["html"], [5]),
    ],
)
def test_patch_course_comment_keeps_what_is_left_out(
    api: Api, method: str, body: dict[str, Any], html: str, medias: list[int]
) -> None:
    """R021, R308, R309: PUT and PATCH alike require nothing and keep what is not sent; medias replace the old ones."""
    api.world.clock.advance(timedelta(days=1))
    found = ok(api.as_("member").request(method, f"{COMMENTS}10/", json=body))
    assert [media["id"] for media in found["medias"]] == medias
    assert found == {**TEAPOT, "html": html, "medias": found["medias"]}
    assert ok(api.as_("manager").get(f"{COMMENTS}10/")) == found


@CHANGES
@pytest.mark.parametrize(
    ("comment", "body"),
    [
        (12, {"parent": 1, "in_reply_to": 2}),
        (12, {"parent": None, "in_reply_to": None}),
        (12, {"in_reply_to": 999}),
        (10, {"parent": 1}),
        (10, {"parent": 10, "in_reply_to": 11}),
        (10, {"parent": 999}),
    ],
)
def test_update_course_comment_keeps_its_place(api: Api, method: str, comment: int, body: dict[str, Any]) -> None:
    """R512: parent and in_reply_to are fixed on creation; updates ignore them, whatever they say."""
    place = (None, None) if comment == 10 else (10, 11)
    found = ok(api.as_("member").request(method, f"{COMMENTS}{comment}/", json={**body, "text": "x"}))
    assert (found["html"], found["parent"], found["in_reply_to"]) == ("x", *place)
    assert ids(api.as_("member").get(f"{COMMENTS}?parent=10")) == [11, 12]


@CHANGES
@pytest.mark.parametrize(
    ("body", "expected"),
    [({"medias": [99]}, {"medias": "does_not_exist"}), ({"text": None}, {"text": "null"})],
)
def test_update_course_comment_refuses(api: Api, method: str, body: dict[str, Any], expected: dict[str, str]) -> None:
    """R309: unknown medias and a null text are refused, and nothing changes."""
    before = snapshot(api.world)
    assert refused(api.as_("member").request(method, f"{COMMENTS}10/", json={"text": "x", **body}), 400) == expected
    assert snapshot(api.world) == before


@pytest.mark.parametrize(
    ("comment", "gone", "cleared"),
    [
        (1, {1, 2, 3, 4}, set()),
        (9, {9}, set()),
        (2, {2}, {3}),
        (6, {6}, {7}),
        (11, {11}, {12}),
        (12, {12}, set()),
    ],
)
def test_delete_course_comment_takes_replies_along(api: Api, comment: int, gone: set[int], cleared: set[int]) -> None:
    """R513, R023: a first-level comment goes with its replies; a reply that answered a deleted one now answers none."""
    before = snapshot(api.world)["comments"]
    done(api.as_("creator").delete(f"{COMMENTS}{comment}/"))
    assert list(api.world.comments) == [
        {**row, "in_reply_to": None} if row["id"] in cleared else row for row in before if row["id"] not in gone
    ]
    for number in gone:
        assert refused(api.as_("creator").get(f"{COMMENTS}{number}/"), 404) == {"": "not_found"}
    assert refused(api.as_("creator").delete(f"{COMMENTS}{comment}/"), 404) == {"": "not_found"}
    assert ids(api.as_("member").get(COMMENTS)) == [number for number in (1, 5, 9, 10) if number not in gone]
    assert ok(api.as_("member").post(COMMENTS, json={}), 201)["id"] == 25


def test_delete_course_comment_uncovers_the_reply_before(api: Api) -> None:
    """R507, R513: the newest of the remaining replies takes its place, or null if none is left."""
    creator = api.as_("creator")
    for reply, newest in ((12, 11), (11, None)):
        done(creator.delete(f"{COMMENTS}{reply}/"))
        latest = ok(creator.get(f"{COMMENTS}10/"))["latest_reply"]
        assert (latest and latest["id"]) == newest
