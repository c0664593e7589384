"""`stubserver variants`: which answers that the contract allows a command does not survive."""

import shlex
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from stubserver.cli.exec import built, check_program
from stubserver.cli.options import (
    ALLOWED_HOST,
    CORS_ORIGIN,
    FIXTURE,
    FIXTURE_DIR,
    FREEZE_AT,
    PORT,
    SEED,
    STRICT,
    NamedPath,
    fail,
    say,
)
from stubserver.cli.output import opened, write
from stubserver.suggestions import unknown

if TYPE_CHECKING:
    from stubserver.variants.report import Report
    from stubserver.variants.running import Ended
    from stubserver.variants.searching import Task

_NEW = NamedPath(dir_okay=False, path_type=Path)
_KEPT = 8 * 1024
"""Bytes of output that a report keeps, the last ones."""
_MAX_TEXT = 120
"""Characters of the command that messages and reports repeat."""
_HEAD = """\
# Answers that the contract allows, and that {target} does not survive -> why that is accepted.
# `stubserver variants --accept` lets these pass, and fails if one of them no longer occurs.
"""


def _kinds(_: click.Context, __: click.Parameter, text: str | None) -> Sequence[str]:
    from stubserver.contract.places import KINDS
    from stubserver.variants.site import DEFAULT_KINDS

    return _listed("kind", text, KINDS) if text is not None else DEFAULT_KINDS


def _operations(_: click.Context, __: click.Parameter, text: str | None) -> Sequence[str]:
    from stubserver.contract.load import load_contract

    return _listed("operation", text, [*load_contract().operations]) if text is not None else ()


def _listed(what: str, text: str, known: Sequence[str]) -> Sequence[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in known:
            raise click.BadParameter(unknown(what, name, known))
    if not names:
        raise click.BadParameter(f"name at least one {what}, as in {known[0]},{known[1]}.")
    return tuple(dict.fromkeys(names))


@click.command("variants", context_settings={"allow_interspersed_args": False})
@click.option("--port", default=0, type=PORT, help="Port to listen on in every run (default: a free one).")
@FIXTURE
@FIXTURE_DIR
@SEED
@FREEZE_AT
@STRICT
@CORS_ORIGIN
@ALLOWED_HOST
@click.option("--kinds", metavar="null,...", callback=_kinds, help="Only these kinds (default: all but big-id).")
@click.option("--operations", metavar="get_course,...", callback=_operations, help="Only answers of these operations.")
@click.option("--time", "seconds", type=click.FloatRange(1), help="Seconds after which no further run begins.")
@click.option("--state", type=_NEW, help="File that keeps what has been run, to go on after an interruption.")
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "junit", "html"]), default="text", show_default=True
)
@click.option("--output", type=_NEW, help="File for the report, instead of standard output.")
@click.option("--accept", type=_NEW, help="File of known findings, each with a reason.")
@click.option("--write-accept", type=_NEW, help="Write a file of all findings, to be given reasons.")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def variants_command(
    port: int,
    kinds: Sequence[str],
    operations: Sequence[str],
    seconds: float | None,
    state: Path | None,
    form: str,
    output: Path | None,
    accept: Path | None,
    write_accept: Path | None,
    command: tuple[str, ...],
    **options: Any,
) -> None:
    """Run COMMAND again and again, with other answers that the contract allows: stubserver variants -- npm test.

    Each run has a new server, whose URL and tokens are in the environment, as `stubserver exec` has them. The first run
    has no variants, and must pass; then each kind is sent everywhere, and what makes the command fail is narrowed down.
    The exit status is 0 if it survives all, 1 if something breaks it, and 2 if that cannot be found out.
    """
    from stubserver.checking import acceptance
    from stubserver.cli.child import handled

    check_program(command)
    try:
        accepted = acceptance.read(accept) if accept else {}
    except acceptance.BadList as error:
        fail(str(error))
    signals: list[int] = []
    task = _task(command, kinds, operations, seconds, port, signals, options)
    # A signal between two runs ends the search before the next one, and it reports what it has found.
    with opened(output) as file, opened(write_accept) as known, handled(lambda number, _: signals.append(number)):
        report = _searched(task, state, {"command": list(command), **options})
        is_whole = not (report.ended or operations)
        gone = acceptance.apply(report, accepted, is_whole=is_whole and set(kinds) >= _kinds_of(accepted))
        _print(report, form, file)
        write(known, acceptance.written(report, _HEAD) if known else "")
    for key in gone:
        say(f"{accept}: {key} no longer occurs; remove it")
    sys.exit(1 if report.new or gone else 2 if _is_open(report) else 0)


