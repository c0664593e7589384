"""`stubserver compare`: what changes for clients between two contracts."""

import sys

import click

from stubserver.cli.options import fail


@click.command("compare")
@click.argument("old")
@click.argument("new")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option(
    "--fail-on",
    "least",
    type=click.Choice(["error", "warning"]),
    default="error",
    show_default=True,
    help="The least level of changes with which the exit status is 1.",
)
def compare_command(old: str, new: str, form: str, least: str) -> None:
    """Show what changes for clients between the contracts OLD and NEW, and what of it breaks them.

    Each is a file with a document of OpenAPI 3, as JSON or YAML, or a dot for the contract of this version. The exit
    status is 1 if something breaks, and 2 if a document cannot be used.
    """
    from stubserver.reports.compare import FORMATS, breaks, compare, read
    from stubserver.reports.compare_changes import Unusable

    try:
        changes = compare(read(old), read(new), (old, new))
    except Unusable as error:
        fail(str(error))
    click.echo(FORMATS[form](changes), nl=False)
    sys.exit(1 if breaks(changes, least) else 0)
