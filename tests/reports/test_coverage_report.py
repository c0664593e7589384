"""Reports of contract coverage: read and added up, as text, JSON, JUnit XML and a page."""

import base64
import copy
import hashlib
import json
import re
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from stubserver.app import StubServer
from stubserver.reports.coverage_report import FORMATS, format_of, merged, read
from tests.support.client import Api


def operation(name: str, path: str, requests: int, only_refused: bool, **points: dict[str, int]) -> dict[str, Any]:
    none: dict[str, dict[str, int]] = {"statuses": {}, "parameters": {}, "fields": {}, "values": {}, "personas": {}}
    return {
        "operation": name,
        "method": "GET",
        "path": path,
        "requests": requests,
        "only_refused": only_refused,
        **none,
        **points,
    }


COMPLETE = operation("get_thing", "/api/v2/thing/{id}/", 3, False, statuses={"200": 2, "404": 1}, personas={"a": 3})
PARTLY = operation(
    "list_things",
    "/api/v2/thing/",
    1200,
    False,
    statuses={"200": 1200, "400": 0},
    parameters={"limit": 12, "offset": 0},
    fields={"name": 4},
    values={"type=open": 4, "type=scheduled": 0, "type=": 0},
    personas={"stub-member": 1200, "anonymous": 0},
)
REFUSED = operation("search", "/api/v2/search/", 1, True, statuses={"200": 0, "401": 1}, parameters={"q": 0})
NEVER = operation("delete_thing", "/api/v2/thing/{id}/", 0, False, statuses={"204": 0})
DOCUMENT: dict[str, Any] = {
    "stubserver": "0.1.0",
    "contract": "2.0.0",
    "covered": 9,
    "total": 17,
    "percent": 52.9,
    "operations": [COMPLETE, PARTLY, REFUSED, NEVER],
}
HOSTILE = "<script>alert(1)</script>\"'&\x00\x1b[2J\n\u202e\ud800"
"""What a name must not do to a report."""
SHOWN = "<script>alert(1)</script>\"'&\ufffd\ufffd[2J\ufffd\ufffd\ufffd"
"""The same as a report shows it."""


def hostile() -> dict[str, Any]:
    """A document whose every name is hostile."""
    points = {HOSTILE: 1, f"{HOSTILE} too": 0}
    made = operation(HOSTILE, HOSTILE, 2, False, statuses=points, parameters=points, fields=points, values=points)
    refused = {**made, "operation": f"{HOSTILE}2", "only_refused": True, "method": HOSTILE, "personas": points}
    never = {**made, "operation": f"{HOSTILE}3", "requests": 0}
    return {**DOCUMENT, "operations": [made, refused, never], "contract": HOSTILE, "stubserver": HOSTILE}


def changed(*path: Any, to: Any = None) -> str:
    """The document as JSON with one part changed; removed, without `to`."""
    document = copy.deepcopy(DOCUMENT)
    *above, last = path
    inner: Any = document
    for key in above:
        inner = inner[key]
    if to is None:
        del inner[last]
    else:
        inner[last] = to
    return json.dumps(document)


def only(found: dict[str, Any]) -> dict[str, Any]:
    """A document about one operation."""
    return {**DOCUMENT, "operations": [found]}


# Reading and adding up


def test_read_gives_back_what_the_server_reports(api: Api, app: StubServer) -> None:
    """A real document, written as JSON and read, is the same."""
    api.as_("member").get("/course/search/?limit=1")
    api.get("/course/1/")
    report = app.coverage.report()
    assert report["covered"] > 3
    assert read(FORMATS["json"](report)) == report
    assert merged([report]) == report


