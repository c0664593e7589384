"""What is accepted beyond the contract's types: the same as by Django REST Framework (R016, R022, R025, R028, R029).

Every input goes to both. What they make of it is the same, except for the rows of DIFFERENCES, each with its reason.
"""

import json
import re
from collections.abc import Callable, Iterable
from itertools import zip_longest
from typing import Any
from urllib.parse import urlencode

import pytest

from stubserver.api import images
from stubserver.contract.contract import Contract
from stubserver.reports.explain import story
from tests.framework import Client, SimpleUploadedFile, reference
from tests.framework.models import Category, Course
from tests.support.answers import codes, ok, refused
from tests.support.client import Api
from tests.support.journal import newest

PATHS = {
    "course": "/course/",
    "section": "/course/1/section/",
    "lesson": "/course/1/section/1/lesson/",
    "comment": "/course/1/section/1/lesson/1/comment/",
}
"""Model -> where we make one."""
NEEDED = {
    "course": {"name": "Knots", "type": "structured"},
    "section": {"name": "Bends"},
    "lesson": {"name": "Sheet bend", "type": "lesson"},
    "comment": {"text": "Nice"},
}
SHOWN: dict[str, Callable[[Any], Any]] = {"categories": lambda value: [category["id"] for category in value]}
"""Field -> what of our answer the framework shows."""
NUMBERS: list[Any] = [
    *(
        "5",
        5.0,
        "5.0",
        " 5 ",
        "+5",
        "-5",
        "05",
        "5.",
        "1_0",
        "\u0665",
        "9" * 30,
        "9" * 1001,
        1e20,
        "5.5",
        5.5,
        True,
        False,
    ),
    *("", " ", "five", "1e1", "null", None, [], [5], {}),
]
BOOLEANS: list[Any] = [
    *(
        "true",
        "True",
        "TRUE",
        "t",
        "T",
        "y",
        "yes",
        "on",
        "On",
        "1",
        1,
        1.0,
        "false",
        "f",
        "n",
        "No",
        "off",
        "0",
        0,
        0.0,
    ),
    *("", "2", 2, 0.5, "null", None, " true ", "yess", [], [True], {}),
]
TEXTS: list[Any] = [
    *(5, "  padded ", 1.5, 1e30, 10**20, "", " ", "\t\n", "\u2003x\u00a0", True, None, [], ["a"], {}, "a\0b")
]
MOMENTS: list[Any] = [
    *(
        "2025-1-5 9:00",
        "2025-01-25T10:00",
        "2025-01-25 10:00:00",
        "2025-01-25",
        "20250125T100000",
        "2025-01-25T10:00:00,5Z",
    ),
    *(
        "2025-01-25T10:00:00+01:00",
        "2025-01-25T10:00:00+0100",
        "2025-01-25 10:00 +01",
        "2025-W04-6T10:00",
        "2025-01-25T10",
    ),
    *(
        "2025-01-25T10:00:00.1234567Z",
        "2025-01-25T24:00:00Z",
        "2025-02-30T10:00:00Z",
        "2025-13-01",
        "2025-01",
        "tomorrow",
    ),
    *(
        "",
        " 2025-01-25T10:00",
        20250125,
        1.0,
        True,
        None,
        [],
        {},
        "0001-01-01T00:00:00+05:00",
        "2025-01-25T10:00:00-00:00",
    ),
]
CHOICES: list[Any] = ["quiz", "Quiz", " quiz", "", 5, True, None, [], {}]
IDS: list[Any] = [
    *(
        ["1"],
        [1, "2"],
        [1.0],
        [" 2 "],
        ["+1"],
        [1, 1],
        [],
        "1",
        1,
        {},
        None,
        ["x"],
        [None],
        [[1]],
        [99],
        [0],
        [-1],
        [True],
    ),
    *(["1.0"], [1.5], [""]),
]
INPUTS: dict[tuple[str, str], list[Any]] = {
    ("section", "dripped_at"): MOMENTS,
    ("course", "name"): TEXTS,
    ("course", "hide_member_count"): BOOLEANS,
    ("course", "categories"): IDS,
    ("course", "slug"): [" knots ", 5, "two words", ""],
    ("course", "og_image"): ["", " x ", 5, None],
    ("section", "drip_delay"): NUMBERS,
    ("lesson", "type"): CHOICES,
    ("lesson", "status"): ["", "draft", " draft", 0],
    ("lesson", "text"): TEXTS,
    ("comment", "parent"): ["1", 1.0, "", "x", 99, True, None],
}
OWN_CODE = "R018 lists the codes, and the framework's is not among them"
KEY = "the framework leaves keys to Python and the database; ours are whole numbers like all others"
LARGE = "our parser reads integers beyond 64 bits as floats"
DIFFERENCES = {
    ("course", "categories", "{}"): "the framework would take the keys of an object for the items of a list",
    ("course", "categories", '["x"]'): OWN_CODE,
    ("course", "categories", "[null]"): "the framework looks for a category without a key",
    ("course", "categories", "[[1]]"): OWN_CODE,
    ("course", "categories", "[0]"): KEY,
    ("course", "categories", "[-1]"): KEY,
    ("course", "categories", "[true]"): OWN_CODE,
    ("course", "categories", '["1.0"]'): KEY,
    ("course", "categories", "[1.5]"): KEY,
    ("course", "categories", '[""]'): OWN_CODE,
    ("course", "name", '"a\\u0000b"'): OWN_CODE,
    ("course", "name", "100000000000000000000"): LARGE,
    ("course", "slug", '""'): "R121: without a slug, one is made from the name",
    ("section", "drip_delay", f'"{"9" * 1001}"'): OWN_CODE,
    ("section", "drip_delay", "1e+20"): LARGE,
    ("section", "dripped_at", '"0001-01-01T00:00:00+05:00"'): OWN_CODE,
    ("lesson", "text", "100000000000000000000"): LARGE,
    ("lesson", "text", '"a\\u0000b"'): OWN_CODE,
    ("comment", "parent", '""'): "the framework reads an empty text as null in keys only",
    ("comment", "parent", '"x"'): OWN_CODE,
    ("comment", "parent", "true"): OWN_CODE,
}
"""Model, field and value in JSON -> why we do not do the same."""
ROWS = [[(model, field, value) for value in values] for (model, field), values in INPUTS.items()]
JSON = [
    pytest.param(*row, id=f"{row[0]}.{row[1]}={json.dumps(row[2])[:40]}")
    for rows in zip_longest(*ROWS)  # one of each first, because only the first ones run with coverage
    for row in rows
    if row is not None
]


