"""`stubserver export`: writes what a running server has recorded in the formats of other tools, and how `stubserver
exec` does so at its end."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from stubserver.cli.options import TOKEN, URL, NamedPath, deliver, fail, say
from stubserver.cli.snapshot import TIMEOUT, check_world, server_at

if TYPE_CHECKING:  # the other commands must not wait for these imports
    from stubserver.app import StubServer
    from stubserver.exports.pact import Pact
    from stubserver.exports.recording import Recording

_WORLD = click.option("--world", default="default", show_default=True, help="World whose requests to export.")
_OUTPUT = click.option(
    "--output",
    type=NamedPath(dir_okay=False, path_type=Path),
    help="File to write, as a whole or not at all (default: standard output).",
)


def _named(_: click.Context, parameter: click.Parameter, name: str | None) -> str | None:
    if name is not None and not name.strip():
        raise click.BadParameter("it is empty", param=parameter)
    return name


CONSUMER = click.option("--consumer", callback=_named, help="Name of the consumer in a pact: your program.")
PROVIDER = click.option(
    "--provider", default="course-api", show_default=True, callback=_named, help="Name of the provider in a pact."
)


def _on_a_server(function: Callable[..., None]) -> Callable[..., None]:
    """Add the options that all formats share."""
    for decorate in (_OUTPUT, _WORLD, TOKEN, URL):
        function = decorate(function)
    return function


@click.group("export")
def export_command() -> None:
    """Write what a running server has recorded in the formats of other tools."""


@export_command.command()
@_on_a_server
def har(url: str, control_token: str | None, world: str, output: Path | None) -> None:
    """Write the requests of a world as a HAR file (HTTP Archive 1.2), without credentials."""
    from stubserver.exports.har import har as written

    recording = _recorded(url, control_token, world)
    deliver(output, _encoded(written([recording], url)))
    _warn([recording])


@export_command.command()
@_on_a_server
@CONSUMER
@PROVIDER
def pact(
    url: str, control_token: str | None, world: str, output: Path | None, consumer: str | None, provider: str
) -> None:
    """Write what was used of the API as a pact (specification 4.0), for verifiers and brokers."""
    from stubserver.contract.load import load_contract
    from stubserver.exports.pact import pact as written

    if consumer is None:
        fail("a pact needs the name of the consumer: give --consumer NAME")
    recording = _recorded(url, control_token, world)
    found = written([recording], load_contract(), consumer, provider)
    lines = list(_left_out(found))
    if found.is_empty:
        fail(_nothing(f"world {world}", "a pact", lines))
    deliver(output, _encoded(found.content))
    _warn([recording])
    for line in lines:
        say(line)


@export_command.command()
@_on_a_server
def openapi(url: str, control_token: str | None, world: str, output: Path | None) -> None:
    """Write the part of the OpenAPI document that was used: operations, parameters, fields and statuses."""
    from stubserver.contract.load import load_contract
    from stubserver.exports.subset import subset

    recording = _recorded(url, control_token, world)
    document = subset([recording], load_contract())
    if document is None:
        fail(_nothing(f"world {world}", "an OpenAPI document", []))
    deliver(output, _encoded(document))
    _warn([recording])


def _recorded(url: str, token: str | None, world: str) -> "Recording":
    from stubserver.exports.recording import of_case

    with server_at(url, token) as stub:
        check_world(stub, world)
        return of_case(stub.control("GET", "/case", world, timeout=TIMEOUT))


def _nothing(where: str, what: str, lines: Sequence[str]) -> str:
    why = f" ({'; '.join(lines)})" if lines else ""
    return f"{where} has no request for {what} to be made of{why}"


def _left_out(found: "Pact") -> list[str]:
    return [f"left out of the pact: {reason}: {number}" for reason, number in found.left_out.items()]


def _warn(recordings: "Sequence[Recording]") -> None:
    for recording in recordings:
        if recording.lost:
            say(f"earlier requests of world {recording.world} that the journal no longer has: {recording.lost}")


def _encoded(content: Mapping[str, Any]) -> bytes:
    import orjson

    return orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


class Exports:
    """The files that `stubserver exec` writes at its end: checked before the command runs, replaced no earlier."""

    def __init__(self, har: Path | None, pact: Path | None, consumer: str | None, provider: str) -> None:
        """Ends the command with one line if the files cannot be written, or `consumer` is missing."""
        from stubserver import files

        self._har, self._pact, self._consumer, self._provider = har, pact, consumer or "", provider
        if pact is not None and consumer is None:
            fail("--pact needs the name of the consumer: give --consumer NAME")
        if consumer is not None and pact is None:
            fail("--consumer names the consumer in a pact: give --pact FILE")
        for file in (har, pact):
            try:
                if file is not None:
                    files.check_replaceable(file)
            except OSError as error:
                fail(f"cannot write {file}: {error.strerror}")

    def listen(self, app: "StubServer") -> "Callable[[str], list[str]]":
        """Record what the server is asked from now on. Returns what writes the files, given the URL of the server: it
        returns a line for each file that could not be written."""
        from stubserver.exports.recording import Recorder

        if self._har is None and self._pact is None:
            return lambda _: []
        recorder = Recorder(app)
        return lambda url: self._written(recorder.recordings(), app, url)

    def _written(self, recordings: "list[Recording]", app: "StubServer", url: str) -> list[str]:
        from stubserver.exports.har import har
        from stubserver.exports.pact import pact

        wrong: list[str] = []
        if self._har is not None:
            wrong += _replaced(self._har, har(recordings, url))
        if self._pact is not None:
            found = pact(recordings, app.contract, self._consumer, self._provider)
            lines = _left_out(found)
            if found.is_empty:
                return [*wrong, f"no pact was written: {_nothing('the command', 'a pact', lines)}"]
            wrong += _replaced(self._pact, found.content)
            for line in lines:
                say(line)
        if lost := sum(recording.lost for recording in recordings):
            say(f"requests that are in no file, because that would have become too large: {lost}")
        return wrong


def _replaced(file: Path, content: Mapping[str, Any]) -> list[str]:
    """Write a file. Returns what went wrong."""
    from stubserver import files

    try:
        files.replace(file, _encoded(content))
    except OSError as error:
        return [f"cannot write {file}: {error.strerror}"]
    return []
