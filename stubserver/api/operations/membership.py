"""Memberships: status, joining and leaving, invitations, requests, roles, and the lists of people."""

from typing import Any

from stubserver.api import rules
from stubserver.api.body_checks import refuse, unknown_ids
from stubserver.api.progress import matching_users, members
from stubserver.api.views import Listing, UserView
from stubserver.api.views.course import CourseView, MemberView
from stubserver.call import Call
from stubserver.errors import forbidden, invalid, not_found
from stubserver.worlds.base import Row


def get_course_status(call: Call) -> dict[str, str | None]:
    """The caller's status in the course (R222)."""
    return {"status": call.status_in(call.course)}


def list_course_joined_users(call: Call) -> Listing:
    """The people in the course; the creator only if requested (R214)."""
    return _people(call, call.query["statuses"])


def join_course(call: Call) -> CourseView:
    """Join, ask to join, or accept an invitation, depending on privacy and status (R202-R206)."""
    match call.status_in(call.course):
        case None:
            _set_status(call, call.user_id, "joined" if call.course["privacy"] == "open" else "requested")
        case "invited":
            _set_status(call, call.user_id, "joined")
    return CourseView(call, call.course)


def leave_course(call: Call) -> None:
    """Leave, withdraw a request, decline an invitation, or remove another user (R208-R212)."""
    user = call.query.get("user", call.user_id)
    membership = call.world.memberships.get((call.course["id"], user))
    if membership is None:
        raise not_found(f"The status of user {user} in course {call.course['id']}")
    if membership["status"] == "creator":
        raise forbidden("The creator of a course cannot leave it or be removed from it.")
    _set_status(call, user, None)


def list_course_invited_users(call: Call) -> Listing:
    """The people with an open invitation."""
    return _people(call, ["invited"])


def invite_course_users(call: Call) -> None:
    """Invite people; those who have asked to join become members (R215)."""
    for user in _known_users(call, "users"):
        match call.status_in(call.course, user):
            case None:
                _set_status(call, user, "invited")
            case "requested":
                _set_status(call, user, "joined")


def remove_course_invitations(call: Call) -> None:
    """Withdraw invitations; people with another status are skipped (R217)."""
    for user in _known_users(call, "users"):
        if call.status_in(call.course, user) == "invited":
            _set_status(call, user, None)


def list_course_join_requests(call: Call) -> Listing:
    """The people who have asked to join and are not accepted yet."""
    return _people(call, ["requested"])


def change_course_roles(call: Call) -> None:
    """Make people managers or plain members, or remove them (R218-R220)."""
    lists = {name: _known_users(call, name) for name in ("managers", "joined", "unjoined") if name in call.body}
    if not lists:
        raise invalid("managers", "required", "Give at least one of managers, joined and unjoined.")
    seen: set[int] = set()
    for name, users in lists.items():
        for user in users:
            if call.status_in(call.course, user) == "creator":
                raise invalid(name, "invalid", f"User {user} is the creator, whose role cannot change.")
            if user in seen:
                raise invalid(name, "invalid", f"User {user} is in more than one list.")
        seen.update(users)
    for name, status in (("managers", "manager"), ("joined", "joined"), ("unjoined", None)):
        for user in lists.get(name, ()):
            _set_status(call, user, status)


def list_course_suggested_users(call: Call) -> Listing:
    """People without any status in the course, by username (R221)."""
    world, course = call.world, call.course["id"]
    strangers = [row for row in world.users if (course, row["id"]) not in world.memberships and not row["deleted"]]
    return _listing(call, sorted(matching_users(call, strangers), key=lambda row: row["username"]))


def list_course_dashboard_users(call: Call) -> Listing:
    """The people of the course with their progress (R607)."""
    rows = members(call, call.course["id"], call.query["statuses"])
    found = {row["id"] for row in matching_users(call, [call.world.users[row["user_id"]] for row in rows])}
    ordering = call.query["ordering"]
    field = ordering.removeprefix("-")
    if field not in ("joined_at", "last_active_at"):
        ordering, field = "-joined_at", "joined_at"
    dated = [row for row in rows if row["user_id"] in found and row[field] is not None]
    undated = [row for row in rows if row["user_id"] in found and row[field] is None]
    dated.sort(key=lambda row: row[field], reverse=ordering.startswith("-"))
    return Listing(dated + undated, lambda row: MemberView(call, row))


def _people(call: Call, statuses: list[str]) -> Listing:
    """The users with one of `statuses`, by id (R611)."""
    rows = members(call, call.course["id"], statuses)
    return _listing(call, matching_users(call, [call.world.users[row["user_id"]] for row in rows]))


def _listing(call: Call, users: list[Row]) -> Listing:
    return Listing(users, lambda row: UserView(call, row))


def _known_users(call: Call, field: str) -> list[int]:
    """The user ids in a body field, without duplicates. Raises a 400 refusal for an unknown one (R216, R220)."""
    refuse(unknown_ids(call.body, field, call.world.users, "user"))
    return list(dict.fromkeys(call.body[field]))


def _set_status(call: Call, user: int | None, status: str | None) -> None:
    """Give a user another status, or none. Becoming a member sets `joined_at`; losing the status deletes it, together
    with the user's completions (R212, R219)."""
    world, key = call.world, (call.course["id"], user)
    before = world.memberships.get(key) or {"status": None, "joined_at": None, "last_active_at": None}
    if status is None:
        world.memberships.delete(key)
        _forget_progress(call, user)
        return
    row: dict[str, Any] = {**before, "course_id": key[0], "user_id": user, "status": status}
    if status in rules.MEMBERS and before["status"] not in rules.MEMBERS:
        row["joined_at"] = world.clock.now()
    world.memberships.put(row)


def _forget_progress(call: Call, user: int | None) -> None:
    world = call.world
    for section in world.sections.where("course_id", call.course["id"]):
        for lesson in world.lessons.where("section_id", section["id"]):
            world.completions.delete((user, lesson["id"]))
