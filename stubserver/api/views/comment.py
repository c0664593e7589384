"""Comments under lessons: alone, with their newest reply, or with all replies."""

from collections.abc import Iterable
from typing import Any

from stubserver.api.views import OMIT
from stubserver.api.views.lesson import ContentView
from stubserver.worlds.table import Row


class CommentView(ContentView):
    """A comment with its newest reply (R507)."""

    replies: Any = OMIT
    extras: Any = OMIT

    @property
    def latest_reply(self) -> Any:
        """None without replies."""
        replies = self.children
        return CommentView(self.call, replies[-1]) if replies else None

    @property
    def children(self) -> list[Row]:
        """The replies, oldest first."""
        return by_age(self.call.world.comments.where("parent", self.row["id"]))


class ThreadView(CommentView):
    """A comment in the course-wide list: with all replies and where it stands (R507, R508)."""

    latest_reply: Any = OMIT

    @property
    def replies(self) -> list[CommentView]:
        """All of them, oldest first."""
        return [CommentView(self.call, row) for row in self.children]

    @property
    def extras(self) -> dict[str, Row]:
        """Its course, section and lesson."""
        lesson = self.call.world.lessons[self.row["lesson_id"]]
        section = self.call.world.sections[lesson["section_id"]]
        return {"course": self.call.course, "section": section, "lesson": lesson}


def by_age(comments: Iterable[Row]) -> list[Row]:
    """Comments, oldest first."""
    return sorted(comments, key=lambda row: (row["created_at"], row["id"]))
