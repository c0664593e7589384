"""Comments on lessons: with their newest reply, or with all their replies."""

from collections.abc import Iterable
from typing import Any

from stubserver.api.views import OMIT
from stubserver.api.views.lesson import ContentView
from stubserver.worlds.base import Row


class CommentView(ContentView):
    """A comment with its newest reply (R507)."""

    replies: Any = OMIT
    extras: Any = OMIT

    @property
    def latest_reply(self) -> Any:
        """The newest reply, or None."""
        replies = self.children
        return CommentView(self.call, replies[-1]) if replies else None

    @property
    def children(self) -> list[Row]:
        """The replies, oldest first."""
        return by_age(self.call.world.comments.where("parent", self.row["id"]))


class ThreadView(CommentView):
    """A comment in the course-wide list: with all its replies and its place in the course (R507, R508)."""

    latest_reply: Any = OMIT

    @property
    def replies(self) -> list[CommentView]:
        """All replies, oldest first."""
        return [CommentView(self.call, row) for row in self.children]

    @property
    def extras(self) -> dict[str, Row]:
        """The course, section and lesson that the comment belongs to."""
        lesson = self.call.world.lessons[self.row["lesson_id"]]
        section = self.call.world.sections[lesson["section_id"]]
        return {"course": self.call.course, "section": section, "lesson": lesson}


def by_age(comments: Iterable[Row]) -> list[Row]:
    """Sort comments, oldest first; those of the same time by id."""
    return sorted(comments, key=lambda row: (row["created_at"], row["id"]))
