"""What a page loads at its start: preferences, features and incubators, and what a fixture may say about them."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from stubserver.app import StubServer
from stubserver.contract.contract import Contract
from stubserver.fixtures.fixture import FixtureError, load
from stubserver.worlds.snapshot import Fixture
from tests.support.answers import ok, refused
from tests.support.client import Api
from tests.support.default import NOW
from tests.support.rows import snapshot

PREFERENCES = "/dynamic_preference/"
FEATURES = "/feature/"
PICTURES = {
    "images.user_default_cover": "/upfiles/community/bigger/cover.png",
    "logo.navbar_logo": "/upfiles/community/medium/logo.png",
    "logo.navbar_logo_mobile": "/upfiles/community/small/logo.png",
    "staff.staff_badge_icon": "/upfiles/community/small/staff.png",
}
ON = "content_availability comments_enabled courses_advanced_enabled courses_enabled courses_private_enabled"
ON += " courses_visibility_enabled"
OFF = "courses_only_staff_enabled follow_enabled category_follow_enabled connection_enabled context_menu_enabled"
OFF += " custom_navbar_item_enabled discussion_type_enabled events_enabled explore_stream_enabled groups_enabled"
OFF += " live_stream_enabled onboarding_enabled payments_enabled people_search_enabled post_type_enabled"
OFF += " scheduled_posts_enabled status_type_enabled users_approval_enabled video_autoplay_enabled"
DEFAULTS: dict[str, Any] = {
    **{f"configurations.{name}": True for name in ON.split()},
    **{f"configurations.{name}": False for name in OFF.split()},
    "configurations.accepted_media_mimetypes": "image/jpeg,image/png,image/gif,application/pdf",
    "configurations.app_url": "",
    "configurations.url_template_categories_list": "/categories/",
    "configurations.url_template_category": "/category/{id}/{slug}/",
    "configurations.url_template_comment": "/{contribution_type}/{contribution_id}/comment/{id}/",
    "configurations.url_template_discussion": "/discussion/{id}/",
    "configurations.url_template_incubator": "/incubator/{id}/",
    "configurations.url_template_live_stream": "/live/{slug}/",
    "configurations.url_template_notifications": "/notification/",
    "configurations.url_template_post": "/post/{id}/",
    "configurations.url_template_private_message": "/messages/{id}/",
    "configurations.url_template_profile": "/user/{id}/",
    "configurations.url_template_profile_settings": "/user/{id}/edit/",
    "configurations.url_template_status": "/status/{id}/",
    "addons.private_messages_enabled": False,
    "colors.colorback": "#f5f5f5",
    "colors.colorprimary": "#22606a",
    "colors.colorsecondary": "#c4711d",
    "colors.navbarback": "#ffffff",
    "colors.font_color": "#333333",
    "colors.font_color_secondary": "#666666",
    "staff.staff_badge_label": "Staff",
    "text.application_name": "Course stub",
    **PICTURES,
}
SORTED = sorted(DEFAULTS)
"""Keys in order of their ids."""
ADA = {"id": 1, "username": "ada", "real_name": "Ada", "date_joined": "2025-01-01T00:00:00Z"}
APP = {"client_id": "mine", "name": "Mine"}


def keyed(page: dict[str, Any]) -> dict[str, Any]:
    """The listed preferences, arranged as the vendor's client keeps them."""
    return {f"{row['section']}.{row['name']}": row["value"] for row in page["results"]}


def keys(api: Api, query: str) -> list[str]:
    return list(keyed(ok(api.get(f"{PREFERENCES}?{query}"))))


@pytest.fixture
def written(tmp_path: Path, contract: Contract) -> Callable[..., Fixture]:
    """Loads a small fixture file made of the given parts."""

    def seed(**parts: Any) -> Fixture:
        file = tmp_path / "mine.yaml"
        file.write_text(yaml.safe_dump({"name": "mine", "users": [ADA], **parts}, sort_keys=False))
        return load(str(file), contract, NOW)

    return seed


