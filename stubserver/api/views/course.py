"""Courses as readers, managers and members see them, with the sections and lessons inside them."""

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Any

from stubserver.api import pictures, rules
from stubserver.api.progress import (
    completion_rate,
    completion_status,
    members,
    ordered_lessons,
    ordered_sections,
    published_in,
    published_lessons,
)
from stubserver.api.views import CategoryView, PicturedView, UserView, View
from stubserver.call import Call
from stubserver.worlds.base import Row

SHAPES = EDIT, DASHBOARD, INSIDE, OUTSIDE = ("CourseDetail", "CourseDashboard", "CourseUserDetail", "CourseMinimal")
"""Response schemas of a course: for editing, the dashboard, people inside it, and the lock screen (R108-R113)."""


class CourseView(PicturedView):
    """A course as its readers see it (view=user): the caller, or a user whom the caller emulates."""

    folder = "courses"

    def __init__(self, call: Call, row: Row, subject: int | None = None) -> None:
        """`subject` is the id of the user whose status and progress are shown (default: the caller; R110)."""
        super().__init__(call, row)
        self.subject = call.user_id if subject is None else subject
        self.membership = call.world.memberships.get((row["id"], self.subject))
        own = self.join_status if subject is None else call.status_in(row)
        self.inside = rules.sees_everything(row["privacy"], own)
        """Whether the caller sees more than the lock screen (R103, R105)."""
        self._statuses: dict[int, str] = {}

    def derived_together(self) -> Mapping[str, str]:
        """Rendition -> the URL of the uploaded cover, or of a placeholder (R123)."""
        uploaded = self.call.world.pictures.get((self.folder, self.row["id"]))
        return pictures.addresses(self.call, uploaded) if uploaded else super().derived_together()

    @property
    def picture(self) -> str:
        """Changes with each cover that is only named, and with the server's seed."""
        return f"{self.call.world.settings.seed}:{self.row['id']}:{self.row['image_original']}"

    @property
    def join_status(self) -> str | None:
        """The subject's status in the course, or None (R107)."""
        return self.membership["status"] if self.membership else None

    @property
    def categories(self) -> list[CategoryView]:
        """The categories as objects; requests name them by their ids (R122)."""
        known = self.call.world.categories
        return [CategoryView(self.call, known[number]) for number in self.row["categories"]]

    @property
    def description(self) -> str:
        """The description; empty for outsiders of a private course (R103)."""
        return self.row["description"] if self.inside else ""

    @property
    def sections_order(self) -> list[int]:
        """Section ids in display order; empty for outsiders of a private course (R103)."""
        return self.row["sections_order"] if self.inside else []

    @cached_property
    def sections(self) -> list[Any]:
        """The sections that have a published lesson, with the subject's locks (R111, R317)."""
        if not self.inside:
            return []  # as in the response to a join request (R207)
        course = self._without_sections()
        shown = [(row, published_in(self.call, row)) for row in ordered_sections(self.call, self.row)]
        return [SectionView(course, row, lessons) for row, lessons in shown if lessons]

    def _without_sections(self) -> "CourseView":
        """A copy for the sections to refer to. If they referred to the view that has them, only the collector would
        free either, and with them the call and its world."""
        copied: CourseView = object.__new__(type(self))
        vars(copied).update(vars(self))
        return copied

    @property
    def num_sections(self) -> int:
        """How many sections this view shows (R111, R112)."""
        return len(self.sections)

    @property
    def num_lessons(self) -> int:
        """How many lessons this view shows (R111, R112)."""
        return sum(len(section.lesson_rows) for section in self.sections)

    @property
    def num_lessons_completed(self) -> int:
        """How many of these lessons the subject has completed (R111, R131)."""
        return sum(section.num_lessons_completed for section in self.sections)

    @property
    def user_completion_rate(self) -> int:
        """The percentage of published lessons that the subject has completed (R131)."""
        return completion_rate(self.call, self.row, self.subject)

    @property
    def avg_completion_rate(self) -> int:
        """The average completion rate of all learners, in percent (R132)."""
        students = members(self.call, self.row["id"], rules.STUDENTS)
        return rules.mean(completion_rate(self.call, self.row, row["user_id"]) for row in students)

    @property
    def member_count(self) -> int | None:
        """How many managers and joined users there are; None if the course hides it from the caller (R127)."""
        if self.row["hide_member_count"] and self.call.status_in(self.row) not in rules.MANAGING:
            return None
        return len(members(self.call, self.row["id"], rules.STUDENTS))

    @cached_property
    def out_of_order(self) -> set[int]:
        """Ids of the lessons that the enforced order still locks (R315)."""
        if not self.row["enforce_lessons_order"]:
            return set()
        lessons = list(published_lessons(self.call, self.row))
        open_lessons = rules.open_in_order(self.status(lesson) == "completed" for lesson in lessons)
        return {lesson["id"] for lesson in lessons[open_lessons:]}

    def status(self, lesson: Row) -> str:
        """The subject's status in a lesson of this course (R321), which several fields depend on."""
        number = lesson["id"]
        if number not in self._statuses:
            self._statuses[number] = completion_status(self.call, lesson, self.subject)
        return self._statuses[number]

    def lesson(self, row: Row) -> "LessonView":
        """The view of a lesson of this course, given its row."""
        return LessonView(SectionView(self, self.call.world.sections[row["section_id"]], [row]), row)


