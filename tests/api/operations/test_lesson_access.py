"""Who may open a lesson and when, and what completing it counts for."""

from datetime import timedelta
from typing import Any

import pytest

from tests.api.operations.lessons import FOR_STUDENTS, LESSON, MEMBERS_ONLY, attempt, forbidden
from tests.support.answers import done, ok, refused
from tests.support.client import Api
from tests.support.default import NOW, QUIZ, STRANGER, WRONG, iso
from tests.support.forms import FORM
from tests.support.rows import be, snapshot

DRAFT = "This lesson is a draft."
ORDER = "The lessons of this course must be completed in order."


def opens(days: float) -> str:
    return f"This lesson opens at {(NOW + timedelta(days=days)).isoformat(timespec='seconds')}."


def stored(api: Api, table: str, number: int, **changes: Any) -> None:
    """Change a row behind the API's back."""
    rows = getattr(api.world, table)
    rows.put({**rows[number], **changes})


# Access

Change = tuple[str, int, dict[str, Any]]


def case(
    course: int, section: int, lesson: int, message: str | None, *changes: Change
) -> tuple[int, int, int, str | None, tuple[Change, ...]]:
    return course, section, lesson, message, changes


FUTURE = {"dripped_at": NOW + timedelta(days=1)}
CASES = {
    "self-paced": case(1, 1, 1, None),
    "private": case(4, 10, 19, None),
    "secret": case(7, 16, 28, None),
    "draft": case(1, 2, 6, DRAFT),
    "draft quiz": case(1, 2, 5, DRAFT, ("lessons", 5, {"status": "draft"})),
    "self-paced ignores dates": case(1, 1, 1, None, ("sections", 1, {**FUTURE, "drip_delay": 36500})),
    "scheduled past": case(3, 7, 14, None),
    "scheduled future": case(3, 8, 16, opens(14)),
    "scheduled now": case(3, 8, 16, None, ("sections", 8, {"dripped_at": NOW})),
    "scheduled soon": case(3, 8, 16, opens(1), ("sections", 8, FUTURE)),
    "scheduled null": case(3, 9, 18, None),
    "scheduled draft": case(3, 7, 14, DRAFT, ("lessons", 14, {"status": "draft"})),
    "scheduled ignores delays": case(3, 7, 14, None, ("sections", 7, {"drip_delay": 36500})),
    "structured at once": case(2, 4, 9, None),
    "structured after": case(2, 5, 11, None),
    "structured before": case(2, 6, 13, opens(20)),
    "structured just now": case(2, 6, 13, None, ("sections", 6, {"drip_delay": 10})),
    "structured tomorrow": case(2, 6, 13, opens(1), ("sections", 6, {"drip_delay": 11})),
    "structured ignores dates": case(2, 5, 11, None, ("sections", 5, FUTURE)),
    "order done": case(14, 25, 42, None),
    "order next": case(14, 26, 43, None),
    "order later": case(14, 26, 44, ORDER),
    "order last": case(14, 26, 45, ORDER),
    "order draft": case(14, 26, 43, DRAFT, ("lessons", 43, {"status": "draft"})),
    "order skips drafts": case(14, 26, 44, None, ("lessons", 43, {"status": "draft"})),
    "order of sections": case(14, 25, 40, ORDER, ("courses", 14, {"sections_order": [26, 25]})),
    "order of lessons": case(14, 26, 45, None, ("sections", 26, {"lessons_order": [45, 43, 44]})),
    "order and date": case(3, 9, 18, ORDER, ("courses", 3, {"enforce_lessons_order": True})),
    "no order": case(14, 26, 45, None, ("courses", 14, {"enforce_lessons_order": False})),
}
"""What a member (of course 2 for ten days, with three of six steps of course 14 done) is told; None: it is open."""


@pytest.mark.parametrize(("course", "section", "lesson", "message", "changes"), CASES.values(), ids=CASES)
@pytest.mark.parametrize("name", FOR_STUDENTS)
def test_get_course_lesson_follows_the_access_rules(
    api: Api, name: str, course: int, section: int, lesson: int, message: str | None, changes: tuple[Change, ...]
) -> None:
    """R311, R312, R313, R314, R315, R316: drafts, dates, delays and order keep members out, but never managers."""
    for table, number, fields in changes:
        stored(api, table, number, **fields)
    method, template, _, status = FOR_STUDENTS[name]
    path = template.format(course, section, lesson)
    before = snapshot(api.world)
    response = api.as_("member").request(method, path)
    if message is None:
        assert response.status_code == status, response.text
    else:
        forbidden(response, message)
        assert snapshot(api.world) == before
    hidden = api.world.courses[course]["privacy"] == "secret"
    for caller in ("invited", "requested", "stranger", "staff"):
        response = api.as_(caller).request(method, path)
        if hidden and caller != "invited":
            assert refused(response, 404) == {"": "not_found"}
        else:
            forbidden(response, MEMBERS_ONLY)
    assert refused(api.request(method, path), 401) == {"": "not_authenticated"}
    for caller in ("creator", "manager"):
        assert api.as_(caller).request(method, path).status_code == status