# Preferences


@pytest.mark.parametrize("caller", [None, "member", "staff"])
def test_list_preferences_shows_all_of_them(api: Api, caller: str | None) -> None:
    """R701, R702: every preference of the fixture schema, on one page, for everyone; switches are true or false."""
    page = ok(api.as_(caller).get(PREFERENCES))
    assert (page["count"], page["next"], page["previous"]) == (52, None, None)
    expected = {**DEFAULTS, **{name: f"http://stub.test{path}" for name, path in PICTURES.items()}}
    found = keyed(page)
    assert found == expected
    assert {name for name, value in found.items() if value in (True, False)} == {
        name for name, value in found.items() if type(value) is bool
    }
    assert list(found) == SORTED
    assert [row["id"] for row in page["results"]] == list(range(1, 53))
    assert all(set(row) == {"id", "section", "name", "value"} for row in page["results"])


@pytest.mark.parametrize("name", PICTURES)
def test_list_preferences_shows_pictures_at_the_callers_host(api: Api, name: str) -> None:
    """R702: image URLs are absolute, because the page has another origin, and each leads to an image."""
    page = ok(api.get(PREFERENCES, headers={"Host": "localhost:8123"}))
    assert keyed(page)[name] == f"http://localhost:8123{PICTURES[name]}"
    picture = api.get(f"/{PICTURES[name]}")
    assert (picture.status_code, picture.headers["content-type"]) == (200, "image/png")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("section=colors", [name for name in SORTED if name.startswith("colors.")]),
        ("section=text", ["text.application_name"]),
        ("section=Text", []),
        ("section=tex", []),
        ("section=application_name", []),
        ("search=LOGO", ["logo.navbar_logo", "logo.navbar_logo_mobile"]),
        ("search=navbar", [name for name in SORTED if "navbar" in name]),
        ("search=addon", ["addons.private_messages_enabled"]),
        ("search=nowhere", []),
        ("search=Course%20stub", []),
        ("search=", SORTED),
        ("section=configurations&search=courses_p", ["configurations.courses_private_enabled"]),
        ("section=configurations&search=logo", []),
    ],
)
def test_list_preferences_filters(api: Api, query: str, expected: list[str]) -> None:
    """R025, R701: by full section name, or by a text in section or name, in any case; ids do not change."""
    page = ok(api.get(f"{PREFERENCES}?{query}"))
    assert list(keyed(page)) == expected
    assert page["count"] == len(expected)
    assert [row["id"] for row in page["results"]] == [1 + SORTED.index(name) for name in expected]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", SORTED),
        ("ordering=id", SORTED),
        ("ordering=-id", SORTED[::-1]),
        ("ordering=section", SORTED),
        ("ordering=-section", sorted(SORTED, key=lambda name: name.split(".")[0], reverse=True)),
        ("ordering=name", sorted(SORTED, key=lambda name: name.split(".")[1])),
        ("ordering=-name", sorted(SORTED, key=lambda name: name.split(".")[1], reverse=True)),
        ("ordering=value", SORTED),
        ("ordering=-value", SORTED),
        ("ordering=", SORTED),
        ("ordering=value&ordering=-id", SORTED[::-1]),
    ],
)
def test_list_preferences_orders(api: Api, query: str, expected: list[str]) -> None:
    """R701: by id, section or name, descending with a minus; by id if ordering names none of them."""
    assert keys(api, query) == expected


def test_list_preferences_pages(api: Api) -> None:
    """R014, R016, R701: with a limit it is paged like any other list, and the links lead through all of it."""
    address = f"{PREFERENCES}?limit=20&ordering=-id"
    seen: list[int] = []
    while address:
        page = ok(api.get(address.removeprefix("http://stub.test")))
        assert page["count"] == 52
        seen += [row["id"] for row in page["results"]]
        address = page["next"]
    assert seen == list(range(52, 0, -1))
    assert len(page["results"]) == 12
    assert page["previous"] == "http://stub.test/api/v2/dynamic_preference/?limit=20&offset=20&ordering=-id"
    assert keys(api, "offset=50") == SORTED[50:]
    nothing = ok(api.get(f"{PREFERENCES}?search=nowhere&offset=3"))
    assert (nothing["count"], nothing["results"], nothing["next"]) == (0, [], None)
    assert ok(api.get(nothing["previous"].removeprefix("http://stub.test")))["results"] == []
    assert keys(api, "offset=52") == []


