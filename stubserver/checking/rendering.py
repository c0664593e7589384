"""The formats of a report, by name."""

from collections.abc import Callable, Mapping
from typing import Any

from stubserver.checking import html_report, text_report
from stubserver.checking.findings import Report

FORMATS: Mapping[str, Callable[[Report, Mapping[str, Any]], str]] = {
    "text": text_report.text,
    "json": lambda report, _: text_report.as_json(report),
    "junit": lambda report, _: text_report.junit(report),
    "html": html_report.html,
}
"""Format -> the function that writes a report in it, given the rules of the contract by code."""
