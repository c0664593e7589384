"""The control plane's tables: the rows of a world beside those of its fixture, page by page."""

from typing import Any

import pytest

from stubserver.app import StubServer
from stubserver.control import table as tables
from stubserver.control.table import MAX_KEYS
from stubserver.worlds.snapshot import TABLES
from tests.support.answers import done, ok, refused
from tests.support.client import Api
from tests.support.tokens import APP, WREN
from tests.support.worlds import make, named, names

TABLE = "/__stub/tables"
pytestmark = pytest.mark.no_world


def changed(api: Api) -> int:
    """Add a course to world w, change the first one, delete a comment; returns the id of the new course."""
    number = make(api, "Knots", "w")
    creator = api.as_("creator")
    ok(creator.patch("/course/1/", json={"name": "Bends"}, headers=named("w")))
    done(creator.delete("/course/1/section/1/lesson/1/comment/1/", headers=named("w")))
    return number


def test_list_tables_counts_what_differs(api: Api) -> None:
    changed(api)
    page = ok(api.get(f"{TABLE}?limit=100", headers=named("w")))
    found = {row.pop("name"): row for row in page["results"]}
    assert [*found] == [*TABLES]
    before = {row.pop("name"): row for row in ok(api.get(f"{TABLE}?limit=100", headers=named("v")))["results"]}
    assert {(row["added"], row["changed"], row["deleted"]) for row in before.values()} == {(0, 0, 0)}
    courses = {"rows": before["courses"]["rows"] + 1, "added": 1, "changed": 1, "deleted": 0}
    assert found["courses"] == courses
    gone = before["comments"]["rows"] - found["comments"]["rows"]
    assert gone == found["comments"]["deleted"] > 0


def test_list_tables_makes_no_world(api: Api, app: StubServer) -> None:
    ok(api.get(TABLE, headers=named("none")))
    ok(api.get(f"{TABLE}/courses", headers=named("none")))
    ok(api.get(f"{TABLE}/courses/1", headers=named("none")))
    assert "none" not in names(app)


def test_list_rows_is_in_the_order_of_the_fixture_and_has_new_rows_at_the_end(api: Api) -> None:
    number = changed(api)
    page = ok(api.get(f"{TABLE}/courses?limit=100", headers=named("w")))
    rows = page["results"]
    assert page["count"] == len(rows) == number
    assert [row["key"] for row in rows] == [str(key) for key in range(1, number + 1)]
    first, second, *_, last = rows
    assert (first["difference"], first["row"]["name"]) == ("changed", "Bends")
    assert first["fixture"]["name"] != "Bends"
    assert (second["difference"], second["row"]) == ("none", second["fixture"])
    assert (last["difference"], last["row"]["name"], last["fixture"]) == ("added", "Knots", None)


def test_list_rows_shows_deleted_rows_as_the_fixture_has_them(api: Api) -> None:
    changed(api)
    rows = ok(api.get(f"{TABLE}/comments?limit=100&differs=true", headers=named("w")))["results"]
    assert ("1", "deleted", None) in [(row["key"], row["difference"], row["row"]) for row in rows]
    assert all(row["fixture"]["id"] == int(row["key"]) for row in rows)


@pytest.mark.parametrize(
    ("query", "expected"),
    [("limit=2", ["1", "2"]), ("limit=2&offset=14", ["15", "16"]), ("offset=16", []), ("differs=true", ["16", "1"])],
)
def test_list_rows_pages_through_all_or_what_differs(api: Api, query: str, expected: list[str]) -> None:
    changed(api)
    page = ok(api.get(f"{TABLE}/courses?{query}", headers=named("w")))
    assert [row["key"] for row in page["results"]] == expected
    assert page["count"] == (2 if "differs" in query else 16)