@pytest.mark.parametrize(
    ("query", "field", "code"),
    [
        ("limit=0", "limit", "min_value"),
        ("limit=all", "limit", "invalid"),
        ("offset=-1", "offset", "min_value"),
        ("offset=9223372036854775808", "offset", "max_value"),
        ("search=a%00", "search", "invalid"),
        ("section=%00", "section", "invalid"),
    ],
)
def test_list_preferences_refuses(api: Api, query: str, field: str, code: str) -> None:
    """R016: bad parameters are reported, those that select a page by a strict world."""
    assert refused(api.strict().get(f"{PREFERENCES}?{query}"), 400) == {field: code}


def test_list_preferences_shows_what_a_fixture_sets(api: Api, app: StubServer, default_fixture: Fixture) -> None:
    """R702: a fixture's values and its own additional settings, unchanged; images hosted elsewhere keep their URLs."""
    own = {
        "configurations.comments_enabled": False,
        "configurations.app_url": "https://app.example",
        "colors.accent": "#abcdef",
        "style.radius": 4.5,
        "addons.shop_enabled": True,
        "logo.navbar_logo": "https://cdn.example/logo.svg",
        "covers.mine": "/upfiles/a/small/b.png",
        "images.none": "",
        "covers.shown": True,
        "text.motto": "/not/a/picture",
    }
    app.worlds.reset(fixture=replace(default_fixture, preferences={**default_fixture.preferences, **own}))
    found = keyed(ok(api.get(PREFERENCES)))
    assert {name: found[name] for name in own} == {**own, "covers.mine": "http://stub.test/upfiles/a/small/b.png"}
    assert [type(found[name]) for name in ("style.radius", "addons.shop_enabled")] == [float, bool]
    assert found["configurations.courses_enabled"] is True
    assert keys(api, "section=style") == ["style.radius"]


def test_list_preferences_has_any_configuration(api: Api, app: StubServer, written: Callable[..., Fixture]) -> None:
    """R702: also what the server does not know, in the shape of all others: a switch, a number, a text."""
    own = {"configurations.mine_enabled": True, "configurations.most": 3, "configurations.url_template_mine": "/mine/"}
    app.worlds.reset(fixture=written(preferences=own))
    rows = [row for row in ok(api.get(f"{PREFERENCES}?search=m"))["results"] if f"configurations.{row['name']}" in own]
    assert [set(row) for row in rows] == [{"id", "section", "name", "value"}] * 3
    assert keyed({"results": rows}) == own


@pytest.mark.parametrize("address", ["//cdn.example/logo.png", "data:image/png;base64,AAAA"])
def test_list_preferences_leaves_addresses_alone_that_are_complete(
    api: Api, app: StubServer, default_fixture: Fixture, address: str
) -> None:
    """R702: only a path to an image on this server gets the host in front."""
    app.worlds.reset(
        fixture=replace(default_fixture, preferences={**default_fixture.preferences, "logo.navbar_logo": address})
    )
    assert keyed(ok(api.get(PREFERENCES)))["logo.navbar_logo"] == address


def test_list_preferences_of_a_large_fixture_is_one_page(
    api: Api, app: StubServer, written: Callable[..., Fixture]
) -> None:
    """R015, R701: the vendor's client reads only the first page, so there must be no second."""
    own = {f"text.line_{number}": f"Line {number}" for number in range(60)}
    app.worlds.reset(fixture=written(preferences=own))
    page = ok(api.get(PREFERENCES))
    assert (page["count"], len(page["results"]), page["next"]) == (112, 112, None)
    page = ok(api.get(f"{PREFERENCES}?limit=1000"))
    assert (len(page["results"]), page["next"]) == (100, f"http://stub.test/api/v2{PREFERENCES}?limit=100&offset=100")


