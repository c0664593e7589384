"""Schemathesis hooks: they put in known ids and unique names, and exempt a few narrow kinds of failure.

The run counts every dropped failure and prints the counts, each with its reason.
"""

import atexit
import collections
import hashlib
import itertools
import re
import sys
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import schemathesis
from schemathesis.core.failures import AcceptedNegativeData
from schemathesis.core.jsonschema import make_validator
from schemathesis.core.parameters import ParameterLocation
from schemathesis.openapi.checks import RejectedPositiveData, UndefinedStatusCode, UseAfterFree
from schemathesis.specs.openapi.checks import _sent_form_fields

from stubserver.api.images import png
from stubserver.contract.load import load_contract
from stubserver.fixtures.fixture import load
from tests.framework import ValidationError, as_form, converted, paged
from tests.fuzz import checks  # noqa: F401 (which registers them)

FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")
BUSINESS_RULES: dict[str, set[str | None]] = {
    "unique": {"name", "slug"},  # R116, R121: taken by another course
    "invalid": {
        *("privacy", "managers", "joined", "unjoined"),  # R119, R220: no way back to draft; the creator, duplicates
        *("answers", "responses", "in_reply_to"),  # R402, R407, R408, R419, R503: correct and complete answers; threads
        *("Content-Range", "md5"),  # R708, R709: depends on the file
    },
    "does_not_exist": {
        *("categories", "users", "managers", "joined", "unjoined", "medias"),  # R122, R216, R220, R309
        *("sections_order", "lessons_order", "questions_order"),  # R124, R306, R406: ids under other parents
        *("responses", "parent"),  # R408, R502
        *("upload_id", "shared_object", "event_object"),  # R708, R710: nothing to share
    },
    "required": {
        *("managers", "non_field_errors"),  # R218: unknown fields do not count, and forms lose empty lists
        *("image", "url", "embed"),  # R708, R710: which field is required depends on another
        *("username", "password", "code", "refresh_token"),  # R713: the same for grants
    },
    "invalid_image": {"image_original", "image"},  # R133: no picture
    "invalid_extension": {"image_original"},
    "empty": {"image_original", "image"},
    "invalid_grant": {None},  # R713-R715: wrong passwords, used tokens
}
"""Error code -> fields: refusals of schema-valid data by rules that OpenAPI cannot express."""

NESTED = {"answers", "responses", "embed"}
"""Objects and lists of objects, which a form cannot carry (R012)."""

KNOWN_IDS = {
    "categories": [1, 2, 3, 4],
    "users": [3, 4, 5, 6, 8],
    "managers": [2, 8],
    "joined": [3, 9],
    "unjoined": [6],
    "medias": [1, 2, 3],
}
"""Body field -> ids in the default fixture; random ids would only ever test the refusal."""

ORDERS = {"sections_order", "lessons_order", "questions_order"}
"""Lists of ids that exist only below the parent; nearly always left out, as random ids only test the refusal."""

QUIZ = {"id": 1, "section_id": 2, "lesson_id": 5}
"""A quiz of the default fixture; ATTEMPT answers it correctly."""
ATTEMPT = [
    {"question_id": 1, "selected_options": [1]},
    {"question_id": 2, "selected_options": [4, 6]},
    {"question_id": 3, "selected_options": [8]},
    {"question_id": 4, "selected_options": [11, 12]},
]

PIECE = png(8, "a whole file in one piece")
PIECE_RANGE = f"bytes 0-{len(PIECE) - 1}/{len(PIECE)}"
PASSWORD = {"grant_type": "password", "client_id": "stub-app", "username": "wren_hollis", "password": "stub-password"}

_dropped: collections.Counter[str] = collections.Counter()
_serial = itertools.count(1)


@atexit.register
def report() -> None:
    for reason, times in sorted(_dropped.items()):
        print(f"dropped {times} x {reason}", file=sys.stderr)


@schemathesis.hook
def before_load_schema(context: Any, raw_schema: dict[str, Any]) -> None:
    """Read the bodies of links as the forms that they are; as texts, they would be sent as such."""
    for path in raw_schema["paths"].values():
        for operation in path.values():
            for answer in operation["responses"].values():
                for link in answer.get("links", {}).values():
                    _read_body(link)
    for link in raw_schema["components"].get("links", {}).values():
        _read_body(link)


def _read_body(link: dict[str, Any]) -> None:
    if isinstance(link.get("requestBody"), str):
        fields = dict(parse_qsl(link["requestBody"]))
        link["requestBody"] = {name: None if text == "null" else text for name, text in fields.items()}