def test_read_computes_the_totals_anew() -> None:
    assert read(json.dumps({**DOCUMENT, "covered": 1, "total": 2, "percent": 100})) == DOCUMENT


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("", "no JSON"),
        ("{", "no JSON"),
        ("coverage: 3", "no JSON"),
        ("NaN", "no JSON"),
        ("[" * 5000, "no JSON"),
        ('"\ud800"', "no JSON"),
        ("[]", "it is not an object"),
        ("null", "it is not an object"),
        ("{}", "it has no stubserver"),
        (changed("contract"), "it has no contract"),
        (changed("contract", to=2), "contract is not a text"),
        (changed("covered"), "it has no covered"),
        (changed("percent", to="12"), "percent is not a number"),
        (changed("percent", to=-0.1), "percent is negative"),
        (changed("operations"), "it has no operations"),
        (changed("operations", to={}), "operations is not a list"),
        (changed("operations", 1, to=7), "operations[1] is not an object"),
        (changed("operations", 1, "path"), "operations[1] has no path"),
        (changed("operations", 1, "values"), "operations[1] has no values"),
        (changed("operations", 1, "operation", to=["x"]), "operations[1].operation is not a text"),
        (changed("operations", 2, "only_refused", to=1), "operations[2].only_refused is not true or false"),
        (changed("operations", 0, "requests", to=1.5), "operations[0].requests is not a count"),
        (changed("operations", 0, "requests", to=True), "operations[0].requests is not a count"),
        (changed("operations", 0, "requests", to=-1), "operations[0].requests is negative"),
        (changed("operations", 0, "fields", to=[]), "operations[0].fields is not an object"),
        (changed("operations", 0, "statuses", "200", to=-2), "operations[0].statuses.200 is negative"),
        (changed("operations", 0, "statuses", "200", to="2"), "operations[0].statuses.200 is not a count"),
        (changed("operations", 0, "statuses", "a\nb", to=-2), "operations[0].statuses.a\ufffdb is negative"),
    ],
)
def test_read_says_in_a_line_what_is_wrong(source: str, why: str) -> None:
    with pytest.raises(ValueError, match=r"^not a coverage report: [^\n]+\Z") as caught:
        read(source)
    told = str(caught.value).removeprefix("not a coverage report: ")
    assert told.startswith("no JSON, ") if why == "no JSON" else told == why


def test_read_ignores_what_a_newer_server_may_add() -> None:
    document = json.loads(changed("operations", 0, "seconds", to="1"))
    assert read(json.dumps({**document, "started": True})) == DOCUMENT


def test_merged_adds_the_counts() -> None:
    """Nothing is lost, and whatever one of them exercised is exercised."""
    other = copy.deepcopy(DOCUMENT)
    other["operations"][1]["parameters"]["offset"] = 5
    other["operations"][3]["requests"] = other["operations"][3]["statuses"]["204"] = 1
    both = merged([DOCUMENT, other, DOCUMENT])
    assert [found["requests"] for found in both["operations"]] == [9, 3600, 3, 1]
    assert both["operations"][1]["parameters"] == {"limit": 36, "offset": 5}
    assert both["operations"][1]["values"] == {"type=open": 12, "type=scheduled": 0, "type=": 0}
    assert (both["covered"], both["total"], both["percent"]) == (11, 17, 64.7)
    assert DOCUMENT["operations"][1]["parameters"] == {"limit": 12, "offset": 0}  # what is given stays as it is


def test_merged_an_operation_is_only_refused_where_nobody_accepted_it() -> None:
    """A report in which it was never called neither confirms nor denies it."""
    never = {**REFUSED, "requests": 0, "only_refused": False}
    accepted = {**REFUSED, "only_refused": False}

    def refused(*operations: dict[str, Any]) -> Any:
        return merged([only(found) for found in operations])["operations"][0]["only_refused"]

    assert refused(REFUSED, never) is True
    assert refused(never, REFUSED, REFUSED) is True
    assert refused(never, never) is False
    assert refused(REFUSED, accepted) is False
    assert refused(accepted, never) is False


def test_merged_knows_the_points_and_operations_of_all() -> None:
    """Servers with other fixtures have other personas."""
    both = merged([only(NEVER), only({**NEVER, "personas": {"stub-x": 0}}), only(COMPLETE)])
    assert [found["operation"] for found in both["operations"]] == ["delete_thing", "get_thing"]
    assert both["operations"][0]["personas"] == {"stub-x": 0}
    assert (both["covered"], both["total"], both["percent"]) == (3, 5, 60.0)


@pytest.mark.parametrize("key", ["contract", "stubserver"])
def test_merged_refuses_other_versions(key: str) -> None:
    with pytest.raises(ValueError, match=r"^cannot add up coverage of contract .* and contract .*9\.9\.9[^\n]*\Z"):
        merged([DOCUMENT, {**DOCUMENT, key: "9.9.9"}])