def test_list_preferences_is_of_its_world(api: Api, app: StubServer) -> None:
    """R106, R114, R702: only two have an effect, in their own world alone, and the list shows it; others do nothing."""
    other = app.worlds.reset("other")
    before = other.preferences
    idle = {key: not value for key, value in before.items() if value in (True, False)}
    acting = ("configurations.content_availability", "configurations.courses_only_staff_enabled")
    course = {"name": "Mine", "type": "structured"}
    member = api.as_("member")
    for key in acting:
        del idle[key]
    api.world.preferences = {**before, **idle}
    ok(api.get("/course/search/"))
    ok(member.post("/course/", json=course), 201)
    api.world.preferences = {**before, acting[0]: False}
    assert keyed(ok(api.get(PREFERENCES)))[acting[0]] is False
    assert refused(api.get("/course/search/"), 401) == {"": "not_authenticated"}
    api.world.preferences = {**before, acting[1]: True}
    assert keyed(ok(api.get(PREFERENCES)))[acting[1]] is True
    ok(api.get("/course/search/"))
    assert refused(member.post("/course/", json={**course, "name": "Mine too"}), 403) == {"": "permission_denied"}
    assert [other.preferences[key] for key in acting] == [True, False]
    assert app.worlds.reset().preferences == before


# What a fixture may say


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ({"preferences": {"configurations.Courses": True}}, "configurations.Courses"),
        ({"preferences": {"configurations.comments_enabled": "true"}}, "configurations.comments_enabled"),
        ({"preferences": {"configurations.comments_enabled": 1}}, "configurations.comments_enabled"),
        ({"preferences": {"configurations.app_url": None}}, "configurations.app_url"),
        ({"preferences": {"content_availability": True}}, "content_availability"),
        ({"preferences": {"other.thing": 1}}, "other.thing"),
        ({"preferences": {"text.Name": "x"}}, "text.Name"),
        ({"preferences": {"text.a.b": "x"}}, "text.a.b"),
        ({"preferences": {"text.a\n": "x"}}, "text.a"),
        ({"preferences": {"text.list": ["x"]}}, "text.list"),
        ({"preferences": {"style.size": float("nan")}}, "style.size"),
        ({"preferences": {"style.size": float("inf")}}, "style.size"),
        ({"preferences": {"style.size": 10**30}}, "style.size"),
        ({"preferences": []}, "preferences"),
        ({"features": "course"}, "features"),
        ({"features": ["course", "course"]}, "features"),
        ({"features": ["Course"]}, "features.0"),
        ({"features": ["course", ""]}, "features.1"),
        ({"features": ["course\n"]}, "features.0"),
        ({"features": [True]}, "features.0"),
        ({"apps": [APP, APP]}, "mine"),
        ({"apps": [{"client_id": "mine"}]}, "name"),
        ({"apps": [{"name": "Mine"}]}, "client_id"),
        ({"apps": [{**APP, "client_id": "my app"}]}, "apps.0.client_id"),
        ({"apps": [{**APP, "client_secret": 5}]}, "apps.0.client_secret"),
        ({"apps": [{**APP, "redirect_uri": "https://app.example/"}]}, "redirect_uri"),
        ({"apps": [{**APP, "redirect_uris": "https://app.example/"}]}, "apps.0.redirect_uris"),
        ({"apps": [{**APP, "redirect_uris": ["nowhere"]}]}, "apps.0.redirect_uris.0"),
        ({"apps": [{**APP, "redirect_uris": ["http://["]}]}, "apps.0.redirect_uris.0"),
        ({"users": [{**ADA, "hidden_users": [2]}]}, "hidden_users"),
        ({"users": [{**ADA, "password": ""}]}, "password"),
        ({"users": [{**ADA, "role": "boss"}]}, "boss"),
    ],
    ids=str,
)
def test_list_preferences_refuses_a_fixture_that_is_wrong(
    written: Callable[..., Fixture], parts: dict[str, Any], says: str
) -> None:
    """R702: switches of the wrong type are caught, and so are other mistakes in what a page loads at its start."""
    with pytest.raises(FixtureError) as caught:
        written(**parts)
    assert says in str(caught.value)
    assert "mine.yaml" in str(caught.value)
    assert "\n" not in str(caught.value)


