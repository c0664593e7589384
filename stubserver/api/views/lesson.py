"""Lessons with their content, quizzes with their questions, and attempts at quizzes."""

from typing import Any

from stubserver.api import rules
from stubserver.api.progress import completion_status, ordered_questions
from stubserver.api.views import OMIT, UserView, View
from stubserver.api.views.media import MediaView
from stubserver.call import Call
from stubserver.worlds.base import Row


class ContentView(View):
    """What people write: HTML text is returned unchanged, and media ids become objects (R308, R309)."""

    @property
    def html(self) -> Any:
        """The text as it was written (R308)."""
        return self.row["text"]

    @property
    def medias(self) -> list[MediaView]:
        """The media objects, without duplicates (R309)."""
        return [MediaView(self.call, self.call.world.medias[number]) for number in dict.fromkeys(self.row["medias"])]


class LessonContentView(ContentView):
    """A lesson with its content, which the caller has opened or edits."""

    @property
    def completion_status(self) -> str:
        """The caller's status in the lesson (R321)."""
        return completion_status(self.call, self.row, self.call.user_id)

    @property
    def course_id(self) -> Any:
        """Id of the course that the lesson belongs to."""
        return self.call.course["id"]

    @property
    def questions(self) -> list["QuestionView"]:
        """The questions of a quiz; empty for a plain lesson (R420)."""
        return [QuestionView(self.call, row) for row in ordered_questions(self.call, self.row)]

    @property
    def last_attempt(self) -> "AttemptView | None":
        """The caller's newest attempt, or None (R414)."""
        own = own_attempts(self.call, self.row)
        return AttemptView(self.call, own[-1]) if own else None


class QuestionView(View):
    """A question of a quiz, or its copy inside an attempt."""

    @property
    def answers(self) -> list["AnswerView"]:
        """The options to choose from."""
        return [AnswerView(self.call, row) for row in self.row["answers"]]

    @property
    def correct(self) -> Any:
        """Whether it was answered correctly; only in the copy inside an attempt (R418)."""
        return self.row.get("correct", OMIT)


class AnswerView(View):
    """An option of a question."""

    @property
    def correct(self) -> Any:
        """Whether this option is correct; only for the creator and managers (R405)."""
        managing = self.call.status_in(self.call.course) in rules.MANAGING
        return self.row["correct"] if managing else OMIT

    @property
    def selected(self) -> Any:
        """Whether this option was chosen; only in the copy inside an attempt (R418)."""
        return self.row.get("selected", OMIT)


class AttemptView(View):
    """An attempt at a quiz, with its own copy of the questions (R413)."""

    @property
    def user(self) -> UserView:
        """The user who made the attempt."""
        return UserView(self.call, self.call.world.users[self.row["user_id"]])

    @property
    def quiz_attempt(self) -> dict[str, Any]:
        """The attempt's result and its questions."""
        return {**self.row, "questions": [QuestionView(self.call, row) for row in self.row["questions"]]}


class AttemptRowView(AttemptView):
    """An attempt as a row of the quiz dashboard (R609)."""

    @property
    def lesson(self) -> Row:
        """The quiz that was attempted."""
        return self.call.world.lessons[self.row["lesson_id"]]

    @property
    def name(self) -> Any:
        """Name of the quiz that was attempted."""
        return self.lesson["name"]

    @property
    def section_id(self) -> Any:
        """Id of the section that the quiz belongs to."""
        return self.lesson["section_id"]

    @property
    def course_id(self) -> Any:
        """Id of the course that the quiz belongs to."""
        return self.call.course["id"]


def own_attempts(call: Call, lesson: Row) -> list[Row]:
    """The caller's attempts at a quiz, oldest first."""
    return [row for row in call.world.attempts.where("lesson_id", lesson["id"]) if row["user_id"] == call.user_id]
