"""Sections: listing, creating, reading, changing, ordering and deleting them."""

from typing import Any

import pytest

from tests.support.answers import ok, refused
from tests.support.client import Api
from tests.support.default import PERSONAS, iso
from tests.support.forms import IN_EVERY_MEDIA_TYPE, MEDIA_TYPES, Encode
from tests.support.rows import snapshot

COURSES = {"open": (1, 1), "private": (4, 10), "secret": (7, 16), "draft": (10, 21)}
"""Privacy -> a course with it, and the first section of that course."""
OPERATIONS: dict[str, tuple[str, str, dict[str, Any], int]] = {
    "list_course_sections": ("GET", "/course/{}/section/", {}, 200),
    "create_course_section": ("POST", "/course/{}/section/", {"json": {"name": "Frames"}}, 201),
    "get_course_section": ("GET", "/course/{}/section/{}/", {}, 200),
    "update_course_section": ("PUT", "/course/{}/section/{}/", {"json": {"name": "Frames"}}, 200),
    "patch_course_section": ("PATCH", "/course/{}/section/{}/", {"json": {"name": "Frames"}}, 200),
    "delete_course_section": ("DELETE", "/course/{}/section/{}/", {}, 204),
}
"""Method, path, what to send, and the status on success."""
FIRST = {"id": 1, "name": "First washes", "dripped_at": None, "drip_delay": 0, "lessons_order": [1, 2, 3]}
WRITES = pytest.mark.parametrize("method", ["PUT", "PATCH"])


# Who may, and where


def expected_status(privacy: str, caller: str | None, success: int) -> int:
    if caller is None:
        return 401
    if caller in ("creator", "manager"):
        return success
    absent = privacy == "draft" or (privacy == "secret" and caller not in ("member", "invited"))
    return 404 if absent else 403


@pytest.mark.parametrize("privacy", COURSES)
@pytest.mark.parametrize(("method", "path", "options", "success"), OPERATIONS.values(), ids=OPERATIONS)
def test_get_course_section_is_for_creator_and_managers(
    api: Api, privacy: str, method: str, path: str, options: dict[str, Any], success: int
) -> None:
    """R001, R003, R004, R005, R101, R104, R301: no one else reads or writes sections; a hidden course is absent."""
    before = snapshot(api.world)
    for caller in (None, *(persona for persona in PERSONAS if persona not in ("creator", "manager"))):
        response = api.as_(caller).request(method, path.format(*COURSES[privacy]), **options)
        status = expected_status(privacy, caller, success)
        code = {401: "not_authenticated", 403: "permission_denied", 404: "not_found"}[status]
        assert refused(response, status) == {"": code}, caller
    assert snapshot(api.world) == before


@pytest.mark.parametrize("privacy", COURSES)
@pytest.mark.parametrize("caller", ["creator", "manager"])
@pytest.mark.parametrize(("method", "path", "options", "success"), OPERATIONS.values(), ids=OPERATIONS)
def test_get_course_section_lets_creator_and_managers_in(
    api: Api, privacy: str, caller: str, method: str, path: str, options: dict[str, Any], success: int
) -> None:
    """R023, R301: creator and managers may do everything with sections, in courses of every privacy."""
    response = api.as_(caller).request(method, path.format(*COURSES[privacy]), **options)
    assert response.status_code == success, response.text
    assert (response.content == b"") == (success == 204)


@pytest.mark.parametrize(("course", "section"), [(1, 4), (4, 1), (12, 1), (1, 999), (99, 1), (1, 0), (1, "x"), (1, -1)])
@pytest.mark.parametrize("name", [*list(OPERATIONS)[2:], "list_course_lessons", "create_course_lesson"])
def test_get_course_section_answers_404_under_another_course(
    api: Api, name: str, course: int, section: int | str
) -> None:
    """R004, R006, R007: a section of another course, or a nonexistent one, is absent for every method."""
    lessons = {
        "list_course_lessons": ("GET", "/course/{}/section/{}/lesson/", {}, 200),
        "create_course_lesson": (
            "POST",
            "/course/{}/section/{}/lesson/",
            {"json": {"name": "Frames", "type": "lesson"}},
            201,
        ),
    }
    method, path, options, _ = {**OPERATIONS, **lessons}[name]
    before = snapshot(api.world)
    response = api.as_("creator").request(method, path.format(course, section), **options)
    assert refused(response, 404) == {"": "not_found"}
    assert snapshot(api.world) == before