def test_list_rows_hides_credentials(api: Api) -> None:
    signed_in = ok(api.post("/oauth/token/", data={**APP, **WREN, "grant_type": "password"}, headers=named("w")))
    text = api.get(f"{TABLE}/grants", headers=named("w")).text
    assert '"client_id"' in text
    assert signed_in["access_token"] not in text
    assert signed_in["refresh_token"] not in text
    for table in TABLES:
        assert "stub-password" not in api.get(f"{TABLE}/{table}?limit=100", headers=named("w")).text


def test_list_rows_has_the_size_of_a_picture_for_its_content(api: Api, app: StubServer) -> None:
    world = app.worlds.get("w")
    world.pictures.put({"folder": "courses", "number": 1, "name": "a", "content": b"12345"})
    (row,) = ok(api.get(f"{TABLE}/pictures", headers=named("w")))["results"]
    assert (row["key"], row["row"]["content"]) == ("courses,1", "(5 bytes)")
    assert ok(api.get(f"{TABLE}/pictures/courses,1", headers=named("w")))["row"] == row["row"]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/course", "There is no table 'course'. Did you mean courses"),
        ("/course/1", "There is no table 'course'. Did you mean courses"),
        ("/courses/99", "The table courses of world default has no row '99', nor its fixture."),
        ("/courses/x", "has no row 'x'"),
        ("/courses/1,1", "has no row '1,1'"),
        ("/memberships/1", "has no row '1'"),
        ("/memberships/1,1,1", "has no row '1,1,1'"),
        (f"/courses/{'9' * 200}", "has no row"),
    ],
)
def test_get_row_of_what_does_not_exist_is_refused(api: Api, path: str, message: str) -> None:
    answer = api.get(f"{TABLE}{path}")
    assert refused(answer, 404) == {"": "not_found"}
    assert message in answer.text


@pytest.mark.parametrize("path", ["courses/1", "memberships/1,2", "apps/stub-app", "completions/3,1"])
def test_get_row_knows_every_kind_of_key(api: Api, path: str) -> None:
    assert ok(api.get(f"{TABLE}/{path}"))["key"] == path.split("/")[1]


def test_get_row_tells_what_belongs_to_it(api: Api) -> None:
    changed(api)
    row = ok(api.get(f"{TABLE}/courses/1", headers=named("w")))
    assert (row["difference"], row["row"]["name"]) == ("changed", "Bends")
    found = {(part["table"], part["field"]): part for part in row["belongs"]}
    assert {*found} == {("sections", "course_id"), ("memberships", "course_id")}
    assert found["sections", "course_id"]["keys"] == ["1", "2", "3"]
    assert found["memberships", "course_id"]["count"] == len(found["memberships", "course_id"]["keys"])


def test_get_row_tells_answers_to_a_comment(api: Api) -> None:
    comments = ok(api.get(f"{TABLE}/comments?limit=100"))["results"]
    parent, child = next((row["row"]["parent"], row["key"]) for row in comments if row["row"]["parent"])
    (part,) = ok(api.get(f"{TABLE}/comments/{parent}"))["belongs"]
    assert (part["table"], part["field"]) == ("comments", "parent")
    assert child in part["keys"]


def test_get_row_names_a_bounded_number_of_others(api: Api, app: StubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MAX_KEYS", 2)
    found = ok(api.get(f"{TABLE}/courses/1"))["belongs"][0]
    assert (found["count"], found["keys"]) == (3, ["1", "2"])
    assert MAX_KEYS == 100


def test_list_rows_reads_only_the_page(api: Api, app: StubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many rows there are: those in front of the page are skipped by their keys."""
    world = app.worlds.get("w")
    world.categories.fill({number: {"id": number, "name": str(number)} for number in range(100, 3100)})
    read: list[Any] = []

    def noted(_: str, row: Any, __: object) -> Any:
        read.append(row)
        return row

    monkeypatch.setattr(tables, "shown_row", noted)
    page = ok(api.get(f"{TABLE}/categories?limit=2&offset=3000", headers=named("w")))
    assert (page["count"], [row["key"] for row in page["results"]]) == (3004, ["3096", "3097"])
    assert len(read) == 4
