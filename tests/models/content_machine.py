"""What rules on the content of courses share: choosing what exists in the model, sending, and comparing."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import httpx

from tests.models.content_draws import NOBODY
from tests.models.machine import Machine
from tests.models.model import Caller, moment
from tests.models.model_content import Content, Ids, Thing, numbers


class ContentMachine(Machine):
    """Picks, sends and checks for a model of content."""

    model: Content
    steps: int
    """How many steps have been taken, from a number on that is drawn."""
    touched: list[int]
    """The id of the course that was just changed, and who is to read it."""
    places: dict[str, list[tuple[Ids, int]]]
    """Where every question, attempt and comment is, or was."""

    def course(self, pick: int) -> Thing:
        there = list(self.model.courses.values())
        return there[pick % len(there)]

    def lessons(self) -> list[tuple[Thing, Thing, Thing]]:
        """All lessons, each with its course and section."""
        courses = self.model.courses.values()
        return [(c, s, lesson) for c in courses for s in c["sections"] for lesson in s["lessons"]]

    def some(self, things: list[Any]) -> Any:
        return things[self.steps % len(things)] if things else None

    def section(self, pick: int, slip: str | None) -> Ids:
        """The ids of a course and a section."""
        there = [
            (course["id"], section["id"], 0) for course in self.model.courses.values() for section in course["sections"]
        ]
        ids = there[pick % len(there)] if there else (self.course(pick)["id"], NOBODY, 0)
        return self.slipped(ids, slip)

    def lesson(self, pick: int, slip: str | None, caller: Caller, quiz: bool = False) -> Ids:
        """The ids of a course, a section and a lesson; if `pick` is odd, one that the caller has yet to complete."""
        there = [place for place in self.lessons() if not quiz or place[2]["type"] == "quiz"] or self.lessons()
        if caller in (3, 4) and pick % 2:
            published = [place for place in there if place[2]["status"] == "published"]
            todo = [place for place in published if self.model.progress(place[2], caller) != "completed"]
            there = [place for place in todo if not self.model.lesson_locked(*place, caller)] or published or there
        if not there:
            return self.section(pick, slip)
        course, section, lesson = there[pick % len(there)]
        return self.slipped((course["id"], section["id"], lesson["id"]), slip)

    def item(self, kind: str, pick: int, slip: str | None, caller: Caller) -> tuple[Ids, int]:
        """The ids of a question, an attempt or a comment, and those of its lesson."""
        there = []
        for course, section, lesson in self.lessons():
            ids = (course["id"], section["id"], lesson["id"])
            things = {"question": lesson["questions"], "attempt": lesson["attempts"], "comment": talk(lesson)}[kind]
            there += [(ids, thing["id"]) for thing in things]
        if slip == "item":  # preferably something deleted
            there = [place for place in self.places[kind] if place not in there] or there
        if not there:
            return self.lesson(pick, slip, caller), NOBODY
        ids, item = there[(pick + self.steps) % len(there)]
        return self.slipped(ids, slip), item

    def slipped(self, ids: Ids, slip: str | None) -> Ids:
        """The path with one id replaced by that of something else, existing or deleted."""
        for place, kind in enumerate(("course", "section", "lesson")):
            if kind == slip:
                number = self.some([*self.model.used.get(kind, []), NOBODY, 0])
                return (*ids[:place], number, *ids[place + 1 :])
        return ids

    def within(self, kind: str, parent: int) -> tuple[list[Thing], list[Thing]]:
        """The sections, lessons or questions of one parent, and all others."""
        courses = list(self.model.courses.values())
        sections = [section for course in courses for section in course["sections"]]
        parents = {"sections": courses, "lessons": sections, "questions": [lesson for _, _, lesson in self.lessons()]}
        here: list[Thing] = []
        others: list[Thing] = []
        for thing in parents[kind]:
            (here if thing["id"] == parent else others).extend(thing[kind])
        return here, others

    def ordered(self, kind: str, parent: int, order: tuple[list[int], int, bool]) -> list[int]:
        """The ids to send for this order."""
        places, count, foreign = order
        here, others = self.within(kind, parent)
        ids = [here[place]["id"] for place in places if place < len(here)][:count]
        return ids + ([self.some(numbers(others)) or NOBODY] if foreign else [])

    def dated(self, body: Thing) -> Thing:
        """With a date in place of the hours from now, written as a browser does."""
        if body.get("dripped_at") is None:
            return body
        date = self.now + timedelta(hours=body["dripped_at"])
        return {**body, "dripped_at": date.isoformat(timespec="milliseconds").replace("+00:00", "Z")}

    def send(self, caller: Caller, method: str, path: str, **options: Any) -> httpx.Response:
        """Every request except reading takes time."""
        if method != "GET":
            self.pass_time(timedelta(seconds=1))
        return super().send(caller, method, path, **options)

    def pass_time(self, by: timedelta) -> None:
        super().pass_time(by)
        self.model.now = self.now

    def new(self, kind: str, answer: httpx.Response, ids: Ids | None = None) -> int:
        """The id of something new in the lesson of `ids`."""
        assert answer.status_code < 300, answer.text
        number = self.model.named(kind, answer.json()["id"])
        if ids:
            self.places[kind].append((ids, number))
        return number

    def check_course(self, course: Thing, view: str, answer: httpx.Response, user: Caller) -> None:
        """Compare the course with what the model knows about it."""
        if view == "change":
            self.touched = [course["id"]]
        expected = self.model.seen_course(course, view, user)
        shown = undated(answer.json())
        assert {field: shown.get(field) for field in expected} == expected
        if view == "dashboard":
            assert not {"description", "sections", "sections_order", "enforce_lessons_order"} & set(shown)

    def check_rows(self, caller: Caller, path: str, query: Any, page: Any, found: Callable[[], list[Thing]]) -> None:
        for shown, expected in self.page(caller, path, query, page, None, found):
            assert shown == expected


def path(ids: Ids) -> str:
    return "/course/{}/section/{}/lesson/{}/".format(*ids)


def talk(lesson: Thing) -> list[Thing]:
    return [one for comment in lesson["comments"] for one in (comment, *comment["replies"])]


def response(question: Thing, right: bool) -> Thing:
    """The right response to a question, or a wrong one if there is any."""
    correct = [answer["id"] for answer in question["answers"] if answer["correct"]]
    others = [answer["id"] for answer in question["answers"] if not answer["correct"]]
    selected = correct
    if not right and question["type"] == "multi_choice":
        selected = correct[1:] or correct + others  # too few or too many
    elif not right:
        selected = others[:1] or correct
    return {"question_id": question["id"], "selected_options": selected}


def undated(shown: Any) -> Any:
    """With dates parsed where the text may be in any time zone."""
    if isinstance(shown, list):
        return [undated(item) for item in shown]
    if not isinstance(shown, dict):
        return shown
    found = {field: undated(value) for field, value in shown.items()}
    for field in ("dripped_at", "available_date"):
        if found.get(field) is not None:
            date = datetime.fromisoformat(found[field])
            assert moment(date) == found[field]
            found[field] = date
    return found
