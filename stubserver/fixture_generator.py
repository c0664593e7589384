"""Large fixtures: worlds of any size, generated from a seed."""

import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from stubserver.contract.merging import load_yaml
from stubserver.contract.resources import folder

_SUBJECTS = ("Watercolour", "Sourdough", "Beekeeping", "Wood Carving", "Astronomy", "Darning", "Foraging", "Chess")
_LEVELS = ("for Beginners", "in Practice", "at the Weekend", "for the Curious", "Step by Step", "in Depth")
_FIRST = ("Ada", "Bram", "Cleo", "Dov", "Esme", "Finn", "Greta", "Hugo", "Iris", "Jory", "Kit", "Lena")
_LAST = ("Ashby", "Birch", "Crane", "Dale", "Elm", "Frost", "Grove", "Heath", "Ives", "Jarvis", "Kerr", "Lark")
_START = datetime(2025, 1, 1, tzinfo=UTC)


def generate(courses: int, seed: int) -> dict[str, Any]:
    """A fixture with that many courses and enough users for them; the same seed gives the same fixture."""
    draws = random.Random(seed)  # noqa: S311 (not a secret)
    personas = _personas()
    users = list(_users(len(personas) + max(7, courses // 5), personas, draws))
    data: dict[str, Any] = {
        "name": f"large-{courses}-{seed}",
        "about": f"{courses} generated courses.",
        "preferences": {"configurations.courses_only_staff_enabled": False},
        "personas": personas,
        "users": users,
        "categories": [
            {"id": number, "name": name, "slug": name.lower().replace(" ", "-"), "lastmod_datetime": _time(number)}
            for number, name in enumerate(_SUBJECTS, start=1)
        ],
    }
    tables = ("courses", "sections", "lessons", "questions", "memberships", "completions", "comments")
    data |= {table: [] for table in (*tables, "attempts", "medias")}
    ids = {table: count(1) for table in (*tables, "answers")}
    for number in range(1, courses + 1):
        _add_course(data, ids, number, draws)
    return data


def _personas() -> list[dict[str, Any]]:
    """The personas of the default fixture, without their descriptions."""
    default = load_yaml((folder("fixtures") / "default.yaml").read_text(encoding="utf-8"))
    return [{**persona, "about": ""} for persona in default["personas"]]


def _add_course(data: dict[str, Any], ids: Mapping[str, Iterator[int]], number: int, draws: random.Random) -> None:
    name = f"{draws.choice(_SUBJECTS)} {draws.choice(_LEVELS)} {number}"
    kind = draws.choice(("self-paced", "structured", "scheduled"))
    data["courses"].append(
        {
            "id": number,
            "name": name,
            "slug": name.lower().replace(" ", "-"),
            "description": f"{name}, with exercises and company.",
            "type": kind,
            "privacy": draws.choice(("open", "open", "private", "secret", "")),
            "categories": sorted(draws.sample(range(1, len(_SUBJECTS) + 1), draws.randrange(3))),
            "created_by": 1,
            "created_at": _time(number),
        }
    )
    lessons = [lesson for _ in range(2) for lesson in _add_section(data, ids, number, draws)]
    people = [(1, "creator"), (2, "manager"), (3, "joined"), (4, "invited"), (5, "requested")]
    others = draws.sample(range(len(data["personas"]) + 1, len(data["users"]) + 1), 3)
    for user, status in [*people, *((user, "joined") for user in others)]:
        inside = status in ("creator", "manager", "joined")
        done = lessons[: draws.randrange(len(lessons) + 1)] if user in others else []
        row = {"course_id": number, "user_id": user, "status": status, "joined_at": _time(number) if inside else None}
        data["memberships"].append({**row, "last_active_at": _time(number) if done else None})
        completion = {"user_id": user, "status": "completed", "at": _time(number)}
        data["completions"] += [{**completion, "lesson_id": lesson} for lesson in done]


def _add_section(
    data: dict[str, Any], ids: Mapping[str, Iterator[int]], course: int, draws: random.Random
) -> Iterator[int]:
    """Add a section of three lessons, the last of them a quiz; yields the ids of the lessons."""
    section = next(ids["sections"])
    data["sections"].append(
        {"id": section, "course_id": course, "name": f"Part {section}", "drip_delay": draws.choice((0, 7))}
    )
    for kind in ("lesson", "lesson", "quiz"):
        lesson = next(ids["lessons"])
        data["lessons"].append(
            {
                "id": lesson,
                "section_id": section,
                "name": f"{kind.capitalize()} {lesson}",
                "type": kind,
                "status": "published",
                "text": f"<p>What {kind} {lesson} is about.</p>",
                "created_by": 1,
                "created_at": _time(course),
            }
        )
        if kind == "quiz":
            _add_question(data, ids, lesson)
        else:
            _add_comment(data, ids, lesson, draws)
        yield lesson


def _add_question(data: dict[str, Any], ids: Mapping[str, Iterator[int]], lesson: int) -> None:
    answers = [{"id": next(ids["answers"]), "text": text, "correct": text == "Yes"} for text in ("Yes", "No")]
    question = {"id": next(ids["questions"]), "lesson_id": lesson, "type": "single_choice", "text": "Is that so?"}
    data["questions"].append({**question, "answers": answers})


def _add_comment(data: dict[str, Any], ids: Mapping[str, Iterator[int]], lesson: int, draws: random.Random) -> None:
    data["comments"].append(
        {
            "id": next(ids["comments"]),
            "lesson_id": lesson,
            "text": draws.choice(("<p>Thank you!</p>", "<p>That helped.</p>", "<p>Once more, please.</p>")),
            "created_by": 3,
            "created_at": _time(lesson),
        }
    )


def _users(number: int, personas: Sequence[Mapping[str, Any]], draws: random.Random) -> Iterator[dict[str, Any]]:
    staff = {persona["user"] for persona in personas if persona["role"] == "staff"}
    for user in range(1, number + 1):
        first, last = draws.choice(_FIRST), draws.choice(_LAST)
        yield {
            "id": user,
            "username": f"{first}_{last}_{user}".lower(),
            "real_name": f"{first} {last}",
            "date_joined": _time(user),
            "role": "admin" if user in staff else None,
        }


def _time(minutes: int) -> str:
    return (_START + timedelta(minutes=minutes)).isoformat()
