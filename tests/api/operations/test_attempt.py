"""Attempts at a quiz: making and grading them, reading the results, and the dashboard of all attempts."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from stubserver.worlds.snapshot import TABLES
from tests.support.answers import ids, ok, refused
from tests.support.client import Api
from tests.support.default import AVATARS, NOW, QUIZ, RIGHT, WRONG, iso
from tests.support.forms import FORM
from tests.support.rows import snapshot

ATTEMPTS = f"{QUIZ}attempt/"
DASHBOARD = "/course/1/quiz/"
OPTIONS = {1: [1, 2, 3], 2: [4, 5, 6, 7], 3: [8, 9, 10], 4: [11, 12, 13]}
DILYS = {
    "id": 3,
    "username": "dilys_pruett",
    "real_name": "Dilys Pruett",
    "avatar": AVATARS[3],
    "community_badge": False,
    "deleted": False,
}


def responses(selected: dict[int, list[int]]) -> dict[str, Any]:
    return {"responses": [{"question_id": n, "selected_options": options} for n, options in selected.items()]}


def answered(*right: int) -> dict[str, Any]:
    """Responses to QUIZ with these questions right and the others wrong."""
    return responses({n: RIGHT[n] if n in right else WRONG[n] for n in RIGHT})


def make(api: Api, *right: int, persona: str = "member") -> Any:
    return ok(api.as_(persona).post(ATTEMPTS, json=answered(*right)))


def completion(api: Api, user: int = 3, lesson: int = 5) -> tuple[str, Any] | None:
    row = api.world.completions.get((user, lesson))
    return (row["status"], row["at"]) if row else None


def active(api: Api, user: int = 3, course: int = 1) -> Any:
    return api.world.memberships[course, user]["last_active_at"]


def quiz_of(api: Api, right: int, total: int, passing_grade: int) -> dict[str, Any]:
    """Fill the empty quiz of course 15 with two-option single-choice questions, and get `right` of them right."""
    creator, path = api.as_("creator"), "/course/15/section/27/lesson/49/"
    ok(creator.patch(path, json={"passing_grade": passing_grade}))
    chosen = {}
    for n in range(total):
        body = {"type": "single_choice", "text": f"{n}?", "answers": [{"text": "Y", "correct": True}, {"text": "N"}]}
        question = ok(creator.post(f"{path}question/", json=body), 201)
        chosen[question["id"]] = [question["answers"][0 if n < right else 1]["id"]]
    made: dict[str, Any] = ok(creator.post(f"{path}attempt/", json=responses(chosen)))["quiz_attempt"]
    return made


# Being graded


@pytest.mark.parametrize(("persona", "manages"), [("member", False), ("manager", True), ("creator", True)])
def test_make_course_attempt_answers_the_marked_quiz(api: Api, persona: str, manages: bool) -> None:
    """R405, R409, R410, R412, R415, R416, R418: 200 with a copy of the quiz; only managers see the correct answers."""
    questions = ok(api.as_("manager").get(f"{QUIZ}question/"))
    found = ok(api.as_(persona).post(ATTEMPTS, json=responses({**RIGHT, 2: [4], 4: [11, 12, 13]})))
    assert {name: value for name, value in found.items() if name not in ("user", "quiz_attempt")} == {
        "id": 7,
        "created_at": iso(),
        "lesson_id": 5,
    }
    chosen = {1, 4, 8, 11, 12, 13}
    for question in questions:
        question["correct"] = question["id"] in (1, 3)
        for answer in question["answers"]:
            answer["selected"] = answer["id"] in chosen
            if not manages:
                del answer["correct"]
    assert found["quiz_attempt"] == {
        "grade": 50,
        "result": "failed",
        "questions": questions,
        "num_attempts": 1,
        "passing_grade": 60,
        "correct_responses": 2,
    }
    assert ok(api.as_(persona).get(f"{ATTEMPTS}7/")) == found
    assert ok(api.as_(persona).get(QUIZ))["last_attempt"] == found
    if persona == "member":
        assert found["user"] == DILYS


@pytest.mark.parametrize(
    ("change", "correct"),
    [
        ({}, 4),
        ({2: [6, 4]}, 4),
        ({2: [4]}, 3),
        ({2: [4, 5, 6]}, 3),
        ({2: [4, 5, 6, 7]}, 3),
        ({2: [5, 7]}, 3),
        ({1: [2]}, 3),
        ({1: [3], 4: [13]}, 2),
    ],
)
def test_make_course_attempt_wants_exactly_the_right_options(
    api: Api, change: dict[int, list[int]], correct: int
) -> None:
    """R409: an answer is right only if it selects every correct option and no other, in any order."""
    marked = ok(api.as_("member").post(ATTEMPTS, json=responses({**RIGHT, **change})))["quiz_attempt"]
    assert (marked["correct_responses"], marked["grade"]) == (correct, correct * 25)
    assert [row["id"] for row in marked["questions"] if not row["correct"]] == [
        n for n in change if sorted(change[n]) != RIGHT[n]
    ]


@pytest.mark.parametrize(
    ("right", "total", "passing_grade", "grade", "result"),
    [
        (1, 3, 33, 33, "completed"),
        (1, 3, 34, 33, "failed"),
        (2, 3, 67, 67, "completed"),
        (2, 3, 68, 67, "failed"),
        (1, 8, 13, 13, "completed"),
        (1, 8, 14, 13, "failed"),
        (0, 2, 0, 0, "completed"),
        (0, 2, 1, 0, "failed"),
        (2, 2, 100, 100, "completed"),
        (1, 2, 100, 50, "failed"),
    ],
)
def test_make_course_attempt_rounds_and_passes(
    api: Api, right: int, total: int, passing_grade: int, grade: int, result: str
) -> None:
    """R409, R410, R415: the grade is rounded half up, and a grade equal to the passing grade passes."""
    marked = quiz_of(api, right, total, passing_grade)
    expected = {"grade": grade, "result": result, "passing_grade": passing_grade, "correct_responses": right}
    assert {name: marked[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("value", "code"), [(101, "max_value"), (-1, "min_value"), ("x", "invalid"), (0, None), (100, None)]
)
def test_patch_course_lesson_bounds_the_passing_grade(api: Api, value: Any, code: str | None) -> None:
    """R415: a percentage, 60 by default."""
    creator = api.as_("creator")
    response = creator.patch(QUIZ, json={"passing_grade": value})
    if code:
        assert refused(response, 400) == {"passing_grade": code}
    else:
        assert make(api, 1)["quiz_attempt"]["passing_grade"] == ok(response)["passing_grade"] == value
    new = ok(creator.post("/course/1/section/2/lesson/", json={"name": "Another", "type": "quiz"}), 201)
    assert new["passing_grade"] == 60


# Refusals


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ([(1, [1]), (2, [4, 6]), (3, [8])], "invalid"),
        ([], "invalid"),
        ([(1, [1]), (2, [4, 6]), (3, [8]), (4, [11, 12]), (1, [1])], "invalid"),
        ([(1, [1]), (2, [4, 6]), (3, [8]), (3, [8])], "invalid"),
        ([(1, [1]), (2, [4, 6]), (3, [8]), (4, [11, 12]), (5, [15])], "does_not_exist"),
        ([(1, [1]), (2, [4, 6]), (3, [8]), (4, [11, 12]), (99, [1])], "does_not_exist"),
        ([(1, [99]), (2, [4, 6]), (3, [8]), (4, [11, 12])], "does_not_exist"),
        ([(1, [4]), (2, [4, 6]), (3, [8]), (4, [11, 12])], "does_not_exist"),
        ([(1, [1]), (2, [4, 6, 8]), (3, [8]), (4, [11, 12])], "does_not_exist"),
        ([(1, [1, 2]), (2, [4, 6]), (3, [8]), (4, [11, 12])], "invalid"),
        ([(1, []), (2, [4, 6]), (3, [8]), (4, [11, 12])], "empty"),
        ([(1, None), (2, [4, 6]), (3, [8]), (4, [11, 12])], "null"),
        ([(1, 1), (2, [4, 6]), (3, [8]), (4, [11, 12])], "not_a_list"),
        ([(1, ["x"]), (2, [4, 6]), (3, [8]), (4, [11, 12])], "invalid"),
        ([(1, [0]), (2, [4, 6]), (3, [8]), (4, [11, 12])], "min_value"),
    ],
    ids=[
        "missing",
        "none",
        "doubled",
        "missing-and-doubled",
        "question-of-another-quiz",
        "unknown-question",
        "unknown-option",
        "option-of-another-question",
        "one-option-of-another-question",
        "two-options-for-single-choice",
        "no-option",
        "null",
        "no-list",
        "no-integer",
        "zero",
    ],
)
@pytest.mark.parametrize("persona", ["member", "creator"])
def test_make_course_attempt_refuses_wrong_responses(api: Api, persona: str, sent: list[Any], code: str) -> None:
    """R407, R408: every question once, with its own options; nothing is stored, and no attempt is counted."""
    before = snapshot(api.world)
    body = {"responses": [{"question_id": n, "selected_options": options} for n, options in sent]}
    assert refused(api.as_(persona).post(ATTEMPTS, json=body), 400) == {"responses": code}
    assert snapshot(api.world) == before
    assert make(api, 1)["quiz_attempt"]["num_attempts"] == 1


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, {"responses": "required"}),
        ({"responses": None}, {"responses": "null"}),
        ({"responses": "x"}, {"responses": "not_a_list"}),
        ({"responses": [1]}, {"responses": "invalid"}),
        ({"responses": [{"selected_options": [1]}]}, {"responses": "required"}),
        ({"responses": [{"question_id": 1}]}, {"responses": "required"}),
    ],
)
def test_make_course_attempt_refuses_other_bodies(api: Api, body: Any, expected: dict[str, str]) -> None:
    """R017, R407: each error is reported on the field that caused it."""
    before = snapshot(api.world)
    assert refused(api.as_("member").post(ATTEMPTS, json=body), 400) == expected
    assert snapshot(api.world) == before


@pytest.mark.parametrize("sent", [{}, {1: [1]}])
def test_make_course_attempt_refuses_an_empty_quiz(api: Api, sent: dict[int, list[int]]) -> None:
    """R419: a quiz without questions cannot be attempted, let alone passed by answering nothing."""
    before = snapshot(api.world)
    response = api.as_("creator").post("/course/15/section/27/lesson/49/attempt/", json=responses(sent))
    assert set(refused(response, 400)) == {"responses"}
    assert "invalid" in [message["code"] for message in response.json()["errors"][0]["messages"]]
    assert snapshot(api.world) == before


@pytest.mark.parametrize(
    "fields",
    [[], [("responses", "[]")], [("responses[0][question_id]", "1"), ("responses[0][selected_options][0]", "1")]],
    ids=["none", "text", "nested"],
)
@pytest.mark.parametrize("media", ["urlencoded", "multipart"])
def test_make_course_attempt_refuses_responses_in_forms(api: Api, media: str, fields: list[tuple[str, str]]) -> None:
    """R012: a form cannot hold responses, and a 400 on that very field says so; nothing is stored."""
    before = snapshot(api.world)
    if media == "urlencoded":
        options: dict[str, Any] = {"content": urlencode([("x", "1"), *fields]), "headers": FORM}
    else:
        options = {"files": [(name, (None, text)) for name, text in [("x", "1"), *fields]]}
    found = refused(api.as_("member").post(ATTEMPTS, **options), 400)
    assert set(found) == {"responses"}
    assert found["responses"] in ("required", "invalid")
    assert snapshot(api.world) == before


@pytest.mark.parametrize(
    ("path", "persona", "status"),
    [
        ("/course/1/section/2/lesson/5/", "invited", 403),
        ("/course/1/section/2/lesson/5/", "stranger", 403),
        ("/course/1/section/2/lesson/5/", None, 401),
        ("/course/14/section/26/lesson/44/", "member", 403),
        ("/course/10/section/21/lesson/48/", "member", 404),
        ("/course/1/section/1/lesson/5/", "member", 404),
        ("/course/1/section/2/lesson/21/", "member", 404),
    ],
)
def test_make_course_attempt_needs_an_open_lesson(api: Api, path: str, persona: str | None, status: int) -> None:
    """R006, R311, R315: only members for whom the quiz is open may attempt it; for others the body is not even read."""
    before = snapshot(api.world)
    code = {401: "not_authenticated", 403: "permission_denied", 404: "not_found"}[status]
    assert refused(api.as_(persona).post(f"{path}attempt/", json={}), status) == {"": code}
    assert snapshot(api.world) == before


# What an attempt leaves behind


def test_make_course_attempt_counts_per_user_and_quiz(api: Api) -> None:
    """R412, R414: num_attempts counts the caller's own attempts at this quiz; last_attempt is the caller's newest."""
    assert ok(api.as_("member").get(QUIZ))["last_attempt"] is None
    assert [make(api, 1)["quiz_attempt"]["num_attempts"] for _ in range(3)] == [1, 2, 3]
    assert make(api, 1, persona="manager")["quiz_attempt"]["num_attempts"] == 1
    other = "/course/4/section/11/lesson/21/"
    body = responses({5: [15], 6: [17, 18], 7: [20]})
    second = ok(api.as_("member").post(f"{other}attempt/", json=body))
    assert (second["id"], second["quiz_attempt"]["num_attempts"]) == (11, 2)
    last = ok(api.as_("member").get(QUIZ))["last_attempt"]
    assert (last["id"], last["quiz_attempt"]["num_attempts"]) == (9, 3)
    assert ok(api.as_("member").get(other))["last_attempt"] == second
    assert ok(api.as_("creator").get(QUIZ))["last_attempt"] is None
    assert ok(api.as_("manager").get(QUIZ))["last_attempt"]["id"] == 10
    assert ok(api.as_("member").get(f"{ATTEMPTS}7/"))["quiz_attempt"]["num_attempts"] == 1


@pytest.mark.parametrize(
    ("story", "expected", "moments"),
    [
        ([1], "failed", (0, None)),
        ([3], "completed", (0, 0)),
        ([1, 3], "completed", (1, 1)),
        ([3, 1], "completed", (0, 0)),
        ([3, 1, 3], "completed", (2, 2)),
        ([1, 2], "failed", (1, None)),
    ],
)
def test_make_course_attempt_sets_the_completion(
    api: Api, story: list[int], expected: str, moments: tuple[int, int | None]
) -> None:
    """R411, R608: failed or completed, but a pass is never lost; passing moves last_active_at, failing does not."""
    before = active(api)
    for correct in story:
        result = make(api, *range(1, correct + 1))["quiz_attempt"]["result"]
        assert result == ("completed" if correct == 3 else "failed")
        api.world.clock.advance(timedelta(hours=1))
    at, moved = moments
    assert completion(api) == (expected, NOW + timedelta(hours=at))
    assert active(api) == (before if moved is None else NOW + timedelta(hours=moved))
    assert ok(api.as_("member").get(QUIZ))["completion_status"] == expected
    assert [row["status"] for row in api.world.completions.where("lesson_id", 5)].count("failed") == 1 + (
        expected == "failed"
    )


def test_make_course_attempt_leaves_others_alone(api: Api) -> None:
    """R407, R411: an attempt adds one row and one completion, and touches only the caller's membership."""
    before = snapshot(api.world)
    made = make(api, 1, 2, 3, 4)
    after = snapshot(api.world)
    assert [row["id"] for row in after["attempts"]] == [row["id"] for row in before["attempts"]] + [made["id"]]
    assert [row for row in after["completions"] if (row["user_id"], row["lesson_id"]) != (3, 5)] == before[
        "completions"
    ]
    changed = [row for row in after["memberships"] if row not in before["memberships"]]
    assert [(row["course_id"], row["user_id"]) for row in changed] == [(1, 3)]
    for table in set(TABLES) - {"attempts", "completions", "memberships"}:
        assert after[table] == before[table]


