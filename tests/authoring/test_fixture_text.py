"""Fixtures as YAML: what is written is what is read, and people can read it, too."""

import pytest
import yaml

from stubserver.authoring.fixture_text import fixture_text

DATA = {
    "extends": "default",
    "courses": [
        {"id": 1, "name": "Knots", "categories": [1, 2], "created_at": "-3d"},
        {"id": 2, "name": "", "x": None},
    ],
    "memberships": [{"course_id": 1, "user_id": 2, "status": "joined", "joined_at": "2026-01-01T00:00:00+00:00"}],
    "questions": [{"id": 1, "text": "Why?", "answers": [{"id": 1, "text": "Yes", "correct": True}]}],
    "remove": {"lessons": [1, 2], "memberships": [[1, 3]]},
}
TEXT = """\
# One.
# Two lines.
extends: default

courses:
- id: 1
  name: Knots
  categories: [1, 2]
  created_at: -3d
- id: 2
  name: ''
  x: null

memberships:
- {course_id: 1, user_id: 2, status: joined, joined_at: '2026-01-01T00:00:00+00:00'}

questions:
- id: 1
  text: Why?
  answers:
  - {id: 1, text: 'Yes', correct: true}

remove:
  lessons: [1, 2]
  memberships: [[1, 3]]
"""


def test_it_reads_as_people_would_write_it() -> None:
    assert fixture_text(DATA, ["One.", "Two\nlines."]) == TEXT


@pytest.mark.parametrize(
    "text",
    ["", " ", "yes", "1", "null", "-3d", "# no comment", "a: b", "- x", "'", '"', "a\nb\n", "\ttab", "\x85", "\u2028",
     "👋🏽", "مرحبا", "&a *a", "{x}", "x" * 5000, "a " * 5000, "\x7f", "\ufeff", "|", ">", "%", "@", "`", "!tag"],
    ids=range(29),
)  # fmt: skip
def test_any_text_is_read_as_it_was_written(text: str) -> None:
    data = {"courses": [{"name": text}], "sections": [{"name": text}], "about": text}
    assert yaml.safe_load(fixture_text(data, [text])) == data


def test_the_same_list_twice_is_written_twice() -> None:
    same = [1, 2]
    assert "*" not in fixture_text({"courses": [{"categories": same}, {"categories": same}]}, [])