def test_merged_refuses_nothing() -> None:
    with pytest.raises(ValueError, match="of no report"):
        merged([])


# Formats


def test_formats_are_told_by_the_end_of_a_name() -> None:
    assert list(FORMATS) == ["text", "json", "junit", "html"]
    assert [format_of(name) for name in ("a.txt", "b/c.json", "d.XML", "e.f.html")] == list(FORMATS)
    for name in ("coverage", "a.htm", ".json", "a.json.gz"):
        with pytest.raises(ValueError, match=r"end it in \.txt, \.json, \.xml, \.html"):
            format_of(name)


@pytest.mark.parametrize("name", list(FORMATS))
def test_formats_give_the_same_for_the_same(name: str) -> None:
    """And leave the document as it is, and end their last line."""
    before = copy.deepcopy(DOCUMENT)
    told = FORMATS[name](DOCUMENT)
    assert FORMATS[name](copy.deepcopy(DOCUMENT)) == told
    assert before == DOCUMENT
    assert told.endswith("\n")
    assert not told.endswith("\n\n")


@pytest.mark.parametrize("name", list(FORMATS))
def test_formats_tell_of_a_document_without_operations(name: str) -> None:
    told = FORMATS[name]({**DOCUMENT, "covered": 0, "total": 0, "percent": 100.0, "operations": []})
    assert told.endswith("\n")
    assert "never called" not in told


def test_text_is_what_it_is() -> None:
    assert FORMATS["text"](DOCUMENT) == (
        "Contract coverage: 52.9 % (9 of 17 points; contract 2.0.0, stubserver 0.1.0)\n"
        "statuses 57.1 %, parameters 33.3 %, fields 100.0 %, values 33.3 %, personas 66.6 %\n"
        "\n"
        "operation, and what of it was never exercised       requests   covered\n"
        "get_thing                                                  3   100.0 %\n"
        "list_things                                             1200    50.0 %\n"
        "    statuses    400\n"
        "    parameters  offset\n"
        "    values      type=scheduled, type=\n"
        "    personas    anonymous\n"
        "search                                                     1    33.3 %  only refused\n"
        "    statuses    200\n"
        "    parameters  q\n"
        "\n"
        "never called (1):\n"
        "  delete_thing\n"
    )


def test_text_is_wrapped_for_a_terminal() -> None:
    many = {f"a-name-of-some-length-{number}": 0 for number in range(40)}
    never = [{**NEVER, "operation": f"operation_of_some_length_{number}"} for number in range(40)]
    told = FORMATS["text"]({**DOCUMENT, "operations": [{**PARTLY, "fields": many}, *never]})
    assert max(map(len, told.splitlines())) <= 100
    assert told.replace(",", " ").split().count("a-name-of-some-length-39") == 1
    assert told.replace(",", " ").split().count("operation_of_some_length_39") == 1
    assert len(told.splitlines()) < 40


def test_text_shows_nothing_that_steers_a_terminal() -> None:
    told = FORMATS["text"](hostile())
    assert SHOWN in told
    assert all(character.isprintable() or character == "\n" for character in told)


def test_json_is_the_document() -> None:
    assert json.loads(FORMATS["json"](DOCUMENT)) == DOCUMENT
    assert FORMATS["json"](hostile()).isascii()


def test_junit_has_a_case_for_each_point() -> None:
    root = ET.fromstring(FORMATS["junit"](DOCUMENT))  # noqa: S314
    assert root.tag == "testsuites"
    assert root.attrib == {"name": "contract coverage", "tests": "18", "failures": "1", "errors": "0"}
    assert [list(suite.attrib.values()) for suite in root] == [
        ["get_thing", "3", "0", "0", "0"],
        ["list_things", "10", "0", "0", "5"],
        ["search", "4", "1", "0", "2"],
        ["delete_thing", "1", "0", "0", "1"],
    ]
    assert [list(suite.attrib) for suite in root] == [["name", "tests", "failures", "errors", "skipped"]] * 4
    for suite in root:
        assert len(suite) == int(suite.attrib["tests"])
        assert len(suite.findall("testcase/skipped")) == int(suite.attrib["skipped"])
        assert len(suite.findall("testcase/failure")) == int(suite.attrib["failures"])
        assert {case.attrib["classname"] for case in suite} == {suite.attrib["name"]}
    told = [(case.attrib["name"], [part.tag for part in case]) for case in root[1]]
    assert told == [
        ("status 200", []),
        ("status 400", ["skipped"]),
        ("parameter limit", []),
        ("parameter offset", ["skipped"]),
        ("field name", []),
        ("value type=open", []),
        ("value type=scheduled", ["skipped"]),
        ("value type=", ["skipped"]),
        ("persona stub-member", []),
        ("persona anonymous", ["skipped"]),
    ]
    assert {part.attrib["message"] for part in root.iter("skipped")} == {"never exercised"}
    assert root[2][0].attrib["name"] == "accepted"
    assert root[2][0][0].attrib == {"message": "requests: 1, accepted: 0", "type": "only refused"}