def test_make_course_attempt_again_after_taking_completion_back(api: Api) -> None:
    """R319, R411: a pass that was taken back protects no longer, so a later failure counts."""
    make(api, 1, 2, 3)
    assert api.as_("member").post(f"{QUIZ}incomplete/").status_code == 204
    make(api, 1)
    assert completion(api) == ("failed", NOW)


@pytest.mark.parametrize("persona", ["member", "manager"])
@pytest.mark.parametrize(
    ("method", "rest", "body"),
    [
        ("PATCH", "question/1/", {"text": "Changed", "answers": [{"text": "New", "correct": True}]}),
        ("PUT", "question/2/", {"type": "single_choice", "text": "?", "answers": [{"text": "New", "correct": True}]}),
        ("DELETE", "question/3/", None),
        (
            "POST",
            "question/",
            {"type": "multi_choice", "text": "More", "answers": [{"text": "New", "correct": True}]},
        ),
        ("PATCH", "", {"questions_order": [4, 3]}),
        ("PATCH", "", {"passing_grade": 10}),
    ],
)
def test_get_course_attempt_keeps_the_copy(api: Api, persona: str, method: str, rest: str, body: Any) -> None:
    """R413, R415: later changes to questions, their order or the passing grade leave earlier attempts unchanged."""
    made = make(api, 1, 3, persona=persona)
    row = ok(api.as_("creator").get(DASHBOARD))["results"][0]
    options = {} if body is None else {"json": body}
    assert api.as_("creator").request(method, f"{QUIZ}{rest}", **options).is_success
    assert ok(api.as_(persona).get(f"{ATTEMPTS}{made['id']}/")) == made
    assert ok(api.as_(persona).get(QUIZ))["last_attempt"] == made
    assert ok(api.as_("creator").get(DASHBOARD))["results"][0] == row


