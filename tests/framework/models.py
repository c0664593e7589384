"""Models with stock fields, as somebody would write them who knows only the documents of the API."""

from django.db import models


def _choices(*names: str) -> list[tuple[str, str]]:
    return [(name, name) for name in names]


class Category(models.Model):
    name = models.TextField()


class Course(models.Model):
    name = models.TextField(unique=True)
    slug = models.SlugField(blank=True, max_length=1000)
    description = models.TextField(blank=True, default="")
    type = models.TextField(choices=_choices("self-paced", "structured", "scheduled"))
    privacy = models.TextField(blank=True, default="", choices=_choices("open", "private", "secret"))
    enforce_lessons_order = models.BooleanField(default=False)
    new_comment_notification_enabled = models.BooleanField(default=True)
    hide_member_count = models.BooleanField(default=False)
    og_image = models.TextField(blank=True, null=True)
    image_original = models.ImageField(blank=True)
    categories = models.ManyToManyField(Category, blank=True)


class Section(models.Model):
    name = models.TextField()
    dripped_at = models.DateTimeField(null=True, blank=True)
    drip_delay = models.PositiveIntegerField(default=0)


class Lesson(models.Model):
    name = models.TextField()
    type = models.TextField(choices=_choices("lesson", "quiz"))
    status = models.TextField(choices=_choices("published", "draft"), default="draft")
    comments_enabled = models.BooleanField(default=True)
    text = models.TextField(blank=True, default="")
    passing_grade = models.PositiveIntegerField(default=60)


class Comment(models.Model):
    text = models.TextField(blank=True, default="")
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.CASCADE)


MODELS = (Category, Course, Section, Lesson, Comment)
