"""What `stubserver serve` says before it serves: a banner for people, or a line for machines."""

import contextlib
import os
import sys
from typing import TYPE_CHECKING

import click

from stubserver.cli.options import fail, say
from stubserver.cli.streams import optional_output

if TYPE_CHECKING:
    from stubserver.app import StubServer


def check_quiet(quiet: bool, port: int, token: str | None) -> None:
    """Fail if a server that says nothing has something to tell that nobody else knows: a port that is picked, or a
    token that is made up."""
    if quiet and token is not None:
        fail(
            "--quiet does not print the token of the control plane that is made up here: give one with --control-token"
        )
    if quiet and not port:
        fail("--quiet does not print the port that is picked here: name one with --port")


def announce(app: "StubServer", url: str, workers: int, token: str | None, *, is_json: bool) -> None:
    """Say where the server listens: on standard output, or as a line of the log. `token` is one that was made up. It
    does not matter if nobody can read it."""
    from stubserver.serving import banner

    if is_json:
        with contextlib.suppress(OSError):
            say(level="info", **banner.facts(app, url, workers, token))
    else:
        with optional_output():
            _show(banner.banner(app, url))


def _show(banner: str) -> None:
    """Print the banner, in colour on a terminal and as plain text otherwise."""
    if not sys.stdout.isatty() or "NO_COLOR" in os.environ:
        click.echo(banner)
        return
    from rich.console import Console
    from rich.text import Text

    text = Text(banner)
    text.highlight_regex(r"https?://[^\s']+", "cyan")
    text.highlight_regex(r"stub-[a-z]+", "bold green")
    Console(soft_wrap=True).print(text)  # keeps the command to paste on one line, whatever the width
