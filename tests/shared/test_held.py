"""What is held: the requests of each world, as long as it is the same, and what they count."""

from stubserver.shared.held import Held
from stubserver.shared.turn import Turn
from stubserver.stores.store import Entries, Version
from stubserver.worlds.world import World
from tests.support.stored import note

FIRST = Version.first()


def turn(*numbers: int, count: int = 1) -> Turn:
    """A turn that adds requests with these numbers to the journal of a world."""
    made = Turn()
    for number in numbers:
        note(made, "test", number, b"%d" % number)
    made.counted["test"] = {"n": count, ("n", "m"): 1}
    return made


def world_of(world: World, asked: int) -> World:
    world.name, world.asked = "test", asked
    return world


def test_nothing_is_held_at_first() -> None:
    held = Held()
    assert (bool(held), [*held.commits({})], held.counted) == (False, [], {})


def test_requests_of_several_turns_are_stored_together(world: World) -> None:
    held = Held()
    for numbers in ((1, 2), (3,)):
        held.add(turn(*numbers), world_of(world, numbers[-1]), FIRST)
        held.count_up(turn(*numbers))
    (commit,) = held.commits({})
    assert (commit.name, commit.expected, commit.version, commit.asked) == ("test", FIRST, FIRST, 3)
    assert (commit.changes, commit.entries) == ({}, Entries(1, 3, b"1|2|3"))
    assert (bool(held), held.count, held.counted) == (True, 3, {"n": 4, "m": 2})


def test_what_was_held_for_a_world_of_the_same_name_is_gone(world: World) -> None:
    held, second = Held(), Version.first()
    held.add(turn(1, 2), world_of(world, 2), FIRST)
    held.add(turn(1), world_of(world, 1), second)
    (commit,) = held.commits({})
    assert (commit.version, commit.entries.count) == (second, 1)
