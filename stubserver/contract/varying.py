"""Varying one answer: other values at its places, as far as what comes of it keeps the contract.

The answer itself is not changed, because rows of worlds share their values with answers.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

import orjson

from stubserver.contract.places import PAGE, Place, tokens

LONG = 1000
"""Characters of a long text, if the contract allows so many."""
UNKNOWN = "stub_unknown_field"
"""Name of the field that no client can know."""
_LONG = "Donaudampfschifffahrt" * LONG
_MARKUP = "<b>&amp;</b> <i>x < y"
_UNICODE = (
    "\N{HEBREW LETTER ALEF}\N{HEBREW LETTER BET} \N{ARABIC LETTER SEEN}\N{ARABIC LETTER LAM} "
    "\N{FAMILY}\N{ZERO WIDTH JOINER}\N{PERSONAL COMPUTER} e\N{COMBINING ACUTE ACCENT}\N{LINE SEPARATOR}"
    "\N{CJK UNIFIED IDEOGRAPH-6F22}"
)
_ZONE = timezone(timedelta(hours=5, minutes=30))
_TIMES = {"past": "1900-01-01", "future": "2999-12-31"}
_DATE = len("1900-01-01")


class Variation(NamedTuple):
    """What is to be different at one place."""

    kind: str
    place: str
    choice: str | None = None
    """One of the choices that the place offers; None for all of them in turn, from one item to the next."""


def vary(
    answer: Any, changes: Sequence[Variation], places: Mapping[str, Place], fits: Callable[[Any], bool], offset: int = 0
) -> tuple[Any, list[Variation]]:
    """The answer with the changes, outer ones first, and those that made a difference. One that would break the
    contract, as `fits` says, is left out. `offset` is the number of rows on the pages before."""
    ordered = sorted(changes, key=lambda change: change.place.count("/"))
    varied, made = _with(answer, ordered, places, offset)
    if fits(varied):
        return varied, made
    varied, made = answer, []
    for change in ordered:
        attempt, differs = _with(varied, [change], places, offset)
        if differs and fits(attempt):
            varied, made = attempt, [*made, change]
    return varied, made


def _with(
    answer: Any, changes: Sequence[Variation], places: Mapping[str, Place], offset: int
) -> tuple[Any, list[Variation]]:
    """A copy of the answer with all the changes, and those that made a difference."""
    whole = {"": orjson.loads(orjson.dumps(answer))}
    made = [change for change in changes if _make(whole, change, places[change.place], offset)]
    return whole[""], made


def _make(whole: dict[str, Any], change: Variation, place: Place, offset: int) -> bool:
    """Make a change wherever its place is. Returns whether that made a difference."""
    found = [*_spots(whole, ["", *tokens(change.place)])]
    differs = [_at(change, place, number, offset)(*spot) for number, spot in enumerate(found)]
    return any(differs)


Spot = tuple[Any, Any]
"""The object or list that holds a value, and its name or index there."""


def _spots(holder: Any, steps: Sequence[str]) -> Iterator[Spot]:
    """Where a place is in an answer."""
    first, *rest = steps
    for key in _keys(holder, first):
        if not rest:
            yield holder, key
        else:
            yield from _spots(holder[key], rest)


def _keys(holder: Any, step: str) -> Sequence[Any]:
    if isinstance(holder, list):
        return range(len(holder)) if step == "*" else ()
    if not isinstance(holder, dict):
        return ()
    return [*holder] if step == "*" else [step] if step in holder else ()


def present(answer: Any, places: Mapping[str, Place]) -> Iterator[str]:
    """The places that an answer has."""
    for pointer in places:
        if next(_spots({"": answer}, ["", *tokens(pointer)]), None) is not None:
            yield pointer


def _at(change: Variation, place: Place, number: int, offset: int) -> Callable[[Any, Any], bool]:
    """What changes the value at one spot, the `number`th of its place, and says whether that made a difference."""

    def changed(holder: Any, key: Any) -> bool:
        value = holder[key]
        if change.kind == "absent":
            del holder[key]
        elif change.kind == "order":
            holder[key] = _reversed(value)
            return len(value or ()) > 1
        elif key == "results" and holder.keys() >= PAGE:
            return _turned(change.kind, holder, offset)
        else:
            holder[key] = _VALUES[change.kind](value, place, _choice(change, place, value, number))
            return bool(holder[key] != value)
        return True

    return changed


def _choice(change: Variation, place: Place, value: Any, number: int) -> str:
    """The choice at one spot: the given one, or one of those that make a difference."""
    if change.choice is not None:
        return change.choice
    choices = place.offers[change.kind]
    others = [choice for choice in choices if place.values.get(choice, choice) != value]
    return others[number % len(others)] if others else ""


def _reversed(value: Any) -> Any:
    if isinstance(value, dict):
        return dict(reversed(value.items()))
    return value[::-1] if isinstance(value, list) else value


def _turned(kind: str, page: dict[str, Any], offset: int) -> bool:
    """Variation the rows of a page, and its other fields so that they fit. Returns whether that made a difference."""
    before, rows = dict(page), page["results"]
    match kind:
        case "empty":
            page.update(count=0, next=None, previous=None, results=[])
        case "one" if rows:
            page.update(count=1, next=None, previous=None, results=rows[:1])
        case "last-page":
            page.update(count=offset + len(rows), next=None)
        case "count-only":
            page.update(next=None, results=[])
    return page != before


# The values of each kind


def _unknown(value: Any, _: Place, __: str) -> Any:
    return {**value, UNKNOWN: {"known": False}} if isinstance(value, dict) else value


def _enum(value: Any, place: Place, choice: str) -> Any:
    return value if value is None else place.values.get(choice, value)


def _list(length: int) -> Callable[[Any, Place, str], Any]:
    return lambda value, *_: value[:length] if isinstance(value, list) else value


def _text(text: str) -> Callable[[Any, Place, str], Any]:
    return lambda value, place, _: text[: min(place.longest, LONG)] if isinstance(value, str) else value


def _number(wanted: Callable[[Place], int]) -> Callable[[Any, Place, str], Any]:
    return lambda value, place, _: wanted(place) if isinstance(value, (int, float)) else value


def _time(value: Any, _: Place, choice: str) -> Any:
    if not isinstance(value, str):
        return value
    day = _TIMES.get(choice)
    if len(value) == _DATE:
        return value if day is None else day
    if day is not None:
        return f"{day}T23:59:59.999999+00:00"
    moment = datetime.fromisoformat(value)
    return (moment.replace(microsecond=0) if choice == "whole" else moment.astimezone(_ZONE)).isoformat()


_VALUES: Mapping[str, Callable[[Any, Place, str], Any]] = {
    "null": lambda *_: None,
    "unknown": _unknown,
    "enum": _enum,
    "empty": _list(0),
    "one": _list(1),
    "long": _text(_LONG),
    "unicode": _text(_UNICODE),
    "markup": _text(_MARKUP),
    "zero": _number(lambda _: 0),
    "big": _number(lambda place: place.largest),
    "big-id": _number(lambda place: place.largest),
    "time": _time,
}
"""Kind -> what it makes of a value, where it is neither left out nor the rows of a page."""