def test_junit_is_xml_whatever_the_names() -> None:
    told = FORMATS["junit"](hostile())
    assert told.startswith('<?xml version="1.0" encoding="UTF-8"?>\n')
    root = ET.fromstring(told.encode())  # noqa: S314
    assert root[0].attrib["name"] == SHOWN
    assert root[0][0].attrib == {"classname": SHOWN, "name": f"status {SHOWN}"}
    assert {element.tag for element in root.iter()} == {"testsuites", "testsuite", "testcase", "skipped", "failure"}


# The page


class Page(HTMLParser):
    """What stands in a page, and whether its tags are balanced."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "wbr"):
            self.open.append(tag)
            self.texts.setdefault(tag, []).append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        for tag in set(self.open):
            self.texts[tag][-1] += data

    def attributes(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture
def page() -> Page:
    return Page(FORMATS["html"](DOCUMENT))


def squeezed(texts: list[str]) -> list[str]:
    return [" ".join(text.split()) for text in texts]


def test_html_tells_the_total_and_each_dimension(page: Page) -> None:
    (header,) = squeezed(page.texts["header"])
    assert header.startswith(
        "Contract 2.0.0, stubserver 0.1.0 Contract coverage 52.9 % 9 of 17 points exercised by 1,204 requests "
        "4 operations: 1 complete, 1 in part, 1 only refused, 1 never called "
    )
    assert page.texts["title"] == ["Contract coverage 52.9 %"]
    assert page.texts["dt"] == ["Statuses", "Parameters", "Fields", "Values", "Personas"]
    assert squeezed(page.texts["dd"]) == [
        "57.1 % 4 of 7",
        "33.3 % 1 of 3",
        "100.0 % 1 of 1",
        "33.3 % 1 of 3",
        "66.6 % 2 of 3",
    ]


def test_html_groups_operations_by_resource(page: Page) -> None:
    """In the order of the document, a list of things with each thing."""
    assert squeezed(page.texts["h2"]) == ["thing 3 operations 57.1 %", "search 1 operation 33.3 %"]
    assert page.texts["h3"] == ["get_thing", "list_things", "delete_thing", "search"]
    assert [name.split()[-1] for name in squeezed(page.texts["code"])] == [
        "/api/v2/thing/{id}/",
        "/api/v2/thing/",
        "/api/v2/thing/{id}/",
        "/api/v2/search/",
    ]


def test_html_finds_the_resource_of_a_path() -> None:
    paths = (
        "/api/v2/course/{id}/section/{section_id}/",
        "/api/v2/course/{id}/section/",
        "/api/v2/course/{id}/join/",
        "/api/v2/suggestion/course/",
        "/api/v2/user/me/",
        "/oauth/token/",
        "/",
    )
    document = {**DOCUMENT, "operations": [{**NEVER, "path": path} for path in paths]}
    names = [text.split(" ")[:2] for text in squeezed(Page(FORMATS["html"](document)).texts["h2"])]
    assert names == [["section", "2"], ["course", "2"], ["user", "1"], ["oauth", "1"], ["1", "operation"]]


def test_html_shows_each_point_as_exercised_or_never(page: Page) -> None:
    """In words and by a dashed line, not by colour alone."""
    chips = list(zip(page.attributes("li"), page.texts["li"], strict=True))
    assert len(chips) == DOCUMENT["total"]
    told = [text for attributes, text in chips if attributes.get("class") == "never"]
    assert all(text.endswith(", never") for text in told)
    assert [text.removesuffix(", never") for text in told] == [
        *("400", "offset", "type=scheduled", "type=", "anonymous"),
        *("204", "200", "q"),
    ]
    exercised = [text for attributes, text in chips if "class" not in attributes]
    assert exercised == [
        *("200 ×2", "404 ×1", "a ×3", "200 ×1,200", "limit ×12", "name ×4", "type=open ×4", "stub-member ×1,200"),
        "401 ×1",
    ]
    assert ".never { border: 1px dashed" in page.texts["style"][0]


def test_html_marks_what_was_only_refused_or_never_called(page: Page) -> None:
    assert squeezed(page.texts["summary"]) == [
        "get_thing GET /api/v2/thing/{id}/ 3 requests 100.0 %",
        "list_things GET /api/v2/thing/ 1,200 requests 50.0 %",
        "delete_thing never called GET /api/v2/thing/{id}/ 0 requests 0.0 %",
        "search only refused GET /api/v2/search/ 1 request 33.3 %",
    ]
    assert [found.get("class") for found in page.attributes("span")][-2:] == ["mark never", "mark only"]
    assert "Every request was refused" in squeezed(page.texts["details"])[3]
    assert "No request reached it" in squeezed(page.texts["details"])[2]
    assert "No request reached it" not in squeezed(page.texts["details"])[1]


def test_html_draws_a_bar_as_long_as_the_part(page: Page) -> None:
    """The total, five dimensions, two resources, four operations."""
    drawn = [attributes["width"] for attributes in page.attributes("rect") if "class" not in attributes]
    assert len(drawn) == 12
    assert drawn[:6] == ["52.9", "57.1", "33.3", "100.0", "33.3", "66.6"]
    assert drawn[7:10] == ["100.0", "50.0", "0.0"]


@pytest.mark.parametrize("document", [DOCUMENT, hostile()], ids=["friendly", "hostile"])
def test_html_loads_and_runs_nothing(document: dict[str, Any]) -> None:
    """Its own policy allows nothing but its one style sheet, which asks for nothing."""
    source = FORMATS["html"](document)
    page = Page(source)
    (style,) = page.texts["style"]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    (policy,) = [found["content"] for found in page.attributes("meta") if "http-equiv" in found]
    assert policy == f"default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'sha256-{digest}'"
    assert not re.search(r"https?:|//|url\(|@import|<script", source)
    assert {tag for tag, _ in page.tags} & {"a", "img", "link", "script", "iframe", "form", "object"} == set()
    names = {name for _, attributes in page.tags for name in attributes}
    assert names <= {
        *("lang", "charset", "http-equiv", "content", "name", "class"),
        *("viewbox", "preserveaspectratio", "aria-hidden", "width", "height"),
    }


def test_html_escapes_every_name() -> None:
    source = FORMATS["html"](hostile())
    page = Page(source)
    assert page.texts["h3"] == [SHOWN, f"{SHOWN}2", f"{SHOWN}3"]
    assert page.texts["li"].count(f"{SHOWN} ×1") == 13
    assert page.texts["li"].count(f"{SHOWN} too, never") == 13
    assert f"Contract {SHOWN}, stubserver {SHOWN}" in page.texts["p"]
    source.encode()  # no lone surrogates


def test_html_is_readable_in_light_and_dark() -> None:
    """Contrast as the WCAG asks for at level AA: 4.5 for text, 3 for what is drawn."""
    style = Page(FORMATS["html"](DOCUMENT)).texts["style"][0]
    themes = [dict(re.findall(r"--([a-z-]+): #([0-9a-f]+);", part)) for part in style.split("prefers-color-scheme")]
    assert len(themes) == 2
    for theme in themes:
        for ink in ("ink", "muted"):
            assert min(contrast(theme[ink], theme[paper]) for paper in ("paper", "hover")) >= 4.5
        assert contrast(theme["chip-ink"], theme["chip"]) >= 4.5
        assert contrast(theme["alarm"], theme["alarm-paper"]) >= 4.5
        assert contrast(theme["bar"], theme["trough"]) >= 3
        assert contrast(theme["edge"], theme["paper"]) >= 3


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    full = colour if len(colour) == 6 else "".join(digit * 2 for digit in colour)
    parts = [int(full[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
