"""`stubserver fixture generate` and `from-world`: write fixtures."""

from pathlib import Path
from typing import Any

import click

from stubserver.authoring.shapes import PRESETS
from stubserver.cli.options import NamedPath, fail

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
    _write(output, _written(data, output))


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
