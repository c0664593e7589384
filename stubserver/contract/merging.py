"""Merging the partial documents of a folder, each about one resource, into one."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from stubserver.cache import Cache

_MERGED = {"paths", "components", "x-rules"}
"""Top-level keys to which every partial document may add."""
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TEXT, _LIST, _OBJECT = (f"tag:yaml.org,2002:{kind}" for kind in ("str", "seq", "map"))


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
    files = [*sorted(folder.glob("*.yaml")), *others]
    for file, document in zip(files, _documents(files), strict=True):
        try:
            parts = list(_flattened(document))
        except AttributeError:
            raise SpecError(f"{file.name}: paths, components and x-rules must be mappings of mappings") from None
        for key, value in parts:
            if key in owners:
                raise SpecError(f"{key} is defined in {owners[key]} and again in {file.parent.name}/{file.name}")
            owners[key] = f"{file.parent.name}/{file.name}"
            _insert(merged, key.split(" "), value)
    if not merged:
        raise SpecError(f"no *.yaml documents in {folder}")
    return Document(merged, owners)


def _documents(files: Iterable[Path]) -> list[dict[str, Any]]:
    """What the files say; JSON copies what YAML anchors share, and turns dates into strings. Raises SpecError."""
    texts = {file: _text(file) for file in files}
    entry = Cache.of(texts.values(), b"documents")
    found: list[dict[str, Any]] = entry.parsed(lambda: [_document(file, text) for file, text in texts.items()])
    return found


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _wrong(file, error) from None


def _document(file: Path, text: str) -> dict[str, Any]:
    try:
        document = load_own(text)
    except yaml.YAMLError as error:
        raise _wrong(file, error) from None
    if not isinstance(document, dict):
        raise SpecError(f"{file.name}: a partial document must be a mapping")
    return document


def _wrong(file: Path, error: Exception) -> SpecError:
    return SpecError(f"{file.name}: {' '.join(str(error).split())}")


def load_yaml(text: str) -> Any:
    """Parse YAML, with libyaml if it is available (ten times faster)."""
    return yaml.load(text, Loader=_LOADER)  # noqa: S506 (a safe loader)


def load_own(text: str) -> Any:
    """The same for our own documents, which do not contain themselves. It takes a third less time."""
    loader = _LOADER(text)
    try:
        node = loader.get_single_node()
        return None if node is None else _constructed(loader, node)
    finally:
        loader.dispose()


def _constructed(loader: Any, node: yaml.Node) -> Any:
    """What a node stands for. Objects whose keys are texts, lists and texts, of which documents consist, take a
    short way; PyYAML constructs all others."""
    if _is_text(node):
        return node.value
    if node.tag == _LIST and type(node) is yaml.SequenceNode:
        return [_constructed(loader, part) for part in node.value]
    if node.tag == _OBJECT and type(node) is yaml.MappingNode and all(_is_text(key) for key, _ in node.value):
        return {key.value: _constructed(loader, value) for key, value in node.value}
    return loader.construct_object(node, deep=True)


def _is_text(node: yaml.Node) -> bool:
    return node.tag == _TEXT and type(node) is yaml.ScalarNode


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
