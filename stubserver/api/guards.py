"""Who may call an operation: one guard for each sentence of the docs, named by `x-access` in the contract.

A guard raises a refusal or returns. What a caller may not see is a 404, never a 403 (R004, R005).
"""

from collections.abc import Callable

from stubserver.api import rules
from stubserver.api.views.course import CourseView
from stubserver.api.views.user import MeView
from stubserver.call import Call
from stubserver.errors import forbidden, not_found, unauthenticated


def everyone(call: Call) -> None:
    """Anyone, with or without a login."""


def authenticated(call: Call) -> None:
    """Any logged-in user (R001)."""
    if call.user is None:
        raise unauthenticated("Authentication credentials were not provided.")


def reader(call: Call) -> None:
    """Any logged-in user, and anonymous callers if the community shows them its content (R106)."""
    if not call.world.preferences["configurations.content_availability"]:
        authenticated(call)


def oneself(call: Call) -> None:
    """Only the user named in the path (R704)."""
    authenticated(call)
    if call.row("user")["id"] != call.user_id:
        raise forbidden("Only the user themselves may see this.")


def author(call: Call) -> None:
    """Any logged-in user, or only platform staff if the community requires it (R114)."""
    authenticated(call)
    if not MeView(call).may_create_courses:
        raise forbidden("Only platform staff may create courses in this community.")


def viewer(call: Call) -> None:
    """Anyone who can see the course, even if only its lock screen (R101-R104)."""
    _status_of_viewer(call)


def _status_of_viewer(call: Call) -> str | None:
    """The caller's status in the course, for guards that ask for more than seeing it."""
    reader(call)
    course = call.course
    status = call.status_in(course)
    if not rules.visible(course["privacy"], status):
        raise not_found(f"Course {course['id']}")
    return status


def manager(call: Call) -> None:
    """The course's creator or one of its managers (R003, R125, R223)."""
    status = _status_of_viewer(call)
    authenticated(call)
    if status not in rules.MANAGING:
        raise forbidden("Only the creator or a manager of the course may do this.")


def roster(call: Call) -> None:
    """Anyone who can see the course, or only its creator and managers if its member count is hidden (R127, R213)."""
    viewer(call)
    if call.course["hide_member_count"]:
        manager(call)


def member(call: Call) -> None:
    """Only members of the course (R311)."""
    if _status_of_viewer(call) not in rules.MEMBERS:
        raise forbidden("Only people who have joined the course may do this.")


def student(call: Call) -> None:
    """Members once the lesson is open to them, and the creator and managers at any time (R311-R316)."""
    member(call)
    lock = CourseView(call, call.course).lesson(call.lesson).lock
    if lock is not None:
        raise forbidden(lock)


def commenter(call: Call) -> None:
    """Anyone who may read the lesson, but only while it takes comments (R501)."""
    student(call)
    if not call.lesson["comments_enabled"]:
        raise forbidden("Comments are disabled for this lesson.")


def comment_author(call: Call) -> None:
    """The author of the comment, or the creator or a manager of the course (R511)."""
    _owner(call, "comment", "created_by")


def attempt_owner(call: Call) -> None:
    """The user who made the attempt, or the creator or a manager of the course (R417)."""
    _owner(call, "attempt", "user_id")


def _owner(call: Call, kind: str, field: str) -> None:
    if _status_of_viewer(call) not in rules.MANAGING and call.row(kind)[field] != call.user_id:
        raise forbidden(f"Only the user who made this {kind}, or the creator or a manager of the course, may do this.")


GUARDS: dict[str, Callable[[Call], None]] = {
    guard.__name__: guard
    for guard in (
        everyone,
        authenticated,
        reader,
        author,
        oneself,
        viewer,
        manager,
        roster,
        student,
        commenter,
        comment_author,
        attempt_owner,
    )
}
