"""Three answers of the vendor's server, from January 2025, against ours: field for field, in their order.

The vendor's public stories show them: two courses of a search (react-ui, Courses/prefetchedCourses.ts) and a course
with its sections (CourseForm/CourseForm.stories.tsx). Here are only their shapes: a letter for what each value is like.

    i integer  b boolean  t text  e empty text  n null  d date and time  u URL below /upfiles/  ? null or left out

The third was turned into TypeScript by hand: null became undefined there, so that a null may have been anything empty.
"""

import asyncio
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from stubserver.app import StubServer
from stubserver.contract.contract import Contract
from stubserver.fixtures.fixture import load
from tests.support.answers import ok
from tests.support.client import Api
from tests.support.default import SETTINGS

Shape = Mapping[str, Any]

TAG = {
    **{"id": "i", "type": "t", "name": "t", "description": "e", "color": "t", "visible": "b", "visibility_boost": "b"},
    **{"active": "b", "deleted": "b", "created_at": "d"},
}
CATEGORY = {
    **{"id": "i", "tags": [], "followed": "b", "order": "i", "name": "t", "name_synonyms": "e", "slug": "t"},
    **{"slogan": "t", "html_info": "?", "seo_title": "e", "seo_description": "e", "auto_follow": "t", "active": "b"},
    **{"image_original": "u", "image_bigger": "u", "image_big": "u", "image_medium": "u", "image_small": "u"},
    **{"emotional_image_original": "u", "emotional_image_position": "i", "stream_order_by": "t"},
    "followers_counter": "i",
}
AUTHOR = {
    **{"id": "i", "username": "t", "real_name": "e", "avatar": "u", "ext_id": "?", "deleted": "b"},
    **{"followings_counter": "i", "followers_counter": "i", "posts_counter": "i", "discussions_counter": "i"},
    **{"polls_counter": "i", "categories_counter": "i", "date_joined": "d", "bio": "e", "location": "e"},
    **{"location_lat_lng": "?", "position_lat_lng": "?", "date_of_birth": "?", "description": "e", "gender": "t"},
    **{"website": "e", "cover": "?", "tags": [], "reputation": "i", "language": "t", "community_badge": "b"},
    **{"reg_approved": "b", "job": "t", "store": "t", "brand": "t", "race": "?"},
}
ADMIN: dict[str, Any] = {
    **AUTHOR,
    "real_name": "t",
    "bio": "t",
    "location": "t",
    "date_of_birth": "t",
    "description": "t",
}
ADMIN |= {"website": "t", "cover": "u", "tags": [TAG], "race": "t"}
PICTURES = {"image_bigger": "u", "image_big": "u", "image_medium": "u", "image_small": "u"}
FOUND = {
    **{"id": "i", "name": "t", "slug": "t", "type": "t", "privacy": "t", **PICTURES, "join_status": "t"},
    **{"created_at": "d", "created_by": AUTHOR, "categories": [CATEGORY]},
}
LESSON = {
    **{"id": "i", "course_id": "i", "section_id": "i", "name": "t", "type": "t", "status": "t"},
    "comments_enabled": "b",
}
SECTION = {
    **{"id": "i", "name": "t", "dripped_at": "n", "drip_delay": "i", "lessons_order": ["i", "i"]},
    "lessons": [LESSON, LESSON],
}
EDITED = {
    **{"id": "i", "name": "t", "slug": "t", "description": "t", "type": "t", "privacy": "e"},
    **{"enforce_lessons_order": "b", "new_comment_notification_enabled": "b", "hide_member_count": "b"},
    **{"meta_title": "e", "meta_description": "e", "og_title": "e", "og_description": "e", "og_image": "?"},
    **{"sections_order": ["i", "i"], **PICTURES, "join_status": "t", "user_completion_rate": "i"},
    **{"created_at": "d", "created_by": AUTHOR, "categories": [CATEGORY], "sections": [SECTION, SECTION]},
}
CAPTURES: Mapping[str, tuple[str, str, Shape]] = {
    "found by a manager": ("manager", "/course/search/?ordering=id", FOUND),
    "found by a member": ("member", "/course/search/", {**FOUND, "created_by": ADMIN, "categories": [CATEGORY] * 2}),
    "edited": ("author", "/course/3/?view=edit", EDITED),
}
"""Capture -> who asked for it, a request that has it as its (first) answer, and its shape."""

