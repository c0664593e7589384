"""The moments that a world has still to reach, and on which its answers depend."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple

from stubserver.api.rules import available_date
from stubserver.worlds.base import Row
from stubserver.worlds.world import World

MAX_MEMBERS = 5000
"""How many memberships are looked at, in courses that open section by section for each member."""
MAX_MOMENTS = 1000
"""How many moments are told; there are only more if very much is to come."""


class Moment(NamedTuple):
    """A moment on which an answer depends."""

    at: datetime
    kind: str
    """`section_opens`, `token_expires` or `upload_expires`."""
    table: str
    key: str
    user: int | None
    """The only user whom it concerns; None if it is for all."""
    what: str

    def shown(self) -> Mapping[str, Any]:
        """All documented fields of a Moment."""
        return self._asdict()


def moments(world: World, now: datetime) -> tuple[list[Moment], bool]:
    """What comes after `now`, the nearest first, and whether there are so many members that it is not all."""
    learning = ((course, row) for course in _courses(world, "structured") for row in _members(world, course))
    members = list(islice(learning, MAX_MEMBERS + 1))
    found = [*_scheduled(world), *_structured(world, members[:MAX_MEMBERS]), *_expiring(world)]
    coming = sorted((moment for moment in found if moment.at > now), key=lambda moment: moment.at)
    return coming[:MAX_MOMENTS], len(members) > MAX_MEMBERS


def _courses(world: World, kind: str) -> Iterator[Row]:
    return (course for course in world.courses if course["type"] == kind)


def _members(world: World, course: Row) -> Iterator[Row]:
    """Whoever the lock of a section can keep out."""
    keys = world.memberships.keys("course_id", course["id"])
    return (row for key in keys if (row := world.memberships[key])["status"] == "joined")


def _scheduled(world: World) -> Iterator[Moment]:
    for course in _courses(world, "scheduled"):
        yield from _openings(world, course, None, None)


def _structured(world: World, members: list[tuple[Row, Row]]) -> Iterator[Moment]:
    for course, member in members:
        yield from _openings(world, course, member["joined_at"], member["user_id"])


def _openings(world: World, course: Row, joined_at: datetime | None, user: int | None) -> Iterator[Moment]:
    for section in world.sections.where("course_id", course["id"]):
        at = available_date(course["type"], section, joined_at)
        if at is not None:
            what = f"{section['name']} of {course['name']}"
            yield Moment(at, "section_opens", "sections", str(section["id"]), user, what)


def _expiring(world: World) -> Iterator[Moment]:
    for grant in world.grants:
        what = f"Token of {grant['client_id']}"
        yield Moment(grant["expires_at"], "token_expires", "grants", str(grant["id"]), grant["user_id"], what)
    for upload in world.uploads:
        number = str(upload["upload_id"])
        yield Moment(upload["expires"], "upload_expires", "uploads", number, upload["user_id"], f"Upload {number}")
