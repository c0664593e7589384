"""What the values of answers are."""

from collections.abc import Iterator

import pytest

from stubserver.checking.shapes import Shape, Shapes
from stubserver.contract.contract import Contract

KNOWN = {"User.id", "Category.id", "Tag.id", "Preference.id", "Feature.id", "CourseUserDashboard.id", "Embed.id"}
"""Ids that both servers share, or that nothing makes."""


def fields(shape: Shape, depth: int = 0) -> Iterator[tuple[str, Shape]]:
    """All fields within a shape."""
    if depth > 6:  # a comment has its latest reply
        return
    for _, part in shape._parts:
        for name in part.get("properties", ()):
            field = shape.field(name)
            assert field is not None
            yield name, field
            yield from fields(field, depth + 1)
    if shape.item is not None:
        yield from fields(shape.item, depth + 1)


def test_every_number_that_is_called_an_id_has_a_kind(contract: Contract, shapes: Shapes) -> None:
    without = {
        field.name
        for operation in contract.operations.values()
        for name, field in fields(shapes.answer(operation))
        if (name == "id" or name.endswith("_id") or name in ("parent", "in_reply_to"))
        and any(part.get("type") == "integer" for _, part in field._parts)
        and not field.kind
    }
    assert without == KNOWN - {"Embed.id"}


def test_the_catalogue_names_no_field_that_is_not_there(contract: Contract, shapes: Shapes) -> None:
    there = {field._path for operation in contract.operations.values() for _, field in fields(shapes.answer(operation))}
    assert {*shapes.ids} <= there


@pytest.mark.parametrize(
    ("operation", "path", "kind"),
    [
        ("get_course", "id", "course"),
        ("get_course", "sections_order", "section"),
        ("get_course", "created_at", "moment"),
        ("get_course", "image_big", "address"),
        ("get_course", "name", ""),
        ("get_course", "created_by id", ""),
        ("get_course", "created_by username", "given"),
        ("create_course_comment", "latest_reply latest_reply id", "comment"),
        ("oauth_token", "access_token", "secret"),
        ("create_media", "image", "address"),
        ("get_user", "bio", "given"),
        ("get_user", "can_send_pm_to", ""),
    ],
)
def test_kinds(contract: Contract, shapes: Shapes, operation: str, path: str, kind: str) -> None:
    shape: Shape | None = shapes.answer(contract.operations[operation])
    for name in path.split():
        assert shape is not None
        shape = shape.field(name)
    assert shape is not None
    assert shape.kind == kind


def test_what_operations_make_and_list(contract: Contract, shapes: Shapes) -> None:
    operations = contract.operations
    assert shapes.made(operations["create_course_section"]) == "section"
    assert shapes.made(operations["delete_course"]) == ""
    assert shapes.listed(operations["search_courses"]) == "course"
    assert shapes.listed(operations["get_course"]) == ""
    assert shapes.answer(operations["get_course"]).field("no_such_field") is None
