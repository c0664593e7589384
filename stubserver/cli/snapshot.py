"""`stubserver snapshot`: gets snapshots of a running server as files, and puts files there."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from stubserver.cli.options import TOKEN, URL, NamedPath, deliver, fail

if TYPE_CHECKING:  # the other commands must not wait for these imports
    from stubserver.testing import Stub

TIMEOUT = 300.0
"""Seconds that a server may take for a large snapshot."""


@click.group("snapshot")
def snapshot_command() -> None:
    """Get snapshots of worlds from a running server as files, and put files there."""


@snapshot_command.command()
@URL
@TOKEN
@click.option("--world", help="Take the snapshot of this world first; one of the same name is replaced.")
@click.option(
    "--output",
    type=NamedPath(dir_okay=False, path_type=Path),
    help="File to write, as a whole or not at all (default: standard output).",
)
@click.argument("name")
def get(url: str, control_token: str | None, world: str | None, output: Path | None, name: str) -> None:
    """Write the snapshot NAME of a running server to a file, which `stubserver snapshot put` loads again."""
    import orjson

    _check_name(name)
    with server_at(url, control_token) as stub:
        if world is not None:
            check_world(stub, world)
            stub.control("POST", "/snapshots", world, json={"name": name})
        data = orjson.dumps(stub.control("GET", f"/snapshots/{name}", timeout=TIMEOUT)) + b"\n"
    deliver(output, data)


@snapshot_command.command()
@URL
@TOKEN
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("name", required=False)
def put(url: str, control_token: str | None, file: Path, name: str | None) -> None:
    """Load the snapshot in FILE into a running server, as the snapshot NAME (default: the name of the file, without
    its ending). A snapshot of the same name is replaced."""
    name = file.stem if name is None else name
    _check_name(name)
    content = _content(file)
    with server_at(url, control_token) as stub:
        loaded = stub.control("PUT", f"/snapshots/{name}", json=content, timeout=TIMEOUT)
    click.echo(f"loaded snapshot {name}: fixture {loaded['fixture']}, {loaded['changed_rows']} changed rows")


@contextmanager
def server_at(url: str, token: str | None) -> "Iterator[Stub]":
    """The server; what it refuses ends the command with one line."""
    from stubserver.testing import Stub, StubError

    try:
        with closing(Stub(url, token)) as stub:
            yield stub
    except StubError as error:
        fail(str(error))


def _check_name(name: str) -> None:
    from stubserver.worlds.registry import NAME, NAMING

    if not NAME.fullmatch(name):
        fail(f"{name!r} is not a valid snapshot name: {NAMING}")


def check_world(stub: "Stub", world: str) -> None:
    """End the command if there is no such world: a snapshot would make one. The default world is always there."""
    from stubserver.worlds.registry import DEFAULT, NAME, NAMING

    if not NAME.fullmatch(world):
        fail(f"{world!r} is not a valid world name: {NAMING}")
    if world != DEFAULT:
        stub.control("GET", f"/worlds/{world}")


def _content(file: Path) -> dict[str, Any]:
    """The content of a file that is a snapshot, as far as can be told without a server."""
    from stubserver.worlds.worlds_file import WrongFile, snapshot_in

    try:
        return snapshot_in(file.read_bytes())
    except WrongFile as error:
        fail(f"{file}: {error}")
    except OSError as error:
        fail(f"cannot read {file}: {error.strerror}")
