"""Every format of a report."""

import pytest

from stubserver.checking.findings import Report
from stubserver.checking.rendering import FORMATS


@pytest.mark.parametrize(
    ("form", "begin"),
    [("text", "http://t: no difference"), ("json", "{"), ("junit", "<?xml"), ("html", "<!doctype html>")],
)
def test_each_format_renders_an_empty_report(form: str, begin: str) -> None:
    assert FORMATS[form](Report("http://t", 0, []), {}).startswith(begin)