@pytest.mark.parametrize(
    ("course", "section", "lesson", "wait"), [(3, 8, 16, timedelta(days=14)), (2, 6, 13, timedelta(days=20))]
)
def test_get_course_lesson_opens_in_time(api: Api, course: int, section: int, lesson: int, wait: timedelta) -> None:
    """R313, R314, R317: scheduled and structured sections open at the exact moment, for all three operations."""
    tick, path = timedelta(microseconds=1), LESSON.format(course, section, lesson)

    def locks() -> tuple[Any, Any]:
        sections = {row["id"]: row for row in ok(api.as_("member").get(f"/course/{course}/"))["sections"]}
        lessons = {row["id"]: row for row in sections[section]["lessons"]}
        return sections[section]["locked"], lessons[lesson]["locked"]

    for step in (timedelta(), timedelta(days=1), wait - timedelta(days=1) - tick):
        api.world.clock.advance(step)
        for name, (method, template, _, _) in FOR_STUDENTS.items():
            response = api.as_("member").request(method, template.format(course, section, lesson))
            assert response.status_code == 403, name
        assert locks() == (True, True)
    api.world.clock.advance(tick)
    assert ok(api.as_("member").get(path))["id"] == lesson
    done(api.as_("member").post(f"{path}complete/"))
    done(api.as_("member").post(f"{path}incomplete/"))
    assert locks() == (False, False)


def test_get_course_lesson_counts_delays_from_joining(api: Api) -> None:
    """R314, R316: the days of a structured course count from each member's own joined_at; managers need not wait."""
    path = LESSON.format(2, 5, 11)
    forbidden(api.as_("stranger").get(path), MEMBERS_ONLY)
    ok(api.as_("stranger").post("/course/2/join/"))
    forbidden(api.as_("stranger").get(path), opens(7))
    assert ok(api.as_("member").get(path))["id"] == 11
    for days, message in ((-7, None), (-6.5, opens(0.5)), (-100, None)):
        be(api, 2, "joined", days)
        if message:
            forbidden(api.as_("stranger").get(path), message)
        else:
            assert ok(api.as_("stranger").get(path))["id"] == 11
    be(api, 2, "joined")
    forbidden(api.as_("stranger").get(path), opens(7))
    assert api.as_("creator").post("/course/2/role/", json={"managers": [STRANGER]}).status_code == 204
    assert ok(api.as_("stranger").get(path))["id"] == 11


@pytest.mark.parametrize("status", [None, "requested", "invited", "joined", "manager"])
@pytest.mark.parametrize("name", FOR_STUDENTS)
def test_get_course_lesson_goes_by_status(api: Api, name: str, status: str | None) -> None:
    """R311, R316: joined opens published lessons, manager opens drafts too, any lesser status opens nothing."""
    be(api, 1, status)
    method, template, _, success = FOR_STUDENTS[name]
    for section, lesson, message in ((1, 1, None), (2, 6, DRAFT)):
        response = api.as_("stranger").request(method, template.format(1, section, lesson))
        if status == "manager" or (status == "joined" and message is None):
            assert response.status_code == success, response.text
        else:
            forbidden(response, message if message and status == "joined" else MEMBERS_ONLY)


def test_get_course_lesson_enforces_the_order(api: Api) -> None:
    """R315, R318, R319, R322: each step opens the next; a failed quiz opens nothing, undoing a step locks again."""
    member, quiz, last = api.as_("member"), LESSON.format(14, 26, 44), LESSON.format(14, 26, 45)
    forbidden(member.get(quiz), ORDER)
    done(member.post(LESSON.format(14, 26, 43) + "complete/"))
    assert ok(member.get(quiz))["completion_status"] == "uncompleted"
    forbidden(member.get(last), ORDER)
    attempt(member, {13: [38], 14: [43], 15: [46]}, quiz)
    assert ok(member.get(quiz))["completion_status"] == "failed"
    forbidden(member.get(last), ORDER)
    forbidden(member.post(f"{last}complete/"), ORDER)
    attempt(member, {13: [39], 14: [41, 42, 44], 15: [45]}, quiz)
    assert ok(member.get(last))["id"] == 45
    done(member.post(f"{quiz}incomplete/"))
    forbidden(member.get(last), ORDER)
    done(member.post(f"{quiz}complete/"))
    done(member.post(f"{last}complete/"))
    assert ok(member.get("/course/14/"))["user_completion_rate"] == 100
    done(member.post(LESSON.format(14, 25, 40) + "incomplete/"))
    for section, lesson in ((25, 41), (25, 42), (26, 43), (26, 44), (26, 45)):
        forbidden(member.get(LESSON.format(14, section, lesson)), ORDER)
    assert ok(member.get(LESSON.format(14, 25, 40)))["id"] == 40


