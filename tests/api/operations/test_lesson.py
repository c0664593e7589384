"""Lessons and quizzes: listing, creating, reading, changing and deleting them."""

from datetime import timedelta
from typing import Any

import pytest

from tests.api.operations.lessons import (
    COURSES,
    FOR_MANAGERS,
    FOR_STUDENTS,
    LESSON,
    LESSONS,
    MEMBERS_ONLY,
    OPERATIONS,
    attempt,
    forbidden,
    ids,
)
from tests.support.answers import done, ok, refused
from tests.support.client import Api
from tests.support.default import AVATARS, PERSONAS, QUIZ, RIGHT, WRONG, iso
from tests.support.forms import IN_EVERY_MEDIA_TYPE, Encode
from tests.support.rows import snapshot

WRITES = pytest.mark.parametrize("method", ["PUT", "PATCH"])
WREN = {
    "id": 1,
    "username": "wren_hollis",
    "real_name": "Wren Hollis",
    "avatar": AVATARS[1],
    "community_badge": True,
    "deleted": False,
}


# Who may, and where


@pytest.mark.parametrize("privacy", COURSES)
@pytest.mark.parametrize("name", OPERATIONS)
def test_get_course_lesson_keeps_outsiders_out(api: Api, privacy: str, name: str) -> None:
    """R001, R003, R004, R101, R104, R301, R311: 401 without a login, 404 if hidden, otherwise 403; nothing changes."""
    method, path, options, _ = OPERATIONS[name]
    before = snapshot(api.world)
    for caller in (None, *PERSONAS[2:]):
        response = api.as_(caller).request(method, path.format(*COURSES[privacy]), **options)
        absent = privacy == "draft" or (privacy == "secret" and caller not in ("member", "invited"))
        if caller is None:
            assert refused(response, 401) == {"": "not_authenticated"}
        elif absent:
            assert refused(response, 404) == {"": "not_found"}
        elif name in FOR_MANAGERS:
            forbidden(response, "Only the creator or a manager of the course may do this.")
        elif caller != "member":
            forbidden(response, MEMBERS_ONLY)
    after = snapshot(api.world)
    if name in FOR_STUDENTS:  # the member may do these
        after |= {table: before[table] for table in ("completions", "memberships")}
    assert after == before


@pytest.mark.parametrize("privacy", COURSES)
@pytest.mark.parametrize("caller", ["creator", "manager"])
@pytest.mark.parametrize("name", OPERATIONS)
def test_update_course_lesson_lets_creator_and_managers_in(api: Api, privacy: str, caller: str, name: str) -> None:
    """R023, R301, R316: creator and managers may do everything with lessons, in courses of every privacy."""
    method, path, options, status = OPERATIONS[name]
    response = api.as_(caller).request(method, path.format(*COURSES[privacy]), **options)
    assert response.status_code == status, response.text
    assert (response.content == b"") == (status == 204)


@pytest.mark.parametrize(
    ("course", "section", "lesson"),
    [
        (1, 1, 4),
        (1, 2, 1),
        (1, 4, 1),
        (1, 4, 9),
        (4, 1, 1),
        (2, 1, 1),
        (1, 1, 999),
        (1, 99, 1),
        (99, 1, 1),
        (1, 1, "x"),
    ],
)
@pytest.mark.parametrize("name", [name for name, (_, path, _, _) in OPERATIONS.items() if path != LESSONS])
def test_get_course_lesson_answers_404_under_other_parents(
    api: Api, name: str, course: int, section: int, lesson: int | str
) -> None:
    """R004, R006, R007: a lesson of another section, or a section of another course, is absent for every method."""
    method, path, options, _ = OPERATIONS[name]
    before = snapshot(api.world)
    response = api.as_("creator").request(method, path.format(course, section, lesson), **options)
    assert refused(response, 404) == {"": "not_found"}
    assert snapshot(api.world) == before


# Listing and creating


