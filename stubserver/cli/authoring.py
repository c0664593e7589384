"""`stubserver fixture generate`, `from-world` and `from-har`: write fixtures."""

import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from stubserver import __version__
from stubserver.authoring.shapes import PRESETS
from stubserver.cli.options import TOKEN, URL, NamedPath, deliver, fail, say
from stubserver.cli.snapshot import TIMEOUT, check_world, server_at

if TYPE_CHECKING:  # the other commands must not wait for these imports
    from stubserver.authoring.har_file import Found
    from stubserver.contract.contract import Contract
    from stubserver.testing import Stub

_OUTPUT = click.option(
    "--output",
    type=NamedPath(dir_okay=False, path_type=Path, allow_dash=True),
    help="File to write, as a whole or not at all (default: standard output).",
)


_MOST_LISTED = 5


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


@click.command("from-har")
@click.option("--api", metavar="URL", help="What URLs of the API begin with, if the recording has several of them.")
@_OUTPUT
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=NamedPath(path_type=Path))
def from_har(api: str | None, files: tuple[Path, ...], output: Path | None) -> None:
    """Write a fixture of recorded answers of the real API, in HAR files of a browser or a proxy.

    Names, pictures and words of people are replaced, the same person by the same one; ids stay. What no answer says is
    filled with defaults, and named on standard error and in the fixture.
    """
    from stubserver.authoring.from_har import NothingRecorded
    from stubserver.authoring.from_har import from_har as made_from
    from stubserver.authoring.har_file import Found
    from stubserver.contract.load import load_contract
    from stubserver.worlds.clock import real_time

    contract, found = load_contract(), Found()
    for file in files:
        _read_har(file, contract, found)
    address = _address(found, api)
    exchanges = [exchange for exchange in found.exchanges if exchange.address == address]
    if others := len(found.exchanges) - len(exchanges):
        found.skipped["at another address"] = others
    try:
        made = made_from(exchanges, contract, real_time())
    except NothingRecorded as error:
        fail(_and_skipped(str(error), found))
    if made.odd:
        found.skipped["not in the form that the contract describes"] = made.odd
    skipped = [f"skipped: {reason}: {number}" for reason, number in found.skipped.items()]
    heading = [
        f"Made by stubserver {__version__} of {len(exchanges)} recorded answers of {address}.",
        "Names, pictures and words of people are replaced; pictures of courses are placeholders.",
    ]
    _write(output, made.text(heading).encode())
    for line in (*made.unknown, *skipped):
        say(line)


def _read_har(file: Path, contract: "Contract", found: "Found") -> None:
    from stubserver.authoring.har_file import NoHar, read

    try:
        read(file, contract, found)
    except NoHar as error:
        fail(f"{file}: {error}")
    except OSError as error:
        fail(f"cannot read {file}: {error.strerror or error}")


def _address(found: "Found", api: str | None) -> str:
    """The address of the community that is meant."""
    from stubserver.authoring.har_file import addresses

    known = dict(addresses(found))
    listed = ", ".join(f"{address} (answers: {number})" for address, number in [*known.items()][:_MOST_LISTED])
    if api is not None:
        if (address := api.rstrip("/").removesuffix("/api/v2")) not in known:
            fail(_and_skipped(f"nothing is recorded of {api}: {listed or 'there is no answer of the API'}", found))
        return address
    if not known:
        fail(_and_skipped("there is no answer of the API in it", found))
    if len(known) > 1:
        fail(f"the API is at several addresses: {listed}; choose one with --api")
    return next(iter(known))


def _and_skipped(message: str, found: "Found") -> str:
    """The message, with the reasons why entries were of no use."""
    reasons = "; ".join(f"skipped: {reason}: {number}" for reason, number in found.skipped.most_common())
    return f"{message} ({reasons})" if reasons else message


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
    deliver(None if output == Path("-") else output, data)
