"""JSON Schema as used in OpenAPI 3.0: compiled validators, and their errors in the vendor's codes."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import cached_property
from itertools import islice
from typing import Any

import jsonschema_rs
import orjson

from stubserver.errors import Problem
from stubserver.suggestions import unknown

Schema = Mapping[str, Any]

_MAX_ECHO = 60
"""Maximum number of characters of a refused value that a message repeats."""


def draft4(schema: Any) -> Any:
    """The equivalent JSON Schema (draft 4): `nullable` becomes a type and an enum value."""
    if isinstance(schema, list):
        return [draft4(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {key: draft4(part) for key, part in schema.items()}
    if plain.get("nullable") is True:
        if "type" in plain:
            plain["type"] = [plain["type"], "null"]
        if "enum" in plain and None not in plain["enum"]:
            plain["enum"] = [*plain["enum"], None]
    return plain


def reached(schema: Any, schemas: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The named schemas that a schema refers to, directly or through others."""
    waiting, names = [schema], set[str]()
    while waiting:
        part = waiting.pop()
        if isinstance(part, list):
            waiting += part
        elif isinstance(part, dict):
            waiting += part.values()
            name = part.get("$ref")
            if isinstance(name, str) and (name := name.rpartition("/")[2]) not in names:
                names.add(name)
                waiting.append(schemas[name])
                yield name, schemas[name]


_MAX_PROBLEMS = 100
"""How many problems of one value are reported."""
_MAX_UNKNOWN = 20
"""Unknown names that one refusal speaks of."""


def unknown_names(what: str, names: Iterable[str], known: Collection[str]) -> Iterator[Problem]:
    """A problem for each name that is not one of the known ones, up to a bound: a request may bring thousands."""
    for name in islice((name for name in names if name not in known), _MAX_UNKNOWN):
        yield Problem("invalid", unknown(what, name, known), name[:_MAX_ECHO])


class Validator:
    """A schema, compiled on first use, that says whether a value is valid and, if not, why."""

    def __init__(self, schema: Schema, components: Mapping[str, Any], secrets: Collection[str] = ()) -> None:
        """`components` is the `components` object that `$ref`s point into, already in draft 4; messages never repeat
        values of the fields in `secrets`."""
        self._schema = schema
        self._components = components
        self._secrets = secrets

    @cached_property
    def _compiled(self) -> jsonschema_rs.Draft4Validator:
        schema = draft4(self._schema)
        # Only what it refers to: a compiled schema copies all that it is given, a megabyte for each of hundreds.
        whole = {
            "allOf": [schema],
            "components": {"schemas": dict(reached(schema, self._components.get("schemas", {})))},
        }
        return jsonschema_rs.Draft4Validator(whole, validate_formats=True)

    @cached_property
    def _fields(self) -> Collection[str]:
        """The fields of the schema, for suggestions."""
        name = self._schema.get("$ref", "").rpartition("/")[2]
        schema = self._components["schemas"][name] if name else self._schema
        fields: Collection[str] = schema.get("properties", {})
        return fields

    @cached_property
    def fits(self) -> Callable[[Any], bool]:
        """A function that returns whether a value is valid."""
        return self._compiled.is_valid

    def problems(self, value: Any, name: str | None = None) -> Iterator[Problem]:
        """What is wrong with `value`, up to a bound; each problem under its field, or under `name` if that is given."""
        return iter(dict.fromkeys(islice(self._problems(value, name), _MAX_PROBLEMS)))

    def _problems(self, value: Any, name: str | None) -> Iterator[Problem]:
        for error in _innermost(self._compiled.iter_errors(value)):
            detail = error.kind.as_dict()
            if error.kind.name == "additionalProperties" and not error.instance_path:
                yield from unknown_names("field", detail["unexpected"], self._fields)
                continue
            path = [str(step) for step in error.instance_path]
            hidden = path[0] in self._secrets if path else bool(self._secrets)
            instance = _Hidden if hidden and error.instance is not None else error.instance
            code, message = code_and_message(error.kind.name, detail, instance)
            if error.kind.name == "required":
                path.append(detail["property"])
            where = f" (at {'.'.join(path)})" if len(path) > 1 else ""
            yield Problem(code, message + where, name or (path[0] if path else "non_field_errors"))


def _innermost(errors: Iterable[Any]) -> Iterator[Any]:
    """The errors; in the place of one that no alternative fits, those of the alternative that fits best."""
    for error in errors:
        if error.kind.name in ("anyOf", "oneOf") and (alternatives := _alternatives(error)):
            nearest: list[Any] = min(alternatives, key=len)
            yield from _innermost(nearest)
        else:
            yield error


def _alternatives(error: Any) -> list[list[Any]]:
    """The errors of each alternative."""
    found: list[list[Any]] = error.kind.as_dict().get("context", [])
    return found


def code_and_message(keyword: str, detail: Mapping[str, Any], value: Any) -> tuple[str, str]:
    """The vendor's code for a violated keyword, and a sentence that says what is allowed."""
    match keyword:
        case "required":
            return "required", "This field is required."
        case "type" | "enum" if value is None:
            return "null", "This field may not be null."
        case "type" if isinstance(value, float) and value.is_integer() and "integer" in detail["types"]:
            return "invalid", f"{echo(value)} is not valid; write a whole number without a decimal point: {value:.0f}."
        case "type":
            wanted = " or ".join(kind for kind in detail["types"] if kind != "null")
            code = "not_a_list" if wanted == "array" else "invalid"
            return code, f"{echo(value)} is not valid; it must be {_TYPE_NAMES.get(wanted, wanted)}."
        case "enum":
            allowed = ", ".join(echo(option) for option in detail["options"])
            return "invalid_choice", f"{echo(value)} is not a valid choice. Use one of: {allowed}."
        case "minimum" | "exclusiveMinimum":
            return "min_value", f"Must be greater than or equal to {detail['limit']}."
        case "maximum" | "exclusiveMaximum":
            return "max_value", f"Must be less than or equal to {detail['limit']}."
        case "minLength":
            return "blank", "This field may not be blank."
        case "maxLength":
            return "max_length", f"Must have no more than {detail['limit']} characters."
        case "minItems":
            return "empty", "This list may not be empty."
        case "uniqueItems":
            return "invalid", f"{echo(value)} has a value twice; each may be there once."
        case "minProperties":
            return "required", "At least one field must be given."
        case "pattern" if isinstance(value, str) and not value.strip():
            return "blank", "This field may not be blank."
        case "pattern" if isinstance(value, str) and "\0" in value:
            return "invalid", "Null characters are not allowed."
        case "pattern":
            return "invalid", f"{echo(value)} does not match {detail['pattern']}."
        case "format" if detail["format"] == "date-time":
            example = "2031-05-01T09:00:00Z"
            return "invalid", f"{echo(value)} is not a valid date-time: write {example}, for example."
        case "format":
            return "invalid", f"{echo(value)} is not a valid {detail['format']}."
        case _:
            return "invalid", f"{echo(value)} breaks the rule {keyword}."


_TYPE_NAMES = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number within 64 bits",
    "number": "a number",
    "object": "an object",
    "string": "a string",
}


class _Hidden:
    """Stands for a credential in a message; it cannot be written as JSON, so `echo` does not repeat it."""


def echo(value: Any) -> str:
    """`value` as JSON text, shortened to fit into a message; `This value` if it cannot be written as JSON."""
    try:
        text = orjson.dumps(value).decode()
    except orjson.JSONEncodeError:
        return "This value"
    return text if len(text) <= _MAX_ECHO else f"{text[:_MAX_ECHO]}..."
