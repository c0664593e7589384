"""What the commands share: options with their environment variables, and how a mistake is told."""

from typing import Any

import pytest

from stubserver.cli import main


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("HOST", "::1", "::1"),
        ("PORT", "4321", 4321),
        ("FIXTURE", "empty", "empty"),
        ("SEED", "5", 5),
        ("JWT_SECRET", "s", "s"),
        ("CORS_ORIGIN", "https://a.example https://b.example", ("https://a.example", "https://b.example")),
        ("LOG_FORMAT", "json", "json"),
    ],
)
def test_every_option_has_its_environment_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str, value: Any
) -> None:
    """As `serve --help` promises: STUBSERVER_PORT for --port. What the command line says goes first."""
    monkeypatch.setenv(f"STUBSERVER_{name}", text)
    above = main.make_context("stubserver", ["serve"])
    serve = main.commands["serve"]
    assert serve.make_context("serve", [], parent=above).params[name.lower()] == value
