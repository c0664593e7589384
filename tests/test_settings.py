"""The options of a server: each can be given on the command line, where it has the same default."""

from dataclasses import fields

import pytest

from stubserver.cli import serve
from stubserver.settings import Settings

WORDED = {"cors_origins": "cors_origin", "fast_path": "no_fast_path"}
"""Settings that the command line has another word for."""


@pytest.mark.parametrize("name", [field.name for field in fields(Settings)])
def test_every_setting_is_an_option_of_the_command(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    option = WORDED.get(name, name)
    monkeypatch.delenv(f"STUBSERVER_{option.upper()}", raising=False)
    given = serve.make_context("serve", []).params[option]
    assert (not given if option.startswith("no_") else given) == getattr(Settings(), name)