def test_list_course_lessons_answers_an_array_in_order(api: Api) -> None:
    """R301, R308, R310, R321: a plain array in display order, drafts included, with the caller's own completion."""
    path = LESSONS.format(1, 2)
    done(api.as_("manager").post(LESSON.format(1, 2, 4) + "complete/"))
    rows = ok(api.as_("manager").get(path))
    assert ids(rows) == [4, 5, 6]
    assert [(row["type"], row["status"]) for row in rows] == [
        ("lesson", "published"),
        ("quiz", "published"),
        ("lesson", "draft"),
    ]
    assert [row["completion_status"] for row in rows] == ["completed", "uncompleted", "uncompleted"]
    assert {row["completion_status"] for row in ok(api.as_("creator").get(path))} == {"uncompleted"}
    assert rows == [ok(api.as_("manager").get(f"{path}{number}/")) for number in (4, 5, 6)]
    assert rows[2] == {
        "id": 6,
        "name": "Shadows are never grey",
        "type": "lesson",
        "status": "draft",
        "comments_enabled": True,
        "completion_status": "uncompleted",
        "course_id": 1,
        "section_id": 2,
        "html": "<p>Notes so far - look for the colour that hides in the shade.</p>",
        "created_at": "2026-02-23T20:17:55.634802+00:00",
        "created_by": WREN,
        "medias": [],
        "passing_grade": 60,
        "questions": [],
        "last_attempt": None,
    }
    ok(api.as_("creator").patch("/course/1/section/2/", json={"lessons_order": [6, 4]}))
    assert ids(ok(api.as_("creator").get(path))) == [6, 4, 5]


def test_list_course_lessons_has_no_pages(api: Api) -> None:
    """R302, R310: all of them at once, however many there are, in the order of creation."""
    for number in range(110):
        body = {"name": f"Pot {number}", "type": "lesson"}
        ok(api.as_("creator").post(LESSONS.format(15, 27), json=body), 201)
    for query in ("", "?limit=2&offset=1"):
        assert ids(ok(api.as_("creator").get(LESSONS.format(15, 27) + query))) == [46, 47, 49, *range(50, 160)]


@pytest.mark.parametrize("kind", ["lesson", "quiz"])
def test_create_course_lesson_answers_defaults(api: Api, kind: str) -> None:
    """R302, R307, R415: name and type alone make a draft with the documented defaults, after all the others."""
    ok(api.as_("creator").patch("/course/1/section/2/", json={"lessons_order": [6, 4, 5]}))
    body = ok(api.as_("manager").post(LESSONS.format(1, 2), json={"name": "Frames", "type": kind}), 201)
    author = body.pop("created_by")
    assert (author["id"], author["username"]) == (2, "ottoline-marsh")
    assert body == {
        "id": 50,
        "name": "Frames",
        "type": kind,
        "status": "draft",
        "comments_enabled": True,
        "completion_status": "uncompleted",
        "course_id": 1,
        "section_id": 2,
        "html": "",
        "created_at": iso(),
        "medias": [],
        "passing_grade": 60,
        "questions": [],
        "last_attempt": None,
    }
    assert ok(api.as_("creator").get("/course/1/section/2/"))["lessons_order"] == [6, 4, 5, 50]
    assert ids(ok(api.as_("creator").get(LESSONS.format(1, 2)))) == [6, 4, 5, 50]
    assert ok(api.as_("creator").get(LESSON.format(1, 2, 50))) == {**body, "created_by": author}


FIELDS = {
    "name": "Frames & für £5 + paper",
    "type": "quiz",
    "status": "published",
    "comments_enabled": False,
    "text": "<p>Stretch &amp; <em>prime</em>.</p>",
    "medias": [5, 3],
    "passing_grade": 85,
}
"""Every writable field except questions_order."""


def shown(fields: dict[str, Any]) -> dict[str, Any]:
    """How an answer shows these fields, with medias as ids."""
    return {"html" if name == "text" else name: value for name, value in fields.items()}


