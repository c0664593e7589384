"""Comments on lessons, on two levels: first-level comments and replies."""

from typing import Any

from stubserver.api.body_checks import refuse, unknown_ids
from stubserver.api.progress import ordered_lessons, ordered_sections
from stubserver.api.removal import remove_comment
from stubserver.api.views import Listing
from stubserver.api.views.comment import CommentView, ThreadView, by_age
from stubserver.call import Call
from stubserver.errors import invalid


def list_course_comments(call: Call) -> Listing:
    """The first-level comments of all lessons with their replies, by lesson, oldest first (R508, R509)."""
    lessons = [row for section in ordered_sections(call, call.course) for row in ordered_lessons(call, section)]
    rows = [row for lesson in lessons for row in by_age(call.world.comments.where("lesson_id", lesson["id"]))]
    return Listing([row for row in rows if row["parent"] is None], lambda row: ThreadView(call, row))


def list_course_lesson_comments(call: Call) -> Listing:
    """The first-level comments of a lesson, or the replies to one of them (R504-R506)."""
    parent = call.query.get("parent")
    rows = call.world.comments.where("lesson_id", call.lesson["id"]) if call.lesson["comments_enabled"] else []
    rows = by_age(row for row in rows if row["parent"] == parent)
    if call.query["ordering"] == "-created_at":
        rows.reverse()
    return Listing(rows, lambda row: CommentView(call, row))


def create_course_comment(call: Call) -> CommentView:
    """Post a comment, or a reply to one (R501-R503)."""
    world = call.world
    comment = {
        **call.operation.defaults,
        **_content(call),
        "id": world.comments.next_id(),
        "lesson_id": call.lesson["id"],
        "created_by": call.user_id,
        "created_at": world.clock.now(),
    }
    _check_thread(call)
    return CommentView(call, world.comments.put(comment))


def get_course_comment(call: Call) -> CommentView:
    """A comment with its newest reply (R507)."""
    return CommentView(call, call.row("comment"))


def update_course_comment(call: Call) -> CommentView:
    """Change the text and the medias; the place in the thread is fixed (R512)."""
    fixed = {name: call.row("comment")[name] for name in ("parent", "in_reply_to")}
    return CommentView(call, call.world.comments.put({**call.row("comment"), **_content(call), **fixed}))


def patch_course_comment(call: Call) -> CommentView:
    """The same as update_course_comment: neither of them requires a field."""
    return update_course_comment(call)


def delete_course_comment(call: Call) -> None:
    """Delete the comment with its replies (R513)."""
    remove_comment(call.world, call.row("comment"))


def _content(call: Call) -> dict[str, Any]:
    """The body, checked. Raises a 400 refusal for unknown medias (R309)."""
    refuse(unknown_ids(call.body, "medias", call.world.medias, "media"))
    return call.body


def _check_thread(call: Call) -> None:
    """Raise a 400 refusal unless `parent` is a first-level comment of this lesson and `in_reply_to` one of its replies
    (R502, R503)."""
    parent, answered = call.body.get("parent"), call.body.get("in_reply_to")
    comments = call.world.comments
    if parent is not None:
        row = comments.get(parent)
        if row is None or row["lesson_id"] != call.lesson["id"] or row["parent"] is not None:
            raise invalid("parent", "does_not_exist", f"No such first-level comment in this lesson: {parent}.")
    if answered is not None:
        row = comments.get(answered)
        if parent is None or row is None or row["parent"] != parent:
            message = "in_reply_to needs parent, and must be one of the replies to it."
            raise invalid("in_reply_to", "invalid", message)