@pytest.mark.parametrize("caller", ["member", "manager", "creator", "invited", "stranger"])
@pytest.mark.parametrize("course", [1, 2, 3, 14])
def test_get_course_lesson_agrees_with_the_locks(api: Api, course: int, caller: str) -> None:
    """R311, R313, R314, R315, R316, R317: a lesson shown as locked is refused, any other can be read."""
    found = {}
    for section in ok(api.as_(caller).get(f"/course/{course}/?view=user"))["sections"]:
        for lesson in section["lessons"]:
            path = LESSON.format(course, section["id"], lesson["id"])
            assert api.as_(caller).get(path).status_code == (403 if lesson["locked"] else 200), lesson
            found[lesson["id"]] = lesson["locked"]
        if caller in ("manager", "creator"):
            assert not section["locked"]
    locked = {1: [], 2: [13], 3: [16, 17], 14: [44, 45]}[course]
    if caller in ("invited", "stranger"):
        locked = list(found)
    elif caller != "member":
        locked = []
    assert [number for number, lock in found.items() if lock] == locked
    assert list(found) == {1: [1, 2, 3, 4, 5], 2: [9, 10, 11, 12, 13], 3: [14, 15, 16, 17, 18]}.get(
        course, [40, 41, 42, 43, 44, 45]
    )


def test_get_course_lesson_tells_outsiders_no_date_of_their_own(api: Api) -> None:
    """R317: for outsiders a structured course has no dates and no locked sections, but every lesson is locked."""
    for caller in ("stranger", "invited", None):
        for section in ok(api.as_(caller).get("/course/2/"))["sections"]:
            assert (section["available_date"], section["locked"]) == (None, False)
            assert all(lesson["locked"] for lesson in section["lessons"])
    sections = ok(api.as_("stranger").get("/course/3/"))["sections"]
    assert [(row["available_date"], row["locked"]) for row in sections] == [
        (iso(-7), False),
        (iso(14), True),
        (None, False),
    ]
    sections = ok(api.as_("member").get("/course/2/"))["sections"]
    assert [(row["available_date"], row["locked"]) for row in sections] == [
        (iso(-10), False),
        (iso(-3), False),
        (iso(20), True),
    ]


# Completion


def progress(api: Api, course: int, user: int) -> tuple[Any, Any]:
    """Completion rate and time of the last activity, from the dashboard."""
    path = f"/course/{course}/users/?statuses=creator,manager,joined&limit=100"
    rows = {row["id"]: row for row in ok(api.as_("creator").get(path))["results"]}
    return rows[user]["user_completion_rate"], rows[user]["last_active_at"]


@pytest.mark.parametrize(
    "options",
    [{}, {"content": b"", "headers": {"Content-Type": "application/json"}}, {"headers": FORM}, {"json": {"x": 1}}],
)
def test_complete_course_lesson_needs_no_body(api: Api, options: dict[str, Any]) -> None:
    """R010, R023: an empty body succeeds, with and without a content type; the answer is empty, too."""
    path = LESSON.format(1, 1, 3)
    for action, status in (("complete", "completed"), ("incomplete", "uncompleted")):
        done(api.as_("member").post(f"{path}{action}/", **options))
        assert ok(api.as_("member").get(path))["completion_status"] == status


def test_complete_course_lesson_may_be_repeated(api: Api) -> None:
    """R318, R321, R608: it is completed for the caller alone; each call moves the time of the last activity."""
    path, before = LESSON.format(1, 1, 3), snapshot(api.world)
    assert progress(api, 1, 3) == (40, iso(-2))
    for days in (0, 1, 2):
        api.world.clock.advance(timedelta(days=min(days, 1)))
        done(api.as_("member").post(f"{path}complete/"))
        assert ok(api.as_("member").get(path))["completion_status"] == "completed"
        assert progress(api, 1, 3) == (60, iso(days))
    after = snapshot(api.world)
    assert [row for row in after["completions"] if row not in before["completions"]] == [
        {"user_id": 3, "lesson_id": 3, "status": "completed", "at": NOW + timedelta(days=2)}
    ]
    assert [row for row in before["completions"] if row not in after["completions"]] == []
    changed = [row for row in after["memberships"] if row not in before["memberships"]]
    assert [(row["course_id"], row["user_id"], row["status"]) for row in changed] == [(1, 3, "joined")]
    for caller in ("creator", "manager"):
        assert ok(api.as_(caller).get(path))["completion_status"] == "uncompleted"