def _kinds_of(accepted: Any) -> set[str]:
    """The kinds that a list of known findings is about."""
    return {part.partition(" ")[0].partition("=")[0] for key in accepted for part in str(key).split(" + ")}


def _is_open(report: "Report") -> bool:
    """Whether it is not known that the command survives: not all was tried, or the command is flaky."""
    return bool(report.ended) or any(finding.is_flaky for finding in report.findings)


def _task(
    command: Sequence[str],
    kinds: Sequence[str],
    operations: Sequence[str],
    seconds: float | None,
    port: int,
    signals: list[int],
    options: dict[str, Any],
) -> "Task":
    from stubserver.contract.load import load_contract
    from stubserver.contract.places import Places
    from stubserver.reports.text import shortened
    from stubserver.variants.searching import Task

    renamed = {"cors_origin": "cors_origins", "allowed_host": "allowed_hosts"}
    settings = {renamed.get(name, name): value for name, value in options.items()}
    fixture = settings.pop("fixture")

    return Task(
        build=lambda: built(fixture, None, None, **settings),
        command=lambda url, limit: _ran(command, url, limit, signals),
        text=shortened(" ".join(shlex.join(command).split()), _MAX_TEXT),
        places=Places(load_contract()),
        kinds=kinds,
        operations=operations,
        seconds=seconds,
        port=port,
        told=_progress(),
    )


def _ran(command: Sequence[str], url: str, limit: float | None, signals: list[int]) -> "Ended":
    """Run the command, unless a signal has come, and keep the end of what it writes."""
    from stubserver.cli import child
    from stubserver.testing import StubError
    from stubserver.variants.running import Ended

    if signals:
        return Ended(0, "", interrupted=signals[-1])
    with tempfile.TemporaryFile() as written, child.handled(lambda number, _: signals.append(number)):
        try:
            found = child.captured(command, url, written, limit, signals)
        except (StubError, OSError) as error:
            fail(f"cannot run {command[0]}: {error}")
        size = written.seek(0, 2)
        written.seek(max(0, size - _KEPT))
        text = written.read().decode(errors="replace")
    return Ended(found.status, text, found.overdue, found.interrupted)


def _searched(task: "Task", state: Path | None, options: dict[str, Any]) -> "Report":
    from stubserver import __version__
    from stubserver.variants.memory import Memory, UnusableState
    from stubserver.variants.searching import CannotSearch, Searching

    about = {
        "version": __version__,
        "kinds": list(task.kinds),
        "operations": list(task.operations),
        **{name: str(value) for name, value in options.items()},
    }
    try:
        return Searching(task, Memory(state, about)).search()
    except UnusableState as error:
        fail(f"--state: {error}")
    except CannotSearch as error:
        click.echo(error.output, err=True, nl=False)
        fail(str(error))
    except OSError as error:
        fail(f"--state: cannot write {state}: {error.strerror or error}")
    finally:
        if sys.stderr.isatty():
            sys.stderr.write("\r\x1b[K")


def _progress() -> Any:
    """Says what is being done: single runs only on a terminal, where each line replaces the one before."""
    is_terminal = sys.stderr.isatty()

    def told(what: str) -> None:
        if is_terminal:
            sys.stderr.write(f"\r\x1b[K{what[:100]}" + "\n" * (not what.startswith("run ")))
            sys.stderr.flush()
        elif not what.startswith("run "):
            say(what)

    return told


def _print(report: "Report", form: str, file: Any) -> None:
    from stubserver.variants.rendering import FORMATS

    written = FORMATS[form](report)
    if file is None:
        click.echo(written, nl=False)
    else:
        write(file, written)
        say(f"{report.command}: {len(report.new)} broken; the report is in {file.path}")
