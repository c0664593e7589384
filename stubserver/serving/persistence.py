"""Worlds that outlive a server: read from a file before it listens, and written to one when it ends."""

import asyncio
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from stubserver import files
from stubserver.app import StubServer
from stubserver.errors import Refusal
from stubserver.fixtures.fixture import FixtureError
from stubserver.row_check import RowChecks
from stubserver.settings import Settings
from stubserver.worlds.registry import Worlds
from stubserver.worlds.world import World
from stubserver.worlds.worlds_file import StoredWorld, WrongFile, export, import_

_PIECE = 1024 * 1024
"""Bytes that are read at a time."""


Say = Callable[[str], None]
"""Tells the terminal something, in one line."""


class CannotPersist(Exception):
    """The worlds cannot be read or written; the message says why, in one line."""


def prepare(app: StubServer, source: Path | None, target: Path | None) -> None:
    """Bring the worlds in the file `source` into a new server, all or none, and make sure that they can be written to
    `target` in the end. If both are the same file, it may not exist yet. Raises CannotPersist."""
    if target is not None:
        with _told("--export-on-exit: cannot write", target):
            files.check_replaceable(target)
    if source is not None:
        with _told("--import: cannot read", source):
            if source.exists() or target is None or os.path.realpath(source) != os.path.realpath(target):
                _bring(app, source)


async def save_all(app: StubServer, target: Path | None, say: Say = lambda _: None) -> None:
    """Write all worlds to a file, if there is to be one. It is replaced as a whole. Raises CannotPersist, and then it
    stays as it was.

    Worlds of a fixture that has changed while they were used get a file beside it, and `say` is told: with them, no
    server could read any of the worlds."""
    if target is None:
        return
    with _told("--export-on-exit: cannot write", target):
        current, former, names = await app.turns.run(partial(_exported, app.worlds))
        files.replace(target, current)
    if names:
        other = target.with_name(f"{target.stem}.former{target.suffix}")
        with _told("--export-on-exit: cannot write", other):
            files.replace(other, former)
        listed = ", ".join(names)
        say(
            f"--export-on-exit: the fixture of {listed} has changed since they began, so they are in {other}, and all "
            f"others in {target}: a server reads them only while the fixture says what it said then."
        )


def _exported(worlds: Worlds) -> tuple[bytes, bytes, list[str]]:
    """The content of both files, and the names of the worlds in the second one."""
    fixtures = {id(world.fixture): world.fixture for world in worlds}
    changed = {number for number, begun in fixtures.items() if worlds.newest(begun).digest != begun.digest}
    former = [world for world in worlds if id(world.fixture) in changed]
    current = [world for world in worlds if id(world.fixture) not in changed]
    return export(current), export(former), [world.name for world in former]


def save(app: StubServer, target: Path | None, say: Say = lambda _: None) -> None:
    """As `save_all`, where no event loop runs. Raises CannotPersist."""
    asyncio.run(_save_and_close(app, target, say))


async def _save_and_close(app: StubServer, target: Path | None, say: Say) -> None:
    try:
        await save_all(app, target, say)
    finally:
        await app.close()


@contextmanager
def _told(what: str, file: Path) -> Iterator[None]:
    """What goes wrong becomes CannotPersist, with the option and the file."""
    try:
        yield
    except OSError as error:
        raise CannotPersist(f"{what} {file}: {error.strerror or error}") from None
    except WrongFile as error:
        raise CannotPersist(f"{what} {file}: {error}") from None
    except FixtureError as error:
        raise CannotPersist(f"{what} {file}: {error.brief}") from None
    except Refusal as refused:
        raise CannotPersist(f"{what} {file}: {refused.reason}") from None


def _bring(app: StubServer, source: Path) -> None:
    settings = app.worlds.settings
    data = _content(source, 2 * settings.max_memory)  # JSON may need two characters for one
    found = import_(data, app.worlds.load_fixture, RowChecks(app.contract))
    _check_bounds(found, settings)
    app.alone(partial(_restore, app.worlds, found), *(name for name, _, _ in found))


def _restore(worlds: Worlds, found: Iterable[StoredWorld]) -> None:
    for name, strict, snapshot in found:
        worlds.restore(name, snapshot).strict = strict


def _content(source: Path, most: int) -> bytearray:
    """The content of a file or pipe. Raises OSError, and WrongFile if it has too many bytes."""
    data = bytearray()
    with source.open("rb") as opened:
        while piece := opened.read(_PIECE):
            data += piece
            if len(data) > most:
                raise WrongFile(f"it has more than {most} bytes, twice --max-memory; start with a larger one")
    return data


def _check_bounds(found: list[StoredWorld], settings: Settings) -> None:
    """Raises WrongFile if the server would not keep all of the worlds."""
    snapshots = [snapshot for _, _, snapshot in found]
    needed = {
        "max_worlds": len(found),
        "max_rows": max((snapshot.changed for snapshot in snapshots), default=0),
        "max_world": max((snapshot.size for snapshot in snapshots), default=0),
        "max_memory": sum(World.of(name, snapshot, settings).held for name, _, snapshot in found),
    }
    for name, least in needed.items():
        if least > getattr(settings, name):
            option = f"--{name.replace('_', '-')}"
            raise WrongFile(f"its worlds need {option} {least} or more; it is {getattr(settings, name)}")