def assert_shows(body: dict[str, Any], fields: dict[str, Any]) -> None:
    """R308, R309: text is read back as html, medias as objects."""
    expected = shown(fields)
    flat = {**body, "medias": ids(body["medias"])}
    assert {name: flat[name] for name in expected} == expected
    assert not {"text", "questions_order"} & set(body)


@pytest.mark.parametrize(("method", "path"), [("POST", LESSONS), ("PUT", LESSON), ("PATCH", LESSON)])
@IN_EVERY_MEDIA_TYPE
def test_create_course_lesson_reads_every_content_type(api: Api, method: str, path: str, encode: Encode) -> None:
    """R009, R012, R022, R307, R308, R309, R415: every field may be sent as JSON or form."""
    response = api.as_("creator").request(method, path.format(1, 1, 1), **encode(FIELDS))
    body = ok(response, 201 if method == "POST" else 200)
    assert_shows(body, FIELDS)
    assert ok(api.as_("creator").get(LESSON.format(1, 1, body["id"]))) == body


JUNK = {
    "id": 9,
    "course_id": 2,
    "section_id": 2,
    "created_by": 3,
    "created_at": "2001-01-01T00:00:00Z",
    "completion_status": "completed",
    "html": "<p>x</p>",
    "locked": True,
    "questions": "",
    "last_attempt": 4,
    "0": "x",
}


@IN_EVERY_MEDIA_TYPE
def test_update_course_lesson_ignores_other_fields(api: Api, encode: Encode) -> None:
    """R011: read-only and unknown fields are not errors and have no effect; a lesson stays where it is."""
    api.strict()  # where a boolean missing from a form has no effect either
    before, path = snapshot(api.world), LESSON.format(1, 1, 1)
    body = ok(api.as_("creator").get(path))
    named = {"name": body["name"], "type": "lesson", **JUNK}
    for method in ("PUT", "PATCH"):
        assert ok(api.as_("manager").request(method, path, **encode(named))) == body
    assert snapshot(api.world) == before
    body = ok(api.as_("creator").post(LESSONS.format(1, 1), **encode(named)), 201)
    assert (body["id"], body["course_id"], body["section_id"], body["html"]) == (50, 1, 1, "")
    assert (body["created_by"], body["created_at"], body["completion_status"]) == (WREN, iso(), "uncompleted")


@pytest.mark.parametrize("name", ["create_course_lesson", "update_course_lesson"])
@IN_EVERY_MEDIA_TYPE
def test_create_course_lesson_needs_name_and_type(api: Api, name: str, encode: Encode) -> None:
    """R021, R307: POST and PUT need name and type, PATCH needs nothing."""
    method, path, _, _ = OPERATIONS[name]
    before = snapshot(api.world)
    for sent, missing in (
        ({"status": "draft"}, ("name", "type")),
        ({"status": "draft", "name": "Frames"}, ("type",)),
        ({"status": "draft", "type": "quiz"}, ("name",)),
    ):
        response = api.as_("creator").request(method, path.format(1, 1, 1), **encode(sent))
        assert refused(response, 400) == dict.fromkeys(missing, "required")
    assert snapshot(api.world) == before
    for sent in ({"status": "draft"}, {}):
        body = ok(api.as_("creator").patch(LESSON.format(1, 1, 1), json=sent))
        assert (body["name"], body["type"], body["status"]) == ("Paper, brushes and water", "lesson", "draft")


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("name", "", "blank"),
        ("name", " \n", "blank"),
        ("name", None, "null"),
        ("type", "exam", "invalid_choice"),
        ("type", None, "null"),
        ("status", "hidden", "invalid_choice"),
        ("status", "", "invalid_choice"),
        ("comments_enabled", "perhaps", "invalid"),
        ("text", None, "null"),
        ("text", True, "invalid"),
        ("medias", 1, "not_a_list"),
        ("medias", None, "null"),
        ("medias", ["x"], "invalid"),
        ("medias", [1, 99], "does_not_exist"),
        ("passing_grade", -1, "min_value"),
        ("passing_grade", 101, "max_value"),
        ("passing_grade", 59.5, "invalid"),
        ("passing_grade", None, "null"),
        ("questions_order", 1, "not_a_list"),
        ("questions_order", [1, 2, 3, 4, 5], "does_not_exist"),
        ("questions_order", [999], "does_not_exist"),
    ],
)
@pytest.mark.parametrize("name", ["create_course_lesson", "update_course_lesson", "patch_course_lesson"])
def test_update_course_lesson_refuses_bad_fields(api: Api, name: str, field: str, value: Any, code: str) -> None:
    """R017, R018, R307, R309, R406, R415: each bad field is reported with its code, and nothing changes."""
    method, path, _, _ = OPERATIONS[name]
    before = snapshot(api.world)
    response = api.as_("creator").request(method, path.format(1, 2, 5), json={**FIELDS, field: value})
    assert refused(response, 400) == {field: code}
    assert snapshot(api.world) == before


