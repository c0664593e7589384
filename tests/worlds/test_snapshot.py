"""What worlds start from."""

from stubserver.worlds.snapshot import TABLES, Fixture
from stubserver.worlds.world import World


def test_a_snapshot_counts_its_rows_and_their_size(default_fixture: Fixture) -> None:
    world = World("w", default_fixture)
    assert (world.snapshot().changed, world.snapshot().size) == (0, 0)
    world.courses.put({**world.courses[1], "name": "x" * 1000})
    world.courses.delete(2)
    assert world.snapshot().changed == 2
    assert 1000 < world.snapshot().size == world.size


def test_a_fixture_knows_whom_its_tokens_stand_for(default_fixture: Fixture) -> None:
    assert {user: token for token, user in default_fixture.tokens.items()} == default_fixture.names
    assert set(default_fixture.tables) == set(TABLES)
