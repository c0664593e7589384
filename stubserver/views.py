"""What a caller sees of a row: its stored fields, and the fields that are derived for this caller.

A view knows every field that any response schema of its entity documents; the schema chooses among them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any

from stubserver import images, rules
from stubserver.call import Call
from stubserver.store import Row


class View:
    """A row as one caller sees it; fields that a subclass does not derive are the stored ones."""

    def __init__(self, call: Call, row: Row) -> None:
        self.call = call
        self.row = row

    def __getattr__(self, name: str) -> Any:
        try:
            return self.row[name]
        except KeyError:
            raise AttributeError(f"{type(self).__name__} has no field {name!r}") from None


class Listing:
    """A long list of rows of which only the page that is served gets viewed."""

    def __init__(self, rows: Sequence[Row], view: Callable[[Row], Any] = lambda row: row) -> None:
        self.rows = rows
        self.view = view

    def page(self, offset: int, limit: int) -> list[Any]:
        """The rows from `offset` on, `limit` at most, as the caller sees them."""
        return [self.view(row) for row in self.rows[offset : offset + limit]]


class CategoryView(View):
    """A category; its pictures are absolute URLs."""

    def __getattr__(self, name: str) -> Any:
        if name in images.SIZES:
            return images.url(self.call.origin, "categories", name, self.row["slug"], str(self.row["id"]))
        return super().__getattr__(name)


class CourseView(View):
    """A course as its readers see it (view=user), for the caller or for a user whom the caller emulates."""

    def __init__(self, call: Call, row: Row, subject: int | None = None) -> None:
        """`subject` is the id of the user whose status and progress are shown; default the caller (R110)."""
        super().__init__(call, row)
        self.subject = call.user_id if subject is None else subject
        self.membership = call.world.memberships.get((row["id"], self.subject))

    def __getattr__(self, name: str) -> Any:
        if name in images.SIZES:
            picture = f"{self.call.world.number}:{self.row['id']}:{self.row['image_original']}"
            return images.url(self.call.origin, "courses", name, self.row["slug"], picture)
        return super().__getattr__(name)

    @cached_property
    def inside(self) -> bool:
        """Whether the caller sees more than the lock screen (R103, R105)."""
        return rules.sees_everything(self.row["privacy"], self.call.status_in(self.row))

    @property
    def join_status(self) -> str | None:
        """R107."""
        return self.membership["status"] if self.membership else None

    @property
    def created_by(self) -> Row:
        """The author."""
        return self.call.world.users[self.row["created_by"]]

    @property
    def categories(self) -> list[CategoryView]:
        """R122: ids in, objects out."""
        known = self.call.world.categories
        return [CategoryView(self.call, known[number]) for number in self.row["categories"]]

    @property
    def description(self) -> str:
        """Not for outsiders of a private course (R103)."""
        return self.row["description"] if self.inside else ""

    @property
    def sections_order(self) -> list[int]:
        """Not for outsiders of a private course (R103)."""
        return self.row["sections_order"] if self.inside else []

    @cached_property
    def sections(self) -> list["SectionView"]:
        """The sections that have a published lesson, with the locks of the subject (R111, R317)."""
        if not self.inside:
            return []  # what a join request is answered with (R207)
        position, sections = 0, []
        for section in ordered_sections(self.call, self.row):
            view = SectionView(self, section, position)
            if view.lessons:
                sections.append(view)
                position += len(view.lessons)
        return sections

    @property
    def num_sections(self) -> int:
        """R111."""
        return len(self.sections)

    @property
    def num_lessons(self) -> int:
        """R111."""
        return sum(section.num_lessons for section in self.sections)

    @property
    def num_lessons_completed(self) -> int:
        """R111, R131."""
        return sum(section.num_lessons_completed for section in self.sections)

    @property
    def user_completion_rate(self) -> int:
        """R131."""
        return completion_rate(self.call, self.row, self.subject)

    @property
    def avg_completion_rate(self) -> int:
        """R132."""
        students = members(self.call, self.row["id"], rules.STUDENTS)
        return rules.mean(completion_rate(self.call, self.row, row["user_id"]) for row in students)

    @property
    def member_count(self) -> int | None:
        """Managers and joined users; null where the course hides it from the caller (R127)."""
        if self.row["hide_member_count"] and self.call.status_in(self.row) not in rules.MANAGING:
            return None
        return len(members(self.call, self.row["id"], rules.STUDENTS))

    @cached_property
    def first_locked(self) -> int | None:
        """Position of the first lesson that the enforced order locks (R315)."""
        if not self.row["enforce_lessons_order"]:
            return None
        return rules.first_locked(
            is_completed(self.call, lesson, self.subject) for lesson in published_lessons(self.call, self.row)
        )


class CourseEditView(CourseView):
    """A course as its creator and managers edit it (view=edit): drafts included (R112)."""

    @cached_property
    def sections(self) -> list[Any]:
        """Every section."""
        return [SectionEditView(self, section) for section in ordered_sections(self.call, self.row)]

    @property
    def num_lessons(self) -> int:
        """Every lesson."""
        return sum(len(section.lessons) for section in self.sections)


class SectionEditView(View):
    """A section in view=edit."""

    def __init__(self, course: CourseView, row: Row) -> None:
        super().__init__(course.call, row)
        self.course = course

    @cached_property
    def lessons(self) -> list["LessonView"]:
        """Every lesson, drafts included."""
        return [LessonView(self.course, row) for row in ordered_lessons(self.call, self.row)]

    @property
    def num_lessons(self) -> int:
        """Published lessons only, even here (R112)."""
        return sum(lesson.status == "published" for lesson in self.lessons)


class SectionView(SectionEditView):
    """A section in view=user."""

    def __init__(self, course: CourseView, row: Row, position: int) -> None:
        """`position` is that of its first lesson among the published lessons of the course."""
        super().__init__(course, row)
        self.position = position

    @cached_property
    def lessons(self) -> list["LessonView"]:
        """The published lessons."""
        rows = [row for row in ordered_lessons(self.call, self.row) if row["status"] == "published"]
        return [LessonView(self.course, row, self, self.position + n) for n, row in enumerate(rows)]

    @property
    def num_lessons_completed(self) -> int:
        """Of the published lessons."""
        return sum(lesson.completion_status == "completed" for lesson in self.lessons)

    @property
    def available_date(self) -> datetime | None:
        """R317."""
        membership = self.course.membership
        joined_at = membership["joined_at"] if membership else None
        return rules.available_date(self.course.row["type"], self.row, joined_at)

    @cached_property
    def locked(self) -> bool:
        """Never for the creator and managers (R317)."""
        if self.course.join_status in rules.MANAGING:
            return False
        return rules.opens_later(self.available_date, self.call.world.clock.now())


class LessonView(View):
    """A lesson inside a section."""

    def __init__(self, course: CourseView, row: Row, section: SectionView | None = None, position: int = 0) -> None:
        """`position` is that among the published lessons of the course."""
        super().__init__(course.call, row)
        self.course = course
        self.section = section
        self.position = position

    @property
    def completion_status(self) -> str:
        """Of the caller or the emulated user (R321)."""
        completion = self.call.world.completions.get((self.course.subject, self.row["id"]))
        return str(completion["status"]) if completion else "uncompleted"

    @cached_property
    def locked(self) -> bool:
        """Whether the subject may not open it: no member, not yet open, or out of order (R313-R317)."""
        if self.course.join_status in rules.MANAGING:
            return False
        if self.course.join_status not in rules.MEMBERS or (self.section and self.section.locked):
            return True
        first = self.course.first_locked
        return first is not None and self.position >= first


class MemberView(View):
    """A membership as a row of the teacher's dashboard (R607, R608)."""

    def __init__(self, call: Call, row: Row) -> None:
        """`row` is the membership; the user's own fields show through it."""
        super().__init__(call, {**call.world.users[row["user_id"]], **row, "id": row["user_id"]})

    @property
    def join_status(self) -> Any:
        """The member's status."""
        return self.row["status"]

    @property
    def user_completion_rate(self) -> int:
        """R131."""
        return completion_rate(self.call, self.call.course, self.row["user_id"])