@pytest.mark.parametrize("grade", [0, 1, 99, 100])
@pytest.mark.parametrize("name", ["create_course_lesson", "update_course_lesson", "patch_course_lesson"])
def test_update_course_lesson_takes_passing_grades(api: Api, name: str, grade: int) -> None:
    """R413, R415: any percentage from 0 to 100; earlier attempts keep the old one."""
    attempt(api.as_("manager"), WRONG)
    method, path, _, status = OPERATIONS[name]
    body = ok(api.as_("manager").request(method, path.format(1, 2, 5), json={**FIELDS, "passing_grade": grade}), status)
    assert body["passing_grade"] == grade
    quiz = ok(api.as_("manager").get(QUIZ))["last_attempt"]["quiz_attempt"]
    assert (quiz["passing_grade"], quiz["result"]) == (60, "failed")


# Changing


@pytest.mark.parametrize(
    "text", ["", "no markup", "<p>für £5 &amp; <script>alert(1)</script></p>\r\n\t<img src=x>", " <b>", "🎨" * 5000]
)
def test_update_course_lesson_shows_text_as_html(api: Api, text: str) -> None:
    """R029, R308: text goes in and html comes out, without blanks around it; no answer contains text itself."""
    for method in ("PUT", "PATCH"):
        sent = {"name": "Frames", "type": "lesson", "text": text}
        body = ok(api.as_("creator").request(method, LESSON.format(1, 1, 1), json=sent))
        assert body["html"] == ok(api.as_("member").get(LESSON.format(1, 1, 1)))["html"] == text.strip()
        assert "text" not in body
    body = ok(api.as_("creator").post(LESSONS.format(1, 1), json=sent), 201)
    assert body["html"] == text.strip()
    assert "text" not in body


def test_patch_course_lesson_replaces_medias(api: Api) -> None:
    """R309: ids in, objects out; a list replaces the old, [] empties it, no list keeps it, unknown ids are refused."""
    path = LESSON.format(1, 1, 2)
    for sent, expected in (({"medias": [4, 3]}, [4, 3]), ({}, [4, 3]), ({"medias": []}, []), ({"medias": [3]}, [3])):
        assert ids(ok(api.as_("manager").patch(path, json=sent))["medias"]) == expected
        assert ids(ok(api.as_("member").get(path))["medias"]) == expected
    before = snapshot(api.world)
    for medias in ([99], [1, 2, 6]):
        refusal = refused(api.as_("manager").patch(path, json={"medias": medias, "name": "Frames"}), 400)
        assert refusal == {"medias": "does_not_exist"}
    assert snapshot(api.world) == before
    assert ok(api.as_("member").get(path))["medias"] == [
        {
            "id": 3,
            "added_at": "2025-10-06T08:38:40.519608+00:00",
            "type": "doc",
            "title": "Shopping list for the first month",
            "description": "One page, and most of it you have already.",
            "url": "http://stub.test/upfiles/documents/document_9486.pdf",
            "image": None,
            "image_thumbnail": {
                "url": "http://stub.test/upfiles/documents/medium/document_9486.png",
                "width": 128,
                "height": 128,
                "color": None,
            },
            "image_width": None,
            "image_height": None,
            "order": 3,
            "embed": None,
        }
    ]


