"""Draws one course of a generated fixture: what it contains."""

import random
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stubserver.authoring.draws import DAY, ago, between, capped
from stubserver.authoring.members import Lesson, MemberDraw
from stubserver.authoring.shapes import Range, Shape
from stubserver.authoring.writer import Writer

_SLUG = 50
"""Characters of a slug before the number that makes it the only one."""
_AGE: Range = (10 * DAY, 700 * DAY)
_TYPES = ("self-paced", "structured", "scheduled")
_PRIVACIES = ("open", "open", "open", "private", "private", "secret", "")


@dataclass
class CourseDraw:
    """Adds a course to the tables of a fixture."""

    data: dict[str, Any]
    ids: Mapping[str, Iterator[int]]
    taken: set[str]
    """The names that courses have."""
    shape: Shape
    writer: Writer
    areas: Sequence[str]
    """The keys of the categories, in the order of their ids."""
    draws: random.Random

    def add(self, number: int) -> None:
        """Add the course with this id and all that belongs to it."""
        area = self.draws.choice(self.areas)
        subject = self.draws.choice(self.writer.language.words["subjects"][area])
        age, kind = between(self.draws, _AGE), self.draws.choice(_TYPES)
        name, description = self._name(subject), self.writer.text("descriptions", subject)
        if self.shape.long:
            description = " ".join(self.writer.text("descriptions", subject) for _ in range(12))
        self.data["courses"].append(
            {
                "id": number,
                "name": name,
                "slug": _slug(name, number),
                "description": description if self.draws.random() < 0.9 else "",
                "type": kind,
                "privacy": self.draws.choice(_PRIVACIES) if self.shape.most > 1 else "open",
                "enforce_lessons_order": self.draws.random() < 0.1,
                "hide_member_count": self.draws.random() < 0.1,
                "meta_title": capped(name, 60),
                "meta_description": capped(description, 150),
                "categories": self._categories(area),
                "created_by": 1,
                "created_at": ago(age),
            }
        )
        sections = between(self.draws, self.shape.sections)
        lessons = [lesson for place in range(sections) for lesson in self._section(number, kind, age, place)]
        MemberDraw(self.data, self.ids, self.shape, self.writer, self.draws).add(number, age, lessons)

    # Words

    def _name(self, subject: str) -> str:
        """A name that no course has yet."""
        name = self.writer.text("names", subject)
        if self.shape.long:
            name = ": ".join(
                [
                    name,
                    self.writer.text("descriptions", subject),
                    *(self.writer.text("names", subject) for _ in range(2)),
                ]
            )
            if self.draws.random() < 0.2:
                name = name.replace(" ", "")  # cannot be broken into lines
        if name in self.taken:
            name = f"{name} · {self.draws.choice(self.writer.language.places)}"
        same, first = 2, name
        while name in self.taken:
            name, same = f"{first} ({same})", same + 1
        self.taken.add(name)
        return name

    def _categories(self, area: str) -> list[int]:
        main = self.areas.index(area) + 1
        other = between(self.draws, (1, len(self.areas)))
        return [main] if other == main or self.draws.random() < 0.6 else [main, other]

    # Content

    def _section(self, course: int, kind: str, age: int, place: int) -> Iterator[Lesson]:
        row = {"id": next(self.ids["sections"]), "course_id": course, "name": self.writer.dealt("sections")}
        open_for = None
        if kind == "structured":
            row["drip_delay"] = 7 * place
        elif kind == "scheduled" and self.draws.random() < 0.9:
            open_for = (14 - 14 * place) * DAY
            row["dripped_at"] = f"{-open_for // DAY:+}d"
        self.data["sections"].append(row)
        number = between(self.draws, self.shape.lessons)
        for last in (place == number - 1 for place in range(number)):
            yield self._lesson(row, age, open_for, is_quiz=last and self.draws.random() < 0.7)

    def _lesson(self, section: Mapping[str, Any], age: int, open_for: int | None, is_quiz: bool) -> Lesson:
        draws, name = self.draws, self.writer.dealt("lessons")
        published = draws.random() < 0.9
        made = Lesson(
            next(self.ids["lessons"]),
            between(draws, (age * 9 // 10, age)),
            section,
            open_for,
            published,
            published and draws.random() < 0.9,
        )
        if is_quiz:
            name = self.writer.language.words["quiz"].format(lesson=name)
        elif self.shape.long:
            name = f"{name}: {' '.join(self.writer.text('sentences') for _ in range(4))}"
        self.data["lessons"].append(
            {
                "id": made.id,
                "section_id": section["id"],
                "name": name,
                "type": "quiz" if is_quiz else "lesson",
                "status": "published" if published else "draft",
                "comments_enabled": made.talked_about or not published,
                "text": self.writer.html(self.shape.sentences) if published or draws.random() < 0.5 else "",
                "medias": [self._media(made.created)] if draws.random() < 0.3 else [],
                "created_by": draws.choice((1, 1, 1, 2)),
                "created_at": ago(made.created),
            }
        )
        if is_quiz:
            known = self.writer.language.words["questions"]
            drawn = draws.sample(known, between(draws, (1, len(known))))
            made.questions = [self._question(made.id, question) for question in drawn]
        return made

    def _media(self, age: int) -> int:
        number = next(self.ids["medias"])
        kind = self.draws.choice(("image", "image", "doc"))
        self.data["medias"].append(
            {
                "id": number,
                "type": kind,
                "title": self.writer.text("media"),
                "description": self.writer.text("sentences") if self.draws.random() < 0.5 else "",
                "order": 1,
                "added_at": ago(age),
            }
        )
        return number

    def _question(self, lesson: int, drawn: Mapping[str, Any]) -> dict[str, Any]:
        answers = [(text, True) for text in drawn["right"]] + [(text, False) for text in drawn["wrong"]]
        self.draws.shuffle(answers)
        row = {
            "id": next(self.ids["questions"]),
            "lesson_id": lesson,
            "type": "multi_choice" if len(drawn["right"]) > 1 else "single_choice",
            "text": drawn["text"],
            "answers": [{"id": next(self.ids["answers"]), "text": text, "correct": right} for text, right in answers],
        }
        self.data["questions"].append(row)
        return row


def _slug(name: str, number: int) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = "-".join(re.findall("[a-z0-9]+", plain))[:_SLUG].strip("-") or "course"
    return f"{words}-{number}"
