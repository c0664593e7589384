"""Pages of lists: count, links and limits work the same way in every list."""

import asyncio
import json
from urllib.parse import parse_qsl, urlsplit

import pytest

from stubserver.app import StubServer
from tests.support.answers import ok, refused
from tests.support.client import Api
from tests.support.default import NOW, PUBLIC, STRANGER
from tests.support.rows import be
from tests.support.wire import ask

LISTS_OF_COURSES = {
    "list_joined_courses": "/course/",
    "search_courses": "/course/search/",
    "list_suggested_courses": "/suggestion/course/",
    "list_user_courses": "/user/3/courses/",
}
EVERY_LIST_OF_COURSES = pytest.mark.parametrize("path", LISTS_OF_COURSES.values(), ids=LISTS_OF_COURSES)
LISTS_OF_PEOPLE = {
    "list_course_joined_users": "join",
    "list_course_invited_users": "invite",
    "list_course_join_requests": "request_join",
    "list_course_suggested_users": "user",
    "list_course_dashboard_users": "users",
}
EVERY_LIST_OF_PEOPLE = pytest.mark.parametrize("path", LISTS_OF_PEOPLE.values(), ids=LISTS_OF_PEOPLE)


def test_search_courses_pages(api: Api) -> None:
    """R014, R016: count; absolute links with limit before offset; no offset in a link to the first page."""
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
    """R014: page links repeat the other parameters, all sorted by name, and continue through the same list."""
    page = ok(api.get("/course/search/?search=o&limit=3&ordering=id&offset=3&categories[]=1&categories[]=4"))
    assert page["count"] == 4
    sorted_ = "categories[]=1&categories[]=4&limit=3&ordering=id&search=o"
    assert page["previous"].replace("%5B%5D", "[]") == f"http://stub.test/api/v2/course/search/?{sorted_}"
    assert page["next"] is None
    found, link = [], "http://stub.test/api/v2/course/search/?categories=%5B1,4%5D&ordering=name&search=%C3%B6&search=O"
    link += "&limit=2"
    while link:
        page = ok(api.get(link.removeprefix("http://stub.test")))
        found += [row["name"][:2] for row in page["results"]]
        link = page["next"]
    assert found == ["Kn", "Po", "Sp", "Wa"]


@pytest.mark.parametrize("sent", ["search=%25", "x=100%", "x=%zz%C3%BC%4", "%=1"])
def test_search_courses_links_are_uris_whatever_was_sent(app: StubServer, runner: asyncio.Runner, sent: str) -> None:
    """R014: a per cent sign that begins no escape stands for itself. Libraries escape it before they send it."""
    target = f"/api/v2/course/search/?{sent}&offset=1"
    status, _, body = ask(app, runner, "GET", target, {"Host": "stub.test"})
    assert status == 200
    previous = urlsplit(json.loads(body)["previous"])
    assert sorted(parse_qsl(previous.query)) == sorted([*parse_qsl(sent), ("limit", "20")])
    assert ask(app, runner, "GET", f"{previous.path}?{previous.query}", {"Host": "stub.test"})[0] == 200


@EVERY_LIST_OF_COURSES
def test_list_user_courses_pages_like_every_list(api: Api, path: str) -> None:
    """R014-R016: 20 rows by default, at most 100; the true count even past the end; links that walk through all
    rows."""
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


@EVERY_LIST_OF_COURSES
@pytest.mark.parametrize("value", ["0", "undefined", "-1", "1.5", "1" + 30 * "0", "null", "1e1"])
def test_list_user_courses_refuses_bad_limits_like_every_list(api: Api, path: str, value: str) -> None:
    """R016: in a strict world, limit must be an integer of at least 1, offset one of at least 0."""
    assert set(refused(api.strict().as_("member").get(path, params={"limit": value}), 400)) == {"limit"}
    if value != "0":
        refusal = refused(api.as_("member").get(path, params={"offset": value, "limit": value}), 400)
        assert set(refusal) == {"limit", "offset"}
    assert ok(api.as_("member").get(f"{path}?offset=0"))["previous"] is None


@EVERY_LIST_OF_PEOPLE
def test_list_course_joined_users_pages_like_every_list(api: Api, path: str) -> None:
    """R014-R016: 20 rows by default, at most 100; links that keep other parameters and walk through all rows."""
    status = {"join": "joined", "users": "joined", "invite": "invited", "request_join": "requested", "user": None}[path]
    for user in range(101, 231):
        api.world.users.put({**api.world.users[STRANGER], "id": user, "username": f"user-{user}"})
        be(api, 15, status, user=user)
    url, creator = f"/course/15/{path}/", api.as_("creator")
    first = ok(creator.get(url))
    count = first["count"]
    assert count == (143 if path == "user" else 130)
    assert len(first["results"]) == 20
    assert first["next"] == f"http://stub.test/api/v2{url}?limit=20&offset=20"
    page = ok(creator.get(f"{url}?search=&limit=101"))
    assert len(page["results"]) == 100
    assert page["next"] == f"http://stub.test/api/v2{url}?limit=100&offset=100&search="
    rest = ok(creator.get(page["next"].removeprefix("http://stub.test")))
    assert (rest["next"], rest["previous"]) == (None, f"http://stub.test/api/v2{url}?limit=100&search=")
    assert len({row["id"] for row in page["results"] + rest["results"]}) == count
    beyond = ok(creator.get(f"{url}?limit=5&offset=200"))
    assert (beyond["count"], beyond["results"], beyond["next"]) == (count, [], None)
    second = ok(creator.get(f"{url}?offset=5&limit=5"))
    assert second["previous"] == f"http://stub.test/api/v2{url}?limit=5"
    assert second["next"] == f"http://stub.test/api/v2{url}?limit=5&offset=10"


@EVERY_LIST_OF_PEOPLE
@pytest.mark.parametrize("value", ["0", "undefined", "-1", "1.5", "1" + 30 * "0"])
def test_list_course_joined_users_refuses_bad_limits_like_every_list(api: Api, path: str, value: str) -> None:
    """R016: in a strict world, limit must be an integer of at least 1, offset one of at least 0."""
    assert set(refused(api.strict().as_("creator").get(f"/course/1/{path}/", params={"limit": value}), 400)) == {
        "limit"
    }
    if value != "0":
        refusal = refused(api.as_("creator").get(f"/course/1/{path}/", params={"offset": value}), 400)
        assert set(refusal) == {"offset"}
