"""Files that are written as a whole or not at all, so that whoever reads one never finds half of it."""

import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def check_replaceable(file: Path) -> None:
    """Raises OSError if `replace` could not write this file, as far as can be told before. It leaves nothing behind."""
    with _beside(_target(file)):
        pass


def replace(file: Path, data: bytes) -> None:
    """Write a regular file, which may exist. If it is a link, what it leads to is written. Raises OSError, and then
    leaves all as it was."""
    target = _target(file)
    with _beside(target) as temporary:
        with temporary.open("wb") as opened:
            opened.write(data)
            opened.flush()
            os.fsync(opened.fileno())  # or a crash of the machine might leave the new name without the new content
        if target.exists():
            shutil.copymode(target, temporary)
        temporary.replace(target)


def _target(file: Path) -> Path:
    target = Path(os.path.realpath(file))
    if target.exists() and not target.is_file():
        raise OSError(errno.EINVAL, "it is not a regular file", str(file))
    return target


@contextmanager
def _beside(target: Path) -> Iterator[Path]:
    """A new file in the same folder, which is removed at the end if it is still there."""
    temporary = target.with_name(f".{secrets.token_hex(8)}.tmp")
    temporary.touch(exist_ok=False)
    try:
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)
