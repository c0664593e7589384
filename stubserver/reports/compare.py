"""What changes for clients between two contracts, and what of it breaks them: `stubserver compare`.

Changes have the ids and levels of oasdiff, the tool that most people know for this, as far as they are about what the
documents say; where it has no id, one is formed like its others.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
import yaml

from stubserver.contract.load import load_contract
from stubserver.contract.merging import load_yaml
from stubserver.reports.compare_changes import LEVELS, Change, Changes, Unusable
from stubserver.reports.compare_operations import compare_operations
from stubserver.reports.compare_sides import Side
from stubserver.reports.text import printable, wrapped

SHIPPED = "."
"""The name of the contract that ships with the package."""
_LARGEST = 50 * 1024 * 1024
"""Size of the largest file that is read, in bytes."""
_DEEPEST = 200
"""How many levels of objects and lists a file may have."""
_SHOWN = 5
"""Operations that the text names for one change."""


def read(name: str) -> Mapping[str, Any]:
    """The document in a file, or the one that ships. Raises Unusable."""
    if name == SHIPPED:
        return load_contract().document
    try:
        document = _parsed(Path(name))
    except OSError as error:
        raise Unusable(f"cannot read {name}: {error.strerror}") from None
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise Unusable(f"{name}: neither JSON nor YAML: {printable(reason)[:200]}") from None
    if not isinstance(document, dict) or not str(document.get("openapi", "")).startswith("3."):
        raise Unusable(f"{name}: no document of OpenAPI 3: it needs a key `openapi`, such as 3.0.3")
    if not isinstance(document.get("paths"), dict):
        raise Unusable(f"{name}: no document of an API: `paths` is not an object")
    return document


def _parsed(file: Path) -> Any:
    """Raises OSError, and ValueError or YAMLError for what cannot be parsed."""
    if file.stat().st_size > _LARGEST:
        raise ValueError(f"larger than {_LARGEST} bytes")
    content = file.read_bytes()
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        if file.suffix.lower() == ".json":
            raise
    return load_yaml(_shallow(content.decode()))


def _shallow(text: str) -> str:
    """The text of YAML. Raises ValueError if it is nested so deeply that libyaml would crash."""
    depth = 0
    for event in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise ValueError(f"nested more than {_DEEPEST} levels deep")
    return text


def compare(old: Mapping[str, Any], new: Mapping[str, Any], names: Sequence[str] = ("OLD", "NEW")) -> Sequence[Change]:
    """All changes, the worst first. `names` are what messages call the documents. Raises Unusable."""
    found = Changes()
    try:
        compare_operations(Side(old, names[0]), Side(new, names[1]), found)
    except (AttributeError, TypeError, KeyError, ValueError) as error:
        # Documents may be malformed in any way; a comparison needs little of them, but that as OpenAPI has it.
        what = f"{type(error).__name__}: {error}"
        raise Unusable(f"{names[0]} or {names[1]} is no valid OpenAPI document ({printable(what)[:100]})") from None
    return sorted(found.all, key=lambda change: LEVELS.index(change.level))


def breaks(changes: Sequence[Change], least: str) -> bool:
    """Whether any of the changes has this level or a worse one."""
    return any(LEVELS.index(change.level) <= LEVELS.index(least) for change in changes)


def _text(changes: Sequence[Change]) -> str:
    """For a terminal: the same change in several operations is one entry."""
    same: dict[tuple[str, str, str], list[str]] = {}
    for change in changes:
        same.setdefault((change.level, change.id, change.text), []).append(change.operation)
    lines = [line for (level, kind, text), places in same.items() for line in _entry(level, kind, text, places)]
    counts = [sum(change.level == level for change in changes) for level in LEVELS]
    said = [f"{count} {level}{'s' * (count != 1)}" for count, level in zip(counts, LEVELS, strict=True) if count]
    return "\n".join([*lines, ", ".join(said) if said else "no change that a client could notice", ""])


def _entry(level: str, kind: str, text: str, operations: Sequence[str]) -> Iterator[str]:
    more = f" and {len(operations) - _SHOWN} more" if len(operations) > _SHOWN else ""
    yield f"{level}: {kind}"
    yield wrapped(printable(text), "  ", "  ")
    yield wrapped(printable(", ".join(operations[:_SHOWN]) + more), "  in ", "     ")
    yield ""


def _json(changes: Sequence[Change]) -> str:
    counts = {level: sum(change.level == level for change in changes) for level in LEVELS}
    found = [
        {"id": change.id, "level": change.level, "operation": change.operation, "text": change.text}
        for change in changes
    ]
    return json.dumps({**counts, "changes": found}, indent=2) + "\n"


FORMATS: Mapping[str, Callable[[Sequence[Change]], str]] = {"text": _text, "json": _json}
"""Format -> the function that writes changes in it."""
