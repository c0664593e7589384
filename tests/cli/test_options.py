"""What the commands share: options with their environment variables, and how mistakes are reported."""

from typing import Any

import pytest

from stubserver.cli import main
from stubserver.cli.options import fail


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("HOST", "::1", "::1"),
        ("PORT", "4321", 4321),
        ("FIXTURE", "empty", "empty"),
        ("SEED", "5", 5),
        ("JWT_SECRET", "s", "s"),
        ("CORS_ORIGIN", "https://a.example https://b.example", ("https://a.example", "https://b.example")),
        ("CONTROL_ORIGIN", "https://a.example https://b.example", ("https://a.example", "https://b.example")),
        ("LOG_FORMAT", "json", "json"),
    ],
)
def test_every_option_has_its_environment_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str, value: Any
) -> None:
    """As `serve --help` promises: STUBSERVER_PORT for --port. The command line takes precedence."""
    monkeypatch.setenv(f"STUBSERVER_{name}", text)
    above = main.make_context("stubserver", ["serve"])
    serve = main.commands["serve"]
    assert serve.make_context("serve", [], parent=above).params[name.lower()] == value


def test_what_the_command_line_says_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUBSERVER_PORT", "4321")
    above = main.make_context("stubserver", ["serve"])
    assert main.commands["serve"].make_context("serve", ["--port", "7"], parent=above).params["port"] == 7


@pytest.mark.parametrize(("arguments", "status"), [((), 2), ((127,), 127)])
def test_a_mistake_is_one_line_and_a_status(
    capsys: pytest.CaptureFixture[str], arguments: tuple[int, ...], status: int
) -> None:
    with pytest.raises(SystemExit) as ended:
        fail("no such fixture", *arguments)
    assert (ended.value.code, *capsys.readouterr()) == (status, "", "stubserver: no such fixture\n")
