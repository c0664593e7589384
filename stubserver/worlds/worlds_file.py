"""All worlds of a server in one file: JSON that holds, of each, its name, whether it is strict, and its snapshot."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any, NamedTuple

import orjson

from stubserver import __version__
from stubserver.errors import Refusal
from stubserver.worlds import snapshot_file
from stubserver.worlds.registry import NAME, NAMING
from stubserver.worlds.snapshot import Snapshot
from stubserver.worlds.snapshot_file import Load, RowCheck
from stubserver.worlds.world import World

FORMAT = 1
"""Version of the format. That of the snapshots in it is their own."""
_FILE: Mapping[str, type] = {"format": int, "stubserver": str, "worlds": list, "checksum": str}
_WORLD: Mapping[str, type] = {"name": str, "strict": bool, "snapshot": dict}
_SNAPSHOT: Mapping[str, type] = {
    **dict.fromkeys(("stubserver", "fixture", "digest", "moment", "checksum"), str),
    **dict.fromkeys(("clock", "tables"), dict),
    "format": int,
}
_TYPES = {int: "a whole number", str: "a text", bool: "true or false", list: "a list", dict: "an object"}
_KINDS = {
    "worlds": "the file of all worlds of a server: start one with --import FILE",
    "tables": "the snapshot of one world: load it into a running server with `stubserver snapshot put FILE`",
    "requests": "a case: send its requests again with `stubserver replay FILE`",
    "users": "a fixture: start a server with --fixture FILE",
}
"""Key at the top of a file -> what kind of file has it, and what that is for."""


class WrongFile(ValueError):
    """The content of a file is not what it should be; the message says why, in one line."""


class StoredWorld(NamedTuple):
    """A world as a file holds it."""

    name: str
    strict: bool
    snapshot: Snapshot


def export(worlds: Iterable[World]) -> bytes:
    """The content of a file that holds the worlds, without their journals and faults."""
    entries = [
        {"name": world.name, "strict": world.strict, "snapshot": snapshot_file.written(world.snapshot())}
        for world in worlds
    ]
    content = {"format": FORMAT, "stubserver": __version__, "worlds": entries}
    return orjson.dumps({**content, "checksum": _checksum(content)}) + b"\n"


def import_(data: bytes | bytearray, load: Load, check: RowCheck) -> list[StoredWorld]:
    """The worlds in the content of a file, checked as strictly as snapshots in files are. Raises WrongFile."""
    content = _content_of(data, "worlds")
    with _told():
        snapshot_file.check_format(content, FORMAT)
    _check_fields("the file", content, _FILE)
    for index, entry in enumerate(content["worlds"]):
        _check_fields(f"worlds.{index}", entry, _WORLD)
        _check_snapshot(f"worlds.{index}.snapshot", entry["snapshot"])
    if content["checksum"] != _checksum(content):
        raise WrongFile("the file is damaged or has been edited")
    _check_names([entry["name"] for entry in content["worlds"]])
    once = cache(load)  # worlds that were made at one start share their fixture
    return [_stored(index, entry, once, check) for index, entry in enumerate(content["worlds"])]


@contextmanager
def _told(place: str = "") -> Iterator[None]:
    """A refusal becomes WrongFile, with its place in the file."""
    try:
        yield
    except Refusal as refusal:
        raise WrongFile(f"{place}{refusal.problems[0].message.rstrip('.')}") from None


def snapshot_in(data: bytes) -> dict[str, Any]:
    """The content of a file that holds one snapshot, as far as it can be checked without its fixture. Raises
    WrongFile."""
    content = _content_of(data, "tables")
    with _told():
        snapshot_file.check_format(content, snapshot_file.FORMAT)
    _check_snapshot("the file", content)
    return content


def _content_of(data: bytes | bytearray, key: str) -> dict[str, Any]:
    """The content of a file of the kind that has this key. Raises WrongFile that says what it is instead."""
    try:
        content = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise WrongFile(f"this is no JSON: {error}") from None
    if isinstance(content, dict) and key in content:
        return content
    kind = next((kind for name, kind in _KINDS.items() if isinstance(content, dict) and name in content), None)
    raise WrongFile(f"this is {kind}" if kind else f"this is not {_KINDS[key].partition(':')[0]}")


def _checksum(content: Mapping[str, Any]) -> str:
    """Checksum over everything else; of the snapshots, over their own checksums."""
    worlds = [{**entry, "snapshot": entry["snapshot"]["checksum"]} for entry in content["worlds"]]
    everything = {name: value for name, value in content.items() if name != "checksum"}
    return snapshot_file.checksum({**everything, "worlds": worlds})


def _check_fields(place: str, value: Any, fields: Mapping[str, type]) -> None:
    """Raises WrongFile unless a value is an object with these fields."""
    if not isinstance(value, dict):
        raise WrongFile(f"{place} must be an object")
    for name, kind in fields.items():
        if name not in value:
            raise WrongFile(f"{place} has no {name}")
        if type(value[name]) is not kind:
            raise WrongFile(f"{place}: {name} must be {_TYPES[kind]}")


def _check_snapshot(place: str, value: Mapping[str, Any]) -> None:
    _check_fields(place, {"format": 0, **value}, _SNAPSHOT)


def _check_names(names: Iterable[str]) -> None:
    seen = set[str]()
    for index, name in enumerate(names):
        if not NAME.fullmatch(name):
            raise WrongFile(f"worlds.{index}: {name!r} is not a valid world name: {NAMING}")
        if name in seen:
            raise WrongFile(f"worlds.{index}: another world is called {name}, too")
        seen.add(name)


def _stored(index: int, entry: Mapping[str, Any], load: Load, check: RowCheck) -> StoredWorld:
    with _told(f"worlds.{index} ({entry['name']}): "):
        return StoredWorld(entry["name"], entry["strict"], snapshot_file.read(entry["snapshot"], load, check))