def ordered_sections(call: Call, course: Row) -> list[Row]:
    """The sections of a course in display order."""
    return [call.world.sections[number] for number in course["sections_order"]]


def ordered_lessons(call: Call, section: Row) -> list[Row]:
    """The lessons of a section in display order."""
    return [call.world.lessons[number] for number in section["lessons_order"]]


def published_lessons(call: Call, course: Row) -> Iterator[Row]:
    """The published lessons of a course in display order."""
    for section in ordered_sections(call, course):
        yield from (row for row in ordered_lessons(call, section) if row["status"] == "published")


def is_completed(call: Call, lesson: Row, user: int | None) -> bool:
    """Whether the user completed the lesson; a failed quiz does not count (R315)."""
    completion = call.world.completions.get((user, lesson["id"]))
    return completion is not None and completion["status"] == "completed"


def completion_rate(call: Call, course: Row, user: int | None) -> int:
    """R131."""
    done = [is_completed(call, lesson, user) for lesson in published_lessons(call, course)]
    return rules.percentage(sum(done), len(done))


def members(call: Call, course: int, statuses: Sequence[str]) -> list[Mapping[str, Any]]:
    """The memberships of a course with one of `statuses`, by user id (R611)."""
    return [row for row in call.world.memberships.where("course_id", course) if row["status"] in statuses]
