"""What differs between the answers of the target and the model, and what no answer may be, whatever the model says."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from stubserver.checking.identities import Identities
from stubserver.checking.shapes import GIVEN, Shape
from stubserver.checking.sides import Answer
from stubserver.contract.operation import Operation

_LINKS = ("next", "previous")
_NUMBERS = ("limit", "offset")
"""Parameters of a query whose numbers are no ids."""
_LARGEST = 100
"""The largest limit for which the arithmetic of pages is known."""


@dataclass(frozen=True)
class Difference:
    """One thing in an answer that should be otherwise."""

    at: str
    """Where: `status`, the name of a header, or a path within the body, such as `/results/0/name`."""
    kind: str
    """What sort: `status`, `header`, `missing`, `extra`, `value`, `length`, `schema`, `page` or `transport`."""
    expected: str
    found: str

    @property
    def place(self) -> str:
        """Where, with N for numbers: the same for differences that have probably one cause."""
        return re.sub(r"(?<=/)\d+", "N", self.at)


def of_answers(shape: Shape, model: Answer, target: Answer, ids: Identities) -> Iterator[Difference]:
    """What differs in status, headers and body. A list of foreign rows must have been left out of both bodies."""
    if target.failure:
        yield Difference("answer", "transport", f"an answer with status {model.status}", target.failure)
        return
    if model.status != target.status:
        yield Difference("status", "status", _status(model), _status(target))
        return
    yield from _headers(model, target)
    if model.status >= 400:
        yield from _refusals(model.body, target.body)
    else:
        yield from of_values(shape, model.body, target.body, ids)


def of_values(
    shape: Shape | None, model: Any, target: Any, ids: Identities, at: str = "", owner: Any = None
) -> Iterator[Difference]:
    """What differs between two values of JSON."""
    if shape is not None and shape.kind and not isinstance(model, list | dict):
        if problem := ids.problem(shape.kind, model, target, (owner, shape.name)):
            yield Difference(at or "body", "value", _json(model), problem)
    elif shape is not None and shape.kind == GIVEN:
        return  # it would have to be seen as a whole
    elif type(model) is not type(target) and not (_is_number(model) and _is_number(target)):
        yield Difference(at or "body", "value", _json(model), _json(target))
    elif isinstance(model, dict):
        yield from _of_objects(shape, model, target, ids, at)
    elif isinstance(model, list):
        if len(model) != len(target):
            yield Difference(at or "body", "length", f"{len(model)} items", f"{len(target)} items")
        for number, (ours, theirs) in enumerate(zip(model, target, strict=False)):
            yield from of_values(shape.item if shape else None, ours, theirs, ids, f"{at}/{number}")
    elif model != target:
        yield Difference(at or "body", "value", _json(model), _json(target))


def _of_objects(
    shape: Shape | None, model: Mapping[str, Any], target: Mapping[str, Any], ids: Identities, at: str
) -> Iterator[Difference]:
    for name in model.keys() - target.keys():
        yield Difference(f"{at}/{name}", "missing", _json(model[name]), "no such field")
    for name in sorted(target.keys() - model.keys()):
        yield Difference(f"{at}/{name}", "extra", "no such field", _json(target[name]))
    for name, value in model.items():
        if name in target and name in _LINKS:
            yield from _of_links(value, target[name], f"{at}/{name}")
        elif name in target:
            field = shape.field(name) if shape else None
            yield from of_values(field, value, target[name], ids, f"{at}/{name}", model.get("id"))


def _of_links(model: Any, target: Any, at: str) -> Iterator[Difference]:
    """Links to other pages agree if there is one on both sides, with the same query."""
    if _asked(model) != _asked(target):
        yield Difference(at, "page", _json(model), _json(target))


def _asked(link: Any) -> Sequence[tuple[str, str]] | None:
    """The query of a link; an offset of 0 is none, and the ids of each side are its own."""
    asked = parse_qsl(urlsplit(str(link)).query, keep_blank_values=True)
    pairs = [(name, "id" if name not in _NUMBERS and value.isdecimal() else value) for name, value in asked]
    return None if link is None else sorted(pair for pair in pairs if pair != ("offset", "0"))


def _headers(model: Answer, target: Answer) -> Iterator[Difference]:
    for name, read in _HEADERS.items():
        ours, theirs = read(model.headers.get(name, "")), read(target.headers.get(name, ""))
        if ours != theirs and ours:
            yield Difference(name, "header", model.headers[name], target.headers.get(name, "no such header"))
    if model.body is None and target.text:
        yield Difference("body", "extra", "no body", target.text[:80])


_HEADERS: Mapping[str, Callable[[str], object]] = {
    "Content-Type": lambda text: text.partition(";")[0].strip().lower(),
    "Allow": lambda text: {part.strip() for part in text.split(",") if part.strip()},
    "WWW-Authenticate": lambda text: text.partition(" ")[0].lower(),
}
"""Header -> what of it has to be the same. HEAD and OPTIONS are not asked for."""


def _refusals(model: Any, target: Any) -> Iterator[Difference]:
    """Refusals agree if the same fields are refused with the same codes; texts are for people."""
    ours, theirs = _codes(model), _codes(target)
    if ours != theirs:
        yield Difference("body", "value", _written(ours), _written(theirs) if theirs else _json(target))


def _codes(body: Any) -> set[tuple[str, str]]:
    """Pairs of field and code."""
    try:
        if "errors" not in body:
            return {("", str(body["error"]))}
        return {
            (error.get("field", ""), message["code"])
            for error in body["errors"]
            for message in (error["messages"] if "field" in error else [error])
        }
    except (TypeError, KeyError, AttributeError):
        return set()


def _written(codes: set[tuple[str, str]]) -> str:
    return ", ".join(f"{field}: {code}" if field else code for field, code in sorted(codes))


def of_contract(operation: Operation, answer: Answer) -> Iterator[Difference]:
    """What the contract does not allow in an answer, whatever the model says."""
    if answer.failure:
        return
    if answer.status not in (operation.status, *operation.answers):
        declared = sorted({operation.status, *operation.answers})
        yield Difference("status", "status", f"one of {', '.join(map(str, declared))}", _status(answer))
        return
    validator = operation.answers.get(answer.status)
    if validator is not None and not answer.is_json:
        yield Difference("body", "schema", "JSON", answer.text[:80] or "no body")
    elif validator is not None:
        for problem in [*validator.problems(answer.body)][:5]:
            yield Difference(problem.field or "body", "schema", "what the contract allows", problem.message)


def of_page(query: Mapping[str, Any], path: str, page: Any) -> Iterator[Difference]:
    """What cannot be in a page of a list: its length, its count and its links must agree."""
    limit, offset = query.get("limit"), query.get("offset", 0)
    if type(limit) is not int or not 0 < limit <= _LARGEST or type(offset) is not int or offset < 0:
        return
    try:
        count, rows, links = int(page["count"]), len(page["results"]), {name: page[name] for name in _LINKS}
    except (TypeError, KeyError, ValueError):
        return  # the schema is broken, which is reported by itself
    length = max(0, min(limit, count - offset))
    if rows != length:
        yield Difference("/results", "page", f"{length} rows of {count} from {offset} on", f"{rows} rows")
    wanted = {"next": offset + limit if offset + limit < count else None, "previous": max(0, offset - limit)}
    wanted["previous"] = wanted["previous"] if offset > 0 else None
    for name, place in wanted.items():
        if (problem := _link_problem(links[name], place, path)) is not None:
            yield Difference(f"/{name}", "page", "null" if place is None else f"offset={place}", problem)


def _link_problem(link: Any, place: int | None, path: str) -> str | None:
    if link is None or place is None:
        return None if link is place else _json(link)
    found = urlsplit(str(link))
    asked = dict(parse_qsl(found.query, keep_blank_values=True))
    is_right = found.path.endswith(path) and int(asked.get("offset") or 0) == place
    return None if is_right else str(link)


def _status(answer: Answer) -> str:
    codes = _written(_codes(answer.body)) if answer.status >= 400 else ""
    return f"{answer.status} ({codes})" if codes else str(answer.status)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _json(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 100 else f"{text[:97]}..."
