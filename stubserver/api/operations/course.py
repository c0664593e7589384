"""Courses: create, read, update, delete, search, and the lists of courses."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from stubserver.api import pictures, rules
from stubserver.api.body_checks import refuse, unknown_ids
from stubserver.api.removal import remove_course
from stubserver.api.views import Listing, Rows, Shaped, ordered
from stubserver.api.views.course import DASHBOARD, EDIT, INSIDE, OUTSIDE, CourseEditView, CourseView
from stubserver.call import Call
from stubserver.errors import Problem, Refusal, not_found
from stubserver.worlds.base import Key, Row
from stubserver.worlds.newest import Newest

NEWEST_FIRST, OLDEST_FIRST = "-id", "id"
"""The default order of a search, and its opposite: the only ones that do not have to look at every course."""


def list_joined_courses(call: Call) -> Listing:
    """The caller's courses, filtered by status and author (R601)."""
    author = call.query.get("created_by")
    mine = _visible_with_status(call, call.user_id, call.query["statuses"])
    return _listing(call, [row for row in mine if author in (None, row["created_by"])])


def create_course(call: Call) -> CourseView:
    """Create a course; the caller becomes its creator (R115)."""
    world, now = call.world, call.world.clock.now()
    cover, wrong = _cover(call)
    course = {
        **_checked(call, None, wrong),
        "id": world.courses.next_id(),
        "created_by": call.user_id,
        "created_at": now,
        "deleted": False,
    }
    world.memberships.put(
        {
            "course_id": course["id"],
            "user_id": call.user_id,
            "status": "creator",
            "joined_at": now,
            "last_active_at": None,
        }
    )
    return _stored(call, course, cover)


def search_courses(call: Call) -> Listing:
    """The courses that the caller may know of, filtered and ordered (R602, R603)."""
    found: Newest | list[Row] = _visible(call)
    if statuses := call.query.get("statuses"):
        found = _visible_with_status(call, call.user_id, statuses)
    if categories := call.query.get("categories"):
        found = [row for row in found[:] if not set(categories).isdisjoint(row["categories"])]
    if call.query.get("search"):
        found = [row for row in found[:] if call.searches(row["name"], _description(call, row))]
    if isinstance(found, list) or call.query["ordering"] not in (NEWEST_FIRST, OLDEST_FIRST):
        return _listing(call, ordered(found[:], call.query["ordering"], ("id", "name", "created_at"), NEWEST_FIRST))
    return _listing(call, found if call.query["ordering"] == NEWEST_FIRST else found.oldest_first())


def get_course(call: Call) -> Shaped:
    """A course: as its readers see it, for editing, or for the teacher's dashboard (R108-R113)."""
    subject = call.query.get("user")
    if subject is not None and subject not in call.world.users:
        raise not_found(f"User {subject}")
    match call.query["view"]:
        case "edit":
            return Shaped(EDIT, CourseEditView(call, call.course, subject))
        case "dashboard":
            return Shaped(DASHBOARD, CourseView(call, call.course, subject))
    view = CourseView(call, call.course, subject)
    return Shaped(INSIDE if view.inside else OUTSIDE, view)


def update_course(call: Call) -> CourseView:
    """Set the fields that are sent; optional fields that are left out keep their values (R021)."""
    cover, wrong = _cover(call)
    return _stored(call, _checked(call, call.course, wrong), cover)


def patch_course(call: Call) -> CourseView:
    """The same as update_course; only the contract differs (it requires no field)."""
    return update_course(call)


def delete_course(call: Call) -> None:
    """Delete the course with everything that belongs to it (R126)."""
    remove_course(call.world, call.course)


def list_suggested_courses(call: Call) -> Listing:
    """Published courses in which the caller has no status, newest first (R606)."""
    rows = [row for row in _visible(call)[:] if call.status_in(row) is None and row["privacy"]]
    return _listing(call, sorted(rows, key=lambda row: (row["created_at"], row["id"]), reverse=True))


def list_user_courses(call: Call) -> Listing:
    """Those of a user's courses that the caller can see (R604)."""
    user = call.row("user")["id"]
    return _listing(call, _visible_with_status(call, user, call.query["statuses"]))


