"""Schemathesis hooks for the control plane: they put in names that exist, and exempt two narrow kinds of failure.

The run counts every dropped failure and prints the counts, each with its reason.
"""

import atexit
import collections
import itertools
import sys
from typing import Any

import httpx
import schemathesis
from schemathesis.core.jsonschema import make_validator
from schemathesis.openapi.checks import RejectedPositiveData, UseAfterFree

from stubserver.contract.load import load_contract

OPERATIONS = [*load_contract().operations]
SERVER_RULES = {
    "invalid": {
        "at",
        *("weeks", "days", "hours", "minutes", "seconds"),
        "checksum",
        "snapshot",
        "world",
        "method",
        "operation",
        "format",
        *("place", "kind"),
    },  # years; checksums; one source only; stale answers to writes; formats of later versions; variants nobody offers
    "unique": {"name"},  # the world exists already
    "does_not_exist": {"fixture", "operation", "path", "persona", "place"},
    "invalid_choice": {"method", "status", "choice"},  # of the operation, and of the kind of variant
    "max_length": {"non_field_errors", "name"},  # too many faults or snapshots
}
"""Error code -> fields: refusals of schema-valid data that depend on the server's state."""

_dropped: collections.Counter[str] = collections.Counter()
_serial = itertools.count(1)


@atexit.register
def report() -> None:
    for reason, times in sorted(_dropped.items()):
        print(f"dropped {times} x {reason}", file=sys.stderr)


@schemathesis.hook
def map_case(context: Any, case: Any) -> Any:
    """Point valid names at what exists, make new names unique, and send real snapshots; otherwise most writes miss.

    Only valid bodies are edited, so an invalid case stays invalid.
    """
    turn, operation = next(_serial), case.operation.definition.raw.get("operationId")
    edit = EDITS.get(operation)
    if edit is not None and turn % 4 and isinstance(case.body, dict) and _is_valid(case):
        case.body = edit(case, turn)
        case._record_starting_state()  # keep the label of the case
    return case


def _is_valid(case: Any) -> bool:
    schema = case.operation.get_body_for_media_type(case.media_type).optimized_schema
    return make_validator(schema, case.operation.schema.adapter.jsonschema_validator_cls).is_valid(case.body)


def _known_names(case: Any, turn: int) -> Any:
    return _with_known_names(case.body, turn)


def _with_known_names(wanted: dict[str, Any], turn: int) -> dict[str, Any]:
    """Fields that pick requests, with names that exist and fit each other."""
    known = {"operation": OPERATIONS[turn % len(OPERATIONS)], "path": "*", "persona": "stub-member", "status": 404}
    found = {name: known.get(name, value) for name, value in wanted.items()}
    left_out = (
        {"operation", "method"} if found.get("kind") == "stale" else {"method"} if "operation" in found else set()
    )
    return {name: value for name, value in found.items() if name not in left_out}


def _is_plain(query: dict[str, Any]) -> bool:
    """Whether the values are of the right types, so that valid ones may replace them."""
    return all(type(value) is (int if name == "status" else str) for name, value in query.items() if name in PICKING)


def _new_world(case: Any, turn: int) -> Any:
    body = {name: value for name, value in case.body.items() if name not in ("fixture", "snapshot", "world")}
    if "name" in body:
        body["name"] = f"{body['name'][:50]}-{turn}"
    return body | ({}, {"fixture": "empty"}, {"world": "default"})[turn % 3]


def _taken_snapshot(case: Any, _: int) -> Any:
    base = case.operation.schema.get_base_url()
    httpx.post(f"{base}/snapshots", json={"name": "fuzzed"}, timeout=10)
    return httpx.get(f"{base}/snapshots/fuzzed", timeout=10).json()


PICKING = ("operation", "method", "path", "persona", "status")
"""Parameters that pick requests."""
EDITS = {
    "create_fault": _known_names,
    "verify_requests": _known_names,
    "create_world": _new_world,
    "load_snapshot": _taken_snapshot,
}
"""Operation -> what replaces three in four of its valid bodies."""


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Three times in four, create what the path names before the request, and name a fixture that exists."""
    operation, base = case.operation.definition.raw.get("operationId"), case.operation.schema.get_base_url()
    if operation == "follow_world" and type((case.query or {}).get("seconds")) is int:
        case.query = {**case.query, "seconds": min(case.query["seconds"], 1)}  # an hour would be too long
        case._record_starting_state()
    if next(_serial) % 4 == 0:
        return
    if operation in MADE and not _is_linked(case):
        case.path_parameters = MADE[operation](base)
    elif operation == "delete_fault" and not _is_linked(case) and not case.headers:
        case.path_parameters = _made_fault(base)
    elif operation == "delete_variant" and not _is_linked(case) and not case.headers:
        case.path_parameters = _made_variant(base)
    elif operation in ("list_requests", "list_journal") and case.query and _is_plain(case.query):
        case.query = _with_known_names(case.query, next(_serial))
    elif operation == "reset_world" and isinstance(case.query.get("fixture"), str):
        case.query = {**case.query, "fixture": "default"}
    else:
        return
    case._record_starting_state()


def _is_linked(case: Any) -> bool:
    """Whether the case comes from a link, and so has known names already."""
    return case.meta is not None and case.meta.phase.name.value == "stateful"


def _asked(base: str) -> dict[str, Any]:
    answer = httpx.get(f"{base.removesuffix('/__stub')}/~asked/api/v2/category/", timeout=10)
    return {"request": answer.headers["x-stub-request"]}


def _made_world(base: str) -> dict[str, Any]:
    return {"world": httpx.post(f"{base}/worlds", json={}, timeout=10).json()["name"]}


def _made_snapshot(base: str) -> dict[str, Any]:
    return {"snapshot": httpx.post(f"{base}/snapshots", json={"name": "fuzzed"}, timeout=10).json()["name"]}


def _made_fault(base: str) -> dict[str, Any]:
    httpx.delete(f"{base}/faults", timeout=10)  # there may be a hundred
    return {"id": httpx.post(f"{base}/faults", json={"kind": "reset", "times": 1}, timeout=10).json()["id"]}


def _made_variant(base: str) -> dict[str, Any]:
    httpx.delete(f"{base}/variants", timeout=10)  # there may be a hundred
    return {"id": httpx.post(f"{base}/variants", json={"kind": "null"}, timeout=10).json()["id"]}


MADE = {
    **dict.fromkeys(("get_request", "explain_request"), _asked),
    "list_rows": lambda _: {"table": "courses"},
    "get_row": lambda _: {"table": "courses", "row": "1"},
    **dict.fromkeys(("get_world", "patch_world", "delete_world"), _made_world),
    **dict.fromkeys(("get_snapshot", "restore_snapshot", "delete_snapshot"), _made_snapshot),
}
"""Operation -> what creates something that its path can name."""


@schemathesis.hook
def filter_failure(context: Any, failure: Any, case: Any, response: Any) -> bool:
    """Drop what is not a failure: refusals that depend on the server's state, which the schema cannot know."""
    if isinstance(failure, RejectedPositiveData) and response.status_code == 400:
        entries = [
            (entry.get("field"), message["code"])
            for entry in response.json()["errors"]
            for message in entry.get("messages", [entry])
        ]
        if all(field in SERVER_RULES.get(code, ()) for field, code in entries):
            _dropped[f"the server's state refused schema-valid data: {case.operation.label}"] += 1
            return False
    if isinstance(failure, UseAfterFree) and "/worlds/" in response.request.url:
        _dropped[f"naming a deleted world makes it again: {case.operation.label}"] += 1
        return False
    return True
