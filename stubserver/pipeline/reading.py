"""Reading a request: turns every spelling that the vendor's client, pages and docs use into one typed form.

Arrays have five spellings in queries (R013), three in forms (R012); bodies are JSON, urlencoded or multipart (R009).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from operator import itemgetter
from typing import Any

import orjson
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import FormParser, MultipartState, parse_options_header

from stubserver.call import MAX_FIELDS, Call, Upload, urlencoded
from stubserver.contract.operation import Body
from stubserver.contract.schema import Schema, echo, unknown_names
from stubserver.errors import Problem, Refusal, invalid, refusal
from stubserver.pipeline.bounds import MAX_DEPTH, check_size, is_deeper

_INTEGER = re.compile(r"-?[0-9]{1,19}", re.ASCII)
_BRACKETS = re.compile(r"(.+)\[([0-9]{0,9})\]", re.ASCII)
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


def read_parameters(call: Call) -> None:
    """Fill `call.query` with the declared parameters. Raises a 400 refusal that names each bad one (R013, R016)."""
    problems: list[Problem] = list(_unknown_parameters(call)) if call.is_control else []
    for parameter in call.operation.parameters:
        texts = call.sent(parameter)
        value = None if texts is None else _query_value(texts, parameter.schema)
        if value is None and parameter.required:
            problems.append(Problem("required", f"This {parameter.place} parameter is required.", parameter.name))
        if value is not None and not parameter.validator.fits(value):
            problems += parameter.validator.problems(value, parameter.name)
            continue
        if isinstance(value, list):
            value = [item for item in value if item != ""] or None  # clients send an empty text to mean "none"
        if value is None:
            value = parameter.schema.get("default")
        if value is not None:
            call.query[parameter.name] = value
    if problems:
        raise Refusal(400, problems)


def _unknown_parameters(call: Call) -> Iterator[Problem]:
    """Parameters that the operation does not have: the control plane refuses them, the API ignores them (R011)."""
    known = [parameter.name for parameter in call.operation.parameters if parameter.place == "query"]
    return unknown_names("query parameter", call.query_texts, known)


def _query_value(texts: list[str], schema: Schema) -> Any:
    if schema["type"] != "array":
        return typed(texts[-1], schema)
    items = [item for text in texts for item in _listed(text)]
    return [typed(item, schema["items"]) if isinstance(item, str) else item for item in items]


def _listed(text: str) -> list[Any]:
    """One query value as a list: the text of a JSON array, or items separated by commas, or a single item."""
    if text.startswith("["):
        try:
            items: list[Any] = orjson.loads(text)
        except orjson.JSONDecodeError:
            return [text]
        return [text] if is_deeper(items, MAX_DEPTH) else items
    return text.split(",")


def typed(text: str, schema: Schema) -> Any:
    """`text` converted to the type of `schema`, or unchanged if it cannot be converted (R022)."""
    match schema.get("type"):
        case _ if text == "null" and schema.get("nullable"):
            return None  # what a browser's FormData makes of null
        case "integer" if _INTEGER.fullmatch(text):
            return int(text)
        case "boolean":
            return _BOOLEANS.get(text.lower(), text)
        case _:
            return text


def read_json(call: Call, body: Body) -> None:
    """Fill `call.body` from JSON. Raises a 400 refusal."""
    if not call.raw_body and body.required:
        raise refusal(400, "This operation needs a JSON body, and the request has none.", "required")
    try:
        value = orjson.loads(call.raw_body or b"{}")
    except orjson.JSONDecodeError as error:
        raise refusal(400, f"JSON parse error - {error}.") from None
    check_size(call, value)
    if isinstance(value, dict):
        call.sent_fields = tuple(value)
        _read_numbers(value, body)
    _accept(call, body, value)


def _read_numbers(value: dict[str, Any], body: Body) -> None:
    """Convert whole numbers sent as text, which is how the vendor's forms send what users type (R022)."""
    for name in body.integers:
        if isinstance(value.get(name), str) and value[name] != "null":
            value[name] = typed(value[name], body.schema["properties"][name])


def read_urlencoded(call: Call, body: Body) -> None:
    """Fill `call.body` from a urlencoded form. Raises a 400 refusal."""
    _accept(call, body, _form(call, _pairs(call, body), body.schema))


def _pairs(call: Call, body: Body) -> Iterable[tuple[str, str]]:
    """The fields of a urlencoded form, in order. Raises a 400 refusal."""
    if call.raw_body.lstrip().startswith(b"{"):
        message = (
            "The body is JSON text, but its Content-Type says application/x-www-form-urlencoded, "
            "so no field was found in it. Send it as application/json."
        )
        missing = body.validator.problems({})
        raise Refusal(400, [*missing, Problem("parse_error", message, "non_field_errors")])
    return urlencoded(call.raw_body, "form")


def read_multipart(call: Call, body: Body) -> None:
    """Fill `call.body` and `call.files` from a multipart form. Raises a 400 refusal."""
    parts = list(_parts(call.content_type, call.raw_body))
    _accept(call, body, _form(call, parts, body.schema))
    call.files = {name: value for name, value in parts if isinstance(value, Upload) and name in call.body}


FORM = "application/x-www-form-urlencoded"
READERS = {
    "application/json": read_json,
    FORM: read_urlencoded,
    "multipart/form-data": read_multipart,
}
"""Media type -> the function that reads such a body."""


def read_body(call: Call, media: str) -> None:
    """Fill the call's fields about its body, which has this media type. Raises a 400 refusal."""
    READERS[media](call, call.operation.bodies[media])


