"""Forms: their fields, collected by name and in the types of the contract; files stay in memory.

Arrays have three spellings in forms (R012); a form may be urlencoded or multipart (R009).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from operator import itemgetter
from typing import Any

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import FormParser, MultipartState, parse_options_header

from stubserver.call import MAX_FIELDS, Call, Upload, urlencoded
from stubserver.contract.operation import Body
from stubserver.contract.schema import Schema
from stubserver.errors import Problem, Refusal, refusal
from stubserver.pipeline.leniency import is_lenient, read_form

FORM, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"
_INTEGER = re.compile(r"-?[0-9]{1,19}", re.ASCII)
_BRACKETS = re.compile(r"(.+)\[([0-9]{0,9})\]", re.ASCII)
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


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


def pairs(call: Call, body: Body) -> Iterable[tuple[str, str]]:
    """The fields of a urlencoded form, in order. Raises a 400 refusal."""
    if call.raw_body.lstrip().startswith(b"{"):
        message = (
            "The body is JSON text, but its Content-Type says application/x-www-form-urlencoded, "
            "so no field was found in it. Send it as application/json."
        )
        missing = body.validator.problems({})
        raise Refusal(400, [*missing, Problem("parse_error", message, "non_field_errors")])
    return urlencoded(call.raw_body, "form")


def note_form(call: Call) -> None:
    """Fill `call.form` for the journal if no hop has read the form: the request was refused early, or met a fault.
    Without effect if it cannot be read."""
    if call.form is not None or call.routed is None or not call.raw_body:
        return
    media = call.content_type.partition(";")[0]
    if (body := call.routed.bodies.get(media)) is None or media == "application/json":
        return
    with suppress(Refusal):
        fields = pairs(call, body) if media == FORM else parts(call.content_type, call.raw_body)
        _collected(call, fields, body.schema["properties"])


def form(call: Call, fields: Iterable[tuple[str, str | Upload]], body: Body) -> dict[str, Any]:
    """Form fields in the types of `body`. Raises a 400 refusal for a file where text is expected."""
    properties: Mapping[str, Any] = body.schema["properties"]
    sent = _collected(call, fields, properties)
    call.sent_fields = tuple(sent)
    known = ((name, values, properties[name]) for name, values in sent.items() if name in properties)
    found = {name: _form_value(name, values, part) for name, values, part in known if not _is_no_file(values, part)}
    if not is_lenient(call):
        return found
    read, accepted = read_form(found, body.schema, is_partial=call.method == "PATCH")
    call.accepted = (*call.accepted, *accepted)
    return read


def _is_no_file(values: list[str | Upload], schema: Schema) -> bool:
    """Whether a form was sent without choosing a file: browsers then send one without name and content (R133)."""
    last = values[-1]
    return schema.get("format") == "binary" and (not last if isinstance(last, str) else not (last.name or last.size))


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


def parts(content_type: str, body: bytes) -> Iterator[tuple[str, str | Upload]]:
    """The parts of a multipart body, in order; nothing is written to disk."""
    fields: list[tuple[bytes, bytes | Upload]] = []
    _, options = parse_options_header(content_type)
    if b"boundary" not in options:
        raise refusal(400, "Form parse error - the multipart Content-Type has no boundary.")
    if body.count(b"--" + options[b"boundary"]) > MAX_FIELDS + 1:
        raise refusal(400, f"The form has more than {MAX_FIELDS} fields.")
    try:
        parser = FormParser(
            MULTIPART,
            on_field=lambda part: fields.append((part.field_name or b"", part.value or b"")),
            on_file=lambda part: fields.append((part.field_name or b"", _upload(part))),
            boundary=options[b"boundary"],
            config={"MAX_MEMORY_FILE_SIZE": len(body) + 1},
        )
        parser.write(body)
        parser.finalize()
    except FormParserError as error:
        raise refusal(400, f"Form parse error - {error}.") from None
    state = getattr(parser.parser, "state", None)
    vars(parser).clear()  # its callbacks refer to it, and it would keep the body until the collector runs
    if body and state != MultipartState.END:
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
