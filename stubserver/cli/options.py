"""What the commands share: options with environment variables, and the reporting of errors."""

import sys
from collections.abc import Callable
from typing import Any, NoReturn

import click


def option(name: str, text: str, **settings: Any) -> Callable[[Any], Any]:
    """A click option that the environment variable STUBSERVER_<NAME> can set, too; `text` is its help."""
    variable = f"STUBSERVER_{name.removeprefix('--').replace('-', '_').upper()}"
    return click.option(name, help=text, envvar=variable, show_envvar=True, show_default=True, **settings)


URL = option("--url", "Base URL of the server.", default="http://127.0.0.1:8765")
TOKEN = option("--control-token", "Token for its control plane, if it requires one.")


def say(message: str) -> None:
    """Print a message on standard error."""
    click.echo(f"stubserver: {message}", err=True)


def fail(message: str, status: int = 2) -> NoReturn:
    """Print an error message in one line, and exit with `status`."""
    say(message)
    sys.exit(status)
