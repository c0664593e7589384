"""Rows of worlds as fixtures write them: without defaults, with times as they were written."""

from datetime import UTC, datetime, timedelta

import pytest

from stubserver.authoring.rows import Writing
from stubserver.contract.contract import Contract
from stubserver.fixtures.fixture import schema_of
from tests.support.default import NOW


@pytest.fixture
def writing(contract: Contract) -> Writing:
    return Writing(schema_of(contract), contract, NOW)


ROW = {
    "id": 1,
    "course_id": 2,
    "name": "S",
    "dripped_at": NOW - timedelta(days=3),
    "drip_delay": 0,
    "lessons_order": [7],
}


def test_a_time_that_is_the_same_stays_relative(writing: Writing) -> None:
    known = {"id": 1, "course_id": 2, "name": "Old", "dripped_at": "-3d"}
    expected = {"id": 1, "course_id": 2, "name": "S", "dripped_at": "-3d"}
    assert writing.written("sections", ROW, known) == expected


@pytest.mark.parametrize("known", [None, {}, {"dripped_at": "-4d"}, {"dripped_at": None}])
def test_any_other_time_is_absolute(writing: Writing, known: dict[str, str | None] | None) -> None:
    assert writing.written("sections", ROW, known)["dripped_at"] == "2026-11-20T12:00:00+00:00"


def test_what_has_a_default_is_left_out(writing: Writing) -> None:
    assert "dripped_at" not in writing.written("sections", {**ROW, "dripped_at": None}, None)
    assert writing.written("sections", {**ROW, "drip_delay": 7}, None)["drip_delay"] == 7


def test_rows_mean_the_same_however_they_are_written(writing: Writing) -> None:
    one = {"id": 1, "course_id": 2, "name": "S", "dripped_at": "-3d"}
    other = {"name": "S", "drip_delay": 0, "dripped_at": "2026-11-20T13:00:00+01:00", "course_id": 2, "id": 1}
    assert writing.means_the_same("sections", one, other)
    assert not writing.means_the_same("sections", one, {**other, "drip_delay": 1})
    assert not writing.means_the_same("sections", one, {**other, "dripped_at": None})


def test_an_attempt_is_written_as_what_was_chosen(writing: Writing) -> None:
    answers = [{"id": 5, "selected": True}, {"id": 6, "selected": False}, {"id": 7, "selected": True}]
    row = {"id": 1, "lesson_id": 2, "user_id": 3, "created_at": datetime(2026, 1, 1, tzinfo=UTC), "grade": 50}
    assert writing.written("attempts", {**row, "questions": [{"id": 4, "answers": answers}]}, None) == {
        "id": 1,
        "lesson_id": 2,
        "user_id": 3,
        "created_at": "2026-01-01T00:00:00+00:00",
        "responses": [{"question_id": 4, "selected_options": [5, 7]}],
    }
