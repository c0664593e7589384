"""What the commands share: options with environment variables, and the reporting of errors."""

import os
import re
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

import click

from stubserver.settings import MEMORY, Settings
from stubserver.worlds.clock import check_moment

LOG_FORMAT = "log_format"
"""What click calls the option `--log-format`."""
_SERVICE = re.compile(r"(?:tcp|udp|sctp)://(?:[0-9.]+|\[[0-9A-Fa-f:]+\]):[0-9]{1,5}", re.ASCII)
"""What Kubernetes sets the variable <NAME>_PORT of a service to."""


class PortOption(click.Option):
    """An option whose variable Kubernetes may set, too: to the address of a service called `stubserver`."""

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:
        """The value of the variable, unless it is such an address; then a line says that it is ignored."""
        value = super().resolve_envvar_value(ctx)
        if value is None or not _SERVICE.fullmatch(value):
            return value
        say(f"ignored {self.envvar}={value}: Kubernetes sets it for a service called stubserver; use --port")
        return None


def option(name: str, text: str, **settings: Any) -> Callable[[Any], Any]:
    """A click option that the environment variable STUBSERVER_<NAME> can set, too; `text` is its help."""
    return click.option(name, help=text, envvar=_variable(name), show_envvar=True, show_default=True, **settings)


def _variable(name: str) -> str:
    return f"STUBSERVER_{name.removeprefix('--').replace('-', '_').upper()}"


def _moment(_: click.Context, __: click.Parameter, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text.upper())
    except ValueError:
        raise click.BadParameter(f"{text!r} is not a date and time such as 2031-05-01T09:00:00Z.") from None
    try:
        check_moment(moment)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    return moment


class NamedPath(click.Path):
    """A path that is not empty: an empty one comes from an unset variable, and would mean the current folder."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path. Fails with one line if it is empty, or as click's own type does."""
        if value == "":
            self.fail("it is empty; the current folder is written as .", param, ctx)
        return super().convert(value, param, ctx)


FIXTURE = option("--fixture", "Fixture that worlds start from: a name, or a YAML or JSON file.", default="default")
FIXTURE_DIR = option(
    "--fixture-dir",
    "Folder with fixtures of your own, which worlds can start from by the names of the files.",
    type=NamedPath(file_okay=False, path_type=Path),
)
WATCH = option(
    "--watch",
    "Have new and reset worlds start from what the files of fixtures say by then.",
    is_flag=True,
    default=False,
)
SEED = option("--seed", "Seed of all random draws.", default=0, type=click.IntRange(0))
CORS_ORIGIN = option(
    "--cors-origin",
    "Origin whose pages may call the API, besides localhost (repeatable; * allows all, without credentials).",
    multiple=True,
)
ALLOWED_HOST = option(
    "--allowed-host",
    "Host name, besides localhost, under which the server answers (repeatable; * allows any).",
    multiple=True,
)
STRICT = option(
    "--strict",
    "Refuse what the contract's types do not allow, though the framework behind the real API accepts it.",
    is_flag=True,
    default=False,
)
FREEZE_AT = option(
    "--freeze-at",
    "Time at which the clocks of all worlds stand still, such as 2031-05-01T09:00:00Z; else they show real time.",
    metavar="TIME",
    callback=_moment,
)
PORT = click.IntRange(0, 65535)
STORE = option(
    "--store",
    "Where worlds are kept: memory:, sqlite:PATH (outlives the process, for several on one machine), or redis://...",
    default=Settings.store,
    metavar="URL",
)
WORKERS = option(
    "--workers",
    "Number of processes that serve together; more than one need a store that they share.",
    default=1,
    type=click.IntRange(1, 64),
)


WORLDS_FILE = NamedPath(dir_okay=False, path_type=Path)
IMPORT = "File with worlds to start with, which --export-on-exit has written; need not exist if it is the same file."
EXPORT = "File to write all worlds to when the server ends, for --import; without their journals and faults."


def check_workers(number: int, store: str) -> None:
    """Fail if the server cannot have so many processes, with that store or on this system."""
    if number > 1 and store == MEMORY:
        fail(f"--workers {number} needs a store that processes share: use --store sqlite:PATH or --store redis://HOST")
    if number > 1 and not hasattr(os, "fork"):
        fail(f"--workers {number} needs a system that can fork processes: use --workers 1")


def _single(_: click.Context, __: click.Parameter, number: str | None) -> None:
    if number is not None:
        fail("exec serves with one process: for more, use stubserver serve --workers")


SINGLE = click.option("--workers", hidden=True, expose_value=False, callback=_single)
"""Refuses more processes where there is one server for one command."""
URL = option("--url", "Base URL of the server.", default="http://127.0.0.1:8765")
TOKEN = option("--control-token", "Token for its control plane, if it requires one.")


def say(message: str, level: str = "warning", **facts: Any) -> None:
    """Print a message on standard error: as a line for people or, where the command logs JSON, with more facts and as a
    line for machines."""
    if is_json():
        from stubserver.records.json_lines import line

        click.echo(line(level, message=message, **facts), err=True)
    else:
        click.echo(f"stubserver: {message}", err=True)


def is_json() -> bool:
    """Whether the command that is parsed or runs logs JSON."""
    context = click.get_current_context(silent=True)
    return context is not None and context.params.get(LOG_FORMAT) == "json"


class LoggingCommand(click.Command):
    """A command with `--log-format`, which wrong arguments are told in, too."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does it; but a mistake ends the command with one line of JSON, if that is the format."""
        given = [*args]
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            _find_format(ctx, given)
            if not is_json():
                raise
            fail(error.format_message())


def _find_format(ctx: click.Context, args: list[str]) -> None:
    """Find out which format was asked for, where the arguments as a whole could not be parsed."""
    after = f"{' '.join(args)} ".partition("--log-format")[2][1:]
    wanted = after.partition(" ")[0] or os.environ.get(_variable("--log-format"))
    ctx.params.setdefault(LOG_FORMAT, wanted)


def deliver(output: Path | None, data: bytes) -> None:
    """Write data to a file as a whole, and say so; without a file, to standard output. Exits if that cannot be done."""
    from stubserver import files

    if output is None:
        click.echo(data, nl=False)
        return
    try:
        files.replace(output, data)
    except OSError as error:
        fail(f"cannot write {output}: {error.strerror}")
    click.echo(f"wrote {output}")


def fail(message: str, status: int = 2) -> NoReturn:
    """Print an error message in one line, and exit with `status`."""
    say(message, "error")
    sys.exit(status)
