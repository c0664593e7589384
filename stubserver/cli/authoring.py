"""`stubserver fixture generate` and `from-world`: write fixtures."""

import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from stubserver import __version__
from stubserver.authoring.shapes import PRESETS
from stubserver.cli.options import TOKEN, URL, NamedPath, fail, say
from stubserver.cli.snapshot import TIMEOUT, check_world, server_at

if TYPE_CHECKING:  # the other commands must not wait for these imports
    from stubserver.testing import Stub

_OUTPUT = click.option(
    "--output",
    type=NamedPath(dir_okay=False, path_type=Path, allow_dash=True),
    help="File to write, as a whole or not at all (default: standard output).",
)


@click.command()
@click.option("--courses", type=click.IntRange(1, 1_000_000), help="Number of courses; a preset has one of its own.")
@click.option(
    "--preset",
    type=click.Choice([*PRESETS]),
    help="Shape: no courses, one that has it all, many full of life, or texts that are too long for a page.",
)
@click.option(
    "--seed",
    default=0,
    show_default=True,
    type=click.IntRange(0),
    help="Seed of all random draws; the same seed gives the same fixture.",
)
@_OUTPUT
def generate(courses: int | None, preset: str | None, seed: int, output: Path | None) -> None:
    """Generate a fixture, for use with --fixture FILE.

    If FILE ends in .json, it is written as JSON, which loads faster than YAML. This needs Faker:
    pip install 'course-stubserver[data]'
    """
    from stubserver.authoring.generator import generate as generated
    from stubserver.authoring.phrases import NoFaker

    try:
        data = generated(courses, seed, preset)
    except (NoFaker, ValueError) as error:
        fail(str(error))
    if output not in (
        None,
        Path("-"),
    ):  # it is called what its file is called, so that it can be in a folder with others
        del data["name"]
    _write(output, _written(data, output))


@click.command("from-world")
@URL
@TOKEN
@click.option("--world", default="default", show_default=True, help="World to write down.")
@click.option(
    "--fixture",
    type=NamedPath(exists=True, dir_okay=False, path_type=Path),
    help="File of the fixture that the server was started with, unless it is one that ships.",
)
@_OUTPUT
def from_world(url: str, control_token: str | None, world: str, fixture: Path | None, output: Path | None) -> None:
    """Write a world of a running server, as it is now, as a fixture: what differs from the fixture it started from."""
    from stubserver.authoring.from_world import AnotherFixture
    from stubserver.authoring.from_world import from_world as made_from
    from stubserver.contract.load import load_contract
    from stubserver.errors import Refusal
    from stubserver.fixtures.fixture import FixtureError

    with server_at(url, control_token) as stub:
        check_world(stub, world)
        snapshot = _snapshot(stub, world)
        rest = [*_besides(stub, world, snapshot)]
    base = _base(snapshot["fixture"], fixture, output)
    try:
        made = made_from(snapshot, base, load_contract())
    except (AnotherFixture, FixtureError) as error:
        fail(f"{error}; give the file with --fixture" if isinstance(error, AnotherFixture) else str(error))
    except Refusal as refusal:
        fail(f"world {world}: {refusal.problems[0].message}")
    lost = [*rest, *made.lost]
    heading = [
        f"The world {world} of {url}, as it was when this was written by stubserver {__version__}.",
        f"It starts from the fixture {base.stem}: rows here replace those with the same key, or are added.",
    ]
    _write(output, made.text(heading, rest).encode())
    for line in lost:
        say(f"a fixture cannot say this: {line}")


def _snapshot(stub: "Stub", world: str) -> Mapping[str, Any]:
    """The world as a SnapshotFile. The snapshot that this takes is gone afterwards."""
    name = f"from-world-{secrets.token_hex(8)}"
    stub.control("POST", "/snapshots", world, json={"name": name})
    try:
        found: Mapping[str, Any] = stub.control("GET", f"/snapshots/{name}", timeout=TIMEOUT)
    finally:
        stub.control("DELETE", f"/snapshots/{name}")
    return found


def _besides(stub: "Stub", world: str, snapshot: Mapping[str, Any]) -> Iterator[str]:
    """What the world has besides rows, as far as it has any."""
    clock = snapshot["clock"]
    if "frozen" in clock:
        yield f"the clock stands at {clock['frozen']}: start the server with --freeze-at"
    elif clock["ahead"]:
        yield f"the clock is {round(clock['ahead'] / 1e6)} seconds ahead"
    if stub.control("GET", f"/worlds/{world}")["strict"]:
        yield "the world is strict: start the server with --strict"
    if number := stub.control("GET", "/faults", world)["count"]:
        yield f"faults: {number}"


def _base(name: str, fixture: Path | None, output: Path | None) -> Path:
    """The file of the fixture that a world of the server started from."""
    from stubserver.fixtures.library import beside, shipped

    if fixture is None:
        if name not in shipped():
            fail(f"the server was started with a fixture of its own, {name!r}: give its file with --fixture")
        return shipped()[name]
    if output not in (None, Path("-")) and output.resolve().parent != fixture.resolve().parent:
        fail(f"a fixture extends only those in its own folder: write the output to {fixture.parent}")
    if beside(fixture).get(fixture.stem) != fixture:
        fail(f"no fixture can extend {fixture}: its name is that of another one, or cannot be that of a fixture")
    return fixture


def _written(data: dict[str, Any], output: Path | None) -> bytes:
    import orjson
    import yaml

    if output is not None and output.suffix == ".json":
        return orjson.dumps(data)
    dumper: type[yaml.SafeDumper] = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    text: str = yaml.dump(data, Dumper=dumper, sort_keys=False, allow_unicode=True)
    return text.encode()


def _write(output: Path | None, data: bytes) -> None:
    from stubserver import files

    if output is None or output == Path("-"):
        click.echo(data, nl=False)
        return
    try:
        files.replace(output, data)
    except OSError as error:
        fail(f"cannot write {output}: {error.strerror}")
    click.echo(f"wrote {output}")
