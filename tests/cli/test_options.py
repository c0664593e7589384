"""What the commands share: options with their environment variables, and how mistakes are reported."""

import os
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import click
import pytest

from stubserver.cli import main
from stubserver.cli.options import check_workers, fail


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("HOST", "::1", "::1"),
        ("PORT", "4321", 4321),
        ("FIXTURE", "empty", "empty"),
        ("SEED", "5", 5),
        ("FREEZE_AT", "2031-05-01T09:00:00Z", datetime(2031, 5, 1, 9, tzinfo=UTC)),
        ("JWT_SECRET", "s", "s"),
        ("CORS_ORIGIN", "https://a.example https://b.example", ("https://a.example", "https://b.example")),
        ("CONTROL_ORIGIN", "https://a.example https://b.example", ("https://a.example", "https://b.example")),
        ("ALLOWED_HOST", "a.example b.example", ("a.example", "b.example")),
        ("LOG_FORMAT", "json", "json"),
        ("QUIET", "1", True),
        ("METRICS_TOKEN", "t", "t"),
        ("STORE", "memory:", "memory:"),
        ("WORKERS", "3", 3),
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


@pytest.mark.parametrize("address", ["tcp://10.0.0.1:8765", "udp://10.96.3.7:53", "tcp://[fd00::1]:8765"])
@pytest.mark.parametrize(("arguments", "port"), [([], 8765), (["--port", "7"], 7)])
def test_a_port_that_kubernetes_sets_is_ignored(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    address: str,
    arguments: list[str],
    port: int,
) -> None:
    """For a service called stubserver, it sets the address of the service."""
    monkeypatch.setenv("STUBSERVER_PORT", address)
    above = main.make_context("stubserver", ["serve"])
    assert main.commands["serve"].make_context("serve", [*arguments], parent=above).params["port"] == port
    line = f"ignored STUBSERVER_PORT={address}: Kubernetes sets it for a service called stubserver; use --port"
    assert capsys.readouterr().err == ("" if arguments else f"stubserver: {line}\n")


@pytest.mark.parametrize("text", ["tcp://10.0.0.1", "tcp://:8765", "http://10.0.0.1:8765", "tcp://10.0.0.1:8765/", "x"])
def test_any_other_port_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("STUBSERVER_PORT", text)
    above = main.make_context("stubserver", ["serve"])
    with pytest.raises(click.BadParameter) as caught:
        main.commands["serve"].make_context("serve", [], parent=above)
    assert caught.value.message == f"{text!r} is not a valid integer range."


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2031-05-01T09:00:00Z", datetime(2031, 5, 1, 9, tzinfo=UTC)),
        ("2031-05-01t09:00z", datetime(2031, 5, 1, 9, tzinfo=UTC)),
        ("2031-05-01 09:00+02:00", datetime(2031, 5, 1, 9, tzinfo=timezone(timedelta(hours=2)))),
    ],
)
def test_a_time_to_freeze_at(text: str, moment: datetime) -> None:
    above = main.make_context("stubserver", ["serve"])
    assert (
        main.commands["serve"].make_context("serve", ["--freeze-at", text], parent=above).params["freeze_at"] == moment
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "'' is not a date and time such as 2031-05-01T09:00:00Z."),
        ("tomorrow", "'tomorrow' is not a date and time such as 2031-05-01T09:00:00Z."),
        ("2031-02-30T09:00:00Z", "'2031-02-30T09:00:00Z' is not a date and time such as 2031-05-01T09:00:00Z."),
        ("2031-05-01T09:00", "2031-05-01T09:00:00 has no offset from UTC: write 2031-05-01T09:00:00Z, for example."),
        ("2031-05-01", "2031-05-01T00:00:00 has no offset from UTC: write 2031-05-01T00:00:00Z, for example."),
        ("1969-12-31T23:59:59Z", "The clock covers the years 1970 to 2199."),
        ("2200-01-01T00:00:00Z", "The clock covers the years 1970 to 2199."),
        ("0001-01-01T00:00:00+14:00", "The clock covers the years 1970 to 2199."),
    ],
)
def test_no_time_to_freeze_at(text: str, says: str) -> None:
    above = main.make_context("stubserver", ["serve"])
    with pytest.raises(click.BadParameter) as caught:
        main.commands["serve"].make_context("serve", ["--freeze-at", text], parent=above)
    assert caught.value.message == says


@pytest.mark.parametrize(
    ("number", "store", "can_fork", "says"),
    [
        (1, "memory:", False, ""),
        (2, "sqlite:worlds.db", True, ""),
        (
            2,
            "memory:",
            True,
            "--workers 2 needs a store that processes share: use --store sqlite:PATH or --store redis://HOST",
        ),
        (3, "sqlite:worlds.db", False, "--workers 3 needs a system that can fork processes: use --workers 1"),
    ],
)
def test_workers_need_a_store_and_a_system_for_them(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    number: int,
    store: str,
    can_fork: bool,
    says: str,
) -> None:
    if not can_fork:
        monkeypatch.delattr(os, "fork")
    status = 0
    try:
        check_workers(number, store)
    except SystemExit as ended:
        status = int(ended.code or 0)
    assert (status, capsys.readouterr().err) == ((2, f"stubserver: {says}\n") if says else (0, ""))


@pytest.mark.parametrize(("arguments", "status"), [((), 2), ((127,), 127)])
def test_a_mistake_is_one_line_and_a_status(
    capsys: pytest.CaptureFixture[str], arguments: tuple[int, ...], status: int
) -> None:
    with pytest.raises(SystemExit) as ended:
        fail("no such fixture", *arguments)
    assert (ended.value.code, *capsys.readouterr()) == (status, "", "stubserver: no such fixture\n")
