"""Checks of request bodies that OpenAPI cannot express and that several operations share."""

from collections.abc import Container, Iterable, Mapping
from typing import Any

from stubserver.errors import Problem, Refusal, invalid


def unknown_ids(body: Mapping[str, Any], field: str, known: Container[Any], what: str) -> list[Problem]:
    """A problem with the first id in the body's `field` that is not in `known`, if there is one.

    `what` names the kind of object in the message."""
    unknown = [number for number in body.get(field, ()) if number not in known]
    return [Problem("does_not_exist", f"No such {what}: {unknown[0]}.", field)] if unknown else []


def required(body: Mapping[str, Any], field: str, whose: str) -> Any:
    """The body's `field`. Raises a 400 refusal if it is missing; `whose` says what kind of request needs it."""
    if field not in body:
        raise invalid(field, "required", f"{whose} needs this field.")
    return body[field]


def refuse(problems: Iterable[Problem]) -> None:
    """Raise a 400 refusal that lists all `problems`, unless there are none."""
    found = list(problems)
    if found:
        raise Refusal(400, found)
