"""Hints for requests that miss the contract: the closest operation, and how the request differs from it."""

import difflib
import re
from collections.abc import Sequence
from itertools import zip_longest
from posixpath import normpath

from stubserver.addressing import base_path
from stubserver.contract.contract import Contract
from stubserver.contract.operation import Operation
from stubserver.suggestions import did_you_mean
from stubserver.worlds.registry import NAME

_NUMBER = re.compile(r"-?[0-9]+")
_MAX_PATH = 200
"""Maximum number of characters of a path that a message repeats."""
_MAX_PART = 60
"""The same for one part of a path."""
_ODD = {
    "two slashes in a row": re.compile("//"),
    "a part that is only dots": re.compile(r"/\.{1,2}(?=/|\Z)"),
    "a backslash": re.compile(r"\\"),
    "a semicolon": re.compile(";[^/]*"),
    "a part that ends in a dot or a blank": re.compile(r"[.\s]+(?=/|\Z)"),
}
"""Spellings that some servers tidy up, or some clients, and what finds them."""
_MIN_LIKENESS = 0.7
"""How similar an operation's path must be, from 0 to 1, for the hint to suggest it."""


def no_such_path(contracts: Sequence[Contract], method: str, path: str) -> str:
    """The message of a 404 for a path that does not exist."""
    message = f"No such path: {shown(path)}"
    if path.startswith("//"):
        right = shown(_meant(contracts, path) or f"/{path.lstrip('/')}")
        return f"{message} It begins with two slashes, as if a base URL ended in one: write {right}"
    if (what := oddity(path)) and (meant := _meant(contracts, path)):
        return f"{message} It has {what}, and paths are taken as they are: write {shown(meant)}"
    world, separator, rest = path.partition("/api/")
    if separator and NAME.fullmatch(world.removeprefix("/")):
        right = shown(f"{base_path(world[1:])}/api/{rest}")
        return f"{message} To name a world, put it in front of the path with a tilde: {right}"
    operations = [operation for contract in contracts for operation in contract.operations.values()]
    if wrong := next((operation for operation in operations if _has_wrong_id(operation, path)), None):
        return _wrong_id(wrong, operations, path)
    nearest = _nearest(operations, method, path)
    return f"{message} {_difference(nearest, path)}" if nearest else message


def not_allowed(contracts: Sequence[Contract], path: str) -> tuple[str, str]:
    """The Allow header of a 405, and its message: the allowed methods and their operations."""
    allowed = next((methods for contract in contracts if (methods := contract.allowed_methods(path))), ["GET", "HEAD"])
    found = ((method, contract.find(method, path)) for method in allowed for contract in contracts)
    names = dict.fromkeys(op.id for _, op in found if op is not None)
    header = ", ".join(allowed)
    here = f" ({', '.join(names)})" if names else ""
    return header, f"This method is not allowed here. Allowed: {header}{here}."


def oddity(path: str) -> str | None:
    """What is odd about the spelling of a path, in a few words; None if nothing is."""
    return next((what for what, pattern in _ODD.items() if pattern.search(path)), None)


def shown(path: str) -> str:
    """A path as a message repeats it: not too long, and without control characters."""
    text = "".join(char if char.isprintable() else repr(char)[1:-1] for char in path[:_MAX_PATH])
    return f"{text}..." if len(path) > _MAX_PATH else text


def _meant(contracts: Sequence[Contract], path: str) -> str | None:
    """The documented path that an odd spelling most likely means."""
    plain = _ODD["a semicolon"].sub("", path.replace("\\", "/"))
    tidy = normpath(re.sub("^/+", "/", plain))
    bare = "/".join(part.strip().rstrip(".") for part in tidy.rstrip("/").split("/"))
    return next((right for right in (f"{bare}/", bare) for c in contracts if c.allowed_methods(right)), None)


def _has_wrong_id(operation: Operation, path: str) -> bool:
    """Whether the path is that of the operation, except that not all of its ids are numbers."""
    sent, meant = path.split("/"), operation.path.split("/")
    if len(sent) != len(meant):
        return False
    wrong = [pair for pair in zip(sent, meant, strict=True) if _differ(operation, *pair)]
    return bool(wrong) and all(mine and theirs.startswith("{") for mine, theirs in wrong)


def _wrong_id(meant: Operation, operations: Sequence[Operation], path: str) -> str:
    """The message for a path with a wrong id; `meant` is an operation that has the path otherwise."""
    sent, parts = path.split("/"), meant.path.split("/")
    place = next(place for place, pair in enumerate(zip(sent, parts, strict=True)) if _differ(meant, *pair))
    others = (operation.path.split("/") for operation in operations)
    following = {other[place] for other in others if other[:place] == parts[:place] and len(other) > place}
    words = sorted(part for part in following if not part.startswith("{"))
    wrong = f"{sent[place][:_MAX_PART]!r} in {shown(path)} is no id: ids are whole numbers, such as 1."
    return f"{wrong}{did_you_mean(sent[place], words)}"


def _nearest(operations: Sequence[Operation], method: str, path: str) -> Operation | None:
    """The operation with the most similar path; among equals, one with the same method."""
    sent = _parts(path[:500])

    def likeness(operation: Operation) -> tuple[float, bool]:
        meant = _parts(operation.path)
        named = [_fits(operation, *pair) for pair in zip_longest(sent, meant[: len(sent)], fillvalue="")]
        mine = "/".join(
            "{}" if fits or _NUMBER.fullmatch(part) else part for part, fits in zip(sent, named, strict=True)
        )
        theirs = "/".join("{}" if part.startswith("{") else part for part in meant)
        return difflib.SequenceMatcher(None, mine, theirs).ratio(), operation.method == method.lower()

    best = max(operations, key=likeness)
    return best if likeness(best)[0] >= _MIN_LIKENESS else None


def _difference(nearest: Operation, path: str) -> str:
    message = f"The nearest is {nearest.id}: {nearest.method.upper()} {nearest.path}"
    sent, meant = _parts(path), _parts(nearest.path)
    for mine, theirs in zip(sent, meant, strict=False):
        if _differ(nearest, mine, theirs):
            return f"{message}; it has {theirs!r} where the request has {mine[:_MAX_PART]!r}."
    if len(sent) == len(meant):
        return f"{message}; they differ in the trailing slash."
    return f"{message}; it has {len(meant)} parts, the request has {len(sent)}."


def _parts(path: str) -> list[str]:
    return path.strip("/").split("/")


def _differ(operation: Operation, mine: str, theirs: str) -> bool:
    """Whether a path segment is not the operation's word in its place, or does not fit its parameter there."""
    return not _fits(operation, mine, theirs) if theirs.startswith("{") else mine != theirs


def _fits(operation: Operation, mine: str, theirs: str) -> bool:
    """Whether a path segment fits the operation's parameter in its place: an id is a number, a name may be anything."""
    if not theirs.startswith("{"):
        return False
    return operation.path_parameters[theirs[1:-1]]["type"] != "integer" or _NUMBER.fullmatch(mine) is not None
