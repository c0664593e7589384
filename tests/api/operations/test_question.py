"""Questions of a quiz: managing them, their answers and their order, and who sees which answers are correct."""

from typing import Any
from urllib.parse import urlencode

import pytest

from tests.support.answers import ok, refused
from tests.support.client import Api
from tests.support.default import QUIZ
from tests.support.forms import FORM, Options
from tests.support.rows import snapshot

QUESTIONS = f"{QUIZ}question/"
CREATE = pytest.mark.parametrize("path", [QUESTIONS, QUIZ], ids=["question", "at_lesson"])
"""The path of the other question operations, and the path on the docs page."""
NEW = {
    "type": "multi_choice",
    "text": "Which brushes are for washes?",
    "answers": [{"text": "Flat", "correct": True}, {"text": "Mop", "correct": True}, {"text": "Rigger"}],
}
FIRST = {
    "id": 1,
    "type": "single_choice",
    "image": None,
    "text": "Which pair makes the freshest green?",
    "answers": [
        {"id": 1, "text": "A cool blue and a cool yellow", "correct": True},
        {"id": 2, "text": "A warm blue and a warm yellow", "correct": False},
        {"id": 3, "text": "A warm red and any yellow", "correct": False},
    ],
}


def without_correct(question: dict[str, Any]) -> dict[str, Any]:
    """The question as members see it."""
    answers = [{name: part for name, part in answer.items() if name != "correct"} for answer in question["answers"]]
    return {**question, "answers": answers}


def answers(*correct: int) -> list[dict[str, Any]]:
    return [{"text": f"Answer {n}", "correct": bool(right)} for n, right in enumerate(correct)]


# Reading


@pytest.mark.parametrize("caller", ["creator", "manager"])
def test_list_course_questions_shows_all_to_managers(api: Api, caller: str) -> None:
    """R310, R405, R418: a plain array in display order; creator and managers see what is correct; none is selected."""
    rows = ok(api.as_(caller).get(QUESTIONS))
    assert rows[0] == FIRST
    assert [row["id"] for row in rows] == [1, 2, 3, 4]
    assert all(set(row) == {"id", "type", "image", "text", "answers"} for row in rows)
    assert all(set(answer) == {"id", "text", "correct"} for row in rows for answer in row["answers"])


def test_list_course_questions_hides_correct_from_members(api: Api) -> None:
    """R405: a joined user sees no `correct` at all, in the list, the question or the lesson."""
    expected = [without_correct(row) for row in ok(api.as_("manager").get(QUESTIONS))]
    member = api.as_("member")
    assert ok(member.get(QUESTIONS)) == expected
    assert ok(member.get(QUIZ))["questions"] == expected
    assert ok(member.get(f"{QUESTIONS}1/")) == without_correct(FIRST)
    for url in (QUESTIONS, QUIZ, f"{QUESTIONS}1/"):
        assert '"correct"' not in member.get(url).text


def test_get_course_question_shows_one(api: Api) -> None:
    """R405: creator and managers read the question in full."""
    for caller in ("creator", "manager"):
        assert ok(api.as_(caller).get(f"{QUESTIONS}1/")) == FIRST


@pytest.mark.parametrize(
    ("lesson", "expected"),
    [
        ("/course/1/section/2/lesson/5/", [1, 2, 3, 4]),
        ("/course/15/section/27/lesson/49/", []),
        ("/course/1/section/1/lesson/1/", []),
    ],
)
def test_get_course_lesson_holds_the_questions(api: Api, lesson: str, expected: list[int]) -> None:
    """R420: a quiz comes with its questions; a plain lesson and an empty quiz have []."""
    assert [row["id"] for row in ok(api.as_("creator").get(lesson))["questions"]] == expected