@pytest.fixture
def framework() -> Client:
    """The reference, with as many categories as the default fixture, and one row of each other model."""
    client = reference()
    Category.objects.bulk_create([Category(name=name) for name in ("a", "b", "c", "d")])
    for model, body in NEEDED.items():
        assert client.post(f"/{model}/", {**body, "name": "first"} if "name" in body else body).status_code == 201
    return client


def theirs(client: Client, model: str, body: dict[str, Any], media: str = "json", asked: Iterable[str] = ()) -> Any:
    """What the framework makes of a body: the fields that were sent or `asked` as it shows them then, or codes."""
    if media == "form":
        answer = client.post(
            f"/{model}/", urlencode(body, doseq=True), content_type="application/x-www-form-urlencoded"
        )
    else:
        answer = client.post(f"/{model}/", body, format=media)
    found = answer.json()
    if answer.status_code == 201:
        return {name: _with_offset(found[name]) for name in asked or body}
    assert answer.status_code == 400
    return {name: _first(codes) for name, codes in found.items()}


def _first(codes: Any) -> str:
    if isinstance(codes, str):
        return codes
    return _first(codes[0] if isinstance(codes, list) else next(iter(codes.values())))


def _with_offset(value: Any) -> Any:
    """A time as our answers have it, with a numeric offset (R020): in the zone UTC, the framework would write a Z."""
    return value.replace("Z", "+00:00") if isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\dT", value) else value


def ours(api: Api, model: str, body: dict[str, Any], media: str = "json", asked: Iterable[str] = ()) -> Any:
    """The same of our server."""
    sent = {"json": body} if media == "json" else {"data": body} if media == "form" else {"files": _parts(body)}
    answer = api.as_("creator").post(PATHS[model], **sent)
    if answer.status_code != 201:
        assert answer.status_code == 400
        return codes(answer)
    found = answer.json()
    found["text"] = found.get("html")
    return {name: SHOWN.get(name, lambda value: value)(found[name]) for name in asked or body}


def _parts(body: dict[str, Any]) -> list[tuple[str, tuple[None, str]]]:
    return [(name, (None, str(text))) for name, value in body.items() for text in _listed(value)]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@pytest.mark.parametrize(("model", "field", "value"), JSON)
def test_json(api: Api, framework: Client, model: str, field: str, value: Any) -> None:
    """R028, R029: the same values are accepted and stored, and the others are refused with the same codes."""
    body = {**NEEDED[model], field: value}
    same = ours(api, model, body) == theirs(framework, model, body)
    assert same is ((model, field, json.dumps(value)) not in DIFFERENCES)


