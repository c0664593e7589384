"""What Django REST Framework, which serves the real API, makes of values that the contract's types do not allow (R028).

Only what breaks the contract gets here. What the framework accepts is accepted, and noted for the journal, the log and
`stubserver explain`; a strict world refuses it.
"""

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from stubserver.call import Accepted, Call
from stubserver.contract.operation import Body, is_free_text
from stubserver.contract.schema import Schema

_FRACTION = re.compile(r"\.0*\s*$")
"""What the framework ignores at the end of a whole number."""
_MOMENT = re.compile(
    r"(\d{4})-(\d\d?)-(\d\d?)[T ](\d\d?):(\d\d?)(?::(\d\d?)(?:[.,](\d{1,6})\d{0,6})?)?\s*(Z|[+-]\d\d(?::?\d\d)?)?",
    re.ASCII,
)
"""A date and time that may lack zeros: `2025-1-5 9:00`."""
_LONGEST_NUMBER = 1000
"""Maximum length of a whole number in text, in characters."""
_BOOLEANS: Mapping[Any, bool] = {
    **dict.fromkeys(("t", "y", "yes", "true", "on", "1", 1), True),
    **dict.fromkeys(("f", "n", "no", "false", "off", "0", 0), False),
}


def is_lenient(call: Call) -> bool:
    """Whether the request may use more than the contract's types allow."""
    return not call.is_control and not call.world.strict


class Leniency:
    """Reads one value as the framework would, and notes where that differs from the contract's types."""

    def __init__(self, body: Body) -> None:
        self._resolve = body.resolve
        self.accepted: list[Accepted] = []
        """What was accepted, in the order of reading."""

    def read(self, value: Any, schema: Schema, where: str = "") -> Any:
        """`value` in the type of `schema` where the framework would convert it, else unchanged. `where` is its place in
        the body: `answers.0.text`."""
        schema = self._resolve(schema)
        if isinstance(value, dict):
            parts = schema.get("properties", {})
            known = {
                name: self.read(part, parts[name], _below(where, name)) for name, part in value.items() if name in parts
            }
            return {**value, **known}
        if isinstance(value, list):
            items = schema.get("items", {})
            return [self.read(item, items, _below(where, str(place))) for place, item in enumerate(value)]
        read = _reader(schema)
        found, what = read(value) if read and value is not None else (value, "")
        if what and found is not value:
            self.accepted.append(Accepted(where, what))
        return found


def read_form(fields: dict[str, Any], schema: Schema, is_partial: bool) -> tuple[dict[str, Any], list[Accepted]]:
    """The fields of a form as the framework reads them: an empty text counts as nothing where text is not allowed, and
    a checkbox that is not ticked is left out of a form that is not `is_partial` (R022)."""
    parts, required = schema["properties"], schema.get("required", ())
    found, accepted = dict(fields), []
    for name, part in parts.items():
        if found.get(name) == "" and not _takes_blank(part):
            if part.get("nullable"):
                found[name] = None
            elif name not in required:
                del found[name]
            if found.get(name) != "":
                accepted.append(Accepted(name, "an empty text for nothing"))
        elif part.get("type") == "boolean" and name not in found and not is_partial:
            found[name] = False
            accepted.append(Accepted(name, "left out of a form, for false"))
    return found, accepted


def _takes_blank(schema: Schema) -> bool:
    """Whether an empty text is a value of the schema."""
    is_text = schema.get("type") == "string" and schema.get("format") != "date-time"
    return is_text and "" in schema.get("enum", [""])


def _below(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _reader(schema: Schema) -> Callable[[Any], tuple[Any, str]] | None:
    """The function that reads values of the schema's type: it returns the value, and what was accepted."""
    match schema.get("type"):
        case "integer":
            return _whole_number
        case "boolean":
            return _boolean
        case "string" if schema.get("format") == "date-time":
            return _moment
        case "string" if is_free_text(schema):
            return _text
    return None


def _whole_number(value: Any) -> tuple[Any, str]:
    text = str(value)
    if isinstance(value, str | float) and len(text) <= _LONGEST_NUMBER:
        with suppress(ValueError):
            what = "text for a whole number" if isinstance(value, str) else "a decimal point in a whole number"
            return int(_FRACTION.sub("", text)), what
    return value, ""


def _boolean(value: Any) -> tuple[Any, str]:
    if isinstance(value, bool):
        return value, ""
    what = "text for true or false" if isinstance(value, str) else "a number for true or false"
    return _BOOLEANS.get(value.lower() if isinstance(value, str) else value, value), what


def _text(value: Any) -> tuple[Any, str]:
    if isinstance(value, str):
        return value.strip(), ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value), "a number for text"
    return value, ""


def _moment(value: Any) -> tuple[Any, str]:
    if not isinstance(value, str):
        return value, ""
    with suppress(ValueError):
        moment = datetime.fromisoformat(_padded(value))
        naive = moment.tzinfo is None
        moment = moment.replace(tzinfo=UTC) if naive else moment
        return moment.isoformat(), "a time without an offset, for UTC" if naive else "another spelling of a date-time"
    return value, ""


def _padded(text: str) -> str:
    """A date and time with the zeros that it lacks, or any other text as it is."""
    found = _MOMENT.fullmatch(text)
    if not found:
        return text
    year, *numbers = (number or "0" for number in found.groups("")[:6])
    month, day, hour, minute, second = (number.zfill(2) for number in numbers)
    fraction, zone = found.group(7) or "0", found.group(8) or ""
    return f"{year}-{month}-{day}T{hour}:{minute}:{second}.{fraction:0<6}{zone}"
