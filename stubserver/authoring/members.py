"""Draws the people in a course of a generated fixture: how far they have come, and what they say to each other."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

from stubserver.authoring.draws import DAY, ago, between
from stubserver.authoring.shapes import Shape
from stubserver.authoring.writer import Writer

_STAFF = ((1, "creator"), (2, "manager"), (3, "joined"), (4, "invited"), (5, "requested"))
"""The persona with each status, the same in every course, as in the default fixture."""
_OTHERS = 8
"""The first user whom no token stands for."""


@dataclass
class Lesson:
    """What decides who has been in a lesson."""

    id: int
    created: int
    """Its age in minutes."""
    section: Mapping[str, Any]
    open_for: int | None
    """For how many minutes its section has been open, negative if it opens later; None if it has no date."""
    published: bool
    talked_about: bool
    questions: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class MemberDraw:
    """Adds the members of one course to the tables of a fixture."""

    data: dict[str, Any]
    ids: Mapping[str, Iterator[int]]
    shape: Shape
    writer: Writer
    draws: random.Random

    def add(self, course: int, age: int, lessons: Sequence[Lesson]) -> None:
        """Add all of them to a course of this age."""
        draws, known = self.draws, range(_OTHERS, len(self.data["users"]) + 1)
        others = draws.sample(known, min(len(known), between(draws, self.shape.members)))
        statuses = draws.choices(("joined", "invited", "requested"), (8, 1, 1), k=len(others))
        found: dict[int, int] = {}  # for how many minutes each has been in the course
        for user, status in (*_STAFF, *zip(others, statuses, strict=True)):
            row: dict[str, Any] = {"course_id": course, "user_id": user, "status": status}
            if status in ("creator", "manager", "joined"):
                found[user] = age * 9 // 10 if user < _STAFF[2][0] else between(draws, (1, age * 8 // 10))
                row["joined_at"] = ago(age if status == "creator" else found[user])
                if status == "joined" and (newest := self._learn(user, found[user], lessons)):
                    row["last_active_at"] = ago(newest)
            self.data["memberships"].append(row)
        for lesson in lessons:
            if lesson.talked_about:
                self._talk(lesson, found)

    def _learn(self, user: int, member_for: int, lessons: Sequence[Lesson]) -> int:
        """Have a member complete some of the lessons that are open; returns the age of the last completion, or 0."""
        able = [lesson for lesson in lessons if lesson.published and _open_for(lesson, member_for) > 0]
        able = able[: self.draws.randrange(len(able) + 1)]
        ages = sorted((between(self.draws, (1, member_for)) for _ in able), reverse=True)
        newest = 0
        for lesson, drawn in zip(able, ages, strict=True):
            age = min(drawn, _open_for(lesson, member_for))
            newest = min(newest or age, age)
            passed = not lesson.questions or self.draws.random() < 0.8
            if lesson.questions:
                self._attempt(lesson, user, age, passed)
            status = "completed" if passed else "failed"
            row = {"user_id": user, "lesson_id": lesson.id, "status": status, "at": ago(age)}
            self.data["completions"].append(row)
            if not passed:
                break
        return newest

    def _attempt(self, lesson: Lesson, user: int, age: int, passed: bool) -> None:
        responses = [
            {
                "question_id": question["id"],
                "selected_options": [answer["id"] for answer in question["answers"] if answer["correct"] == passed][
                    : 1 if question["type"] == "single_choice" else None
                ],
            }
            for question in lesson.questions
        ]
        row = {"id": next(self.ids["attempts"]), "lesson_id": lesson.id, "user_id": user, "created_at": ago(age)}
        self.data["attempts"].append({**row, "responses": responses})

    def _talk(self, lesson: Lesson, members: Mapping[int, int]) -> None:
        """Add conversations: a comment each, and replies to it or to one another."""
        for _ in range(between(self.draws, self.shape.threads)):
            age, thread = lesson.created, list[int]()
            for place in range(1 + between(self.draws, self.shape.replies)):
                age, number = self._comment(lesson, members, age, "replies" if place else "comments", thread)
                thread.append(number)

    def _comment(
        self, lesson: Lesson, members: Mapping[int, int], before: int, what: str, thread: Sequence[int]
    ) -> tuple[int, int]:
        """Add one that is younger than `before`; returns its age and its id."""
        user = self.draws.choice([*members])
        age, number = between(self.draws, (1, min(before, members[user]))), next(self.ids["comments"])
        text = f"<p>{escape(self.writer.text(what), quote=False)}</p>"
        row = {"id": number, "lesson_id": lesson.id, "text": text}
        if thread:
            row["parent"] = thread[0]
            if len(thread) > 1 and self.draws.random() < 0.5:
                row["in_reply_to"] = self.draws.choice(thread[1:])
        if self.shape.long and self.draws.random() < 0.3:
            row["text"] = self.writer.html(self.shape.sentences)
        self.data["comments"].append({**row, "created_by": user, "created_at": ago(age)})
        return age, number


def _open_for(lesson: Lesson, member_for: int) -> int:
    """For how many minutes a lesson has been open to somebody who has been a member for so long."""
    since = min(member_for, lesson.created)
    if lesson.open_for is not None:
        return min(since, lesson.open_for)
    drip_days: int = lesson.section.get("drip_delay", 0)
    return since - drip_days * DAY