# Reading


@pytest.mark.parametrize("manages", [True, False])
def test_get_course_attempt_shows_a_stored_one(api: Api, manages: bool) -> None:
    """R405, R409, R413, R417, R418: the attempt in full, but its owner does not learn which answers are correct."""
    found = ok(api.as_("manager" if manages else "member").get("/course/4/section/11/lesson/21/attempt/5/"))
    right = {15, 17, 18, 20} if manages else set()
    rest = dict(found)
    questions = rest["quiz_attempt"].pop("questions")
    assert rest == {
        "id": 5,
        "created_at": "2026-02-07T11:19:34.127690+00:00",
        "lesson_id": 21,
        "user": DILYS,
        "quiz_attempt": {
            "grade": 67,
            "result": "completed",
            "num_attempts": 1,
            "passing_grade": 60,
            "correct_responses": 2,
        },
    }
    assert [(row["id"], row["correct"]) for row in questions] == [(5, True), (6, True), (7, False)]
    every = [answer for row in questions for answer in row["answers"]]
    assert {answer["id"] for answer in every if answer["selected"]} == {15, 17, 18, 21}
    assert {answer["id"] for answer in every if answer.get("correct")} == right
    assert all(("correct" in answer) is manages for answer in every)


@pytest.mark.parametrize(
    ("persona", "status"),
    [
        ("member", 200),
        ("manager", 200),
        ("creator", 200),
        ("invited", 403),
        ("stranger", 403),
        ("staff", 403),
        (None, 401),
    ],
)
def test_get_course_attempt_is_for_owner_and_managers(api: Api, persona: str | None, status: int) -> None:
    """R417: no one else reads an attempt, not even another member."""
    made = make(api, 1)
    response = api.as_(persona).get(f"{ATTEMPTS}{made['id']}/")
    if status == 200:
        assert ok(response)["user"] == DILYS
    else:
        code = "permission_denied" if status == 403 else "not_authenticated"
        assert refused(response, status) == {"": code}
    for other in (1, 2, 4):
        assert refused(api.as_("member").get(f"{ATTEMPTS}{other}/"), 403) == {"": "permission_denied"}


