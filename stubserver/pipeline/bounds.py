"""What a JSON body may consist of, so that no request takes long or breaks what shows it later."""

from typing import Any

from stubserver.call import MAX_FIELDS, Call
from stubserver.errors import refusal

MAX_DEPTH = 64
"""How many levels of arrays and objects a body of the API may have; nothing in the contract needs five."""
MAX_VALUES = 10_000
"""How many values the body of a request to the API may consist of; each may be wrong in a way of its own."""
_AROUND = 32
"""How many more the control plane may have, whose answers and files hold such bodies."""


def check_size(call: Call, value: Any) -> None:
    """Bounds the work that a body makes. Raises a 400 refusal if it is nested too deeply, or has too many values."""
    text, deepest = call.raw_body, MAX_DEPTH + _AROUND if call.is_control else MAX_DEPTH
    containers = text.count(b"[") + text.count(b"{")  # at most: texts may have such characters, too
    if containers > deepest and is_deeper(value, deepest):
        raise refusal(400, f"JSON parse error - arrays and objects are nested more than {deepest} levels deep.")
    if len(text) < MAX_FIELDS:
        return  # it is too short to have more than that of anything
    if isinstance(value, dict) and len(value) > MAX_FIELDS:
        raise refusal(400, f"JSON parse error - the object has more than {MAX_FIELDS} fields.")
    if not call.is_control and text.count(b",") + containers >= MAX_VALUES and _has_more(value, MAX_VALUES):
        raise refusal(400, f"JSON parse error - the body has more than {MAX_VALUES} values.")


def _has_more(value: Any, most: int) -> bool:
    """Whether a JSON value consists of more than so many values, itself included."""
    count, found = 0, [value]
    while found and count <= most:
        count += 1
        part = found.pop()
        if isinstance(part, dict | list):
            found.extend(part.values() if isinstance(part, dict) else part)
    return count > most


def is_deeper(value: Any, levels: int) -> bool:
    """Whether a JSON value has more than so many levels of arrays and objects."""
    level = [value]
    for _ in range(levels + 1):
        containers = [part for part in level if isinstance(part, dict | list)]
        level = [item for part in containers for item in (part.values() if isinstance(part, dict) else part)]
        if not containers:
            return False
    return True
