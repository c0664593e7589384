"""What the fuzz gate takes for no failure, each in a process of its own: to import hooks is to register them."""

import subprocess
import sys

import pytest

from tests.sources import ROOT
from tests.support.commands import PATIENCE

NULLABLE = {"anyOf": [{"type": "integer"}, {"type": "null"}]}
SCRIPT = "from tests.fuzz import hooks; print({})"


def said(expression: str) -> str:
    command = [sys.executable, "-W", "ignore", "-c", SCRIPT.format(expression)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=True)
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("text", "schema", "value"),
    [
        ("10880690813", NULLABLE, "10880690813"),
        ("null", NULLABLE, "None"),
        ("4468910", {"type": "string"}, "'4468910'"),
        ("7", {"type": "array", "items": NULLABLE}, "[7]"),
    ],
)
def test_a_form_is_read_as_a_server_reads_it(text: str, schema: object, value: str) -> None:
    """Found by seed 20260118: a number in a field that may be null was taken for text."""
    assert said(f"repr(hooks._read([{text!r}], {schema!r}))") == value


@pytest.mark.parametrize(("field", "is_ours"), [("X-Stub-Fixture", True), ("name", False), (None, False)])
def test_a_refusal_of_our_headers_is_none_of_the_api(field: str | None, is_ours: bool) -> None:
    """Found by seed 20260118: Hypothesis had made up the name of a header that chooses a fixture."""
    entry = {"field": field, "messages": [{"code": "invalid", "message": "No."}]}
    answer = f"type('Answer', (), {{'json': lambda _: {{'errors': [{entry!r}]}}}})()"
    assert said(f"hooks._is_about_our_headers({answer})") == str(is_ours)