@pytest.mark.parametrize(
    "path",
    [
        "/course/1/section/2/lesson/5/attempt/3/",
        "/course/1/section/2/lesson/5/attempt/99/",
        "/course/1/section/1/lesson/5/attempt/1/",
        "/course/7/section/2/lesson/5/attempt/1/",
        "/course/7/section/16/lesson/29/attempt/1/",
        "/course/7/section/16/lesson/28/attempt/3/",
    ],
)
def test_get_course_attempt_follows_the_path(api: Api, path: str) -> None:
    """R006, R401: the attempt must belong to the quiz, the quiz to the section, the section to the course."""
    for persona in ("creator", "member"):
        assert refused(api.as_(persona).get(path), 404) == {"": "not_found"}


@pytest.mark.parametrize("correct", [1, 4])
def test_get_course_lesson_never_shows_selected_outside_attempts(api: Api, correct: int) -> None:
    """R414, R418: `selected` and a question's `correct` appear only in last_attempt."""
    make(api, *range(1, correct + 1), persona="manager")
    lesson = ok(api.as_("manager").get(QUIZ))
    assert all(set(row) == {"id", "type", "image", "text", "answers"} for row in lesson["questions"])
    assert all(set(answer) == {"id", "text", "correct"} for row in lesson["questions"] for answer in row["answers"])
    copies = lesson["last_attempt"]["quiz_attempt"]["questions"]
    assert [row["correct"] for row in copies] == [n <= correct for n in range(1, 5)]
    assert all(set(answer) == {"id", "text", "correct", "selected"} for row in copies for answer in row["answers"])


