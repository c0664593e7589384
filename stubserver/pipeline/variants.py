"""Variants: answers that the contract allows as well, of a world or of one request. Each is made of the answer that the
operation gives, and sent only if it keeps the contract. No row changes."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from stubserver.call import Call
from stubserver.contract.contract import Contract
from stubserver.contract.operation import Operation
from stubserver.contract.places import KINDS, Place, Places
from stubserver.contract.varying import Variation, vary
from stubserver.errors import invalid
from stubserver.suggestions import did_you_mean, unknown

_Found = Mapping[str, Mapping[str, Place]]
"""operationId -> pointer -> what may be different there."""


class Variants:
    """What makes answers different."""

    def __init__(self, contract: Contract) -> None:
        self._places = Places(contract)

    def vary(self, call: Call, operation: Operation, answer: Any) -> Any:
        """The answer as the variants of the request and of its world want it, noted in the call."""
        places = self._places.of(operation.id)
        wanted: dict[Variation, int | None] = dict.fromkeys(call.variants)
        for variant in call.world.variants.values():
            for variation in variations(variant.wanted, operation.id, places):
                wanted.setdefault(variation, variant.id)
        fits = operation.answers[operation.status].fits
        varied, made = vary(answer, [*wanted], places, fits, call.query.get("offset", 0))
        call.varied = [*_told(made, wanted)]
        return varied if made else answer

    def count(self, call: Call) -> None:
        """Count the variants of its world that made a difference."""
        world = call.world
        for told in call.varied:
            if (variant := world.variants.get(told["id"])) is not None:
                world.variants = {**world.variants, variant.id: variant.sent_again()}


def variations(wanted: Mapping[str, Any], operation: str, places: Mapping[str, Place]) -> Iterator[Variation]:
    """What a VariantCreate of the control plane's contract wants to be different in an answer of an operation."""
    kind, choice = wanted["kind"], wanted.get("choice")
    if wanted.get("operation") not in (None, operation):
        return
    for pointer, place in places.items():
        offered = place.offers.get(kind)
        if wanted.get("place") in (None, pointer) and offered is not None and choice in (None, *offered):
            yield Variation(kind, pointer, choice)


def applied(call: Call) -> Iterator[tuple[bytes, bytes]]:
    """The header that says what of its own variants a request got, if there are any."""
    found = [told for told in call.varied if told["id"] is None]
    texts = [_text(told["kind"], told["choice"], place) for told in found for place in told["places"]]
    if texts:
        yield b"preference-applied", f'variant="{" ".join(texts)}"'.encode()


def _text(kind: str, choice: str | None, place: str) -> str:
    return f"{kind}:{place}" if choice is None else f"{kind}={choice}:{place}"


def _told(made: list[Variation], wanted: Mapping[Variation, int | None]) -> Iterator[Mapping[str, Any]]:
    """What the journal tells: for each variant, the places where it made a difference."""
    places = defaultdict(list)
    for variation in made:
        places[wanted[variation], variation.kind, variation.choice].append(variation.place)
    for (number, kind, choice), found in places.items():
        yield {"id": number, "kind": kind, "choice": choice, "places": found}


# What a request or a command asks for


def sent(text: str, operation: Operation, places: Places) -> Iterator[Variation]:
    """The variations in the text of a preference: `null:/results/*/avatar enum=draft:/privacy`, with blanks between
    several. Raises a 400 refusal for what the operation does not offer."""
    found = places.picked(operation.id)
    parts = text.split()
    if not parts:
        raise invalid("Prefer", "invalid", 'variant needs a kind and a place, as in variant="null:/avatar".')
    for part in parts:
        what, colon, place = part.partition(":")
        kind, equals, choice = what.partition("=")
        if not colon:
            raise invalid("Prefer", "invalid", f"{part[:60]!r} is no variant: write its kind, a colon and a place.")
        wanted = {"kind": kind, "place": place, **({"choice": choice} if equals else {})}
        refused = objection(wanted, found)
        if refused is not None:
            raise invalid("Prefer", *refused[1:])
        yield Variation(kind, place, choice if equals else None)


def check(wanted: Mapping[str, Any], places: Places) -> None:
    """Raises a 400 refusal for what no operation that `wanted` picks offers; the operation itself is known."""
    refused = objection(wanted, places.picked(wanted.get("operation")))
    if refused is not None:
        raise invalid(*refused)


def objection(wanted: Mapping[str, Any], found: _Found) -> tuple[str, str, str] | None:
    """What no operation in `found` offers: the field, a code and a message with what would be right; None if one
    offers it."""
    kind, pointer, choice = wanted["kind"], wanted.get("place"), wanted.get("choice")
    if kind not in KINDS:
        return "kind", "invalid_choice", unknown("kind", kind, KINDS)
    pointers = {name for places in found.values() for name in places}
    if not pointers:
        return "operation", "invalid", f"{_names(found)} has no JSON in its answer, so nothing can vary."
    if pointer is not None and pointer not in pointers:
        near = did_you_mean(pointer, pointers) or " /__stub/variants/offered lists them."
        return "place", "does_not_exist", f"There is no place {pointer[:60]!r} in an answer of {_names(found)}.{near}"
    picked = [place for places in found.values() for name, place in places.items() if pointer in (None, name)]
    offering = [place for place in picked if kind in place.offers]
    if not offering:
        return ("place" if pointer is not None else "kind"), "invalid", _not_offered(kind, pointer, found, picked)
    choices = sorted({choice for place in offering for choice in place.offers[kind]})
    if choice is not None and choice not in choices:
        message = unknown("choice", choice, choices) if choices else f"{kind} has no choices; leave choice out."
        return "choice", "invalid_choice", message
    return None


def _not_offered(kind: str, pointer: str | None, found: _Found, picked: list[Place]) -> str:
    if pointer is None:
        return f"No place in an answer of {_names(found)} offers {kind}."
    offered = ", ".join(name for name in KINDS if any(name in place.offers for place in picked))
    return f"The contract does not allow {kind} at {pointer or 'the whole answer'}; it allows {offered}."


def _names(found: _Found) -> str:
    return next(iter(found)) if len(found) == 1 else "any operation"
