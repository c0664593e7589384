"""Views: what a caller sees of a row, and pages of long lists of rows."""

import pytest

from stubserver.api.views import CategoryView, Listing, View, ordered
from stubserver.api.views.lesson import AnswerView
from stubserver.worlds.world import World
from tests.support.calls import called
from tests.support.client import Api


def test_a_field_that_cannot_be_derived_is_never_taken_from_the_row() -> None:
    """R405: a view that fails must not show the stored field of the same name."""
    with pytest.raises(AttributeError, match=r"AnswerView\.correct could not be derived"):
        _ = AnswerView(None, {"correct": True}).correct  # type: ignore[arg-type]
    with pytest.raises(AttributeError, match="AnswerView has no field 'colour'"):
        _ = AnswerView(None, {"correct": True}).colour  # type: ignore[arg-type]


def test_a_field_that_is_not_derived_is_the_stored_one(world: World) -> None:
    view = View(called(world), {"name": "Knots", "created_by": 3})
    assert view.name == "Knots"
    assert view.created_by.row == world.users[3]


def test_only_the_page_of_a_list_is_viewed() -> None:
    seen: list[int] = []

    def view(row: int) -> str:
        seen.append(row)
        return f"row {row}"

    assert Listing(range(100), view).page(20, 3) == ["row 20", "row 21", "row 22"]
    assert seen == [20, 21, 22]
    assert Listing(range(5)).page(4, 10) == [4]


@pytest.mark.parametrize(
    ("ordering", "found"),
    [
        ("name", [3, 1, 2]),
        ("-name", [2, 1, 3]),
        ("id", [1, 2, 3]),
        ("colour", [3, 2, 1]),
        ("-colour", [3, 2, 1]),
        ("", [3, 2, 1]),
    ],
)
def test_rows_are_ordered_by_the_fields_that_are_meant_for_it(ordering: str, found: list[int]) -> None:
    """R024: any other ordering is ignored; the default applies, direction included."""
    rows = [{"id": number, "name": name, "colour": -number} for number, name in ((1, "m"), (2, "z"), (3, "a"))]
    assert [row["id"] for row in ordered(rows, ordering, ("id", "name"), default="-id")] == found


def test_the_pictures_of_a_category_follow_from_the_address_of_the_server(world: World) -> None:
    """So they can be cached by that URL, for all calls."""
    row = world.categories[1]
    one, other = (CategoryView(called(world, base_url=url), row) for url in ("http://one", "http://other"))
    assert one.context == "http://one"
    assert {name: url.replace("one", "other", 1) for name, url in one.derived_together().items()} == (
        other.derived_together()
    )
    assert set(one.derived_together()) == set(one.together)
    assert "/upfiles/categories/small/arts-and-crafts_" in one.derived_together()["image_small"]


def test_pictures_of_rows_of_one_slug_differ(api: Api) -> None:
    """The id tells them apart."""
    categories = api.world.categories
    categories.put({**categories[1], "id": 99})
    both = [api.get(f"/category/{number}/").json()["image_small"] for number in (1, 99)]
    assert both[0] != both[1]
