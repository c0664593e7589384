"""What answers say about rows."""

from pathlib import Path
from typing import Any

import pytest

from stubserver.authoring.answers import Answers
from stubserver.authoring.har_file import Found, read
from stubserver.authoring.known import Known
from stubserver.contract.contract import Contract
from tests.support.recordings import course, entry, har_file, person

ME = entry("/user/me/", person(5))
ANSWERS = [{"id": 1, "text": "A", "correct": True}, {"id": 2, "text": "B", "correct": False}]
QUESTION = {"id": 9, "type": "single_choice", "text": "Which?", "image": None, "answers": ANSWERS}


@pytest.fixture
def known(tmp_path: Path, contract: Contract) -> Any:
    """What some entries say; all of them have the form that the contract says."""

    def of(*entries: Any, odd: int = 0) -> Known:
        found, answers = Found(), Answers(contract)
        read(har_file(tmp_path / "x.har", entries), contract, found)
        assert answers.read(found.exchanges) == odd
        return answers.known

    return of


def page(*results: Any) -> Any:
    return {"count": len(results), "next": None, "previous": None, "results": [*results]}


def test_courses_people_and_categories(known: Any) -> None:
    category = {"id": 7, "name": "Sea", "slug": "sea", "lastmod_datetime": "2025-01-01T00:00:00+00:00", "extra": 1}
    found = known(entry("/course/search/", page(course(3, categories=[category]), course(4))))
    assert [*found.tables["courses"]] == [3, 4]
    assert found.tables["courses"][3]["categories"] == [7]
    assert found.tables["categories"][7] == {name: category[name] for name in category if name != "extra"}
    assert found.tables["users"][1]["username"] == "secret1"


def test_sections_lessons_and_their_order(known: Any) -> None:
    lesson = {"id": 20, "name": "L", "type": "lesson", "status": "published", "completion_status": "completed"}
    section = {
        "id": 10,
        "name": "S",
        "dripped_at": None,
        "drip_delay": 0,
        "lessons_order": [21, 20],
        "lessons": [lesson],
    }
    found = known(ME, entry("/course/3/", course(3, sections_order=[11, 10], sections=[section])))
    assert found.orders == {("sections", 3): [11, 10], ("lessons", 10): [21, 20]}
    assert found.tables["sections"][10]["course_id"] == 3
    assert found.tables["lessons"][20]["section_id"] == 10
    assert found.tables["completions"] == {(5, 20): {"user_id": 5, "lesson_id": 20, "status": "completed"}}


def test_lists_show_an_order(known: Any) -> None:
    sections: Any = [{"id": number, "name": "S", "lessons_order": []} for number in (12, 11)]
    questions = [{**QUESTION, "id": number} for number in (9, 8)]
    found = known(entry("/course/3/section/", sections), entry("/course/3/section/12/lesson/20/question/", questions))
    assert found.orders == {("sections", 3): [12, 11], ("questions", 20): [9, 8]}


def test_what_some_do_not_see_is_not_lost(known: Any) -> None:
    """Whoever is outside sees no description; a member is not told which answer is correct."""
    unseen = {**QUESTION, "answers": [{"id": answer["id"], "text": answer["text"]} for answer in ANSWERS]}
    path = "/course/3/section/12/lesson/20/question/"
    found = known(
        entry("/course/3/", course(3)),
        entry("/course/3/", course(3, description="", sections_order=[])),
        entry(path, [QUESTION]),
        entry(path, [unseen]),
    )
    assert found.tables["courses"][3]["description"] == "All of it"
    assert found.tables["questions"][9]["answers"] == ANSWERS


def test_the_newest_answer_counts(known: Any) -> None:
    found = known(entry("/course/3/", course(3)), entry("/course/3/", course(3, name="Knots"), method="PATCH"))
    assert found.tables["courses"][3]["name"] == "Knots"


@pytest.mark.parametrize(
    ("entries", "memberships"),
    [
        ([ME, entry("/course/3/status/", {"status": "joined"})], {(3, 5): "joined"}),
        ([ME, entry("/course/3/", course(3, join_status="invited"))], {(3, 5): "invited"}),
        ([ME, entry("/course/3/?user=8", course(3, join_status="joined"))], {(3, 8): "joined"}),
        ([entry("/course/3/join/", page(person(6)))], {(3, 6): "joined"}),
        ([entry("/course/3/invite/", page(person(6)))], {(3, 6): "invited"}),
        ([entry("/course/3/request_join/", page(person(6)))], {(3, 6): "requested"}),
        ([entry("/course/3/user/", page(person(6)))], {}),
        (
            [
                entry("/course/3/users/", page(person(6, join_status="manager", joined_at=None, last_active_at=None))),
                entry("/course/3/join/", page(person(6))),
            ],
            {(3, 6): "manager"},
        ),
    ],
    ids=range(8),
)
def test_memberships(known: Any, entries: Any, memberships: Any) -> None:
    found = known(*entries).tables.get("memberships", {})
    assert {key: row["status"] for key, row in found.items()} == memberships