FORMS: dict[str, list[dict[str, Any]]] = {
    "section": [
        {"drip_delay": "", "dripped_at": ""},
        {"drip_delay": " 5 "},
        {"drip_delay": "5.0", "dripped_at": "2025-01-25"},
        {"drip_delay": "x"},
    ],
    "course": [
        {"categories": ["1", "2"], "hide_member_count": "on"},
        {"hide_member_count": ""},
        {"hide_member_count": "maybe"},
        {"new_comment_notification_enabled": "TRUE", "privacy": "", "description": "  "},
        {"og_image": ""},
        {"name": ""},
        {"type": ""},
        {"slug": " knots "},
    ],
    "lesson": [{}, {"comments_enabled": "", "status": ""}, {"passing_grade": ""}, {"status": "x"}, {"text": " a "}],
    "comment": [{"parent": ""}, {"parent": " 1 "}, {"text": ""}],
}


@pytest.mark.parametrize("media", ["form", "multipart"])
@pytest.mark.parametrize(
    ("model", "fields"), [pytest.param(m, f, id=f"{m} {json.dumps(f)}") for m, forms in FORMS.items() for f in forms]
)
def test_forms(api: Api, framework: Client, media: str, model: str, fields: dict[str, str]) -> None:
    """R022, R028: the same, also of what a form leaves out."""
    body = {**NEEDED[model], **fields}
    left_out = {"course": ["new_comment_notification_enabled"], "lesson": ["comments_enabled"]}.get(model, [])
    asked = [*body, *left_out]
    assert ours(api, model, body, media, asked) == theirs(framework, model, body, media, asked)