MINIMAL = ("id", "username", "real_name", "avatar", "community_badge", "deleted")
JANUARY = "the docs had the field later than January 2025"
SHORT = "the docs show authors in a short form since 31 January 2025; then they were full users"
IN_DOCS = "the docs' table has the field, and no capture shows that it is gone"
PLAIN = "nothing was uploaded for it here, and the docs allow null"
DIFFERENCES = {
    **dict.fromkeys(
        ("hide_member_count", "meta_title", "meta_description", "og_title", "og_description", "og_image"),
        ("found", "ours only", JANUARY + " in search results"),
    ),
    "user_completion_rate": ("found", "ours only", JANUARY),
    "deleted": ("", "ours only", "in the docs since 10 April 2025 (R126)"),
    **dict.fromkeys(
        (f"created_by.{name}" for name in AUTHOR if name not in MINIMAL),
        ("", "theirs only", SHORT),
    ),
    "created_by.deleted": ("", "order", SHORT + ", in which it comes last"),
    **dict.fromkeys(
        ("categories.content_only_staff", "categories.lastmod_datetime", "categories.parents"),
        ("", "ours only", IN_DOCS),
    ),
    **dict.fromkeys(("categories.image_original", "categories.emotional_image_original"), ("", "n for u", PLAIN)),
    **dict.fromkeys(
        ("categories.tags", "categories.followed", "categories.order", "categories.name_synonyms"),
        ("", "order", "ours is the order of the docs' table, which names the category first"),
    ),
    **dict.fromkeys(
        ("description", "enforce_lessons_order", "new_comment_notification_enabled", "sections_order"),
        ("edited", "order", "our schemas put what only some answers have after what all have"),
    ),
    **dict.fromkeys(("num_lessons", "num_sections"), ("edited", "ours only", JANUARY)),
    "sections.num_lessons": ("edited", "ours only", JANUARY),
    **dict.fromkeys(
        ("sections.lessons.course_id", "sections.lessons.section_id"),
        ("edited", "theirs only", "the docs no longer have them in this form of a lesson"),
    ),
    "sections.lessons.completion_status": ("edited", "ours only", JANUARY),
}
"""Field -> the captures that it is about (the beginning of their names), how it differs, and why."""

OLD = "2024-04-10T14:37:48.153981+02:00"
MINE: dict[str, Any] = {
    "name": "captures",
    "personas": [
        {"token": f"stub-{role}", "user": number, "role": role}
        for number, role in enumerate(("author", "manager", "member"), start=1)
    ],
    "users": [
        {"id": 1, "username": "team", "real_name": "", "community_badge": True, "date_joined": OLD},
        {"id": 2, "username": "one", "real_name": "One", "date_joined": OLD},
        {"id": 3, "username": "two", "real_name": "Two", "date_joined": OLD},
    ],
    "categories": [
        {"id": n, "name": f"Category {n}", "slug": f"category-{n}", "slogan": "Anything", "lastmod_datetime": "-1d"}
        for n in (1, 2)
    ],
    "courses": [
        {"id": number, "name": f"Course {number}", "slug": f"course-{number}", "created_by": 1, **course}
        for number, course in enumerate(
            (
                {"type": "structured", "privacy": "open", "categories": [1]},
                {"type": "scheduled", "privacy": "open", "categories": [1, 2]},
                {"type": "self-paced", "description": "Anything", "categories": [1]},
            ),
            start=1,
        )
    ],
    "sections": [{"id": number, "course_id": 3, "name": f"Section {number}"} for number in (1, 2)],
    "lessons": [
        {"id": n, "section_id": 1 + n % 2, "name": f"Lesson {n}", "type": "lesson", "created_by": 1, "created_at": OLD}
        for n in (1, 2, 3, 4)
    ],
    "memberships": [
        *({"course_id": number, "user_id": 1, "status": "creator"} for number in (1, 2, 3)),
        {"course_id": 1, "user_id": 2, "status": "manager"},
        {"course_id": 2, "user_id": 3, "status": "joined"},
    ],
}
"""The three courses as a fixture."""
TIMES = ("2025-01-16T14:52:24.400913+01:00", "2025-01-20T12:38:43.200219+01:00", "2025-01-24T12:32:32.087623+01:00")
for _course, _time in zip(MINE["courses"], TIMES, strict=True):
    _course["created_at"] = _time

DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{6})?[-+][0-9]{2}:[0-9]{2}"


def shape(value: Any) -> Any:
    """What a value is like, in the letters of the captures."""
    if isinstance(value, Mapping):
        return {name: shape(part) for name, part in value.items()}
    if isinstance(value, list):
        return [shape(part) for part in value]
    if not isinstance(value, str):
        return {bool: "b", int: "i", type(None): "n"}[type(value)]
    if re.fullmatch(DATE, value):
        return "d"
    return "e" if not value else "u" if re.match(r"https?://[^/]+(/[^/]+)?/upfiles/", value) else "t"


def differences(theirs: Shape, ours: Shape, above: str = "") -> Iterator[tuple[str, str]]:
    """Fields of which the two differ, and how: which one has it, in which order they come, or what they are like."""
    for name in {**theirs, **ours}:
        field = above + name
        if name not in ours:
            yield field, "theirs only"
        elif name not in theirs:
            yield field, "ours only"
        else:
            yield from _within(field, theirs[name], ours[name])
    common = [name for name in theirs if name in ours]
    order = [name for name in ours if name in theirs]
    while common != order:
        moved = next(name for name, other in zip(common, order, strict=True) if name != other)
        yield above + moved, "order"
        common.remove(moved)
        order.remove(moved)


def _within(field: str, theirs: Any, ours: Any) -> Iterator[tuple[str, str]]:
    if isinstance(theirs, Mapping):
        yield from differences(theirs, ours, f"{field}.")
    elif isinstance(theirs, list) and theirs:
        for their, our in zip(theirs, ours, strict=True):
            yield from _within(field, their, our)
    elif theirs != ours and not (theirs == "?" and ours == "n") and {theirs, ours} != {"e", "t"}:
        yield field, f"{ours} for {theirs}"


@pytest.fixture(scope="module")
def captured(contract: Contract, runner: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory) -> Api:
    """A server with the three courses."""
    file: Path = tmp_path_factory.mktemp("captures") / "captures.yaml"
    file.write_text(yaml.safe_dump(MINE))
    return Api(StubServer(contract, load(str(file), contract), SETTINGS), runner)


@pytest.mark.parametrize("name", CAPTURES)
def test_get_course_differs_from_captures_where_the_docs_do(captured: Api, name: str) -> None:
    """R014, R020, R107, R123, R128, R612: types, nulls, forms and the order of fields; each difference has a reason."""
    who, path, theirs = CAPTURES[name]
    body = ok(captured.as_(who).get(path))
    ours = shape(body["results"][0] if "results" in body else body)
    found = set(differences(theirs, ours))
    expected = {(field, how) for field, (of, how, _) in DIFFERENCES.items() if name.startswith(of)}
    assert found == expected


def test_get_course_differs_for_a_reason() -> None:
    """No row of the table is idle or says nothing."""
    assert all(reason for _, _, reason in DIFFERENCES.values())
    assert {how for _, how, _ in DIFFERENCES.values()} == {"ours only", "theirs only", "order", "n for u"}


@pytest.mark.parametrize(
    ("theirs", "ours", "found"),
    [
        ({"a": "i", "b": "t"}, {"b": "t", "a": "i"}, {("a", "order")}),
        ({"a": "i"}, {"a": "t"}, {("a", "t for i")}),
        ({"a": "n"}, {"a": "i"}, {("a", "i for n")}),
        ({"a": [{"b": "d"}]}, {"a": [{"c": "d"}]}, {("a.b", "theirs only"), ("a.c", "ours only")}),
        ({"a": "?"}, {"a": "n"}, set()),
    ],
)
def test_get_course_comparison_notices(theirs: Shape, ours: Shape, found: set[tuple[str, str]]) -> None:
    """R128: the comparison above."""
    assert set(differences(theirs, ours)) == found