@pytest.mark.parametrize(
    ("path", "caller", "status"),
    [
        ("/course/1/section/2/lesson/5/", "invited", 403),
        ("/course/1/section/2/lesson/5/", "stranger", 403),
        ("/course/1/section/2/lesson/5/", "staff", 403),
        ("/course/1/section/2/lesson/5/", None, 401),
        ("/course/14/section/26/lesson/44/", "member", 403),
        ("/course/14/section/26/lesson/44/", "manager", 200),
        ("/course/10/section/21/lesson/48/", "member", 404),
        ("/course/10/section/21/lesson/48/", "creator", 200),
        ("/course/7/section/16/lesson/29/", "stranger", 404),
        ("/course/7/section/16/lesson/29/", "invited", 403),
        ("/course/7/section/16/lesson/29/", "member", 200),
    ],
)
def test_list_course_questions_needs_an_open_lesson(api: Api, path: str, caller: str | None, status: int) -> None:
    """R101, R104, R311, R315, R316: questions are for the creator, managers, and members who may open the lesson."""
    question = {1: 1, 14: 13, 10: 10, 7: 8}[int(path.split("/")[2])]
    for url in (f"{path}question/", f"{path}question/{question}/"):
        response = api.as_(caller).get(url)
        if status == 200:
            ok(response)
        else:
            code = {401: "not_authenticated", 403: "permission_denied", 404: "not_found"}[status]
            assert refused(response, status) == {"": code}


# What is absent


@pytest.mark.parametrize(
    ("method", "rest"),
    [
        ("GET", "question/"),
        ("POST", "question/"),
        ("POST", ""),
        ("GET", "question/1/"),
        ("PUT", "question/1/"),
        ("PATCH", "question/1/"),
        ("DELETE", "question/1/"),
        ("POST", "attempt/"),
        ("GET", "attempt/2/"),
    ],
)
def test_get_course_question_needs_a_quiz(api: Api, method: str, rest: str) -> None:
    """R401: these paths are absent under a plain lesson, even if it was this very quiz and becomes one again."""
    body = {"responses": []} if rest == "attempt/" else NEW
    options = {} if method in ("GET", "DELETE") else {"json": body}
    creator = api.as_("creator")
    assert refused(creator.request(method, f"/course/1/section/1/lesson/1/{rest}", **options), 404) == {"": "not_found"}
    ok(creator.patch(QUIZ, json={"type": "lesson"}))
    assert ok(creator.get(QUIZ))["questions"] == []
    before = snapshot(api.world)
    assert refused(creator.request(method, f"{QUIZ}{rest}", **options), 404) == {"": "not_found"}
    assert snapshot(api.world) == before
    assert [row["id"] for row in ok(creator.patch(QUIZ, json={"type": "quiz"}))["questions"]] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    "path",
    [
        "/course/1/section/2/lesson/5/question/5/",
        "/course/1/section/2/lesson/5/question/99/",
        "/course/1/section/1/lesson/5/question/1/",
        "/course/4/section/2/lesson/5/question/1/",
        "/course/1/section/2/lesson/21/question/5/",
    ],
)
def test_get_course_question_follows_the_path(api: Api, path: str) -> None:
    """R006: question, quiz, section and course must belong together, for every method."""
    before = snapshot(api.world)
    requests: dict[str, Options] = {"GET": {}, "PUT": {"json": NEW}, "PATCH": {"json": {}}, "DELETE": {}}
    for method, options in requests.items():
        assert refused(api.as_("creator").request(method, path, **options), 404) == {"": "not_found"}
    assert snapshot(api.world) == before


@pytest.mark.parametrize(("caller", "status"), [("member", 403), ("invited", 403), ("staff", 403), (None, 401)])
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", QUIZ), ("POST", QUESTIONS)] + [(method, f"{QUESTIONS}1/") for method in ("PUT", "PATCH", "DELETE")],
)
def test_create_course_question_is_for_managers(
    api: Api, method: str, path: str, caller: str | None, status: int
) -> None:
    """R301: everyone except the creator and managers is refused, before the body is read."""
    before = snapshot(api.world)
    options = {} if method == "DELETE" else {"json": {"type": "x"}}
    code = "permission_denied" if status == 403 else "not_authenticated"
    assert refused(api.as_(caller).request(method, path, **options), status) == {"": code}
    assert snapshot(api.world) == before


# Creating


@CREATE
@pytest.mark.parametrize("caller", ["creator", "manager"])
def test_create_course_question_appends(api: Api, path: str, caller: str) -> None:
    """R302, R403: 201 at the end of the quiz, with new ids throughout; `correct` is false by default."""
    created = ok(api.as_(caller).post(path, json={**NEW, "id": 1, "stray": "x"}), 201)
    assert created == {
        "id": 16,
        "type": "multi_choice",
        "image": None,
        "text": "Which brushes are for washes?",
        "answers": [
            {"id": 47, "text": "Flat", "correct": True},
            {"id": 48, "text": "Mop", "correct": True},
            {"id": 49, "text": "Rigger", "correct": False},
        ],
    }
    assert ok(api.as_("creator").get(QUESTIONS))[4:] == [created]
    assert ok(api.as_("creator").get(f"{QUESTIONS}16/")) == created
    single = {"type": "single_choice", "text": "?", "image": "https://x.example/a.png", "answers": answers(1)}
    assert ok(api.as_(caller).post(path, json=single), 201) == {
        **single,
        "id": 17,
        "answers": [{"id": 50, "text": "Answer 0", "correct": True}],
    }


