"""Random sequences on sections, lessons, quizzes and comments by all kinds of users, compared with a small model.

A plain run always tries the same sequences, and shows a failing one unshortened. MODEL_EXAMPLES=N tries N others, new
ones in each run, and takes minutes to shorten a failing one.
"""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from tests.models.content_draws import (
    CONDUCTS,
    FIELDS_OF_QUESTION,
    FIRMLY,
    GOOD_QUESTION,
    HOURS,
    KINDS,
    LEARNERS,
    LESSON,
    LESSON_FLAWS,
    LESSON_PARTS,
    NAMES,
    NOBODY,
    ORDERS,
    PAGES,
    PEOPLE,
    PICKS,
    QUESTION,
    QUESTION_FLAWS,
    READERS,
    SECTION,
    SECTION_FLAWS,
    SLIPS,
    TALKERS,
    TEXTS,
    WRITERS,
)
from tests.models.content_machine import ContentMachine, path, response, talk, undated
from tests.models.machine import GONE, WIRES, encoded, extent
from tests.models.model import BOSSES, STATUSES, STUDENTS, TYPES, USERS, Caller, Refused
from tests.models.model_content import (
    NEW_LESSON,
    NEW_QUESTION,
    NEW_SECTION,
    NOTHING,
    Content,
    Ids,
    Thing,
    find,
    known,
    numbers,
    reordered,
)
from tests.support.default import NOW