PNG = images.png(8, "blue")
FILES: list[tuple[str, bytes]] = [
    *(("a.png", PNG), ("a.png", b"This is a text."), ("a.txt", PNG), ("a", PNG), ("a.PNG", PNG), ("a.gif", PNG)),
    *(
        ("a.png", b""),
        ("a.png", PNG[:40]),
        (f"{'a' * 97}.png", PNG),
        ("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
    ),
]


@pytest.mark.parametrize(("name", "content"), FILES)
def test_pictures(api: Api, framework: Client, name: str, content: bytes) -> None:
    """R133: the same files are pictures, and the others are refused with the same codes."""
    fields = {"name": "Knots", "type": "structured"}
    answer = api.as_("creator").post("/course/", data=fields, files={"image_original": (name, content)})
    expected = framework.post(
        "/course/", {**fields, "image_original": SimpleUploadedFile(name, content)}, format="multipart"
    )
    assert answer.status_code == expected.status_code
    if answer.status_code == 400:
        assert codes(answer) == {field: _first(found) for field, found in expected.json().items()}


PAGES = [
    *("limit=2", "limit=undefined", "offset=abc", "limit=0", "limit=-1", "limit=", "limit=1.0", "limit=%D9%A2"),
    *("offset=-1", f"limit={'9' * 30}", f"offset={'9' * 18}", "limit=2&limit=3", "limit=x&limit=3", "offset=%202"),
    *("limit=2&offset=2", "offset=1&limit=1", "limit=1&offset=3", "offset=99", "search=&limit=1&offset=1"),
    *("z=1&limit=2&a=%C3%A9&a=&b", "limit=2&b=2&b=1&%5B%5D=x"),
]


@pytest.mark.parametrize("query", PAGES)
def test_pages(api: Api, framework: Client, query: str) -> None:
    """R014, R016: as many rows, and the same links."""
    found, expected = ok(api.get(f"/category/?{query}")), framework.get(f"/category/?{query}").json()
    assert (found["count"], len(found["results"])) == (expected["count"], len(expected["results"]))
    for name in ("next", "previous"):
        assert found[name] == (expected[name] and expected[name].replace("testserver", "stub.test/api/v2"))


SEARCHES = [
    *(
        "kno bend",
        "knots",
        "KNOTS",
        "",
        "kno,bend",
        "bend  kno,",
        '"kno bend"',
        '"knots and"',
        "'knots and'",
        "'knots and",
    ),
    *("and knots", '"kno"ts', "z", ",", '""', "kno z"),
]


@pytest.mark.parametrize("text", SEARCHES)
def test_searches(api: Api, framework: Client, text: str) -> None:
    """R025: the same courses are found."""
    for name in ("Knots and bends", "Knots", "Bends"):
        course = {"name": name, "type": "structured", "privacy": "open"}
        ok(api.as_("creator").post("/course/", json=course), 201)
        Course.objects.create(name=name, type="structured")
    query = {"search": text, "limit": 100}
    found = {course["name"] for course in ok(api.get("/course/search/", params=query))["results"]}
    expected = {course["name"] for course in framework.get("/course/", query).json()["results"]}
    assert found & {"Knots and bends", "Knots", "Bends"} == expected - {"first"}


def test_a_padded_duplicate_is_refused(api: Api, framework: Client) -> None:
    """R029, R116: the blanks are gone before names are compared."""
    for name, expected in (("  Knots ", {"name": "Knots"}), ("Knots\n", {"name": "unique"})):
        body = {"type": "structured", "name": name}
        assert (
            ours(api, "course", body, asked=["name"]) == theirs(framework, "course", body, asked=["name"]) == expected
        )


def test_blanks_are_dropped_within_lists_of_objects(api: Api) -> None:
    """R029: also around the texts of answers."""
    question = {
        "type": "single_choice",
        "text": " Why? ",
        "answers": [{"text": " So ", "correct": True}, {"text": "No"}],
    }
    made = ok(api.as_("creator").post("/course/1/section/2/lesson/5/question/", json=question), 201)
    assert (made["text"], [answer["text"] for answer in made["answers"]]) == ("Why?", ["So", "No"])


# What is said of it


NUMBER, UNIT, OFFSET = (
    "text for a whole number",
    "a decimal point in a whole number",
    "a time without an offset, for UTC",
)
SECTION = "/course/1/section/1/"
MARKED: list[tuple[str, str, dict[str, Any], dict[str, str]]] = [
    (
        "POST",
        "/course/",
        {"json": {"name": 5, "type": "structured", "categories": [1, "2"]}},
        {"name": "a number for text", "categories.1": NUMBER},
    ),
    ("GET", "/course/?limit=undefined", {}, {"limit": "an invalid value, for the default"}),
    ("PATCH", SECTION, {"data": {"drip_delay": "", "name": "Bends"}}, {"drip_delay": "an empty text for nothing"}),
    ("PATCH", "/course/1/", {"json": {"hide_member_count": "yes"}}, {"hide_member_count": "text for true or false"}),
    ("PATCH", "/course/1/", {"json": {"hide_member_count": 1}}, {"hide_member_count": "a number for true or false"}),
    (
        "PATCH",
        SECTION,
        {"json": {"dripped_at": "2031-01-25T10:00", "drip_delay": 1.0}},
        {"dripped_at": OFFSET, "drip_delay": UNIT},
    ),
    (
        "PATCH",
        SECTION,
        {"json": {"dripped_at": "2031-01-25 10:00Z"}},
        {"dripped_at": "another spelling of a date-time"},
    ),
    (
        "PUT",
        f"{SECTION}lesson/1/",
        {"data": {"name": "x", "type": "lesson"}},
        {"comments_enabled": "left out of a form, for false"},
    ),
    ("PATCH", "/course/1/", {"json": {"name": " Knots ", "hide_member_count": True}}, {}),
]


@pytest.mark.parametrize(("method", "path", "options", "accepted"), MARKED)
def test_what_is_accepted_is_marked(
    api: Api, method: str, path: str, options: dict[str, Any], accepted: dict[str, str]
) -> None:
    """R028: the journal says which values the contract's types do not allow; a strict world takes none of them, and
    says so in one sentence."""
    ok(api.as_("creator").request(method, path, **options), 201 if method == "POST" else 200)
    assert {part["field"]: part["what"] for part in newest(api)["accepted"]} == accepted
    answer = api.strict().as_("creator").request(method, path, **options)
    assert newest(api)["accepted"] == []
    if accepted and not set(accepted.values()) & {"left out of a form, for false"}:
        assert set(refused(answer, 400)) == {field.partition(".")[0] for field in accepted}
    if "json" in options and accepted:
        assert "Django REST Framework would accept it, but this world is strict." in answer.text


def test_a_value_that_nobody_accepts_is_refused_alone(api: Api) -> None:
    """R028: what the framework would convert is not blamed beside it."""
    answer = api.as_("creator").patch("/course/1/", json={"name": 5, "hide_member_count": "perhaps"})
    assert refused(answer, 400) == {"hide_member_count": "invalid"}
    assert newest(api)["accepted"] == []


def test_the_control_plane_is_exact(api: Api) -> None:
    """R028: it is not served by the framework."""
    headers = {"X-Stub-World": api.world.name}
    answer = api.post("/__stub/clock/advance", json={"days": "3"}, headers=headers)
    assert refused(answer, 400) == {"days": "invalid"}


def test_the_story_tells_what_was_accepted(api: Api, contract: Contract) -> None:
    """R028: below what was sent."""
    ok(api.as_("creator").patch("/course/1/", json={"hide_member_count": "yes", "name": 5}))
    told = story(newest(api), contract).replace("\n" + " " * 12, "|")
    lines = ["as Django REST Framework would:", "hide_member_count: text for true or false", "name: a number for text"]
    assert f"accepted  {'|'.join(lines)}" in told