def _accept(call: Call, body: Body, value: Any) -> None:
    """Validate a body and store its declared fields; unknown and read-only ones are ignored (R011)."""
    if not body.validator.fits(value):
        raise Refusal(400, list(body.validator.problems(value)))
    writable = call.operation.fields
    call.body = {name: part for name, part in value.items() if name in writable}
    for name in body.special:
        if name in call.body:
            call.body[name] = _stored(name, call.body[name], writable[name])


def _stored(name: str, value: Any, schema: Schema) -> Any:
    """A valid value as rows hold it: times as datetimes (R020). Raises a 400 refusal for a leap second."""
    if value is None or schema.get("type") == "object":
        return value
    try:
        return datetime.fromisoformat(value.upper())
    except ValueError:
        message = f"{echo(value)} is no date and time that exists: write 2031-05-01T09:00:00Z, for example."
        raise invalid(name, "invalid", message) from None


def note_form(call: Call) -> None:
    """Fill `call.form` for the journal if no hop has read the form: the request was refused early, or met a fault.
    Without effect if it cannot be read."""
    if call.form is not None or call.routed is None or not call.raw_body:
        return
    media = call.content_type.partition(";")[0]
    if (body := call.routed.bodies.get(media)) is None or media == "application/json":
        return
    with suppress(Refusal):
        fields = _pairs(call, body) if media == FORM else _parts(call.content_type, call.raw_body)
        _collected(call, fields, body.schema["properties"])


def _form(call: Call, fields: Iterable[tuple[str, str | Upload]], schema: Schema) -> dict[str, Any]:
    """Form fields in the types of `schema`. Raises a 400 refusal for a file where text is expected."""
    properties: Mapping[str, Any] = schema["properties"]
    sent = _collected(call, fields, properties)
    call.sent_fields = tuple(sent)
    return {name: _form_value(name, values, properties[name]) for name, values in sent.items() if name in properties}


_Sent = Mapping[str, list[str | Upload]]
"""Form field -> its values in order."""


def _collected(call: Call, fields: Iterable[tuple[str, str | Upload]], properties: Mapping[str, Any]) -> _Sent:
    """Form fields by name, also as `call.form`; `name[]` and `name[0]` are collected into the array `name` (R012)."""
    sent: dict[str, list[tuple[int, str | Upload]]] = {}
    for position, (name, value) in enumerate(fields):
        indexed = _BRACKETS.fullmatch(name)
        if indexed and properties.get(indexed[1], {}).get("type") == "array":
            name, position = indexed[1], int(indexed[2] or position)
        sent.setdefault(name, []).append((position, value))
    found = {name: [value for _, value in sorted(values, key=itemgetter(0))] for name, values in sent.items()}
    call.form = {name: _as_sent(values, properties.get(name)) for name, values in found.items()}
    return found


def _as_sent(values: list[str | Upload], schema: Schema | None) -> Any:
    """What the journal shows of a form field: in the types of its schema, if it has one."""
    shown = [_described(value) if isinstance(value, Upload) else value for value in values]
    if schema is None:
        return shown if len(shown) > 1 else shown[0]
    of_item = schema.get("items", schema)
    found = [typed(value, of_item) if isinstance(value, str) else value for value in shown]
    return found if schema.get("type") == "array" else found[-1]


def _described(file: Upload) -> Mapping[str, Any]:
    return {"name": file.name, "size": file.size, "digest": f"sha256:{file.sha256}"}


def _form_value(name: str, values: list[str | Upload], schema: Schema) -> Any:
    if schema.get("type") == "array":
        return [_scalar(name, value, schema["items"]) for value in values]
    return _scalar(name, values[-1], schema)


def _scalar(name: str, value: str | Upload, schema: Schema) -> Any:
    if isinstance(value, str):
        return typed(value, schema)
    if schema.get("format") != "binary":
        raise Refusal(400, [Problem("invalid", "Expected text, got a file.", name)])
    return value.digest


def _parts(content_type: str, body: bytes) -> Iterator[tuple[str, str | Upload]]:
    """The parts of a multipart body, in order; nothing is written to disk."""
    fields: list[tuple[bytes, bytes | Upload]] = []
    _, options = parse_options_header(content_type)
    if b"boundary" not in options:
        raise refusal(400, "Form parse error - the multipart Content-Type has no boundary.")
    if body.count(b"--" + options[b"boundary"]) > MAX_FIELDS + 1:
        raise refusal(400, f"The form has more than {MAX_FIELDS} fields.")
    try:
        parser = FormParser(
            "multipart/form-data",
            on_field=lambda part: fields.append((part.field_name or b"", part.value or b"")),
            on_file=lambda part: fields.append((part.field_name or b"", _upload(part))),
            boundary=options[b"boundary"],
            config={"MAX_MEMORY_FILE_SIZE": len(body) + 1},
        )
        parser.write(body)
        parser.finalize()
    except FormParserError as error:
        raise refusal(400, f"Form parse error - {error}.") from None
    if body and getattr(parser.parser, "state", None) != MultipartState.END:
        raise refusal(400, "Form parse error - the multipart body ends before its last boundary.")
    if len(fields) > MAX_FIELDS:
        raise refusal(400, f"The form has more than {MAX_FIELDS} fields.")
    for name, value in fields:
        try:
            yield name.decode(), value if isinstance(value, Upload) else value.decode()
        except UnicodeDecodeError:
            raise refusal(400, "Form parse error - a field is not UTF-8.") from None


def _upload(part: Any) -> Upload:
    part.file_object.seek(0)
    name = (part.file_name or b"").decode(errors="replace")
    return Upload(name, part.content_type, part.file_object.read())