class Lessons(ContentMachine):
    """The content of courses."""

    @initialize(
        kinds=st.lists(
            st.tuples(st.sampled_from(TYPES), st.sampled_from((False, False, True))), max_size=2, min_size=1
        ),
        parts=st.lists(st.fixed_dictionaries(SECTION), min_size=2, max_size=3),
        questions=st.lists(QUESTION, max_size=3),
        size=st.sampled_from((2, 3, 3, 8)),
        waits=st.tuples(st.sampled_from(HOURS), st.sampled_from(HOURS)),
        turn=st.integers(0, 9999),
    )
    def begin(
        self,
        kinds: list[tuple[str, bool]],
        parts: list[Thing],
        questions: list[Thing],
        size: int,
        waits: tuple[int, int],
        turn: int,
    ) -> None:
        """One or two courses with some members, and content in the first of them."""
        self.server.worlds.reset().clock.freeze(NOW)
        self.now = NOW
        self.model = Content(NOW)
        self.steps = turn
        self.touched = []
        self.places = {"question": [], "attempt": [], "comment": []}
        self.lost = ""
        for place, (kind, enforced) in enumerate(kinds):
            self.create_course(f"Course {place}", kind, enforced)
            self.appoint(place, 1, 2, "managers")
        for user, hours in zip((3, 4), waits, strict=True):
            self.wait(hours)
            for place in range(len(kinds)):
                self.join(place, user)
        for place, part in enumerate(parts):
            self.create_section(place // 2, 1, part, "json", ("", GONE))
        text = {"name": "To read", "type": "lesson", "status": "published"}
        quiz = {"name": "To answer", "type": "quiz", "status": "published"}
        for place, body in enumerate((quiz, text, text)):
            self.create_lesson(place // 2, 2, body, "json", ("", GONE), FIRMLY)
        for number in range(size):
            question = questions[number] if number < len(questions) else GOOD_QUESTION
            self.create_question(0, 1, question, ("", GONE), False, FIRMLY)
        for user, conduct in ((3, "wrong"), (2, "right"), (4, "mixed"), (2, "wrong")):
            self.attempt(0, user, conduct, [True, False, True, True] * 2, FIRMLY)
        self.comment(2, 2, "Elsewhere", None, None, "json", ("", GONE), FIRMLY)
        for user, under in ((3, None), (4, "first"), (2, "first")):
            self.comment(0, user, f"By {user}", under, "sister", "json", ("", GONE), FIRMLY)

    def create_course(self, name: str, kind: str, enforced: bool) -> None:
        body = {"name": name, "type": kind, "enforce_lessons_order": enforced, "privacy": "open"}
        answer = self.send(1, "POST", "/course/", json=body)
        course = {
            **body,
            "id": self.new("course", answer),
            "slug": answer.json()["slug"],
            "created_at": self.now,
            "created_by": 1,
            "people": {},
            "sections": [],
        }
        self.model.courses[course["id"]] = course
        self.model.set_status(course, 1, "creator")
        self.check_course(course, "change", answer, 1)

    # Courses, as far as they matter here

    @rule(hours=st.sampled_from(HOURS))
    def wait(self, hours: int) -> None:
        self.pass_time(timedelta(hours=hours))

    @rule(pick=PICKS, user=PEOPLE, early=st.booleans())
    def wait_for_opening(self, pick: int, user: int, early: bool) -> None:
        """Wait until a section opens, or until just before."""
        course = self.course(pick)
        dates = [self.model.opening(course, section, user) for section in course["sections"]]
        coming = [date for date in dates if date and date > self.now]
        if coming:
            self.pass_time(min(coming) - self.now - timedelta(microseconds=early))
            for reader in (3, user):
                self.read_course(pick, reader, "user", None)

    @rule(
        pick=PICKS,
        caller=WRITERS,
        body=st.fixed_dictionaries(
            {}, optional={"type": st.sampled_from(TYPES), "enforce_lessons_order": st.booleans()}
        ),
        method=st.sampled_from(("PUT", "PATCH")),
    )
    def change_course(self, pick: int, caller: Caller, body: Thing, method: str) -> None:
        course = self.course(pick)
        if method == "PUT":
            body = {"name": course["name"], "type": course["type"], **body}
        answer = self.send(caller, method, f"/course/{course['id']}/", json=body)
        with self.judged(answer, 200):
            self.model.enter(caller, course["id"], BOSSES).update(body)
            self.check_course(course, "change", answer, caller)

    @rule(pick=PICKS, caller=WRITERS, order=ORDERS, method=st.sampled_from(("PUT", "PATCH")))
    def order_sections(self, pick: int, caller: Caller, order: Any, method: str) -> None:
        course = self.course(pick)
        ids = self.ordered("sections", course["id"], order)
        body = {"name": course["name"], "type": course["type"], "sections_order": ids}
        if method == "PATCH":
            body = {"sections_order": ids}
        answer = self.send(caller, method, f"/course/{course['id']}/", json=body)
        with self.judged(answer, 200):
            self.model.enter(caller, course["id"], BOSSES)
            known("sections_order", ids, course["sections"])
            course["sections"] = reordered(course["sections"], ids)
            self.check_course(course, "change", answer, caller)

    @rule(pick=PICKS, user=PEOPLE)
    def join(self, pick: int, user: int) -> None:
        course = self.course(pick)
        answer = self.send(user, "POST", f"/course/{course['id']}/join/")
        with self.judged(answer, 200):
            if not self.model.status(course, user):
                self.model.set_status(course, user, "joined")
            self.check_course(course, "user", answer, user)

    @rule(pick=PICKS, user=PEOPLE, by=st.sampled_from((None, None, 1)))
    def leave(self, pick: int, user: int, by: int | None) -> None:
        course = self.course(pick)
        params = {"user": user} if by else {}
        answer = self.send(by or user, "DELETE", f"/course/{course['id']}/join/", params=params)
        with self.judged(answer, 204):
            if not self.model.status(course, user):
                raise NOTHING
            self.model.set_status(course, user, None)
            self.touched = [course["id"], user]

    @rule(pick=PICKS, caller=WRITERS, user=PEOPLE, role=st.sampled_from(("managers", "joined", "unjoined")))
    def appoint(self, pick: int, caller: Caller, user: int, role: str) -> None:
        course = self.course(pick)
        answer = self.send(caller, "POST", f"/course/{course['id']}/role/", json={role: [user]})
        with self.judged(answer, 204):
            self.model.enter(caller, course["id"], BOSSES)
            status = {"managers": "manager", "joined": "joined"}.get(role)
            self.model.set_status(course, user, status)
            self.touched = [course["id"], user]

    # Sections

    @rule(pick=PICKS, caller=WRITERS, body=st.fixed_dictionaries(SECTION), wire=WIRES, flaw=SECTION_FLAWS)
    def create_section(self, pick: int, caller: Caller, body: Thing, wire: str, flaw: Any) -> None:
        course = self.course(pick)
        options, body = encoded(wire, self.flawed(self.dated(body), flaw))
        answer = self.send(caller, "POST", f"/course/{course['id']}/section/", **options)
        with self.judged(answer, 201):
            self.model.enter(caller, course["id"], BOSSES)
            section: Thing = {**NEW_SECTION, "lessons": []}
            self.model.write_section(section, body, True)
            section["id"] = self.new("section", answer)
            course["sections"].append(section)
            self.touched = [course["id"]]
            assert undated(answer.json()) == self.model.seen_section(section)

    @rule(
        pick=PICKS,
        caller=WRITERS,
        body=st.fixed_dictionaries({}, optional=SECTION),
        wire=WIRES,
        flaw=SECTION_FLAWS,
        method=st.sampled_from(("PUT", "PATCH", "PATCH")),
        slip=SLIPS,
    )
    def change_section(
        self, pick: int, caller: Caller, body: Thing, wire: str, flaw: Any, method: str, slip: str | None
    ) -> None:
        ids = self.section(pick, slip)
        if method == "PUT":
            body = {"name": "Renamed", **body}
        options, body = encoded(wire, self.flawed(self.dated(body), flaw))
        self.put_section(ids, caller, method, options, body)

    @rule(pick=PICKS, caller=WRITERS, order=ORDERS, method=st.sampled_from(("PUT", "PATCH")))
    def order_lessons(self, pick: int, caller: Caller, order: Any, method: str) -> None:
        ids = self.section(pick, FIRMLY)
        body: Thing = {"lessons_order": self.ordered("lessons", ids[1], order)}
        if method == "PUT":
            body["name"] = "Put in order"
        self.put_section(ids, caller, method, {"json": body}, body)

    def put_section(self, ids: Ids, caller: Caller, method: str, options: Thing, body: Thing) -> None:
        answer = self.send(caller, method, f"/course/{ids[0]}/section/{ids[1]}/", **options)
        with self.judged(answer, 200):
            course = self.model.enter(caller, ids[0], BOSSES)
            section = find(course["sections"], ids[1])
            self.model.write_section(section, body, method == "PUT")
            self.touched = [course["id"]]
            assert undated(answer.json()) == self.model.seen_section(section)

    def delete_section(self, pick: int, caller: Caller, slip: str | None) -> None:
        ids = self.section(pick, slip)
        answer = self.send(caller, "DELETE", f"/course/{ids[0]}/section/{ids[1]}/")
        with self.judged(answer, 204):
            course = self.model.enter(caller, ids[0], BOSSES)
            course["sections"].remove(find(course["sections"], ids[1]))
            self.touched = [course["id"]]

    def read_section(self, pick: int, caller: Caller, slip: str | None) -> None:
        ids = self.section(pick, slip)
        answer = self.send(caller, "GET", f"/course/{ids[0]}/section/{ids[1]}/")
        with self.judged(answer, 200):
            course = self.model.enter(caller, ids[0], BOSSES)
            assert undated(answer.json()) == self.model.seen_section(find(course["sections"], ids[1]))

    # Lessons

    @rule(
        pick=PICKS,
        caller=WRITERS,
        body=st.fixed_dictionaries(LESSON, optional=LESSON_PARTS),
        wire=WIRES,
        flaw=LESSON_FLAWS,
        slip=SLIPS,
    )
    def create_lesson(self, pick: int, caller: Caller, body: Thing, wire: str, flaw: Any, slip: str | None) -> None:
        ids = self.section(pick, slip)
        options, body = encoded(wire, self.flawed(body, flaw))
        answer = self.send(caller, "POST", f"/course/{ids[0]}/section/{ids[1]}/lesson/", **options)
        with self.judged(answer, 201):
            course = self.model.enter(caller, ids[0], BOSSES)
            section = find(course["sections"], ids[1])
            empty: Thing = {"progress": {}, "questions": [], "attempts": [], "comments": []}
            lesson = {**NEW_LESSON, **empty, "created_at": self.now, "created_by": caller}
            self.model.write_lesson(lesson, body, True)
            lesson["id"] = self.new("lesson", answer)
            section["lessons"].append(lesson)
            self.touched = [course["id"]]
            assert answer.json() == self.model.seen_lesson(course, section, lesson, caller)

    @rule(
        pick=PICKS,
        caller=WRITERS,
        body=st.fixed_dictionaries({}, optional=LESSON_PARTS | {"type": KINDS, "name": NAMES}),
        wire=WIRES,
        flaw=LESSON_FLAWS,
        method=st.sampled_from(("PUT", "PATCH", "PATCH")),
        slip=SLIPS,
    )
    def change_lesson(
        self, pick: int, caller: Caller, body: Thing, wire: str, flaw: Any, method: str, slip: str | None
    ) -> None:
        ids = self.lesson(pick, slip, caller)
        if method == "PUT":
            body = {"name": "Renamed", "type": "quiz", **body}
        options, body = encoded(wire, self.flawed(body, flaw))
        self.put_lesson(ids, caller, method, options, body)

    @rule(pick=PICKS, caller=WRITERS, flag=st.sampled_from(("comments_enabled", "status", "type")))
    def toggle(self, pick: int, caller: Caller, flag: str) -> None:
        """As the switches of an editor do it."""
        ids = self.lesson(pick, FIRMLY, caller)
        there = [lesson for _, _, lesson in self.lessons() if lesson["id"] == ids[2]]
        old = there[0][flag] if there else None
        new = {True: False, "published": "draft", "quiz": "lesson", "lesson": "quiz", "draft": "published"}
        body = {flag: new.get(old, True)} if old is not None else {}
        self.put_lesson(ids, caller, "PATCH", {"json": body}, body)

    @rule(
        pick=PICKS,
        caller=WRITERS,
        order=ORDERS,
        all_of_them=st.booleans(),
        method=st.sampled_from(("PUT", "PATCH")),
        kind=st.sampled_from((None, None, "quiz", "lesson")),
    )
    def order_questions(
        self, pick: int, caller: Caller, order: Any, all_of_them: bool, method: str, kind: str | None
    ) -> None:
        ids = self.lesson(pick, FIRMLY, caller, quiz=True)
        places, count, foreign = order
        told = self.ordered("questions", ids[2], (places, 6 if all_of_them else count, foreign))
        body: Thing = {"questions_order": told} | ({"type": kind} if kind else {})
        if method == "PUT":
            body = {"name": "Put in order", "type": "quiz", **body}
        self.put_lesson(ids, caller, method, {"json": body}, body)

    def put_lesson(self, ids: Ids, caller: Caller, method: str, options: Thing, body: Thing) -> None:
        answer = self.send(caller, method, path(ids), **options)
        with self.judged(answer, 200):
            course, section, lesson = self.model.edit(caller, ids)
            self.model.write_lesson(lesson, body, method == "PUT")
            self.lost = "question" if "questions_order" in body else ""
            self.touched = [course["id"]]
            assert answer.json() == self.model.seen_lesson(course, section, lesson, caller)

    def delete_lesson(self, pick: int, caller: Caller, slip: str | None) -> None:
        ids = self.lesson(pick, slip, caller)
        answer = self.send(caller, "DELETE", path(ids))
        with self.judged(answer, 204):
            course, section, lesson = self.model.edit(caller, ids)
            section["lessons"].remove(lesson)
            self.touched = [course["id"]]

    def read_lesson(self, pick: int, caller: Caller, slip: str | None) -> None:
        ids = self.lesson(pick, slip, caller)
        answer = self.send(caller, "GET", path(ids))
        with self.judged(answer, 200):
            course, section, lesson = self.model.study(caller, ids)
            assert answer.json() == self.model.seen_lesson(course, section, lesson, caller)

    @rule(pick=PICKS, caller=LEARNERS, done=st.sampled_from((True, True, False)), slip=SLIPS)
    def mark(self, pick: int, caller: Caller, done: bool, slip: str | None) -> None:
        ids = self.lesson(pick, slip, caller)
        end, headers = ("complete/", {"Content-Type": "application/json"}) if done else ("incomplete/", {})
        answer = self.send(caller, "POST", path(ids) + end, headers=headers)
        with self.judged(answer, 204):
            course, _, lesson = self.model.study(caller, ids)
            assert isinstance(caller, int)
            if done:
                self.model.complete(course, lesson, caller)
            else:
                lesson["progress"].pop(caller, None)
            self.touched = [course["id"], caller]

    # Questions

    @rule(pick=PICKS, caller=WRITERS, body=QUESTION, flaw=QUESTION_FLAWS, at_lesson=st.booleans(), slip=SLIPS)
    def create_question(
        self, pick: int, caller: Caller, body: Thing, flaw: Any, at_lesson: bool, slip: str | None
    ) -> None:
        ids = self.lesson(pick, slip, caller, quiz=True)
        body = self.flawed(body, flaw)
        answer = self.send(caller, "POST", path(ids) + "question/" * (not at_lesson), json=body)
        with self.judged(answer, 201):
            course, _, lesson = self.model.edit(caller, ids, quiz=True)
            question: Thing = {**NEW_QUESTION, "answers": []}
            self.model.write_question(question, body, True)
            question["id"] = self.new("question", answer, ids)
            lesson["questions"].append(question)
            self.check_question(course, question, caller, answer)

    @rule(
        pick=PICKS,
        caller=WRITERS,
        body=QUESTION,
        fields=FIELDS_OF_QUESTION,
        flaw=QUESTION_FLAWS,
        method=st.sampled_from(("PUT", "PATCH")),
        slip=SLIPS,
    )
    def change_question(
        self, pick: int, caller: Caller, body: Thing, fields: set[str], flaw: Any, method: str, slip: str | None
    ) -> None:
        ids, item = self.item("question", pick, slip, caller)
        if method == "PATCH":
            body = {field: value for field, value in body.items() if field in fields}
        body = self.flawed(body, flaw)
        answer = self.send(caller, method, f"{path(ids)}question/{item}/", json=body)
        with self.judged(answer, 200):
            course, _, lesson = self.model.edit(caller, ids, quiz=True)
            question = find(lesson["questions"], item)
            self.model.write_question(question, body, method == "PUT")
            self.check_question(course, question, caller, answer)

    def delete_question(self, pick: int, caller: Caller, slip: str | None) -> None:
        ids, item = self.item("question", pick, slip, caller)
        answer = self.send(caller, "DELETE", f"{path(ids)}question/{item}/")
        with self.judged(answer, 204):
            _, _, lesson = self.model.edit(caller, ids, quiz=True)
            lesson["questions"].remove(find(lesson["questions"], item))
            self.lost = "question"

    def read_questions(self, pick: int, caller: Caller, one: bool, slip: str | None) -> None:
        ids, item = self.item("question", pick, slip, caller)
        answer = self.send(caller, "GET", f"{path(ids)}question/" + f"{item}/" * one)
        with self.judged(answer, 200):
            course, _, lesson = self.model.study(caller, ids, quiz=True)
            rows = [find(lesson["questions"], item)] if one else lesson["questions"]
            shown = [answer.json()] if one else answer.json()
            assert shown == [self.model.seen_question(course, question, caller) for question in rows]

    def check_question(self, course: Thing, question: Thing, caller: Caller, answer: httpx.Response) -> None:
        """After a write, the answer gives the ids of new answers."""
        assert answer.status_code < 300, answer.text
        for row, shown in zip(question["answers"], answer.json()["answers"], strict=True):
            if row["id"] is None:
                row["id"] = self.model.named("answer", shown["id"])
        assert answer.json() == self.model.seen_question(course, question, caller)

    # Attempts

    @rule(
        pick=PICKS, caller=LEARNERS, conduct=CONDUCTS, luck=st.lists(st.booleans(), min_size=8, max_size=8), slip=SLIPS
    )
    def attempt(self, pick: int, caller: Caller, conduct: str, luck: list[bool], slip: str | None) -> None:
        ids = self.lesson(pick, slip, caller, quiz=True)
        questions, _ = self.within("questions", ids[2])
        responses = [
            response(question, conduct == "right" or (conduct != "wrong" and luck[place % 8]))
            for place, question in enumerate(questions)
        ]
        match conduct:
            case "none":
                responses = []
            case "incomplete":
                responses = responses[1:]
            case "twice":
                responses += responses[:1]
            case "unknown question":
                responses.append({"question_id": NOBODY, "selected_options": [1]})
            case "unknown option" if responses:
                responses[-1]["selected_options"] = [NOBODY]
            case "no option" if responses:
                responses[-1]["selected_options"] = []
            case "all options" if responses:
                responses[-1]["selected_options"] = numbers(questions[-1]["answers"])
        answer = self.send(caller, "POST", f"{path(ids)}attempt/", json={"responses": responses})
        with self.judged(answer, 200):
            course, _, lesson = self.model.study(caller, ids, quiz=True)
            assert isinstance(caller, int)
            attempt = self.model.attempt(course, lesson, caller, responses)
            attempt["id"] = self.new("attempt", answer, ids)
            self.touched = [course["id"], caller]
            assert answer.json() == self.model.seen_attempt(course, lesson, attempt, caller)

    def read_attempt(self, pick: int, caller: Caller, slip: str | None) -> None:
        ids, item = self.item("attempt", pick, slip, caller)
        answer = self.send(caller, "GET", f"{path(ids)}attempt/{item}/")
        with self.judged(answer, 200):
            course = self.model.enter(caller, ids[0])
            _, lesson = self.model.lesson(course, ids, quiz=True)
            attempt = find(lesson["attempts"], item)
            self.model.own(caller, course, attempt["user"])
            assert answer.json() == self.model.seen_attempt(course, lesson, attempt, caller)

    # Comments

    @rule(
        pick=PICKS,
        caller=TALKERS,
        text=st.sampled_from((None, *TEXTS)),
        under=st.sampled_from((*[None] * 3, *["first"] * 5, "reply", "elsewhere", "elsewhere", "unknown")),
        to=st.sampled_from((*[None] * 4, *["sister"] * 4, "first", "other", "unknown")),
        wire=WIRES,
        flaw=st.sampled_from((*[("", GONE)] * 12, ("medias", [NOBODY]), ("created_by", 6))),
        slip=SLIPS,
    )
    def comment(
        self,
        pick: int,
        caller: Caller,
        text: str | None,
        under: str | None,
        to: str | None,
        wire: str,
        flaw: Any,
        slip: str | None,
    ) -> None:
        ids = self.lesson(pick, slip, caller)
        threads = [(lesson["id"], thread) for _, _, lesson in self.lessons() for thread in lesson["comments"]]
        here = [thread for number, thread in threads if number == ids[2]]
        replies = [reply for thread in here for reply in thread["replies"]]
        elsewhere = [thread for number, thread in threads if number != ids[2]]
        parent = {"first": self.some(here), "reply": self.some(replies), "elsewhere": self.some(elsewhere)}.get(
            under or ""
        )
        sisters = parent["replies"] if parent else []
        others = [reply for _, thread in threads for reply in thread["replies"] if reply not in sisters]
        answered = {"sister": self.some(sisters), "first": parent, "other": self.some(others)}.get(to or "")
        body = {
            "parent": NOBODY if under == "unknown" else parent["id"] if parent else None,
            "in_reply_to": NOBODY if to == "unknown" else answered["id"] if answered else None,
        } | ({} if text is None else {"text": text})
        options, body = encoded(wire, self.flawed(body, flaw))
        answer = self.send(caller, "POST", f"{path(ids)}comment/", **options)
        with self.judged(answer, 201):
            _, _, lesson = self.model.study(caller, ids)
            assert isinstance(caller, int)
            comment = self.model.comment(lesson, caller, body)
            comment["id"] = self.new("comment", answer, ids)
            assert answer.json() == self.model.seen_comment(comment)

    @rule(
        pick=PICKS,
        caller=TALKERS,
        body=st.fixed_dictionaries(
            {},
            optional={
                "text": st.sampled_from(TEXTS),
                "parent": st.sampled_from((None, 1, NOBODY)),
                "in_reply_to": st.sampled_from((None, 2, NOBODY)),
            },
        ),
        wire=WIRES,
        method=st.sampled_from(("PUT", "PATCH")),
        media=st.sampled_from((*[False] * 9, True)),
        slip=SLIPS,
    )
    def change_comment(
        self, pick: int, caller: Caller, body: Thing, wire: str, method: str, media: bool, slip: str | None
    ) -> None:
        ids, item = self.item("comment", pick, slip, caller)
        options, body = encoded(wire, body | ({"medias": [NOBODY]} if media else {}))
        answer = self.send(caller, method, f"{path(ids)}comment/{item}/", **options)
        with self.judged(answer, 200):
            _, comment = self.their_comment(caller, ids, item)
            if media:
                raise Refused(400, {"medias": "does_not_exist"})
            comment["html"] = body.get("text", comment["html"])
            assert answer.json() == self.model.seen_comment(comment)

    def delete_comment(self, pick: int, caller: Caller, slip: str | None) -> None:
        ids, item = self.item("comment", pick, slip, caller)
        answer = self.send(caller, "DELETE", f"{path(ids)}comment/{item}/")
        with self.judged(answer, 204):
            self.model.drop_comment(*self.their_comment(caller, ids, item))
            self.lost = "comment"

    def read_comment(self, pick: int, caller: Caller, slip: str | None) -> None:
        ids, item = self.item("comment", pick, slip, caller)
        answer = self.send(caller, "GET", f"{path(ids)}comment/{item}/")
        with self.judged(answer, 200):
            _, _, lesson = self.model.edit(caller, ids)
            assert answer.json() == self.model.seen_comment(find(talk(lesson), item))

    @rule(
        pick=PICKS,
        caller=TALKERS,
        parent=st.sampled_from((None, None, "there", "there", "unknown")),
        ordering=st.sampled_from((None, "created_at", "-created_at", "-created_at", "added_at")),
        page=PAGES,
        slip=SLIPS,
    )
    def list_comments(
        self, pick: int, caller: Caller, parent: str | None, ordering: str | None, page: Any, slip: str | None
    ) -> None:
        ids, item = self.item("comment", pick, slip, caller)
        number = {"there": item, "unknown": NOBODY}.get(parent or "")
        query = [("parent", str(number))] * (number is not None)
        query += [("ordering", ordering)] if ordering else []

        def found() -> list[Thing]:
            _, _, lesson = self.model.study(caller, ids)
            return self.model.comments(lesson, number, ordering)

        self.check_rows(caller, f"{path(ids)}comment/", query, page, found)

    def their_comment(self, caller: Caller, ids: Ids, item: int) -> tuple[Thing, Thing]:
        """A lesson, and a comment in it that the caller may change."""
        course = self.model.enter(caller, ids[0])
        _, lesson = self.model.lesson(course, ids)
        comment = find(talk(lesson), item)
        self.model.own(caller, course, comment["created_by"])
        return lesson, comment

    # Deleting and reading

    @rule(
        pick=PICKS,
        caller=WRITERS | TALKERS,
        kind=st.sampled_from(("comment", "comment", "comment", "question", "question", "lesson", "section")),
        slip=SLIPS,
    )
    def delete(self, pick: int, caller: Caller, kind: str, slip: str | None) -> None:
        remove = {
            "section": self.delete_section,
            "lesson": self.delete_lesson,
            "question": self.delete_question,
            "comment": self.delete_comment,
        }
        remove[kind](pick, caller, slip)

    @rule(
        pick=PICKS,
        caller=READERS,
        kind=st.sampled_from(("section", "lesson", "lesson", "questions", "question", "attempt", "attempt", "comment")),
        slip=SLIPS,
    )
    def read(self, pick: int, caller: Caller, kind: str, slip: str | None) -> None:
        match kind:
            case "section":
                self.read_section(pick, caller, slip)
            case "lesson":
                self.read_lesson(pick, caller, slip)
            case "attempt":
                self.read_attempt(pick, caller, slip)
            case "comment":
                self.read_comment(pick, caller, slip)
            case _:
                self.read_questions(pick, caller, kind == "question", slip)

    @rule(
        pick=PICKS,
        caller=WRITERS,
        kind=st.sampled_from(("users", "attempts", "attempts", "threads", "threads", "content")),
        statuses=st.sampled_from((None, None, STATUSES, ("joined",))),
        ordering=st.sampled_from(("-joined_at", "joined_at", "last_active_at", "-last_active_at")),
        text=st.sampled_from((None, None, "", "ANSWER", "prUETT", "öl")),
        page=PAGES,
    )
    def overlook(
        self,
        pick: int,
        caller: Caller,
        kind: str,
        statuses: tuple[str, ...] | None,
        ordering: str,
        text: str | None,
        page: Any,
    ) -> None:
        match kind:
            case "users":
                self.list_users(pick, caller, statuses or STUDENTS, ordering)
            case "attempts":
                self.list_attempts(pick, caller, statuses, text, page)
            case "threads":
                self.list_threads(pick, caller, page)
            case _:
                self.list_sections_or_lessons(pick, caller, FIRMLY)

    @rule(
        pick=PICKS,
        caller=READERS,
        view=st.sampled_from((None, "user", "user", "edit", "dashboard")),
        user=st.sampled_from((None, *USERS, NOBODY)),
    )
    def read_course(self, pick: int, caller: Caller, view: str | None, user: int | None) -> None:
        course = self.course(pick)
        params = {name: value for name, value in (("view", view), ("user", user)) if value is not None}
        answer = self.send(caller, "GET", f"/course/{course['id']}/", params=params)
        with self.judged(answer, 200):
            roles = BOSSES if view in ("edit", "dashboard") or user else ()
            self.model.enter(caller, course["id"], roles, login=False)
            if user == NOBODY:
                raise NOTHING
            self.check_course(course, view or "user", answer, caller if user is None else user)

    def list_users(self, pick: int, caller: Caller, statuses: tuple[str, ...], ordering: str) -> None:
        course = self.course(pick)

        def found() -> list[Thing]:
            self.model.enter(caller, course["id"], BOSSES)
            return self.model.dashboard_users(course, statuses, ordering)

        query = [("statuses", status) for status in statuses] + [("ordering", ordering)]
        self.check_rows(caller, f"/course/{course['id']}/users/", query, {}, found)

    def list_attempts(
        self, pick: int, caller: Caller, statuses: tuple[str, ...] | None, text: str | None, page: Any
    ) -> None:
        course = self.course(pick)
        query = [("statuses", status) for status in statuses or ()] + [("search", text)] * (text is not None)

        def found() -> list[Thing]:
            self.model.enter(caller, course["id"], BOSSES)
            return self.model.dashboard_attempts(course, statuses or STUDENTS, text or "")

        self.check_rows(caller, f"/course/{course['id']}/quiz/", query, page, found)

    def list_threads(self, pick: int, caller: Caller, page: Any) -> None:
        course = self.course(pick)

        def found() -> list[Thing]:
            self.model.enter(caller, course["id"], BOSSES)
            return self.model.threads(course)

        self.check_rows(caller, f"/course/{course['id']}/comment/", [], page, found)

    def list_sections_or_lessons(self, pick: int, caller: Caller, slip: str | None) -> None:
        ids = self.section(pick, slip)
        lessons = "" if pick % 2 else f"{ids[1]}/lesson/"
        answer = self.send(caller, "GET", f"/course/{ids[0]}/section/{lessons}")
        with self.judged(answer, 200):
            course = self.model.enter(caller, ids[0], BOSSES)
            if not lessons:
                assert undated(answer.json()) == [self.model.seen_section(section) for section in course["sections"]]
                return
            section = find(course["sections"], ids[1])
            expected = [self.model.seen_lesson(course, section, lesson, caller) for lesson in section["lessons"]]
            assert answer.json() == expected

    @invariant()
    def the_world_is_as_the_model(self) -> None:
        """What was just changed, and something else in turn."""
        self.steps += 1
        turn = self.steps // 9
        number, *readers = self.touched or [0]
        self.touched = []
        if number:
            pick = list(self.model.courses).index(number)
            reader = readers[0] if readers else (3, 4, 2, 6, None)[turn % 5]
            self.read_course(pick, reader, "user", None)
            if readers:
                self.list_users(pick, 1, STATUSES, "-joined_at")
            else:
                self.read_course(pick, 1, "edit", reader)
        for pick in range(2):
            if self.lost == "question":
                self.read_questions(pick, 1, True, "item")
            elif self.lost == "comment":
                self.read_comment(pick, 1, "item")
                self.list_comments(pick, 1, "there", None, {}, "item")
        self.lost = ""
        match self.steps % 9:
            case 0:
                self.read_course(turn % 5, (1, 2, 3, 4, 5, None)[turn % 6], "user", None)
            case 1:
                self.read_course(turn % 5, 1, ("user", "edit")[turn % 2], (2, 3, 4, 6)[turn % 4])
            case 2:
                self.read_course(turn % 5, 1, "dashboard", None)
            case 3:
                self.list_users(turn % 5, 1, STUDENTS, ("last_active_at", "-last_active_at")[turn % 2])
            case 4:
                self.list_attempts(turn % 5, 1, None, None, {})
            case 5:
                self.list_threads(turn % 5, 1, {})
            case 6:
                self.read_attempt(turn % 12, (1, 2, 3, 4)[turn % 4], FIRMLY)
            case 7:
                self.read_lesson(turn % 12, (3, 4, 2)[turn % 3], FIRMLY)
            case 8:
                self.list_comments(turn % 12, (1, 3)[turn % 2], (None, "there")[turn % 2], None, {}, FIRMLY)


Lessons.TestCase.settings = extent(100)
TestModelContent = pytest.mark.long(Lessons.TestCase)
