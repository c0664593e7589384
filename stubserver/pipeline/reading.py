"""Reading a request: turns every spelling that the vendor's client, pages and docs use into one typed form.

Arrays have five spellings in queries (R013), three in forms (R012); bodies are JSON, urlencoded or multipart (R009).
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson

from stubserver.call import Accepted, Call, Upload
from stubserver.contract.operation import Body
from stubserver.contract.schema import Schema, echo, unknown_names
from stubserver.errors import Problem, Refusal, invalid, refusal
from stubserver.pipeline.bounds import MAX_DEPTH, check_size, is_deeper
from stubserver.pipeline.forms import FORM, MULTIPART, form, pairs, parts, typed
from stubserver.pipeline.leniency import Leniency, is_lenient
from stubserver.pipeline.paging import PARAMETERS


def read_parameters(call: Call) -> None:
    """Fill `call.query` with the declared parameters. Raises a 400 refusal that names each bad one (R013, R016)."""
    problems: list[Problem] = list(_unknown_parameters(call)) if call.is_control else []
    for parameter in call.operation.parameters:
        texts = call.sent(parameter)
        value = None if texts is None else _query_value(texts, parameter.schema)
        if value is None and parameter.required:
            problems.append(Problem("required", f"This {parameter.place} parameter is required.", parameter.name))
        if value is not None and not parameter.validator.fits(value):
            if parameter.name not in PARAMETERS or not is_lenient(call):
                problems += parameter.validator.problems(value, parameter.name)
                continue
            value = _page(texts, parameter.schema)
            what = "an invalid value, for the default" if value is None else "another spelling of a whole number"
            call.accepted = (*call.accepted, Accepted(parameter.name, what))
        if isinstance(value, list):
            value = [item for item in value if item != ""] or None  # clients send an empty text to mean "none"
        if value is None:
            value = parameter.schema.get("default")
        if value is not None:
            call.query[parameter.name] = value
    if problems:
        raise Refusal(400, problems)


def _page(texts: list[str] | None, schema: Schema) -> int | None:
    """A limit or offset as the framework reads it; None if it would use the default instead (R016)."""
    with suppress(ValueError):
        number = int((texts or [""])[-1])
        return number if number >= schema["minimum"] else None
    return None


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
    _accept(call, body, value)


def read_urlencoded(call: Call, body: Body) -> None:
    """Fill `call.body` from a urlencoded form. Raises a 400 refusal."""
    _accept(call, body, form(call, pairs(call, body), body))


def read_multipart(call: Call, body: Body) -> None:
    """Fill `call.body` and `call.files` from a multipart form. Raises a 400 refusal."""
    sent = list(parts(call.content_type, call.raw_body))
    _accept(call, body, form(call, sent, body))
    call.files = {name: value for name, value in sent if isinstance(value, Upload) and name in call.body}


READERS = {
    "application/json": read_json,
    FORM: read_urlencoded,
    MULTIPART: read_multipart,
}
"""Media type -> the function that reads such a body."""


def read_body(call: Call, media: str) -> None:
    """Fill the call's fields about its body, which has this media type. Raises a 400 refusal."""
    READERS[media](call, call.operation.bodies[media])


def _accept(call: Call, body: Body, value: Any) -> None:
    """Validate a body and store its declared fields; unknown and read-only ones are ignored (R011)."""
    if not body.validator.fits(value):
        value = _as_accepted(call, body, value)
    writable, texts = call.operation.fields, () if call.is_control else body.texts
    call.body = found = {
        name: part.strip() if name in texts and type(part) is str else part  # no blanks around texts (R029)
        for name, part in value.items()
        if name in writable
    }
    for name in body.moments:
        if found.get(name) is not None:
            found[name] = _moment(name, found[name])
    for name in () if call.is_control else body.lists:
        if name in found:
            found[name] = Leniency(body).read(found[name], body.schema["properties"][name])


def _as_accepted(call: Call, body: Body, value: Any) -> Any:
    """A body that breaks the contract, as the framework behind the real API reads it. Raises a 400 refusal if that
    would refuse it, too, or if the world is strict (R028)."""
    leniency = Leniency(body)
    read = leniency.read(value, body.schema) if not call.is_control else value
    problems = list(body.validator.problems(read))
    if not problems and call.world.strict:
        problems = [replace(p, message=f"{p.message} {_STRICT}") for p in body.validator.problems(value)]
    if problems:
        raise Refusal(400, problems)
    call.accepted = (*call.accepted, *leniency.accepted)
    return read


_STRICT = "Django REST Framework would accept it, but this world is strict."


def _moment(name: str, text: str) -> datetime:
    """A valid time as rows hold it, in UTC (R020). Raises a 400 refusal for a leap second, for example."""
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        message = f"{echo(text)} is no date and time that exists: write 2031-05-01T09:00:00Z, for example."
        raise invalid(name, "invalid", message) from None