# The dashboard


def test_list_course_quiz_attempts_shows_rows(api: Api) -> None:
    """R609: one row per attempt, newest first; the id is that of the attempt, the name that of the quiz."""
    page = ok(api.as_("manager").get(DASHBOARD))
    assert (page["count"], page["next"], page["previous"]) == (3, None, None)
    assert page["results"][1] == {
        "id": 2,
        "course_id": 1,
        "section_id": 2,
        "lesson_id": 5,
        "name": "Quiz: mixing colours",
        "created_at": "2025-12-02T08:10:27.915304+00:00",
        "grade": 75,
        "result": "completed",
        "user": {**DILYS, "id": 9, "username": "yara-winsloe", "real_name": "Yara Winsloe", "avatar": AVATARS[9]},
    }
    assert [(row["id"], row["grade"], row["result"]) for row in page["results"]] == [
        (4, 25, "failed"),
        (2, 75, "completed"),
        (1, 50, "failed"),
    ]
    made = [make(api, 1)["id"], make(api, 1, 2, 3)["id"]]
    api.world.clock.advance(timedelta(seconds=1))
    made.append(make(api, 1, persona="manager")["id"])
    assert ids(api.as_("creator").get(DASHBOARD)) == [*reversed(made), 4, 2, 1]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [8, 7, 4, 2, 1]),
        ("search=", [8, 7, 4, 2, 1]),
        ("search=YARA-", [2, 1]),
        ("search=m toll", [4]),
        ("search=COLOURS", [8, 7, 4, 2, 1]),
        ("search=nobody", []),
        ("search=wren", []),
        ("search=wren&statuses=creator", [9]),
        ("statuses=", [8, 7, 4, 2, 1]),
        ("statuses=creator", [9]),
        ("statuses=manager", [8]),
        ("statuses=joined", [7, 4, 2, 1]),
        ("statuses=joined&search=dilys", [7]),
        ('statuses=["creator","manager"]', [9, 8]),
        ("statuses[]=creator&statuses[]=joined", [9, 7, 4, 2, 1]),
        ("statuses=invited,requested", []),
    ],
)
def test_list_course_quiz_attempts_filters(api: Api, query: str, expected: list[int]) -> None:
    """R609, R013, R025: by status (default manager and joined), and by username, real name or name of the quiz."""
    for persona in ("member", "manager", "creator"):
        make(api, 1, persona=persona)
    assert ids(api.as_("manager").get(f"{DASHBOARD}?{query}")) == expected


