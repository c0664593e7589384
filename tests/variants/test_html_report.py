"""The report as a page."""

import re

from stubserver.variants.html_report import html
from stubserver.variants.running import Asked
from stubserver.variants.site import Site
from tests.variants.reports import made


def test_the_page_has_a_cell_for_each_place_and_kind() -> None:
    report = made()
    report.sites = [*report.sites, Site("op", "/d", "long")]
    page = html(report)
    assert re.findall(r'class="cell[^"]*" title="([a-z ]+)"', page) == [
        "broken",
        "flaky",
        "survived",
        "not sent",
        "not sent",
    ]
    assert '<th class="cell">null<th class="cell">long' in page
    assert "<h2>op</h2>" in page
    assert "1 broken" in page


def test_the_page_loads_and_runs_nothing() -> None:
    report = made()
    report.command = "<script>alert(1)</script>"
    report.findings[0].refused = [Asked("op", "GET", "/<b>", "anonymous", 404)]
    report.findings[0].accepted = "<i>"
    page = html(report)
    assert "<script" not in page
    assert "/<b>" not in page
    assert "<i>" not in page
    assert "default-src 'none'" in page
    assert not re.search(r"(src|href)=", page)


def test_the_page_says_why_it_ended() -> None:
    report = made()
    report.findings, report.ended = [], "time"
    assert "nothing broken" in html(report)
    assert "ended early: time" in html(report)
