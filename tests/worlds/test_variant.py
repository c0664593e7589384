"""Variants as data, and as a part of a world."""

from stubserver.worlds.registry import Worlds
from stubserver.worlds.snapshot import Fixture
from stubserver.worlds.variant import SIZE, Variant
from stubserver.worlds.world import World

NULL = {"kind": "null", "place": "/avatar"}


def test_sending_it_again_makes_another_variant() -> None:
    first = Variant(3, NULL)
    assert first.sent_again().sent_again() == Variant(3, NULL, sent=2)
    assert first.sent == 0


def test_numbers_are_never_used_again(world: World) -> None:
    world.add_variant(NULL)
    world.variants = {}
    assert world.add_variant(NULL).id == 2
    assert [*world.variants] == [2]


def test_a_world_with_variants_is_not_plain(world: World) -> None:
    assert world.is_plain
    world.add_variant(NULL)
    assert not world.is_plain


def test_variants_count_as_memory(world: World) -> None:
    before = world.size
    world.add_variant(NULL)
    world.variant_log = [{}]
    assert world.size > before + SIZE


def test_a_snapshot_has_no_variants(world: World) -> None:
    world.add_variant(NULL)
    assert World.of("other", world.snapshot()).variants == {}


def test_new_worlds_have_the_variants_of_the_registry(default_fixture: Fixture) -> None:
    worlds = Worlds(default_fixture)
    worlds.variants = [NULL]
    made = worlds.get("a"), worlds.reset("b"), worlds.restore("c", worlds.get("a").snapshot()), worlds.reset("a")
    assert [[variant.wanted for variant in world.variants.values()] for world in made] == [[NULL]] * 4
