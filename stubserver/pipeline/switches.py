"""The switches that a request carries: names of faults that fire only for requests that ask for them.

They stand in the query, `?__fault=NAME`, or in the cookie `stub-fault=NAME`, so that one page of a demo can meet a
fault while all others work. Dots separate several names, because every cookie and URL may contain dots.
"""

import re
from collections.abc import Iterator

from starlette.types import Scope

from stubserver.addressing import SWITCH_COOKIE
from stubserver.call import Call
from stubserver.errors import Refusal, invalid
from stubserver.suggestions import unknown
from stubserver.worlds.world import World

PARAMETER = "__fault"
_COOKIE = re.compile(rf'(?:^|;)\s*{SWITCH_COOKIE}\s*=\s*"?([^;"]*)')


def switches(call: Call, scope: Scope) -> frozenset[str]:
    """The switches that the request carries. Raises a 400 refusal for one that no fault of its world has."""
    known = {fault.wanted["switch"] for fault in call.world.faults.values() if "switch" in fault.wanted}
    found = set()
    for place, text in _sent(call, scope):
        for name in text.strip().split("."):
            if name not in known:
                raise _no_such_switch(place, name, known, call.world)
            found.add(name)
    return frozenset(found)


def _sent(call: Call, scope: Scope) -> Iterator[tuple[str, str]]:
    """Where switches stand, and the text there."""
    if PARAMETER in call.raw_query:
        for text in call.query_texts.get(PARAMETER, ()):
            yield PARAMETER, text
    if "cookie" in call.headers:
        headers = [value.decode("latin-1") for name, value in scope["headers"] if name.lower() == b"cookie"]
        for text in _COOKIE.findall(";".join(headers)):
            yield SWITCH_COOKIE, text


def _no_such_switch(place: str, name: str, known: set[str], world: World) -> Refusal:
    message = unknown("switch", name, sorted(known))
    if re.search(r"[^\w-]", name):
        message = f"{message} Dots separate several names."
    if not known:
        what = "delete the cookie" if place == SWITCH_COOKIE else f"leave {place} out"
        message = f"No fault of world {world.name} has a switch, so {name[:60]!r} names none. Create one, or {what}."
    return invalid(place, "does_not_exist", message)
