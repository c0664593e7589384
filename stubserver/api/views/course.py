"""Courses as their readers, their managers and their members see them, with sections and lessons inside."""

from datetime import datetime
from functools import cached_property
from typing import Any

from stubserver.api import rules
from stubserver.api.progress import (
    completion_rate,
    completion_status,
    is_completed,
    members,
    ordered_lessons,
    ordered_sections,
    published_lessons,
)
from stubserver.api.views import CategoryView, PicturedView, View
from stubserver.call import Call
from stubserver.worlds.table import Row

SHAPES = EDIT, DASHBOARD, INSIDE, OUTSIDE = ("CourseDetail", "CourseDashboard", "CourseUserDetail", "CourseMinimal")
"""The schemas of one course: for editing, for the dashboard, for people inside it, and its lock screen (R108-R113)."""


class CourseView(PicturedView):
    """A course as its readers see it (view=user), for the caller or for a user whom the caller emulates."""

    folder = "courses"

    def __init__(self, call: Call, row: Row, subject: int | None = None) -> None:
        """`subject` is the id of the user whose status and progress are shown; default the caller (R110)."""
        super().__init__(call, row)
        self.subject = call.user_id if subject is None else subject
        self.membership = call.world.memberships.get((row["id"], self.subject))
        own = self.join_status if subject is None else call.status_in(row)
        self.inside = rules.sees_everything(row["privacy"], own)
        """Whether the caller sees more than the lock screen (R103, R105)."""

    @property
    def picture(self) -> str:
        """Another one for each upload, and for each seed of the server."""
        return f"{self.call.world.settings.seed}:{self.row['id']}:{self.row['image_original']}"

    @property
    def join_status(self) -> str | None:
        """R107."""
        return self.membership["status"] if self.membership else None

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
    def sections(self) -> list[Any]:
        """The sections that have a published lesson, with the locks of the subject (R111, R317)."""
        if not self.inside:
            return []  # what a join request is answered with (R207)
        views = [SectionView(self, row) for row in ordered_sections(self.call, self.row)]
        return [view for view in views if view.lessons]

    @property
    def num_sections(self) -> int:
        """R111, R112."""
        return len(self.sections)

    @property
    def num_lessons(self) -> int:
        """R111, R112."""
        return sum(len(section.lessons) for section in self.sections)

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
    def out_of_order(self) -> set[int]:
        """Ids of the lessons that an enforced order still locks (R315)."""
        if not self.row["enforce_lessons_order"]:
            return set()
        lessons = list(published_lessons(self.call, self.row))
        open_lessons = rules.open_in_order(is_completed(self.call, lesson, self.subject) for lesson in lessons)
        return {lesson["id"] for lesson in lessons[open_lessons:]}

    def lesson(self, row: Row) -> "LessonView":
        """A lesson of this course."""
        return LessonView(SectionView(self, self.call.world.sections[row["section_id"]]), row)


class CourseEditView(CourseView):
    """A course as its creator and managers edit it (view=edit): drafts included (R112)."""

    @cached_property
    def sections(self) -> list[Any]:
        """Every section."""
        return [SectionEditView(self, row) for row in ordered_sections(self.call, self.row)]


class SectionEditView(View):
    """A section in view=edit."""

    def __init__(self, course: CourseView, row: Row) -> None:
        super().__init__(course.call, row)
        self.course = course

    @cached_property
    def lessons(self) -> list["LessonView"]:
        """Every lesson, drafts included."""
        return [LessonView(self, row) for row in ordered_lessons(self.call, self.row)]

    @property
    def num_lessons(self) -> int:
        """Published lessons only, even here (R112)."""
        return sum(lesson.row["status"] == "published" for lesson in self.lessons)


class SectionView(SectionEditView):
    """A section in view=user."""

    @cached_property
    def lessons(self) -> list["LessonView"]:
        """The published lessons."""
        return [LessonView(self, row) for row in ordered_lessons(self.call, self.row) if row["status"] == "published"]

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
        date = self.available_date
        return date is not None and not self.call.world.clock.has_come(date)


class LessonView(View):
    """A lesson inside a section of a course."""

    def __init__(self, section: SectionEditView, row: Row) -> None:
        super().__init__(section.call, row)
        self.section = section

    @property
    def completion_status(self) -> str:
        """Of the caller or the emulated user (R321)."""
        return completion_status(self.call, self.row, self.section.course.subject)

    @property
    def locked(self) -> bool:
        """R317."""
        return self.lock is not None

    @property
    def lock(self) -> str | None:
        """Why the subject may not open it, None where they may (R311-R317)."""
        course = self.section.course
        if course.join_status in rules.MANAGING:
            return None
        if course.join_status not in rules.MEMBERS:
            return "Only people who have joined the course may open its lessons."
        if self.row["status"] != "published":
            return "This lesson is a draft."
        if self.section.locked:
            return f"This lesson opens at {self.section.available_date.isoformat()}."
        if self.row["id"] in course.out_of_order:
            return "The lessons of this course must be completed in their order."
        return None


class MemberView(View):
    """A membership as a row of the teacher's dashboard (R607, R608)."""

    def __init__(self, call: Call, row: Row) -> None:
        """`row` is the membership; the user's own fields show through it."""
        super().__init__(call, {**call.world.users[row["user_id"]], **row})

    @property
    def join_status(self) -> Any:
        """The member's status."""
        return self.row["status"]

    @property
    def user_completion_rate(self) -> int:
        """R131."""
        return completion_rate(self.call, self.call.course, self.row["user_id"])