# Reading


def test_list_course_sections_answers_an_array_in_order(api: Api) -> None:
    """R301, R304, R310: a plain array in display order, even after the order changes."""
    blank = {"drip_delay": 0}
    rows = [
        {"id": 7, "name": "Punctures and tyres", "dripped_at": iso(-7), "lessons_order": [14, 15], **blank},
        {"id": 8, "name": "Brakes and cables", "dripped_at": iso(14), "lessons_order": [16, 17], **blank},
        {"id": 9, "name": "Tools and tips for any time", "dripped_at": None, "lessons_order": [18], **blank},
    ]
    assert ok(api.as_("manager").get("/course/3/section/")) == rows
    ok(api.as_("creator").patch("/course/3/", json={"sections_order": [9, 7]}))
    assert ok(api.as_("creator").get("/course/3/section/")) == [rows[2], rows[0], rows[1]]
    assert ok(api.as_("creator").get("/course/12/section/")) == []


def test_list_course_sections_has_no_pages(api: Api) -> None:
    """R310: all of them at once, however many there are; limit and offset have no effect."""
    for number in range(120):
        ok(api.as_("creator").post("/course/15/section/", json={"name": f"Pot {number}"}), 201)
    for query in ("", "?limit=2&offset=1"):
        rows = ok(api.as_("creator").get(f"/course/15/section/{query}"))
        assert [row["id"] for row in rows] == [27, *range(28, 148)]


def test_get_course_section_answers_the_section(api: Api) -> None:
    """R301, R305: one section with the ids of its lessons, drafts included."""
    assert ok(api.as_("creator").get("/course/1/section/1/")) == FIRST
    assert ok(api.as_("manager").get("/course/2/section/6/")) == {
        "id": 6,
        "name": "Rye and beyond",
        "dripped_at": None,
        "drip_delay": 30,
        "lessons_order": [13],
    }
    assert ok(api.as_("manager").get("/course/1/section/3/"))["lessons_order"] == [7, 8]


# Writing


def test_create_course_section_appends_it(api: Api) -> None:
    """R302, R304, R305: a name alone makes a section with the documented defaults, after all the others."""
    ok(api.as_("creator").patch("/course/1/", json={"sections_order": [3, 1, 2]}))
    blank: dict[str, Any] = {"dripped_at": None, "drip_delay": 0, "lessons_order": []}
    for number, name in ((28, "Frames"), (29, "Frames")):
        body = ok(api.as_("manager").post("/course/1/section/", json={"name": name}), 201)
        assert body == {"id": number, "name": name, **blank}
    assert ok(api.as_("creator").get("/course/1/?view=edit"))["sections_order"] == [3, 1, 2, 28, 29]
    assert [row["id"] for row in ok(api.as_("creator").get("/course/1/section/"))] == [3, 1, 2, 28, 29]
    ok(api.as_("creator").post("/course/12/section/", json={"name": "Frames"}), 201)
    assert [row["id"] for row in ok(api.as_("creator").get("/course/12/section/"))] == [30]


@IN_EVERY_MEDIA_TYPE
def test_create_course_section_reads_every_content_type(api: Api, encode: Encode) -> None:
    """R009, R012, R022, R304, R305: JSON and both kinds of forms make the same section."""
    fields = {"name": "Frames & für £5 + paper", "dripped_at": "2026-12-01T10:00:00.500Z", "drip_delay": 7}
    body = ok(api.as_("creator").post("/course/1/section/", **encode(fields)), 201)
    assert body == {"id": 28, **fields, "dripped_at": "2026-12-01T10:00:00.500000+00:00", "lessons_order": []}
    assert ok(api.as_("creator").get("/course/1/section/28/")) == body


