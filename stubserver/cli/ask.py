"""Commands beside a running server: one that runs a command with a server, and those that ask a server."""

import sys
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import click

from stubserver.cli.options import fail, option

URL = option("--url", "Base URL of the server.", default="http://127.0.0.1:8765")
TOKEN = option("--control-token", "Token for its control plane, if it asks for one.")


@click.command("exec", context_settings={"allow_interspersed_args": False})
@option("--fixture", "Name of a fixture, or a YAML file.", default="default")
@option("--seed", "Seed of whatever looks random.", default=0, type=click.IntRange(0))
@click.option(
    "--journal", type=click.File("wb", lazy=False), help="Write every request to this file, one JSON object a line."
)
@click.option("--coverage", type=click.File("w", lazy=False), help="Write the coverage (.json, .html, .xml or .txt).")
@click.option("--fail-on-violation", is_flag=True, help="Fail where the command asked what the contract doesn't know.")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def exec_command(
    fixture: str, seed: int, journal: Any, coverage: Any, fail_on_violation: bool, command: tuple[str, ...]
) -> None:
    """Run COMMAND with a server of its own: stubserver exec -- npm test.

    The server's address is in STUBSERVER_URL, tokens are in STUBSERVER_TOKEN_CREATOR and so on. The exit status is that
    of the command; 1 where that is 0 but the command broke the contract and --fail-on-violation is given.
    """
    from stubserver.app import create_app
    from stubserver.cli import exec
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
            exec.log_to(journal, app)
        try:
            status = exec.run(command, lambda: app)
        except OSError as error:
            fail(f"cannot run {command[0]}: {error.strerror}", exec.NOT_FOUND)
    if coverage:
        coverage.write(FORMATS[form](app.coverage.report()))
        coverage.close()
    broken = exec.violations(app)
    for line in broken:
        click.echo(f"stubserver: the contract does not know {line}", err=True)
    sys.exit(status or int(fail_on_violation and bool(broken)))


@click.command()
@URL
@TOKEN
@click.argument("request")
def explain(url: str, control_token: str | None, request: str) -> None:
    """Tell the story of REQUEST, by the id in the log and in the header X-Stub-Request of its answer."""
    from urllib.parse import quote

    from stubserver.app import load_contract
    from stubserver.reports.explain import story
    from stubserver.testing import Stub, StubError

    try:
        with closing(Stub(url, control_token)) as stub:
            found = stub.control("GET", f"/requests/{quote(request, safe='')}")
    except StubError as error:
        fail(str(error))
    click.echo(story(found, load_contract()))


@click.command()
@URL
@TOKEN
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "junit", "html"]), default="text", show_default=True
)
@click.option("--fail-under", type=click.FloatRange(0, 100), help="Fail where less than this percentage is covered.")
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def coverage(url: str, control_token: str | None, form: str, fail_under: float | None, files: tuple[Path, ...]) -> None:
    """Show what of the contract has been exercised: by a running server, or by what FILES (JSON) have together."""
    from stubserver.reports import coverage_report
    from stubserver.testing import Stub, StubError

    try:
        if files:
            found = coverage_report.merged([coverage_report.read(file.read_text(encoding="utf-8")) for file in files])
        else:
            with closing(Stub(url, control_token)) as stub:
                found = stub.coverage()
    except (StubError, OSError, ValueError) as error:
        fail(str(error))
    click.echo(coverage_report.FORMATS[form](found), nl=False)
    if fail_under is not None and found["percent"] < fail_under:
        fail(f"{found['percent']} % of the contract is covered, less than {fail_under:g} %", 1)