TYPES = {
    "single_choice": {(1,): True, (1, 0): True, (0, 1): True, (0,): False, (0, 0): False, (1, 1): False},
    "multi_choice": {(1,): True, (1, 1, 0): True, (0, 1): True, (0,): False, (0, 0): False},
}
CHOICES = [(kind, right, fits) for kind, table in TYPES.items() for right, fits in table.items()]


@CREATE
@pytest.mark.parametrize(("kind", "right", "fits"), CHOICES)
def test_create_course_question_counts_right_answers(
    api: Api, path: str, kind: str, right: tuple[int, ...], fits: bool
) -> None:
    """R402: exactly one correct answer for single_choice, at least one for multi_choice; a refusal stores nothing."""
    before = snapshot(api.world)
    response = api.as_("creator").post(path, json={"type": kind, "text": "?", "answers": answers(*right)})
    if fits:
        assert [answer["correct"] for answer in ok(response, 201)["answers"]] == [bool(digit) for digit in right]
    else:
        assert refused(response, 400) == {"answers": "invalid"}
        assert snapshot(api.world) == before


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"type": None}, {"type": "null"}),
        ({"type": "free_text"}, {"type": "invalid_choice"}),
        ({"text": " "}, {"text": "blank"}),
        ({"text": [7]}, {"text": "invalid"}),
        ({"answers": []}, {"answers": "empty"}),
        ({"answers": None}, {"answers": "null"}),
        ({"answers": "Blue"}, {"answers": "not_a_list"}),
        ({"answers": ["Blue"]}, {"answers": "invalid"}),
        ({"answers": [{"correct": True}]}, {"answers": "required"}),
        ({"answers": [{"text": "", "correct": True}]}, {"answers": "blank"}),
        ({"answers": [{"text": "Blue", "correct": None}]}, {"answers": "null"}),
        ({"answers": [{"text": "Blue", "correct": "perhaps"}]}, {"answers": "invalid"}),
    ],
)
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", QUIZ), ("POST", QUESTIONS), ("PUT", f"{QUESTIONS}1/"), ("PATCH", f"{QUESTIONS}1/")],
)
def test_update_course_question_refuses_bad_fields(
    api: Api, method: str, path: str, change: dict[str, Any], expected: dict[str, str]
) -> None:
    """R403: what a question and its answers must look like, the same on POST, PUT and PATCH."""
    before = snapshot(api.world)
    body = change if method == "PATCH" else {**NEW, **change}
    found = refused(api.as_("creator").request(method, path, json=body), 400)
    assert {field: found.get(field) for field in expected} == expected
    assert set(found) == set(expected)
    assert snapshot(api.world) == before


@pytest.mark.parametrize("left_out", ["type", "text", "answers"])
@pytest.mark.parametrize(
    ("method", "path"), [("POST", QUIZ), ("POST", QUESTIONS), ("PUT", f"{QUESTIONS}2/"), ("PATCH", f"{QUESTIONS}2/")]
)
def test_update_course_question_requires_three_fields(api: Api, method: str, path: str, left_out: str) -> None:
    """R021, R403: type, text and answers are required on POST and PUT; PATCH keeps what is left out."""
    body = {name: value for name, value in NEW.items() if name != left_out}
    before = ok(api.as_("creator").get(f"{QUESTIONS}2/"))
    response = api.as_("creator").request(method, path, json=body)
    if method == "PATCH":
        assert ok(response)[left_out] == before[left_out]
    else:
        assert refused(response, 400) == {left_out: "required"}