# Features and incubators


def test_list_features_shows_what_is_on(api: Api, app: StubServer, default_fixture: Fixture) -> None:
    """R701: by default courses alone; otherwise what the fixture names, in its order."""
    page = {"count": 1, "next": None, "previous": None, "results": [{"id": 1, "name": "course", "enabled": True}]}
    assert ok(api.get(FEATURES)) == page
    assert ok(api.as_("member").get(FEATURES)) == page
    app.worlds.reset(fixture=replace(default_fixture, features=("taxonomy", "course", "group_2")))
    rows = ok(api.get(FEATURES))["results"]
    assert [(row["id"], row["name"], row["enabled"]) for row in rows] == [
        (1, "taxonomy", True),
        (2, "course", True),
        (3, "group_2", True),
    ]
    app.worlds.reset(fixture=replace(default_fixture, features=()))
    assert ok(api.get(FEATURES))["results"] == []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("name=course", [2]),
        ("name=Course", []),
        ("name=cours", []),
        ("search=O", [2, 3]),
        ("search=2", [3]),
        ("name=course&search=tax", []),
        ("limit=1&offset=1", [2]),
        ("", [1, 2, 3]),
    ],
)
def test_list_features_filters(
    api: Api, app: StubServer, default_fixture: Fixture, query: str, expected: list[int]
) -> None:
    """R016, R025, R701: by full name, by a text in it in any case, and by page."""
    app.worlds.reset(fixture=replace(default_fixture, features=("taxa", "course", "group_2")))
    assert [row["id"] for row in ok(api.get(f"{FEATURES}?{query}"))["results"]] == expected


def test_list_features_of_a_large_fixture_is_one_page(api: Api, app: StubServer, default_fixture: Fixture) -> None:
    """R701: the vendor's client reads only the first page, so there must be no second."""
    app.worlds.reset(fixture=replace(default_fixture, features=tuple(f"f{number}" for number in range(101))))
    page = ok(api.get(FEATURES))
    assert (page["count"], len(page["results"]), page["next"]) == (101, 101, None)
    assert len(ok(api.get(f"{FEATURES}?limit=20"))["results"]) == 20


def test_list_features_and_preferences_are_read_before_anybody_has_logged_in(api: Api) -> None:
    """R701: even in a community closed to anonymous visitors; a bad token is still refused."""
    api.world.preferences = {**api.world.preferences, "configurations.content_availability": False}
    for path in (PREFERENCES, FEATURES):
        ok(api.get(path))
        assert refused(api.as_("nobody").get(path), 401) == {"": "authentication_failed"}


@pytest.mark.parametrize("caller", [None, "member"])
@pytest.mark.in_process("a fixture or preference of its own")
def test_list_incubators_has_none(api: Api, caller: str | None) -> None:
    """R106, R707: an empty page; without a login, only if the community shows its content to everyone."""
    before, caller_api = snapshot(api.world), api.as_(caller)
    assert ok(caller_api.get("/incubator/")) == {"count": 0, "next": None, "previous": None, "results": []}
    assert ok(caller_api.get("/incubator/?limit=x"))["results"] == []
    api.world.preferences = {**api.world.preferences, "configurations.content_availability": False}
    if caller is None:
        assert refused(caller_api.get("/incubator/"), 401) == {"": "not_authenticated"}
    else:
        assert ok(caller_api.get("/incubator/"))["results"] == []
    assert snapshot(api.world) == before
