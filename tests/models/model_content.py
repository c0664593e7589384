"""A second, small implementation of the rules of sections, lessons, quizzes and comments, to compare the server with.

Nothing is imported from the server. Everything is in plain dicts, nested in what it belongs to, and is deleted with
it. The model takes from an answer only what no rule decides: ids of new things (which must never have been used).
"""

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from tests.models.model import BAD, BOSSES, STUDENTS, USERS, Caller, Refused, moment

Thing = dict[str, Any]
"""A course, a section, a lesson, a question, an attempt or a comment."""
Ids = tuple[int, int, int]
"""The ids of a course, a section and a lesson, as in a path."""

MEMBERS = ("creator", *STUDENTS)
NOTHING = Refused(404, {"": "not_found"})
FORBIDDEN = Refused(403, {"": "permission_denied"})

NEW_SECTION = {"name": "", "dripped_at": None, "drip_delay": 0}
NEW_LESSON = {
    "name": "",
    "type": "",
    "status": "draft",
    "comments_enabled": True,
    "text": "",
    "passing_grade": 60,
}
"""The values of a new lesson where the request gives none (R307)."""
NEW_QUESTION = {"type": "", "image": None, "text": ""}
CHOICES = {
    "type": ("lesson", "quiz", "single_choice", "multi_choice"),
    "status": ("draft", "published"),
}
RANGES = {"drip_delay": (0, 36500), "passing_grade": (0, 100)}
REQUIRED = {"section": ("name",), "lesson": ("name", "type"), "question": ("type", "text", "answers"), "comment": ()}
"""Kind -> the fields that POST and PUT require (R021)."""
BRIEF = ("id", "name", "type", "status", "comments_enabled")
"""The fields that a course shows of a lesson."""


