"""Categories: listing and reading them, and what only administrators see."""

from typing import Any

import pytest

from tests.support.answers import ok, refused
from tests.support.client import Api
from tests.support.rows import snapshot

CATEGORIES = "/category/"
FIRST = {
    "id": 1,
    "name": "Arts and Crafts",
    "slug": "arts-and-crafts",
    "tags": [],
    "followed": False,
    "order": 1,
    "name_synonyms": "",
    "slogan": "Make something with your own hands",
    "html_info": None,
    "seo_title": "",
    "seo_description": "",
    "auto_follow": "none",
    "content_only_staff": False,
    "active": True,
    "image_original": None,
    "emotional_image_original": None,
    "emotional_image_position": 0,
    "lastmod_datetime": "2025-02-03T10:15:00.482911+00:00",
    "stream_order_by": "recent",
    "followers_counter": 0,
    "parents": [],
}
"""Without its images."""
IMAGES = {"image_bigger": "bigger", "image_big": "big", "image_medium": "medium", "image_small": "small"}


@pytest.fixture
def mixed(api: Api) -> Api:
    """Three more: 5 (closed) is not in use, in 6 (house) only staff may publish, and both are true of 7 (cellar)."""
    categories = api.world.categories
    for number, order, changes in (
        (5, 0, {"name": "Closed", "active": False}),
        (6, 2, {"name": "House", "content_only_staff": True}),
        (7, 9, {"name": "Cellar", "content_only_staff": True, "active": False}),
    ):
        categories.put({**categories[1], "id": number, "order": order, "slug": changes["name"], **changes})
    return api


def ids(api: Api, query: str = "") -> list[int]:
    page = ok(api.get(f"{CATEGORIES}?{query}"))
    assert page["count"] == len(page["results"])
    return [row["id"] for row in page["results"]]


@pytest.mark.parametrize("caller", [None, "member", "staff"])
def test_list_categories_comes_in_order(api: Api, caller: str | None) -> None:
    """R706: by order, not by id, in full, and with images that exist."""
    page = ok(api.as_(caller).get(CATEGORIES))
    assert [(row["id"], row["order"]) for row in page["results"]] == [(1, 1), (3, 2), (2, 3), (4, 4)]
    assert (page["count"], page["next"], page["previous"]) == (4, None, None)
    first = page["results"][0]
    assert {name: value for name, value in first.items() if name not in IMAGES} == FIRST
    for name, folder in IMAGES.items():
        path = first[name].removeprefix("http://stub.test")
        assert path.startswith(f"/upfiles/categories/{folder}/arts-and-crafts_")
        assert api.get(f"/{path}").headers["content-type"] == "image/png"


def test_list_categories_breaks_ties_by_id(api: Api) -> None:
    """R706: if two have the same order, the older comes first."""
    for number in (9, 8, 2):
        api.world.categories.put({**api.world.categories[1], "id": number, "order": 2})
    assert ids(api) == [1, 2, 3, 8, 9, 4]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("search=REPAIR", [3]),
        ("search=and", [1, 3, 2, 4]),
        ("search=supper", []),
        ("search=kitchen-and", []),
        ("search=", [1, 3, 2, 4]),
        ("search=and&offset=1&limit=100", [3, 2, 4]),
    ],
)
def test_list_categories_searches_names(api: Api, query: str, expected: list[int]) -> None:
    """R025: the name must contain the text, in any case; slug and slogan are not searched."""
    assert [row["id"] for row in ok(api.get(f"{CATEGORIES}?{query}"))["results"]] == expected


def test_list_categories_pages(api: Api) -> None:
    """R014, R016: the links lead through all pages and keep the filters, as the vendor's client needs."""
    page = ok(api.get(f"{CATEGORIES}?active=true&limit=3"))
    assert ([row["id"] for row in page["results"]], page["count"]) == ([1, 3, 2], 4)
    assert page["next"] == "http://stub.test/api/v2/category/?active=true&limit=3&offset=3"
    assert [row["id"] for row in ok(api.get(page["next"].removeprefix("http://stub.test")))["results"]] == [4]


@pytest.mark.parametrize(
    ("query", "for_admin"),
    [
        ("", [5, 1, 3, 6, 2, 4, 7]),
        ("active=true", [1, 3, 6, 2, 4]),
        ("active=1", [1, 3, 6, 2, 4]),
        ("active=false", [5, 7]),
        ("deleted=true", []),
        ("deleted=false", [5, 1, 3, 6, 2, 4, 7]),
        ("active=false&deleted=true", []),
        ("active=false&search=cell", [7]),
    ],
)
def test_list_categories_heeds_administrators(mixed: Api, query: str, for_admin: list[int]) -> None:
    """R706: active and deleted work for administrators only; everyone else sees those in use, whatever they ask for."""
    assert ids(mixed.as_("staff"), query) == for_admin
    for_others = [] if "search" in query else [1, 3, 6, 2, 4]
    for caller in (None, "stranger", "member", "creator"):
        assert ids(mixed.as_(caller), query) == for_others, caller