def _visible(call: Call) -> Newest:
    """The courses that the caller may know of: all whose privacy shows them to everybody and, of the others, those in
    which the caller's status is sufficient (R101-R104)."""
    world = call.world
    found = [world.courses.keys("privacy", privacy) for privacy in rules.PRIVACIES if rules.visible(privacy, None)]
    for privacy in rules.PRIVACIES:
        if not rules.visible(privacy, None):
            mine = [_membership_keys(call, status) for status in rules.STATUSES if rules.visible(privacy, status)]
            courses = world.courses.keys("privacy", privacy)
            common = partial(_common, courses, mine)
            found.append(world.derived(("visible", call.user_id, privacy), [courses, *mine], common))
    return Newest(world.courses, found)


def _membership_keys(call: Call, status: str, user: int | None = None) -> Sequence[Key]:
    """Keys of the memberships in which a user (default: the caller) has `status`."""
    return call.world.memberships.keys(("user_id", "status"), (user or call.user_id, status))


def _common(courses: Sequence[int], memberships: Iterable[Iterable[tuple[int, int]]]) -> list[int]:
    """Those of `courses`, in order, that one of the memberships belongs to."""
    mine = {course for keys in memberships for course, _ in keys}
    return [number for number in courses if number in mine]


def _visible_with_status(call: Call, user: int | None, statuses: Iterable[str]) -> list[Row]:
    """The courses in which `user` has one of `statuses` and that the caller may know of, oldest first."""
    numbers = sorted(course for status in set(statuses) for course, _ in _membership_keys(call, status, user))
    rows = [call.world.courses[number] for number in numbers]
    return [row for row in rows if rules.visible(row["privacy"], call.status_in(row))]


def _listing(call: Call, rows: Rows) -> Listing:
    return Listing(rows, lambda row: CourseView(call, row))


def _description(call: Call, row: Row) -> str:
    """The description as the caller sees it, so that a search does not reveal more."""
    return CourseView(call, row).description


def _checked(call: Call, before: Row | None, wrong: Iterable[Problem]) -> dict[str, Any]:
    """The course with the body applied. Raises a 400 refusal that lists every broken rule, and what else is `wrong`."""
    body = call.body
    number = before["id"] if before else None
    problems: list[Problem] = []
    if "name" in body and _taken(call, "name", body["name"], number):
        problems.append(Problem("unique", "A course with this name already exists.", "name"))
    if body.get("slug") and _taken(call, "slug", body["slug"], number):
        problems.append(Problem("unique", "A course with this slug already exists.", "slug"))
    if before and before["privacy"] and body.get("privacy") == "":
        message = "A published course cannot go back to draft. Use one of: open, private, secret."
        problems.append(Problem("invalid", message, "privacy"))
    order = before["sections_order"] if before else []
    problems += unknown_ids(body, "categories", call.world.categories, "category")
    problems += unknown_ids(body, "sections_order", order, "section in this course")
    refuse([*problems, *wrong])
    course = {**(before or {**_BLANK, **call.operation.defaults}), **body}
    if "sections_order" in body:
        course["sections_order"] = rules.reordered(order, body["sections_order"])
    if "categories" in body:
        course["categories"] = list(dict.fromkeys(body["categories"]))
    course["slug"] = course["slug"] or _free_slug(call, course["name"], number)
    return course


_BLANK: Row = {"slug": "", "categories": [], "sections_order": [], "image_original": None}
"""Initial values of fields that the body leaves out and for which the contract has no default."""


def _cover(call: Call) -> tuple[pictures.Picture | None, list[Problem]]:
    """The cover, if one was sent as a file, and what is wrong with it (R133)."""
    file = call.files.get("image_original")
    try:
        return (pictures.checked("image_original", file.name, file.content) if file else None), []
    except Refusal as refused:
        return None, refused.problems


def _stored(call: Call, course: Row, cover: pictures.Picture | None) -> CourseView:
    """Store the course and its cover. One that is only named is unknown here: a placeholder stands for it (R123)."""
    call.world.courses.put(course)
    if cover:
        pictures.keep(call.world, CourseView.folder, course["id"], course["slug"], cover)
    elif "image_original" in call.body:
        call.world.pictures.delete((CourseView.folder, course["id"]))
    return CourseView(call, course)


def _taken(call: Call, field: str, value: str, number: int | None) -> bool:
    return not set(call.world.courses.keys(field, value)) <= {number}


def _free_slug(call: Call, name: str, number: int | None) -> str:
    """A slug made from the name, with a numeric suffix if it is taken (R121)."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    stem = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-") or "course"
    slug, suffix = stem, 1
    while _taken(call, "slug", slug, number):
        suffix += 1
        slug = f"{stem}-{suffix}"
    return slug