def test_incomplete_course_lesson_may_be_repeated(api: Api) -> None:
    """R319, R321: it becomes uncompleted again, for the caller alone; without a completion nothing changes."""
    path = LESSON.format(1, 1, 2)
    before = snapshot(api.world)["completions"]
    for _ in range(3):
        done(api.as_("member").post(f"{path}incomplete/"))
        assert ok(api.as_("member").get(path))["completion_status"] == "uncompleted"
        left = [row for row in before if (row["user_id"], row["lesson_id"]) != (3, 2)]
        assert snapshot(api.world)["completions"] == left
    assert progress(api, 1, 3)[0] == 20
    done(api.as_("member").post(f"{path}complete/"))
    assert progress(api, 1, 3) == (40, iso())


def test_complete_course_lesson_changes_the_rates(api: Api) -> None:
    """R131, R132, R318, R319: a rate counts published lessons; the average covers managers and members."""

    def rates() -> tuple[Any, Any, Any]:
        course = ok(api.as_("member").get("/course/4/"))
        average = ok(api.as_("creator").get("/course/4/?view=dashboard"))["avg_completion_rate"]
        return course["user_completion_rate"], course["num_lessons_completed"], average

    # Course 4 has the manager with 0, the member, and user 8 with 0; three of its lessons are published.
    assert rates() == (100, 3, 33)
    for lesson, section, action, expected in (
        (21, 11, "incomplete", (67, 2, 22)),
        (20, 10, "incomplete", (33, 1, 11)),
        (19, 10, "incomplete", (0, 0, 0)),
        (19, 10, "complete", (33, 1, 11)),
        (19, 10, "complete", (33, 1, 11)),
        (21, 11, "complete", (67, 2, 22)),
    ):
        done(api.as_("member").post(LESSON.format(4, section, lesson) + f"{action}/"))
        assert rates() == expected
    done(api.as_("manager").post(LESSON.format(4, 10, 19) + "complete/"))
    assert rates() == (67, 2, 33)
    done(api.as_("creator").post(LESSON.format(4, 10, 19) + "complete/"))
    assert rates() == (67, 2, 33)
    ok(api.as_("creator").patch(LESSON.format(4, 11, 22), json={"status": "published"}))
    assert rates() == (50, 2, 25)
    ok(api.as_("creator").patch(LESSON.format(4, 10, 19), json={"status": "draft"}))
    assert rates() == (33, 1, 11)


@pytest.mark.parametrize(("caller", "user"), [("manager", 2), ("creator", 1)])
def test_complete_course_lesson_counts_for_managers(api: Api, caller: str, user: int) -> None:
    """R316, R320, R321: creator and managers have their own progress; a draft may be completed but does not count."""
    for section, lesson, rate in ((2, 4, 20), (1, 1, 40), (2, 6, 40)):
        path = LESSON.format(1, section, lesson)
        done(api.as_(caller).post(f"{path}complete/"))
        assert ok(api.as_(caller).get(path))["completion_status"] == "completed"
        assert ok(api.as_(caller).get("/course/1/"))["user_completion_rate"] == rate
        assert progress(api, 1, user) == (rate, iso())
    assert ok(api.as_("member").get(LESSON.format(1, 2, 4)))["completion_status"] == "uncompleted"
    done(api.as_(caller).post(LESSON.format(1, 2, 4) + "incomplete/"))
    assert ok(api.as_(caller).get("/course/1/"))["user_completion_rate"] == 20


def test_complete_course_lesson_marks_a_quiz_by_hand(api: Api) -> None:
    """R319, R321, R322: a quiz, failed or untried, may be marked complete by hand, and unmarked again."""
    for selected, before in ((None, "uncompleted"), (WRONG, "failed")):
        if selected:
            attempt(api.as_("member"), selected)
        assert ok(api.as_("member").get(QUIZ))["completion_status"] == before
        for action, status in (("complete", "completed"), ("incomplete", "uncompleted")):
            done(api.as_("member").post(f"{QUIZ}{action}/"))
            assert ok(api.as_("member").get(QUIZ))["completion_status"] == status
    attempt(api.as_("member"), WRONG)
    done(api.as_("member").post(f"{QUIZ}incomplete/"))
    assert ok(api.as_("member").get(QUIZ))["completion_status"] == "uncompleted"


def test_get_course_lesson_shows_failed_for_quizzes_only(api: Api) -> None:
    """R321: a failed quiz that became a plain lesson is neither completed nor failed."""
    attempt(api.as_("member"), WRONG)
    assert ok(api.as_("member").get(QUIZ))["completion_status"] == "failed"
    ok(api.as_("creator").patch(QUIZ, json={"type": "lesson"}))
    assert ok(api.as_("member").get(QUIZ))["completion_status"] == "uncompleted"
    lessons = ok(api.as_("member").get("/course/1/"))["sections"][1]["lessons"]
    assert [row["completion_status"] for row in lessons] == ["uncompleted", "uncompleted"]