@WRITES
@IN_EVERY_MEDIA_TYPE
def test_update_course_section_reads_every_content_type(api: Api, method: str, encode: Encode) -> None:
    """R009, R012, R020, R304, R305, R306: every field may be sent as JSON or form; a form can send a null date, too."""
    path = "/course/1/section/1/"
    sent = {"name": "Frames", "dripped_at": "2026-12-01T10:00:00.000Z", "drip_delay": 3, "lessons_order": [3, 1, 2]}
    body = ok(api.as_("manager").request(method, path, **encode(sent)))
    assert body == {"id": 1, **sent, "dripped_at": "2026-12-01T10:00:00+00:00"}
    body = ok(api.as_("manager").request(method, path, **encode({"name": "Frames", "dripped_at": None})))
    assert body == {"id": 1, **sent, "dripped_at": None}
    assert ok(api.as_("creator").get(path)) == body


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("POST", "/course/1/section/", "Frames"),
        ("PUT", "/course/1/section/1/", "First washes"),
        ("PATCH", "/course/1/section/1/", "First washes"),
    ],
)
@IN_EVERY_MEDIA_TYPE
def test_create_course_section_ignores_other_fields(
    api: Api, method: str, path: str, name: str, encode: Encode
) -> None:
    """R011: the type that the vendor's pages send, read-only fields and unknown fields have no effect."""
    junk = {
        "type": "lesson",
        "id": 9,
        "course_id": 2,
        "num_lessons": 7,
        "locked": True,
        "available_date": iso(),
        "0": "x",
    }
    before = snapshot(api.world)
    body = ok(
        api.as_("creator").request(method, path, **encode({"name": name, **junk})), 201 if method == "POST" else 200
    )
    if method == "POST":
        assert body == {"id": 28, "name": name, "dripped_at": None, "drip_delay": 0, "lessons_order": []}
        assert api.world.sections[28]["course_id"] == 1
        assert ok(api.as_("creator").get("/course/1/section/1/")) == FIRST
    else:
        assert body == FIRST
        assert snapshot(api.world) == before


@pytest.mark.parametrize("name", ["update_course_section", "create_course_section"])
@pytest.mark.parametrize("encoding", MEDIA_TYPES)
def test_update_course_section_needs_a_name(api: Api, name: str, encoding: str) -> None:
    """R021: PUT and POST need the name, PATCH needs nothing."""
    method, path, _, _ = OPERATIONS[name]
    before = snapshot(api.world)
    sent = MEDIA_TYPES[encoding]({"drip_delay": 4})
    assert refused(api.as_("creator").request(method, path.format(1, 1), **sent), 400) == {"name": "required"}
    assert snapshot(api.world) == before
    assert ok(api.as_("creator").patch("/course/1/section/1/", **sent)) == {**FIRST, "drip_delay": 4}


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("name", "", "blank"),
        ("name", " \t", "blank"),
        ("name", None, "null"),
        ("name", False, "invalid"),
        ("dripped_at", "tomorrow", "invalid"),
        ("dripped_at", "", "invalid"),
        ("dripped_at", "2026-12", "invalid"),
        ("dripped_at", "2026-13-01T10:00:00Z", "invalid"),
        ("dripped_at", "2026-12-01T25:00:00Z", "invalid"),
        ("dripped_at", "2026-12-31T23:59:60Z", "invalid"),
        ("dripped_at", 1796119200, "invalid"),
        ("drip_delay", -1, "min_value"),
        ("drip_delay", 36501, "max_value"),
        ("drip_delay", 1.5, "invalid"),
        ("drip_delay", "soon", "invalid"),
        ("drip_delay", None, "null"),
        ("lessons_order", 1, "not_a_list"),
        ("lessons_order", None, "null"),
        ("lessons_order", ["x"], "invalid"),
        ("lessons_order", [4], "does_not_exist"),
        ("lessons_order", [1, 9, 2], "does_not_exist"),
        ("lessons_order", [999], "does_not_exist"),
    ],
)
@pytest.mark.parametrize("name", ["create_course_section", "update_course_section", "patch_course_section"])
def test_update_course_section_refuses_bad_fields(api: Api, name: str, field: str, value: Any, code: str) -> None:
    """R017, R018, R020, R305, R306: a bad date, delay, name or lesson is reported with its code; nothing changes."""
    method, path, _, _ = OPERATIONS[name]
    before = snapshot(api.world)
    sent = {"name": "Frames", "dripped_at": iso(1), "drip_delay": 2, field: value}
    response = api.as_("creator").request(method, path.format(1, 1), json=sent)
    assert refused(response, 400) == {field: code}
    assert snapshot(api.world) == before


