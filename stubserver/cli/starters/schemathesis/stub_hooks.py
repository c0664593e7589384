"""Schemathesis hooks for the stub server of the Course API.

Every request is sent to a fresh world, except on walks along links, so the examples of the document stay true: the
first phase gets a success from every operation. What no schema can say is exempt, each with its reason, counted and
printed at the end.
"""

import atexit
import collections
import re
import sys
import urllib.request
from typing import Any
from urllib.parse import parse_qsl

import schemathesis
from schemathesis.core.failures import AcceptedNegativeData
from schemathesis.core.jsonschema import make_validator
from schemathesis.core.parameters import ParameterLocation
from schemathesis.openapi.checks import RejectedPositiveData, UseAfterFree

FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")
RULES: dict[str, set[str | None]] = {
    "unique": {"name", "slug"},  # taken by another course
    "does_not_exist": {
        *("categories", "users", "managers", "joined", "unjoined", "medias"),
        *("sections_order", "lessons_order", "questions_order"),  # only ids below the same parent
        *("responses", "parent", "in_reply_to"),
        *("upload_id", "shared_object", "event_object"),
    },
    "invalid": {
        *("privacy", "managers", "joined", "unjoined"),  # never back to a draft; nobody twice, and not the creator
        *("answers", "responses", "in_reply_to"),  # correct and complete answers; replies within one thread
        *("Content-Range", "md5", "upload_id"),  # they must fit the file
    },
    "required": {
        *("managers", "non_field_errors"),  # at least one list; a form loses empty ones
        *("image", "url", "embed"),  # depends on another field
        *("username", "password", "code", "refresh_token"),
    },
    "invalid_grant": {None},  # wrong passwords and used tokens
}
"""Code of an error -> fields: refusals of data that fits the schema, by rules that OpenAPI cannot express."""
NESTED = {"answers", "responses", "embed"}
"""Objects and lists of objects, which a form cannot carry."""
CHUNK = b'--b\r\nContent-Disposition: form-data; name="image"; filename="sky.png"\r\n\r\ntwelve bytes\r\n--b--\r\n'

_dropped: collections.Counter[str] = collections.Counter()


@atexit.register
def _report() -> None:
    for reason, times in sorted(_dropped.items()):
        print(f"dropped {times} x {reason}", file=sys.stderr)


@schemathesis.hook
def before_load_schema(context: Any, raw_schema: dict[str, Any]) -> None:
    """Read the bodies of links as the forms that they are; as texts, they would be sent as such."""
    answers = [
        answer
        for path in raw_schema["paths"].values()
        for operation in path.values()
        for answer in operation["responses"].values()
    ]
    for links in [*(answer.get("links", {}) for answer in answers), raw_schema["components"].get("links", {})]:
        for link in links.values():
            if isinstance(link.get("requestBody"), str):
                fields = dict(parse_qsl(link["requestBody"]))
                link["requestBody"] = {name: None if text == "null" else text for name, text in fields.items()}


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Start from a fresh world, with what the examples need; walks along links go on in the same world."""
    if case.meta is not None and case.meta.phase.name.value == "stateful":
        return
    base = case.operation.schema.get_base_url().rstrip("/")
    _send(f"{base}/__stub/worlds/default/reset", None, {})
    if case.operation.definition.raw.get("operationId") == "complete_media_upload":
        headers = {"Content-Range": "bytes 0-11/12", "Content-Type": "multipart/form-data; boundary=b"}
        _send(f"{base}/api/v2/media/upload/chunk/", CHUNK, {"Authorization": "Bearer stub-creator", **headers})


def _send(url: str, body: bytes | None, headers: dict[str, str]) -> None:
    request = urllib.request.Request(url, data=body, headers=headers, method="POST")
    urllib.request.urlopen(request, timeout=60).close()


@schemathesis.hook
def filter_failure(context: Any, failure: Any, case: Any, response: Any) -> bool:
    """Drop what is not a failure."""
    reason = None
    if isinstance(failure, RejectedPositiveData) and response.status_code == 400:
        reason = _refusal(case, response)
    elif isinstance(failure, UseAfterFree) and response.request.url.split("?")[0].endswith(("/invite/", "/join/")):
        reason = "deleting some invitations or one member does not delete the list"
    elif isinstance(failure, AcceptedNegativeData) and _only_body_is_wrong(case):
        reason = _acceptance(case)
    if reason:
        _dropped[f"{reason}: {case.operation.label}"] += 1
    return reason is None


def _refusal(case: Any, response: Any) -> str | None:
    """Why data that fits the schema may be refused with these errors."""
    entries = [
        (entry.get("field"), message["code"])
        for entry in response.json()["errors"]
        for message in entry.get("messages", [entry])
    ]
    if all(field in RULES.get(code, ()) for field, code in entries):
        return "a rule that no schema can say"
    if case.media_type in FORMS and isinstance(case.body, dict):
        nested = {name for value in case.body.values() if isinstance(value, dict) for name in value}
        if all(field in NESTED | nested for field, _ in entries):
            return "a form cannot carry objects"
    return None


def _only_body_is_wrong(case: Any) -> bool:
    places = [place for place in case.meta.components if case.meta.is_negative_at(place)] if case.meta else []
    return places == [ParameterLocation.BODY]


def _acceptance(case: Any) -> str | None:
    """Why data that does not fit the schema may be accepted."""
    if case.media_type in FORMS:
        return "whatever is put into a form arrives as text"
    if not isinstance(case.body, dict):
        return None
    schema = case.operation.get_body_for_media_type(case.media_type).optimized_schema
    kinds = {name: part.get("type") for name, part in schema.get("properties", {}).items() if isinstance(part, dict)}
    body = {name: _read(value, kinds.get(name)) for name, value in case.body.items()}
    validator = make_validator(schema, case.operation.schema.adapter.jsonschema_validator_cls)
    return "numbers are read from text" if validator.is_valid(body) else None


def _read(value: Any, kind: Any) -> Any:
    kinds = kind if isinstance(kind, list) else [kind]
    if isinstance(value, str) and "integer" in kinds and re.fullmatch(r"-?[0-9]+", value):
        return int(value)
    return value