class Content:
    """Everything that the rules say about a few open courses and their content."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.courses: dict[int, Thing] = {}
        self.used: dict[str, list[int]] = {}
        """Kind -> the ids of all that ever existed."""

    def named(self, kind: str, number: int) -> int:
        """Record the id of something new."""
        used = self.used.setdefault(kind, [])
        assert number > 0
        assert number not in used
        used.append(number)
        return number

    # Who may do what

    def status(self, course: Thing, user: Caller) -> str | None:
        status: str | None = course["people"].get(user, {}).get("status")
        return status

    def enter(self, caller: Caller, number: int, roles: Sequence[str] = (), login: bool = True) -> Thing:
        """The course, for callers with one of `roles`, or for everyone (R001-R005, R102)."""
        if caller == BAD:
            raise Refused(401, {"": "authentication_failed"})
        if caller is None and login:
            raise Refused(401, {"": "not_authenticated"})
        if number not in self.courses:
            raise NOTHING
        course = self.courses[number]
        if roles and caller is None:
            raise Refused(401, {"": "not_authenticated"})
        if roles and self.status(course, caller) not in roles:
            raise FORBIDDEN
        return course

    def lesson(self, course: Thing, ids: Ids, quiz: bool = False) -> tuple[Thing, Thing]:
        """A section and a lesson in it (R006), which must be a quiz if the caller says so (R401)."""
        section = find(course["sections"], ids[1])
        lesson = find(section["lessons"], ids[2])
        if quiz and lesson["type"] != "quiz":
            raise NOTHING
        return section, lesson

    def edit(self, caller: Caller, ids: Ids, quiz: bool = False) -> tuple[Thing, Thing, Thing]:
        """R301."""
        course = self.enter(caller, ids[0], BOSSES)
        return course, *self.lesson(course, ids, quiz)

    def study(self, caller: Caller, ids: Ids, quiz: bool = False) -> tuple[Thing, Thing, Thing]:
        """R311-R316."""
        course = self.enter(caller, ids[0], MEMBERS)
        section, lesson = self.lesson(course, ids, quiz)
        draft = lesson["status"] != "published" and self.status(course, caller) not in BOSSES
        if draft or self.lesson_locked(course, section, lesson, caller):
            raise FORBIDDEN
        return course, section, lesson

    def own(self, caller: Caller, course: Thing, author: int) -> None:
        """R417, R511."""
        if caller != author and self.status(course, caller) not in BOSSES:
            raise FORBIDDEN

    def opening(self, course: Thing, section: Thing, user: Caller) -> datetime | None:
        """R313, R314, R317."""
        joined_at: datetime | None = course["people"].get(user, {}).get("joined_at")
        if course["type"] == "structured" and joined_at:
            return joined_at + timedelta(days=section["drip_delay"])
        date: datetime | None = section["dripped_at"] if course["type"] == "scheduled" else None
        return date

    def section_locked(self, course: Thing, section: Thing, user: Caller) -> bool:
        opening = self.opening(course, section, user)
        return self.status(course, user) not in BOSSES and opening is not None and opening > self.now

    def lesson_locked(self, course: Thing, section: Thing, lesson: Thing, user: Caller) -> bool:
        """R317; whether it is published is another matter."""
        match self.status(course, user):
            case "creator" | "manager":
                return False
            case "joined" if not course["enforce_lessons_order"]:
                return self.section_locked(course, section, user)
            case "joined":
                before = []
                for other in everything(course):
                    if other is lesson:
                        break
                    before.append(other)
                waiting = [other for other in before if other["status"] == "published"]
                behind = any(self.progress(other, user) != "completed" for other in waiting)
                return behind or self.section_locked(course, section, user)
        return True

    # Progress

    def progress(self, lesson: Thing, user: Caller) -> str:
        """R321."""
        status = lesson["progress"].get(user, "uncompleted")
        return "uncompleted" if status == "failed" and lesson["type"] == "lesson" else status

    def rate(self, course: Thing, user: Caller) -> int:
        """R131."""
        done = [self.progress(lesson, user) == "completed" for lesson in everything(course, "published")]
        return 100 if done and all(done) else min(99, rounded(Fraction(100 * sum(done), len(done) or 1)))

    def average(self, course: Thing) -> int:
        """R132."""
        rates = [self.rate(course, user) for user, row in course["people"].items() if row["status"] in STUDENTS]
        return rounded(Fraction(sum(rates), len(rates) or 1))

    def complete(self, course: Thing, lesson: Thing, user: int) -> None:
        """R318."""
        lesson["progress"][user] = "completed"
        course["people"][user]["last_active_at"] = self.now

    def set_status(self, course: Thing, user: int, status: str | None) -> None:
        """R202, R208, R212, R219."""
        before = course["people"].pop(user, None)
        if status is None:
            for lesson in everything(course):
                lesson["progress"].pop(user, None)
        else:
            fresh = {"joined_at": self.now, "last_active_at": None}
            course["people"][user] = {**(before or fresh), "status": status}

    # Writing

    def check(self, kind: str, body: Mapping[str, Any], required: bool) -> None:
        """Checks a body against the contract."""
        problems = {field: "required" for field in REQUIRED[kind] if required and field not in body}
        for field, value in body.items():
            if field in ("name", "text") and not value.strip() and (field, kind) not in TEXTS_THAT_MAY_BE_BLANK:
                problems[field] = "blank"
            if value not in CHOICES.get(field, (value,)):
                problems[field] = "invalid_choice"
            if field in RANGES and not RANGES[field][0] <= value <= RANGES[field][1]:
                problems[field] = "min_value" if value < RANGES[field][0] else "max_value"
        if body.get("dripped_at") == "soon":
            problems["dripped_at"] = "invalid"
        if body.get("answers") == []:
            problems["answers"] = "empty"
        if any("text" not in answer for answer in body.get("answers", ())):
            problems["answers"] = "required"
        if problems:
            raise Refused(400, problems)

    def write_section(self, section: Thing, body: Mapping[str, Any], required: bool) -> None:
        """R304-R306."""
        self.check("section", body, required)
        order = body.get("lessons_order", [])
        known("lessons_order", order, section["lessons"])
        section.update({field: body[field] for field in NEW_SECTION if field in body})
        if isinstance(body.get("dripped_at"), str):
            section["dripped_at"] = datetime.fromisoformat(body["dripped_at"])
        section["lessons"] = reordered(section["lessons"], order)

    def write_lesson(self, lesson: Thing, body: Mapping[str, Any], required: bool) -> None:
        """R307, R309, R323, R406."""
        self.check("lesson", body, required)
        questions = lesson["questions"]
        quiz = body.get("type", lesson["type"]) == "quiz"
        order = body["questions_order"] if quiz and "questions_order" in body else numbers(questions)
        problems = {"medias": "does_not_exist"} if body.get("medias") else {}
        if set(order) - set(numbers(questions)):
            problems["questions_order"] = "does_not_exist"
        if problems:
            raise Refused(400, problems)
        lesson.update({field: body[field] for field in NEW_LESSON if field in body})
        lesson["questions"] = [find(questions, number) for number in order]

    def write_question(self, question: Thing, body: Mapping[str, Any], required: bool) -> None:
        """R402-R404. New answers have no id yet."""
        self.check("question", body, required)
        changed = {**question, **{field: body[field] for field in NEW_QUESTION if field in body}}
        if "answers" in body:
            ids = [answer["id"] for answer in question["answers"]] + [None] * len(body["answers"])
            changed["answers"] = [
                {"id": number, "text": answer["text"], "correct": answer.get("correct", False)}
                for number, answer in zip(ids, body["answers"], strict=False)
            ]
        right = sum(answer["correct"] for answer in changed["answers"])
        if right == 0 or (right > 1 and changed["type"] == "single_choice"):
            raise Refused(400, {"answers": "invalid"})
        question.update(changed)

    def attempt(self, course: Thing, lesson: Thing, user: int, responses: Sequence[Mapping[str, Any]]) -> Thing:
        """R407-R413, R419. The id comes later."""
        self.check_responses(lesson["questions"], responses)
        selected = {response["question_id"]: set(response["selected_options"]) for response in responses}
        questions = deepcopy(lesson["questions"])
        for question in questions:
            for answer in question["answers"]:
                answer["selected"] = answer["id"] in selected[question["id"]]
            correct = {answer["id"] for answer in question["answers"] if answer["correct"]}
            question["correct"] = correct == selected[question["id"]]
        right = [question["id"] for question in questions if question["correct"]]
        grade = rounded(Fraction(100 * len(right), len(questions)))
        attempt = {
            "user": user,
            "created_at": self.now,
            "grade": grade,
            "result": "completed" if grade >= lesson["passing_grade"] else "failed",
            "questions": questions,
            "num_attempts": 1 + sum(other["user"] == user for other in lesson["attempts"]),
            "passing_grade": lesson["passing_grade"],
            "correct_responses": len(right),
        }
        lesson["attempts"].append(attempt)
        if attempt["result"] == "completed":
            self.complete(course, lesson, user)
        elif lesson["progress"].get(user) != "completed":
            lesson["progress"][user] = "failed"
        return attempt

    def check_responses(self, questions: list[Thing], responses: Sequence[Mapping[str, Any]]) -> None:
        if any(not response["selected_options"] for response in responses):
            raise Refused(400, {"responses": "empty"})
        problems = []
        answered = [response["question_id"] for response in responses]
        if not questions or sorted(set(answered) & set(numbers(questions))) != sorted(numbers(questions)):
            problems.append("invalid")
        if len(answered) != len(set(answered)):
            problems.append("invalid")
        if set(answered) - set(numbers(questions)):
            problems.append("does_not_exist")
        for question in questions:
            for response in responses:
                if response["question_id"] == question["id"]:
                    selected = set(response["selected_options"])
                    if selected - set(numbers(question["answers"])):
                        problems.append("does_not_exist")
                    if question["type"] == "single_choice" and len(selected) > 1:
                        problems.append("invalid")
        if problems:
            raise Refused(400, *({"responses": problem} for problem in problems))

    def comment(self, lesson: Thing, user: int, body: Mapping[str, Any]) -> Thing:
        """R501-R503, R514. The id comes later."""
        if not lesson["comments_enabled"]:
            raise FORBIDDEN
        if body.get("medias"):
            raise Refused(400, {"medias": "does_not_exist"})
        parent, answered = body.get("parent"), body.get("in_reply_to")
        thread = None
        if parent is not None:
            thread = next((other for other in lesson["comments"] if other["id"] == parent), None)
            if thread is None:
                raise Refused(400, {"parent": "does_not_exist"})
        if answered is not None and (thread is None or answered not in numbers(thread["replies"])):
            raise Refused(400, {"in_reply_to": "invalid"})
        comment = {
            "html": body.get("text", ""),
            "parent": parent,
            "in_reply_to": answered,
            "created_at": self.now,
            "created_by": user,
            "replies": [],
        }
        (lesson["comments"] if thread is None else thread["replies"]).append(comment)
        return comment

    def drop_comment(self, lesson: Thing, comment: Thing) -> None:
        """R513."""
        if comment["parent"] is None:
            lesson["comments"].remove(comment)
            return
        replies = find(lesson["comments"], comment["parent"])["replies"]
        replies.remove(comment)
        for reply in replies:
            if reply["in_reply_to"] == comment["id"]:
                reply["in_reply_to"] = None

    # Reading

    def seen_course(self, course: Thing, view: str, user: Caller) -> Thing:
        """Everything the model knows about a course; progress is that of `user` (R110-R113)."""
        seen = {
            **{field: course[field] for field in ("id", "name", "slug", "type", "privacy")},
            "created_at": moment(course["created_at"]),
            "created_by": USERS[course["created_by"]],
            "join_status": self.status(course, user),
            "user_completion_rate": self.rate(course, user),
        }
        if view == "dashboard":
            return seen | {"avg_completion_rate": self.average(course)}
        seen["enforce_lessons_order"] = course["enforce_lessons_order"]
        seen["sections_order"] = numbers(course["sections"])
        if view == "edit":
            sections = [self.edited_section(section, user) for section in course["sections"]]
            seen["num_lessons"] = len(list(everything(course)))
        elif view == "user":
            sections = [self.user_section(course, section, user) for section in course["sections"]]
            sections = [section for section in sections if section["lessons"]]
            done = [self.progress(lesson, user) == "completed" for lesson in everything(course, "published")]
            seen |= {"num_lessons": len(done), "num_lessons_completed": sum(done)}
        else:
            return seen
        return seen | {"sections": sections, "num_sections": len(sections)}

    def seen_section(self, section: Thing) -> Thing:
        """By itself, as the creator and managers see it."""
        fields = {field: section[field] for field in ("id", "name", "dripped_at", "drip_delay")}
        return fields | {"lessons_order": numbers(section["lessons"])}

    def edited_section(self, section: Thing, user: Caller) -> Thing:
        """R112."""
        return {
            **self.seen_section(section),
            "lessons": [self.brief(lesson, user) for lesson in section["lessons"]],
            "num_lessons": sum(lesson["status"] == "published" for lesson in section["lessons"]),
        }

    def user_section(self, course: Thing, section: Thing, user: Caller) -> Thing:
        """R111, R317."""
        lessons = [lesson for lesson in section["lessons"] if lesson["status"] == "published"]
        return {
            **self.seen_section(section),
            "available_date": self.opening(course, section, user),
            "locked": self.section_locked(course, section, user),
            "lessons": [
                {**self.brief(lesson, user), "locked": self.lesson_locked(course, section, lesson, user)}
                for lesson in lessons
            ],
            "num_lessons": len(lessons),
            "num_lessons_completed": sum(self.progress(lesson, user) == "completed" for lesson in lessons),
        }

    def brief(self, lesson: Thing, user: Caller) -> Thing:
        return {field: lesson[field] for field in BRIEF} | {"completion_status": self.progress(lesson, user)}

    def seen_lesson(self, course: Thing, section: Thing, lesson: Thing, caller: Caller) -> Thing:
        """In full (R308, R405, R414, R420)."""
        own = [attempt for attempt in lesson["attempts"] if attempt["user"] == caller]
        questions = lesson["questions"] if lesson["type"] == "quiz" else []
        return {
            **self.brief(lesson, caller),
            "course_id": course["id"],
            "section_id": section["id"],
            "html": lesson["text"],
            "created_at": moment(lesson["created_at"]),
            "created_by": USERS[lesson["created_by"]],
            "medias": [],
            "passing_grade": lesson["passing_grade"],
            "questions": [self.seen_question(course, question, caller) for question in questions],
            "last_attempt": self.seen_attempt(course, lesson, own[-1], caller) if own else None,
        }

    def seen_question(self, course: Thing, question: Thing, caller: Caller) -> Thing:
        """R405; a copy in an attempt says more (R418)."""
        hidden = () if self.status(course, caller) in BOSSES else ("correct",)
        answers = [{f: value for f, value in answer.items() if f not in hidden} for answer in question["answers"]]
        return {**question, "answers": answers}

    def seen_attempt(self, course: Thing, lesson: Thing, attempt: Thing, caller: Caller) -> Thing:
        marked = {field: attempt[field] for field in attempt if field not in ("id", "user", "created_at")}
        marked["questions"] = [self.seen_question(course, question, caller) for question in attempt["questions"]]
        return {
            "id": attempt["id"],
            "created_at": moment(attempt["created_at"]),
            "lesson_id": lesson["id"],
            "user": USERS[attempt["user"]],
            "quiz_attempt": marked,
        }

    def seen_comment(self, comment: Thing) -> Thing:
        """R507."""
        replies = comment["replies"]
        return {
            **{field: comment[field] for field in ("id", "html", "parent", "in_reply_to")},
            "created_at": moment(comment["created_at"]),
            "created_by": USERS[comment["created_by"]],
            "medias": [],
            "latest_reply": self.seen_comment(replies[-1]) if replies else None,
        }

    def comments(self, lesson: Thing, parent: int | None, ordering: str | None) -> list[Thing]:
        """R504-R506."""
        if not lesson["comments_enabled"]:
            return []
        rows = lesson["comments"]
        if parent is not None:
            rows = [reply for comment in rows if comment["id"] == parent for reply in comment["replies"]]
        rows = [self.seen_comment(comment) for comment in rows]
        return rows[::-1] if ordering == "-created_at" else rows

    def threads(self, course: Thing) -> list[Thing]:
        """R508, R509."""
        return [
            {
                **{field: value for field, value in self.seen_comment(comment).items() if field != "latest_reply"},
                "replies": [self.seen_comment(reply) for reply in comment["replies"]],
                "extras": {
                    "course": {"id": course["id"], "slug": course["slug"]},
                    "section": {"id": section["id"], "name": section["name"]},
                    "lesson": {"id": lesson["id"], "name": lesson["name"]},
                },
            }
            for section in course["sections"]
            for lesson in section["lessons"]
            for comment in lesson["comments"]
        ]

    def dashboard_users(self, course: Thing, statuses: Iterable[str], ordering: str) -> list[Thing]:
        """R607, R608."""
        users = sorted(user for user, row in course["people"].items() if row["status"] in statuses)
        field = ordering.removeprefix("-")
        dated = [user for user in users if course["people"][user][field]]
        dated.sort(key=lambda user: course["people"][user][field], reverse=ordering.startswith("-"))
        rows = []
        for user in dated + [user for user in users if user not in dated]:
            person = course["people"][user]
            active = person["last_active_at"]
            rows.append(
                {
                    **{field: USERS[user][field] for field in ("id", "username", "real_name", "avatar")},
                    "join_status": person["status"],
                    "user_completion_rate": self.rate(course, user),
                    "last_active_at": moment(active) if active else None,
                    "joined_at": moment(person["joined_at"]),
                }
            )
        return rows

    def dashboard_attempts(self, course: Thing, statuses: Collection[str], text: str) -> list[Thing]:
        """R609."""
        rows = [
            {
                "id": attempt["id"],
                "course_id": course["id"],
                "section_id": section["id"],
                "lesson_id": lesson["id"],
                "name": lesson["name"],
                "created_at": moment(attempt["created_at"]),
                "grade": attempt["grade"],
                "result": attempt["result"],
                "user": USERS[attempt["user"]],
            }
            for section in course["sections"]
            for lesson in section["lessons"]
            for attempt in lesson["attempts"]
            if self.status(course, attempt["user"]) in statuses
        ]
        searched = ((row, (row["name"], row["user"]["username"], row["user"]["real_name"])) for row in rows)
        found = [row for row, names in searched if any(text.lower() in name.lower() for name in names)]
        return sorted(found, key=lambda row: row["created_at"], reverse=True)


TEXTS_THAT_MAY_BE_BLANK = (("text", "lesson"), ("text", "comment"))


def find(things: Iterable[Thing], number: int) -> Thing:
    for thing in things:
        if thing["id"] == number:
            return thing
    raise NOTHING


def everything(course: Thing, status: str = "") -> Iterator[Thing]:
    """The lessons of a course in display order."""
    for section in course["sections"]:
        yield from (lesson for lesson in section["lessons"] if status in ("", lesson["status"]))


def numbers(things: Iterable[Thing]) -> list[int]:
    return [thing["id"] for thing in things]


def known(field: str, order: Iterable[int], things: Iterable[Thing]) -> None:
    """R124, R306."""
    if set(order) - set(numbers(things)):
        raise Refused(400, {field: "does_not_exist"})


def reordered(things: list[Thing], order: list[int]) -> list[Thing]:
    """Whatever `order` leaves out follows in its old order (R124, R306)."""
    return sorted(things, key=lambda thing: order.index(thing["id"]) if thing["id"] in order else len(order))


def rounded(value: Fraction) -> int:
    """Half up (R131, R132, R409)."""
    return math.floor(value + Fraction(1, 2))
