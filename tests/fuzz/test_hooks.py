"""What the fuzz gate takes for no failure, asked in a process of its own: to import the hooks is to register them."""

import subprocess
import sys
from collections.abc import Iterable

from tests.sources import ROOT
from tests.support.commands import PATIENCE

NULLABLE = {"anyOf": [{"type": "integer"}, {"type": "null"}]}


def said(expressions: Iterable[str]) -> list[str]:
    """What each expression is, as Python writes it."""
    script = f"from tests.fuzz import hooks; print({', '.join(f'repr({one})' for one in expressions)}, sep='\\n')"
    command = [sys.executable, "-W", "ignore", "-c", script]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=True)
    return done.stdout.splitlines()


def test_a_form_is_read_as_a_server_reads_it() -> None:
    """Found by seed 20260118: a number in a field that may be null was taken for text."""
    sent = [
        ("10880690813", NULLABLE),
        ("null", NULLABLE),
        ("4468910", {"type": "string"}),
        ("7", {"type": "array", "items": NULLABLE}),
    ]
    found = said(f"hooks._read([{text!r}], {schema!r})" for text, schema in sent)
    assert found == ["10880690813", "None", "'4468910'", "[7]"]


def test_a_refusal_of_our_headers_is_none_of_the_api() -> None:
    """Found by seed 20260118: Hypothesis had made up the name of a header that chooses a fixture."""
    entries = [{"field": field, "messages": [{"code": "invalid"}]} for field in ("X-Stub-Fixture", "name", None)]
    answers = (f"type('Answer', (), {{'json': lambda _: {{'errors': [{entry!r}]}}}})()" for entry in entries)
    assert said(f"hooks._is_about_our_headers({answer})" for answer in answers) == ["True", "False", "False"]