# Changing


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_update_course_question_keeps_ids_by_place(api: Api, method: str) -> None:
    """R404, R021: answers are replaced as a whole; each position keeps its id, and a dropped id is never reused."""
    creator, url = api.as_("creator"), f"{QUESTIONS}1/"

    def change(*right: int) -> list[int]:
        body = {"type": "single_choice", "text": "?", "answers": [{**row, "id": 3} for row in answers(*right)]}
        found = ok(creator.request(method, url, json=body))
        assert found["text"] == "?"
        assert [(row["text"], row["correct"]) for row in found["answers"]] == [
            (row["text"], row["correct"]) for row in answers(*right)
        ]
        assert ok(creator.get(url)) == found
        return [row["id"] for row in found["answers"]]

    ok(creator.patch(url, json={"image": "https://x.example/a.png"}))
    assert change(0, 1) == [1, 2]
    assert change(0, 0, 1) == [1, 2, 47]
    assert change(1) == [1]
    assert change(0, 1) == [1, 48]
    other = ok(creator.post(QUESTIONS, json=NEW), 201)
    assert [row["id"] for row in other["answers"]] == [49, 50, 51]
    assert ok(creator.get(url))["image"] == "https://x.example/a.png"
    assert [row["id"] for row in ok(creator.get(QUESTIONS))] == [1, 2, 3, 4, 16]


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize(("kind", "right", "fits"), CHOICES)
def test_update_course_question_counts_right_answers(
    api: Api, method: str, kind: str, right: tuple[int, ...], fits: bool
) -> None:
    """R402: the number of correct answers must fit the type after the change; a refusal changes nothing."""
    before = snapshot(api.world)
    body = {"type": kind, "text": "?", "answers": answers(*right)}
    response = api.as_("creator").request(method, f"{QUESTIONS}4/", json=body)
    if fits:
        assert [answer["correct"] for answer in ok(response)["answers"]] == [bool(digit) for digit in right]
    else:
        assert refused(response, 400) == {"answers": "invalid"}
        assert snapshot(api.world) == before


@pytest.mark.parametrize(
    ("question", "body", "expected"),
    [
        (2, {"type": "single_choice"}, None),
        (2, {"type": "multi_choice"}, "multi_choice"),
        (1, {"type": "multi_choice"}, "multi_choice"),
        (1, {"answers": answers(1, 1)}, None),
        (1, {"answers": answers(0, 0)}, None),
        (2, {"answers": answers(0, 0)}, None),
        (2, {"type": "single_choice", "answers": answers(0, 1)}, "single_choice"),
        (1, {"type": "multi_choice", "answers": answers(1, 1)}, "multi_choice"),
        (1, {"text": "Well?"}, "single_choice"),
        (1, {}, "single_choice"),
    ],
)
def test_patch_course_question_merges_before_it_counts(
    api: Api, question: int, body: dict[str, Any], expected: str | None
) -> None:
    """R402, R021: PATCH with only the type, or only the answers, is checked against the stored value of the other."""
    url = f"{QUESTIONS}{question}/"
    before = ok(api.as_("creator").get(url))
    response = api.as_("creator").patch(url, json=body)
    if expected is None:
        assert refused(response, 400) == {"answers": "invalid"}
        assert ok(api.as_("creator").get(url)) == before
    else:
        found = ok(response)
        assert found["type"] == expected
        assert found["text"] == body.get("text", before["text"])
        if "answers" not in body:
            assert found["answers"] == before["answers"]


def test_delete_course_question_removes_it(api: Api) -> None:
    """R023, R413: 204 without a body; the rest of the quiz keeps its order, and no id is reused."""
    creator = api.as_("creator")
    attempt = ok(creator.get(f"{QUIZ}attempt/2/"))
    last = ok(creator.post(QUESTIONS, json=NEW), 201)
    for question in (2, last["id"]):
        response = creator.delete(f"{QUESTIONS}{question}/")
        assert (response.status_code, response.content) == (204, b"")
        assert refused(creator.get(f"{QUESTIONS}{question}/"), 404) == {"": "not_found"}
        assert refused(creator.delete(f"{QUESTIONS}{question}/"), 404) == {"": "not_found"}
    assert [row["id"] for row in ok(creator.get(QUESTIONS))] == [1, 3, 4]
    assert [row["id"] for row in ok(creator.get(QUIZ))["questions"]] == [1, 3, 4]
    again = ok(creator.post(QUESTIONS, json=NEW), 201)
    assert (again["id"], [row["id"] for row in again["answers"]]) == (17, [50, 51, 52])
    assert ok(creator.get(f"{QUIZ}attempt/2/")) == attempt