@schemathesis.hook
def map_case(context: Any, case: Any) -> Any:
    """Make names unique and ids in bodies known; otherwise most writes collide or miss, and test nothing further in.

    Only values that are already valid are replaced, so an invalid case stays invalid.
    """
    if isinstance(case.body, dict):
        operation = _operation_id(case)
        body = _with_known_ids(case.body)
        if operation in ("create_course", "update_course", "patch_course"):
            body.update(_unique(case.body))
            if isinstance(body.get("image_original"), bytes) and next(_serial) % 4:
                del body["image_original"]  # random bytes are no picture (R133)
        if body.get("type") == "lesson":
            body["type"] = "quiz"  # so that links lead on to its questions; the fixture's quizzes stay as they are
        carries_json = operation in OPERATIONS and "application/json" in OPERATIONS[operation].bodies
        if (
            carries_json
            and NESTED & body.keys()
            and case.media_type in FORMS
            and (next(_serial) % 8 or _is_example(case))
        ):
            case.media_type = "application/json"  # a form only ever tests the refusal
        if "answers" in body and next(_serial) % 4:
            body["answers"] = _one_correct(body["answers"])
        if operation == "create_course_comment" and not _is_linked(case) and _are_ids(body, "parent", "in_reply_to"):
            body |= dict.fromkeys({"parent", "in_reply_to"} & body.keys())
        body = _with_what_frontends_send(case, operation, body)
        if body != case.body:
            case.body = body
            case._record_starting_state()  # the edited case is as valid as before: keep its label
    return case


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Point paths (and attempts) at rows that exist, after Schemathesis has put in ids learned from answers.

    Three times in four, a nested path leads to a row of the fixture, because random ids hardly ever belong together.
    Deletions get some courses, and everything else gets the others, so that these keep their rows. The quiz used for
    attempts is left alone.
    """
    name, turn, before = _operation_id(case), next(_serial), case.path_parameters
    if _is_linked(case) or not before or not all(re.fullmatch(r"-?[0-9]+", str(value)) for value in before.values()):
        return
    operation = OPERATIONS.get(name)
    known = PATHS.get(tuple(operation.loads.values())) if operation else None
    if name == "make_course_attempt" and isinstance(case.body, dict) and _answers_something(case.body):
        case.path_parameters, case.body = dict(QUIZ), {**case.body, "responses": ATTEMPT}
    elif operation and known and (turn % 4 or _is_example(case)):
        if operation.method == "delete":
            known = [path for path in known if path["id"] == DELETED_FROM[list(operation.loads.values())[-1]]]
        else:
            known = [path for path in known if path["id"] not in DELETED_FROM.values()]
        case.path_parameters = dict(known[turn % len(known)])
    elif name == "delete_course" and before["id"] in range(1, 15):
        case.path_parameters = {"id": 13}
    elif name == "leave_course" and _is_id(case.query.get("user")):  # the fuzzing creator may only remove others
        case.path_parameters = {"id": 1 + turn % 14}
        case.query = {**case.query, "user": (2, 3, 4, 8, 9)[turn // 14 % 5]}
    if case.path_parameters != before:
        case._record_starting_state()


def _operation_id(case: Any) -> str:
    name: str = case.operation.definition.raw.get("operationId")
    return name


def _is_linked(case: Any) -> bool:
    """Whether the case comes from a link, and so has known ids already."""
    return case.meta is not None and case.meta.phase.name.value == "stateful"


def _is_example(case: Any) -> bool:
    """Whether the case is the contract's own example; Schemathesis warns if all examples are refused."""
    return case.meta is not None and case.meta.phase.name.value == "examples"


def _known_paths() -> dict[tuple[str, ...], list[dict[str, int]]]:
    """Kinds of rows that a path names -> the path parameters of such rows in the default fixture."""
    tables = {name: list(base.rows.values()) for name, base in load("default", load_contract()).tables.items()}
    sections = {row["id"]: {"id": row["course_id"], "section_id": row["id"]} for row in tables["sections"]}
    lessons = {row["id"]: {**sections[row["section_id"]], "lesson_id": row["id"]} for row in tables["lessons"]}
    del lessons[QUIZ["lesson_id"]]
    quizzes = [row["id"] for row in tables["lessons"] if row["type"] == "quiz" and row["id"] in lessons]
    found: dict[tuple[str, ...], list[dict[str, int]]] = {
        ("course", "section"): list(sections.values()),
        ("course", "section", "lesson"): list(lessons.values()),
        ("course", "section", "quiz"): [lessons[number] for number in quizzes],
    }
    for kind, parent in (("question", "quiz"), ("attempt", "quiz"), ("comment", "lesson")):
        rows = [row for row in tables[f"{kind}s"] if row["lesson_id"] in lessons]
        paths = [{**lessons[row["lesson_id"]], f"{kind}_id": row["id"]} for row in rows]
        found["course", "section", parent, kind] = paths
    return found


