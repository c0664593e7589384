"""Removing rows: everything that belonged to them goes, and nothing else does."""

import pytest

from stubserver.api import removal
from stubserver.worlds.world import World
from tests.support.default import NOW
from tests.support.rows import snapshot


def gone(world: World, before: dict[str, list[dict[str, int]]]) -> dict[str, int]:
    """How many rows of each table are gone; the rest must be unchanged."""
    after = snapshot(world)
    lost = {name: [row for row in rows if row not in after[name]] for name, rows in before.items()}
    assert {name: [row for row in before[name] if row in after[name]] for name in before} == after
    return {name: len(rows) for name, rows in lost.items() if rows}


def within_course(world: World, course: int) -> dict[str, int]:
    """How many rows of each table belong to a course, counted from the bottom up."""
    section_of = {lesson["id"]: lesson["section_id"] for lesson in world.lessons}
    course_of = {section["id"]: section["course_id"] for section in world.sections}
    below = ("questions", "attempts", "comments", "completions")
    found = {
        name: sum(course_of[section_of[row["lesson_id"]]] == course for row in table(world, name)) for name in below
    }
    found["lessons"] = sum(course_of[section] == course for section in section_of.values())
    for name in ("sections", "memberships"):
        found[name] = sum(row["course_id"] == course for row in table(world, name))
    return {name: count for name, count in {**found, "courses": 1}.items() if count}


def table(world: World, name: str) -> list[dict[str, int]]:
    return snapshot(world)[name]


@pytest.mark.parametrize("course", range(1, 16))
def test_a_course_takes_all_that_lies_in_it_along(world: World, course: int) -> None:
    """R126."""
    before, expected = snapshot(world), within_course(world, course)
    removal.remove_course(world, world.courses[course])
    assert gone(world, before) == expected


def test_a_section_takes_its_lessons_along(world: World) -> None:
    """R303: the quiz goes with its questions and attempts; lessons of other sections stay."""
    before = snapshot(world)
    removal.remove_section(world, world.sections[2])
    lost = gone(world, before)
    assert (lost["sections"], lost["lessons"], lost["questions"], lost["attempts"]) == (1, 3, 4, 3)
    assert not {"courses", "memberships"} & set(lost)


def test_a_comment_takes_its_replies_along(world: World) -> None:
    """R513."""
    before = snapshot(world)
    removal.remove_comment(world, world.comments[5])
    assert gone(world, before) == {"comments": 4}
    assert [row["id"] for row in world.comments.where("parent", 5)] == []


def test_who_replied_to_a_comment_that_is_gone_replies_to_nobody(world: World) -> None:
    """R513: the reply itself stays where it is."""
    reply = {**world.comments[3], "id": 99, "created_at": NOW}
    world.comments.put({**reply, "in_reply_to": 2})
    removal.remove_comment(world, world.comments[2])
    assert 2 not in world.comments
    assert [world.comments[number]["in_reply_to"] for number in (3, 99)] == [None, None]
    assert [world.comments[number]["parent"] for number in (3, 99)] == [1, 1]
    assert world.comments[7]["in_reply_to"] == 6