def test_update_course_lesson_keeps_what_is_left_out(api: Api) -> None:
    """R021, R406: PUT keeps every optional field that is not sent, the questions too."""
    ok(api.as_("creator").patch(QUIZ, json={**FIELDS, "questions_order": [4, 3, 2, 1]}))
    before = ok(api.as_("creator").get(QUIZ))
    body = ok(api.as_("creator").put(QUIZ, json={"name": "Quiz: frames", "type": "quiz"}))
    assert body == {**before, "name": "Quiz: frames"}
    assert ids(body["questions"]) == [4, 3, 2, 1]
    assert_shows(body, {**FIELDS, "name": "Quiz: frames"})


@pytest.mark.parametrize(("field", "value"), [*FIELDS.items(), ("status", "draft"), ("text", ""), ("medias", [])])
def test_patch_course_lesson_touches_only_what_is_sent(api: Api, field: str, value: Any) -> None:
    """R021, R323: PATCH changes only the fields sent, and leaves all other lessons alone."""
    before = ok(api.as_("creator").get(LESSONS.format(1, 1)))
    body = ok(api.as_("manager").patch(LESSON.format(1, 1, 1), json={field: value}))
    assert_shows(body, {field: value})
    changed = {name for name in body if body[name] != before[0][name]}
    assert changed <= set(shown({field: value}))
    assert ok(api.as_("creator").get(LESSONS.format(1, 1))) == [body, *before[1:]]


@WRITES
def test_patch_course_lesson_keeps_questions_of_a_former_quiz(api: Api, method: str) -> None:
    """R011, R323, R406, R420: a quiz made a lesson hides its questions but keeps them for when it is a quiz again."""
    before = ok(api.as_("creator").get(QUIZ))
    rows = snapshot(api.world)["questions"]
    # The vendor's rename box sends type lesson for a quiz, too; questions_order has no effect then.
    sent = {"name": before["name"], "type": "lesson", "questions_order": [1, 999]}
    body = ok(api.as_("manager").request(method, QUIZ, json=sent))
    assert body == {**before, "type": "lesson", "questions": []}
    assert refused(api.as_("manager").get(f"{QUIZ}question/"), 404) == {"": "not_found"}
    assert ok(api.as_("manager").patch(QUIZ, json={"questions_order": []}))["questions"] == []
    assert snapshot(api.world)["questions"] == rows
    sent = {"name": before["name"], "type": "quiz"}
    assert ok(api.as_("manager").request(method, QUIZ, json=sent)) == before


@pytest.mark.parametrize(
    ("sent", "left"),
    [([4, 3, 2, 1], [4, 3, 2, 1]), ([2, 4], [2, 4]), ([], []), ([3, 3, 1, 3], [3, 1]), (None, [1, 2, 3, 4])],
)
@WRITES
def test_patch_course_lesson_orders_and_deletes_questions(
    api: Api, method: str, sent: list[int] | None, left: list[int]
) -> None:
    """R406, R413: questions follow the list, missing ones are deleted; earlier attempts keep them all."""
    old = attempt(api.as_("manager"), RIGHT)
    before = {row["id"]: row for row in ok(api.as_("manager").get(QUIZ))["questions"]}
    others = [row for row in snapshot(api.world)["questions"] if row["lesson_id"] != 5]
    fields = {"name": "Quiz", "type": "quiz", "questions_order": sent}
    if sent is None:
        del fields["questions_order"]
    body = ok(api.as_("manager").request(method, QUIZ, json=fields))
    assert body["questions"] == [before[number] for number in left]
    assert "questions_order" not in body
    assert body["last_attempt"] == old
    assert ok(api.as_("manager").get(f"{QUIZ}question/")) == body["questions"]
    for number in before:
        assert (api.world.questions.get(number) is not None) == (number in left)
        assert api.as_("manager").get(f"{QUIZ}question/{number}/").status_code == (200 if number in left else 404)
    assert [row for row in snapshot(api.world)["questions"] if row["lesson_id"] != 5] == others