class CourseEditView(CourseView):
    """A course as its creator and managers edit it (view=edit): drafts included (R112)."""

    @cached_property
    def sections(self) -> list[Any]:
        """All sections, including those without a published lesson."""
        course = self._without_sections()
        sections = ordered_sections(self.call, self.row)
        return [SectionEditView(course, row, ordered_lessons(self.call, row)) for row in sections]


class SectionEditView(View):
    """A section as the course's creator and managers edit it (view=edit)."""

    def __init__(self, course: CourseView, row: Row, lesson_rows: list[Row]) -> None:
        """`lesson_rows` are the lessons that it shows, in display order."""
        super().__init__(course.call, row)
        self.course = course
        self.lesson_rows = lesson_rows

    @property
    def lessons(self) -> list["LessonView"]:
        """The same as views; not kept, because they refer to this one."""
        return [LessonView(self, row) for row in self.lesson_rows]

    @property
    def num_lessons(self) -> int:
        """How many published lessons there are; drafts do not count even here (R112)."""
        return [row["status"] for row in self.lesson_rows].count("published")


class SectionView(SectionEditView):
    """A section as its readers see it (view=user)."""

    @property
    def num_lessons_completed(self) -> int:
        """How many of the published lessons the subject has completed."""
        return [self.course.status(row) for row in self.lesson_rows].count("completed")

    @property
    def available_date(self) -> datetime | None:
        """When the section opens for the subject, or None (R317)."""
        membership = self.course.membership
        joined_at = membership["joined_at"] if membership else None
        return rules.available_date(self.course.row["type"], self.row, joined_at)

    @cached_property
    def locked(self) -> bool:
        """Whether the section is not open to the subject yet; it always is to the creator and managers (R317)."""
        if self.course.join_status in rules.MANAGING:
            return False
        date = self.available_date
        return date is not None and not self.call.world.clock.has_come(date)


class LessonView(View):
    """A lesson within a section, with the subject's progress and lock."""

    def __init__(self, section: SectionEditView, row: Row) -> None:
        super().__init__(section.call, row)
        self.section = section

    @property
    def completion_status(self) -> str:
        """The subject's status in the lesson (R321)."""
        return self.section.course.status(self.row)

    @property
    def locked(self) -> bool:
        """Whether the subject may not open the lesson (R317)."""
        return self.lock is not None

    @property
    def lock(self) -> str | None:
        """Why the subject may not open the lesson; None if they may (R311-R317)."""
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
            return "The lessons of this course must be completed in order."
        return None


class MemberView(UserView):
    """A membership as a row of the teacher's dashboard (R607, R608)."""

    def __init__(self, call: Call, row: Row) -> None:
        """`row` is the membership; fields that it does not have are those of the user."""
        super().__init__(call, {**call.world.users[row["user_id"]], **row})
        call.world.memberships.note_read("last_active_at")

    @property
    def join_status(self) -> Any:
        """The member's status in the course."""
        return self.row["status"]

    @property
    def user_completion_rate(self) -> int:
        """The percentage of published lessons that the member has completed (R131)."""
        return completion_rate(self.call, self.call.course, self.row["user_id"])