@pytest.mark.parametrize("delay", [0, 1, 36500])
@pytest.mark.parametrize("course", [1, 2, 3])
def test_patch_course_section_takes_delays_in_every_type(api: Api, course: int, delay: int) -> None:
    """R305: a delay of zero days or of many is accepted, in courses of every type."""
    section = ok(api.as_("creator").get(f"/course/{course}/section/"))[1]
    path = f"/course/{course}/section/{section['id']}/"
    assert ok(api.as_("creator").patch(path, json={"drip_delay": delay})) == {**section, "drip_delay": delay}
    assert ok(api.as_("member").get(f"/course/{course}/"))["sections"][1]["drip_delay"] == delay


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("2026-12-01T10:00:00.000Z", "2026-12-01T10:00:00+00:00"),
        ("2026-12-01T10:00:00.123Z", "2026-12-01T10:00:00.123000+00:00"),
        ("2026-12-01T10:00:00Z", "2026-12-01T10:00:00+00:00"),
        ("2026-12-01T10:00:00.123456+00:00", "2026-12-01T10:00:00.123456+00:00"),
        ("2026-12-01T11:30:00.5+01:30", "2026-12-01T10:00:00.500000+00:00"),
        (None, None),
    ],
)
@pytest.mark.parametrize("course", [1, 2, 3])
def test_patch_course_section_takes_dates_in_every_type(
    api: Api, course: int, sent: str | None, shown: str | None
) -> None:
    """R020, R304: dates come back in UTC, with microseconds if there are any, in courses of every type; null removes
    them."""
    section = ok(api.as_("creator").get(f"/course/{course}/section/"))[0]
    path = f"/course/{course}/section/{section['id']}/"
    assert ok(api.as_("creator").patch(path, json={"dripped_at": sent})) == {**section, "dripped_at": shown}
    for view in ("user", "edit"):
        body = ok(api.as_("manager").get(f"/course/{course}/?view={view}"))["sections"][0]
        assert body["dripped_at"] == shown
    ok(api.as_("creator").put(path, json={"name": "Frames", "dripped_at": "2030-01-01T00:00:00Z"}))
    body = ok(api.as_("creator").put(path, json={"name": "Frames", "dripped_at": sent}))
    assert body == {**section, "name": "Frames", "dripped_at": shown}


def test_update_course_section_keeps_what_is_left_out(api: Api) -> None:
    """R021, R306: PUT keeps the date, the delay and the order of the lessons if they are not sent."""
    fields = {"dripped_at": iso(5), "drip_delay": 5, "lessons_order": [2, 3, 1]}
    ok(api.as_("creator").patch("/course/1/section/1/", json=fields))
    body = ok(api.as_("creator").put("/course/1/section/1/", json={"name": "Frames"}))
    assert body == {"id": 1, "name": "Frames", **fields}
    assert ok(api.as_("manager").get("/course/1/section/1/")) == body


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", "Frames"), ("dripped_at", None), ("dripped_at", iso(9)), ("drip_delay", 0), ("lessons_order", [1, 3, 2])],
)
def test_patch_course_section_touches_only_what_is_sent(api: Api, field: str, value: Any) -> None:
    """R021: PATCH changes only the fields sent, and leaves all other sections alone."""
    fields = {"dripped_at": iso(5), "drip_delay": 5, "lessons_order": [2, 3, 1]}
    ok(api.as_("creator").patch("/course/1/section/1/", json=fields))
    before = ok(api.as_("creator").get("/course/1/section/"))
    assert ok(api.as_("manager").patch("/course/1/section/1/", json={field: value})) == {**before[0], field: value}
    after = ok(api.as_("creator").get("/course/1/section/"))
    assert after == [{**before[0], field: value}, *before[1:]]
    assert ok(api.as_("manager").patch("/course/1/section/1/", json={})) == after[0]


@pytest.mark.parametrize(
    ("sent", "order"),
    [
        ([3, 2, 1], [3, 2, 1]),
        ([3], [3, 1, 2]),
        ([3, 1], [3, 1, 2]),
        ([], [1, 2, 3]),
        ([2, 2, 3, 2], [2, 3, 1]),
    ],
)
@WRITES
def test_patch_course_section_orders_lessons(api: Api, method: str, sent: list[int], order: list[int]) -> None:
    """R306, R310: lessons follow the list, once each; the rest follow in their old order, and none is lost."""
    path = "/course/1/section/1/"
    body = ok(api.as_("manager").request(method, path, json={"name": "First washes", "lessons_order": sent}))
    assert body == {**FIRST, "lessons_order": order}
    assert [row["id"] for row in ok(api.as_("creator").get(f"{path}lesson/"))] == order
    for caller, view in (("manager", "edit"), ("member", "user")):
        shown = ok(api.as_(caller).get(f"/course/1/?view={view}"))["sections"][0]
        assert [lesson["id"] for lesson in shown["lessons"]] == shown["lessons_order"] == order