def test_patch_course_lesson_ignores_questions_order_of_plain_lessons(api: Api) -> None:
    """R406: a plain lesson has no questions to order, whatever is sent."""
    before = snapshot(api.world)
    for order in ([], [1, 2], [999]):
        body = ok(api.as_("creator").patch(LESSON.format(1, 1, 1), json={"questions_order": order}))
        assert body["questions"] == []
    assert snapshot(api.world) == before


def test_patch_course_lesson_switches_comments_off(api: Api) -> None:
    """R505: without comments_enabled the list of comments is empty; they are kept, and reappear once it is back on."""
    path = LESSON.format(1, 1, 1)
    before = ok(api.as_("member").get(f"{path}comment/"))
    assert before["count"] == 4
    for enabled, count in ((False, 0), (True, 4)):
        assert ok(api.as_("creator").patch(path, json={"comments_enabled": enabled}))["comments_enabled"] is enabled
        for caller in ("creator", "manager", "member"):
            assert ok(api.as_(caller).get(f"{path}comment/"))["count"] == count
    assert ok(api.as_("member").get(f"{path}comment/")) == before


# Deleting


@pytest.mark.parametrize(("course", "section", "lesson"), [(1, 1, 1), (1, 2, 5), (1, 2, 6), (4, 11, 21), (14, 25, 40)])
def test_delete_course_lesson_removes_what_belongs_to_it(api: Api, course: int, section: int, lesson: int) -> None:
    """R023, R303: its comments, questions, attempts, completions and place in the order go, too; nothing else does."""
    before = snapshot(api.world)
    path = LESSON.format(course, section, lesson)
    done(api.as_("manager").delete(path))
    expected = {**before}
    expected["lessons"] = [row for row in before["lessons"] if row["id"] != lesson]
    for table in ("comments", "questions", "attempts", "completions"):
        expected[table] = [row for row in before[table] if row["lesson_id"] != lesson]
    expected["sections"] = [
        {**row, "lessons_order": [number for number in row["lessons_order"] if number != lesson]}
        for row in before["sections"]
    ]
    after = snapshot(api.world)
    assert {name: rows for name, rows in after.items() if rows != expected[name]} == {}
    for name in FOR_STUDENTS:
        method, template, options, _ = OPERATIONS[name]
        response = api.as_("creator").request(method, template.format(course, section, lesson), **options)
        assert refused(response, 404) == {"": "not_found"}
    assert refused(api.as_("manager").delete(path), 404) == {"": "not_found"}


def test_delete_course_lesson_counts_and_orders_what_is_left(api: Api) -> None:
    """R131, R302, R303, R315: progress and an enforced order follow the remaining lessons; no id is reused."""
    assert ok(api.as_("member").get("/course/14/"))["user_completion_rate"] == 50
    done(api.as_("creator").delete(LESSON.format(14, 26, 43)))
    done(api.as_("creator").delete(LESSON.format(14, 26, 44)))
    assert ok(api.as_("member").get("/course/14/"))["user_completion_rate"] == 75
    assert ok(api.as_("member").get(LESSON.format(14, 26, 45)))["id"] == 45
    body = {"name": "Frames", "type": "lesson"}
    assert ok(api.as_("creator").post(LESSONS.format(14, 26), json=body), 201)["id"] == 50
    done(api.as_("creator").delete(LESSON.format(14, 26, 50)))
    assert ok(api.as_("creator").post(LESSONS.format(14, 26), json=body), 201)["id"] == 51
    assert ok(api.as_("creator").get("/course/14/section/26/"))["lessons_order"] == [45, 51]


# Reading