DELETED_FROM = {"section": 15, "lesson": 14, "question": 10, "comment": 7}
"""Kind of row -> the course of the default fixture in which such rows are deleted; everything else uses other
courses."""

CONTRACT = load_contract()
OPERATIONS = CONTRACT.operations
PATHS = _known_paths()


def _is_id(value: Any) -> bool:
    return type(value) is int and 1 <= value < 2**63


def _are_ids(body: dict[str, Any], *fields: str) -> bool:
    return all(body.get(field) is None or _is_id(body[field]) for field in fields)


def _with_what_frontends_send(case: Any, operation: str, body: dict[str, Any]) -> dict[str, Any]:
    """Three times in four, replace valid values by a small whole file, its checksum, a link or the right password."""
    if operation == "upload_media_chunk" and _is_piece(case, body) and next(_serial) % 4:
        case.headers["Content-Range"] = PIECE_RANGE
        return {"image": PIECE}
    if operation == "complete_media_upload" and re.fullmatch(r"[0-9A-Fa-f]{32}", str(body.get("md5"))):
        return {**body, "md5": hashlib.md5(PIECE, usedforsecurity=False).hexdigest()}
    if operation == "create_media" and body.get("type") in ("share", "url") and next(_serial) % 4:
        return {"url": "https://community.example/page", **body, "type": "url"}
    grants = ("password", "authorization_code", "refresh_token")
    if operation == "oauth_token" and body.get("grant_type") in grants and _are_texts(body):
        return body if _is_linked(case) or next(_serial) % 4 == 0 else PASSWORD
    if operation == "revoke_token" and not _is_linked(case) and _are_texts(body) and "token" in body:
        return {"client_id": "stub-app", "token": body["token"]}
    return body


def _is_piece(case: Any, body: dict[str, Any]) -> bool:
    header = str(case.headers.get("Content-Range"))
    fits = re.fullmatch(r"bytes [0-9]{1,9}-[0-9]{1,9}/[0-9]{1,9}", header)
    upload = body.get("upload_id", "")
    return bool(fits) and isinstance(upload, str) and len(upload) <= 64


def _are_texts(body: dict[str, Any]) -> bool:
    return all(isinstance(value, str) for value in body.values())


def _one_correct(answers: Any) -> Any:
    """The first answer right and the others wrong, which suits every type of question (R402)."""
    if not isinstance(answers, list) or not all(
        isinstance(answer, dict) and type(answer.get("correct", False)) is bool for answer in answers
    ):
        return answers
    return [{**answer, "correct": position == 0} for position, answer in enumerate(answers)]


def _answers_something(body: dict[str, Any]) -> bool:
    """Whether the body holds valid responses, which others may then replace."""
    responses = body.get("responses")
    return isinstance(responses, list) and all(
        isinstance(response, dict)
        and _is_id(response.get("question_id"))
        and isinstance(response.get("selected_options"), list)
        and response["selected_options"]
        and all(map(_is_id, response["selected_options"]))
        for response in responses
    )


def _with_known_ids(body: dict[str, Any]) -> dict[str, Any]:
    turn, found = next(_serial), {}
    for field, value in body.items():
        known = KNOWN_IDS.get(field)
        if known and isinstance(value, list) and all(map(_is_id, value)):
            value = [known[(turn + number) % len(known)] for number in range(len(value))]
        if field in ORDERS and isinstance(value, list) and all(map(_is_id, value)) and turn % 8:
            continue
        found[field] = value
    return found


def _unique(body: dict[str, Any]) -> dict[str, Any]:
    serial, found = next(_serial), {}
    if isinstance(body.get("name"), str) and body["name"].strip():
        found["name"] = f"{body['name']} {serial}"
    if isinstance(body.get("slug"), str) and re.fullmatch(r"[-a-zA-Z0-9_]+", body["slug"]):
        found["slug"] = f"{body['slug']}-{serial}"
    return found


@schemathesis.hook
def filter_failure(context: Any, failure: Any, case: Any, response: Any) -> bool:
    """Drop what is not a failure: refusals by business rules, and forms that are valid as they arrive."""
    if isinstance(failure, RejectedPositiveData) and response.status_code == 400:
        entries = _entries(response)
        if all(field in BUSINESS_RULES.get(code, ()) for field, code in entries):
            return _drop("a business rule refused schema-valid data", case)
        if case.media_type in FORMS and all(field in NESTED for field, _ in entries):
            return _drop("a form cannot carry lists of objects", case)
        if (
            case.media_type in FORMS
            and isinstance(case.body, dict)
            and all(_is_flattened(case.body, field) for field, _ in entries)
        ):
            return _drop("a form cannot carry an object: its fields arrive as fields of the body", case)
    if isinstance(failure, UndefinedStatusCode) and response.status_code == 400 and _is_about_our_headers(response):
        return _drop("a header that was made up is one of ours", case)
    if isinstance(failure, UseAfterFree) and response.request.url.split("?")[0].endswith(("/invite/", "/join/")):
        return _drop("deleting some invitations or one member does not delete the list", case)
    if isinstance(failure, AcceptedNegativeData) and _form_is_valid_on_the_wire(case, response):
        return _drop("a form that is valid as text", case)
    if isinstance(failure, AcceptedNegativeData) and _framework_accepts(case, response):
        return _drop("Django REST Framework accepts it, too", case)
    return True