def test_patch_course_section_opens_and_locks_it(api: Api) -> None:
    """R304, R305, R313, R314, R317: a new date moves a scheduled section for members, a new delay a structured one."""
    for course, section, lesson, changes, status in (
        (3, 8, 16, {"drip_delay": 0}, 403),
        (3, 8, 16, {"dripped_at": None}, 200),
        (3, 8, 16, {"dripped_at": iso(1)}, 403),
        (3, 8, 16, {"dripped_at": iso()}, 200),
        (2, 6, 13, {"dripped_at": iso(-100)}, 403),
        (2, 6, 13, {"drip_delay": 10}, 200),
        (2, 6, 13, {"drip_delay": 11}, 403),
        (1, 1, 1, {"dripped_at": iso(100), "drip_delay": 36500}, 200),
    ):
        path = f"/course/{course}/section/{section}/"
        ok(api.as_("creator").patch(path, json=changes))
        assert api.as_("member").get(f"{path}lesson/{lesson}/").status_code == status, changes
        shown = {row["id"]: row for row in ok(api.as_("member").get(f"/course/{course}/"))["sections"]}
        assert shown[section]["locked"] == (status == 403), changes


# Deleting


@pytest.mark.parametrize(("course", "section"), [(1, 1), (1, 2), (1, 3), (4, 11), (7, 16), (15, 27)])
def test_delete_course_section_removes_what_belongs_to_it(api: Api, course: int, section: int) -> None:
    """R023, R303: its lessons go with their comments, questions, attempts and completions, and nothing else does."""
    before = snapshot(api.world)
    lessons = {row["id"] for row in before["lessons"] if row["section_id"] == section}
    response = api.as_("creator").delete(f"/course/{course}/section/{section}/")
    assert (response.status_code, response.content) == (204, b"")
    expected = {**before}
    expected["sections"] = [row for row in before["sections"] if row["id"] != section]
    expected["lessons"] = [row for row in before["lessons"] if row["id"] not in lessons]
    for table in ("comments", "questions", "attempts", "completions"):
        expected[table] = [row for row in before[table] if row["lesson_id"] not in lessons]
    order = [number for number in before["courses"][course - 1]["sections_order"] if number != section]
    expected["courses"] = [
        {**row, "sections_order": order} if row["id"] == course else row for row in before["courses"]
    ]
    after = snapshot(api.world)
    assert {name: rows for name, rows in after.items() if rows != expected[name]} == {}
    assert [row["id"] for row in ok(api.as_("creator").get(f"/course/{course}/section/"))] == order
    for path in ("", *(f"lesson/{lesson}/" for lesson in lessons)):
        response = api.as_("creator").get(f"/course/{course}/section/{section}/{path}")
        assert refused(response, 404) == {"": "not_found"}


def test_delete_course_section_happens_once(api: Api) -> None:
    """R004, R131, R303: the second time the section is absent; its id is not reused; progress counts what is left."""
    creator = api.as_("creator")
    assert creator.delete("/course/1/section/1/").status_code == 204
    assert refused(creator.delete("/course/1/section/1/"), 404) == {"": "not_found"}
    assert ok(api.as_("member").get("/course/1/"))["user_completion_rate"] == 0
    assert ok(creator.post("/course/1/section/", json={"name": "Frames"}), 201)["id"] == 28
    assert creator.delete("/course/1/section/28/").status_code == 204
    assert ok(creator.post("/course/1/section/", json={"name": "Frames"}), 201)["id"] == 29
    assert ok(creator.get("/course/1/?view=edit"))["sections_order"] == [2, 3, 29]


@pytest.mark.parametrize(
    ("sent", "status"), [("3", 200), ("0", 200), ("", 400), ("3.0", 200), ("3.5", 400), ("x", 400), ("99999", 400)]
)
def test_patch_course_section_reads_a_number_that_was_typed(api: Api, sent: str, status: int) -> None:
    """R028: the vendor's menu sends the days as text in JSON; other text and too large a number are refused."""
    before = api.world.sections[1]["drip_delay"]
    response = api.as_("creator").patch("/course/1/section/1/", json={"drip_delay": sent})
    assert response.status_code == status
    assert api.world.sections[1]["drip_delay"] == (int(float(sent)) if status == 200 else before)
