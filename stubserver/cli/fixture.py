"""`stubserver fixture validate` and `stubserver fixture schema`: mistakes in fixtures, for CI and editors."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stubserver.cli.options import NamedPath, fail, say

if TYPE_CHECKING:  # the other commands must not wait for these imports
    from stubserver.fixtures.mistakes import Mistake


@click.command()
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="json: a list of objects with file, line, column, severity, path and message.",
)
@click.option("--fail-on-warnings", is_flag=True, help="Fail if there are warnings, too.")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=NamedPath(path_type=Path))
def validate(files: tuple[Path, ...], form: str, fail_on_warnings: bool) -> None:
    """Say what is wrong in each FILE, or in each fixture in a folder.

    A line for each mistake: FILE:LINE:COLUMN: error: what is wrong and what would be right. Warnings are about what a
    fixture may say, but surely does not mean. The exit status is 0 if there are no errors, 1 if there are, and 2 if a
    file cannot be read.
    """
    paths = _expanded(files)
    found, unreadable = _inspected(paths)
    if form == "json":
        click.echo(json.dumps([asdict(mistake) for mistake in found], indent=2, ensure_ascii=False))
    else:
        _print(found, len(paths))
    for line in unreadable:
        say(line)
    severities = {mistake.severity for mistake in found}
    sys.exit(2 if unreadable else int("error" in severities or (fail_on_warnings and bool(severities))))


def _expanded(files: tuple[Path, ...]) -> list[Path]:
    """The files, with those of folders in their place."""
    from stubserver.fixtures.library import own
    from stubserver.fixtures.mistakes import FixtureError

    found: list[Path] = []
    for file in files:
        try:
            there = [*own(file).values()] if file.is_dir() else [file]
        except FixtureError as error:
            fail(str(error))
        if not there:
            fail(f"{file}: there is no fixture in this folder: their names end in .yaml, .yml or .json")
        found += there
    return [*dict.fromkeys(found)]


def _inspected(files: list[Path]) -> "tuple[list[Mistake], list[str]]":
    """What is wrong in the files, and a line for each that cannot be read."""
    from stubserver.contract.load import load_contract
    from stubserver.contract.merging import SpecError
    from stubserver.fixtures import lint
    from stubserver.fixtures.fixture import schema_of
    from stubserver.worlds.clock import real_time

    found: list[Mistake] = []
    unreadable = []
    try:
        schema, now = schema_of(load_contract()), real_time()
    except SpecError as error:
        fail(str(error))
    for file in files:
        try:
            found += lint.found_in(file, schema, now)
        except OSError as error:
            unreadable.append(f"cannot read {file}: {error.strerror or error}")
    return found, unreadable


def _print(found: "list[Mistake]", files: int) -> None:
    from stubserver.fixtures.mistakes import SHOWN, more

    for line in [*(mistake.labelled() for mistake in found[:SHOWN]), *more(found)]:
        click.echo(line)
    errors = sum(mistake.severity == "error" for mistake in found)
    counts = [_count(files, "file"), _count(errors, "error"), _count(len(found) - errors, "warning")]
    click.echo(", ".join(counts))


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


@click.command()
def schema() -> None:
    """Print the JSON Schema of fixture files, for editors.

    Save it, and begin your fixtures with: # yaml-language-server: $schema=PATH
    """
    from stubserver.contract.load import load_contract
    from stubserver.contract.merging import SpecError
    from stubserver.fixtures.editor_schema import editor_schema

    try:
        found = editor_schema(load_contract())
    except SpecError as error:
        fail(str(error))
    click.echo(json.dumps(found, indent=2, ensure_ascii=False))
