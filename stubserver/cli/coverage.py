"""`stubserver coverage`: how much of the contract was exercised, and whether that is enough for a build."""

import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from stubserver.cli.options import TOKEN, URL, fail, say

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def _parsed(_: click.Context, __: click.Parameter, texts: tuple[str, ...]) -> list[Any]:
    from stubserver.reports.coverage_thresholds import parsed

    try:
        return [parsed(text) for text in texts]
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.command("coverage")
@URL
@TOKEN
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "junit", "html"]), default="text", show_default=True
)
@click.option(
    "--fail-under",
    "thresholds",
    metavar="[NAME=]PERCENT",
    callback=_parsed,
    multiple=True,
    help="Fail if less than this is covered: of everything (80), of a kind of points (fields=90), or of an operation "
    "(create_course=100). Repeatable.",
)
@click.option(
    "--baseline", type=_FILE, help="Fail if what this JSON report shows as exercised no longer is; show the difference."
)
@click.argument("files", nargs=-1, type=_FILE)
@click.pass_context
def coverage_command(
    context: click.Context,
    url: str,
    control_token: str | None,
    form: str,
    thresholds: list[Any],
    baseline: Path | None,
    files: tuple[Path, ...],
) -> None:
    """Show how much of the contract has been exercised: on a running server, or in the JSON reports FILES together."""
    from stubserver.reports import coverage_report
    from stubserver.reports.coverage_thresholds import shortfalls
    from stubserver.testing import StubError

    if files:
        _refuse_server_options(context)
    try:
        found = coverage_report.read_files(files) if files else _of_server(url, control_token)
        before = coverage_report.read_file(baseline) if baseline else None
        missing = shortfalls(found, thresholds)
    except (StubError, ValueError) as error:
        fail(str(error))
    click.echo(coverage_report.FORMATS[form](found), nl=False)
    is_worse = before is not None and _compare(str(baseline), before, found)
    for shortfall in missing:
        say(shortfall)
    sys.exit(1 if missing or is_worse else 0)


def _refuse_server_options(context: click.Context) -> None:
    for name in ("url", "control_token"):
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            fail(f"--{name.replace('_', '-')} is for a server; leave it out to read files, or leave out the files")


def _of_server(url: str, token: str | None) -> Mapping[str, Any]:
    """The coverage of a running server. Raises StubError, and ValueError if the answer is no coverage."""
    from stubserver.reports import coverage_report
    from stubserver.testing import Stub

    with closing(Stub(url, token)) as stub:
        try:
            return coverage_report.checked(stub.coverage())
        except ValueError as error:
            raise ValueError(f"{url}: {error}") from None


def _compare(name: str, before: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    """Show what differs from the baseline of that name; return whether anything was lost."""
    from stubserver.reports.coverage_difference import difference
    from stubserver.reports.text import printable

    if before["contract"] != found["contract"]:
        theirs, ours = printable(before["contract"]), printable(found["contract"])
        say(f"{name} is of contract {theirs}, this is of {ours}: what both have is compared")
    changed = difference(before, found)
    say(f"compared with {name}: {changed}")
    return bool(changed.lost)
