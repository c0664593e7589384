"""One course of a generated fixture: names and slugs that no other course has."""

import random
from itertools import count
from typing import Any

import pytest

from stubserver.authoring.courses import CourseDraw
from stubserver.authoring.phrases import Language, categories
from stubserver.authoring.shapes import PLAIN
from stubserver.authoring.writer import Writer

WORDS: dict[str, Any] = {
    "subjects": {area: ["Knots & Bends"] for area in categories()},
    "names": ["{subject}"],
    "descriptions": ["By {name}."],
    "sections": ["One", "Two", "Three"],
    "lessons": ["A", "B"],
    "quiz": "Quiz {lesson}",
    "sentences": ["Yes."],
    "points": ["a rope", "a hand"],
    "media": ["A picture"],
    "questions": [{"text": "Why?", "right": ["So"], "wrong": ["Not so"]}],
    "comments": ["From {place}, <b>with love</b>"],
    "replies": ["Thanks, {name}"],
    "bios": [],
}


def drawn(courses: int) -> dict[str, list[dict[str, Any]]]:
    data: dict[str, Any] = {"users": [{"id": number} for number in range(1, 15)]}
    tables = "courses sections lessons medias memberships completions questions attempts comments".split()
    data |= {table: [] for table in tables}
    ids = {table: count(1) for table in (*tables, "answers")}
    taken: set[str] = set()
    for number in range(1, courses + 1):
        draws = random.Random(number)  # noqa: S311
        writer = Writer(Language(1, WORDS, ["Ada & Co"], ["Ely"]), draws)
        CourseDraw(data, ids, taken, PLAIN, writer, [*categories()], draws).add(number)
    return data


def test_a_name_that_is_taken_gets_the_town_and_then_a_number() -> None:
    names = [row["name"] for row in drawn(4)["courses"]]
    assert names == ["Knots & Bends", "Knots & Bends · Ely", "Knots & Bends · Ely (2)", "Knots & Bends · Ely (3)"]


def test_a_slug_has_only_what_the_contract_allows() -> None:
    assert [row["slug"] for row in drawn(3)["courses"]] == [
        "knots-bends-1",
        "knots-bends-ely-2",
        "knots-bends-ely-2-3",
    ]


@pytest.mark.parametrize("table", ["sections", "lessons"])
def test_names_in_a_course_differ_until_there_are_no_more(table: str) -> None:
    for number in range(1, 20):
        data = drawn(number)
        sections = [row["id"] for row in data["sections"] if row["course_id"] == number]
        rows = [row for row in data["lessons"] if row["section_id"] in sections] if table == "lessons" else data[table]
        names = [row["name"].removeprefix("Quiz ") for row in rows if table == "lessons" or row["id"] in sections]
        assert len({*names}) == min(len(names), len(WORDS[table])), names