def test_callers_are_told_apart_by_their_credentials(known: Any) -> None:
    one, two = ({"Authorization": f"Bearer {name}"} for name in ("one", "two"))
    found = known(
        entry("/course/3/", course(3, join_status="joined"), headers=two),
        entry("/user/me/", person(5), headers=one),
        entry("/user/me/", person(6), headers=two),
        entry("/course/4/", course(4, join_status="manager"), headers=one),
        entry("/course/4/", course(4, join_status="joined")),
    )
    assert [*found.tables["memberships"]] == [(3, 6), (4, 5)]
    assert found.nameless == 1


def test_comments_with_replies(known: Any) -> None:
    reply = {"id": 31, "html": "b", "parent": 30, "in_reply_to": None, "created_at": "t", "created_by": person(6)}
    thread = {"id": 30, "html": "a", "parent": None, "in_reply_to": None, "created_at": "t", "created_by": person(5)}
    extras = {"course": {"id": 3, "slug": "x"}, "section": {"id": 1, "name": "x"}, "lesson": {"id": 20, "name": "x"}}
    for one in (
        entry("/course/3/comment/", page({**thread, "replies": [reply], "extras": extras})),
        entry("/course/3/section/1/lesson/20/comment/", page({**thread, "latest_reply": reply})),
    ):
        found = known(one).tables["comments"]
        assert {key: (row["lesson_id"], row["created_by"], row.get("parent")) for key, row in found.items()} == {
            30: (20, 5, None),
            31: (20, 6, 30),
        }
        assert {row["text"] for row in found.values()} == {"x"}


def test_attempts_say_what_was_selected(known: Any) -> None:
    answers = [{**answer, "selected": answer["id"] == 2} for answer in ANSWERS]
    attempt = {"id": 40, "lesson_id": 20, "created_at": "t", "user": person(5)}
    body = {**attempt, "quiz_attempt": {"questions": [{**QUESTION, "answers": answers}]}}
    found = known(entry("/course/3/section/1/lesson/20/attempt/40/", body))
    assert found.tables["attempts"][40]["responses"] == [{"question_id": 9, "selected_options": [2]}]


def test_uploads_keep_no_address(known: Any) -> None:
    lesson = {"id": 20, "name": "L", "type": "lesson", "status": "published", "html": "x", "created_by": person(1)}
    medias = [
        {"id": n, "type": kind, "url": "https://secret.example/", "image": "x"} for n, kind in ((1, "doc"), (2, "url"))
    ]
    found = known(entry("/course/3/section/1/lesson/20/", {**lesson, "medias": medias, "created_at": "t"}))
    assert found.tables["medias"] == {
        1: {"id": 1, "type": "doc"},
        2: {"id": 2, "type": "url", "url": "https://secret.example/"},
    }
    assert found.tables["lessons"][20]["medias"] == [1, 2]


def test_deletions(known: Any) -> None:
    found = known(
        entry("/course/3/", method="DELETE", status=204), entry("/course/3/section/4/", method="DELETE", status=204)
    )
    assert found.deleted == {("courses", 3), ("sections", 4)}


def test_preferences_and_features(known: Any) -> None:
    preference = {"id": 1, "section": "text", "name": "application_name", "value": "Sea"}
    features = [{"id": n, "name": name, "enabled": n == 1} for n, name in ((1, "course"), (2, "live"))]
    found = known(entry("/dynamic_preference/", page(preference)), entry("/feature/", page(*features)))
    assert (found.preferences, found.features) == ({"text.application_name": "Sea"}, ["course"])


@pytest.mark.parametrize("body", [3, "x", None, [], {}, {"id": 3, "categories": [3]}, {"results": 3}, [None]])
@pytest.mark.parametrize("path", ["/course/3/", "/course/", "/course/3/section/", "/user/me/", "/course/3/comment/"])
def test_odd_answers_break_nothing(known: Any, path: str, body: Any) -> None:
    """They are counted, unless they say nothing at all."""
    try:
        known(entry(path, body), odd=1)
    except AssertionError:
        known(entry(path, body), odd=0)