def test_list_course_quiz_attempts_covers_every_quiz(api: Api) -> None:
    """R609: rows for every quiz in this course and in no other; search finds a quiz by its current name."""
    creator = api.as_("creator")
    new = ok(creator.post("/course/1/section/1/lesson/", json={"name": "Brushes", "type": "quiz"}), 201)
    path = f"/course/1/section/1/lesson/{new['id']}/"
    body = {"type": "single_choice", "text": "?", "answers": [{"text": "Yes", "correct": True}]}
    question = ok(creator.post(f"{path}question/", json=body), 201)
    selected = {question["id"]: [question["answers"][0]["id"]]}
    made = ok(api.as_("manager").post(f"{path}attempt/", json=responses(selected)))
    assert ids(creator.get(DASHBOARD)) == [made["id"], 4, 2, 1]
    assert ids(creator.get(f"{DASHBOARD}?search=brush")) == [made["id"]]
    row = ok(creator.get(DASHBOARD))["results"][0]
    assert (row["section_id"], row["lesson_id"], row["name"], row["grade"]) == (1, new["id"], "Brushes", 100)
    ok(creator.patch(QUIZ, json={"name": "Renamed"}))
    assert ids(creator.get(f"{DASHBOARD}?search=renamed")) == [4, 2, 1]
    assert ids(creator.get("/course/4/quiz/")) == [5]
    assert ids(creator.get("/course/2/quiz/")) == []
    assert creator.delete(QUIZ).status_code == 204
    assert ids(creator.get(DASHBOARD)) == [made["id"]]


