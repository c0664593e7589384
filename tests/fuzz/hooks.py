"""Schemathesis hooks: known ids and unique names in, and the two narrow exemptions out, each with its reason.

Every failure that is dropped is counted and printed by the run.
"""

import atexit
import collections
import itertools
import re
import sys
from typing import Any

import schemathesis
from schemathesis.core.failures import AcceptedNegativeData
from schemathesis.core.jsonschema import make_validator
from schemathesis.core.parameters import ParameterLocation
from schemathesis.openapi.checks import RejectedPositiveData
from schemathesis.specs.openapi.checks import _sent_form_fields

FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")
BUSINESS_RULES = {
    "unique": {"name", "slug"},  # R116, R121: another course has it
    "invalid": {"privacy", "managers", "joined", "unjoined"},  # R119, R220: no way back to draft; creator, doubled
    "does_not_exist": {"categories", "sections_order", "users", "managers", "joined", "unjoined"},  # R122, R124, R216
    "required": {"managers", "non_field_errors"},  # R218: unknown fields do not count, empty lists get lost in forms
}
"""Error code -> fields: refusals of schema-valid data by rules that OpenAPI cannot express."""

KNOWN_IDS = {
    "categories": [1, 2, 3, 4],
    "users": [3, 4, 5, 6, 8],
    "managers": [2, 8],
    "joined": [3, 9],
    "unjoined": [6],
}
"""Body field -> ids of the default fixture; random ones would only ever test the refusal."""

_dropped: collections.Counter[str] = collections.Counter()
_serial = itertools.count(1)


@atexit.register
def report() -> None:
    for reason, times in sorted(_dropped.items()):
        print(f"dropped {times} x {reason}", file=sys.stderr)


@schemathesis.hook
def map_case(context: Any, case: Any) -> Any:
    """Make names unique and ids known: else most writes collide or miss, and nothing behind them is tested.

    Only values that are valid already are replaced, so an invalid case stays invalid.
    """
    operation = case.operation.definition.raw.get("operationId")
    if operation == "leave_course" and _is_id(case.path_parameters.get("id")) and "user" in case.query:
        _somebody_to_remove(case)
    if isinstance(case.body, dict):
        body = {**case.body, **_known_ids(case.body)}
        if operation in ("create_course", "update_course", "patch_course"):
            body.update(_unique(case.body))
        if body != case.body:
            case.body = body
            case._record_starting_state()  # the edit keeps validity: the case must not be labelled anew
    return case


def _is_id(value: Any) -> bool:
    return type(value) is int and 1 <= value < 2**63


def _somebody_to_remove(case: Any) -> None:
    """The fuzzing creator may not leave, only remove others: a random id never meets one of them."""
    if _is_id(case.query["user"]) and case.meta is not None and case.meta.phase.name.value == "fuzzing":
        turn = next(_serial)
        case.path_parameters = {**case.path_parameters, "id": 1 + turn % 14}
        case.query = {**case.query, "user": (2, 3, 4, 8, 9)[turn // 14 % 5]}
        case._record_starting_state()


def _known_ids(body: dict[str, Any]) -> dict[str, Any]:
    turn = next(_serial)
    return {
        field: [known[(turn + number) % len(known)] for number in range(len(body[field]))]
        for field, known in KNOWN_IDS.items()
        if isinstance(body.get(field), list) and body[field] and all(map(_is_id, body[field]))
    }


def _unique(body: dict[str, Any]) -> dict[str, Any]:
    serial, found = next(_serial), {}
    if isinstance(body.get("name"), str) and body["name"].strip():
        found["name"] = f"{body['name']} {serial}"
    if isinstance(body.get("slug"), str) and re.fullmatch(r"[-a-zA-Z0-9_]+", body["slug"]):
        found["slug"] = f"{body['slug']}-{serial}"
    return found


@schemathesis.hook
def filter_failure(context: Any, failure: Any, case: Any, response: Any) -> bool:
    """Drop what is no failure: business rules, and forms that are valid as they arrive."""
    if isinstance(failure, RejectedPositiveData) and response.status_code == 400 and _by_business_rule(response):
        return _drop("a business rule refused schema-valid data", case)
    if isinstance(failure, AcceptedNegativeData) and _form_is_valid_on_the_wire(case, response):
        return _drop("a form that is valid as text", case)
    return True


def _drop(reason: str, case: Any) -> bool:
    _dropped[f"{reason}: {case.operation.label}"] += 1
    return False


def _by_business_rule(response: Any) -> bool:
    entries = [
        (entry.get("field"), message["code"])
        for entry in response.json()["errors"]
        for message in entry.get("messages", [entry])
    ]
    return all(field in BUSINESS_RULES.get(code, ()) for field, code in entries)


def _form_is_valid_on_the_wire(case: Any, response: Any) -> bool:
    """Form fields are text: a text field mutated to an object still arrives as a text, and is valid.

    Schemathesis knows this, but not for bodies with files or arrays.
    """
    if case.media_type not in FORMS or case.meta is None:
        return False
    if any(case.meta.is_negative_at(where) for where in case.meta.components if where != ParameterLocation.BODY):
        return False
    fields = _sent_form_fields(response, case.media_type)
    if fields is None:
        return False
    schema = case.operation.get_body_for_media_type(case.media_type).optimized_schema
    properties = schema.get("properties", {})
    sent = {name: _read(texts, properties.get(name, {})) for name, texts in fields.items()}
    return make_validator(schema, case.operation.schema.adapter.jsonschema_validator_cls).is_valid(sent)


def _read(texts: list[Any], schema: dict[str, Any]) -> Any:
    """A form field as a form parser reads it; None stands for a file."""
    if schema.get("type") == "array":
        return [_read([text], schema.get("items", {})) for text in texts]
    text = texts[-1] or ""
    if schema.get("type") == "integer" and re.fullmatch(r"-?[0-9]+", text):
        return int(text)
    if schema.get("type") == "boolean" and text.lower() in ("true", "false", "1", "0"):
        return text.lower() in ("true", "1")
    return text