def _is_flattened(body: dict[str, Any], field: str | None) -> bool:
    """Whether the field may come from an object in the body, whose fields Schemathesis writes into the form one by
    one."""
    return any(field in value for value in body.values() if isinstance(value, dict))


def _drop(reason: str, case: Any) -> bool:
    _dropped[f"{reason}: {case.operation.label}"] += 1
    return False


def _entries(response: Any) -> list[tuple[str | None, str]]:
    """Field and code of everything that a refusal names."""
    return [
        (entry.get("field"), message["code"])
        for entry in response.json()["errors"]
        for message in entry.get("messages", [entry])
    ]


def _is_about_our_headers(response: Any) -> bool:
    """Whether a refusal names nothing but headers of the stub server, which are no part of the API. Hypothesis takes
    texts from our own code as the names of headers."""
    return all((field or "").startswith("X-Stub-") for field, _ in _entries(response))


def _form_is_valid_on_the_wire(case: Any, response: Any) -> bool:
    """Form fields are text: a text field mutated to an object still arrives as text, and is valid.

    Schemathesis handles this, except for bodies with files or arrays.
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


def _framework_accepts(case: Any, response: Any) -> bool:
    """Whether the framework behind the real API would accept the request: its own fields read the body, its own pages
    take the limit and the offset (R016, R022, R028)."""
    if case.meta is None:
        return False
    negative = {where for where in case.meta.components if case.meta.is_negative_at(where)}
    takes = {ParameterLocation.QUERY: _takes_the_query, ParameterLocation.BODY: _takes_the_body}
    return negative <= takes.keys() and all(takes[where](case, response) for where in negative)


def _takes_the_query(case: Any, response: Any) -> bool:
    """Whether nothing but a limit or an offset is wrong; any value is fine as one of these. A list that arrives empty
    is none: an empty object, say, leaves nothing but the name."""
    page = paged(case.query)
    others = {parameter.name: parameter.optimized_schema for parameter in case.operation.query}
    sent = parse_qs(urlsplit(response.request.url).query, keep_blank_values=True)
    return all(
        name in page
        or name not in others
        or (others[name].get("type") == "array" and sent.get(name) == [""])
        or _is_valid(case, _read(_texts(value), others[name]), others[name])
        for name, value in case.query.items()
    )


def _texts(value: Any) -> list[str]:
    return [str(part) for part in (value if isinstance(value, list) else [value])]


def _takes_the_body(case: Any, response: Any) -> bool:
    schema = case.operation.get_body_for_media_type(case.media_type).optimized_schema
    body = case.body
    if case.media_type in FORMS:
        sent = _sent_form_fields(response, case.media_type) or {}
        body = as_form({name: [text for text in texts if text is not None] for name, texts in sent.items()})
    try:
        written = _written(OPERATIONS[_operation_id(case)].bodies[case.media_type].schema)
        return _is_valid(case, converted(body, written, partial=case.operation.method == "patch"), schema)
    except ValidationError:
        return False


def _written(schema: Any) -> Any:
    """The schema as the contract has it, with what it refers to in place of references."""
    if isinstance(schema, list):
        return [_written(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {name: _written(part) for name, part in CONTRACT.resolve(schema).items()}


def _is_valid(case: Any, value: Any, schema: Any) -> bool:
    valid: bool = make_validator(schema, case.operation.schema.adapter.jsonschema_validator_cls).is_valid(value)
    return valid


def _read(texts: Sequence[str | None], schema: dict[str, Any]) -> Any:
    """A form field as a form parser reads it; None means a file."""
    if schema.get("type") == "array":
        return [_read([text], schema.get("items", {})) for text in texts]
    text = texts[-1] or ""
    if text == "null" and (schema.get("nullable") or "null" in str(schema)):
        return None  # what a browser's FormData makes of null
    schema = next((option for option in schema.get("anyOf", []) if option.get("type") != "null"), schema)
    if schema.get("type") == "integer" and re.fullmatch(r"-?[0-9]+", text):
        return int(text)
    if schema.get("type") == "boolean" and text.lower() in ("true", "false", "1", "0"):
        return text.lower() in ("true", "1")
    return text
