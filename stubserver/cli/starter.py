"""Starters: the few files that connect a project to the stub server, written by `stubserver init`."""

from pathlib import Path

import click

from stubserver.cli.options import NamedPath, fail

_STARTERS = Path(__file__).parent / "starters"
_PARTS = {"react": ("react", "playwright")}
"""Starter -> the folders that it consists of, if they are several."""
_TYPED = "-typescript"
NEXT = {
    "react": "Pass makeConf(URL of the server), from src/stub/conf, to the vendor's SCContextProvider as conf. For "
    "tests of your pages as they are, run: npm i -D course-stubserver @playwright/test && npx playwright test stub",
    "node": "Run: npm i -D course-stubserver @selfcommunity/api-services tslib && node --test",
    "playwright": "Run: npm i -D course-stubserver @playwright/test && npx playwright test stub",
    "vitest": "Run: npm i -D course-stubserver vitest && npx vitest run stub",
    "pytest": "Run: pytest",
    "schemathesis": "Run: schemathesis run http://127.0.0.1:8765/~fuzz/openapi.json",
}
"""Starter -> the next step, which is printed."""


class CannotWrite(Exception):
    """The folder is not there, or a file of the starter is; the message says which, in one line."""


def write(name: str, folder: Path) -> list[Path]:
    """Write the files of the starter `name` into `folder`, and return them. Raises CannotWrite, before anything is
    written, and OSError."""
    _check(folder)
    files = _files(name, folder)
    targets = [folder / target for target in files]
    for target in targets:
        if target.exists() or target.is_symlink():
            raise CannotWrite(f"{target} already exists; nothing was written")
    for target in targets:
        target.parent.mkdir(parents=True, exist_ok=True)
    for source, target in zip(files.values(), targets, strict=True):
        target.write_bytes(source.read_bytes())
    return targets


def _files(name: str, folder: Path) -> dict[Path, Path]:
    """Where each file of the starter goes, relative to the project -> where it is: in TypeScript, if the project has
    that and the starter, too."""
    found = {}
    for part in _PARTS.get(name, (name,)):
        typed = _STARTERS / f"{part}{_TYPED}"
        source = typed if (folder / "tsconfig.json").exists() and typed.is_dir() else _STARTERS / part
        files = (file for file in source.rglob("*") if file.is_file() and file.suffix != ".pyc")
        found.update({file.relative_to(source): file for file in files})
    return dict(sorted(found.items()))


def _check(folder: Path) -> None:
    """A folder that does not exist is probably misspelt, so it is not created."""
    if not folder.is_dir():
        nearest = next(parent for parent in folder.absolute().parents if parent.is_dir())
        raise CannotWrite(f"there is no folder {folder}: create it first; the nearest one that exists is {nearest}")


@click.command()
@click.argument("kind", type=click.Choice(list(NEXT)))
@click.option(
    "--directory",
    type=NamedPath(file_okay=False, path_type=Path),
    default=".",
    help="Folder of the project (default: the current one).",
)
def init(kind: str, directory: Path) -> None:
    """Write the few files that connect a project to the stub server. Existing files are never overwritten."""
    try:
        for file in write(kind, directory):
            click.echo(f"wrote {file}")
    except CannotWrite as error:
        fail(str(error))
    except OSError as error:
        fail(f"cannot write {error.filename}: {error.strerror}")
    click.echo(NEXT[kind])