@pytest.mark.parametrize("role", ["moderator", "editor", "publisher", None])
def test_list_categories_takes_no_other_role_for_an_administrator(mixed: Api, role: str | None) -> None:
    """R706: platform staff in other roles see what everyone sees."""
    mixed.world.users.put({**mixed.world.users[7], "role": role})
    assert ids(mixed.as_("staff"), "active=false") == [1, 3, 6, 2, 4]
    assert refused(mixed.as_("staff").get(f"{CATEGORIES}5/"), 404) == {"": "not_found"}


@pytest.mark.parametrize(
    ("role", "may", "may_not"),
    [
        ("admin", [5, 1, 3, 6, 2, 4, 7], []),
        ("moderator", [1, 3, 6, 2, 4], []),
        ("editor", [1, 3, 6, 2, 4], []),
        ("publisher", [1, 3, 2, 4], [6]),
        (None, [1, 3, 2, 4], [6]),
    ],
)
def test_list_categories_tells_where_one_may_publish(
    mixed: Api, role: str | None, may: list[int], may_not: list[int]
) -> None:
    """R706: in some categories, only staff may publish."""
    mixed.world.users.put({**mixed.world.users[7], "role": role})
    staff = mixed.as_("staff")
    assert ids(staff, "can_create_content=true") == ids(staff, "can_create_content=1") == may
    assert ids(staff, "can_create_content=false") == may_not


def test_list_categories_lets_nobody_publish_without_a_login(mixed: Api) -> None:
    """R706: an anonymous visitor may not publish anywhere."""
    assert ids(mixed, "can_create_content=true") == []
    assert ids(mixed, "can_create_content=false") == [1, 3, 6, 2, 4]
    assert ids(mixed.as_("member"), "can_create_content=true&search=house") == []


@pytest.mark.parametrize("name", ["active", "deleted", "can_create_content"])
@pytest.mark.parametrize("text", ["maybe", "2", "", "null", "%00"])
def test_list_categories_refuses_what_is_neither_true_nor_false(api: Api, name: str, text: str) -> None:
    """R016: even where the filter would be ignored."""
    assert list(refused(api.get(f"{CATEGORIES}?{name}={text}"), 400)) == [name]


@pytest.mark.parametrize("caller", [None, "stranger", "creator", "staff"])
def test_get_category_hides_what_is_not_in_use(mixed: Api, caller: str | None) -> None:
    """R004, R706: a category that is not in use looks absent, except to administrators."""
    before, asking = snapshot(mixed.world), mixed.as_(caller)
    assert {name: value for name, value in ok(asking.get(f"{CATEGORIES}1/")).items() if name not in IMAGES} == FIRST
    assert ok(asking.get(f"{CATEGORIES}6/"))["content_only_staff"] is True
    assert refused(asking.get(f"{CATEGORIES}99/"), 404) == {"": "not_found"}
    if caller == "staff":
        closed = ok(asking.get(f"{CATEGORIES}5/"))
        assert (closed["id"], closed["active"]) == (5, False)
    else:
        hidden, absent = asking.get(f"{CATEGORIES}5/"), asking.get(f"{CATEGORIES}99/")
        assert refused(hidden, 404) == {"": "not_found"}
        assert hidden.text == absent.text.replace("99", "5")
    assert snapshot(mixed.world) == before


@pytest.mark.parametrize("path", [CATEGORIES, f"{CATEGORIES}1/", f"{CATEGORIES}99/"])
@pytest.mark.in_process("a fixture or preference of its own")
def test_get_category_is_for_readers(api: Api, path: str) -> None:
    """R106: without a login, only if the community shows its content to everyone."""
    api.world.preferences = {**api.world.preferences, "configurations.content_availability": False}
    assert refused(api.get(path), 401) == {"": "not_authenticated"}
    assert api.as_("stranger").get(path).status_code == (404 if "99" in path else 200)


@pytest.mark.parametrize(("path", "status"), [("0/", 404), ("-1/", 404), (f"{'9' * 30}/", 404), ("x/", 404)])
def test_get_category_of_an_odd_id(api: Api, path: str, status: int) -> None:
    """R007: ids that no row can have count as absent."""
    assert refused(api.get(CATEGORIES + path), status) == {"": "not_found"}


def test_get_category_is_the_one_that_courses_show(api: Api) -> None:
    """R706: exactly as courses show it."""
    course: dict[str, Any] = ok(api.as_("creator").get("/course/1/"))
    assert course["categories"] == [ok(api.get(f"{CATEGORIES}1/"))]
