"""Checks on a request body that OpenAPI cannot express, as far as several operations share them."""

from collections.abc import Container, Iterable, Mapping
from typing import Any

from stubserver.errors import Problem, Refusal, invalid


def unknown_ids(body: Mapping[str, Any], field: str, known: Container[Any], what: str) -> list[Problem]:
    """A problem with the first id in the body's `field` that is not `known`; none where all are."""
    unknown = [number for number in body.get(field, ()) if number not in known]
    return [Problem("does_not_exist", f"No such {what}: {unknown[0]}.", field)] if unknown else []


def required(body: Mapping[str, Any], field: str, whose: str) -> Any:
    """The body's `field`, which this sort of request needs; `whose` says of which sort it is. Raises a 400 refusal."""
    if field not in body:
        raise invalid(field, "required", f"{whose} needs this field.")
    return body[field]


def refuse(problems: Iterable[Problem]) -> None:
    """Raise a 400 refusal, if there is a problem."""
    found = list(problems)
    if found:
        raise Refusal(400, found)
