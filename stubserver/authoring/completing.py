"""Completes what recorded answers say, so that a fixture can be made of it: rows only mentioned, required fields
that no answer has, and nothing that belongs to what is not there."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from stubserver.authoring.known import Known, Row
from stubserver.fixtures import references
from stubserver.fixtures.fixture import ORDERS

SOME_TIME = "2025-01-01T00:00:00+00:00"
"""What stands for a time that was not recorded."""
TABLES = (
    *("users", "categories", "courses", "sections", "lessons", "questions", "medias"),
    *("memberships", "completions", "attempts", "comments"),
)
"""The tables that are filled, in the order in which a fixture has them."""
PARENTS = {
    "sections": ("course_id", "courses"),
    "lessons": ("section_id", "sections"),
    "questions": ("lesson_id", "lessons"),
    "comments": ("lesson_id", "lessons"),
    "attempts": ("lesson_id", "lessons"),
    "completions": ("lesson_id", "lessons"),
    "memberships": ("course_id", "courses"),
}
"""Table -> the field that names the row to which its rows belong, and that table; parents come first."""


class Completing:
    """Completes what is known."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self.tables = {table: known.tables.get(table, {}) for table in TABLES}
        self.unknown: Counter[tuple[str, str]] = Counter()
        """Table and field -> in how many rows it has a default because no answer says it."""
        self.dropped: Counter[str] = Counter()
        """Table -> of how many rows too little is known."""
        self._nobody: int | None = None

    def complete(self) -> None:
        """Do so, in place."""
        self._delete()
        self._add_parents()
        self._fill()
        self._detach()

    def _delete(self) -> None:
        """Take away what was deleted in the recording, and what belonged to it."""
        gone = set(self._known.deleted)
        for table, number in gone:
            self.tables[table].pop(number, None)
        for table, (field, parents) in PARENTS.items():
            rows = self.tables[table]
            for key in [key for key, row in rows.items() if (parents, row[field]) in gone]:
                del rows[key]
                gone.add((table, key))
        for (table, parent), order in self._known.orders.items():
            self._known.orders[table, parent] = [number for number in order if (table, number) not in gone]

    def _add_parents(self) -> None:
        """Add what is only mentioned: by its place in an order, or because something belongs to it."""
        for parents, _, table, field in ORDERS:
            for (ordered, parent), numbers in self._known.orders.items():
                if ordered == table and ((parents, parent) not in self._known.deleted):
                    for number in numbers:
                        self._mention(table, number, {field: parent})
        for table, (field, parents) in reversed(PARENTS.items()):
            for row in list(self.tables[table].values()):
                if field in row:
                    self._mention(parents, row[field], {})
        orphans = [key for key, row in self.tables["lessons"].items() if "section_id" not in row]
        for table, field in (("lessons", "section_id"), ("sections", "course_id")):
            for key in [key for key, row in self.tables[table].items() if field not in row]:
                del self.tables[table][key]
                self.dropped[table] += 1
        for table in ("questions", "comments", "attempts", "completions"):
            for key in [key for key, row in self.tables[table].items() if row["lesson_id"] in orphans]:
                del self.tables[table][key]
                self.dropped[table] += 1

    def _mention(self, table: str, number: int, facts: Row) -> None:
        if number not in self.tables[table]:
            self.tables[table][number] = {"id": number, **facts}

    def _fill(self) -> None:
        """Fill in what rows need and no answer says."""
        for table in TABLES:
            for key, row in list(self.tables[table].items()):
                for field, value in self._defaults(table, key, row):
                    if row.get(field) in (None, ""):
                        row[field] = value
                        self.unknown[table, field] += 1
        for (course, user), row in self.tables["memberships"].items():
            if row["status"] in ("creator", "manager", "joined") and not row.get("joined_at"):
                row["joined_at"] = self.tables["courses"][course]["created_at"]
                self.unknown["memberships", "joined_at"] += user != self.tables["courses"][course]["created_by"]
        for number in [*self._mentioned_users()]:
            if number not in self.tables["users"]:
                self.tables["users"][number] = {"id": number, "username": "x", "date_joined": SOME_TIME}
                self.unknown["users", "all but the id"] += 1

    def _defaults(self, table: str, key: Any, row: Row) -> list[tuple[str, Any]]:
        match table:
            case "users":
                return [("username", "x"), ("date_joined", SOME_TIME)]
            case "categories":
                return [("name", f"Category {key}"), ("slug", f"category-{key}"), ("lastmod_datetime", SOME_TIME)]
            case "courses":
                named = [("name", f"Course {key}"), ("slug", f"course-{key}"), ("type", "self-paced")]
                return [*named, ("created_by", self._somebody()), ("created_at", SOME_TIME)]
            case "sections":
                return [("name", f"Section {key}")]
            case "lessons":
                course = self.tables["courses"][self.tables["sections"][row["section_id"]]["course_id"]]
                made = [("created_by", course["created_by"]), ("created_at", course["created_at"])]
                return [("name", f"Lesson {key}"), ("type", "lesson"), *made]
            case "questions":
                self._decide(row)
                answers = [{"id": key, "text": "Answer", "correct": True}]
                return [("type", "single_choice"), ("text", f"Question {key}"), ("answers", answers)]
            case "medias":
                return [("added_at", SOME_TIME)]
            case "completions":
                return [("at", self.tables["lessons"][row["lesson_id"]]["created_at"])]
        return []

    def _decide(self, question: Row) -> None:
        """Have the first answer be correct if nobody was told which one is."""
        answers = question.get("answers", ())
        if any("correct" not in answer for answer in answers):
            self.unknown["questions", "correct answers"] += 1
            for place, answer in enumerate(answers):
                answer.setdefault("correct", place == 0)

    def _somebody(self) -> int:
        """A user for what must have one."""
        if self._nobody is None:
            self._nobody = next(iter([*self._known.callers.values(), *self.tables["users"]]), 1)
            self.tables["users"].setdefault(self._nobody, {"id": self._nobody, "username": "x"})
            self.tables["users"][self._nobody].setdefault("date_joined", SOME_TIME)
        return self._nobody

    def _mentioned_users(self) -> Iterator[int]:
        for table, fields in references.REFERENCES.items():
            for field in (field for field, target in fields.items() if target == "users"):
                yield from (row[field] for row in self.tables.get(table, {}).values() if field in row)

    def _detach(self) -> None:
        """Make a comment whose parent nobody saw one without; leave out attempts at other questions than there are."""
        comments = self.tables["comments"]
        for row in comments.values():
            for field in ("parent", "in_reply_to"):
                if row.get(field) is not None and row[field] not in comments:
                    row[field] = None
                    self.unknown["comments", field] += 1
        for course, row in self.tables["courses"].items():
            own = {"course_id": course, "user_id": row["created_by"], "status": "creator"}
            self.tables["memberships"][course, row["created_by"]] = {**own, "joined_at": row["created_at"]}
        for key, row in list(self.tables["attempts"].items()):
            quiz = {number for number, one in self.tables["questions"].items() if one["lesson_id"] == row["lesson_id"]}
            if quiz != {response["question_id"] for response in row["responses"]} or not quiz:
                del self.tables["attempts"][key]
                self.dropped["attempts"] += 1
