"""Coverage as a server reports it: a little of everything, and hostile names."""

from typing import Any


def operation(name: str, path: str, requests: int, only_refused: bool, **points: dict[str, int]) -> dict[str, Any]:
    none: dict[str, dict[str, int]] = {"statuses": {}, "parameters": {}, "fields": {}, "values": {}, "personas": {}}
    return {
        "operation": name,
        "method": "GET",
        "path": path,
        "requests": requests,
        "only_refused": only_refused,
        **none,
        **points,
    }


COMPLETE = operation("get_thing", "/api/v2/thing/{id}/", 3, False, statuses={"200": 2, "404": 1}, personas={"a": 3})
PARTLY = operation(
    "list_things",
    "/api/v2/thing/",
    1200,
    False,
    statuses={"200": 1200, "400": 0},
    parameters={"limit": 12, "offset": 0},
    fields={"name": 4},
    values={"type=open": 4, "type=scheduled": 0, "type=": 0},
    personas={"stub-member": 1200, "anonymous": 0},
)
REFUSED = operation("search", "/api/v2/search/", 1, True, statuses={"200": 0, "401": 1}, parameters={"q": 0})
NEVER = operation("delete_thing", "/api/v2/thing/{id}/", 0, False, statuses={"204": 0})
DOCUMENT: dict[str, Any] = {
    "stubserver": "0.1.0",
    "contract": "2.0.0",
    "covered": 7,
    "total": 14,
    "percent": 50.0,
    "operations": [COMPLETE, PARTLY, REFUSED, NEVER],
}
HOSTILE = "<script>alert(1)</script>\"'&\x00\x1b[2J\n\u202e\ud800"
"""A name that tries to break a report."""
SHOWN = "<script>alert(1)</script>\"'&\ufffd\ufffd[2J\ufffd\ufffd\ufffd"
"""The same name as reports show it."""


def hostile() -> dict[str, Any]:
    """A document whose every name is hostile."""
    points = {HOSTILE: 1, f"{HOSTILE} too": 0}
    made = operation(HOSTILE, HOSTILE, 2, False, statuses=points, parameters=points, fields=points, values=points)
    refused = {**made, "operation": f"{HOSTILE}2", "only_refused": True, "method": HOSTILE, "personas": points}
    never = {**made, "operation": f"{HOSTILE}3", "requests": 0}
    return {**DOCUMENT, "operations": [made, refused, never], "contract": HOSTILE, "stubserver": HOSTILE}


def only(found: dict[str, Any]) -> dict[str, Any]:
    """A document about one operation."""
    return {**DOCUMENT, "operations": [found]}
