"""Lessons with their content, quizzes with their questions, and attempts at them."""

from typing import Any

from stubserver.api import rules
from stubserver.api.progress import completion_status, ordered_questions
from stubserver.api.views import OMIT, View
from stubserver.api.views.media import MediaView
from stubserver.call import Call
from stubserver.worlds.table import Row


class ContentView(View):
    """What people write: text goes in as HTML and comes out as it is, media ids become objects (R308, R309)."""

    @property
    def html(self) -> Any:
        """R308."""
        return self.row["text"]

    @property
    def medias(self) -> list[MediaView]:
        """R309."""
        return [MediaView(self.call, self.call.world.medias[number]) for number in dict.fromkeys(self.row["medias"])]


class LessonContentView(ContentView):
    """A lesson that the caller has opened or edits."""

    @property
    def completion_status(self) -> str:
        """Of the caller (R321)."""
        return completion_status(self.call, self.row, self.call.user_id)

    @property
    def course_id(self) -> Any:
        """The course it lies in."""
        return self.call.course["id"]

    @property
    def questions(self) -> list["QuestionView"]:
        """R420."""
        return [QuestionView(self.call, row) for row in ordered_questions(self.call, self.row)]

    @property
    def last_attempt(self) -> "AttemptView | None":
        """The caller's newest (R414)."""
        own = own_attempts(self.call, self.row)
        return AttemptView(self.call, own[-1]) if own else None


class QuestionView(View):
    """A question of a quiz."""

    @property
    def answers(self) -> list["AnswerView"]:
        """Its options."""
        return [AnswerView(self.call, row) for row in self.row["answers"]]

    @property
    def correct(self) -> Any:
        """Only in the copy inside an attempt (R418)."""
        return self.row.get("correct", OMIT)


class AnswerView(View):
    """An option of a question."""

    @property
    def correct(self) -> Any:
        """Only for the creator and managers (R405)."""
        managing = self.call.status_in(self.call.course) in rules.MANAGING
        return self.row["correct"] if managing else OMIT

    @property
    def selected(self) -> Any:
        """Only in the copy inside an attempt (R418)."""
        return self.row.get("selected", OMIT)


class AttemptView(View):
    """An attempt at a quiz, with its own copy of the questions (R413)."""

    @property
    def user(self) -> Row:
        """Who made it."""
        return self.call.world.users[self.row["user_id"]]

    @property
    def quiz_attempt(self) -> dict[str, Any]:
        """Its result."""
        return {**self.row, "questions": [QuestionView(self.call, row) for row in self.row["questions"]]}


class AttemptRowView(AttemptView):
    """An attempt as a row of the quiz dashboard (R609)."""

    @property
    def lesson(self) -> Row:
        """The quiz."""
        return self.call.world.lessons[self.row["lesson_id"]]

    @property
    def name(self) -> Any:
        """Of the quiz."""
        return self.lesson["name"]

    @property
    def section_id(self) -> Any:
        """The section that the quiz lies in."""
        return self.lesson["section_id"]

    @property
    def course_id(self) -> Any:
        """The course that the quiz lies in."""
        return self.call.course["id"]


def own_attempts(call: Call, lesson: Row) -> list[Row]:
    """The caller's attempts at a quiz, oldest first."""
    return [row for row in call.world.attempts.where("lesson_id", lesson["id"]) if row["user_id"] == call.user_id]
