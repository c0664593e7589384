"""Reading a course: every view of it, for every kind of caller, with locks and progress."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.api.operations.courses import BY_PRIVACY, DASHBOARD, EDIT, MINIMAL, READ, do, words
from tests.support.answers import ok, refused
from tests.support.client import Api
from tests.support.default import NOW, iso
from tests.support.rows import be


def test_get_course_follows_the_visibility_matrix(api: Api) -> None:
    """R101-R105, R107: who sees a course of each privacy in full, as a lock screen, or not at all."""
    everyone = ("creator", "manager", "joined", "invited", "requested", None, "anonymous")
    matrix: dict[str, list[set[str] | None]] = {
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
    """R004, R007: an id that cannot exist is not found rather than invalid."""
    assert refused(api.as_("creator").get(f"/course/{number}/"), 404) == {"": "not_found"}


def test_get_course_counts_published_lessons(api: Api) -> None:
    """R111, R131: drafts and sections without a published lesson are left out, for managers, too."""
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
    """R131: the completion rate counts published lessons, but not failed quizzes, and is rounded half up."""
    assert ok(api.as_("manager").get(f"/course/{course}/", params={"user": user}))["user_completion_rate"] == rate


def test_get_course_for_editing_shows_drafts(api: Api) -> None:
    """R112: view=edit counts and shows everything, but num_lessons of a section counts only published lessons."""
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
    """R113, R132: view=dashboard is the minimal form plus the mean of managers' and members' rates; 0 if none."""
    body = ok(api.as_("creator").get(f"/course/{course}/?view=dashboard"))
    assert set(body) == DASHBOARD
    assert body["avg_completion_rate"] == rate


@pytest.mark.parametrize("query", ["view=edit", "view=dashboard", "user=3", "view=edit&user=3", "user=999"])
def test_get_course_keeps_manager_views_from_others(api: Api, query: str) -> None:
    """R108, R110: edit, dashboard and emulation are for the creator and managers; an invisible course stays absent."""
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
    """R107, R110, R321: with user=, the status, progress, counters and locks are those of that user."""
    api.world.tokens = {**api.world.tokens, "stub-emulated": user}
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
    """R110: the caller decides what is shown; only progress is that of the emulated user."""
    body = ok(api.as_("manager").get("/course/4/?user=6"))
    assert set(body) == READ
    assert body["description"].startswith("A small group")
    assert body["join_status"] is None


def test_get_course_refuses_emulating_nobody(api: Api) -> None:
    """R110: an unknown user is not found; a user that is not a number is refused."""
    assert refused(api.as_("manager").get("/course/1/?user=999"), 404) == {"": "not_found"}
    assert refused(api.as_("manager").get("/course/1/?user=me"), 400) == {"user": "invalid"}


def locks(body: dict[str, Any]) -> list[tuple[str | None, bool, list[bool]]]:
    """For each section: its date, its lock, and the locks of its lessons."""
    return [
        (section["available_date"], section["locked"], [lesson["locked"] for lesson in section["lessons"]])
        for section in body["sections"]
    ]


def test_get_course_locks_a_structured_course(api: Api) -> None:
    """R314, R316, R317: a section opens exactly drip_delay days after joining; managers need not wait."""
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
    """R313, R316, R317: a section opens on its date, for everyone; without a date it is open."""
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
    """R315: drafts do not block the way, and the order is that of sections_order."""
    do(api, 1, enforce_lessons_order=True, sections_order=[3, 2, 1])
    api.world.lessons.put({**api.world.lessons[4], "status": "draft"})
    body = ok(api.as_("manager").get("/course/1/?user=9"))
    assert [[row["id"] for row in section["lessons"]] for section in body["sections"]] == [[5], [1, 2, 3]]
    assert locks(body) == [(None, False, [False]), (None, False, [False] * 3)]
    assert [row[2] for row in locks(ok(api.as_("member").get("/course/1/")))] == [[False], [True] * 3]


def test_get_course_gives_each_category_pictures_of_its_own(api: Api) -> None:
    """R122: their URLs carry the category's slug, and differ between categories even apart from the slug."""
    both = api.as_("creator").patch("/course/1/", json={"categories": [1, 2]})
    pictures = {row["slug"]: row["image_small"] for row in ok(both)["categories"]}
    assert all(f"/upfiles/categories/small/{slug}_" in url for slug, url in pictures.items())
    assert len({url.rsplit("_", 1)[1] for url in pictures.values()}) == 2
