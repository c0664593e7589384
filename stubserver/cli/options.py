"""What the commands share: options with their environment variables, and how a mistake is told."""

import sys
from collections.abc import Callable
from typing import Any, NoReturn

import click


def option(name: str, text: str, **settings: Any) -> Callable[[Any], Any]:
    """An option that the environment variable STUBSERVER_NAME gives as well."""
    variable = f"STUBSERVER_{name.removeprefix('--').replace('-', '_').upper()}"
    return click.option(name, help=text, envvar=variable, show_envvar=True, show_default=True, **settings)


def fail(message: str, status: int = 2) -> NoReturn:
    """Say in one line what is wrong, and end with `status`."""
    click.echo(f"stubserver: {message}", err=True)
    sys.exit(status)