@pytest.mark.parametrize(("method", "body"), [("PATCH", {}), ("PUT", {"name": "Quiz: mixing colours", "type": "quiz"})])
@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ([4, 3, 2, 1], [4, 3, 2, 1]),
        ([3, 1], [3, 1]),
        ([], []),
        ([2, 2, 1], [2, 1]),
        ([1, 2, 3, 5], None),
        ([1, 99], None),
    ],
)
def test_patch_course_lesson_reorders_and_deletes_questions(
    api: Api, method: str, body: dict[str, Any], order: list[int], expected: list[int] | None
) -> None:
    """R406: questions_order reorders, deletes what it leaves out, refuses foreign ids; omitted, it does nothing."""
    creator = api.as_("creator")
    ok(creator.request(method, QUIZ, json=body))
    before = snapshot(api.world)
    response = creator.request(method, QUIZ, json={**body, "questions_order": order})
    if expected is None:
        assert refused(response, 400) == {"questions_order": "does_not_exist"}
        assert snapshot(api.world) == before
        return
    found = ok(response)
    assert "questions_order" not in found
    assert [row["id"] for row in found["questions"]] == expected
    assert [row["id"] for row in ok(creator.get(QUESTIONS))] == expected
    for question in range(1, 5):
        assert creator.get(f"{QUESTIONS}{question}/").status_code == (200 if question in expected else 404)
    assert [row["id"] for row in snapshot(api.world)["questions"] if row["lesson_id"] == 5] == sorted(expected)


# Forms


@pytest.mark.parametrize(
    "options",
    [
        {"json": {"text": "Well?", "type": "multi_choice"}},
        {"data": {"text": "Well?", "type": "multi_choice"}},
        {"files": [("text", (None, "Well?")), ("type", (None, "multi_choice"))]},
    ],
    ids=["json", "urlencoded", "multipart"],
)
def test_patch_course_question_reads_every_media_type(api: Api, options: dict[str, Any]) -> None:
    """R009, R012: a form may send everything except answers, and the answers stay."""
    found = ok(api.as_("manager").patch(f"{QUESTIONS}1/", **options))
    assert found == {**FIRST, "text": "Well?", "type": "multi_choice"}


@pytest.mark.parametrize(
    "fields",
    [
        [("type", "single_choice"), ("text", "?")],
        [("type", "single_choice"), ("text", "?"), ("answers", '[{"text": "Blue", "correct": true}]')],
        [("type", "single_choice"), ("text", "?"), ("answers[0]", '{"text": "Blue", "correct": true}')],
        [("type", "single_choice"), ("text", "?"), ("answers[0][text]", "Blue"), ("answers[0][correct]", "true")],
    ],
    ids=["none", "text", "indexed", "nested"],
)
@pytest.mark.parametrize("media", ["urlencoded", "multipart"])
@pytest.mark.parametrize(("method", "path"), [("POST", QUESTIONS), ("POST", QUIZ), ("PUT", f"{QUESTIONS}1/")])
def test_create_course_question_refuses_answers_in_forms(
    api: Api, method: str, path: str, media: str, fields: list[tuple[str, str]]
) -> None:
    """R012: a form cannot hold answers, and a 400 on that very field says so; nothing is stored."""
    before = snapshot(api.world)
    if media == "urlencoded":
        options: dict[str, Any] = {"content": urlencode(fields), "headers": FORM}
    else:
        options = {"files": [(name, (None, text)) for name, text in fields]}
    found = refused(api.as_("creator").request(method, path, **options), 400)
    assert set(found) == {"answers"}
    assert found["answers"] in ("required", "invalid")
    assert snapshot(api.world) == before


def test_create_course_question_at_lesson_is_create_course_question(api: Api) -> None:
    """R401: the path on the docs page and the path of the sibling operations do the same."""
    body = {"type": "multi_choice", "text": "Which?", "answers": [{"text": "This", "correct": True}, {"text": "That"}]}
    first, second = (api.as_("manager").post(path, json=body).json() for path in (QUIZ, QUESTIONS))
    assert second["id"] == first["id"] + 1
    assert {**first, "id": 0, "answers": []} == {**second, "id": 0, "answers": []}
    assert [question["id"] for question in api.as_("member").get(QUESTIONS).json()][-2:] == [first["id"], second["id"]]