def test_list_course_quiz_attempts_follows_present_statuses(api: Api) -> None:
    """R609: users who leave are no longer listed, and reappear when they come back."""
    make(api, 1)
    member = api.as_("member")
    assert member.delete("/course/1/join/").status_code == 204
    assert ids(api.as_("creator").get(DASHBOARD)) == [4, 2, 1]
    ok(member.post("/course/1/join/"))
    assert ids(api.as_("creator").get(DASHBOARD)) == [7, 4, 2, 1]


@pytest.mark.parametrize(
    ("persona", "course", "status"),
    [("member", 1, 403), ("staff", 1, 403), (None, 1, 401), ("member", 10, 404), ("stranger", 7, 404)],
)
def test_list_course_quiz_attempts_is_for_managers(api: Api, persona: str | None, course: int, status: int) -> None:
    """R223, R609: the dashboard is for the creator and managers."""
    code = {401: "not_authenticated", 403: "permission_denied", 404: "not_found"}[status]
    assert refused(api.as_(persona).get(f"/course/{course}/quiz/"), status) == {"": code}


@pytest.mark.parametrize(
    ("query", "field", "code"),
    [
        ("statuses=x", "statuses", "invalid_choice"),
        ("statuses=joined,x", "statuses", "invalid_choice"),
        ("limit=0", "limit", "min_value"),
        ("offset=-1", "offset", "min_value"),
        ("limit=undefined", "limit", "invalid"),
    ],
)
def test_list_course_quiz_attempts_refuses_bad_parameters(api: Api, query: str, field: str, code: str) -> None:
    """R013, R016: unknown statuses and, in a strict world, invalid limits."""
    assert refused(api.strict().as_("creator").get(f"{DASHBOARD}?{query}"), 400) == {field: code}


def test_list_course_quiz_attempts_pages(api: Api) -> None:
    """R014, R609: the pages run from newest to oldest, with links."""
    page = ok(api.as_("creator").get(f"{DASHBOARD}?limit=1&offset=1&search=quiz"))
    url = f"http://stub.test/api/v2{DASHBOARD}?limit=1"
    assert [row["id"] for row in page.pop("results")] == [2]
    assert page == {"count": 3, "next": f"{url}&offset=2&search=quiz", "previous": f"{url}&search=quiz"}
