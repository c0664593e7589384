"""Generated fixtures: communities of any size and of several shapes, drawn from a seed.

All times are relative to the start of the server, so that a community never grows old.
"""

import random
import re
import unicodedata
from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any

from stubserver.authoring.courses import CourseDraw
from stubserver.authoring.draws import ago, between, capped
from stubserver.authoring.phrases import Language, categories, languages
from stubserver.authoring.shapes import PLAIN, PRESETS, Shape
from stubserver.authoring.writer import Writer
from stubserver.contract.merging import load_yaml
from stubserver.contract.resources import folder

_TABLES = (
    "courses",
    "sections",
    "lessons",
    "medias",
    "memberships",
    "completions",
    "questions",
    "attempts",
    "comments",
)
_YEAR = 365 * 24 * 60
_DESCRIPTION, _LOCATION, _NAME = 50, 100, 255
"""Characters that a user's description, location and name may have."""


def generate(courses: int | None, seed: int, preset: str | None = None) -> dict[str, Any]:
    """A fixture with that many courses (default: as many as the preset has) and enough users for them; the same seed
    gives the same fixture. Raises ValueError if the preset has no such number of courses, and NoFaker."""
    shape = PRESETS[preset] if preset else PLAIN
    number = _number(courses, shape, preset)
    draws = random.Random(seed)  # noqa: S311 (not a secret)
    spoken = languages(seed)
    personas = _personas()
    people = max(shape.people, len(personas) + number // 5)
    areas = categories()
    data: dict[str, Any] = {
        "name": f"{preset or 'large'}-{number}-{seed}",
        "about": f"{number} generated courses.",
        "preferences": {"configurations.courses_only_staff_enabled": False},
        "personas": personas,
        "users": list(_users(people, personas, spoken, draws, shape)),
        "categories": list(_categories(areas)),
        **{table: [] for table in _TABLES},
    }
    ids = {table: count(1) for table in (*_TABLES, "answers")}
    taken: set[str] = set()
    for course in range(1, number + 1):
        (language,) = draws.choices(spoken, [language.weight for language in spoken])
        CourseDraw(data, ids, taken, shape, Writer(language, draws), [*areas], draws).add(course)
    return data


def _number(courses: int | None, shape: Shape, preset: str | None) -> int:
    if courses is None:
        if shape.courses is None:
            raise ValueError("say how many courses there shall be, with --courses, or choose a --preset")
        return shape.courses
    if courses > shape.most:
        most = f"at most {shape.most}" if shape.most > 1 else f"{shape.most}, so leave --courses out"
        raise ValueError(f"--courses {courses} contradicts --preset {preset}: its number of courses is {most}")
    return courses


def _personas() -> list[dict[str, Any]]:
    """The personas of the default fixture, without their descriptions."""
    default = load_yaml((folder("fixtures") / "default.yaml").read_text(encoding="utf-8"))
    return [{**persona, "about": ""} for persona in default["personas"]]


def _categories(areas: Mapping[str, Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    for number, area in enumerate(areas.values(), start=1):
        slug = area["name"].lower().replace(" ", "-")
        yield {"id": number, **area, "slug": slug, "order": number, "lastmod_datetime": ago(2 * _YEAR)}


def _users(
    number: int, personas: list[dict[str, Any]], spoken: list[Language], draws: random.Random, shape: Shape
) -> Iterator[dict[str, Any]]:
    staff = {persona["user"] for persona in personas if persona["role"] == "staff"}
    for user in range(1, number + 1):
        (language,) = draws.choices(spoken, [language.weight for language in spoken])
        name = draws.choice(language.people)
        if shape.long and user % 3 == 0:
            name = " ".join(draws.choice(language.people) for _ in range(20))
        found = {
            "id": user,
            "username": _username(name, user),
            "real_name": capped(name, _NAME),
            "date_joined": ago(between(draws, (2 * _YEAR, 3 * _YEAR))),
            "bio": draws.choice(["", *language.words["bios"]]),
            "location": capped(draws.choice(language.places), _LOCATION) if draws.random() < 0.7 else "",
            "description": capped(draws.choice(["", *language.words["bios"]]), _DESCRIPTION),
            "role": "admin" if user in staff else None,
            "community_badge": user in staff,
        }
        picture = draws.random()
        if picture < 0.6:
            found["avatar"] = f"/upfiles/avatars/{user}/resized/209/209/{draws.getrandbits(128):032x}.png"
        elif picture < 0.65:
            found["avatar"] = None
        yield found


def _username(name: str, user: int) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = re.findall("[a-z]+", plain)[:3] or ["learner"]
    return "_".join([*words, str(user)])
