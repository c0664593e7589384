"""Projection: the response schema chooses the fields, and whatever depends on a row alone is cached with it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from stubserver.api.views import OMIT, Shaped
from stubserver.contract.contract import Contract
from stubserver.pipeline.projection import Projection, Shaper
from stubserver.worlds.base import FixtureRow

DOCUMENT: dict[str, Any] = {
    "openapi": "3.0.3",
    "paths": {},
    "components": {
        "schemas": {
            "Name": {"properties": {"id": {}, "name": {}}},
            "Moment": {"properties": {"at": {"type": "string", "format": "date-time"}}},
            "Tree": {
                "properties": {"id": {}, "below": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}}}
            },
        }
    },
}
ROW = {"id": 1, "name": "Knots", "secret": "x"}


def shaped(**schema: Any) -> Projection:
    return Shaper(Contract(DOCUMENT)).projection(schema)


def named(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


class Plain:
    """A view: it has a row, and the attributes of its class are derived fields."""

    together: Sequence[str] = ()
    context: Any = None
    made = 0

    def __init__(self, row: Mapping[str, Any]) -> None:
        self.row = row

    @property
    def name(self) -> Any:
        type(self).made += 1
        return f"{self.row['name']}!"


def test_only_documented_fields_get_out_in_the_order_of_the_schema() -> None:
    project = shaped(properties={"name": {}, "id": {}})
    assert list(project(ROW).items()) == [("name", "Knots"), ("id", 1)]
    assert project(None) is None


def test_derived_fields_go_before_stored_ones() -> None:
    assert shaped(**named("Name"))(Plain(ROW)) == {"id": 1, "name": "Knots!"}


def test_a_derived_field_may_be_left_out() -> None:
    class View(Plain):
        name: Any = OMIT

    assert shaped(**named("Name"))(View(ROW)) == {"id": 1}


def test_fields_that_a_view_derives_together_are_asked_for_once() -> None:
    class View(Plain):
        together = ("small", "big")
        asked = 0

        def derived_together(self) -> Mapping[str, str]:
            type(self).asked += 1
            return {"big": "B", "small": "S", "huge": "H"}

    assert shaped(properties={"id": {}, "big": {}, "small": {}})(View(ROW)) == {"id": 1, "big": "B", "small": "S"}
    assert View.asked == 1


def test_a_row_without_a_field_lacks_it_and_a_view_fails() -> None:
    """So validation reports a missing required field, and a misspelt field of a view is a bug."""
    project = shaped(**named("Name"))
    assert project({"name": "Knots"}) == {"name": "Knots"}
    with pytest.raises(AttributeError, match="no field 'id'"):
        project(Plain({"name": "Knots"}))


def test_a_schema_may_contain_itself() -> None:
    tree = {"id": 1, "x": 0, "below": [{"id": 2, "x": 0, "below": []}]}
    assert shaped(**named("Tree"))(tree) == {"id": 1, "below": [{"id": 2, "below": []}]}


def test_of_several_schemas_the_operation_chooses_one() -> None:
    project = shaped(anyOf=[named("Name"), named("Moment")])
    assert project(Shaped("Name", ROW)) == {"id": 1, "name": "Knots"}
    assert project(Shaped("Moment", {"at": None, "id": 1})) == {"at": None}


def test_what_may_be_null_is_projected_where_it_is_not() -> None:
    project = shaped(anyOf=[named("Name"), {"enum": [None]}])
    assert (project(None), project(ROW)) == (None, {"id": 1, "name": "Knots"})


def test_times_have_an_offset_and_microseconds_if_there_are_any() -> None:
    """R020: equal moments in different time zones keep their zones."""
    project = shaped(type="array", items=named("Moment"))
    moment = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
    later = moment.replace(microsecond=500)
    rows = [{"at": at} for at in (moment, moment.astimezone(timezone(timedelta(hours=2))), later, None)]
    assert [row["at"] for row in project(rows)] == [
        "2026-11-23T12:00:00+00:00",
        "2026-11-23T14:00:00+02:00",
        "2026-11-23T12:00:00.000500+00:00",
        None,
    ]


# What is cached


@pytest.fixture
def row() -> FixtureRow:
    """A row that never changes."""
    return FixtureRow(ROW)


def test_a_row_of_a_fixture_is_projected_once(row: FixtureRow) -> None:
    """Once per schema; a row changed by a world is a different row."""
    project, other = shaped(**named("Name")), shaped(properties={"name": {}})
    first = project(row)
    assert project(row) is first
    assert other(row) == {"name": "Knots"}
    assert project({**row, "name": "Bends"}) == {"id": 1, "name": "Bends"}
    assert project(row) is first


def test_derived_fields_are_kept_while_their_context_is_the_same(row: FixtureRow) -> None:
    class View(Plain):
        made = 0

        def __init__(self, row: Mapping[str, Any], context: Any) -> None:
            super().__init__(row)
            self.context = context

    project = shaped(**named("Name"))
    found = [project(View(row, context)) for context in ("one", "one", "two", "one")]
    assert found == [{"id": 1, "name": "Knots!"}] * 4
    assert View.made == 3


def test_without_a_context_derived_fields_are_made_each_time(row: FixtureRow) -> None:
    """They may depend on anything; only stored fields are cached, separately from derived ones."""

    class View(Plain):
        made = 0

        @property
        def name(self) -> Any:
            type(self).made += 1
            return self.made

    project = shaped(**named("Name"))
    assert [project(View(row)) for _ in range(3)] == [{"id": 1, "name": number} for number in (1, 2, 3)]
