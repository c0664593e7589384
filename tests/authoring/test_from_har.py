"""Fixtures of recordings: valid, without people, and a server with one answers what was recorded."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from stubserver.app import StubServer
from stubserver.authoring.from_har import Made, NothingRecorded, from_har
from stubserver.authoring.har_file import Found, read
from stubserver.contract.contract import Contract
from stubserver.exports.har import har
from stubserver.fixtures import lint
from stubserver.fixtures.fixture import load, schema_of
from tests.support.answers import ok
from tests.support.client import Api
from tests.support.default import NOW
from tests.support.recordings import course, entry, har_file, person
from tests.support.traffic import recorded

pytestmark = pytest.mark.in_process("looks into the server")

_PRIVATE = ("username", "real_name", "avatar", "ext_id", "bio", "location", "description")
"""What is replaced in a person."""
_UNKNOWN = ("date_joined", "email")
_SIZES = ("image_bigger", "image_big", "image_medium", "image_small")
_PICTURES = (*_SIZES, "image_original", "image", "image_thumbnail", "og_image")


def made(tmp_path: Path, contract: Contract, *entries: Any) -> Made:
    """The fixture of some entries, which passes validation."""
    found = Found()
    read(har_file(tmp_path / "x.har", entries), contract, found)
    result = from_har(found.exchanges, contract, NOW)
    file = tmp_path / "made.yaml"
    file.write_text(result.text(["A test."]), encoding="utf-8")
    mistakes = lint.found_in(file, schema_of(contract), NOW)
    assert [mistake.labelled() for mistake in mistakes if mistake.severity == "error"] == []
    return result


def recording(api: Api) -> Iterator[Any]:
    """The requests in the journal of a server, as a browser would have recorded them."""
    content = json.loads(json.dumps(har([recorded(api)], "http://x"), default=str))
    yield from content["log"]["entries"]


def look_around(api: Api) -> list[str]:
    """Open everything that a course manager's and a member's pages show of two courses."""
    paths = ["/user/me/", "/category/", "/course/search/?limit=100", "/course/?statuses=joined&limit=100"]
    for number in (1, 3):
        paths += [f"/course/{number}/", f"/course/{number}/section/", f"/course/{number}/status/"]
        for section in ok(api.as_("creator").get(f"/course/{number}/?view=edit"))["sections"]:
            below = f"/course/{number}/section/{section['id']}/"
            paths += [below, f"{below}lesson/"]
            for lesson in section["lessons"]:
                own = f"{below}lesson/{lesson['id']}/"
                paths += [own, f"{own}comment/?limit=100"] + [f"{own}question/"] * (lesson["type"] == "quiz")
    paths += ["/course/1/?view=edit", "/course/1/users/?limit=100", "/course/1/comment/?limit=100", "/course/1/quiz/"]
    for persona in ("creator", "member"):
        for path in paths:
            api.as_(persona).get(path)
    return paths


def reduced(value: Any) -> Any:
    """An answer without what is not in the fixture, on purpose or because nobody saw it."""
    if isinstance(value, list):
        return [reduced(part) for part in value]
    if not isinstance(value, dict):
        return value
    left_out = {*_PICTURES, *_UNKNOWN, "html" if "in_reply_to" in value else ""}
    if "username" in value:
        left_out |= {*_PRIVATE}
    return {name: reduced(part) for name, part in value.items() if name not in left_out}


def test_a_server_with_it_answers_what_was_recorded(
    api: Api, contract: Contract, tmp_path: Path, runner: asyncio.Runner
) -> None:
    """Every GET of two people, compared value by value. Nobody saw others' attempts, nor what lies behind the progress
    in courses that were not opened."""
    paths = look_around(api)
    result = made(tmp_path, contract, *recording(api))
    app = StubServer(contract, load(str(tmp_path / "made.yaml"), contract, NOW), api.app.settings)
    app.worlds.reset().clock.freeze(NOW)
    other = Api(app, runner)
    differences = {}
    for persona in ("creator", "member"):
        for path in (path for path in paths if not path.endswith("/quiz/")):
            one, two = (reduced_answer(each, persona, path) for each in (api, other))
            if one != two:
                differences[persona, path] = [*_differences("", one, two)][:5]
    assert not differences, "\n".join(f"{key}: {value}" for key, value in differences.items())
    assert result.odd == 0
    assert "left out: attempts whose answers nobody saw: 3" in result.unknown
    assert "left out: members whose progress is only a percentage: 5" in result.unknown


def reduced_answer(api: Api, persona: str, path: str) -> Any:
    answer = api.as_(persona).get(path)
    content = answer.json()
    for row in content.get("results", ()) if isinstance(content, dict) else ():
        row.pop("user_completion_rate", None)
    return answer.status_code, reduced(content)


def _differences(where: str, one: Any, other: Any) -> Iterator[str]:
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for name in {**one, **other}:
            yield from _differences(f"{where}.{name}", one.get(name), other.get(name))
    elif isinstance(one, list | tuple) and isinstance(other, list | tuple) and len(one) == len(other):
        for number, (left, right) in enumerate(zip(one, other, strict=True)):
            yield from _differences(f"{where}[{number}]", left, right)
    elif one != other:
        yield f"{where}: {one!r} recorded, {other!r} answered"


def test_nobody_is_in_it(api: Api, contract: Contract, tmp_path: Path) -> None:
    """No name, no username, no picture, no word."""
    look_around(api)
    text = made(tmp_path, contract, *recording(api)).text([])
    people = [row for row in api.world.users if f"id: {row['id']}\n" in text]
    assert len(people) > 10
    for row in people:
        for field in ("username", "real_name", "avatar", "bio", "description", "ext_id"):
            assert not row[field] or row[field] not in text, row[field]
    for comment in api.world.comments:
        assert comment["text"] not in text


def test_the_same_recording_makes_the_same_fixture(api: Api, contract: Contract, tmp_path: Path) -> None:
    look_around(api)
    entries = [*recording(api)]
    assert made(tmp_path, contract, *entries).text([]) == made(tmp_path, contract, *entries).text([])


def test_a_single_answer_is_enough(contract: Contract, tmp_path: Path) -> None:
    """What it does not say is said."""
    result = made(tmp_path, contract, entry("/course/3/", course(3, join_status="joined")))
    assert result.data["courses"][0]["name"] == "Course of 3"
    assert [row["status"] for row in result.data["memberships"]] == ["creator"]
    assert result.data["personas"] == [{"token": "stub-user-1", "user": 1, "role": "creator"}]
    assert result.unknown == [
        "not recorded: date_joined of 1 row in users",
        "not recorded: whose status answers show, for want of GET /user/me/: 1",
    ]
    text = result.text(["Heading."], ["more"])
    assert text.startswith("# Heading.\n# - not recorded: date_joined of 1 row in users\n")
    assert yaml.safe_load(text) == result.data


def test_callers_have_tokens(contract: Contract, tmp_path: Path) -> None:
    """That of a stub server, or one of their own."""
    one, two = ({"Authorization": f"Bearer {name}"} for name in ("one", "two"))
    stub = entry("/user/me/", person(6), headers=two) | {"_persona": "stub-member"}
    result = made(tmp_path, contract, entry("/user/me/", person(5), headers=one), stub)
    assert result.data["personas"] == [
        {"token": "stub-user-5", "user": 5, "role": "caller"},
        {"token": "stub-member", "user": 6, "role": "caller"},
    ]
    assert "one" not in json.dumps(result.data)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"type": "unheard-of"}, "type"),
        ({"privacy": "unheard-of"}, "privacy"),
        ({"created_at": "yesterday"}, "created_at"),
        ({"created_at": "2025-02-31T00:00:00+00:00"}, "created_at"),
        ({"hide_member_count": "maybe"}, "hide_member_count"),
        ({"slug": "not a slug", "name": ""}, "name"),
        ({"name": 3}, "name"),
    ],
    ids=str,
)
def test_values_that_no_fixture_may_have_are_left_out(
    contract: Contract, tmp_path: Path, changes: Any, field: str
) -> None:
    """Or else the row; either is said."""
    result = made(tmp_path, contract, entry("/course/3/", course(3, **changes)), entry("/course/4/", course(4)))
    rows = {row["id"]: row for row in result.data["courses"]}
    assert 4 in rows
    assert 3 not in rows or changes.get(field) != rows[3].get(field)
    assert any("courses" in line for line in result.unknown)


def test_courses_of_the_same_name_do_not_collide(contract: Contract, tmp_path: Path) -> None:
    """Names are unique in fixtures; the second one is left out."""
    result = made(
        tmp_path, contract, entry("/course/3/", course(3)), entry("/course/4/", course(4, name="Course of 3"))
    )
    assert [row["id"] for row in result.data["courses"]] == [3]
    assert "left out: 1 row in courses of which too little is known" in result.unknown


@pytest.mark.parametrize("entries", [[], [entry("/feature/", {"results": []})], [entry("/course/", {"results": []})]])
def test_nothing_makes_no_fixture(contract: Contract, tmp_path: Path, entries: Any) -> None:
    with pytest.raises(NothingRecorded, match="shows a course, a person"):
        made(tmp_path, contract, *entries)


def test_preferences_that_differ_are_kept(contract: Contract, tmp_path: Path) -> None:
    preferences = {"application_name": "Sea", "unknown": "x"}
    page = [{"id": 1, "section": "text", "name": name, "value": value} for name, value in preferences.items()]
    odd = {"id": 3, "section": "configurations", "name": "courses_enabled", "value": "perhaps"}
    result = made(
        tmp_path,
        contract,
        entry("/dynamic_preference/", {"results": [*page, odd]}),
        entry("/feature/", {"results": [{"id": 1, "name": "course", "enabled": True}]}),
        entry("/user/me/", person(5)),
    )
    assert (result.data["preferences"], result.data["features"]) == ({"text.application_name": "Sea"}, ["course"])
    assert "not recorded: value of 1 row in preferences" in result.unknown


def test_later_is_not_now(api: Api, contract: Contract, tmp_path: Path, runner: asyncio.Runner) -> None:
    """Times are those that were recorded, whenever the server starts."""
    api.as_("creator").get("/user/me/")
    answer = ok(api.as_("creator").get("/course/1/"))
    made(tmp_path, contract, *recording(api))
    later = NOW + timedelta(days=30)
    app = StubServer(contract, load(str(tmp_path / "made.yaml"), contract, later))
    assert ok(Api(app, runner, "creator").get("/course/1/"))["created_at"] == answer["created_at"]


def test_rows_stand_in_the_order_in_which_they_were_shown(contract: Contract, tmp_path: Path) -> None:
    lessons = [{"id": number, "name": f"L{number}", "type": "lesson", "status": "published"} for number in (21, 20)]
    sections = [
        {"id": number, "name": f"S{number}", "lessons_order": order, "lessons": shown}
        for number, order, shown in ((11, [21, 20], lessons), (10, [], []))
    ]
    result = made(tmp_path, contract, entry("/course/3/", course(3, sections_order=[11, 10], sections=sections)))
    assert [row["id"] for row in result.data["sections"]] == [11, 10]
    assert [row["id"] for row in result.data["lessons"]] == [21, 20]


def test_comments_say_something_else(contract: Contract, tmp_path: Path) -> None:
    comment = {"id": 30, "html": "<p>Secret</p>", "created_at": "2025-01-01T00:00:00+00:00", "created_by": person(5)}
    section = {"id": 1, "name": "S", "lessons_order": [20]}
    result = made(
        tmp_path,
        contract,
        entry("/course/3/section/", [section]),
        entry("/course/3/section/1/lesson/20/comment/", {"results": [comment]}),
    )
    assert [row["text"] for row in result.data["comments"]] == ["<p>Comment 30.</p>"]
