"""The formats of a report, by name."""

from collections.abc import Callable, Mapping

from stubserver.variants import html_report, text_report
from stubserver.variants.report import Report

FORMATS: Mapping[str, Callable[[Report], str]] = {
    "text": text_report.text,
    "json": text_report.as_json,
    "junit": text_report.junit,
    "html": html_report.html,
}
"""Format -> the function that writes a report in it."""
