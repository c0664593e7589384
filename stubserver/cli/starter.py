"""Starters: the few files that connect a project to the stub server, written by `stubserver init`."""

from pathlib import Path

_STARTERS = Path(__file__).parent / "starters"
NEXT = {
    "react": "Pass makeConf(URL of the server), from src/stub/conf.js, to the vendor's SCContextProvider as conf.",
    "node": "Run: npm i -D @selfcommunity/api-services tslib && node --test",
    "pytest": "Run: pytest",
}
"""Starter -> the next step, which is printed."""


class FilesInTheWay(Exception):
    """A file of the starter exists already; the message names it."""


def write(name: str, folder: Path) -> list[Path]:
    """Write the files of the starter `name` into `folder`, and return them. Raises FilesInTheWay, before anything is
    written, and OSError."""
    sources = sorted(file for file in (_STARTERS / name).rglob("*") if file.is_file() and file.suffix != ".pyc")
    targets = [folder / source.relative_to(_STARTERS / name) for source in sources]
    for target in targets:
        if target.exists():
            raise FilesInTheWay(f"{target} already exists; nothing was written")
    for source, target in zip(sources, targets, strict=True):
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(source.read_bytes())
    return targets
