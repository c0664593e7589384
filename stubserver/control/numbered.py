"""What the faults and the variants of a world have in common: each has a number, and what is done to them is noted."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from stubserver.call import Call
from stubserver.errors import refusal
from stubserver.worlds.world import World

MAX_LOG = 1000
"""How many changes of its faults, and of its variants, a world remembers."""
_T = TypeVar("_T")


def without(found: Mapping[int, _T], call: Call, kind: str) -> Mapping[int, _T]:
    """All but the one whose id the path names. Raises a 404 refusal if there is no such `kind` in the world."""
    number = call.ids["id"]
    if number not in found:
        raise refusal(404, f"World {call.world.name} has no {kind} {number}.")
    return {other: one for other, one in found.items() if other != number}


def noted(
    log: Sequence[Mapping[str, Any]], call: Call, world: World, kind: str, number: int | None
) -> list[Mapping[str, Any]]:
    """The log of a world with what the call has done to it, so that it can be repeated (see Case in the contract). No
    number stands for all."""
    done = {"after": world.asked, "operation": call.operation.id, "id": number, kind: call.body or None}
    return [*log, done][-MAX_LOG:]
