"""Hints for requests that miss the contract: which operation is nearest, and where the request differs from it."""

import difflib
import re
from collections.abc import Sequence

from stubserver.spec import Contract, Operation

_NUMBER = re.compile(r"-?[0-9]+")
_PLACEHOLDER = re.compile(r"\{\w+\}")
_LEAST = 0.7
"""How alike two paths must be, from 0 to 1, to speak of them together."""


def no_such_path(contracts: Sequence[Contract], method: str, path: str) -> str:
    """What a 404 on a route says."""
    said = f"No such path: {path}"
    world, separator, rest = path.partition("/api/")
    if separator and world:
        return f"{said} A world is named in front of the path with a tilde: /~{world.strip('/')}/api/{rest}"
    nearest = _nearest([op for contract in contracts for op in contract.operations.values()], method, path)
    return f"{said} {_difference(nearest, path)}" if nearest else said


def not_allowed(contracts: Sequence[Contract], path: str) -> tuple[str, str]:
    """The Allow header of a 405, and what it says: each method with its operation."""
    allowed = next((methods for contract in contracts if (methods := contract.allowed_methods(path))), ["GET", "HEAD"])
    found = ((method, contract.find(method, path)) for method in allowed for contract in contracts)
    names = dict.fromkeys(op.id for _, op in found if op is not None)
    header = ", ".join(allowed)
    here = f" ({', '.join(names)})" if names else ""
    return header, f"This method is not allowed here. Allowed: {header}{here}."


def _nearest(operations: Sequence[Operation], method: str, path: str) -> Operation | None:
    """The operation whose path is most like this one; of several, one with the same method."""
    sent = _NUMBER.sub("{}", path[:500])

    def likeness(operation: Operation) -> tuple[float, bool]:
        ratio = difflib.SequenceMatcher(None, sent, _PLACEHOLDER.sub("{}", operation.path)).ratio()
        return ratio, operation.method == method.lower()

    best = max(operations, key=likeness)
    return best if likeness(best)[0] >= _LEAST else None


def _difference(nearest: Operation, path: str) -> str:
    said = f"The nearest is {nearest.id}: {nearest.method.upper()} {nearest.path}"
    if path.rstrip("/") == nearest.path.rstrip("/"):
        return f"{said}; the slash at the end makes the difference."
    sent, meant = path.split("/"), nearest.path.split("/")
    for mine, theirs in zip(sent, meant, strict=False):
        if mine != theirs and not (_PLACEHOLDER.fullmatch(theirs) and _NUMBER.fullmatch(mine)):
            return f"{said}; it has {theirs!r} where the request has {mine[:100]!r}."
    return f"{said}; it has {len(meant) - 2} parts, the request has {len(sent) - 2}."
