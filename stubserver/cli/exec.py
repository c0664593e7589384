"""`stubserver exec`: runs a command with a server of its own, and reports what the command did with it."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import click

from stubserver.cli.options import fail, option

if TYPE_CHECKING:  # the other commands must not wait for these imports
    from stubserver.app import StubServer
    from stubserver.records.journal import Entry

NOT_FOUND = 127
"""Exit status if there is no such command, as in shells."""


@click.command("exec", context_settings={"allow_interspersed_args": False})
@option("--fixture", "Fixture that worlds start from: a name, or a YAML or JSON file.", default="default")
@option("--seed", "Seed of all random draws.", default=0, type=click.IntRange(0))
@click.option(
    "--journal", type=click.File("wb", lazy=False), help="Write every request to this file, one JSON object per line."
)
@click.option(
    "--coverage",
    type=click.File("w", lazy=False),
    help="Write a coverage report to this file (.json, .html, .xml or .txt).",
)
@click.option(
    "--fail-on-violation", is_flag=True, help="Fail if the command requested anything that is not in the contract."
)
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def exec_command(
    fixture: str, seed: int, journal: Any, coverage: Any, fail_on_violation: bool, command: tuple[str, ...]
) -> None:
    """Run COMMAND with a server of its own: stubserver exec -- npm test.

    The server's URL is in STUBSERVER_URL, tokens are in STUBSERVER_TOKEN_CREATOR and so on. The exit status is that of
    the command, or 1 if the command succeeded but violated the contract and --fail-on-violation is given.
    """
    from stubserver.app import create_app
    from stubserver.contract.merging import SpecError
    from stubserver.fixture import FixtureError
    from stubserver.reports.coverage_report import FORMATS, format_of

    try:
        form = format_of(coverage.name) if coverage else ""
        app = create_app(fixture, seed=seed)
    except (SpecError, FixtureError, ValueError) as error:
        fail(str(error))
    with ExitStack() as stack:
        if journal is not None:
            stack.enter_context(journal)
            _log_to(journal, app)
        try:
            status = _run(command, lambda: app)
        except OSError as error:
            fail(f"cannot run {command[0]}: {error.strerror}", NOT_FOUND)
    if coverage:
        coverage.write(FORMATS[form](app.coverage.report()))
        coverage.close()
    violations = [f"{times} x {what}" for what, times in sorted(app.journal.violations.items())]
    for violation in violations:
        click.echo(f"stubserver: not in the contract: {violation}", err=True)
    sys.exit(status or int(fail_on_violation and bool(violations)))


def _run(command: Sequence[str], build: "Callable[[], StubServer]") -> int:
    """Run a command with a server, and return its exit status: 128 plus the signal's number if a signal ended it.

    Raises StubError if the server does not start, and OSError if the command cannot be run.
    """
    from stubserver.serving.background import Background
    from stubserver.testing import Stub

    with Background(build) as url:
        stub = Stub(url)
        tokens = stub.world("default").tokens  # once this is answered, the server is ready
        found = {f"STUBSERVER_TOKEN_{name.upper().replace('-', '_')}": token for name, token in tokens.items()}
        stub.close()
        process = subprocess.Popen(command, env={**os.environ, "STUBSERVER_URL": url, **found})  # noqa: S603
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda received, _: _pass_on(received, process))
        status = process.wait()
    return status if status >= 0 else 128 - status


def _pass_on(number: int, process: subprocess.Popen[bytes]) -> None:
    """Pass a signal on to the command, except Ctrl-C on a terminal, which the command has received itself."""
    if number != signal.SIGINT or not sys.stdin.isatty():
        process.send_signal(number)


def _log_to(file: Any, app: "StubServer") -> None:
    """Write each request to `file` when it ends, one JSON object per line."""
    import orjson

    from stubserver.control.request_view import RequestView

    def write(entry: "Entry") -> None:
        view = RequestView(app.contract, entry)
        file.write(orjson.dumps(view.as_dict()) + b"\n")

    app.journal.listeners.append(write)
