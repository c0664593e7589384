"""Merging the partial documents of a folder, each about one resource, into one."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson
import yaml

_MERGED = {"paths", "components", "x-rules"}
"""Top-level keys to which every partial document may add."""


class SpecError(Exception):
    """The contract cannot be served; the message says in one line which file or key is wrong."""


class Document(dict[str, Any]):
    """A merged document that knows which file each part came from."""

    def __init__(self, content: Mapping[str, Any], files: Mapping[str, str]) -> None:
        """`files` maps the space-separated address of each part to the name of its file."""
        super().__init__(content)
        self.files = files


def merge(folder: Path, *others: Path) -> Document:
    """One document from the partial documents `*.yaml` of `folder` and the files `others`.

    Paths (method by method), rules and each kind of `components` are merged; defining one of them in two files is an
    error. Raises SpecError naming the file.
    """
    merged: dict[str, Any] = {}
    owners: dict[str, str] = {}
    for file in [*sorted(folder.glob("*.yaml")), *others]:
        try:
            parts = list(_flattened(_load(file)))
        except AttributeError:
            raise SpecError(f"{file.name}: paths, components and x-rules must be mappings of mappings") from None
        for key, value in parts:
            if key in owners:
                raise SpecError(f"{key} is defined in {owners[key]} and again in {file.parent.name}/{file.name}")
            owners[key] = f"{file.parent.name}/{file.name}"
            _insert(merged, key.split(" "), value)
    if not merged:
        raise SpecError(f"no *.yaml documents in {folder}")
    # A round trip through JSON copies what YAML anchors share, and turns dates into strings.
    return Document(orjson.loads(orjson.dumps(merged, default=str)), owners)


def _load(file: Path) -> dict[str, Any]:
    try:
        document = load_yaml(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SpecError(f"{file.name}: {' '.join(str(error).split())}") from None
    if not isinstance(document, dict):
        raise SpecError(f"{file.name}: a partial document must be a mapping")
    return document


def load_yaml(text: str) -> Any:
    """Parse YAML, with libyaml if it is available (ten times faster)."""
    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 (safe loaders)


def _flattened(document: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The smallest parts that may be spread over several files, each with its space-separated address."""
    for key, value in document.items():
        if key not in _MERGED:
            yield key, value
        elif key in ("components", "paths"):
            for group, entries in value.items():
                for name, entry in entries.items():
                    yield f"{key} {group} {name}", entry
        else:
            for name, entry in value.items():
                yield f"{key} {name}", entry


def _insert(target: dict[str, Any], address: list[str], value: Any) -> None:
    for part in address[:-1]:
        target = target.setdefault(part, {})
    target[address[-1]] = value
