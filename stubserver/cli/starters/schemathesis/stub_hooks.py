"""Schemathesis hooks for the stub server of the Course API.

Every request is sent to a fresh world, except on walks along links, so the examples of the document stay true: the
first phase gets a success from every operation. What no schema can say is exempt, each with its reason, counted and
printed at the end.
"""

import atexit
import collections
import functools
import json
import re
import sys
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import schemathesis
from schemathesis.core.failures import AcceptedNegativeData
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
    "invalid_image": {"image", "image_original"},
    "invalid_extension": {"image_original"},
    "empty": {"image", "image_original"},
}
"""Code of an error -> fields: refusals of data that fits the schema, by rules that OpenAPI cannot express."""
NESTED = {"answers", "responses", "embed"}
"""Objects and lists of objects, which a form cannot carry."""
CHUNK = b'--b\r\nContent-Disposition: form-data; name="image"; filename="sky.png"\r\n\r\ntwelve bytes\r\n--b--\r\n'
UPLOAD = "0b91ccd851a9ad96f517582ea8509988"
"""The upload in the example."""

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
    _start(base)
    _send("POST", f"{base}/__stub/worlds/{_world(base)}/reset")
    if case.operation.definition.raw.get("operationId") == "complete_media_upload" and isinstance(case.body, dict):
        headers = {"Content-Range": "bytes 0-11/12", "Content-Type": "multipart/form-data; boundary=b"}
        upload = _send("POST", f"{base}/api/v2/media/upload/chunk/", CHUNK, headers)
        if case.body.get("upload_id") == UPLOAD:
            case.body["upload_id"] = upload["upload_id"]


@functools.cache
def _start(base: str) -> None:
    """Make the world strict: else it accepts more than the types of the schema allow, as the real API does."""
    _send("GET", f"{base}/api/v2/feature/")  # a world begins with its first request
    headers = {"Content-Type": "application/json"}
    _send("PATCH", f"{base}/__stub/worlds/{_world(base)}", b'{"strict": true}', headers)


def _world(base: str) -> str:
    """The world in an address such as http://127.0.0.1:8765/~fuzz."""
    named = re.search(r"/~([^/]+)$", base)
    return named[1] if named else "default"


def _send(method: str, url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> Any:
    request = urllib.request.Request(url, data=body, method=method)
    for name, value in {"Authorization": "Bearer stub-creator", **(headers or {})}.items():
        request.add_header(name, value)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


@schemathesis.hook
def filter_failure(context: Any, failure: Any, case: Any, response: Any) -> bool:
    """Drop what is not a failure."""
    reason = None
    if isinstance(failure, RejectedPositiveData) and response.status_code == 400:
        reason = _refusal(case, response)
    elif isinstance(failure, UseAfterFree) and response.request.url.split("?")[0].endswith(("/invite/", "/join/")):
        reason = "deleting some invitations or one member does not delete the list"
    elif isinstance(failure, AcceptedNegativeData) and case.media_type in FORMS and _only_body_is_wrong(case):
        reason = "whatever is put into a form arrives as text"
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
