"""Variants: what is different in a world's answers, though the contract allows it as well."""

from collections.abc import Iterator, Mapping
from typing import Any

from stubserver.api.views import Listing
from stubserver.call import Call
from stubserver.contract.places import KINDS
from stubserver.control import names
from stubserver.control.numbered import noted, without
from stubserver.control.server_parts import ServerParts
from stubserver.errors import Refusal, invalid
from stubserver.pipeline.variants import check
from stubserver.worlds.variant import Variant
from stubserver.worlds.world import World

MAX_VARIANTS = 100
"""Maximum number of variants in a world."""


def list_variants(call: Call, parts: ServerParts) -> Listing:
    """The world's variants, each with how often it was sent."""
    return Listing(list(call.world.variants.values()), _view)


def list_offered_variants(call: Call, parts: ServerParts) -> Listing:
    """What the answers of an operation, or of all, may have instead. Raises a 400 refusal for an unknown operation."""
    names.checked({name: call.query[name] for name in ("operation",) if name in call.query}, parts.contract, call.world)
    return Listing([*_offered(call.query.get("operation"), call.query.get("kind"), parts)])


def _offered(operation: str | None, kind: str | None, parts: ServerParts) -> Iterator[Mapping[str, Any]]:
    for name, places in parts.places.picked(operation).items():
        for pointer, place in places.items():
            for each in KINDS:
                if each in place.offers and kind in (None, each):
                    yield {"operation": name, "place": pointer, "kind": each, "choices": list(place.offers[each])}


def create_variant(call: Call, parts: ServerParts) -> Mapping[str, Any]:
    """Add a variant. Raises a 400 refusal for one that no answer can have, and if there are too many."""
    wanted = dict(call.body)
    names.checked({name: wanted[name] for name in ("operation",) if name in wanted}, parts.contract, call.world)
    check(wanted, parts.places)
    world = parts.touched(call)
    if len(world.variants) >= MAX_VARIANTS:
        raise invalid("non_field_errors", "max_length", f"World {world.name} already has {MAX_VARIANTS} variants.")
    before, varied = world.variants, world.varied
    variant = world.add_variant(wanted)
    try:
        world.check_size()
    except Refusal as full:
        world.variants, world.varied = before, varied
        raise invalid("non_field_errors", "max_length", full.reason) from None
    _log(call, world, variant.id)
    return _view(variant)


def clear_variants(call: Call, parts: ServerParts) -> None:
    """Remove all variants from the world."""
    world = parts.touched(call)
    world.variants = {}
    _log(call, world, None)


def delete_variant(call: Call, parts: ServerParts) -> None:
    """Remove one variant. Raises a 404 refusal if there is no such variant."""
    world = call.world
    world.variants = without(world.variants, call, "variant")
    _log(call, world, call.ids["id"])


def _log(call: Call, world: World, number: int | None) -> None:
    world.variant_log = noted(world.variant_log, call, world, "variant", number)
    world.resized(world)


def _view(variant: Variant) -> Mapping[str, Any]:
    return {**variant.wanted, "id": variant.id, "sent": variant.sent}
