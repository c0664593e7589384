"""Hints for requests that miss the contract: the closest operation, and how the request differs from it."""

import difflib
import re
from collections.abc import Sequence
from itertools import zip_longest

from stubserver.addressing import base_path
from stubserver.contract.contract import Contract
from stubserver.contract.operation import Operation
from stubserver.worlds.registry import NAME

_NUMBER = re.compile(r"-?[0-9]+")
_MIN_LIKENESS = 0.7
"""How similar an operation's path must be, from 0 to 1, for the hint to suggest it."""


def no_such_path(contracts: Sequence[Contract], method: str, path: str) -> str:
    """The message of a 404 for a path that does not exist."""
    message = f"No such path: {path}"
    world, separator, rest = path.partition("/api/")
    if separator and NAME.fullmatch(world.removeprefix("/")):
        return f"{message} To name a world, put it in front of the path with a tilde: {base_path(world[1:])}/api/{rest}"
    nearest = _nearest([op for contract in contracts for op in contract.operations.values()], method, path)
    return f"{message} {_difference(nearest, path)}" if nearest else message


def not_allowed(contracts: Sequence[Contract], path: str) -> tuple[str, str]:
    """The Allow header of a 405, and its message: the allowed methods and their operations."""
    allowed = next((methods for contract in contracts if (methods := contract.allowed_methods(path))), ["GET", "HEAD"])
    found = ((method, contract.find(method, path)) for method in allowed for contract in contracts)
    names = dict.fromkeys(op.id for _, op in found if op is not None)
    header = ", ".join(allowed)
    here = f" ({', '.join(names)})" if names else ""
    return header, f"This method is not allowed here. Allowed: {header}{here}."


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
        if mine != theirs and not _fits(nearest, mine, theirs):
            return f"{message}; it has {theirs!r} where the request has {mine[:100]!r}."
    if len(sent) == len(meant):
        return f"{message}; they differ in the trailing slash."
    return f"{message}; it has {len(meant)} parts, the request has {len(sent)}."


def _parts(path: str) -> list[str]:
    return path.strip("/").split("/")


def _fits(operation: Operation, mine: str, theirs: str) -> bool:
    """Whether a path segment fits the operation's parameter in its place: rows are named by numbers, others by text."""
    if not theirs.startswith("{"):
        return False
    return theirs[1:-1] not in operation.loads or _NUMBER.fullmatch(mine) is not None
