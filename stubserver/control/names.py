"""Names that a request to the control plane picks requests by: each must be one that a request can have.

An expectation or a fault with a misspelt operation, persona or path would match nothing, and nobody would notice.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from stubserver.addressing import TOKEN_PREFIX
from stubserver.contract.contract import Contract
from stubserver.contract.operation import Operation
from stubserver.errors import Problem, Refusal, invalid
from stubserver.suggestions import did_you_mean, unknown
from stubserver.worlds.world import World

API = "/api/v2"
"""What a path that is relative to the API lacks."""
ANONYMOUS = "anonymous"
"""The persona of a caller without a token."""
_NUMBER, _TEXT = "\0", "\1"
"""Characters that stand for a parameter of a path."""
FAULTY = range(400, 600)
"""Statuses that a fault can give any operation."""


def checked(wanted: Mapping[str, Any], contract: Contract, world: World, any_path: bool = False) -> dict[str, Any]:
    """`wanted` with its path and its persona in full. With `any_path`, the path may be one that no operation has, as
    that of a request that missed the contract. Raises a 400 refusal that names each name that does not exist."""
    found = dict(wanted)
    if "persona" in wanted:
        found["persona"] = _token(wanted["persona"], world)
    operations = _picked(wanted, contract)
    if "path" in wanted:
        full = _full_path(wanted["path"], contract)
        is_known = any(may_match(full, operation) for operation in operations)
        found["path"] = full if is_known or not any_path else wanted["path"]
    problems = [*_status_problems(found, operations), *_persona_problems(found, world)]
    if "path" in wanted and not any_path and not is_known:
        problems.append(_no_such_path(found, operations))
    if problems:
        raise Refusal(400, problems)
    return found


def _picked(wanted: Mapping[str, Any], contract: Contract) -> list[Operation]:
    """The operations that the operationId and the method pick. Raises a 400 refusal if there is none."""
    name = wanted.get("operation")
    if name is not None and name not in contract.operations:
        raise invalid("operation", "does_not_exist", unknown("operation", name, contract.operations))
    operations = [contract.operations[name]] if name is not None else list(contract.operations.values())
    if "method" not in wanted:
        return operations
    picked = [operation for operation in operations if wanted["method"] in _methods(operation)]
    if not picked:
        known = ", ".join(sorted({method for operation in operations for method in _methods(operation)}))
        message = f"{wanted['method']!r} is not a method{_of(wanted)}; use {known}."
        raise invalid("method", "invalid_choice", message)
    return picked


def _of(wanted: Mapping[str, Any]) -> str:
    return f" of {wanted['operation']}" if "operation" in wanted else ""


def _methods(operation: Operation) -> tuple[str, ...]:
    return ("GET", "HEAD") if operation.method == "get" else (operation.method.upper(),)


def _status_problems(wanted: Mapping[str, Any], operations: list[Operation]) -> Iterator[Problem]:
    status = wanted.get("status", FAULTY.start)
    declared = {number for operation in operations for number in (operation.status, *operation.answers)}
    if status not in FAULTY and status not in declared:
        known = ", ".join(str(number) for number in sorted(declared))
        yield Problem("invalid_choice", f"{status} is not a status{_of(wanted)}; use {known}.", "status")


def _persona_problems(wanted: Mapping[str, Any], world: World) -> Iterator[Problem]:
    people = [*world.tokens, ANONYMOUS]
    persona = wanted.get("persona", ANONYMOUS)
    if persona not in people and not world.users.where("username", persona):
        yield Problem("does_not_exist", unknown("persona", persona, people), "persona")


def _no_such_path(wanted: Mapping[str, Any], operations: list[Operation]) -> Problem:
    paths = list(dict.fromkeys(operation.path for operation in operations))
    right = f" Use {paths[0]}." if len(paths) == 1 else did_you_mean(wanted["path"], paths)
    return Problem("does_not_exist", f"No request{_of(wanted)} can have the path {wanted['path']!r}.{right}", "path")


def _full_path(path: str, contract: Contract) -> str:
    """The path with the base of the API in front, if it is relative to that."""
    roots = {operation.path.split("/")[1] for operation in contract.operations.values()}
    first = path.removeprefix("/").partition("/")[0]
    is_relative = path.startswith("/") and "*" not in first and first not in roots
    return f"{API}{path}" if is_relative else path


def _token(persona: str, world: World) -> str:
    """The token of a persona that is given without its prefix."""
    return next((token for token in world.tokens if persona in (token, token.removeprefix(TOKEN_PREFIX))), persona)


def may_match(pattern: str, operation: Operation) -> bool:
    """Whether some path of the operation matches `pattern`, in which * matches anything."""
    template = re.sub(r"\{(\w+)\}", lambda name: _NUMBER if name[1] in operation.loads else _TEXT, operation.path)
    pattern = re.sub(r"\*+", "*", pattern)

    @cache
    def match(at: int, of: int) -> bool:
        """Whether what is left of the pattern can match what is left of the template."""
        if at == len(pattern):
            return of == len(template)
        if pattern[at] == "*":
            return match(at + 1, of) or (of < len(template) and match(at, of + 1))
        if of == len(template):
            return False
        if template[of] in (_NUMBER, _TEXT):
            fits = pattern[at] in "-0123456789" if template[of] == _NUMBER else pattern[at] != "/"
            return fits and (match(at + 1, of + 1) or match(at + 1, of))
        return pattern[at] == template[of] and match(at + 1, of + 1)

    return match(0, 0)
