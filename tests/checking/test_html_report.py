"""The page of a check that has found nothing."""

from stubserver.checking.findings import AGREES, Report
from stubserver.checking.html_report import html
from stubserver.contract.contract import Contract


def test_a_page_without_differences(contract: Contract) -> None:
    report = Report("http://t", 0, ["creator"], sent=10)
    report.note_rule("R101", AGREES)
    page = html(report, contract.document["x-rules"])
    assert "<title>http://t: no difference</title>" in page
    assert "<article>" not in page
    assert '<td class="good">agrees' in page
