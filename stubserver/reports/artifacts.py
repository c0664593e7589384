"""Case files of failures: one for each world of a failed test or command, for `stubserver replay`."""

import hashlib
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

_LONGEST_NAME = 80


def check(folder: Path) -> None:
    """Raises OSError if files cannot be written to the folder, which may not exist yet."""
    existing = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())
    with tempfile.TemporaryFile(dir=existing):
        pass


def save(folder: Path, name: str, case: Mapping[str, Any], about: str = "") -> Path:
    """Write a case, which replaces the one of the same name; `about` says what failed. Returns the file. Raises
    OSError."""
    readable = re.sub(r"[^A-Za-z0-9._-]+", "-", name)[:_LONGEST_NAME].strip("-.")
    file = folder / f"{readable}-{hashlib.sha256(name.encode()).hexdigest()[:8]}.json"
    folder.mkdir(parents=True, exist_ok=True)
    file.write_bytes(orjson.dumps({"about": about, **case}, option=orjson.OPT_INDENT_2))
    return file