def test_get_course_lesson_answers_members(api: Api) -> None:
    """R020, R308, R309, R420: a member reads text and medias; a plain lesson has no questions."""
    body = ok(api.as_("member").get(LESSON.format(1, 1, 1)))
    medias = body.pop("medias")
    assert body == {
        "id": 1,
        "name": "Paper, brushes and water",
        "type": "lesson",
        "status": "published",
        "comments_enabled": True,
        "completion_status": "completed",
        "course_id": 1,
        "section_id": 1,
        "html": "<p>Welcome! Find <strong>one round brush</strong>, a jar of clean water and a few sheets of heavy "
        "paper. Nothing else is needed today.</p>",
        "created_at": "2025-10-06T08:40:02.113457+00:00",
        "created_by": WREN,
        "passing_grade": 60,
        "questions": [],
        "last_attempt": None,
    }
    assert [(row["id"], row["type"]) for row in medias] == [(1, "image"), (2, "image"), (3, "doc")]


@pytest.mark.parametrize("caller", ["creator", "manager", "member"])
def test_get_course_lesson_keeps_the_answers_from_members(api: Api, caller: str) -> None:
    """R405, R418, R420: a quiz shows its questions; only the creator and managers see which answers are correct."""
    questions = ok(api.as_(caller).get(QUIZ))["questions"]
    answers = [("A cool blue and a cool yellow", True), ("A warm blue and a warm yellow", False)]
    answers += [("A warm red and any yellow", False)]
    assert questions[0] == {
        "id": 1,
        "type": "single_choice",
        "text": "Which pair makes the freshest green?",
        "image": None,
        "answers": [
            {"id": number, "text": text} | ({} if caller == "member" else {"correct": correct})
            for number, (text, correct) in enumerate(answers, 1)
        ],
    }
    assert ids(questions) == [1, 2, 3, 4]
    fields = {"id", "text"} if caller == "member" else {"id", "text", "correct"}
    assert all(set(answer) == fields for question in questions for answer in question["answers"])
    if caller != "member":
        right = {question["id"]: [row["id"] for row in question["answers"] if row["correct"]] for question in questions}
        assert right == RIGHT


def test_get_course_lesson_shows_the_callers_newest_attempt(api: Api) -> None:
    """R414: an object, the caller's newest attempt, whatever others do; null if there is none."""
    member, manager = api.as_("member"), api.as_("manager")
    assert ok(member.get(QUIZ))["last_attempt"] is None
    first = attempt(member, RIGHT)
    assert ok(member.get(QUIZ))["last_attempt"] == first
    assert ok(manager.get(QUIZ))["last_attempt"] is None
    api.world.clock.advance(timedelta(hours=1))
    second = attempt(member, {**WRONG, 1: [1]})
    api.world.clock.advance(timedelta(hours=1))
    other = attempt(manager, RIGHT)
    body = ok(member.get(QUIZ))["last_attempt"]
    assert body == second
    assert (body["id"], body["created_at"], body["lesson_id"], body["user"]["id"]) == (8, iso(1 / 24), 5, 3)
    attempted = {name: value for name, value in body["quiz_attempt"].items() if name != "questions"}
    assert attempted == {
        "grade": 25,
        "result": "failed",
        "num_attempts": 2,
        "passing_grade": 60,
        "correct_responses": 1,
    }
    assert body["quiz_attempt"]["questions"][1] == {
        "id": 2,
        "type": "multi_choice",
        "text": "Which of these colours are warm?",
        "image": None,
        "correct": False,
        "answers": [
            {"id": 4, "text": "Orange", "selected": False},
            {"id": 5, "text": "Turquoise", "selected": True},
            {"id": 6, "text": "Scarlet", "selected": False},
            {"id": 7, "text": "Mint green", "selected": False},
        ],
    }
    assert ok(manager.get(QUIZ))["last_attempt"] == other
    assert ok(manager.get(LESSONS.format(1, 2)))[1]["last_attempt"] == other
    assert ok(api.as_("creator").get(QUIZ))["last_attempt"] is None
