"""The HTML report of contract coverage: what it shows, and that it loads and runs nothing."""

import base64
import hashlib
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from stubserver.reports.coverage_report import FORMATS
from tests.reports.coverage_documents import DOCUMENT, NEVER, SHOWN, hostile


class Page(HTMLParser):
    """The text of a page, and whether its tags are balanced."""

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
        "Contract 2.0.0, stubserver 0.1.0 Contract coverage 50.0 % 7 of 14 points exercised by 1,204 requests "
        "4 operations: 1 complete, 1 partial, 1 only refused, 1 never called "
    )
    assert page.texts["title"] == ["Contract coverage 50.0 %"]
    assert page.texts["dt"] == ["Statuses", "Parameters", "Fields", "Values", "Personas"]
    assert squeezed(page.texts["dd"]) == [
        "57.1 % 4 of 7",
        "33.3 % 1 of 3",
        "100.0 % 1 of 1",
        "33.3 % 1 of 3",
        "66.6 % 2 of 3",
    ]


def test_html_groups_operations_by_resource(page: Page) -> None:
    """In the order of the document, with a list of things next to each thing."""
    assert squeezed(page.texts["h2"]) == ["thing 3 operations 54.5 %", "search 1 operation 33.3 %"]
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
    """In words and by a dashed line, not only by colour."""
    chips = list(zip(page.attributes("li"), page.texts["li"], strict=True))
    assert len(chips) == DOCUMENT["total"] + 3  # personas
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
    assert drawn[:6] == ["50.0", "57.1", "33.3", "100.0", "33.3", "66.6"]
    assert drawn[7:10] == ["100.0", "50.0", "0.0"]


@pytest.mark.parametrize("document", [DOCUMENT, hostile()], ids=["friendly", "hostile"])
def test_html_loads_and_runs_nothing(document: dict[str, Any]) -> None:
    """Its own policy allows nothing but its one style sheet, which loads nothing."""
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
    """Contrast meets WCAG level AA: 4.5 for text, 3 for graphics."""
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
