"""The formats of a report."""

import pytest

from stubserver.variants.rendering import FORMATS
from tests.variants.reports import made


@pytest.mark.parametrize(
    ("form", "begins"),
    [("text", "broken: "), ("json", "{\n"), ("junit", "<?xml"), ("html", "<!doctype html>")],
)
def test_every_format(form: str, begins: str) -> None:
    assert FORMATS[form](made()).startswith(begins)
